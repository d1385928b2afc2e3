"""Used formulas are written into the caller: names kept apart, dimensions and batch axes bound, parameters put in."""

from __future__ import annotations

from pathlib import Path

import pytest

from symgrad.algebra.build import substitute
from symgrad.algebra.terms import Term, dim, idx
from symgrad.errors import FormulaError
from symgrad.formula.program import Program, Statement
from symgrad.formula.reader import read_file, read_text

CONV = """name: conv
inputs: {x: {shape: [b, ci, h, w], outside: 0}, k: [co, ci, r, q]}
parameters: {s: {value: 1, dtype: int, domain: positive}, pad: {value: 0, dtype: int}}
ranges: {i: (h + 2*pad - r)//s + 1, j: (w + 2*pad - q)//s + 1}
output:
  y[n, o, i, j]: Sum(x[n, c, s*i + u - pad, s*j + v - pad]*k[o, c, u, v], c, u, v)
"""
CELL = """name: cell
inputs: {x: [..., d], h0: [..., e], W: [2*e, d]}
ranges: {q: e}
let:
  a[..., k]: Sum(x[..., j]*W[k, j], j)
output:
  h[..., q]: tanh(a[..., q])*h0[..., q]
  g[..., q]: sigmoid(a[..., e + q])
"""


def program(text: str) -> Program:
    return read_text("name: f\n" + text, "f.yaml").program


def renamed(s: Statement) -> tuple[str, str, tuple[Term, ...], Term]:
    """A statement with its free indices numbered."""
    names = {i: i if i.data == "..." else idx(f"free{k}", i.args[0]) for k, i in enumerate(s.indices)}
    return s.name, s.kind, tuple(names.values()), substitute(s.body, names)


def same(used: str, written: str) -> None:
    assert [renamed(s) for s in program(used).statements] == [renamed(s) for s in program(written).statements]


MLP = "inputs: {x: [n, d], U: [h, d], a: [h], W: [c, h], b: [c], t: {shape: [n, c], given: true}}\n"


def test_calls_mean_the_statements_that_they_stand_for() -> None:
    same(
        MLP + "use: [linear, softmax_cross_entropy]\nlet:\n  v: linear(x, U, a)\n  r: relu(v)\n"
        "loss: softmax_cross_entropy(linear(r, W, b), t)\n",
        MLP + "let:\n  v[i, k]: Sum(x[i, l]*U[k, l], l) + a[k]\n  r[i, k]: relu(v[i, k])\n"
        "  z[i, j]: Sum(r[i, k]*W[j, k], k) + b[j]\n"
        "  y[i, j]: softmax(z[i, j], j)\n"
        "loss: -Sum(t[i, j]*log(y[i, j]), j)\n",
    )


def test_inner_names_stay_where_the_file_calls_the_part_once() -> None:
    text = "inputs: {x: [n, d], g: [d], b: [d]}\nuse: [layer_norm]\nlet:\n  p: layer_norm(x, g, b)\nloss: Sum(p**2)\n"
    assert [s.name for s in program(text).statements] == ["m", "s", "u", "p", "loss"]


def test_inner_names_bear_the_name_of_the_let_that_receives_the_value_of_one_of_two_calls() -> None:
    text = (
        "inputs: {x: [n, d], g: [d], b: [d]}\nuse: [layer_norm]\n"
        "let:\n  p: layer_norm(x, g, b)\n  q: layer_norm(p, g, b)\nloss: Sum(q**2)\n"
    )
    names = [s.name for s in program(text).statements]
    assert names == ["p_m", "p_s", "p_u", "p", "q_m", "q_s", "q_u", "q", "loss"]


def test_inner_names_keep_clear_of_the_indices_of_the_file() -> None:
    text = (
        "inputs: {x: [n, d], g: [d], b: [d]}\nuse: [layer_norm]\n"
        "let:\n  p: layer_norm(x, g, b)\nloss: Sum(p[m, k]**2, m, k)\n"
    )
    assert [s.name for s in program(text).statements] == ["p_m", "p_s", "p_u", "p", "loss"]


def test_inner_names_give_way_to_names_of_the_file() -> None:
    text = (
        "inputs: {x: [n, d], g: [d], b: [d], p_m: [n], m: [n]}\nuse: [layer_norm]\n"
        "let:\n  p: layer_norm(x, g, b)\n  p_u: 2*p\nloss: Sum(p_u**2)*Sum(p_m*m)\n"
    )
    names = [s.name for s in program(text).statements]
    assert names == ["p_m_2", "p_s", "p_u_2", "p", "p_u", "loss"]


