"""What is known inside of one step: conditions on the time that always hold there, reads that surely stay inside."""

from __future__ import annotations

from collections.abc import Mapping

from symgrad.algebra.build import Fresh, compare, open_reduction, rebuild, reduce, sub
from symgrad.algebra.terms import FALSE, TRUE, ZERO, Term, get, get0, is_access
from symgrad.formula.inside import Bounds
from symgrad.lower.scope import Signature


class Settling:
    """Terms over an index whose range is that of the steps: conditions are decided, accesses are `get` or `get0`.

    `states`: name -> axis of time; what they give outside of their range of steps is 0.
    """

    def __init__(self, signatures: Mapping[str, Signature], states: Mapping[str, int]) -> None:
        self.signatures, self.states = signatures, states
        self.constants: dict[tuple[str, Term], Term] = {}
        """Values of states that are numbers at a step: (name, step) -> number."""
        self.bounds = Bounds()
        self.fresh = Fresh()
        self.memo: dict[Term, Term] = {}

    def apply(self, t: Term) -> Term:
        """The term as it stands inside of a step."""
        if not t.args:
            return t
        found = self.memo.get(t)
        if found is None:
            found = self.memo[t] = self._inside(t)
        return found

    def _inside(self, t: Term) -> Term:
        if t.op == "idx":
            return t
        if t.op == "red":
            body, over = open_reduction(t, self.fresh)
            return reduce(str(t.data), self.apply(body), over)
        args = tuple(self.apply(a) for a in t.args)
        if t.op == "cmp":
            return self.decided(compare(str(t.data), *args))
        return self._access(t, args) if is_access(t) else rebuild(t, args)

    def _access(self, t: Term, args: tuple[Term, ...]) -> Term:
        name = str(t.data)
        extents = self.signatures[name].extents
        axis = self.states.get(name)
        if axis is not None and self.never(args[axis], extents[axis]):
            return ZERO
        if axis is not None and (name, args[axis]) in self.constants:
            return self.constants[name, args[axis]]
        if t.op == "get" and not self.moves(args):
            return get(name, args)
        within = all(self.bounds.inside(s, e) for s, e in zip(args, extents, strict=True))
        return get(name, args) if within else get0(name, args)

    def moves(self, args: tuple[Term, ...]) -> bool:
        """Whether a subscript may leave its axis: one that is an index of the formula never does."""
        return any(s.op not in ("idx", "get") for s in args)

    def never(self, s: Term, size: Term) -> bool:
        """Whether a subscript is outside of its axis at every step."""
        return self.bounds.at_least(sub(s, size)) or self.bounds.at_least(sub(ZERO, s), 1)

    def decided(self, c: Term) -> Term:
        """A comparison of integers, where the range of the steps decides it."""
        if c.op != "cmp" or c.tensors or not any(a.free for a in c.args):
            return c
        a, b = c.args
        more, less = sub(a, b), sub(b, a)
        if c.data == "<":
            return TRUE if self.bounds.at_least(less, 1) else FALSE if self.bounds.at_least(more) else c
        if c.data == "<=":
            return TRUE if self.bounds.at_least(less) else FALSE if self.bounds.at_least(more, 1) else c
        apart = self.bounds.at_least(more, 1) or self.bounds.at_least(less, 1)
        return c if not apart else FALSE if c.data == "==" else TRUE
