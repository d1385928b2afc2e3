"""Contractions with what windows read: written as products, they are still what they were."""

from __future__ import annotations

import pytest

from symgrad.algebra.build import Fresh
from symgrad.algebra.terms import extent
from symgrad.catalogue import paths
from symgrad.closing.derivation import derive_formula
from symgrad.closing.im2col import Products, products_of
from symgrad.closing.unfold import unfold
from symgrad.formula.program import Statement
from symgrad.formula.reader import read_file, read_text
from symgrad.report.contents import derivation_notation
from symgrad.rewrite.context import Context
from symgrad.rewrite.engine import rewrite
from symgrad.rules.sums import SUMS

SEPARABLE = """
name: separable
inputs: {x: {shape: [b, c, h, w], outside: 0}, D: [c, r, t], P: [o, c]}
ranges: {p: h - r + 1, q: w - t + 1}
let:
  z[i, k, p, q]: Sum(D[k, u, v]*x[i, k, p + u, q + v], u, v)
output:
  y[i, m, p, q]: Sum(P[m, k]*z[i, k, p, q], k)
"""


def written(text: str) -> tuple[Products, Context, dict[str, object]]:
    formula = read_text(text, "formula") if "\n" in text else read_file(str(paths()[text]))
    d = derive_formula(formula)
    found = products_of(formula.program, d.gradients, derivation_notation(d).names)
    before = {s.name: s.body for s in formula.program.statements} | {g.input: g.closed for g in d.gradients}
    return found, Context(formula.program), before


@pytest.mark.parametrize("text", ["conv1d", "conv2d", "conv_transpose2d", SEPARABLE])
def test_products_written_out_are_the_statements_and_gradients(text: str) -> None:
    found, context, before = written(text)
    assert len(found.statements) == 1
    assert len(found.gradients) == 2
    tensors = {d.name: Statement(d.name, d.indices, d.body) for d in found.tensors}
    for d in (*found.statements, *found.gradients):
        assert d.body.tensors & set(tensors)
        whole = unfold(d.body, tensors, Fresh())
        assert rewrite(whole, SUMS, context) is rewrite(before[d.name], SUMS, context)  # type: ignore[arg-type]


def test_the_tensor_of_windows_has_a_row_for_each_position_and_a_column_for_each_tap() -> None:
    found, _, _ = written("conv1d")
    windows, columns = found.tensors
    assert (windows.name, [str(i.data) for i in windows.indices]) == ("x_col", ["...", "k", "p", "c", "u"])
    assert (columns.name, [str(i.data) for i in columns.indices]) == ("dx_col", ["...", "i", "p", "u"])
    assert str(extent(windows.indices[-1])) == "r"


@pytest.mark.parametrize("name", ["linear", "attention", "max_pool2d", "avg_pool2d"])
def test_a_formula_that_contracts_no_windows_has_no_such_products(name: str) -> None:
    assert written(name)[0] == Products()
