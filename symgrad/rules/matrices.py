"""Laws of inverses and determinants."""

from __future__ import annotations

from symgrad.algebra.build import compare, iverson, mul, neg, open_reduction, power, reduce
from symgrad.algebra.terms import (
    BATCH,
    MINUS_ONE,
    Term,
    base_exponent,
    extent,
    factors_of,
    get,
    idx,
    is_num,
    lead_of,
    mat,
    matrix_of,
    node,
    num,
    value,
)
from symgrad.rewrite.context import Context
from symgrad.rewrite.rule import Example, Rule

SQUARE = "{X: [n, n], Y: [n, n], x: [n, c]}"


def _is(t: Term, function: str) -> bool:
    return t.op == "mat" and matrix_of(t)[0] == function


def determinant_of(t: Term) -> Term:
    """det(A) for a function of the matrix A."""
    return mat("det", matrix_of(t)[1], lead_of(t), t.args[-1])


def _as(function: str, t: Term) -> Term:
    """Another function of the same matrix, at the same subscripts."""
    return node("mat", t.args, (function, matrix_of(t)[1]))


def _adjugate(t: Term, context: Context) -> Term | None:
    """det(A)**k inv(A)[i, j] = det(A)**(k - 1) adj(A)[i, j] for k >= 1, also inside of a sum."""
    if t.op != "mul":
        return None
    for f in t.args:
        b, e = base_exponent(f)
        if not (_is(b, "det") and is_num(e) and value(e) >= 1):
            continue
        for g in t.args:
            new = _with_adjugate(g, b, context) if g is not f else None
            if new is not None:
                others = (h for h in t.args if h is not f and h is not g)
                return mul(power(b, num(value(e) - 1)), new, *others)
    return None


def _with_adjugate(t: Term, det: Term, context: Context) -> Term | None:
    """The factor times det, where an inverse of the same matrix is a factor of it."""
    if _is(t, "inv") and determinant_of(t) is det:
        return _as("adj", t)
    if t.op != "red" or t.data != "sum" or det.free & frozenset(t.args[1:]):
        return None
    body, variables = open_reduction(t, context.fresh)
    for f in factors_of(body):
        new = _with_adjugate(f, det, context)
        if new is not None:
            return reduce("sum", mul(new, *(g for g in factors_of(body) if g is not f)), variables)
    return None


def _no_adjugate(t: Term, context: Context) -> Term | None:
    """adj(A)[i, j] = det(A) inv(A)[i, j], as people write it."""
    return mul(determinant_of(t), _as("inv", t)) if _is(t, "adj") else None


def _cancel(t: Term, context: Context) -> Term | None:
    """sum_k inv(A)[i, k] A[k, j] = [i == j], on either side."""
    if t.op != "red" or t.data != "sum" or not any(_is(f, "inv") for f in factors_of(t.args[0])):
        return None
    body, variables = open_reduction(t, context.fresh)
    factors = factors_of(body)
    for f in factors:
        for g in factors if _is(f, "inv") else ():
            for k in variables:
                rest = mul(*(h for h in factors if h is not f and h is not g))
                delta = _identity(f, g, k) if k not in rest.free else None
                if delta is not None:
                    return reduce("sum", mul(delta, rest), [v for v in variables if v is not k])
    return None


def _identity(inverse: Term, access: Term, k: Term) -> Term | None:
    """[i == j] where inv(A)[i, k] meets A[k, j], or inv(A)[k, j] meets A[i, k]."""
    tensor, lead = matrix_of(inverse)[1], lead_of(inverse)
    if access.op != "get" or access.data != tensor or access.args[:-2] != lead or any(k in a.free for a in lead):
        return None
    (i, j), (p, q) = inverse.args[-3:-1], access.args[-2:]
    if j is k and p is k and k not in i.free | q.free:
        return iverson(compare("==", i, q))
    if i is k and q is k and k not in j.free | p.free:
        return iverson(compare("==", p, j))
    return None


def _of_inverse(t: Term, context: Context) -> Term | None:
    """inv(inv(A)) = A, det(inv(A)) = 1/det(A), logdet(inv(A)) = -logdet(A), through a name."""
    if t.op != "mat" or matrix_of(t)[0] == "adj":
        return None
    function, name = matrix_of(t)
    s = context.definitions.get(name)
    if s is None or not _is(s.body, "inv") or len(s.indices) != len(lead_of(t)) + 2:
        return None
    tensor, lead = matrix_of(s.body)[1], lead_of(s.body)
    if lead != s.indices[:-2] or frozenset(s.body.args[-3:-1]) != frozenset(s.indices[-2:]):
        return None
    if function == "inv":
        i, j = t.args[-3:-1]
        turned = s.body.args[-3] is not s.indices[-2]
        return get(tensor, (*lead_of(t), *((j, i) if turned else (i, j))))
    inner = mat(function, tensor, lead_of(t), t.args[-1])
    return power(inner, MINUS_ONE) if function == "det" else neg(inner)


