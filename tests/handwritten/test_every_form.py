"""A right gradient passes in whatever form it is written: NumPy, torch, with the value, as a Function or a Module."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from symgrad import check

from .faults import CASES

torch = pytest.importorskip("torch")
F = torch.nn.functional

FORWARD: Mapping[str, Callable[..., Any] | None] = {
    "mse": lambda x, t: (x - t) ** 2,
    "softmax_cross_entropy": lambda z, t: -(t * torch.log_softmax(z, -1)).sum(-1),
    "huber": lambda x, t: F.huber_loss(x, t, reduction="none"),
    "bce_with_logits": lambda x, t: F.binary_cross_entropy_with_logits(x, t, reduction="none"),
    "gaussian_nll": lambda m, s, t: (s + (t - m) ** 2 * torch.exp(-s)) / 2,
    "sigmoid": torch.sigmoid,
    "layer_norm": lambda x, g, b: F.layer_norm(x, x.shape[-1:], g, b),
    "softmax": lambda x: torch.softmax(x, -1),
    "linear": F.linear,
    "gelu": F.gelu,
    "dice": None,
    "rms_norm": None,
}
LOSSES = ("mse", "softmax_cross_entropy", "huber", "bce_with_logits", "gaussian_nll")
QUICK = ("mse", "sigmoid")


def in_torch(f: Callable[..., Any]) -> Callable[..., Any]:
    def grad(*arrays: Any) -> Any:
        found = f(*(a.numpy() for a in arrays))
        return tuple(map(torch.from_numpy, found)) if isinstance(found, tuple) else torch.from_numpy(np.asarray(found))

    return grad


def as_module(forward: Callable[..., Any]) -> Any:
    class Own(torch.nn.Module):  # type: ignore[misc,name-defined]
        def forward(self, *arrays: Any) -> Any:
            return forward(*arrays)

    return Own()


def as_function(name: str, forward: Callable[..., Any], backward: Callable[..., Any]) -> Any:
    class Own(torch.autograd.Function):  # type: ignore[misc,name-defined]
        @staticmethod
        def forward(ctx: Any, *arrays: Any) -> Any:
            ctx.save_for_backward(*arrays)
            return forward(*arrays).mean() if name in LOSSES else forward(*arrays)

        @staticmethod
        def backward(ctx: Any, upstream: Any) -> Any:
            arrays = [a.detach().numpy() for a in ctx.saved_tensors]
            found = backward(*arrays) if name in LOSSES else backward(*arrays, upstream.numpy())
            times = upstream if name in LOSSES else 1.0
            grads = [times * torch.from_numpy(np.asarray(g)) for g in (found if isinstance(found, tuple) else (found,))]
            return (*grads, *[None] * (len(arrays) - len(grads)))

    return Own


def forms(name: str) -> Mapping[str, tuple[Any, str]]:
    case, forward = CASES[name], FORWARD[name]
    grad = case.right()
    found: dict[str, tuple[Any, str]] = {"numpy": (grad, "numpy"), "torch": (in_torch(grad), "torch")}
    if forward is None:
        return found
    found["Module"] = as_module(forward), "torch"
    found["autograd.Function"] = as_function(name, forward, grad), "torch"
    if name in LOSSES:
        own = forward
        found["value"] = lambda *a: (float(own(*map(torch.tensor, a)).mean()), grad(*a)), "numpy"
    return found


def assert_every_form_passes(name: str) -> None:
    for form, (function, framework) in forms(name).items():
        result = check(CASES[name].formula, function, framework=framework)
        assert result.passed, f"{form}: {result.text()}"


@pytest.mark.parametrize("name", QUICK)
def test_a_right_gradient_passes_in_every_form(name: str) -> None:
    assert_every_form_passes(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in FORWARD if name not in QUICK])
def test_every_right_gradient_passes_in_every_form(name: str) -> None:
    assert_every_form_passes(name)
