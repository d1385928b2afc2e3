"""Proofs that a read stays inside of a tensor: bounds of affine subscripts over all values of their indices.

A dimension is at least 1, an index runs over 0 .. extent - 1, a gather over the domain of its integers. A polynomial
is shown nonnegative by putting each index at the end where it is least, each quotient at its bound, and by reading off
that all coefficients are nonnegative once every dimension d is written 1 + d'. Where an index has no value nothing is
read, so that the extents of the indices of a subscript count as positive: a window k is, and a divisor k of h//k.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from dataclasses import replace as record

from symgrad.algebra.terms import ONE, Term, extent, num, walk
from symgrad.formula.polynomial import (
    Polynomial,
    TooLargeError,
    atom,
    atoms,
    constant,
    divide,
    plus,
    polynomial,
    quotient_of,
    replace,
    split,
    times,
)

STEPS = 400

Interval = tuple[Term | None, Term | None]


@dataclass
class Bounds:
    """What is known of sizes: intervals of int parameters and int tensors, and polynomials that are nonnegative."""

    parameters: Mapping[str, Interval] = field(default_factory=dict)
    tensors: Mapping[str, Interval] = field(default_factory=dict)
    facts: Sequence[Polynomial] = ()
    equations: Sequence[tuple[Term, Term]] = ()
    proven: dict[tuple[str, Term, Term, tuple[Term, ...]], bool] = field(default_factory=dict, init=False, repr=False)
    """What was asked before: the same positions are looked at again and again."""

    def inside(self, subscript: Term, size: Term, conditions: Sequence[Term] = ()) -> bool:
        """Whether 0 <= subscript <= size - 1 for all values of the indices, where the conditions hold."""
        if subscript.op == "idx" and extent(subscript) is size:
            return True
        key = ("inside", subscript, size, tuple(conditions))
        if key not in self.proven:
            self.proven[key] = self._inside(subscript, size, conditions)
        return self.proven[key]

    def _inside(self, subscript: Term, size: Term, conditions: Sequence[Term]) -> bool:
        try:
            low = polynomial(subscript)
            high = plus(plus(polynomial(size), constant(-1)), low, -1)
            proof = _Proof(self, conditions)
            proof.run_over(t for t in walk(subscript) if t.op == "idx")
            return proof.holds(low) and proof.holds(high)
        except TooLargeError:
            return False

    def at_least(self, t: Term, least: int = 0, conditions: Sequence[Term] = ()) -> bool:
        """Whether t >= least for all sizes, and for all values of its indices where the conditions hold."""
        key = ("at least", t, num(least), tuple(conditions))
        if key not in self.proven:
            self.proven[key] = self._at_least(t, least, conditions)
        return self.proven[key]

    def _at_least(self, t: Term, least: int, conditions: Sequence[Term]) -> bool:
        try:
            proof = _Proof(self, conditions)
            proof.run_over(x for x in walk(t) if x.op == "idx")
            return proof.holds(plus(polynomial(t), constant(-least)))
        except TooLargeError:
            return False

    def with_positive(self, names: Sequence[str]) -> Bounds:
        """The same, where these int parameters are positive."""
        return record(self, parameters={**self.parameters, **dict.fromkeys(names, (ONE, None))})


class _Proof:
    def __init__(self, bounds: Bounds, conditions: Sequence[Term]) -> None:
        self.bounds = bounds
        self.parameters = dict(bounds.parameters)
        self.steps = STEPS
        self.facts: list[Polynomial] = list(bounds.facts)
        self.least: dict[Term, Polynomial] = {}
        unequal: list[Polynomial] = []
        for c in conditions:
            self.learn(c, unequal)
        for p in unequal:
            for q in (p, plus({}, p, -1)):
                if self.nonnegative(q):
                    self.facts.append(plus(q, constant(-1)))

    def run_over(self, indices: Iterable[Term]) -> None:
        """Take each index to have a value: extents k, and e//k with e >= 0, make an int parameter k positive."""
        for size in (extent(i) for i in indices):
            self.at_least_one(size)
            quotient = size.op == "fn" and size.data == "floordiv" and self.nonnegative(polynomial(size.args[0]))
            divisor = size.args[1] if quotient else size
            if divisor.op == "par" and self.parameters.get(str(divisor.data), (None, None))[0] is None:
                self.parameters[str(divisor.data)] = (ONE, self.parameters.get(str(divisor.data), (None, None))[1])

    def at_least_one(self, size: Term) -> None:
        """An extent e//k + c of an index that has a value, or a factor of one: e//k >= 1 - c."""
        if size.op == "mul":
            for f in size.args:
                self.at_least_one(f)
            return
        try:
            p = polynomial(size)
        except TooLargeError:
            return
        quotients = [t for t in atoms(p) if t.op == "fn" and t.data == "floordiv"]
        if len(quotients) == 1 and plus(p, atom(quotients[0]), -1).keys() <= {()}:
            self.least[quotients[0]] = constant(1 - int(p.get((), 0)))

    def learn(self, c: Term, unequal: list[Polynomial]) -> None:
        """Polynomials that are nonnegative where the condition holds."""
        if c.op == "and":
            for a in c.args:
                self.learn(a, unequal)
        elif c.op == "cmp":
            difference = plus(polynomial(c.args[1]), polynomial(c.args[0]), -1)
            if c.data == "!=":
                unequal.append(difference)
                return
            self.facts.append(plus(difference, constant(-1 if c.data == "<" else 0)))
            if c.data == "==":
                self.facts.append(plus({}, difference, -1))

    def holds(self, p: Polynomial) -> bool:
        """Whether p >= 0, with at most two of the facts added up."""
        if self.nonnegative(p):
            return True
        relevant = [f for f in self.facts if set(atoms(f)) & set(atoms(p))]
        rests = [plus(p, f, -1) for f in relevant]
        if any(self.nonnegative(r) for r in rests):
            return True
        return any(self.nonnegative(plus(r, f, -1)) for r in rests for f in self.facts)

    def nonnegative(self, p: Polynomial) -> bool:
        self.steps -= 1
        if self.steps < 0:
            raise TooLargeError
        for left, right in self.bounds.equations:
            p = replace(p, left, polynomial(right))
        if self.of_positive(p):
            return True
        for t in sorted(atoms(p), key=_turn):
            eliminate = self.rule(t)
            if eliminate is not None:
                parts = split(p, t)
                return parts is not None and eliminate(t, *parts)
        return self.of_sizes(p)

    def of_positive(self, p: Polynomial) -> bool:
        """Whether every coefficient is nonnegative, in dimensions and in how far quotients exceed their least value."""
        for t in atoms(p):
            if t in self.least:
                p = replace(p, t, plus(atom(t), self.least[t]))
            elif t.op != "dim":
                return False
        return all(c >= 0 for c in p.values())

    def rule(self, t: Term) -> Callable[[Term, Polynomial, Polynomial], bool] | None:
        if t.op == "fn" and t.data == "floordiv":
            return self.quotient
        if t.op == "fn" and t.data == "mod":
            return self.remainder
        if t.op == "idx":
            return self.index
        if t.op in ("get", "get0"):
            return self.gather
        if t.op == "red" and t.data == "argmax":
            return self.position
        return None

    def between(self, c: Polynomial, r: Polynomial, low: Polynomial | None, high: Polynomial | None) -> bool:
        """Whether c*t + r >= 0 for low <= t <= high."""
        if low is not None and self.nonnegative(c):
            return self.nonnegative(plus(r, times(c, low)))
        if high is not None and self.nonnegative(plus({}, c, -1)):
            return self.nonnegative(plus(r, times(c, high)))
        return False

    def index(self, t: Term, c: Polynomial, r: Polynomial) -> bool:
        return self.between(c, r, {}, plus(polynomial(extent(t)), constant(-1)))

    def position(self, t: Term, c: Polynomial, r: Polynomial) -> bool:
        """0 <= argmax(e, i, j) < extents of i and j multiplied."""
        count = constant(1)
        for v in t.args[1:]:
            count = times(count, polynomial(extent(v)))
        return self.between(c, r, {}, plus(count, constant(-1)))

    def gather(self, t: Term, c: Polynomial, r: Polynomial) -> bool:
        low, high = (polynomial(e) if e else None for e in self.bounds.tensors.get(str(t.data), (None, None)))
        if t.op == "get0" and not (low is not None and high is not None and self.spans_zero(low, high)):
            return False
        return self.between(c, r, low, high)

    def spans_zero(self, low: Polynomial, high: Polynomial) -> bool:
        """Whether 0, which a read outside gives, lies between the ends."""
        return self.nonnegative(plus({}, low, -1)) and self.nonnegative(high)

    def remainder(self, t: Term, c: Polynomial, r: Polynomial) -> bool:
        divisor = polynomial(t.args[1])
        return self.positive(divisor) and self.between(c, r, {}, plus(divisor, constant(-1)))

    def quotient(self, t: Term, c: Polynomial, r: Polynomial) -> bool:
        """s*q <= e <= s*q + s - 1 for q = e // s; all numbers are whole, so s*p + s - 1 >= 0 shows p >= 0."""
        e, s = polynomial(t.args[0]), polynomial(t.args[1])
        if not self.positive(s):
            return False
        least = plus(plus(e, s, -1), constant(1))
        if self.nonnegative(e) and self.between(c, r, {}, self.last_quotient(t.args[0], s)):
            return True
        part = divide(c, s)
        if part is not None:
            return self.between(part, r, least, e)
        rest = plus(plus(times(s, r), s), constant(-1))
        return self.between(c, rest, least, e)

    def last_quotient(self, t: Term, s: Polynomial) -> Polynomial | None:
        """The largest t // s for an index t whose extent is a multiple of s."""
        whole = quotient_of(polynomial(extent(t)), s) if t.op == "idx" else None
        return None if whole is None else plus(whole, constant(-1))

    def positive(self, p: Polynomial) -> bool:
        return self.nonnegative(plus(p, constant(-1)))

    def of_sizes(self, p: Polynomial) -> bool:
        """Whether p >= 0 for all dimensions and int parameters."""
        for t in atoms(p):
            low, high = (constant(1), None) if t.op == "dim" else self.parameter(t)
            if low is not None:
                p = replace(p, t, plus(atom(t), low))
            elif high is not None:
                p = replace(p, t, plus(high, atom(t), -1))
            elif any(t in dict(m) for m in p):
                return False
        return all(c >= 0 for c in p.values())

    def parameter(self, t: Term) -> tuple[Polynomial | None, Polynomial | None]:
        low, high = self.parameters.get(str(t.data), (None, None)) if t.op == "par" else (None, None)
        return polynomial(low) if low else None, polynomial(high) if high else None


def _turn(t: Term) -> int:
    """Quotients of indices first: an index inside of one is better bounded together with the same index outside."""
    if t.op == "fn" and t.free:
        return 0
    return 1 if t.op == "idx" else 2
