"""Functions of matrices. An inverse that is multiplied with something is a system of equations to solve."""

from __future__ import annotations

from collections.abc import Sequence

from symgrad.algebra.terms import MATRIX_VALUED, Term, matrix_of
from symgrad.lower.access import placeholders, read_at
from symgrad.lower.arrays import Broadcast, Expr, Frame, Matrix, Read, Solve, Transpose, is_batch
from symgrad.lower.elementwise import as_real
from symgrad.lower.frames import transposed
from symgrad.lower.scope import Guard, Scope


def lower_matrix(t: Term, scope: Scope, guard: Guard) -> Expr:
    """inv(A)[subscripts], det(A): the function of all matrices, read at the subscripts."""
    function, tensor = matrix_of(t)
    signature = scope.signatures[tensor]
    given = placeholders(signature.extents)
    operand = as_real(Read(given, signature.dtype, tensor))
    extents = signature.extents if function in MATRIX_VALUED else signature.extents[:-2]

    def value(frame: Frame) -> Expr:
        return Matrix(frame, "real", function, operand)

    return read_at(value, f"{function}_{tensor}", extents, t.args[:-1], scope, bool(guard))


def solution(left: Expr, right: Expr, over: Sequence[Term], scope: Scope) -> Expr | None:
    """inv(A) contracted with an array over one index: a system of equations; None for other contractions."""
    if len(over) != 1:
        return None
    for inverse, other in ((left, right), (right, left)):
        if isinstance(inverse, Matrix) and inverse.function == "inv" and over[0] in inverse.frame[-2:]:
            return _solved(inverse, other, over[0])
    return None


def _solved(inverse: Matrix, other: Expr, k: Term) -> Expr | None:
    *lead, i, j = inverse.frame
    rest = [x for x in other.frame if x is not k and x not in lead]
    if any(x in rest for x in (i, j)) or (lead and any(is_batch(x) for x in rest)):
        return None
    frame = (*lead, *rest)
    right = transposed(other, tuple(x for x in (*frame, k) if x in other.frame))
    if right.frame != (*frame, k):
        right = Broadcast((*frame, k), right.dtype, right)
    matrix = inverse.operand
    if k is i:
        a = matrix.frame
        matrix = Transpose((*a[:-2], a[-1], a[-2]), matrix.dtype, matrix)
    return Solve((*frame, i if k is j else j), "real", matrix, right)
