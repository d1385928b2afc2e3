"""torch's reference losses (`torch.testing._internal.common_nn`): loops in plain torch, against generated kernels."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest

from tests.oracles.calls import CALLS
from tests.oracles.formulas import Formulas
from tests.oracles.held import error

torch = pytest.importorskip("torch")
pytest.importorskip("expecttest", reason="torch's own test suite needs it")


@cache
def references() -> Any:
    """Name -> torch's reference."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from torch.testing._internal.common_nn import loss_reference_fns
    return loss_reference_fns


def normal(*shape: int) -> Any:
    """Random numbers, whose gradient is asked for."""
    return torch.randn(*shape, dtype=torch.float64, requires_grad=True)


def signs(n: int) -> Any:
    """1 and -1 in turn."""
    return torch.tensor([1.0, -1.0] * n, dtype=torch.float64)[:n]


Data = Callable[[], tuple[Any, ...]]
LOSSES: dict[str, tuple[str, Data, dict[str, Any]]] = {
    "KLDivLoss": ("nn.functional.kl_div", lambda: (normal(7), torch.rand(7, dtype=torch.float64)), {}),
    "NLLLoss": ("nn.functional.nll_loss", lambda: (normal(5, 4), torch.tensor([1, 0, 3, 3, 2])), {}),
    "SmoothL1Loss": ("nn.functional.smooth_l1_loss", lambda: (normal(9), 3 * torch.randn(9, dtype=torch.float64)), {}),
    "HuberLoss": ("nn.functional.huber_loss", lambda: (normal(9), 3 * torch.randn(9, dtype=torch.float64)), {}),
    "HingeEmbeddingLoss": ("nn.functional.hinge_embedding_loss", lambda: (normal(9), signs(9)), {"margin": 0.5}),
    "SoftMarginLoss": ("nn.functional.soft_margin_loss", lambda: (normal(9), signs(9)), {}),
    "MultiMarginLoss": ("nn.functional.multi_margin_loss", lambda: (normal(5, 4), torch.tensor([1, 0, 3, 3, 2])), {}),
    "CosineEmbeddingLoss": (
        "nn.functional.cosine_embedding_loss",
        lambda: (normal(6, 3), normal(6, 3), signs(6)),
        {"margin": 0.2},
    ),
    "TripletMarginLoss": (
        "nn.functional.triplet_margin_loss",
        lambda: (normal(6, 3), normal(6, 3), normal(6, 3)),
        {"margin": 0.7},
    ),
    "MarginRankingLoss": (
        "nn.functional.margin_ranking_loss",
        lambda: (normal(9), normal(9), signs(9)),
        {"margin": 0.4},
    ),
    "CrossEntropyLoss": (
        "nn.functional.cross_entropy",
        lambda: (normal(5, 4), torch.tensor([1, 0, 3, 3, 2])),
        {"label_smoothing": 0.1},
    ),
}
"""Reference -> the operation that it is of, data, options."""
NOT_HELD = {
    "KLDivLoss_log_target": "targets as logarithms",
    "NLLLossNd": "images: the same formula over more axes",
    "MultiLabelMarginLoss": "targets up to the first -1: no formula",
    "CTCLoss": "paths of varying length: no formula",
    "LinearCrossEntropyLoss": "a product of matrices and CrossEntropyLoss",
}


def test_every_reference_is_held_or_says_why_not() -> None:
    assert set(LOSSES) | set(NOT_HELD) == set(references())


@pytest.mark.parametrize("target", ["numpy", "torch"])
@pytest.mark.parametrize("name", LOSSES)
def test_a_reference_loss_agrees(name: str, target: str) -> None:
    operation, make, options = LOSSES[name]
    torch.manual_seed(4)
    data = make()
    leaves = [x for x in data if x.requires_grad]
    for reduction in ("mean", "sum"):
        got = CALLS[operation](Formulas(target), *data, **options, reduction=reduction)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch's loops make numbers of tensors
            expected = references()[name](*data, **options, reduction=reduction)
        assert error(got.detach(), expected.detach()) <= 1e-12
        if not expected.requires_grad:
            continue
        theirs = torch.autograd.grad(expected, leaves, retain_graph=True, allow_unused=True)
        ours = torch.autograd.grad(got, leaves, retain_graph=True)
        for a, b in zip(ours, theirs, strict=True):
            assert error(a, torch.zeros_like(a) if b is None else b) <= 1e-10, reduction
    assert np.isfinite(float(got.detach()))
