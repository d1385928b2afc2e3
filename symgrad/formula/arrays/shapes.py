"""Shapes of array notation and NumPy's broadcasting of them; sizes are symbolic, so only a written 1 stretches.

[n, d] with [d]    ->    [n, d];    [n, 1] with [d]    ->    [n, d];    [n, d] with [m]    ->    d meets m
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from symgrad.algebra.terms import BATCH, ONE, Term, dim, num
from symgrad.errors import FormulaError
from symgrad.formula.environment import Environment, Tensor
from symgrad.formula.polynomial import same
from symgrad.formula.syntax import Parsed
from symgrad.formula.trees import called, new_axes, operands, option
from symgrad.formula.vocabulary import ARRANGING, KEEPING, MATRIX_FUNCTIONS, REDUCTIONS

Equations = Sequence[tuple[Term, Term]]


@dataclass(frozen=True)
class Shape:
    """Sizes of the axes; `batch`: any number of axes `...` stand before them."""

    sizes: tuple[Term, ...] = ()
    batch: bool = False

    @property
    def rank(self) -> int:
        """Subscripts that an element needs, `...` counting one."""
        return len(self.sizes) + self.batch

    @property
    def lead(self) -> Shape:
        """The axes before the last two, which a matrix product broadcasts."""
        return Shape(self.sizes[:-2], self.batch)

    def shown(self) -> str:
        """The shape as a file writes it."""
        return "[" + ", ".join([BATCH] * self.batch + [str(s) for s in self.sizes]) + "]"

    @staticmethod
    def of(tensor: Tensor) -> Shape:
        """The shape of a tensor."""
        return Shape(tensor.shape, tensor.batch)


SCALAR = Shape()


@dataclass(frozen=True)
class Clash:
    """Two axes that do not fit, as messages name them."""

    left: str
    right: str


def broadcast(a: Shape, b: Shape, equations: Equations) -> Shape | Clash:
    """The shape of a + b, axes aligned from the last."""
    short, long = (a, b) if len(a.sizes) < len(b.sizes) else (b, a)
    extra = len(long.sizes) - len(short.sizes)
    if short.batch and extra:
        met = str(long.sizes[extra - 1])
        return Clash(BATCH, met) if short is a else Clash(met, BATCH)
    sizes = list(long.sizes)
    for k, (x, y) in enumerate(zip(long.sizes[extra:], short.sizes, strict=True), start=extra):
        if x is ONE:
            sizes[k] = y
        elif not (y is ONE or same(x, y, equations)):
            return Clash(str(y), str(x)) if short is a else Clash(str(x), str(y))
    return Shape(tuple(sizes), a.batch or b.batch)


def product(a: Shape, b: Shape, equations: Equations) -> Shape | Clash | str:
    """The shape of a @ b by NumPy's rules; a text says what cannot be multiplied at all."""
    if not a.rank or not b.rank:
        return "@ multiplies arrays, and a scalar has no axes"
    if not a.sizes or not b.sizes or (b.batch and len(b.sizes) == 1) or (a.batch and len(a.sizes) == 1 and b.lead.rank):
        return "@ needs to know how many axes there are, and ... stands for any number of them"
    inner = b.sizes[-2] if len(b.sizes) > 1 else b.sizes[0]
    if not same(a.sizes[-1], inner, equations):
        return Clash(str(a.sizes[-1]), str(inner))
    lead = broadcast(a.lead, b.lead, equations)
    if isinstance(lead, Clash):
        return lead
    row = a.sizes[-2:-1]
    column = b.sizes[-1:] if len(b.sizes) > 1 else ()
    return Shape(lead.sizes + row + column, lead.batch)


