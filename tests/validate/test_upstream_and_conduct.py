"""Kernels that are right at plain calls alone: other upstreams, views, a batch of none, memory that is not theirs."""

from __future__ import annotations

import numpy as np
import pytest

from symgrad.validate.autograd import judge_autograd
from symgrad.validate.conduct import judge_conduct
from symgrad.validate.empty import emptied
from symgrad.validate.kernels import Call
from symgrad.validate.points import normal_points
from symgrad.validate.special_points import special_points
from tests.validate.hand_made import CROSS_ENTROPY_NUMPY, CROSS_ENTROPY_TORCH, cross_entropy, trial

FUNCTION = """
import torch

class Ce(torch.autograd.Function):
    @staticmethod
    def forward(ctx, z, t):
        ctx.save_for_backward(z, t)
        ctx.save_for_forward(z, t)
        return -(t * torch.log_softmax(z, 1)).sum(1)

    @staticmethod
    def backward(ctx, upstream):
        z, t = ctx.saved_tensors
        return UPSTREAM, None

    @staticmethod
    def jvp(ctx, tangent, _):
        z, t = ctx.saved_tensors
        return (tangent * (torch.softmax(z, 1) - t)).sum(1)

def ce(z, t, *, reduction="mean"):
    each = Ce.apply(z, t)
    return {"mean": torch.mean, "sum": torch.sum, "none": lambda a: a}[reduction](each)
"""
RIGHT = "upstream[:, None] * (torch.softmax(z, 1) - t)"


def autograd_of(upstream: str):
    t = trial(cross_entropy(), CROSS_ENTROPY_NUMPY, FUNCTION.replace("UPSTREAM", upstream))
    return judge_autograd(t.program, t.wrt, t.kernels, list(normal_points(t.program, 0, 4)))


def conduct_of(numpy: str = CROSS_ENTROPY_NUMPY, torch: str = CROSS_ENTROPY_TORCH):
    t = trial(cross_entropy(), numpy, torch)
    return judge_conduct(t.program, t.kernels, list(normal_points(t.program, 0, 2)))


def test_a_function_that_hands_its_upstream_on_passes():
    assert autograd_of(RIGHT).passed


@pytest.mark.parametrize(
    "wrong",
    [
        "upstream.abs()[:, None] * (torch.softmax(z, 1) - t)",
        "upstream.sum() / len(z) * (torch.softmax(z, 1) - t)",
        "upstream[:, None].clamp(max=1) * (torch.softmax(z, 1) - t)",
        "upstream[:, None] * upstream.sign()[:, None] ** 2 * (torch.softmax(z, 1) - t) + 0 * upstream.std()",
    ],
)
def test_a_function_that_is_right_for_an_upstream_of_equal_numbers_alone_fails(wrong):
    got = autograd_of(wrong)
    right = "sign()[:, None] ** 2" in wrong
    assert got.passed is right, got.failure
    if not right:
        assert "upstream" in str(got.failure)


BODY = 'def grad(z, t, *, reduction="mean"):\n'


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("if z.strides[0] == 0: z = 2 * z", "broadcast inputs"),
        ("if not z.size: raise ValueError('nothing')", "raised ValueError: nothing"),
        ("if not z.size: return np.zeros((1, 1))", "has shape (1, 1)"),
    ],
)
def test_a_numpy_kernel_that_is_wrong_on_views_or_on_nothing_fails(statement, said):
    assert BODY in CROSS_ENTROPY_NUMPY
    got = conduct_of(CROSS_ENTROPY_NUMPY.replace(BODY, f"{BODY}    {statement}\n"))
    assert not got.passed
    assert said in str(got.failure)


def test_a_torch_kernel_that_writes_to_its_input_fails():
    wrong = CROSS_ENTROPY_TORCH.replace("    v = ", "    with torch.no_grad():\n        t.mul_(2)\n    v = ")
    got = conduct_of(torch=wrong)
    assert "the torch kernel wrote to t" in str(got.failure)


def test_right_kernels_pass():
    assert conduct_of().passed


def test_a_batch_of_none_keeps_the_other_axes():
    p = cross_entropy()
    (point,) = normal_points(p, 0, 1)
    got = emptied(p, Call(point.inputs, point.parameters, point.upstream))
    assert got is not None
    assert {n: a.shape for n, a in got.inputs.items()} == {n: (0, a.shape[1]) for n, a in point.inputs.items()}
    assert got.reduction == "sum"


def test_logits_of_minus_infinity_leave_something_in_each_row():
    p = cross_entropy()
    found = [q.inputs["z"] for seed in range(4) for q in special_points(p, seed) if "infinitely small" in q.label]
    assert found
    assert all(np.any(z == -np.inf) and np.all(np.isfinite(z).any(axis=1)) for z in found)
