"""A loss that is returned for each sample: its upstream is another number for each, as where the user weighs samples.

(1 + eps*q)*(y - t)*up.mean()    is right only where all samples have the same upstream
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from symgrad.handwritten.hearing import Hearing
from symgrad.handwritten.hypotheses import Cause
from symgrad.handwritten.samples import Target, agrees
from symgrad.handwritten.scenes import Array, Scene
from symgrad.validate.autograd import reference
from symgrad.validate.certificate import has_torch
from symgrad.validate.kernels import Call

POINTS = 4
TOLERANCE, SINGLE = 1e-6, 1e-3
"""What rounding and ill conditions may do, of the largest element; a mistake is of the size of the gradient."""
_INSTEAD: tuple[tuple[str, Callable[[Array], Array]], ...] = (
    ("is ignored", np.ones_like),
    ("is averaged over the samples", lambda u: np.full_like(u, np.mean(u))),
    ("is summed over the samples", lambda u: np.full_like(u, np.sum(u))),
    ("is applied twice", np.square),
    ("of the first sample is used for all", lambda u: np.full_like(u, u.ravel()[0])),
)


def cause_of_weights(hearing: Hearing) -> tuple[Target, Cause] | None:
    """What is wrong where each sample has its own upstream; None if nothing is."""
    if not hearing.caller.differentiates or not hearing.program.is_loss or not has_torch():
        return None
    heard = [h for p in hearing.normal(POINTS) for h in _heard(hearing, hearing.caller.scene(p))]
    for target in hearing.targets:
        own = [(scene, u, got[target.name]) for scene, u, got in heard]
        wrong = [h for h in own if not _explains(h[0], h[1], h[2], target)]
        if wrong:
            scene, u, got = wrong[0]
            right = _right(scene, u, target)
            at = np.unravel_index(int(np.nanargmax(np.abs(got - right))), right.shape)
            said = f"got {float(got[at]):.6g}, right is {float(right[at]):.6g} at {scene.point.label}"
            for text, change in _INSTEAD:
                if all(_explains(s, change(w), g, target) for s, w, g in own):
                    return target, Cause("upstream", f"the upstream of the loss of each sample {text}: {said}")
            return target, Cause("upstream", f"wrong where samples have different upstreams: {said}")
    return None


def _heard(hearing: Hearing, scene: Scene) -> list[tuple[Scene, Array, dict[str, Array]]]:
    """The gradients under an upstream by sample, where the function gives the loss of each."""
    shape = np.shape(scene.values[hearing.program.loss.name])
    if int(np.prod(shape)) < 2:
        return []
    values = hearing.caller(scene).values
    if not values or values[0].shape != shape:
        return []
    weights = 0.5 + np.random.default_rng((hearing.seed, len(shape), *shape)).random(shape)
    answer = hearing.caller(scene, weights)
    return [(scene, weights, dict(answer.gradients))]


def _right(scene: Scene, weights: Array, target: Target) -> Array:
    point, name = scene.point, f"d{scene.program.loss.name}"
    call = Call(point.inputs, point.parameters, {**point.upstream, name: weights})
    return np.asarray(reference(scene.program, (target.name,), call).gradients[target.name])


def _explains(scene: Scene, weights: Array, got: Array, target: Target) -> bool:
    right = _right(scene, weights, target)
    tolerance = SINGLE if got.dtype == np.float32 else TOLERANCE
    size = float(np.max(np.abs(right[np.isfinite(right)]), initial=0.0))
    return agrees(np.where(np.isfinite(right), got, right), right, tolerance * size, tolerance)
