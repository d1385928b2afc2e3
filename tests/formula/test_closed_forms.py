"""Printed closed forms are read back as the terms that were printed."""

from __future__ import annotations

from pathlib import Path

import pytest

from symgrad.algebra.build import add, mul, reduce
from symgrad.algebra.show import Names, show
from symgrad.algebra.terms import BATCH, MINUS_ONE, dim, get, get0, idx
from symgrad.errors import FormulaError
from symgrad.formula.expression import parse_closed
from symgrad.formula.reader import read_file, read_text

FILES = sorted((Path(__file__).parents[2] / "formulas").rglob("*.yaml"))
n, c = dim("n"), dim("c")
i, j = idx("i", n), idx("j", c)
PROGRAM = read_text(
    "name: f\ninputs: {z: [n, c], x: [..., d]}\n"
    "let:\n  y[i, j]: softmax(z[i, j], j)\nloss: y[i, 0] + 0*Sum(x[..., k], ..., k)\n"
).program


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_statements_of_the_catalogue_read_back(path: Path) -> None:
    program = read_file(str(path)).program
    taken = frozenset(i.name for i in program.inputs) | frozenset(p.name for p in program.parameters)
    taken |= frozenset(s.name for s in program.statements)
    for s in program.statements:
        text = show(s.body, Names(taken=taken))
        again = parse_closed(text, program, s.indices)
        assert parse_closed(show(again, Names(taken=taken)), program, s.indices) is again


def test_names_of_the_program_and_extra_names_are_known() -> None:
    term = parse_closed("(y[i, j] - s[i])/n*dy[i, j]", PROGRAM, (i, j), {"s": (i,), "dy": (i, j)})
    assert term.tensors == {"y", "s", "dy"}
    assert term.free == {i, j}


def test_reads_outside_give_zero() -> None:
    term = parse_closed("z[i - 1, j]", PROGRAM, (i, j))
    assert term is get0("z", (add(i, MINUS_ONE), j))


def test_the_batch_size_is_a_sum_over_the_batch() -> None:
    assert parse_closed("Sum(1, ...)", PROGRAM) is dim(BATCH)


def test_an_index_without_an_axis_takes_the_extent_of_the_left_side() -> None:
    assert parse_closed("i*z[0, 0]", PROGRAM, (i,)) is mul(
        i, get("z", (parse_closed("0", PROGRAM), parse_closed("0", PROGRAM)))
    )


def test_bound_indices_take_the_range_of_what_they_subscript() -> None:
    assert parse_closed("Sum(z[i, q], q)", PROGRAM, (i,)) is reduce("sum", get("z", (i, j)), [j])


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(FormulaError, match="q is not declared"):
        parse_closed("q[i]", PROGRAM, (i,))
