"""`symgrad.derive` in Python: SymPy expressions, modules in memory, folders, and errors that say what is wrong."""

import copy
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import sympy

import symgrad
from symgrad import catalogue

KEYS = {
    "name": "ce",
    "inputs": {"z": ["n", "c"], "t": {"shape": ["n", "c"], "domain": "simplex", "given": True}},
    "let": {"y[i, j]": "softmax(z[i, j], j)"},
    "loss": "-Sum(t[i, j]*log(y[i, j]), j)",
}
n, c = sympy.symbols("n c", integer=True, positive=True)
i, j = sympy.Idx("i", n), sympy.Idx("j", c)
z, t, y = (sympy.IndexedBase(name, shape=(n, c)) for name in "zty")
WANTED = (y[i, j] - t[i, j]) / n


@pytest.fixture(scope="module")
def ce() -> symgrad.Result:
    return symgrad.derive(KEYS)


def test_a_gradient_is_a_sympy_expression_equal_both_ways(ce: symgrad.Result) -> None:
    g = ce.gradients["z"]
    assert isinstance(g, sympy.Expr)
    assert g == WANTED
    assert g == WANTED
    assert hash(g) == hash(WANTED)
    assert sympy.simplify(g - WANTED) == 0
    assert type(g * 2) is type(WANTED * 2)
    assert sympy.latex(g) == sympy.latex(WANTED)
    assert str(g) == str(WANTED)


def test_a_gradient_knows_its_printed_forms(ce: symgrad.Result) -> None:
    g = ce.gradients["z"]
    assert g.closed == "(y[i, j] - t[i, j])/n"
    assert g.latex == r"\frac{y_{ij} - t_{ij}}{n}"
    assert g.axes == ("i", "j")
    assert g.where == {"y[i, j]": "softmax(z[i, j], j)"}
    assert g._repr_latex_() == rf"$\displaystyle {g.latex}$"
    for copied in (pickle.loads(pickle.dumps(g)), copy.deepcopy(g)):
        assert copied == g
        assert copied.latex == g.latex


@pytest.mark.parametrize("plain", [sympy.S.Zero, sympy.S.One, sympy.Rational(1, 2), sympy.Symbol("x"), z[i, j]])
def test_any_sympy_expression_can_bear_the_printed_forms(plain: sympy.Expr) -> None:
    from symgrad.gradients import annotate

    g = annotate(plain, "L", "text", ("i",), {})
    assert g == plain
    assert plain == g
    assert g == plain
    assert g - plain == 0
    assert (g.latex, g.closed) == ("L", "text")
    assert sympy.srepr(g) == sympy.srepr(plain)
    assert g.subs(sympy.Symbol("x"), 2) == plain.subs(sympy.Symbol("x"), 2)


def test_bound_indices_never_hide_free_ones() -> None:
    for name in ("layer_norm", "batch_norm", "softmax"):
        for g in symgrad.derive(name).gradients.values():
            free = {str(s) for s in g.free_symbols if isinstance(s, sympy.Idx)}
            bound = {str(v) for s in g.atoms(sympy.Sum) for v in s.variables}
            assert not free & bound


def test_a_sympy_gradient_has_the_numbers_of_the_kernels() -> None:
    d = symgrad.derive("mse")
    x, target = np.array([1.0, 2.0, 4.0]), np.array([0.5, 2.5, 1.0])
    bases = {str(b.label): b for b in d.gradients["x"].atoms(sympy.IndexedBase)}
    for k in range(3):
        values = {bases["x"][q]: x[q] for q in range(3)} | {bases["t"][q]: target[q] for q in range(3)}
        got = d.gradients["x"].xreplace({sympy.Idx("i", n): sympy.Integer(k)}).subs({n: 3}).doit().xreplace(values)
        free = {a: (x if "x" in str(a) else target)[k] for a in got.atoms(sympy.Indexed)}
        assert np.isclose(float(got.subs(free)), d.numpy.grad(x, target)[k])


def test_steps_say_their_rule_and_law(ce: symgrad.Result) -> None:
    assert ce.steps
    for step in ce.steps:
        assert "/" in step.rule.name
        assert step.rule.law
        assert step.before is not step.after


def test_the_modules_are_in_memory(ce: symgrad.Result) -> None:
    torch = pytest.importorskip("torch")
    logits, target = np.array([[1.0, 2.0, 0.5]]), np.array([[0.0, 1.0, 0.0]])
    value, grad = ce.numpy.value_and_grad(logits, target)
    x = torch.tensor(logits, requires_grad=True)
    loss = ce.torch.ce(x, torch.tensor(target))
    loss.backward()
    assert np.isclose(value, loss.item())
    assert np.allclose(grad, x.grad.numpy())


