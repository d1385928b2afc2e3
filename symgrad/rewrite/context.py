"""What a rule may look at: definitions of names, facts, signs of terms; and where steps are written down."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING

from symgrad.algebra.build import Fresh, open_reduction, substitute
from symgrad.algebra.terms import BATCH, Term, coefficient, dim, extent, is_num, value
from symgrad.formula.environment import parameter_bounds
from symgrad.formula.inside import Bounds
from symgrad.formula.program import Domain, Fact, Input, Parameter, Program, Statement

if TYPE_CHECKING:
    from symgrad.rewrite.engine import Table
    from symgrad.rewrite.rule import Rule, Step

Observer = Callable[["Step"], None]


@dataclass
class Context:
    """The surroundings of a derivation: `definitions` are the statements that a name may be unfolded to."""

    program: Program
    definitions: Mapping[str, Statement] = field(default_factory=dict)
    fresh: Fresh = field(default_factory=Fresh)
    steps: list[Step] = field(default_factory=list)
    used: dict[Fact, None] = field(default_factory=dict)
    subject: str = ""
    index_names: tuple[tuple[str, Term], ...] = ()
    observer: Observer | None = None
    inputs: Mapping[str, Input] = field(init=False)
    bounds: Bounds = field(init=False)
    """What is known of sizes and of integers."""
    parameters: Mapping[str, Parameter] = field(init=False)
    silent: bool = False
    openings: dict[Term, tuple[Term, list[Term]]] = field(default_factory=dict)
    tables: dict[int, Table] = field(default_factory=dict)
    """For the engine, by identity of the rules: what is settled under them."""
    cotangents: dict[str, tuple[Term, ...]] = field(default_factory=dict)
    """Extents of the axes of cotangents and adjoints, by name."""
    adjoints: dict[str, Statement] = field(default_factory=dict)
    """Adjoints by their name, those of recurrences apart."""
    induction: dict[str, tuple[bool, ...]] = field(default_factory=dict)
    """States of a recurrence whose sign is being shown: what is taken of the steps before."""
    declared: tuple[Rule, ...] | None = None
    """The rules of the declared equations, once they are made."""
    symmetric: dict[str, tuple[Fact, ...] | None] = field(default_factory=dict)
    """Tensor -> the facts by which it is symmetric; None: it is not known to be."""
    inferred: dict[Term, Term | None] = field(default_factory=dict)
    relied_on: set[str] = field(default_factory=set)
    """Inputs whose declared sign was asked for and known since this was emptied."""

    def __post_init__(self) -> None:
        self.inputs = {i.name: i for i in self.program.inputs}
        self.parameters = {p.name: p for p in self.program.parameters}
        ends = {i.name: i.domain.bounds for i in self.program.inputs if i.domain.kind == "integer"}
        self.bounds = Bounds(parameter_bounds(self.parameters), {n: (b[0], b[1]) for n, b in ends.items()})

    @contextmanager
    def quietly(self) -> Iterator[None]:
        """A block whose steps are trials."""
        saved, self.silent = self.silent, True
        try:
            yield
        finally:
            self.silent = saved

    @contextmanager
    def trial(self) -> Iterator[list[Step]]:
        """A block whose steps are kept apart, in the list that it gives; the observer does not see them."""
        saved, observer = self.steps, self.observer
        self.steps, self.observer = [], None
        try:
            yield self.steps
        finally:
            self.steps, self.observer = saved, observer

    def record(self, rule: Rule, before: Term, after: Term, note: str = "") -> None:
        """Write a step down, unless the work is a trial."""
        from symgrad.rewrite.rule import Step

        if self.silent:
            return
        step = Step(rule, self.subject, before, after, note)
        self.steps.append(step)
        if self.observer is not None:
            self.observer(step)

    def opened(self, t: Term) -> tuple[Term, list[Term]]:
        """Body and variables of a reduction, the same each time: only for bodies that are closed again at once."""
        found = self.openings.get(t)
        if found is None:
            found = self.openings[t] = open_reduction(t, self.fresh)
        return found

    def body(self, access: Term) -> Term | None:
        """The definition of an access to a named statement, for its subscripts."""
        s = self.definitions.get(str(access.data))
        if s is None or access.op != "get":
            return None
        return substitute(s.body, dict(zip(s.indices, access.args, strict=True)))

    def axes(self, tensor: str) -> tuple[Term, ...] | None:
        """The extents of a tensor's axes; None for one that is neither an input nor a statement."""
        i = self.inputs.get(tensor)
        if i is not None:
            return ((dim(BATCH),) if i.batch else ()) + i.shape
        s = self.definitions.get(tensor)
        if s is None:
            return self.cotangents.get(tensor)
        return tuple(extent(x) for x in s.indices)

    def assume_signs(self) -> None:
        """Report the declared signs that were relied on as assumed."""
        for f in self.program.facts:
            c = f.condition
            bounded = c.op == "cmp" and c.data in ("<", "<=") and c.args[1].op == "get" and not c.args[0].tensors
            if bounded and str(c.args[1].data) in self.relied_on:
                self.used[f] = None

    # ---- signs ------------------------------------------------------------------------------------------------------

    def is_positive(self, t: Term) -> bool:
        """Whether the term is > 0 by what is declared."""
        return self._sign(t, strict=True)

    def is_nonnegative(self, t: Term) -> bool:
        """Whether the term is >= 0 by what is declared."""
        return self._sign(t, strict=False)

    def is_nonzero(self, t: Term) -> bool:
        """Whether the term is positive or negative by what is declared."""
        from symgrad.algebra.build import neg

        return self._never_zero(t) or self.is_positive(t) or self.is_positive(neg(t))

    def _never_zero(self, t: Term) -> bool:
        """Powers with a negative exponent, where they are defined."""
        if t.op == "pow" and coefficient(t.args[1])[0] < 0 and is_num(t.args[1]):
            return True
        if t.op == "mul":
            return all(self.is_nonzero(f) for f in t.args)
        return t.op == "get" and (body := self.body(t)) is not None and self._never_zero(body)

    def _sign(self, t: Term, strict: bool) -> bool:
        own = _SIGNS.get(t.op)
        return own is not None and own(self, t, strict)

    def _number_sign(self, t: Term, strict: bool) -> bool:
        return value(t) > 0 or (not strict and value(t) == 0)

    def _parameter_sign(self, t: Term, strict: bool) -> bool:
        p = self.parameters.get(str(t.data))
        return p is not None and _domain_sign(p.domain, strict)

    def _guarded_sign(self, t: Term, strict: bool) -> bool:
        return not strict and self._access_sign(t, strict)

    def _sum_sign(self, t: Term, strict: bool) -> bool:
        return any(self._sign(a, strict) for a in t.args) and all(self._sign(a, False) for a in t.args)

    def _product_sign(self, t: Term, strict: bool) -> bool:
        return all(self._sign(a, strict) for a in t.args)

    def _branch_sign(self, t: Term, strict: bool) -> bool:
        return all(self._sign(a, strict) for a in t.args[1:])

    def _reduction_sign(self, t: Term, strict: bool) -> bool:
        if t.data in ("sum", "prod", "max", "min", "max_first", "min_first"):
            return self._sign(t.args[0], strict)
        return t.data in ("norm", "argmax") and not strict

    def _access_sign(self, t: Term, strict: bool) -> bool:
        i = self.inputs.get(str(t.data))
        if i is not None:
            known = _domain_sign(i.domain, strict) or self._assumed_sign(t, strict)
            if known:
                self.relied_on.add(i.name)
            return known
        name = str(t.data)
        if name in self.induction:
            return strict in self.induction[name]
        body = self.body(t)
        if body is None or self.definitions[name].recurrence is None:
            return body is not None and self._sign(body, strict)
        self.induction[name] = (True, False) if strict else (False,)
        try:
            return self._sign(body, strict)
        finally:
            del self.induction[name]

    def _assumed_sign(self, t: Term, strict: bool) -> bool:
        for f in self.program.facts:
            c = f.condition
            if c.op != "cmp" or c.data not in (("<",) if strict else ("<", "<=")) or not is_num(c.args[0]):
                continue
            a = c.args[1]
            everywhere = all(i.op == "idx" for i in a.args) and len(set(a.args)) == len(a.args)
            if value(c.args[0]) >= 0 and a.op == "get" and a.data == t.data and everywhere:
                return True
        return False

    def _power_sign(self, t: Term, strict: bool) -> bool:
        b, e = t.args
        if self._sign(b, strict):
            return True
        if is_num(e) and value(e).denominator % 2 == 0:  # an even root is defined for what is not negative only
            return not strict or value(e) < 0
        return is_num(e) and value(e).denominator == 1 and value(e).numerator % 2 == 0 and not strict

    def _function_sign(self, t: Term, strict: bool) -> bool:
        if t.data in _POSITIVE:
            return True
        if t.data in _NONNEGATIVE:
            return not strict
        if t.data in ("Max", "Min"):
            return (any if t.data == "Max" else all)(self._sign(a, strict) for a in t.args)
        return t.data in _SIGN_KEEPING and self._sign(t.args[0], strict)


