"""`_contracted` of generated NumPy modules against einsum."""

from __future__ import annotations

import math

import numpy as np
import pytest

from symgrad.emit.numpy_helpers import HELPERS

SPECS = [
    "ij,kj->ik",
    "ij,kj->ki",
    "ijk,kl->ijl",
    "ijk,kl->ilj",
    "ijk,ijl->ikl",
    "ijk,ijl->ilk",
    "ijpqkl,imjkl->impq",
    "...ijpqkl,imjkl->...impq",
    "imjkl,...ijpqkl->...impq",
    "...ijkl,ijmno->...iklmno",
    "nijkl,nicklm->ijcm",
    "...ij,...kj->...ik",
    "...ij,kj->k...i",
    "...j,...j->...",
    "ij,ij->",
    "i,i->",
]


def contracted():
    space = {"np": np, "math": math}
    exec(compile(HELPERS["_contracted"], "helper", "exec"), space)
    return space["_contracted"]


@pytest.mark.parametrize("spec", SPECS)
def test_a_contraction_is_that_of_einsum(spec):
    rng = np.random.default_rng(0)
    sizes = dict(zip("ijklmnopqc", (2, 3, 4, 5, 3, 2, 4, 3, 6, 2), strict=True))
    left, right = spec.split("->")[0].split(",")
    arrays = [
        rng.standard_normal(([2, 3] if t.startswith("...") else []) + [sizes[i] for i in t.removeprefix("...")])
        for t in (left, right)
    ]
    assert np.allclose(contracted()(spec, *arrays), np.einsum(spec, *arrays), rtol=1e-13, atol=1e-13)


def test_both_operands_may_be_the_same_array():
    x = np.random.default_rng(1).standard_normal((4, 5))
    assert np.allclose(contracted()("ij,kj->ki", x, x), x @ x.T)
