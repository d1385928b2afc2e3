"""Ways in which a hand-written gradient may be written, called and fail."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from symgrad import UsageError, check
from symgrad.handwritten.process import Process, TheirError
from symgrad.handwritten.trial import Options, check_gradient
from symgrad.pipeline import derive


def gradient(x: Any, t: Any) -> Any:
    return 2 * (x - t) / len(x)


@pytest.mark.parametrize(
    "function",
    [
        gradient,
        lambda x, t: (gradient(x, t),),
        lambda x, t: {"x": gradient(x, t)},
        lambda x, t: (gradient(x, t), None),
        lambda x, t: (np.mean((x - t) ** 2), gradient(x, t)),
        lambda x, t: ((x - t) ** 2, gradient(x, t)),
        lambda x, t: list(gradient(x, t)),
    ],
)
def test_a_gradient_is_read_in_every_layout(function: Callable[..., Any]) -> None:
    assert check("mse", function).passed


@pytest.mark.parametrize(
    ("function", "kind", "said"),
    [
        (lambda x, t: (np.sum((x - t) ** 2), gradient(x, t)), "reduction", "not the value"),
        (lambda x, t: None, "shape", "None for the gradient of x"),
        (lambda x, t: "text", "shape", "a str"),
        (lambda x, t: gradient(x, t)[:, None], "shape", "its elements are right"),
        (lambda x, t: x.nothing, "error", "AttributeError"),
    ],
)
def test_what_cannot_be_a_gradient_is_said_to_be_so(function: Callable[..., Any], kind: str, said: str) -> None:
    result = check("mse", function)
    assert not result.passed
    assert result.cause is not None
    assert result.cause.kind == kind
    assert said in result.cause.detail


def test_objectives_of_xgboost_and_lightgbm_are_called_as_they_are() -> None:
    def xgboost(preds: Any, dtrain: Any) -> Any:
        return 2 * (preds - dtrain.get_label()), np.full_like(preds, 2.0)

    def lightgbm(y_true: Any, y_pred: Any) -> Any:
        return 2 * (y_pred - y_true), np.full_like(y_pred, 2.0)

    assert check("mse", xgboost, order=2, reduction="sum", args="x, label(t)").passed
    assert check("mse", lightgbm, order=2, reduction="sum", args="t, x").passed
    assert not check("mse", lightgbm, order=2, reduction="sum").passed
    with pytest.raises(UsageError, match="which is no argument"):
        check("mse", lightgbm, args="y, x")


def test_a_wrong_hessian_is_told_apart_from_a_right_gradient() -> None:
    result = check("mse", lambda x, t: (2 * (x - t), np.ones_like(x)), order=2, reduction="sum")
    assert result.cause is not None
    assert (result.cause.kind, result.verdict.target and result.verdict.target.what) == ("factor", "Hessian diagonal")


def test_parameters_come_by_keyword_and_may_be_given() -> None:
    def grad(x: Any, t: Any, delta: float = 1.0) -> Any:
        return np.clip(x - t, -delta, delta) / len(x)

    assert check("huber", grad).passed
    assert check("huber", lambda x, t: np.clip(x - t, -1, 1) / len(x)).passed
    assert check("huber", lambda x, t: np.clip(x - t, -2, 2) / len(x), parameters={"delta": 2}).passed
    with pytest.raises(UsageError, match="no parameter gamma"):
        check("huber", grad, parameters={"gamma": 1})


def test_an_input_that_is_written_to_is_remarked() -> None:
    def grad(x: Any, t: Any) -> Any:
        x -= t
        return 2 * x / len(x)

    result = check("mse", grad)
    assert result.passed
    assert "writes to its arguments: x" in result.text()


TORCH = """
import torch
class MSE(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, t):
        ctx.save_for_backward(x, t)
        return ((x - t) ** 2).mean()
    @staticmethod
    def backward(ctx, g):
        x, t = ctx.saved_tensors
        return g * 2 * (x - t) / len(x), None
class Ignores(MSE):
    @staticmethod
    def backward(ctx, g):
        x, t = ctx.saved_tensors
        return 2 * (x - t) / len(x), None
class Twice(MSE):
    @staticmethod
    def backward(ctx, g):
        x, t = ctx.saved_tensors
        return g * g * 2 * (x - t) / len(x), None
def plain(x, t):
    return 2 * (x - t) / x.numel()
"""


def test_an_autograd_function_is_differentiated_by_torch_under_an_upstream() -> None:
    pytest.importorskip("torch")
    names: dict[str, Any] = {}
    exec(compile(TORCH, "<torch>", "exec"), names)
    assert check("mse", names["MSE"]).passed
    assert check("mse", names["plain"], framework="torch").passed
    for name in ("Ignores", "Twice"):
        result = check("mse", names[name])
        assert result.cause is not None
        assert result.cause.kind == "upstream"


PROCESS = """
import os, time
def hang(x, t):
    time.sleep(60)
def die(x, t):
    os.abort()
def talk(x, t):
    print("this goes to standard error")
    return 2 * (x - t) / len(x)
"""


@pytest.mark.parametrize(("function", "said"), [("hang", "more than 0.5 s"), ("die", "signal SIGABRT")])
def test_a_function_that_hangs_or_crashes_is_a_negative_verdict(tmp_path: Path, function: str, said: str) -> None:
    (tmp_path / "mine.py").write_text(PROCESS)
    with Process(f"{tmp_path}/mine.py:{function}", "numpy", [], seconds=0.5) as process:
        process.ready()
        result = check_gradient(derive("mse").derivation, process, Options())
    assert result.cause is not None
    assert result.cause.kind == "error"
    assert said in result.cause.detail


def test_a_module_that_cannot_be_loaded_is_wrong_usage(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("def f(:\n")
    for target, said in (("broken.py:f", "SyntaxError"), ("none.py:f", "FileNotFoundError")):
        with pytest.raises(UsageError, match=said), Process(f"{tmp_path}/{target}", "numpy", []) as process:
            process.ready()
    with pytest.raises(UsageError, match="names no function"):
        check("mse", "nowhere")


def test_a_worker_that_is_gone_is_reported_once() -> None:
    with Process("math:sqrt", "numpy", []) as process:
        process.ready()
        process.popen.kill()
        with pytest.raises(TheirError, match="ended the process"):
            process.call({"arguments": [], "keywords": {}})


def test_what_raises_where_sizes_differ_is_looked_at_where_they_are_equal() -> None:
    def grad(z: Any, t: Any) -> Any:
        e = np.exp(z - z.max(1)[:, None])
        return (e / e.sum(1) - t) / len(z)

    result = check("softmax_cross_entropy", grad)
    assert result.cause is not None
    assert result.cause.kind == "wrong_axis"
    assert "could not be broadcast" in result.text()
