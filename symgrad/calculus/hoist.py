"""Passes 2 and 3: nested reductions and shared differences become statements of their own, identical ones are shared.

After this pass a statement holds at most one reduction, at its top, and every sum that is a factor, a base or an
argument has a name. So adjoints never hold expanded squares, and a chain of names stands where the
chain rule needs one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from symgrad import limits
from symgrad.algebra.arrangement import softmax_parts
from symgrad.algebra.build import (
    Fresh,
    conjunction,
    exp,
    iverson,
    mul,
    neg,
    negation,
    open_reduction,
    power,
    rebuild,
    reduce,
    sub,
    substitute,
    where,
)
from symgrad.algebra.match import Matcher
from symgrad.algebra.terms import (
    BATCH,
    MINUS_ONE,
    ZERO,
    Term,
    base_exponent,
    by_name,
    coefficient,
    extent,
    factors_of,
    get,
    idx,
    is_access,
    is_num,
    num,
    value,
    walk,
)
from symgrad.formula.blocks import blocks
from symgrad.formula.program import Program, Recurrence, Statement

KIND_NAMES = {
    "sum": "total",
    "prod": "product",
    "max": "top",
    "min": "low",
    "max_first": "top",
    "min_first": "low",
    "lse": "lse",
    "argmax": "winner",
    "norm": "length",
}
EXTREMES = ("max", "min", "max_first", "min_first")
"""Reductions whose derivative compares the body with the value: both must be the very same numbers."""
PARTIAL = frozenset("log log1p logit acosh asin acos atanh exp expm1 sinh cosh tan loggamma digamma polygamma".split())
"""Functions that are not defined everywhere, or that overflow."""
LETTERS = "ijklmpqrsuvwabefgh"


def hoist(program: Program, taken: Iterable[str] = ()) -> Program:
    """The program with its nested reductions and differences as hoisted statements, named apart from `taken`."""
    pass_ = _Hoisting(program, taken)
    for block in blocks(program.statements):
        pass_.block = {s.name for s in block if s.recurrence is not None}
        for s in block:
            pass_.statement(s)
    return program.with_statements(tuple(pass_.done))


def taken_names(program: Program) -> set[str]:
    """Every name of the formula: inputs, parameters, statements, dimensions, indices and cotangents."""
    names = {i.name for i in program.inputs} | {p.name for p in program.parameters}
    names |= {s.name for s in program.statements} | {"d" + s.name for s in program.statements}
    names |= {"d" + i.name for i in program.inputs}
    for s in program.statements:
        for t in walk(s.body):
            if t.op in ("dim", "idx"):
                names.add(str(t.data))
        names |= {str(i.data) for i in s.indices}
    for i in program.inputs:
        names |= {str(t.data) for e in i.shape for t in walk(e) if t.op == "dim"}
    return names


class _Hoisting:
    def __init__(self, program: Program, taken: Iterable[str]) -> None:
        self.done: list[Statement] = []
        self.names = taken_names(program) | set(taken)
        self.fresh = Fresh()
        self.current: Statement | None = None
        self.recurrence: Recurrence | None = None
        self.held: tuple[Term, ...] = ()
        """What holds where the value of what is being lifted is used."""
        self.block: set[str] = set()
        """The recurrence that is being hoisted: what reads it is made step by step too."""

    def statement(self, s: Statement) -> None:
        self.current, self.recurrence, self.held = s, s.recurrence, ()
        body = self.shared(self.top(s.body))
        self.done.append(replace(s, body=body))

    def shared(self, t: Term) -> Term:
        """The term with products that it holds more than once, but for a number, named."""
        while (product := _repeated_product(t)) is not None:
            access = self.named(product, "ratio" if any(_is_divisor(f) for f in product.args) else "product")
            t = _replaced(t, product, access)
        return t

    def top(self, t: Term) -> Term:
        """The root of a statement: one reduction, with constant factors, may stay."""
        if t.op == "red":
            return self.inside_reduction(t)
        if t.op == "mul" and (found := _scaled_reduction(t)) is not None:
            inner = self.inside_reduction(found)
            return rebuild(t, tuple(inner if a is found else a for a in t.args))
        if t.op == "fn" and t.data == "exp" and _beside_softmax(t) is ZERO:
            return rebuild(t, tuple(self.lift(a) for a in t.args))
        return self.lift(t)

    def lift(self, t: Term) -> Term:
        """A term below the root: reductions in it are hoisted."""
        limits.check()
        if (
            not t.height
            and t.op != "mul"
            and t.op not in ("pow", "fn", "cmp", "add", "where", "iv", "and", "or", "not")
        ):
            return t
        if t.op == "red" or (t.op == "mul" and _scaled_reduction(t) is not None):
            number, rest = coefficient(t)
            return mul(num(number), self.named(self.top(rest)))
        if t.op == "fn" and t.data in ("Max", "Min"):
            return rebuild(t, tuple(self.compared(self.operand(a)) for a in t.args))
        if t.op == "fn" and t.data == "exp" and (rest := _beside_softmax(t)) is not ZERO:
            return self.softmax_apart(t, rest)
        if t.op == "where":
            c, a, b = t.args
            return where(self.lift(c), self.under(c, a), self.under(negation(c), b))
        if t.op == "mul" and any(f.op == "iv" for f in t.args):
            return self.bracketed(t)
        if t.op in ("mul", "pow", "cmp") or (t.op == "fn" and t.data not in ("exp", "truth")):
            return rebuild(t, tuple(self.operand(a) for a in t.args))
        if t.op in ("add", "where", "iv", "and", "or", "not", "fn"):
            new = rebuild(t, tuple(self.lift(a) for a in t.args))
            softmax = new.op == "fn" and new.data == "exp" and self._is_log_softmax(new.args[0])
            return self.named(new, "p") if softmax else new
        return t

    def softmax_apart(self, t: Term, rest: Term) -> Term:
        """exp(z - lse z + k) as p*exp(k): of one value for both the softmax would be read back by way of exp(-k)."""
        return mul(self.lift(exp(sub(t.args[0], rest))), self.lift(exp(rest)))

    def under(self, c: Term, t: Term, operand: bool = False) -> Term:
        """A term whose value is used where the condition holds."""
        saved, self.held = self.held, (*self.held, c)
        new = self.operand(t) if operand else self.lift(t)
        self.held = saved
        return new

    def bracketed(self, t: Term) -> Term:
        """A product with brackets."""
        c = conjunction(*(f.args[0] for f in t.args if f.op == "iv"))
        return rebuild(t, tuple(self.lift(f) if f.op == "iv" else self.under(c, f, operand=True) for f in t.args))

    def guarded(self, body: Term) -> Term:
        """A value that is named: where it is not used it is 0, unless it is harmless there anyway."""
        if body.op == "red" and body.data != "sum":
            return body
        held = [c for c in self.held if c.free <= body.free]
        return mul(iverson(conjunction(*held)), body) if held and any(map(is_partial, walk(body))) else body

    def operand(self, t: Term) -> Term:
        """A factor, base or argument: a sum of several accesses gets a name."""
        new = self.lift(t)
        several = new.op == "add" and sum(any(is_access(x) for x in walk(a)) for a in new.args) > 1
        return self.named(new, "logp" if self._is_log_softmax(new) else "") if several else new

    def compared(self, t: Term) -> Term:
        """An argument of Max or Min: the derivative compares it, so a product of several values gets a name."""
        several = t.op == "mul" and sum(bool(f.tensors) for f in t.args) > 1
        return self.named(t, "e") if several else t

    def _is_log_softmax(self, t: Term) -> bool:
        """z - lse z, whose exponential is computed as e/sum(e)."""
        named = {s.name for s in self.done if s.kind == "hoisted" and s.body.op == "red" and s.body.data == "lse"}
        return t.op == "add" and any(coefficient(a)[0] == -1 and str(coefficient(a)[1].data) in named for a in t.args)

    def inside_reduction(self, t: Term) -> Term:
        used = {str(i.data) for i in t.free} | {str(i.data) for i in (self.current.indices if self.current else ())}
        names: dict[Term, Term] = {}
        for v in t.args[1:]:
            names[v] = v if str(v.data) == BATCH else idx(self._letter(used), extent(v))
            used.add(str(names[v].data))
        saved, self.current = self.current, None
        body = self.lift(substitute(t.args[0], names))
        if t.data in EXTREMES and not is_access(body):
            body = self.named(body, "e")
        self.current = saved
        return reduce(str(t.data), body, names.values())

    def _letter(self, used: set[str]) -> str:
        pool = [c for c in LETTERS if c not in used and c not in self.names] + [f"i{k}" for k in range(1, 60)]
        return next(c for c in pool if c not in used)

    def named(self, body: Term, kind: str = "") -> Term:
        """The access to the statement with this body: one that exists, also with the other sign, or a new one."""
        if is_access(body) or not body.tensors:
            return body
        held = body if kind == "p" else self.guarded(body)  # a softmax is harmless everywhere
        for known in dict.fromkeys((body, held)):
            for wanted, sign in ((known, mul), (neg(known), neg)):
                for s in self.done:
                    found = self._same(s, wanted)
                    if found is not None:
                        return sign(found)
        body = held
        indices = tuple(by_name(body.free))
        batch = [i for i in indices if str(i.data) == BATCH]
        recurrence = self.recurrence if body.tensors & self.block else None
        time = [recurrence.time] if recurrence is not None else []
        indices = (*batch, *time, *(i for i in indices if str(i.data) != BATCH and i not in time))
        s = Statement(self._name(body, kind), indices, body, "hoisted", recurrence=recurrence)
        if recurrence is not None:
            self.block.add(s.name)
        self.done.append(s)
        return get(s.name, indices)

    def _same(self, s: Statement, body: Term) -> Term | None:
        if s.body.op != body.op or s.body.size != body.size or s.body.tensors != body.tensors or s.kind == "loss":
            return None
        matcher = Matcher(frozenset(s.indices), self.fresh)
        for binding in matcher.unify(s.body, body):
            if all(i in binding for i in s.indices) and all(
                extent(binding[i]) is extent(i) for i in s.indices if binding[i].op == "idx"
            ):
                return get(s.name, tuple(binding[i] for i in s.indices))
        return None

    def _name(self, body: Term, stem: str) -> str:
        stem = stem or self._stem(body)
        for k in range(1, 1 << 20):
            name = stem if k == 1 else f"{stem}{k}"
            if name not in self.names and "d" + name not in self.names:
                self.names |= {name, "d" + name}
                return name
        raise AssertionError("names are endless")

    def _stem(self, body: Term) -> str:
        reductions = [f for f in factors_of(body) if f.op == "red"]
        kind = str(reductions[0].data) if reductions else ""
        if kind == "sum" and len(factors_of(body)) > 1:
            return self._stem_of_share(body, reductions[0])
        if body.op == "add" and not any(_minus(a) for a in body.args):
            return "pre"
        return KIND_NAMES.get(kind, "diff")

    def _stem_of_share(self, body: Term, reduction: Term) -> str:
        """A sum over the number of its summands is a mean, that of squared differences a variance."""
        inner, variables = open_reduction(reduction, self.fresh)
        if body is not mul(reduction, *(power(extent(v), MINUS_ONE) for v in variables)):
            return KIND_NAMES["sum"]
        base, exponent = base_exponent(inner)
        differences = {s.name for s in self.done if s.kind == "hoisted" and s.body.op == "add"}
        squared = exponent is num(2) and is_access(base) and base.data in differences
        return "var" if squared else "mean"


def _repeated_product(t: Term) -> Term | None:
    """The largest product of several values to which the term refers more than once outside of reductions."""
    counts: dict[Term, int] = {}
    for x in _scope(t):
        for a in x.args:
            rest = coefficient(a)[1]
            if rest.op == "mul" and sum(bool(f.tensors) and f.op != "iv" for f in rest.args) > 1:
                counts[rest] = counts.get(rest, 0) + 1
    return max((p for p, n in counts.items() if n > 1), key=lambda p: (p.size, p.digest), default=None)


def _scope(t: Term) -> list[Term]:
    """The distinct subterms that are not under a reduction."""
    found: dict[Term, None] = {}
    stack = [t]
    while stack:
        x = stack.pop()
        if x not in found and x.op not in ("red", "get", "get0", "idx"):
            found[x] = None
            stack.extend(x.args)
    return list(found)


def _replaced(t: Term, product: Term, access: Term) -> Term:
    number, rest = coefficient(t)
    if rest is product:
        return mul(num(number), access)
    if t.op in ("red", "get", "get0", "idx") or not t.args:
        return t
    return rebuild(t, tuple(_replaced(a, product, access) for a in t.args))


def _beside_softmax(t: Term) -> Term:
    """k of exp(z - lse z + k); 0 for an exponential without a softmax."""
    parts = softmax_parts(t.args[0])
    return ZERO if parts is None else parts[2]


def _is_divisor(f: Term) -> bool:
    return f.op == "pow" and coefficient(f.args[1])[0] < 0


def is_partial(t: Term) -> bool:
    """Whether the value or the derivative of a function may be infinite or undefined."""
    if t.op == "pow":
        e = t.args[1]
        return not (is_num(e) and value(e).denominator == 1 and value(e) >= 0)
    return t.op == "fn" and t.data in PARTIAL


def _minus(t: Term) -> bool:
    return coefficient(t)[0] < 0


def _scaled_reduction(t: Term) -> Term | None:
    """The reduction of a product whose other factors are numbers, dimensions and parameters."""
    reductions = [f for f in t.args if f.op == "red"]
    if len(reductions) != 1 or any(f.tensors or f.free for f in t.args if f is not reductions[0]):
        return None
    return reductions[0]
