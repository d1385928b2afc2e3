r"""Closed forms in array notation as laid out mathematics: 2 A^{\top} (A x - b), a \odot b element by element."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from symgrad.algebra.decimals import decimal
from symgrad.closing.arrays.tree import Tree
from symgrad.report.layout import (
    Access,
    Call,
    Cases,
    Fence,
    Fraction,
    Layout,
    Negation,
    Number,
    Power,
    Product,
    Range,
    Relation,
    Root,
    Sign,
    Sum,
    Symbol,
)
from symgrad.report.present import parenthesized

LAYOUT_CONVENTION = (
    "denominator layout: the gradient by X has the shape of X, and its element i, j is the derivative by element i, j "
    "of X; ⊙ multiplies element by element, 1 is a vector of ones"
)
"""How the elements of a gradient in matrix notation are arranged."""

TOP = Sign("top")
_INVERSE = Sum(((True, Number("1")),))


def array_layout(t: Tree) -> Layout:
    """The tree as mathematics: juxtaposed factors are matrix products, an open dot multiplies element by element."""
    return _METHODS[t.kind](t)


def _factor(t: Tree) -> Layout:
    x = array_layout(t)
    return parenthesized(x) if isinstance(x, (Sum, Relation, Negation, Cases)) else x


def _base(t: Tree) -> Layout:
    x = array_layout(t)
    return x if isinstance(x, (Symbol, Access, Number, Fence, Root)) else parenthesized(x)


def _name(t: Tree) -> Layout:
    head, bracket, inside = t.data.partition("[")
    if not bracket:
        return Sign(t.data) if t.data in ("pi", "E", "oo") else Symbol(t.data)
    items = [i.strip() for i in inside.rstrip("]").split(",")]
    return Access(head, tuple(Number(i) if i.isdigit() else Symbol(i) for i in items))


def _number(t: Tree) -> Layout:
    v = t.coefficient
    text = decimal(v)
    return Number(text) if text else Fraction(Number(str(v.numerator)), Number(str(v.denominator)))


def _sum(t: Tree) -> Layout:
    terms: list[tuple[bool, Layout]] = []
    for a, subtracted in zip(t.args, t.signs, strict=True):
        x, negative = array_layout(a), subtracted
        if isinstance(x, Sum) and len(x.terms) == 1:
            negative, x = negative != x.terms[0][0], x.terms[0][1]
        terms.append((negative, parenthesized(x) if isinstance(x, (Sum, Negation, Cases)) else x))
    return Sum(tuple(terms))


def _product(t: Tree) -> Layout:
    scalars: list[Layout] = [_factor(a) for a in t.args if not a.ndim]
    arrays = [a for a in t.args if a.ndim]
    c = t.coefficient
    whole = decimal(c)
    bottom: list[Layout] = []
    if whole is not None and c.denominator != 1:
        scalars.insert(0, Number(whole))
    else:
        if c.numerator != 1 or not t.args:
            scalars.insert(0, Number(str(c.numerator)))
        if c.denominator != 1:
            bottom.append(Number(str(c.denominator)))
    only_divided = bool(t.below or bottom) and not scalars and len(arrays) == 1
    if len(arrays) > 1:
        core: list[Layout] = [Relation("odot", tuple(_factor(a) for a in arrays))]
    else:
        core = [array_layout(a) if only_divided else _factor(a) for a in arrays]
    if scalars and len(arrays) > 1:
        core = [parenthesized(core[0])]
    top = _side_by_side([*scalars, *core])
    bottom += [array_layout(b) if len(t.below) + len(bottom) == 1 else _factor(b) for b in t.below]
    return Fraction(top, _side_by_side(bottom)) if bottom else top


def _side_by_side(factors: list[Layout]) -> Layout:
    flat: list[Layout] = []
    for f in factors:
        flat.extend(f.factors if isinstance(f, Product) else (f,))
    return flat[0] if len(flat) == 1 else Product(tuple(flat))


def _matmul(t: Tree) -> Layout:
    # a vector on the left of a matrix is a row
    row = t.args[0].ndim == 1
    return _side_by_side([Power(_base(a), TOP) if row and k == 0 else _factor(a) for k, a in enumerate(t.args)])


def _transpose(t: Tree) -> Layout:
    inner = t.args[0]
    if inner.kind == "call" and inner.data == "inv":
        return Power(_base(inner.args[0]), Sign("inverse_top"))
    return Power(_base(inner), TOP)


def _power(t: Tree) -> Layout:
    return Power(_base(t.args[0]), array_layout(t.args[1]))


def _relation(t: Tree) -> Layout:
    return Relation(t.data, tuple(array_layout(a) for a in t.args))


def _column(t: Tree) -> Layout:
    return _side_by_side([_factor(t.args[0]), Power(Sign("ones"), TOP)])


def _call(t: Tree) -> Layout:
    special = _CALLS.get(t.data)
    if special is not None:
        return special(t)
    axis = dict(t.options).get("axis", "")
    over: tuple[Range, ...] = ()
    if axis and not (t.data in ("softmax", "log_softmax") and axis == "-1"):
        over = tuple(Range(_axis(a)) for a in re.findall(r"-?\d+|\.\.\.", axis))
    return Call(_WORDS.get(t.data, t.data), tuple(array_layout(a) for a in t.args), over)


def _axis(text: str) -> Layout:
    if text == "...":
        return Sign("...")
    return Sum(((True, Number(text[1:])),)) if text.startswith("-") else Number(text)


def _fence(kind: str) -> Callable[[Tree], Layout]:
    return lambda t: Fence(kind, array_layout(t.args[0]))


def _norm(t: Tree) -> Layout:
    return _plain_call(t) if dict(t.options) else Fence("norm", array_layout(t.args[0]))


def _plain_call(t: Tree) -> Layout:
    axes = re.findall(r"-?\d+", dict(t.options).get("axis", ""))
    return Call(t.data, (array_layout(t.args[0]),), tuple(Range(_axis(a)) for a in axes))


def _where(t: Tree) -> Layout:
    condition, a, b = (array_layout(x) for x in t.args)
    return Cases(((a, condition),), b)


def _logical(operation: str) -> Callable[[Tree], Layout]:
    def joined(t: Tree) -> Layout:
        return Relation(operation, tuple(array_layout(a) for a in t.args))

    return joined


def _log_determinant(t: Tree) -> Layout:
    return Call("log", (Call("det", (array_layout(t.args[0]),)),), bare=True)


_CALLS: Mapping[str, Callable[[Tree], Layout]] = {
    "sqrt": lambda t: Root(array_layout(t.args[0])),
    "Abs": _fence("abs"),
    "norm": _norm,
    "where": _where,
    "And": _logical("and"),
    "Or": _logical("or"),
    "Not": lambda t: Negation(_base(t.args[0])),
    "outer": lambda t: _side_by_side([_factor(t.args[0]), Power(_base(t.args[1]), TOP)]),
    "eye": lambda t: Sign("identity"),
    "inv": lambda t: Power(_base(t.args[0]), _INVERSE),
    "solve": lambda t: _side_by_side([Power(_base(t.args[0]), _INVERSE), _factor(t.args[1])]),
    "logdet": _log_determinant,
}

_WORDS: Mapping[str, str] = {"Sum": "total", "logsumexp": "lse", "amax": "max", "amin": "min", "Product": "times"}

_METHODS: Mapping[str, Callable[[Tree], Layout]] = {
    "name": _name, "number": _number, "sum": _sum, "product": _product, "matmul": _matmul, "transpose": _transpose,
    "power": _power, "call": _call, "relation": _relation, "column": _column,
}  # fmt: skip