@pytest.mark.parametrize(("shape", "left"), [("[d]", ""), ("[n, d]", "i, "), ("[p, n, d]", "i, j, ")])
def test_the_batch_of_a_used_formula_is_the_leading_axes_of_the_array(shape: str, left: str) -> None:
    head = f"inputs: {{x: {shape}, W: [m, d], b: [m]}}\n"
    same(
        head + "use: [linear]\noutput:\n  y: linear(x, W, b)\n",
        head + f"output:\n  y[{left}o]: Sum(x[{left}k]*W[o, k], k) + b[o]\n",
    )


def test_the_batch_of_the_caller_may_be_the_batch_of_the_used_formula() -> None:
    head = "inputs: {x: [..., n, d], W: [m, d], b: [m]}\n"
    same(
        head + "use: [linear]\noutput:\n  y: linear(x, W, b)\n",
        head + "output:\n  y[..., i, o]: Sum(x[..., i, k]*W[o, k], k) + b[o]\n",
    )


def test_the_number_of_batch_elements_becomes_the_product_of_the_leading_sizes(tmp_path: Path) -> None:
    (tmp_path / "m.yaml").write_text("name: m\ninputs: {x: [..., d]}\nloss: mean(x[..., k], ..., k)\n")
    (tmp_path / "f.yaml").write_text("name: f\ninputs: {z: [n, p, c]}\nuse: {m: m.yaml}\nloss: m(z)\n")
    (tmp_path / "g.yaml").write_text("name: f\ninputs: {z: [n, p, c]}\nloss: mean(z)\n")
    used, written = (read_file(str(tmp_path / name)).program.loss for name in ("f.yaml", "g.yaml"))
    assert used.body is written.body


def test_parameters_are_put_in_and_extents_follow(tmp_path: Path) -> None:
    (tmp_path / "conv.yaml").write_text(CONV)
    head = "name: f\ninputs: {x: [n, a, h, w], K: [o, a, r, r]}\nparameters: {g: {value: 1, dtype: int}}\n"
    (tmp_path / "f.yaml").write_text(head + "use: {conv: ./conv.yaml}\noutput:\n  y: conv(x, K, pad=g + 1)\n")
    (tmp_path / "g.yaml").write_text(
        head.replace("x: [n, a, h, w]", "x: {shape: [n, a, h, w], outside: 0}")
        + "ranges: {i: h + 2*g + 3 - r, j: w + 2*g + 3 - r}\noutput:\n"
        + "  y[n, o, i, j]: Sum(x[n, c, i + u - g - 1, j + v - g - 1]*K[o, c, u, v], c, u, v)\n"
    )
    used, written = (read_file(str(tmp_path / name)).program.statements[0] for name in ("f.yaml", "g.yaml"))
    assert renamed(used) == renamed(written)


def test_a_parameter_outside_of_its_domain_is_refused(tmp_path: Path) -> None:
    (tmp_path / "conv.yaml").write_text(CONV)
    head = "name: f\ninputs: {x: [n, a, h, w], K: [o, a, r, r]}\nparameters: {g: {value: 1, dtype: int}}\n"
    for stride in ("0", "g"):
        (tmp_path / "f.yaml").write_text(head + f"use: {{conv: ./conv.yaml}}\noutput:\n  y: conv(x, K, s={stride})\n")
        with pytest.raises(FormulaError, match="s > 0 is needed"):
            read_file(str(tmp_path / "f.yaml"))


def test_several_outputs_are_received_by_several_names(tmp_path: Path) -> None:
    (tmp_path / "cell.yaml").write_text(CELL)
    head = "name: f\ninputs: {x: [n, d], z: [n, d], h0: [n, e], W: [2*e, d]}\n"
    text = "use: {cell: cell.yaml}\nlet:\n  h, g: cell(x, h0, W)\n  k, l: cell(z, h, W)\nloss: Sum(k*l + g)\n"
    (tmp_path / "f.yaml").write_text(head + text)
    p = read_file(str(tmp_path / "f.yaml")).program
    assert [s.name for s in p.statements] == ["h_a", "h", "g", "k_a", "k", "l", "loss"]
    k = p.statement("k")
    assert k is not None
    assert k.body.tensors == {"k_a", "h"}
    assert k.indices[1].args[0] is dim("e")


