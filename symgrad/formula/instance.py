"""A used formula at the arrays and parameters of one call: its statements in the names of the caller.

linear: y[..., o] = Sum(x[..., k]*W[o, k], k) + b[o]    at x = h[n, e]    ->    y[i, j] = Sum(h[i, k]*W[j, k], k) + b[j]
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from symgrad.algebra.build import Fresh, fn, mul, open_reduction, rebuild, reduce
from symgrad.algebra.show import show
from symgrad.algebra.terms import BATCH, ONE, Term, by_name, dim, extent, idx, is_access, mat, matrix_of, node
from symgrad.formula.arrays.shapes import SCALAR, Shape
from symgrad.formula.environment import BATCH_INDEX, Environment
from symgrad.formula.polynomial import polynomial, term
from symgrad.formula.program import Fact, Place, Statement


@dataclass
class Instance:
    """What the names of the used formula stand for in the caller."""

    env: Environment
    tensors: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, Term] = field(default_factory=dict)
    sizes: dict[str, Term] = field(default_factory=dict)
    """Dimension of the used formula -> its size in the caller."""
    lead: Shape = SCALAR
    """The axes of the caller that `...` stands for."""
    leads: dict[str, Shape] = field(default_factory=dict)
    """Input -> the part of them that it has, the last ones."""

    def size(self, t: Term) -> Term:
        """A size of the used formula in the caller's dimensions, multiplied out."""
        if t.op == "fn":
            return fn(str(t.data), *(self.size(a) for a in t.args))
        made = _Renaming(self, {}, ()).term(t) if t.op in ("dim", "par") else rebuild(t, tuple(map(self.size, t.args)))
        return term(polynomial(made))

    def condition(self, t: Term) -> Term:
        """A condition on sizes and parameters in those of the caller."""
        return _Renaming(self, {}, ()).term(t)

    def statement(self, s: Statement, name: str, kind: str, place: Place, inner: bool) -> Statement:
        """A statement of the used formula under its name in the caller; `inner`: the caller did not give the name."""
        renaming = self.renaming(s.indices)
        indices = [i for old in s.indices for i in (renaming.lead if old is BATCH_INDEX else (renaming.term(old),))]
        result = s.result or s.kind in ("output", "loss")
        recurrence = s.recurrence and replace(s.recurrence, time=renaming.term(s.recurrence.time))
        return Statement(name, tuple(indices), renaming.term(s.body), kind, place, result, inner, recurrence)

    def fact(self, fact: Fact, owner: str, place: Place) -> Fact:
        """What the used formula assumes, of the arrays that it is called on."""
        condition = self.renaming(by_name(fact.condition.free)).term(fact.condition)
        return Fact(condition, f"assumed by {owner}", show(condition), True, place)

    def renaming(self, indices: Iterable[Term]) -> _Renaming:
        """Names for free indices of the used formula that nothing in the caller has."""
        used: list[str] = []
        lead = [BATCH_INDEX] if self.lead.batch else []
        for size in self.lead.sizes:
            used.append(self.env.index_name(size, used))
            lead.append(idx(used[-1], size))
        names: dict[str, str] = {}
        for i in indices:
            if i is not BATCH_INDEX:
                names[str(i.data)] = self.env.index_name(self.size(extent(i)), used, (str(i.data),))
                used.append(names[str(i.data)])
        return _Renaming(self, names, tuple(lead))


class _Renaming:
    """A term of the used formula in the names of the caller. `lead`: the indices that `...` becomes."""

    def __init__(self, instance: Instance, names: Mapping[str, str], lead: tuple[Term, ...]) -> None:
        self.instance, self.names, self.lead = instance, names, lead
        self.fresh = Fresh()
        self.known: dict[Term, Term] = {}

    def term(self, t: Term) -> Term:
        found = self.known.get(t)
        if found is None:
            found = self.known[t] = self.made(t)
        return found

    def made(self, t: Term) -> Term:
        instance = self.instance
        if t.op == "par":
            return instance.parameters[str(t.data)]
        if t.op == "dim":
            return self.elements() if t.data == BATCH else instance.sizes[str(t.data)]
        if t.op == "idx":
            return idx(self.names.get(str(t.data), str(t.data)), instance.size(extent(t)))
        if t.op == "red":
            return self.reduction(t)
        if is_access(t) or t.op == "mat":
            return self.access(t)
        return rebuild(t, tuple(self.term(a) for a in t.args))

    def elements(self) -> Term:
        """The number of batch elements."""
        lead = self.instance.lead
        return mul(*([dim(BATCH)] if lead.batch else [ONE]), *lead.sizes)

    def access(self, t: Term) -> Term:
        name = matrix_of(t)[1] if t.op == "mat" else str(t.data)
        subs: list[Term] = []
        for s in t.args:
            if s is BATCH_INDEX:
                count = self.instance.leads.get(name, self.instance.lead).rank
                subs.extend(self.lead[len(self.lead) - count :])
            else:
                subs.append(self.term(s))
        if t.op == "mat":
            return mat(matrix_of(t)[0], self.instance.tensors[name], subs[:-1], self.instance.size(t.args[-1]))
        return node(t.op, tuple(subs), self.instance.tensors[name])

    def reduction(self, t: Term) -> Term:
        body, variables = open_reduction(t, self.fresh)
        over = [i for v in variables for i in (self.lead if v is BATCH_INDEX else (self.term(v),))]
        kind = str(t.data)
        if kind == "norm" and not over:
            return fn("Abs", self.term(body))
        return reduce(kind, self.term(body), over)
