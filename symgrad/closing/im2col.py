"""Contractions with what windows read, as products of matrices: a row for each window, a column for each tap.

`x[c, s*p + u]` is read at positions p and taps u. With a tensor of its own, `x_col[p, c, u]`, a convolution is a plain
contraction, and so is the gradient of its weights; that of x adds the columns up where the windows overlap.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from symgrad.algebra.affine import affine_in
from symgrad.algebra.build import Fresh, mul, open_reduction, reduce, substitute
from symgrad.algebra.match import Matcher
from symgrad.algebra.show import Names
from symgrad.algebra.terms import BATCH, Term, extent, factors_of, get, idx, is_access, walk
from symgrad.closing.parts import Definition, Gradient
from symgrad.formula.program import Program


@dataclass(frozen=True)
class Products:
    """Tensors of windows and of columns, and what is a contraction with them."""

    tensors: tuple[Definition, ...] = ()
    statements: tuple[Definition, ...] = ()
    gradients: tuple[Definition, ...] = ()


def products_of(program: Program, gradients: Sequence[Gradient], names: Names) -> Products:
    """The statements and gradients of a formula that contract what windows read; none where no windows are read."""
    writing = _Writing(names)
    statements = [d for s in program.statements if (d := writing.windows(s.name, s.indices, s.body)) is not None]
    if not statements:
        return Products()
    found = []
    for g in gradients:
        d = writing.windows(g.input, g.indices, g.closed) or writing.columns(g.input, g.indices, g.closed)
        found += [] if d is None else [d]
    return Products(tuple(writing.tensors), tuple(statements), tuple(found))


class _Writing:
    def __init__(self, names: Names) -> None:
        self.names, self.fresh = names, Fresh()
        self.tensors: list[Definition] = []

    def windows(self, name: str, indices: Sequence[Term], t: Term) -> Definition | None:
        """The equation with each contracted window read as a tensor of its own."""
        new = {red: w for red in walk(t) if _is_sum(red) and (w := self.contraction(red)) is not None}
        return Definition(name, tuple(indices), substitute(t, new), False) if new else None

    def contraction(self, red: Term) -> Term | None:
        body, variables = open_reduction(red, self.fresh)
        accesses = [f for f in factors_of(body) if is_access(f)]
        for a in accesses:
            if _is_window(a, variables) and any(
                b is not a and b.free & a.free & frozenset(variables) for b in accesses
            ):
                rest = mul(*(f for f in factors_of(body) if f is not a))
                return reduce("sum", mul(self.view(a, variables), rest), variables)
        return None

    def view(self, a: Term, variables: Sequence[Term]) -> Term:
        """The access as a read of the tensor of windows, which is defined where it is not known yet."""
        for d in self.tensors:
            matcher = Matcher(frozenset(d.indices), self.fresh)
            for binding in matcher.unify(d.body, a):
                if all(binding[i].op == "idx" and extent(binding[i]) is extent(i) for i in d.indices):
                    return get(d.name, tuple(binding[i] for i in d.indices))
        order = [i for s in a.args for i in _in_order(s)]
        return self.define(f"{a.data}_col", sorted(dict.fromkeys(order), key=lambda i: i in variables), a)

    def define(self, name: str, own: Sequence[Term], body: Term) -> Term:
        """A tensor over these indices, which get readable names; `...` leads."""
        own = sorted(own, key=lambda i: str(i.data) != BATCH)
        while name in self.names.taken or any(d.name == name for d in self.tensors):
            name += "_"
        used: set[str] = {str(i.data) for i in own if str(i.data)[0] not in "$%"}
        readable: dict[Term, Term] = {}
        for i in own:
            if str(i.data)[0] in "$%":
                chosen = self.names.choose(i, frozenset(used))
                used.add(chosen)
                readable[i] = idx(chosen, extent(i))
        indices = tuple(readable.get(i, i) for i in own)
        self.tensors.append(Definition(name, indices, substitute(body, readable), True))
        return get(name, tuple(own))

    def columns(self, name: str, indices: Sequence[Term], t: Term) -> Definition | None:
        """sum [position == i] sum_k a_k b_k: the inner sum is a tensor of columns, added up where they meet."""
        if not _is_sum(t):
            return None
        body, variables = open_reduction(t, self.fresh)
        brackets = [f for f in factors_of(body) if f.op == "iv"]
        held = frozenset().union(*(f.free for f in brackets)) & frozenset(variables)
        rest = [f for f in factors_of(body) if f.op != "iv"]
        over = [v for v in variables if v not in held and sum(v in f.free for f in rest) > 1]
        if not held or not over or any(v not in held and v not in over for v in variables):
            return None
        inner = reduce("sum", mul(*rest), over)
        read = [i for f in rest if is_access(f) for s in f.args for i in _in_order(s) if i in inner.free]
        own = sorted(dict.fromkeys(read), key=lambda i: (i not in indices, -extent(i).size))
        column = self.define(f"d{name}_col", own, inner)
        return Definition(name, tuple(indices), reduce("sum", mul(*brackets, column), sorted(held)), False)


def _is_sum(t: Term) -> bool:
    return t.op == "red" and t.data == "sum"


def _is_window(a: Term, variables: Sequence[Term]) -> bool:
    """Whether a subscript is affine in a summed index and in another one."""
    for s in a.args:
        inside = [i for i in s.free if str(i.data) != BATCH and affine_in(s, i) is not None]
        if len(inside) > 1 and any(i in variables for i in inside):
            return True
    return False


def _in_order(s: Term) -> Iterator[Term]:
    """The indices of a subscript, those of the larger extents first: positions before taps."""
    yield from sorted(s.free, key=lambda i: (-extent(i).size, str(i.data)))


__all__ = ["Products", "products_of"]