def test_a_dimension_may_be_the_one_unknown_of_an_axis(tmp_path: Path) -> None:
    (tmp_path / "half.yaml").write_text("name: half\ninputs: {x: [2*e], y: [e]}\noutput:\n  z[q]: x[2*q]*y[q]\n")
    (tmp_path / "f.yaml").write_text(
        "name: f\ninputs: {a: [6*m], b: [3*m], c: [m]}\nuse: {half: half.yaml}\nlet:\n  z: half(a, b)\nloss: Sum(z)\n"
    )
    z = read_file(str(tmp_path / "f.yaml")).program.statements[0]
    assert str(z.indices[0].args[0]) == "3*m"
    (tmp_path / "g.yaml").write_text(
        "name: f\ninputs: {a: [6*m], b: [2*m], c: [m]}\nuse: {half: half.yaml}\nlet:\n  z: half(a, b)\nloss: Sum(z)\n"
    )
    with pytest.raises(FormulaError, match="axis 2\\*e of its x is 4\\*m"):
        read_file(str(tmp_path / "g.yaml"))


def test_a_call_may_be_subscripted_beside_indices() -> None:
    head = "inputs: {x: [n, d], W: [m, d], b: [m], w: [n]}\n"
    same(
        head + "use: [linear]\nloss: Sum(w[i]*linear(x, W, b)[i, j]**2, i, j)\n",
        head + "let:\n  linear_y[i, o]: Sum(x[i, k]*W[o, k], k) + b[o]\nloss: Sum(w[i]*linear_y[i, j]**2, i, j)\n",
    )


def test_integers_without_domain_range_over_the_axis_that_the_used_formula_subscripts() -> None:
    p = program("inputs: {z: [n, k], t: {shape: [n], dtype: int}}\nuse: [cross_entropy]\nloss: cross_entropy(z, t)\n")
    assert str(p.input("t").domain) == "integer(0, k - 1)"


def test_used_formulas_may_use_others_and_a_circle_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("name: a\ninputs: {x: [n]}\nuse: {b: b.yaml}\nlet:\n  y: b(x)\nloss: Sum(y)\n")
    (tmp_path / "b.yaml").write_text("name: b\ninputs: {x: [n]}\nuse: {act: relu}\noutput:\n  y: act(2*x)\n")
    assert [s.name for s in read_file(str(tmp_path / "a.yaml")).program.statements] == ["y_x", "y", "loss"]
    (tmp_path / "b.yaml").write_text("name: b\ninputs: {x: [n]}\nuse: {a: a.yaml}\noutput:\n  y: a(x)*x\n")
    with pytest.raises(FormulaError, match=r"in a circle: a.yaml uses b.yaml uses a.yaml"):
        read_file(str(tmp_path / "a.yaml"))


def test_a_mistake_in_a_used_file_is_shown_there(tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_text("name: b\ninputs: {x: [n]}\noutput:\n  y: rely(x)\n")
    (tmp_path / "a.yaml").write_text("name: a\ninputs: {x: [n]}\nuse: {b: b.yaml}\nloss: Sum(b(x))\n")
    with pytest.raises(FormulaError) as caught:
        read_file(str(tmp_path / "a.yaml"))
    assert caught.value.where is not None
    assert caught.value.where.file.endswith("b.yaml")


def test_files_that_double_at_each_level_end_at_the_limit(tmp_path: Path) -> None:
    (tmp_path / "f0.yaml").write_text("name: f\ninputs: {x: [n]}\noutput:\n  y: x*2\n")
    for k in range(1, 15):
        text = f"name: f\ninputs: {{x: [n]}}\nuse: {{g: f{k - 1}.yaml}}\noutput:\n  y: g(x) + g(2*x)\n"
        (tmp_path / f"f{k}.yaml").write_text(text)
    with pytest.raises(FormulaError, match="more than 2000 statements"):
        read_file(str(tmp_path / "f14.yaml"))


def test_what_a_used_formula_assumes_of_sizes_must_be_shown(tmp_path: Path) -> None:
    (tmp_path / "g.yaml").write_text(
        "name: g\ninputs: {x: [n], y: [m]}\nassume: m <= n\noutput:\n  z[u]: x[u]*y[u]\nranges: {u: m}\n"
    )
    text = "name: f\ninputs: {a: [p], b: [q]}\nuse: {g: g.yaml}\nloss: Sum(g(a, b))\n"
    (tmp_path / "f.yaml").write_text(text)
    with pytest.raises(FormulaError, match="m <= n is needed"):
        read_file(str(tmp_path / "f.yaml"))
    (tmp_path / "f.yaml").write_text(text + "assume: q <= p\n")
    assert read_file(str(tmp_path / "f.yaml"))
