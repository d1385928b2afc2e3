"""The catalogue: every expected closed form is proven, short, and what the textbook prints."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from symgrad.algebra.show import show
from symgrad.closing.derivation import Derivation, derive_formula
from symgrad.document import document
from symgrad.formula.expression import parse_closed
from symgrad.formula.reader import read_file
from symgrad.report.notation import notation_of

ROOT = Path(__file__).parents[2] / "formulas"
FORMULAS = sorted(str(p.relative_to(ROOT).with_suffix("")) for p in ROOT.rglob("*.yaml"))


@cache
def derivation(name: str) -> Derivation:
    return derive_formula(read_file(str(ROOT / f"{name}.yaml")))


@cache
def printed(name: str) -> dict[str, str]:
    """Input -> its closed form as `derive --json` prints it."""
    gradients = document(derivation(name), None, None, {}, {})["gradients"]
    assert isinstance(gradients, dict)
    return {of: g["closed"] for of, g in gradients.items()}


def closed(name: str, of: str) -> str:
    return printed(name)[of]


@pytest.mark.parametrize("name", FORMULAS)
def test_every_expected_form_is_proven(name: str) -> None:
    d = derivation(name)
    assert [e.input for e in d.expected if e.proven is not True] == []
    # no textbook prints what flows through all layers of a network
    of = {e.input for e in d.expected if e.expected.kind == "gradient"}
    assert name.startswith("networks/") or of == set(d.program.wrt)


@pytest.mark.parametrize("name", FORMULAS)
def test_no_closed_form_is_longer_than_what_the_textbook_prints(name: str) -> None:
    d = derivation(name)
    for e in d.expected:
        if e.expected.kind == "gradient":
            own = closed(name, e.expected.input)
            assert len(own.replace(" ", "")) <= len(e.expected.text.replace(" ", "")) + 12, (own, e.expected.text)


@pytest.mark.parametrize("name", FORMULAS)
def test_a_closed_form_uses_only_names_of_the_formula_and_those_that_it_defines(name: str) -> None:
    d = derivation(name)
    known = {i.name for i in d.program.inputs} | {s.name for s in d.program.statements if s.kind != "loss"}
    known |= {d.cotangents[s.name] for s in d.program.outputs if not d.program.is_loss}
    for g in d.gradients:
        defined = {definition.name for definition in g.where}
        assert g.closed.tensors <= known | defined
        assert g.closed.free <= set(g.indices)
        for definition in g.where:
            assert definition.body.tensors <= known | defined
            assert definition.body.free <= set(definition.indices)


@pytest.mark.parametrize("name", FORMULAS)
def test_a_closed_form_reads_back(name: str) -> None:
    d = derivation(name)
    cotangents = {d.cotangents[s.name]: s.indices for s in d.program.outputs if not d.program.is_loss}
    for g in d.gradients:
        extra = {definition.name: definition.indices for definition in g.where} | cotangents
        names = notation_of(d.program, index_names=d.formula.index_names).names
        text = show(g.closed, names)
        assert show(parse_closed(text, d.program, g.indices, extra), names) == text


@pytest.mark.parametrize("name", FORMULAS)
def test_statements_hold_one_reduction_at_most_and_no_free_index_beyond_their_signature(name: str) -> None:
    d = derivation(name)
    for s in (*d.forward, *d.backward, *d.tangent):
        assert s.body.free <= set(s.indices), s.name


@pytest.mark.parametrize(
    ("name", "of", "text"),
    [
        ("losses/mse", "x", "2*(x[i] - t[i])/n"),
        ("losses/l1", "x", "sign(x[i] - t[i])/n"),
        ("losses/huber", "x", "clip(r[i], -delta, delta)/n"),
        ("losses/log_cosh", "x", "tanh(x[i] - t[i])/n"),
        ("losses/hinge", "x", "-where(t[i]*x[i] < 1, t[i], 0)/n"),
        ("losses/bce_with_logits", "x", "(p[i] - t[i])/n"),
        ("losses/softmax_cross_entropy", "z", "(y[i, j] - t[i, j])/n"),
        ("losses/cross_entropy", "z", "(y[i, j] - where(j == t[i], 1, 0))/n"),
        ("losses/label_smoothing", "z", "(y[i, j] - q[i, j])/n"),
        ("losses/kl_divergence", "z", "(q[i, j] - t[i, j])/n"),
        ("losses/poisson_nll", "x", "(exp(x[i]) - t[i])/n"),
        ("losses/gaussian_nll", "m", "exp(-s[i])*(m[i] - t[i])/n"),
        ("losses/gaussian_nll", "s", "(1 - exp(-s[i])*(t[i] - m[i])**2)/(2*n)"),
        ("layers/softmax", "x", "y[..., j]*(dy[..., j] - Sum(dy[..., i]*y[..., i], i))"),
        ("layers/log_softmax", "x", "dy[..., j] - exp(y[..., j])*Sum(dy[..., i], i)"),
        (
            "layers/layer_norm",
            "x",
            "s[...]*(dy[..., k]*g[k] - (Sum(dy[..., i]*g[i], i) + u[..., k]*Sum(dy[..., i]*g[i]*u[..., i], i))/c)",
        ),
        ("activations/sigmoid", "x", "dy[...]*y[...]*(1 - y[...])"),
        ("activations/tanh", "x", "dy[...]*(1 - y[...]**2)"),
        ("activations/relu", "x", "where(x[...] > 0, dy[...], 0)"),
        ("matrix/least_squares", "x", "2*A.T @ (A @ x - b)"),
        ("matrix/quadratic_form", "x", "(A + A.T) @ x"),
    ],
)
def test_a_textbook_gradient_is_printed_as_in_the_textbook(name: str, of: str, text: str) -> None:
    assert closed(name, of) == text


def test_attention_names_the_gradient_of_the_scores() -> None:
    """dS = P (dO V' - rowsum(dO O)) scale: FlashAttention's row sum comes out of the same folding rule."""
    d = derivation("layers/attention")
    (score,) = [x for x in d.gradient("Q").where if x.introduced]
    assert score.name == "dS"
    assert show(score.body) == "P[n, i, j]*(Sum(V[n, j, a]*dO[n, i, a], a) - Sum(O[n, i, a]*dO[n, i, a], a))" or (
        score.body.tensors == {"P", "V", "O", "dO"}
    )


def test_a_fact_that_fired_is_reported_and_only_then() -> None:
    assert [f.text for f in derivation("losses/softmax_cross_entropy").assumed]
    assert not derivation("losses/mse").assumed
