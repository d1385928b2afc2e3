"""Forward mode of the generated torch function, held against its gradients, which have been judged at the point.

For any direction v of the inputs and any upstream u of the outputs <u, J v> = <J' u, v>: the tangent that the kernel
gives is on the left, what reverse mode gives on the right.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from symgrad.validate.kernels import Call, Data, TorchKernels, guarded
from symgrad.validate.points import Point
from symgrad.validate.verdict import EPSILON, ROUNDING, TOLERANCE, Failure, Judgement


def judge_tangents(
    verdict: Judgement, kernel: TorchKernels, call: Call, point: Point, gradients: Data, noise: Mapping[str, Any]
) -> None:
    """The tangents of the outputs along one random direction, drawn from another stream than the point.

    `gradients`: J' u for the upstream u of the call, of a loss for its mean, as judged; `noise`: what each may be off.
    """
    rng = np.random.default_rng((*map(ord, point.label), 47))
    along = {n: np.asarray(rng.standard_normal(g.shape)) for n, g in gradients.items()}
    tangents = guarded("torch forward mode", lambda: kernel.tangents(call, along))
    at = replace(point, label=f"{point.label}, forward mode")
    for name, a in tangents.items():
        if not np.all(np.isfinite(a)):
            verdict.fail(Failure(f"torch tangent of {name} is not finite", at.label))
            return
    ours = np.concatenate([(call.upstream.get(f"d{n}", 1.0) * a).ravel() for n, a in tangents.items()])
    theirs = np.concatenate([(along[n] * g).ravel() for n, g in gradients.items()])
    allowed = sum(float(np.sum(np.abs(along[n]) * noise[n])) for n in gradients)
    allowed += TOLERANCE * float(np.sum(np.abs(theirs))) + ROUNDING * EPSILON * float(np.sum(np.abs(ours)))
    verdict.compare("torch tangent along a random direction, times upstream", at, ours.sum(), theirs.sum(), allowed)
