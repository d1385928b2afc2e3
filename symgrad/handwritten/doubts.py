"""Doubts about what looks wrong: nobody is found wrong by one judge alone.

What rounding of the inputs does to the function itself is forgiven; where the closed form says that it is wrong,
differences of the formula in multiprecision must say so too. And digits that are lost within the tolerance.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from symgrad.handwritten.calling import Caller
from symgrad.handwritten.judges import by_autograd, exactly, slope_at
from symgrad.handwritten.samples import Sample
from symgrad.validate.certificate import has_torch
from symgrad.validate.verdict import EPSILON, FORGIVEN_ULP, rounded

CONFIRMED = 4
"""Wrong elements of a point that multiprecision is asked about."""
SMALLEST_OFFSET = 1e-3
"""Of the largest element: smaller ones are differences of larger numbers, and rounding of the inputs shows."""
LOST_GENTLY = 1e-6
"""The same near 0, where nothing saturates."""
LOST = 1e-3
"""Relative error from which on digits are called lost, though the absolute error is within tolerance."""


def reconsidered(sample: Sample, caller: Caller) -> Sample:
    """The sample with what rounding of the inputs does to the function itself forgiven, and other judges heard."""
    point = sample.scene.point
    moved = np.zeros(sample.got.shape)
    for seed in (29, 31) if point.is_generic else ():
        near = sample.scene.at(replace(point, inputs=rounded(point.inputs, seed)))
        answer = caller(near)
        again = (answer.gradients if sample.target.what == "gradient" else answer.diagonals)[sample.target.name]
        if again.shape == sample.got.shape:
            with np.errstate(all="ignore"):
                moved += np.nan_to_num(np.abs(np.asarray(again, dtype=float) - sample.got), posinf=0.0)
    sample = replace(sample, noise=sample.noise + FORGIVEN_ULP * moved)
    if sample.is_right or sample.target.what != "gradient":
        return sample
    if point.kind == "special" and has_torch() and np.all(np.isfinite(sample.got)):
        other = by_autograd(sample.scene, sample.target)
        also = replace(sample, expected=other)
        if np.all(np.isfinite(other)):
            doubtful = sample.wrong & ~also.wrong
            sample = replace(sample, expected=np.where(doubtful, sample.got, sample.expected))
    return _confirmed(sample)


def _confirmed(sample: Sample) -> Sample:
    """The sample with what multiprecision says of its worst elements, where that contradicts the closed form."""
    if sample.is_right or sample.scene.point.kind == "kink" or not np.isfinite(sample.got[sample.worst]):
        return sample
    expected = np.array(sample.expected)
    for _ in range(CONFIRMED):
        at = sample.worst
        slope = slope_at(sample, at)
        if slope is None or abs(slope - expected[at]) <= 1e-9 * abs(slope) + float(
            np.broadcast_to(sample.noise, expected.shape)[at]
        ):
            return sample
        expected[at] = slope
        sample = replace(sample, expected=expected.copy())
        if sample.is_right:
            return sample
    return sample


def has_lost(sample: Sample, typical: float) -> bool:
    """Whether elements are off by more than LOST of their own size, where the true gradient is that exact."""
    expected, got = sample.expected, sample.got
    normal = np.isfinite(expected) & (np.abs(expected) > 1e-290)
    label = sample.scene.point.label
    gentle = "offset" in label or "tiny" in label
    share = SMALLEST_OFFSET if "offset" in label else EPSILON / 10
    size = float(np.max(np.abs(expected[normal]), initial=0.0)) if gentle else typical
    plain = normal & ("large" in label or gentle) & (np.abs(expected) > share * size)
    least = LOST_GENTLY if "tiny" in label else LOST
    with np.errstate(all="ignore"):
        off = (normal & (got == 0) & (not gentle)) | (plain & (np.abs(got - expected) > least * np.abs(expected)))
    if not np.any(off):
        return False
    point = sample.scene.point
    moved = exactly(sample.target.form, sample.scene.program, replace(point, inputs=rounded(point.inputs, 41)))
    if moved is None:
        return False
    with np.errstate(all="ignore"):
        slack = FORGIVEN_ULP * np.abs(moved * sample.scene.factor - expected)
        return bool(np.any(off & (np.abs(got - expected) > slack)))