class Shapes:
    """The shapes of the nodes of one expression, inferred from the leaves up."""

    def __init__(self, parsed: Parsed, env: Environment) -> None:
        self.parsed, self.env = parsed, env
        self.known: dict[int, Shape] = {}

    def shape(self, n: ast.expr) -> Shape:
        """The shape of a node."""
        found = self.known.get(id(n))
        if found is None:
            found = self.known[id(n)] = self._infer(n)
        return found

    def _infer(self, n: ast.expr) -> Shape:
        if isinstance(n, ast.Name):
            tensor = self.env.tensors.get(n.id)
            return Shape.of(tensor) if tensor is not None else SCALAR
        if isinstance(n, ast.Constant | ast.Subscript):
            return SCALAR if new_axes(n) is None else self.stretched(n)
        if isinstance(n, ast.Attribute):
            return self._transposed(n)
        if isinstance(n, ast.BinOp) and isinstance(n.op, ast.MatMult):
            return self._product(n)
        found = self._called(n, called(n)) if isinstance(n, ast.Call) else None
        return self._elementwise(n) if found is None else found

    def _called(self, n: ast.Call, name: str) -> Shape | None:
        """The shape of a call of a function that knows axes; None for others."""
        if name in REDUCTIONS:
            return self._reduced(n, name)
        if name in MATRIX_FUNCTIONS:
            return self._solution(n) if name == "solve" else self._matrix(n, name)
        return self._arranged(n, name) if name in ARRANGING else None

    def _elementwise(self, n: ast.expr) -> Shape:
        total = SCALAR
        for part in operands(n):
            joined = broadcast(total, self.shape(part), self.env.bounds.equations)
            if isinstance(joined, Clash):
                raise self._unfit(n, part, total, joined)
            total = joined
        return total

    def stretched(self, n: ast.expr) -> Shape:
        """The shape of x[:, None]."""
        assert isinstance(n, ast.Subscript)
        mine = self.shape(n.value)
        items = new_axes(n) or []
        shown = f"{self.parsed.source(n.value)} has shape {mine.shown()}"
        if items.count(":") > len(mine.sizes) or items.count("...") > 1:
            raise self.parsed.error(f"{self.parsed.source(n)} names more axes than there are: {shown}", n)
        if mine.batch and items[0] != "...":
            message = f"{self.parsed.source(n)} would count the batch axes, and ... stands for any number of them"
            raise self.parsed.error(message, n, help=f"begin with ...: {self.parsed.source(n.value)}[..., None]")
        if "..." not in items:
            items = [*items, "..."]
        rest = iter(mine.sizes)
        sizes: list[Term] = []
        for item in items:
            if item == "...":
                sizes += [next(rest) for _ in range(len(mine.sizes) - items.count(":"))]
            else:
                sizes.append(ONE if item == "None" else next(rest))
        return Shape(tuple(sizes), mine.batch)

    def _arranged(self, n: ast.Call, name: str) -> Shape:
        if name == "eye":
            size = self.size(n.args[0])
            return Shape((size, size))
        shapes = [self.shape(a) for a in n.args]
        for a, s in zip(n.args, shapes, strict=True):
            if not s.sizes:
                raise self.parsed.error(f"{name} takes vectors; {self.parsed.source(a)} has shape {s.shown()}", a)
        if name == "diag":
            (s,) = shapes
            if len(s.sizes) == 1:
                return Shape((*s.sizes, *s.sizes), s.batch)
            return Shape(self._matrix(n, "diag").sizes[:-1], s.batch)
        lead = [Shape(s.sizes[:-1], s.batch) for s in shapes]
        joined = broadcast(lead[0], lead[1], self.env.bounds.equations)
        if isinstance(joined, Clash):
            raise self._unfit(n, n.args[1], shapes[0], joined)
        return Shape((*joined.sizes, shapes[0].sizes[-1], shapes[1].sizes[-1]), joined.batch)

    def size(self, n: ast.expr) -> Term:
        """A number of elements: a dimension or an integer."""
        if isinstance(n, ast.Name) and n.id in self.env.dims:
            return dim(n.id)
        if isinstance(n, ast.Constant) and type(n.value) is int and n.value > 0:
            return num(n.value)
        raise self.parsed.error("eye takes a size: a dimension or an integer", n, help="eye(n)")

    def _unfit(self, n: ast.expr, part: ast.expr, before: Shape, clash: Clash) -> FormulaError:
        mine = self.shape(part)
        said = f"{self.parsed.source(part)} has shape {mine.shown()}, which does not fit {before.shown()}"
        message = f"{said}: {clash.right} meets {clash.left}"
        mend = "axes are aligned from the last, and only an axis of size 1 is stretched"
        if BATCH in (clash.left, clash.right):
            mend = "... stands for the leading axes, which axes of other arrays cannot meet; write the indices out"
        return self.parsed.error(message, part, help=mend)

    def _transposed(self, n: ast.Attribute) -> Shape:
        shape = self.shape(n.value)
        if shape.batch:
            message = f".T would reverse the batch axes of {self.parsed.source(n.value)}, {shape.shown()}"
            raise self.parsed.error(message, n, help="transpose(x) exchanges the last two axes")
        return Shape(shape.sizes[::-1])

    def _product(self, n: ast.BinOp) -> Shape:
        a, b = self.shape(n.left), self.shape(n.right)
        equations = self.env.bounds.equations
        found = product(a, b, equations)
        if isinstance(found, Shape):
            return found
        left, right = self.parsed.source(n.left), self.parsed.source(n.right)
        shapes = f"{left} has shape {a.shown()}, {right} has shape {b.shown()}"
        if isinstance(found, str):
            raise self.parsed.error(f"{found} ({shapes})", n, help="write *, or the indices: Sum(a[i, k]*b[k, j], k)")
        message = f"the sizes of {left} @ {right} do not fit: {found.left} meets {found.right} ({shapes})"
        mend = f"the last axis of {left} and the last but one of {right} are summed over: both need the same size"
        turned = isinstance(product(a, Shape(b.sizes[::-1], b.batch), equations), Shape)
        if isinstance(n.right, ast.Name) and len(b.sizes) == 2 and turned:
            mend = f"did you mean {left} @ transpose({right})?" if b.batch else f"did you mean {left} @ {right}.T?"
        raise self.parsed.error(message, n, help=mend)

    def _matrix(self, n: ast.Call, name: str) -> Shape:
        shape = self.shape(n.args[0])
        shown = self.parsed.source(n.args[0])
        if len(shape.sizes) < 2:
            raise self.parsed.error(f"{name} takes a matrix; {shown} has shape {shape.shown()}", n)
        *lead, r, c = shape.sizes
        if name == "transpose":
            return Shape((*lead, c, r), shape.batch)
        if isinstance(broadcast(Shape((r,)), Shape((c,)), self.env.bounds.equations), Clash):
            raise self.parsed.error(f"{name} takes a square matrix; {shown} has shape {shape.shown()}", n.args[0])
        return shape if name in ("inv", "adj", "solve", "diag") else Shape(tuple(lead), shape.batch)

    def _solution(self, n: ast.Call) -> Shape:
        a, b = self._matrix(n, "solve"), self.shape(n.args[1])
        return self.product_shape(n, a, b, self.is_vector(n))

    def is_vector(self, n: ast.Call) -> bool:
        """Whether the right sides of solve(A, b) are vectors: b has one axis, or the shape of A but its last."""
        a, b = self.shape(n.args[0]), self.shape(n.args[1])
        fits = broadcast(Shape(a.sizes[:-1], a.batch), b, self.env.bounds.equations)
        return len(b.sizes) == 1 or (len(b.sizes) == len(a.sizes) - 1 and isinstance(fits, Shape))

    def product_shape(self, n: ast.Call, a: Shape, b: Shape, vector: bool) -> Shape:
        """The shape of inv(A) @ b, whose vectors may have leading axes."""
        whole = Shape((*b.sizes, ONE), b.batch) if vector else b
        found = product(a, whole, self.env.bounds.equations)
        if isinstance(found, Shape):
            return Shape(found.sizes[:-1], found.batch) if vector else found
        shown = [self.parsed.source(x) for x in n.args]
        message = f"{shown[0]} has shape {a.shown()}, {shown[1]} has shape {b.shown()}"
        if isinstance(found, Clash):
            sizes = f"the sizes of solve({shown[0]}, {shown[1]}) do not fit: {found.left} meets {found.right}"
            message = f"{sizes} ({message})"
        else:
            message = f"solve takes a matrix and a vector or a matrix: {message}"
        raise self.parsed.error(message, n, help="solve(A, b) is inv(A) @ b: b has as many rows as A")

    def _reduced(self, n: ast.Call, name: str) -> Shape:
        shape = self.shape(n.args[0])
        over = self.over(n, name, shape)
        if name in KEEPING:
            return shape
        kept = self.keeps(n)
        if kept and shape.batch and 0 in over:
            raise self.parsed.error("keepdims cannot keep the batch axes ...", n, help="say which axis: axis=-1")
        dots = shape.batch and 0 not in over
        sizes = [ONE if k in over else s for k, s in self._numbered(shape) if kept or k not in over]
        return Shape(tuple(sizes), dots)

    @staticmethod
    def _numbered(shape: Shape) -> Iterator[tuple[int, Term]]:
        """Number and size of each axis that is not `...`, which is number 0."""
        return enumerate(shape.sizes, start=int(shape.batch))

    def over(self, n: ast.Call, name: str, shape: Shape) -> list[int]:
        """Numbers of the axes that a reduction runs over, `...` counting one."""
        shown = f"{self.parsed.source(n.args[0])} has shape {shape.shown()}"
        if not shape.rank:
            raise self.parsed.error(f"{name} has nothing to run over: {self.parsed.source(n.args[0])} is a scalar", n)
        value = option(n, "axis")
        if value is None or (isinstance(value, ast.Constant) and value.value is None):
            if name in KEEPING and shape.rank > 1:
                raise self.parsed.error(f"{name} needs an axis: {shown}", n, help=f"write {name}(..., axis=-1)")
            return list(range(shape.rank))
        items = value.elts if isinstance(value, ast.Tuple) else [value]
        found = [self._axis(item, name, shape, shown) for item in items]
        if len(set(found)) < len(found):
            raise self.parsed.error(f"{name} names an axis twice", value)
        if name in KEEPING and any(s is ONE for k, s in self._numbered(shape) if k in found):
            raise self.parsed.error(f"{name} over an axis of size 1 changes nothing: {shown}", n)
        return sorted(found)

    def _axis(self, item: ast.expr, name: str, shape: Shape, shown: str) -> int:
        try:
            k = ast.literal_eval(item)
        except (ValueError, TypeError):
            k = None
        if k is ... and shape.batch:
            return 0
        if type(k) is not int:
            message = f"axis is an integer or a tuple of integers, not {self.parsed.source(item)}"
            raise self.parsed.error(message, item, help=f"write axis=-1 ({shown})")
        if shape.batch and k >= 0:
            message = f"axis={k} would be one of the batch axes, and ... stands for any number of them"
            raise self.parsed.error(message, item, help=f"count from the last axis: axis=-1 ({shown})")
        most = len(shape.sizes)
        if not -most <= k < most:
            raise self.parsed.error(f"{name}: there is no axis {k}", item, help=f"{shown}")
        return k % most + int(shape.batch)

    def keeps(self, n: ast.Call) -> bool:
        """Whether a reduction leaves an axis of size 1 (keepdims=True)."""
        value = option(n, "keepdims")
        if value is None or (isinstance(value, ast.Constant) and isinstance(value.value, bool)):
            return isinstance(value, ast.Constant) and value.value is True
        raise self.parsed.error("keepdims is True or False", value)
