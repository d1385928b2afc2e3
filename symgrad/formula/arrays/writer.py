"""Array notation -> index notation: the same syntax tree with its subscripts written out.

x @ W.T + b    ->    Sum(x[i, k]*W[j, k], k) + b[j]

Shapes are inferred from the leaves up, then every node is asked for its element at given subscripts, from the root
down. The new nodes keep the places of the old ones, so that later errors point to what the user wrote.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence

from symgrad.algebra.terms import MATRIX_VALUED, ONE, Term
from symgrad.errors import UnsupportedError
from symgrad.formula.arrays.shapes import Shape, Shapes
from symgrad.formula.environment import Environment
from symgrad.formula.grammar import is_batch
from symgrad.formula.matrices import untransposed
from symgrad.formula.syntax import Parsed
from symgrad.formula.trees import called, new_axes, operands, placed, rebuilt, reduction
from symgrad.formula.vocabulary import ARRANGING, KEEPING, OF_MATRICES, REDUCTIONS

Sub = ast.expr


class Writer:
    """Writes the subscripts of one expression; `sizes` holds the extents of the indices that it made up."""

    def __init__(self, parsed: Parsed, env: Environment) -> None:
        self.parsed, self.env = parsed, env
        self.sizes: dict[str, Term] = {}
        self.shapes = Shapes(parsed, env)
        self.shape = self.shapes.shape
        self.written = {n.id for n in ast.walk(parsed.root) if isinstance(n, ast.Name)}

    def fresh(self, size: Term) -> str:
        """A readable name for an index of this extent."""
        name = self.env.index_name(size, {*self.written, *self.sizes})
        self.sizes[name] = size
        return name

    def axes(self, shape: Shape, at: ast.AST) -> list[Sub]:
        """New indices for all axes of a shape."""
        dots: list[Sub] = [placed(ast.Constant(...), at)] if shape.batch else []
        return dots + [placed(ast.Name(self.fresh(s), ast.Load()), at) for s in shape.sizes]

    # ---- elements ----------------------------------------------------------------------------------------------------

    def element(self, n: ast.expr, subs: Sequence[Sub]) -> ast.expr:
        """The element of a node at subscripts, one for each of its axes."""
        if isinstance(n, ast.Name):
            index: ast.expr = ast.Tuple(list(subs), ast.Load()) if len(subs) > 1 else subs[0] if subs else n
            return placed(ast.Subscript(n, index, ast.Load()), n) if subs else n
        if isinstance(n, ast.Subscript) and new_axes(n) is not None:
            return self.element(n.value, self.old_axes(n, subs))
        if isinstance(n, ast.Constant | ast.Subscript):
            return n
        if isinstance(n, ast.Attribute):
            return self.element(n.value, subs[::-1])
        if isinstance(n, ast.BinOp) and isinstance(n.op, ast.MatMult):
            return self.contraction(n, subs)
        found = self.called(n, called(n), subs) if isinstance(n, ast.Call) else None
        if found is not None:
            return found
        whole = self.shape(n)
        return rebuilt(n, [self.element(part, self.fitted(part, whole, subs)) for part in operands(n)])

    def called(self, n: ast.Call, name: str, subs: Sequence[Sub]) -> ast.expr | None:
        """The element of a call of a function that knows axes; None for others."""
        if name in REDUCTIONS:
            return self.reduction(n, name, subs)
        if name == "transpose":
            return self.element(n.args[0], [*subs[:-2], subs[-1], subs[-2]])
        if name == "trace":
            return self.diagonal(n, subs)
        if name in OF_MATRICES:
            return self.of_matrix(n, name, subs)
        if name == "solve":
            return self.solution(n, subs)
        return self.arranged(n, name, subs) if name in ARRANGING else None

    def old_axes(self, n: ast.Subscript, subs: Sequence[Sub]) -> list[Sub]:
        """The subscripts of x in x[:, None]: those of its own axes."""
        mine = self.shape(n.value)
        items = new_axes(n) or []
        at = items.index("...") if "..." in items else len(items)
        rest = len(mine.sizes) + mine.batch - items.count(":")
        whole = [*items[:at], *["..."] * rest, *items[at + 1 :]]
        return [s for s, item in zip(subs, whole, strict=True) if item != "None"]

    def arranged(self, n: ast.Call, name: str, subs: Sequence[Sub]) -> ast.expr:
        """outer(a, b) is a[i]*b[j]; diag(v) is where(i == j, v[i], 0); eye(n) is where(i == j, 1, 0)."""
        if name == "outer":
            *lead, i, j = subs
            whole = Shape(self.shape(n).sizes[:-2], self.shape(n).batch)
            parts = []
            for a, k in zip(n.args, (i, j), strict=True):
                mine = self.shape(a)
                own = fitted(Shape(mine.sizes[:-1], mine.batch), whole, lead, a)
                parts.append(self.element(a, [*own, k]))
            return placed(ast.BinOp(parts[0], ast.Mult(), parts[1]), n)
        if name == "diag" and len(self.shape(n.args[0]).sizes) > 1:
            return self.element(n.args[0], [*subs, subs[-1]])
        value = placed(ast.Constant(1), n) if name == "eye" else self.element(n.args[0], subs[:-1])
        equal = placed(ast.Compare(subs[-2], [ast.Eq()], [subs[-1]]), n)
        parts = [equal, value, placed(ast.Constant(0), n)]
        return placed(ast.Call(ast.Name("where", ast.Load()), parts, []), n)

    def fitted(self, n: ast.expr, whole: Shape, subs: Sequence[Sub]) -> list[Sub]:
        """The subscripts of an operand in the broadcast whole."""
        return fitted(self.shape(n), whole, subs, n)

    def contraction(self, n: ast.BinOp, subs: Sequence[Sub]) -> ast.expr:
        """a @ b at subscripts: the sum over the axis that both have."""
        a, b = self.shape(n.left), self.shape(n.right)
        k = placed(ast.Name(self.fresh(a.sizes[-1]), ast.Load()), n)
        row, column = len(a.sizes) > 1, len(b.sizes) > 1
        lead = list(subs[: len(subs) - row - column])
        whole = Shape(self.shape(n).sizes[: len(lead) - self.shape(n).batch], self.shape(n).batch)
        ends = list(subs[len(lead) :])
        left = [*fitted(a.lead, whole, lead, n), *ends[:row], k]
        right = [*fitted(b.lead, whole, lead, n), k, *ends[int(row) :]]
        both = ast.BinOp(self.element(n.left, left), ast.Mult(), self.element(n.right, right))
        return reduction("Sum", placed(both, n), [k], n)

    def of_matrix(self, n: ast.Call, name: str, subs: Sequence[Sub]) -> ast.expr:
        """inv(A)[i, j] or det(A); what is transposed has its subscripts exchanged."""
        matrix, turned = untransposed(n.args[0])
        call = placed(ast.Call(placed(ast.Name(name, ast.Load()), n), [matrix], []), n)
        items = [*subs[:-2], subs[-1], subs[-2]] if turned and name in MATRIX_VALUED else list(subs)
        index: ast.expr = ast.Tuple(items, ast.Load()) if len(items) != 1 else items[0]
        return placed(ast.Subscript(call, index, ast.Load()), n) if items else call

    def solution(self, n: ast.Call, subs: Sequence[Sub]) -> ast.expr:
        """solve(A, b) at subscripts: Sum(inv(A)[i, k]*b[k], k)."""
        a, b = self.shape(n.args[0]), self.shape(n.args[1])
        vector = self.shapes.is_vector(n)
        ends = 1 if vector else 2
        lead, last = list(subs[: len(subs) - ends]), list(subs[len(subs) - ends :])
        mine = Shape(b.sizes[:-ends], b.batch)
        whole = self.shape(n)
        whole = Shape(whole.sizes[:-ends], whole.batch)
        k = placed(ast.Name(self.fresh(a.sizes[-1]), ast.Load()), n)
        inverse = self.of_matrix(n, "inv", [*fitted(a.lead, whole, lead, n), last[0], k])
        right = self.element(n.args[1], [*fitted(mine, whole, lead, n), k, *last[1:]])
        return reduction("Sum", placed(ast.BinOp(inverse, ast.Mult(), right), n), [k], n)

    def reduction(self, n: ast.Call, name: str, subs: Sequence[Sub]) -> ast.expr:
        """Sum(x, axis=1) at subscripts: the reduction over new indices for the axes that it runs over."""
        body = n.args[0]
        shape = self.shape(body)
        over = self.shapes.over(n, name, shape)
        if name in KEEPING:
            inner = list(subs)
        else:
            kept = self.shapes.keeps(n)
            rest = iter([s for k, s in enumerate(subs) if not (kept and k in over)])
            new = self.axes(shape, n)
            inner = [new[k] if k in over else next(rest) for k in range(shape.rank)]
        indices = [inner[k] for k in over]
        if any(not (isinstance(i, ast.Name) or is_batch(i)) for i in indices):
            message = f"{name} cannot be read at {', '.join(map(ast.unparse, indices))}: it runs over that axis"
            raise self.parsed.error(message, n, help="give it a name under let", kind=UnsupportedError)
        ties = [k for k in n.keywords if k.arg == "ties"]
        return reduction(name, self.element(body, inner), indices, n, ties)

    def diagonal(self, n: ast.Call, subs: Sequence[Sub]) -> ast.expr:
        """trace(A): the sum of A[i, i]; a softmax inside needs two indices, as it binds one of them."""
        body = n.args[0]
        size = self.shape(body).sizes[-1]
        i = placed(ast.Name(self.fresh(size), ast.Load()), n)
        if not any(called(c) in KEEPING for c in ast.walk(body)):
            return reduction("Sum", self.element(body, [*subs, i, i]), [i], n)
        j = placed(ast.Name(self.fresh(size), ast.Load()), n)
        equal = placed(ast.Compare(i, [ast.Eq()], [j]), n)
        parts = [equal, self.element(body, [*subs, i, j]), placed(ast.Constant(0), n)]
        return reduction("Sum", placed(ast.Call(ast.Name("where", ast.Load()), parts, []), n), [i, j], n)


def fitted(mine: Shape, whole: Shape, subs: Sequence[Sub], at: ast.AST) -> list[Sub]:
    """The subscripts of an array in a whole that it is broadcast to: the last ones, 0 where its axis is stretched."""
    dots = [s for s in subs[:1] if mine.batch]
    count = len(mine.sizes)
    if not count:
        return dots
    pairs = zip(mine.sizes, whole.sizes[-count:], subs[-count:], strict=True)
    return dots + [placed(ast.Constant(0), at) if m is ONE and w is not ONE else s for m, w, s in pairs]
