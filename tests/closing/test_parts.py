"""Closed forms of formulas that use others: they stop at the parts, or go through them with `inline`."""

from __future__ import annotations

from pathlib import Path

import pytest

import symgrad
from symgrad.algebra.show import show
from symgrad.algebra.weight import weight
from symgrad.closing.closed import LONGEST_INLINE
from symgrad.closing.derivation import Gradient, derive_formula
from symgrad.formula.program import Formula
from symgrad.formula.reader import read_file, read_text

DEEP = """name: deep
inputs: {x: {shape: [n, d], given: true}, A: [h, d], B: [h, h], C: [h, h], D: [h, h], b: [h]}
use: [linear]
let:
  p: linear(x, A, b)
  q: linear(tanh(p), B, b)
  r: linear(tanh(q), C, b)
  s: linear(tanh(r), D, b)
loss: Sum(s[i, k]**2, k)
"""
MLP = """name: two
inputs: {x: [n, d], U: [h, d], a: [h], W: [c, h], b: [c], t: {shape: [n, c], given: true, domain: simplex}}
use: [linear, softmax_cross_entropy]
let:
  v: linear(x, U, a)
  r: relu(v)
loss: softmax_cross_entropy(linear(r, W, b), t)
"""


def names(g: Gradient) -> set[str]:
    return {d.name for d in g.where}


def test_a_closed_form_stops_at_the_cotangent_of_a_part() -> None:
    g = derive_formula(read_text(DEEP)).gradient("A")
    assert show(g.closed).startswith("Sum(dp[")
    assert {"dp", "dq", "dr"} <= names(g)


def test_the_form_grows_with_the_number_of_parts_and_no_faster() -> None:
    lengths = [sum(len(show(d.body)) for d in g.where) for g in derive_formula(read_text(DEEP)).gradients]
    assert max(lengths) < 600


def test_inline_goes_through_the_parts() -> None:
    inlined = derive_formula(read_text(DEEP), inline=True).gradient("A")
    assert not {n for n in names(inlined) if n.startswith("d")}


def test_inline_writes_out_no_more_than_fits_into_each_text() -> None:
    norms = """name: norms
inputs: {x: [n, d], g: [d], b: [d]}
use: [layer_norm]
let:
  p: layer_norm(x, g, b)
  q: layer_norm(p, g, b)
  r: layer_norm(q, g, b)
loss: Sum(r[i, k]**3, k)
"""
    d = derive_formula(read_text(norms), wrt=("g",), inline=True)
    written = {s.name: weight(s.body) for s in d.program.statements}
    for g in d.gradients:
        assert weight(g.closed) <= 2 * LONGEST_INLINE
        for definition in g.where:
            assert weight(definition.body) <= max(2 * LONGEST_INLINE, written.get(definition.name, 0))


def test_the_value_of_a_part_has_its_name_where_it_stands_twice_and_none_where_it_stands_once() -> None:
    once = derive_formula(read_text(MLP), wrt=("b",)).gradient("b")
    assert show(once.closed) == "Sum(softmax(z[i, j], j) - t[i, j], i)/n"
    twice = derive_formula(read_text(MLP)).gradient("W")
    assert {"y"} <= names(twice)


@pytest.mark.parametrize("inline", [False, True])
def test_both_forms_are_the_gradient(inline: bool, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    (tmp_path / "deep.yaml").write_text(DEEP.replace("given: true", "given: true, summary: data"))
    assert symgrad.derive(tmp_path / "deep.yaml", inline=inline).validate().passed


PART = """name: part
inputs: {x: [..., d], w: {shape: [d], given: true}, s: {shape: [d], domain: positive}}
assume: ["Sum(w[i], i) == 1"]
output:
  y[...]: Sum(w[i]*(x[..., i] + log(s[i])), i)
"""


def whole(folder: Path, call: str, w: str = "{shape: [k], given: true}") -> Formula:
    (folder / "part.yaml").write_text(PART)
    (folder / "whole.yaml").write_text(
        f"name: whole\ninputs: {{a: [n, k], v: {w}, r: [k], b: []}}\nuse: {{part: part.yaml}}\n"
        f"let:\n  z: {call}\nloss: z[i]**2\n"
    )
    return read_file(str(folder / "whole.yaml"))


def test_what_a_part_assumes_holds_of_the_arrays_that_it_is_called_on(tmp_path: Path) -> None:
    d = derive_formula(whole(tmp_path, "part(a + b, v, r)"))
    assert [(f.text, f.source) for f in d.assumed] == [("Sum(v[i], i) == 1", "assumed by part")]
    assert show(d.gradient("b").closed) == "2*Sum(z[i], i)/n"


def test_an_input_without_a_domain_has_the_range_of_the_part(tmp_path: Path) -> None:
    program = whole(tmp_path, "part(a, v, r)").program
    assert program.input("r").domain.kind == "positive"
    assert program.input("a").domain.kind == "real"


def test_an_equation_is_declared_where_the_array_is() -> None:
    text = "name: f\ninputs: {z: [n, c], t: {shape: [n, c], given: true}}\nuse: [softmax_cross_entropy]\n"
    d = derive_formula(read_text(text + "let:\n  l: softmax_cross_entropy(z, t)\nloss: mean(l)\n"))
    assert d.program.input("t").domain.kind == "real"
    assert not d.assumed


def test_the_domain_of_the_file_comes_first(tmp_path: Path) -> None:
    program = whole(tmp_path, "part(a, v, r)", "{shape: [k], given: true, domain: unit_interval}").program
    assert program.input("v").domain.kind == "unit_interval"


def test_an_equation_that_a_part_assumes_of_what_is_differentiated_is_not_used(tmp_path: Path) -> None:
    d = derive_formula(whole(tmp_path, "part(a + b, v, r)", "[k]"))
    assert not d.assumed
    assert show(d.gradient("b").closed) in ("2*Sum(v[j], j)*Sum(z[i], i)/n", "2*Sum(v[i], i)*Sum(z[j], j)/n")


def test_kinks_of_parts_are_named_at_the_line_of_the_call() -> None:
    text = "name: f\ninputs: {x: [n, d], W: [m, d], b: [m]}\nuse: {act: relu}\nlet:\n  h: act(x)\nloss: Sum(h)\n"
    (kink,) = derive_formula(read_text(text)).kinks
    assert (kink.of, kink.line) == ("relu", 5)


def test_a_definition_that_does_not_say_its_ranges_is_printed_as_the_call(tmp_path: Path) -> None:
    (tmp_path / "f.yaml").write_text(
        "name: f\ninputs: {x: [n, c, h, w], K: [o, c, 3, 3], b: [o], V: [m, w], a: [m]}\nuse: [conv2d, linear]\n"
        "let:\n  y: conv2d(x, K, b, pad=1)\n  r: relu(y)\n  z: linear(r, V, a)\nloss: Sum(z**4)\n"
    )
    gradients = symgrad.derive(tmp_path / "f.yaml").document()["gradients"]
    where = gradients["a"]["where"]  # type: ignore[index]
    assert where["y"] == "conv2d(x, K, b, pad=1)"
    assert any(key.startswith("z[") for key in where)
