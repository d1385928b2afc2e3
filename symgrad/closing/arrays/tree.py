"""Array notation as a tree: what `2*A.T @ (A @ x - b)` is before it becomes text or mathematics on a page.

Every node prints itself (`text`), and its cost is about the characters that a reader meets.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from symgrad.algebra.decimals import decimal

RELATION, ADD, MUL, POW, ATOM = range(5)

TURNED = 7
"""What a transpose costs beyond its characters: forms with few of them are easier to read."""


@dataclass(frozen=True)
class Tree:
    """A node. `kind`: name number sum product matmul transpose power root call relation; `args` its operands.

    `data`: the name, the function, the sign of a relation. `ndim`: axes of the value, `...` counting one.
    """

    kind: str
    args: tuple[Tree, ...] = ()
    data: str = ""
    ndim: int = 0
    coefficient: Fraction = Fraction(1)
    """Of a product: its number."""
    below: tuple[Tree, ...] = ()
    """Of a product: its denominators."""
    signs: tuple[bool, ...] = ()
    """Of a sum: which summands are subtracted."""
    options: tuple[tuple[str, str], ...] = ()
    """Of a call: keyword arguments."""
    penalty: int = 0
    """What the node is worse by than its text is long."""
    text: str = field(init=False, compare=False)
    level: int = field(init=False, compare=False)
    cost: int = field(init=False, compare=False)

    def __post_init__(self) -> None:
        text, level = _PRINTERS[self.kind](self)
        extra = self.penalty + sum(t.cost - _characters(t.text) for t in self.parts)
        cost = _characters(text) + extra
        for key, value in (("text", text), ("level", level), ("cost", cost)):
            object.__setattr__(self, key, value)

    @property
    def parts(self) -> tuple[Tree, ...]:
        """Operands and denominators."""
        return (*self.args, *self.below)

    @property
    def names(self) -> frozenset[str]:
        """The names in the tree."""
        own = frozenset({self.data.partition("[")[0]}) if self.kind == "name" else frozenset()
        return own.union(*(t.names for t in self.parts))

    def at(self, level: int) -> str:
        """The text, in parentheses where an operand must bind closer."""
        return self.text if self.level >= level else f"({self.text})"


def _characters(text: str) -> int:
    return len(text.replace(" ", ""))


# ---- making ----------------------------------------------------------------------------------------------------------


def name(text: str, ndim: int) -> Tree:
    """A tensor, a dimension, an element: whatever its text says."""
    return Tree("name", data=text, ndim=ndim)


def number(value: Fraction) -> Tree:
    """A number that is not negative."""
    return Tree("number", coefficient=value)


def total(summands: Sequence[Tree], signs: Sequence[bool]) -> Tree:
    """A sum; summands that are sums or mere opposites give theirs: -a - b for -(a + b)."""
    pairs: list[tuple[Tree, bool]] = []
    for t, s in zip(summands, signs, strict=True):
        inner = zip(t.args, t.signs, strict=True) if t.kind == "sum" else [(t, False)]
        pairs += [(a, s != minus) for a, minus in inner]
    pairs.sort(key=lambda p: p[1])
    trees = tuple(t for t, _ in pairs)
    return Tree("sum", trees, ndim=_rank(trees), signs=tuple(s for _, s in pairs))


def product(c: Fraction, above: Sequence[Tree], below: Sequence[Tree]) -> Tree:
    """c * above / below, element by element; matrix products come last."""
    if c == 1 and not below and len(above) == 1:
        return above[0]
    if c == 1 and not above and not below:
        return number(c)
    flat: list[Tree] = []
    for t in above:
        if t.kind == "product" and not t.below:
            c, flat = c * t.coefficient, [*flat, *t.args]
        else:
            flat.append(t)
    flat.sort(key=lambda t: (t.ndim > 0, t.kind == "matmul"))
    return Tree("product", tuple(flat), ndim=_rank((*above, *below)), coefficient=c, below=tuple(below))


def matmul(left: Tree, right: Tree) -> Tree:
    """left @ right; a chain is one node, as the product is associative where a matrix stands inside."""
    items = left.args if left.kind == "matmul" else (left,)
    inner = right.args[0] if right.kind == "matmul" else right
    items += right.args if right.kind == "matmul" and inner.ndim > 1 else (right,)
    ndim = max(left.ndim, right.ndim, 2) - (left.ndim == 1) - (right.ndim == 1)
    return Tree("matmul", items, ndim=ndim)


def transpose(t: Tree, batched: bool = False) -> Tree:
    """The transpose; of a product of matrices it turns their order around."""
    if t.kind == "transpose":
        return t.args[0]
    arrays = [a for a in t.args if a.ndim]
    if t.kind == "sum" and len(t.args) == 1:
        return total([transpose(t.args[0], batched)], t.signs)
    if t.kind == "product" and len(arrays) == 1 and not any(b.ndim for b in t.below):
        scalars = [a for a in t.args if not a.ndim]
        return product(t.coefficient, [*scalars, transpose(arrays[0], batched)], t.below)
    return Tree("transpose", (t,), ndim=t.ndim, data="transpose" if batched else "T", penalty=TURNED)


def column(t: Tree, shape: str) -> Tree:
    """The array with new axes of size 1: v[:, None]."""
    return Tree("column", (t,), ndim=shape.count(",") + 1, data=shape, penalty=-3)


def call(function: str, args: Sequence[Tree], ndim: int, **options: str) -> Tree:
    """A function of its arguments."""
    # long, and yet easy to read
    penalty = -8 if "keepdims" in options else -6 if function == "outer" else 0
    return Tree("call", tuple(args), function, ndim, options=tuple(options.items()), penalty=penalty)


def relation(sign: str, left: Tree, right: Tree) -> Tree:
    """left < right and the like."""
    return Tree("relation", (left, right), sign, _rank((left, right)))


def power(base: Tree, exponent: Tree) -> Tree:
    """base**exponent."""
    return Tree("power", (base, exponent), ndim=_rank((base, exponent)))


def _rank(items: Sequence[Tree]) -> int:
    return max((t.ndim for t in items), default=0)


# ---- text ------------------------------------------------------------------------------------------------------------


def _name(t: Tree) -> tuple[str, int]:
    return t.data, ATOM


def _number(t: Tree) -> tuple[str, int]:
    v = t.coefficient
    text = decimal(v)
    return (text, ATOM) if text else (f"{v.numerator}/{v.denominator}", MUL)


def _sum(t: Tree) -> tuple[str, int]:
    out = ""
    for a, negative in zip(t.args, t.signs, strict=True):
        text = a.at(MUL) if negative or out else a.at(ADD)
        out += (" - " if out else "-") + text if negative else (" + " if out else "") + text
    return out, ADD


def _product(t: Tree) -> tuple[str, int]:
    top, bottom = _numbers(t)
    arrays = [a for a in t.args if a.ndim]
    for a in t.args:
        # a scalar before a matrix product multiplies its first factor, which is the same
        bare = a.kind == "matmul" and (arrays == [a] or len(t.args) == 1)
        top.append(a.text if bare else a.at(MUL + 1 if a.kind in ("matmul", "product") or top else MUL))
    bottom += [a.at(POW) for a in t.below]
    text = "*".join(top or ["1"])
    if not bottom:
        return text, MUL
    return text + ("/" + bottom[0] if len(bottom) == 1 else "/(" + "*".join(bottom) + ")"), MUL


def _numbers(t: Tree) -> tuple[list[str], list[str]]:
    c = t.coefficient
    whole = decimal(c)
    if whole is not None and c.denominator != 1:
        return [whole], []
    return [str(c.numerator)] if c.numerator != 1 else [], [str(c.denominator)] if c.denominator != 1 else []


def _matmul(t: Tree) -> tuple[str, int]:
    return " @ ".join(a.at(POW) for a in t.args), MUL


def _transpose(t: Tree) -> tuple[str, int]:
    a = t.args[0]
    return (f"transpose({a.text})" if t.data == "transpose" else f"{a.at(ATOM)}.T"), ATOM


def _column(t: Tree) -> tuple[str, int]:
    return f"{t.args[0].at(ATOM)}[{t.data}]", ATOM


def _power(t: Tree) -> tuple[str, int]:
    base, exponent = t.args
    return f"{base.at(ATOM)}**{exponent.at(ATOM)}", POW


def _call(t: Tree) -> tuple[str, int]:
    inside = ", ".join([*(a.text for a in t.args), *(f"{k}={v}" for k, v in t.options)])
    return f"{t.data}({inside})", ATOM


def _relation(t: Tree) -> tuple[str, int]:
    left, right = (a.at(ADD) for a in t.args)
    return f"{left} {t.data} {right}", RELATION


_PRINTERS: dict[str, Callable[[Tree], tuple[str, int]]] = {
    "name": _name, "number": _number, "sum": _sum, "product": _product, "matmul": _matmul, "transpose": _transpose,
    "column": _column, "power": _power, "call": _call, "relation": _relation,
}  # fmt: skip
