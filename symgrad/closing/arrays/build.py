"""Terms of the index algebra in array notation: Sum(W[j, k]*dy[i, j], j) with axes i, k is dy @ W.

`element(t, order)` is asked for an array whose axes, aligned from the last as NumPy does, are those of `order`; where
the term does not depend on an index its axis is missing in front or has size 1. The shortest way is taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction

from symgrad.algebra.build import Fresh, conjunction, mul, neg, open_reduction, power
from symgrad.algebra.show import INTERNAL, order_terms, show, softmax_parts, split_fraction
from symgrad.algebra.terms import (
    HALF,
    MATRIX_VALUED,
    ONE,
    Term,
    coefficient,
    extent,
    get,
    idx,
    is_num,
    lead_of,
    matrix_of,
    node,
    terms_of,
    value,
)
from symgrad.closing.arrays import sums
from symgrad.closing.arrays.axes import Order, aligned, axis_text, is_batch, places_of, turned_order, variants_of
from symgrad.closing.arrays.tree import TURNED as TURN_COST
from symgrad.closing.arrays.tree import Tree, call, column, name, number, product, relation, total, transpose
from symgrad.closing.arrays.tree import power as raised

MOST_PARTS = 600
"""Nodes of a term beyond which nobody wants to read it as one expression."""

MOST_AXES = 3
"""Axes beyond which new ones are no longer put in: nobody reads x[..., :, None, :]."""

MOST_RANK = 4
"""Axes of an array in a form that people read."""

MOST_QUESTIONS = 1500
"""Terms with orders of axes that are looked at before the search is given up."""

_REDUCTIONS: Mapping[str, str] = {
    "sum": "Sum", "prod": "Product", "max": "amax", "min": "amin", "max_first": "amax", "min_first": "amin",
    "lse": "logsumexp", "norm": "norm", "argmax": "argmax",
}  # fmt: skip
TURNED = frozenset(("mul", "add", "pow", "where", "fn"))
"""Operations that may be done in the other order of two axes."""

_RELATIONS = {"<": ">", "<=": ">=", "==": "==", "!=": "!="}


class Builder:
    """`shapes`: tensor -> extents of its axes, `...` as one of them.

    `wide`: outer, diag and eye may be used, which SPEC's language had not from the beginning.
    """

    def __init__(self, shapes: Mapping[str, tuple[Term, ...]], wide: bool) -> None:
        self.shapes, self.wide = shapes, wide
        self.most = MOST_QUESTIONS
        self.inline: dict[str, Tree] = {}
        """Arguments of matrix functions that are written out."""
        self.fresh = Fresh()
        self.memo: dict[tuple[Term, Order], Tree | None] = {}
        self.opened: dict[Term, tuple[Term, list[Term]]] = {}

    def ask(self, t: Term, order: Order) -> Tree | None:
        """The element, with a fresh allowance of questions."""
        self.most = len(self.memo) + MOST_QUESTIONS
        return self.element(t, order)

    def element(self, t: Term, order: Order) -> Tree | None:
        """The term as an array over `order`, as it stands or turned; None where array notation cannot say it."""
        own = self.direct(t, order)
        if own is None and self.wide and (narrow := self.columns(t, order)) is not None:
            own = narrow
        turned = turned_order(order)
        may_turn = t.op in TURNED or (t.op == "red" and own is None)  # a product of matrices has its own ways
        if turned is None or not may_turn or not set(order) <= t.free:
            return own
        other = self.direct(t, turned)
        if other is None or (own is not None and own.cost <= other.cost + 2 + TURN_COST):
            return own
        return transpose(other, is_batch(order[0]))

    def columns(self, t: Term, order: Order) -> Tree | None:
        """The term over its own axes alone, with new axes of size 1 where the order has others between: v[:, None]."""
        mine = tuple(i for i in order if i in t.free)
        if not mine or len(order) > MOST_AXES or not t.free <= set(order):
            return None
        first = order.index(mine[0])
        whole = order[first:]
        if whole == mine or (len(mine) > 1 and is_batch(mine[-1])):
            return None
        inner = self.element(t, mine)
        if inner is None or inner.ndim != len(mine):
            return None
        items = ["..." if is_batch(i) else ":" if i in mine else "None" for i in whole]
        return column(inner, ", ".join(items))

    def direct(self, t: Term, order: Order) -> Tree | None:
        """The term over `order`, its outermost operation done in this order of the axes."""
        key = (t, order)
        if key not in self.memo:
            if len(self.memo) > self.most or len(order) > MOST_RANK or any(map(is_batch, order[1:])):
                return None
            self.memo[key] = None  # a way that comes back to itself is none
            method = getattr(self, "_" + t.op, None)
            ways = method(t, order) if method is not None else ()
            self.memo[key] = min(ways, key=lambda x: x.cost, default=None)
        return self.memo[key]

    def elements(self, items: Iterable[Term], order: Order) -> list[Tree] | None:
        """All of the terms, or None."""
        found = [self.element(t, order) for t in items]
        return None if None in found else [t for t in found if t is not None]

    # ---- leaves ------------------------------------------------------------------------------------------------------

    def _num(self, t: Term, order: Order) -> Iterator[Tree]:
        v = value(t)
        yield number(v) if v >= 0 else total([number(-v)], [True])

    def _const(self, t: Term, order: Order) -> Iterator[Tree]:
        text = str(t.data)
        yield number(Fraction(text)) if text[0].isdigit() else name(text, 0)

    def _par(self, t: Term, order: Order) -> Iterator[Tree]:
        yield name(str(t.data), 0)

    def _dim(self, t: Term, order: Order) -> Iterator[Tree]:
        if not is_batch(t):
            yield name(str(t.data), 0)

    def _get(self, t: Term, order: Order) -> Iterator[Tree]:
        if not t.free:
            if all(s.op in ("num", "dim", "par", "add", "mul") for s in t.args):
                yield name(show(t), 0)
            return
        axes = self.axes_of(t)
        if axes is None:
            return
        whole = name(str(t.data), len(axes))
        for tree, have in variants_of(whole, axes):
            if aligned(have, order):
                yield tree
            elif None in have and (rest := tuple(i for i in have if i is not None)) and aligned(rest, order):
                over = [k for k, i in enumerate(have) if i is None]
                if not is_batch(rest[0]):
                    yield call("Sum", [tree], len(rest), axis=axis_text(over, len(have), False))

    _get0 = _get

    def _mat(self, t: Term, order: Order) -> Iterator[Tree]:
        function, tensor = matrix_of(t)
        lead = lead_of(t)
        whole = (*lead, *t.args[len(lead) : -1])
        axes = self.axes_of(get(tensor, (*lead, *(self.fresh.index(idx("_", t.args[-1])) for _ in range(2)))))
        if axes is None or len(set(whole)) < len(whole) or any(s.op != "idx" for s in whole):
            return
        matrix = self.matrix(tensor, len(lead) + 2)
        valued = function in MATRIX_VALUED
        if valued and any(extent(s) is not t.args[-1] for s in whole[-2:]):
            return
        det = call("det", [matrix], len(lead))
        if function == "logabsdet":
            own = call("log", [call("Abs", [det], len(lead))], len(lead))
        else:
            own = call("inv" if function == "adj" else function, [matrix], len(whole))
        for tree, have in variants_of(own, whole):
            if aligned(have, order) and (function != "adj" or not lead):
                yield product(Fraction(1), [det, tree], []) if function == "adj" else tree

    def matrix(self, tensor: str, ndim: int) -> Tree:
        """The argument of a matrix function: its name, or what it stands for where symgrad gave it the name."""
        return self.inline.get(tensor) or name(tensor, ndim)

    def axes_of(self, t: Term) -> tuple[Term | None, ...] | None:
        """The index of each axis of an access, None for an axis of size 1 that is read at 0."""
        shape = self.shapes.get(str(t.data))
        if shape is None or len(shape) != len(t.args):
            return None
        axes: list[Term | None] = []
        for s, size in zip(t.args, shape, strict=True):
            if s.op == "idx" and s.args[0] is size and s not in axes:
                axes.append(s)
            elif size is ONE and is_num(s):
                axes.append(None)
            else:
                return None
        return tuple(axes)

    # ---- element by element ------------------------------------------------------------------------------------------

    def _add(self, t: Term, order: Order) -> Iterator[Tree]:
        found = softmax_parts(t)
        if found is not None:
            e, j, rest = found
            own = self.along("log_softmax", e, j, order)
            if own is not None:
                if is_num(rest) and not value(rest):
                    yield own
                    return
                more = self.summands(rest, order)
                if more is not None:
                    yield total([own, *more[0]], [False, *more[1]])
        parts = self.summands(t, order)
        if parts is not None:
            yield total(*parts)

    def summands(self, t: Term, order: Order) -> tuple[list[Tree], list[bool]] | None:
        """Summands without their signs, and the signs."""
        ordered = order_terms(terms_of(t))
        signs = [coefficient(a)[0] < 0 for a in ordered]
        trees = self.elements([neg(a) if s else a for a, s in zip(ordered, signs, strict=True)], order)
        if trees is None:
            return None
        # A + A.T
        pairs = sorted(zip(signs, trees, strict=True), key=lambda p: (p[0], p[1].kind == "transpose"))
        return [t for _, t in pairs], [s for s, _ in pairs]

    def _mul(self, t: Term, order: Order) -> Iterator[Tree]:
        if coefficient(t)[0] < 0:
            inner = self.element(neg(t), order)
            if inner is not None:
                yield total([inner], [True])
            return
        conditions = [f for f in t.args if f.op == "iv"]
        if conditions:
            yield from self.masked(t, conditions, order)
            return
        c, above, below = split_fraction(t)
        yield from self.quotient(c, above, below, order)

    def quotient(self, c: Fraction, above: Sequence[Term], below: Sequence[Term], order: Order) -> Iterator[Tree]:
        """c * above / below, each factor broadcast to the order; or an outer product."""
        top, bottom = self.elements(above, order), self.elements(below, order)
        if top is not None and bottom is not None:
            yield product(c, top, bottom)
        if self.wide:
            yield from sums.outer(self, c, above, below, order)

    def masked(self, t: Term, conditions: Sequence[Term], order: Order) -> Iterator[Tree]:
        """[c]*a is where(c, a, 0); numbers and dimensions may stand before it."""
        outside = [f for f in t.args if f.op in ("num", "dim") or (f.op == "pow" and f.args[0].op == "dim")]
        inside = [f for f in t.args if f.op != "iv" and f not in outside]
        if self.wide:
            yield from sums.diagonal(self, conditions, mul(*outside, *inside), order)
        c, above, below = split_fraction(mul(*outside))
        condition = self.element(conjunction(*(f.args[0] for f in conditions)), order)
        body = self.element(mul(*inside), order)
        if condition is None or body is None:
            return
        mask = call("where", [condition, body, number(Fraction(0))], max(condition.ndim, body.ndim))
        top, bottom = self.elements(above, ()), self.elements(below, ())
        if top is not None and bottom is not None:
            yield product(c, [*top, mask], bottom)

    def _iv(self, t: Term, order: Order) -> Iterator[Tree]:
        yield from self.masked(node_product(t), [t], order)

    def _pow(self, t: Term, order: Order) -> Iterator[Tree]:
        b, e = t.args
        c, symbol = coefficient(e)
        if c < 0 and symbol is ONE:
            bottom = self.element(power(b, neg(e)), order)
            if bottom is not None:
                yield product(Fraction(1), [], [bottom])
            return
        base = self.element(b, order)
        if base is None:
            return
        if e is HALF:
            yield call("sqrt", [base], base.ndim)
            return
        exponent = self.element(e, order)
        if exponent is not None:
            yield raised(base, exponent)

    def _fn(self, t: Term, order: Order) -> Iterator[Tree]:
        function = str(t.data)
        if function == "exp" and (found := softmax_parts(t.args[0])) is not None:
            e, j, rest = found
            own = self.along("softmax", e, j, order)
            if own is not None and is_num(rest) and not value(rest):
                yield own
                return
            more = self.element(rest, order)
            if own is not None and more is not None:
                yield product(Fraction(1), [own, call("exp", [more], more.ndim)], [])
        if function in INTERNAL:
            inner = self.element(INTERNAL[function](*t.args), order)
            if inner is not None:
                yield inner
            return
        if function in ("floordiv", "mod"):
            return
        args = self.elements(t.args, order)
        if args is not None:
            yield call(function, args, max(a.ndim for a in args))

    def along(self, function: str, e: Term, j: Term, order: Order) -> Tree | None:
        """softmax(e, axis=...) where j is an axis."""
        if j not in order or is_batch(j):
            return None
        inner = self.element(e, order)
        # NumPy counts axes from the last: a missing leading axis does not move them
        place = len(order) - 1 - order.index(j)
        if inner is None or inner.ndim <= place:
            return None
        first = place and inner.ndim == place + 1 and not is_batch(order[0])
        return call(function, [inner], inner.ndim, axis="0" if first else str(-1 - place))

    def _cmp(self, t: Term, order: Order) -> Iterator[Tree]:
        a, b = t.args
        sign = str(t.data)
        if is_num(a):
            a, b, sign = b, a, _RELATIONS[sign]
        sides = self.elements((a, b), order)
        if sides is not None:
            yield relation(sign, *sides)

    def _logical(self, t: Term, order: Order) -> Iterator[Tree]:
        args = self.elements(t.args, order)
        if args is not None:
            yield call({"and": "And", "or": "Or", "not": "Not"}[t.op], args, max(a.ndim for a in args))

    _and = _or = _not = _logical

    def _where(self, t: Term, order: Order) -> Iterator[Tree]:
        args = self.elements(t.args, order)
        if args is not None:
            yield call("where", args, max(a.ndim for a in args))

    # ---- reductions --------------------------------------------------------------------------------------------------

    def _red(self, t: Term, order: Order) -> Iterator[Tree]:
        body, over = self.open(t)
        kind = str(t.data)
        if kind == "sum":
            yield from sums.contractions(self, body, over, order)
        yield from self.reduced(_REDUCTIONS[kind], body, over, order, kind.endswith("_first"))

    def open(self, t: Term) -> tuple[Term, list[Term]]:
        """Body and indices of a reduction, the same each time."""
        if t not in self.opened:
            self.opened[t] = open_reduction(t, self.fresh)
        return self.opened[t]

    def reduced(self, function: str, body: Term, over: Sequence[Term], order: Order, first: bool) -> Iterator[Tree]:
        """Sum(body, axis=...): the axes that are summed stand where the result has a gap, or at either end."""
        for inner, axes, keep, outside in places_of(body, over, order):
            tree = self.element(body, inner)
            if tree is None or tree.ndim != len(inner):
                continue
            options: dict[str, str] = {}
            batched = is_batch(inner[0])
            if len(axes) < len(inner):
                if batched and 0 in axes and not self.wide:
                    continue
                options["axis"] = axis_text(axes, len(inner), batched)
            if keep:
                options["keepdims"] = "True"
            if first:
                options["ties"] = "first"
            own = call(function, [tree], len(inner) if keep else len(inner) - len(axes), **options)
            if not outside:
                yield own
            elif function == "Sum" and not batched:
                yield call("Sum", [own], own.ndim - outside, axis=axis_text(range(outside), own.ndim, False))


def node_product(t: Term) -> Term:
    """The term as a product of one factor."""
    return node("mul", (t,))
