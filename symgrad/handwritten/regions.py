"""Where a gradient is wrong: a condition of the formula, a threshold, or a kink tells wrong elements from right ones.

wrong where delta < Abs(r[i]), and there it is 2 times the gradient
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Any

import numpy as np

from symgrad.algebra.build import add, compare, negation, substitute, where
from symgrad.algebra.terms import MINUS_ONE, ONE, ZERO, Term, extent, node, walk
from symgrad.formula.program import Program
from symgrad.handwritten.candidates import Candidate, accesses, candidates
from symgrad.handwritten.constants import Measured, identify, named
from symgrad.handwritten.factors import named as named_factor
from symgrad.handwritten.factors import products
from symgrad.handwritten.hypotheses import Cause, Evidence, Hypothesis, Predict, varied
from symgrad.handwritten.samples import Sample, Target
from symgrad.handwritten.scenes import Array, Scene
from symgrad.handwritten.spots import shown
from symgrad.validate.precise import Definition

ENOUGH_WRONG, ENOUGH_RIGHT = 2, 4
TRIVIAL = 1e-200
ROUNDED = 10
"""Times what rounding may do: smaller elements tell nothing."""


@dataclass(frozen=True)
class Region:
    """Elements at which a condition holds. `text` says which; `term`: 1 there and 0 elsewhere."""

    text: str
    term: Term
    where: tuple[Definition, ...]

    def mask(self, scene: Scene, indices: Sequence[Term]) -> Array | None:
        """Whether it holds, by element."""
        v = Candidate(self.term, self.where).at(scene, indices)
        return None if v is None else np.asarray(v != 0)


def regions(program: Program, target: Target, kinks: Sequence[Any]) -> list[Region]:
    """Conditions of the formula along the axes of a gradient, both ways, then those on positions."""
    indices = target.form.indices
    definitions = {d.name: d for form in target.forms for d in form.where}
    found: dict[Term, None] = {}
    for c, own in _of_formula(program, target, kinks):
        found.update(dict.fromkeys(renamed(c, own, indices)))
    booleans = {i.name for i in program.inputs if i.dtype == "bool"}
    for t in accesses(program, indices, booleans=True):
        found.setdefault(node("fn", (t,), "truth") if t.data in booleans else compare("<", ZERO, t), None)
    found.update(dict.fromkeys(_positions(indices)))
    out = []
    for c in found:
        for way in (c, negation(c)):
            if way.op in ("cmp", "and", "or", "not", "fn"):
                out.append(Region(bare(shown(way)), where(way, ONE, ZERO), tuple(definitions.values())))
    return out


def bare(text: str) -> str:
    """A condition without the parentheses around it, where these are a pair."""
    depth = 0
    for k, c in enumerate(text):
        depth += (c == "(") - (c == ")")
        if depth == 0:
            return text[1:-1] if k == len(text) - 1 > 0 and not set(text) & set("&|") else text
    return text


def _of_formula(program: Program, target: Target, kinks: Sequence[Any]) -> Iterator[tuple[Term, Sequence[Term]]]:
    """Conditions of the closed forms, of the statements, and on both sides of kinks, with their indices."""
    bodies = [(form.closed, form.indices) for form in target.forms]
    bodies += [(d.body, tuple(d.indices)) for form in target.forms for d in form.where]
    bodies += [(s.body, s.indices) for s in program.statements]
    for body, own in bodies:
        yield from ((c, own) for c in _conditions(body))
    for kink in kinks:
        if kink.at.op == "cmp":
            a, b = kink.at.args
            free = sorted(kink.at.free, key=lambda i: str(i.data))
            yield from ((c, free) for c in (compare("<", a, b), compare("<", b, a)))


def _conditions(t: Term) -> Iterator[Term]:
    for x in walk(t):
        if x.op in ("where", "iv"):
            for c in walk(x.args[0]):
                if c.op == "cmp" and (c.data in ("<", "<=") or (c.data == "==" and _is_of_whole(c))):
                    yield c
        if x.op == "fn" and x.data in ("Abs", "relu", "sign", "Heaviside"):
            yield compare("<", ZERO, x.args[0])
        if x.op == "fn" and x.data == "clip":
            yield compare("<", x.args[0], x.args[1])
            yield compare("<", x.args[2], x.args[0])
        if x.op == "fn" and x.data in ("Max", "Min") and len(x.args) == 2:
            yield compare("<", *x.args)


def _is_of_whole(c: Term) -> bool:
    """Whether it compares an index with something: j == t[i]."""
    return any(a.op == "idx" for a in c.args)


def renamed(c: Term, own: Sequence[Term], indices: Sequence[Term]) -> Iterator[Term]:
    """A condition with its free indices read as those of the gradient, where the extents allow."""
    free = [i for i in own if i in c.free]
    if frozenset(free) != c.free or len(free) > len(indices):
        return
    for chosen in permutations(indices, len(free)):
        if all(extent(i) is extent(k) for i, k in zip(chosen, free, strict=True)):
            yield substitute(c, dict(zip(free, chosen, strict=True)))


def _positions(indices: Sequence[Term]) -> Iterator[Term]:
    for i in indices:
        if str(i.data) != "...":
            yield compare("==", i, ZERO)
            yield compare("==", i, add(extent(i), MINUS_ONE))
    for k, i in enumerate(indices):
        for j in indices[k + 1 :]:
            if extent(i) is extent(j):
                yield compare("==", i, j)
                yield compare("<", i, j)
                yield compare("<", j, i)


def is_partial(samples: Sequence[Sample]) -> bool:
    """Whether some elements are right though their gradient is not 0, and others wrong."""
    right = sum(int(np.sum(surely_right(s))) for s in samples if s.fits)
    wrong = sum(int(np.sum(s.wrong)) for s in samples if s.fits)
    return all(s.fits for s in samples) and right >= ENOUGH_RIGHT and wrong >= ENOUGH_WRONG


def surely_right(s: Sample) -> Array:
    """Elements that are right though they are not 0, nor what rounding leaves of it."""
    least = np.maximum(TRIVIAL, ROUNDED * np.broadcast_to(np.asarray(s.noise), s.expected.shape))
    return np.asarray(~s.wrong & np.isfinite(s.expected) & (np.abs(s.expected) > least))


def by_region(evidence: Evidence, program: Program, kinks: Sequence[Any], explained: str = "") -> Cause | None:
    """The cause where a condition tells wrong elements from right ones.

    `explained`: only if what is wrong there can be said too, and is a "constant" or a "factor".
    """
    if not is_partial(evidence.samples):
        return None
    target = evidence.samples[0].target
    for region in regions(program, target, kinks):
        if tells(region, evidence.samples, target) and tells(region, evidence.many, target):
            inside = _inside(region, evidence, program, explained != "constant")
            if inside or not explained:
                return Cause("region", f"wrong where {region.text}{inside}")
    return None


def by_place(evidence: Evidence, program: Program, kinks: Sequence[Any]) -> Cause | None:
    """The cause where all that is wrong lies in a small region, though not all that lies there is wrong."""
    target = evidence.samples[0].target
    best: tuple[float, Region] | None = None
    for region in regions(program, target, kinks) if is_partial(evidence.samples) else ():
        share = _share(region, evidence.many, target)
        if share is not None and (best is None or share < best[0]):
            best = share, region
    return None if best is None else Cause("region", f"wrong only where {best[1].text}, though not everywhere there")


def _share(region: Region, samples: Sequence[Sample], target: Target) -> float | None:
    """How much of what is right lies in it too; None where something else is wrong, or it is as good as everywhere."""
    inside = outside = 0
    for s in samples:
        mask = region.mask(s.scene, target.form.indices) if s.fits else None
        if mask is None or np.any(s.wrong & ~np.broadcast_to(mask, s.got.shape)):
            return None
        mask = np.broadcast_to(mask, s.got.shape)
        inside += int(np.sum(surely_right(s) & mask))
        outside += int(np.sum(surely_right(s) & ~mask))
    wrong = sum(int(np.sum(s.wrong)) for s in samples)
    return inside / (inside + outside) if outside > wrong + inside else None


def tells(region: Region, samples: Sequence[Sample], target: Target) -> bool:
    """Whether the wrong elements are those of the region, and those that are surely right outside of it.

    Where parameters make nothing wrong at all, nothing is said.
    """
    inside = outside = 0
    telling = {_parameters(s) for s in samples if not s.is_right}
    for s in samples:
        if _parameters(s) not in telling:
            continue
        mask = region.mask(s.scene, target.form.indices) if s.fits else None
        if mask is None:
            return False
        mask = np.broadcast_to(mask, s.got.shape)
        if np.any(s.wrong & ~mask) or np.any(surely_right(s) & mask):
            return False
        inside += int(np.sum(s.wrong))
        outside += int(np.sum(surely_right(s)))
    return inside >= ENOUGH_WRONG and outside >= ENOUGH_RIGHT


def _parameters(s: Sample) -> tuple[float, ...]:
    return tuple(float(v) for v in s.scene.point.parameters.values())


def _inside(region: Region, evidence: Evidence, program: Program, factors: bool) -> str:
    """What is wrong there, if that can be said; with `factors` not constant ones alone."""
    target = evidence.samples[0].target
    masked = []
    for s in evidence.many:
        mask = region.mask(s.scene, target.form.indices)
        if mask is not None:
            mask = np.broadcast_to(mask, s.got.shape) & np.isfinite(s.expected)
            if not np.any(mask & (s.expected != 0)):
                continue
            masked.append((s, mask, np.where(mask, s.got, 0.0), np.where(mask, s.expected, 0.0)))
    if masked and not any(np.any(g) for _, _, g, _ in masked):
        return ": it is 0 there"
    found = _constant_inside(masked, program)
    if found is not None:
        return f": {found.detail} there"
    if not factors:
        return ""
    pairs = []
    told = varied([m[0] for m in masked if not m[0].is_right], 4)
    for s, mask, g, t in (m for m in masked if any(m[0] is x for x in told)):
        with np.errstate(all="ignore"):
            pairs.append((s, np.where(mask & (t != 0), g / t, np.nan)))
    for p in products(pairs, program, candidates(program, target)):
        predict = _only_there(region, target, lambda scene, p=p: p.at(scene, target.form.indices))
        cause = named_factor(p, target)
        if evidence.holds(Hypothesis(cause, predict)):
            return f": {cause.detail} there"
    return ""


def _constant_inside(masked: Sequence[tuple[Sample, Array, Array, Array]], program: Program) -> Cause | None:
    measured = []
    for s, _, g, t in masked:
        top = float(np.max(np.abs(t), initial=0.0))
        if top == 0:
            return None
        c = float((t / top).ravel() @ (g / top).ravel() / ((t / top).ravel() @ (t / top).ravel()))
        if not np.all(np.abs(g - c * t) <= 1e-7 * top * max(abs(c), 1e-3)):
            return None
        measured.append(Measured(s.scene, c))
    found = identify(measured, program)
    return None if found is None else named(found, program)


def _only_there(region: Region, target: Target, factor: Any) -> Predict:
    def predict(scene: Scene) -> Array | None:
        mask, f = region.mask(scene, target.form.indices), factor(scene)
        if mask is None or f is None:
            return None
        right = scene.of(target.form)
        return np.where(np.broadcast_to(mask, right.shape) & (right != 0), right * f, right)

    return predict