def _of_product(t: Term, context: Context) -> Term | None:
    """det(A B) = det(A) det(B) for square matrices, through a name."""
    chain = square_factors(t, context) if _is(t, "det") else None
    return None if chain is None else mul(*(mat("det", name, lead_of(t), t.args[-1]) for name, _ in chain))


def _inverse_of_product(t: Term, context: Context) -> Term | None:
    """inv(A B) = inv(B) inv(A) for square matrices, through a name."""
    chain = square_factors(t, context) if _is(t, "inv") else None
    if chain is None:
        return None
    lead, (i, j) = lead_of(t), t.args[-3:-1]
    inner = [context.fresh.index(idx("", t.args[-1])) for _ in chain[1:]]
    at = (i, *inner, j)
    parts = []
    for k, (name, turned) in enumerate(reversed(chain)):
        row, column = (at[k + 1], at[k]) if turned else (at[k], at[k + 1])
        parts.append(mat("inv", name, (*lead, row, column), t.args[-1]))
    return reduce("sum", mul(*parts), inner)


def square_factors(t: Term, context: Context) -> list[tuple[str, bool]] | None:
    """The square matrices, and whether they are transposed, whose product the matrix of t is by its definition."""
    s = context.definitions.get(matrix_of(t)[1])
    if s is None or s.body.op != "red" or s.body.data != "sum" or len(s.indices) < 2:
        return None
    body, variables = context.opened(s.body)
    factors, lead = list(factors_of(body)), s.indices[:-2]
    at, end = s.indices[-2:]
    if any(str(v.data) == BATCH for v in variables) or len(factors) != len(variables) + 1:
        return None
    found: list[tuple[str, bool]] = []
    while factors:
        f = next((f for f in factors if f.op == "get" and len(f.args) >= 2 and at in f.args[-2:]), None)
        if f is None or f.args[:-2] != lead:
            return None
        i, j = f.args[-2:]
        other = j if i is at else i
        if i is j or other.op != "idx" or extent(other) is not t.args[-1] or extent(at) is not t.args[-1]:
            return None
        found.append((str(f.data), j is at))
        factors.remove(f)
        at = other
    return found if at is end else None


ADJUGATE = Rule(
    "matrix/adjugate",
    ("mul",),
    r"\det(A)\,A^{-1} = \operatorname{adj} A",
    "the adjugate is there where the inverse is not",
    _adjugate,
    Example("det(X)*inv(X)[i, l]", "adj(X)[i, l]", SQUARE),
)
NO_ADJUGATE = Rule(
    "matrix/determinant-times-inverse",
    ("mat",),
    r"\operatorname{adj} A = \det(A)\,A^{-1}",
    "people write the adjugate with the inverse",
    _no_adjugate,
    Example("adj(X)[i, l]", "det(X)*inv(X)[i, l]", SQUARE),
)
CANCEL = Rule(
    "matrix/inverse",
    ("red",),
    r"\sum_k (A^{-1})_{ik} A_{kj} = [i = j]",
    "a matrix times its inverse is the identity",
    _cancel,
    Example("Sum(inv(X)[i, m]*X[m, l], m)", "where(i == l, 1, 0)", SQUARE),
)
OF_INVERSE = Rule(
    "matrix/of-inverse",
    ("mat",),
    r"\det A^{-1} = \frac{1}{\det A}, \quad \log\det A^{-1} = -\log\det A, \quad (A^{-1})^{-1} = A",
    "the inverse need not be taken",
    _of_inverse,
    Example("det(V)", "1/det(X)", SQUARE, let="{'V[i, m]': 'inv(X)[i, m]'}"),
)
OF_PRODUCT = Rule(
    "matrix/determinant-of-product",
    ("mat",),
    r"\det(A B) = \det A\,\det B",
    "the determinant of a product of square matrices is that of each",
    _of_product,
    Example("det(P)", "det(X)*det(Y)", SQUARE, let="{'P[i, m]': 'Sum(X[i, l]*Y[m, l], l)'}"),
)

INVERSE_OF_PRODUCT = Rule(
    "matrix/inverse-of-product",
    ("mat",),
    r"(A B)^{-1} = B^{-1} A^{-1}",
    "the inverse of a product of square matrices is that of each, in the other order",
    _inverse_of_product,
    Example("inv(P)[i, l]", "Sum(inv(X)[m, l]*inv(Y)[m, i], m)", SQUARE, let="{'P[i, m]': 'Sum(X[i, l]*Y[m, l], l)'}"),
)

FOR_MACHINES = (ADJUGATE, CANCEL, OF_INVERSE)
"""The determinant of a product is taken as it stands: its adjugate is exact where a factor is singular."""
FOR_PEOPLE = (NO_ADJUGATE, CANCEL, OF_INVERSE, OF_PRODUCT)

__all__ = [
    "ADJUGATE", "CANCEL", "FOR_MACHINES", "FOR_PEOPLE", "INVERSE_OF_PRODUCT", "NO_ADJUGATE", "OF_INVERSE", "OF_PRODUCT",
    "square_factors",
]  # fmt: skip
