"""scikit-learn's private losses: values, gradients and Hessians against `--order 2` of the same formulas."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
import pytest

from tests.oracles.held import Held

losses = pytest.importorskip("sklearn._loss.loss")

X = np.array([-700.0, -40.0, -6.0, -1.5, -0.3, 1e-9, 0.4, 2.0, 7.0, 37.0, 700.0])
"""Raw predictions, far ones too."""
PLAIN = {"x": ["n"], "t": {"shape": ["n"], "given": True}}


@dataclass(frozen=True)
class Same:
    """A formula and scikit-learn's loss. `targets`: those at which both are asked; `constant`: what their value lacks.

    `hessian`: False where scikit-learn puts a constant in its place.
    """

    name: str
    formula: str | Mapping[str, Any]
    theirs: Any
    targets: tuple[float, ...]
    x: Any = field(default_factory=lambda: X)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    hessian: bool = True
    values: bool = True

    def __str__(self) -> str:
        return self.name


def loss(expression: str, domain: str = "real", **parameters: float) -> dict[str, Any]:
    """A loss of raw predictions x and targets t."""
    inputs = {**PLAIN, "x": {"shape": ["n"], "domain": domain}}
    return {"name": "theirs", "inputs": inputs, "parameters": parameters, "loss": expression}


BINOMIAL = {
    "name": "theirs",
    "inputs": {"x": ["n"], "t": {"shape": ["n"], "given": True, "domain": "unit_interval"}},
    "loss": "log(1 + exp(x[i])) - t[i]*x[i]",
}
NEAR = X[np.abs(X) < 200]
SAME = (
    Same("HalfSquaredError", loss("(x[i] - t[i])**2/2"), losses.HalfSquaredError(), (-3.0, 0.0, 11.5)),
    Same("AbsoluteError", "l1", losses.AbsoluteError(), (-3.0, 0.1, 11.5), hessian=False),
    *(
        Same(f"PinballLoss-{q}", "quantile", losses.PinballLoss(quantile=q), (-3.0, 0.1), NEAR, {"q": q}, hessian=False)
        for q in (0.1, 0.5, 0.9)
    ),
    *(
        Same(f"HuberLoss-{d}", "huber", losses.HuberLoss(delta=d), (-3.0, 0.1), parameters={"delta": d})
        for d in (0.5, 2.0)
    ),
    Same("HalfPoissonLoss", "poisson_nll", losses.HalfPoissonLoss(), (0.0, 1.0, 7.0)),
    Same("HalfGammaLoss", loss("x[i] + t[i]*exp(-x[i])"), losses.HalfGammaLoss(), (0.5, 3.0)),
    *(
        Same(
            f"HalfTweedieLoss-{p}",
            loss("exp(x[i]*(2 - p))/(2 - p) - t[i]*exp(x[i]*(1 - p))/(1 - p)", p=1.5),
            losses.HalfTweedieLoss(power=p),
            (0.5, 3.0),
            NEAR,
            {"p": p},
            values=False,
        )
        for p in (-0.5, 1.5, 3.0)
    ),
    *(
        Same(
            f"HalfTweedieLossIdentity-{p}",
            loss("x[i]**(2 - p)/(2 - p) - t[i]*x[i]**(1 - p)/(1 - p)", "positive", p=1.5),
            losses.HalfTweedieLossIdentity(power=p),
            (0.5, 3.0),
            X[X > 0],
            {"p": p},
            values=False,
        )
        for p in (1.5, 3.0)
    ),
    Same("HalfBinomialLoss", "bce_with_logits", losses.HalfBinomialLoss(), (0.0, 1.0, 0.3)),
    Same("HalfBinomialLoss-by-exp", BINOMIAL, losses.HalfBinomialLoss(), (0.0, 1.0)),
    Same("ExponentialLoss", loss("t[i]*exp(-x[i]) + (1 - t[i])*exp(x[i])"), losses.ExponentialLoss(), (0.0, 1.0)),
)  # fmt: skip


@cache
def derived(k: int) -> Held:
    """The formula of a row with its Hessian, derived once."""
    return Held(SAME[k].formula, order=2)


def close(got: Any, expected: Any, what: str) -> None:
    """Equal to 1e-12 relative or 1e-300: far predictions too."""
    np.testing.assert_allclose(np.asarray(got), expected, rtol=1e-12, atol=1e-300, err_msg=what)


@pytest.mark.parametrize("k", range(len(SAME)), ids=lambda k: SAME[k].name)
def test_gradient_and_hessian_are_scikit_learns(k: int) -> None:
    row, module = SAME[k], derived(k).result.numpy
    for target in row.targets:
        x, t = np.array(row.x), np.full(len(row.x), target)
        options = {**row.parameters, "reduction": "sum"}
        gradient, hessian = row.theirs.gradient_hessian(y_true=t, raw_prediction=x)
        close(module.grad(x, t, **options), gradient, f"gradient at t = {target}")
        if row.hessian:
            own, diagonal = module.grad_and_hess(x, t, **options)
            close(own, gradient, f"gradient beside the Hessian at t = {target}")
            close(diagonal, np.broadcast_to(hessian, diagonal.shape), f"Hessian at t = {target}")
        if row.values:
            values = row.theirs.loss(y_true=t, raw_prediction=x)
            own = module.loss(x, t, **{**options, "reduction": "none"})
            # theirs is x - x beyond 37, where the value is what is left of it
            np.testing.assert_allclose(own, values, rtol=1e-12, atol=1e-15, err_msg=f"value at t = {target}")


def test_the_hessian_of_the_multinomial_loss_is_scikit_learns() -> None:
    held, rng = Held("cross_entropy", order=2), np.random.default_rng(3)
    z = np.concatenate([rng.normal(size=(6, 4)), 30 * rng.normal(size=(4, 4))])
    t = rng.integers(0, 4, size=10)
    gradient, hessian = losses.HalfMultinomialLoss(n_classes=4).gradient_hessian(
        y_true=t.astype(float), raw_prediction=z
    )
    own, diagonal = held.result.numpy.grad_and_hess(z, t, reduction="sum")
    np.testing.assert_allclose(own, gradient, rtol=1e-10, atol=1e-15)
    np.testing.assert_allclose(diagonal, hessian, rtol=1e-10, atol=1e-15)


def test_the_rows_are_ten_losses_at_least() -> None:
    assert len({type(row.theirs) for row in SAME}) >= 10