def test_a_result_is_written_as_the_command_writes_it(ce: symgrad.Result, tmp_path: Path) -> None:
    target = ce.write(tmp_path, report=["html"])
    assert target == tmp_path / "ce"
    assert sorted(os.listdir(target)) == [
        "__init__.py", "certificate.json", "numpy_kernels.py", "report.html", "torch_kernels.py",
    ]  # fmt: skip
    (target / "certificate.json").unlink()
    with pytest.raises(symgrad.UsageError, match="not written by symgrad"):
        ce.write(tmp_path, report=[])
    with pytest.raises(symgrad.UsageError, match="did you mean html"):
        ce.write(tmp_path, report=["htm"])


def test_a_notebook_shows_the_closed_forms(ce: symgrad.Result) -> None:
    assert r"\frac{y_{ij} - t_{ij}}{n}" in ce._repr_latex_()


def test_a_formula_comes_from_a_path_a_name_sympy_objects_or_keys(tmp_path: Path) -> None:
    path = catalogue.find("softmax_cross_entropy")
    (tmp_path / "copy.yaml").write_text(path.read_text())
    body = -sympy.Sum(
        t[i, j] * sympy.log(sympy.exp(z[i, j]) / sympy.Sum(sympy.exp(z[i, j]), (j, 0, c - 1))), (j, 0, c - 1)
    )
    objects = symgrad.Formula(name="ce", inputs={z: {}, t: {"domain": "simplex", "given": True}}, loss=body)
    closed = {
        symgrad.derive(source).gradients["z"].closed
        for source in (path, str(tmp_path / "copy.yaml"), "softmax_cross_entropy", KEYS)
    }
    assert closed == {"(y[i, j] - t[i, j])/n"}
    assert symgrad.derive(objects).gradients["z"].closed == "(softmax(z[i, j], j) - t[i, j])/n"


def test_a_refuted_expectation_raises_with_a_point() -> None:
    keys = {"name": "square", "inputs": {"x": ["n"]}, "loss": "x[i]**2", "expect": {"x[i]": "3*x[i]/n"}}
    with pytest.raises(symgrad.VerdictError, match=r"dx\[\d\]: derived .*, expected .*normal point"):
        symgrad.derive(keys)
    assert "x" in symgrad.derive(keys, check=False).refuted


def test_an_expectation_beyond_the_normal_form_is_held_at_points() -> None:
    keys = {
        "name": "trig", "inputs": {"x": ["n"]}, "loss": "sin(x[i])**2",
        "expect": {"x[i]": "sin(2*x[i])/n"},
    }  # fmt: skip
    d = symgrad.derive(keys)
    assert [e.proven for e in d.derivation.expected] == [None]
    assert d.refuted == {}


def test_wrong_use_says_what_is_known() -> None:
    with pytest.raises(symgrad.UsageError, match="did you mean torch"):
        symgrad.derive(KEYS, targets=["torhc"])
    with pytest.raises(symgrad.FormulaError, match="no real input q"):
        symgrad.derive(KEYS, wrt=["q"])
    with pytest.raises(symgrad.UsageError, match="softmax_cross_entropy"):
        symgrad.derive("softmax_crossentropy")
    with pytest.raises(symgrad.LimitError, match="time limit"):
        symgrad.derive(KEYS, time_limit=1e-9)
    with pytest.raises(symgrad.UsageError, match="without the target torch"):
        symgrad.derive(KEYS, targets=["numpy"]).torch


def test_order_2_gives_the_hessian_in_python_and_in_the_document() -> None:
    d = symgrad.derive("softmax_cross_entropy", order=2, targets=("numpy",))
    h = d.hessians["z"]
    assert (h.direction, h.hvp.closed) == ("v", "y[i, j]*(v[i, j] - Sum(v[i, k]*y[i, k], k))/n")
    document = d.document()["hessian"]
    assert isinstance(document, dict)
    assert document["z"]["diagonal"] == h.diagonal.closed == "y[i, j]*(1 - y[i, j])/n"
    assert document["z"]["indices"] == ["i", "j"]
    assert document["z"]["where"] == {"y[i, j]": "softmax(z[i, j], j)"}
    assert set(document["z"]["latex"]) == {"diagonal", "hvp"}
    assert callable(d.numpy.hvp)
    assert "hessian" not in symgrad.derive("softmax_cross_entropy").document()
    with pytest.raises(symgrad.SymgradError, match="derived without order=2"):
        _ = symgrad.derive("softmax_cross_entropy").hessians
