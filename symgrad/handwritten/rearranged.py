"""Other axes: what is computed along the columns instead of the rows, or over all elements together.

The right gradient is taken at inputs whose two axes are swapped, or joined to one, and put back in place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import combinations

import numpy as np

from symgrad.algebra.show import show
from symgrad.algebra.terms import ONE, Term
from symgrad.formula.program import Program
from symgrad.handwritten.constants import Constant, Measured, identify, ratio
from symgrad.handwritten.hypotheses import Cause, Evidence, Hypothesis
from symgrad.handwritten.samples import Target
from symgrad.handwritten.scenes import Array, Scene
from symgrad.validate.backends import EvaluationError

Arrays = Mapping[str, Array]
Arranged = Callable[[Array, int, int], Array]


def by_rearranged(evidence: Evidence, program: Program) -> Cause | None:
    """The cause where the gradient is that along other axes, up to a constant factor."""
    return evidence.first(_hypotheses(evidence, program))


def _hypotheses(evidence: Evidence, program: Program) -> Iterator[Hypothesis]:
    target = evidence.samples[0].target
    axes = list(dict.fromkeys(e for i in program.inputs for e in i.shape if e.op == "dim"))
    for a, b in combinations(axes, 2):
        if not _is_possible(program, a, b):
            continue
        ways: tuple[tuple[str, Arranged, Arranged], ...] = (
            (f"what runs along the axis {show(b)} runs along the axis {show(a)} instead, and vice versa", _swap, _swap),
            (f"what runs along one of the axes {show(a)} and {show(b)} runs over both", _row, _back),
            (f"what runs along one of the axes {show(b)} and {show(a)} runs over both", _column, _back),
        )
        for text, there, back in ways:
            yield from _up_to_a_factor(text, _Elsewhere(program, target, (a, b), there, back), evidence, program)


def _up_to_a_factor(text: str, f: _Elsewhere, evidence: Evidence, program: Program) -> Iterator[Hypothesis]:
    measured = []
    for s in evidence.wrong[:1] + evidence.samples:
        try:
            predicted = f(s.scene)
        except EvaluationError:
            return
        c = None if predicted is None else ratio(replace(s, expected=predicted))
        if c is None or not c:
            return
        measured.append(Measured(s.scene, c))
    constant = identify(measured, program)
    if constant is not None:
        more = "" if constant == Constant(ONE) else f", times {show(constant.term)}"

        def predict(scene: Scene) -> Array | None:
            found = f(scene)
            return None if found is None else constant.at(scene) * found

        yield Hypothesis(Cause("wrong_axis", text + more), predict)


class _Elsewhere:
    """The closed form at rearranged inputs, rearranged back."""

    def __init__(
        self, program: Program, target: Target, axes: tuple[Term, Term], there: Arranged, back: Arranged
    ) -> None:
        self.program, self.target, self.axes, self.there, self.back = program, target, axes, there, back

    def __call__(self, scene: Scene) -> Array | None:
        shapes = self.program.shapes
        point, a, b = scene.point, *self.axes
        inputs = {n: self._moved(x, shapes[n]) for n, x in point.inputs.items()}
        upstream = {n: self._moved(x, shapes[n]) for n, x in point.upstream.items() if n in shapes}
        other = scene.at(replace(point, inputs=inputs, upstream=upstream))
        own = shapes[self.target.name]
        got = np.asarray(other.of(self.target.form))
        if a not in own or b not in own:
            return got
        shape = np.shape(point.inputs[self.target.name])
        k, m = _places(len(shape), own, a, b)
        return self.back(got, k, m) if self.there is _swap else np.reshape(got, shape)

    def _moved(self, x: Array, shape: tuple[Term, ...]) -> Array:
        a, b = self.axes
        return self.there(x, *_places(np.ndim(x), shape, a, b)) if a in shape and b in shape else x


def _places(rank: int, shape: tuple[Term, ...], a: Term, b: Term) -> tuple[int, int]:
    """Where two axes stand, from the end."""
    return shape.index(a) - len(shape) + rank, shape.index(b) - len(shape) + rank


def _is_possible(program: Program, a: Term, b: Term) -> bool:
    """Whether every tensor has both axes, once each, or none of them."""
    outputs = {f"d{s.name}" for s in program.outputs}
    shapes = [e for n, e in program.shapes.items() if n in outputs or n in {i.name for i in program.inputs}]
    return all(s.count(a) == s.count(b) <= 1 for s in shapes)


def _swap(x: Array, k: int, m: int) -> Array:
    return np.swapaxes(x, k, m)


def _row(x: Array, k: int, m: int) -> Array:
    return _joined(x, k, m, 0)


def _column(x: Array, k: int, m: int) -> Array:
    return _joined(x, k, m, 1)


def _joined(x: Array, k: int, m: int, which: int) -> Array:
    """All elements along the second axis (or the first), where the two stand beside each other."""
    if m != k + 1:
        return x
    shape = list(np.shape(x))
    whole = shape[k] * shape[m]
    shape[k], shape[m] = (1, whole) if which == 0 else (whole, 1)
    return np.reshape(x, shape)


def _back(x: Array, k: int, m: int) -> Array:
    return x
