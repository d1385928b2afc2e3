"""What is opened within an opened body never takes the name of an index that the body holds."""

from __future__ import annotations

import pytest

from symgrad.algebra.build import Fresh, mul, reduce
from symgrad.algebra.terms import Term, dim, get, get0, idx
from symgrad.formula.reader import read_text
from symgrad.rewrite.context import Context
from symgrad.rules.ranges import read_inside


@pytest.mark.parametrize("kind", ["lse", "sum", "max"])
def test_reads_that_stay_inside_keep_the_indices_of_opened_sums(kind: str) -> None:
    n = dim("n")
    j = idx("j", n)
    outer = Fresh().index(j)

    def row(read: Term) -> Term:
        return reduce(kind, mul(get("A", (j, outer)), read), [j])

    context = Context(read_text("name: f\ninputs: {A: [n, n], a: [n]}\nloss: A[i, j]*a[j]\n").program, silent=True)
    assert read_inside(row(get0("a", (j,))), context) is row(get("a", (j,)))