_POSITIVE = frozenset(["exp", "sigmoid", "softplus", "cosh", "erfc", "normal_cdf", "normal_pdf", "sech2"])
_NONNEGATIVE = frozenset(["Abs", "relu", "logcosh", "Heaviside"])
_SIGN_KEEPING = frozenset(
    ["tanh", "sinh", "atan", "asinh", "erf", "expm1", "log1p", "sign", "relu", "silu", "gelu", "atanh"]
)


def _domain_sign(domain: Domain, strict: bool) -> bool:
    if domain.kind == "positive":
        return True
    if domain.kind in ("nonnegative", "unit_interval", "simplex", "one_hot", "boolean"):
        return not strict
    if domain.kind in ("greater_than", "interval", "integer") and domain.bounds and is_num(domain.bounds[0]):
        low: Fraction = value(domain.bounds[0])
        return low > 0 or (low >= 0 and (not strict or domain.kind == "greater_than"))
    return False


_SIGNS: Mapping[str, Callable[[Context, Term, bool], bool]] = {
    "num": Context._number_sign,
    "const": lambda context, t, strict: True,
    "dim": lambda context, t, strict: True,
    "par": Context._parameter_sign,
    "get": Context._access_sign,
    "get0": Context._guarded_sign,
    "add": Context._sum_sign,
    "mul": Context._product_sign,
    "pow": Context._power_sign,
    "fn": Context._function_sign,
    "iv": lambda context, t, strict: not strict,
    "where": Context._branch_sign,
    "red": Context._reduction_sign,
}
