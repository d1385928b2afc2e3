"""Axes: a gradient that is transposed, symmetrized, not summed, summed over too many axes or over others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import combinations, permutations, product

import numpy as np

from symgrad.algebra.build import Fresh, open_reduction
from symgrad.algebra.terms import Term, extent
from symgrad.handwritten.hypotheses import Cause, Evidence, Hypothesis, Predict
from symgrad.handwritten.samples import Target
from symgrad.handwritten.scenes import Array, Form, Scene, is_batch
from symgrad.handwritten.spots import spots

MOST_AXES = 5


def by_axes(evidence: Evidence) -> Cause | None:
    """The cause where the elements are right and stand elsewhere."""
    target = evidence.samples[0].target
    rank = evidence.samples[0].expected.ndim
    elsewhere = [*_transposed(target, rank), *_symmetric(target, rank), *_reshaped(target, evidence)]
    return evidence.first(elsewhere)


def by_spread(evidence: Evidence) -> Cause | None:
    """The cause where elements are sums or means of the right ones, or one summand stands for all."""
    target = evidence.samples[0].target
    return evidence.first([*_handed_back(target), *_one_of_many(target)])


def by_sums(evidence: Evidence) -> Cause | None:
    """The cause where the shape is wrong, because other axes were summed over."""
    return evidence.first(_summed(evidence.samples[0].target, evidence.samples[0].got.ndim))


def _transposed(target: Target, rank: int) -> Iterator[Hypothesis]:
    if not 2 <= rank <= 4:
        return
    for order in permutations(range(rank)):
        if order != tuple(range(rank)):
            text = "transposed" if rank == 2 else f"the axes are in the order {_axes(target, order)}"
            yield Hypothesis(Cause("transposed", text), _permuted(target, order))


def _handed_back(target: Target) -> Iterator[Hypothesis]:
    """Sums or means over axes, the same for every element along them."""
    indices = [i for i in target.form.indices if not is_batch(i)]
    for count in range(1, len(indices) + 1):
        for chosen in combinations(indices, count):
            for verb, f in (("summed", np.sum), ("averaged", np.mean)):
                names = ", ".join(map(_extent_name, chosen))
                text = f"{verb} over the axis {names}, the same for every element along it"
                at = tuple(target.form.indices.index(i) - len(target.form.indices) for i in chosen)
                yield Hypothesis(Cause("wrong_axis", text), partial(_kept, target, at, f))


def _one_of_many(target: Target) -> Iterator[Hypothesis]:
    """The first or the last summand alone."""
    fresh, indices = Fresh(), target.form.indices
    for spot in spots(target.form.closed, indices, fresh):
        if spot.linear and spot.term.op == "red" and spot.term.data == "sum" and len(spot.context) == len(indices):
            body, bound = open_reduction(spot.term, fresh)
            for at, word in ((0, "first"), (-1, "last")):
                text = f"not summed over the axis {', '.join(map(_extent_name, bound))}: only the {word} is there"
                predict = partial(_only, spot.put(body), target.form, tuple(bound), at)
                yield Hypothesis(Cause("wrong_axis", text), predict)


def _only(body: Term, form: Form, bound: Sequence[Term], at: int, scene: Scene) -> Array:
    a = scene.factor * scene.term(body, [*bound, *form.indices], form.where)
    count = sum(scene.batch_rank if is_batch(b) else 1 for b in bound)
    return np.asarray(np.reshape(a, (-1, *a.shape[count:]))[at])


def _kept(target: Target, axes: tuple[int, ...], f: Callable[..., Array], scene: Scene) -> Array:
    right = scene.of(target.form)
    return np.broadcast_to(f(right, axis=axes, keepdims=True), right.shape)


def _permuted(target: Target, order: Sequence[int]) -> Predict:
    def predict(scene: Scene) -> Array | None:
        right = scene.of(target.form)
        return np.transpose(right, order) if right.ndim == len(order) else None

    return predict


def _axes(target: Target, order: Sequence[int]) -> str:
    names = [str(i.data) for i in target.form.indices]
    return f"[{', '.join(names[k] for k in order)}]" if len(names) == len(order) else str(list(order))


def _symmetric(target: Target, rank: int) -> Iterator[Hypothesis]:
    """Conventions for symmetric matrices, and forgotten symmetrizations."""
    indices = target.form.indices
    if rank < 2 or extent(indices[-1]) is not extent(indices[-2]):
        return

    def made(f: object) -> Predict:
        def predict(scene: Scene) -> Array | None:
            right = scene.of(target.form)
            return f(right, np.swapaxes(right, -1, -2))  # type: ignore[operator,no-any-return]

        return predict

    def diagonal(g: Array) -> Array:
        return g * np.eye(g.shape[-1])

    yield Hypothesis(
        Cause("extra_term", "the convention of symmetric matrices: G + G.T - diag(G) for the gradient G"),
        made(lambda g, t: g + t - diagonal(g)),
    )
    yield Hypothesis(Cause("extra_term", "symmetrized: (G + G.T)/2 for the gradient G"), made(lambda g, t: (g + t) / 2))
    yield Hypothesis(Cause("extra_term", "G + G.T for the gradient G"), made(lambda g, t: g + t))
    yield Hypothesis(Cause("missing_term", "only the lower triangle is there"), made(lambda g, t: np.tril(g)))
    yield Hypothesis(Cause("missing_term", "only the upper triangle is there"), made(lambda g, t: np.triu(g)))
    yield Hypothesis(Cause("missing_term", "only the diagonal is there"), made(lambda g, t: diagonal(g)))


def _reshaped(target: Target, evidence: Evidence) -> Iterator[Hypothesis]:
    """The right elements in the right order, in another shape."""
    s = evidence.samples[0]
    if s.fits or s.got.size != s.expected.size:
        return
    text = f"has shape {list(s.got.shape)}, expected {list(s.expected.shape)}; its elements are right"
    ways: list[Callable[[Array], Array]] = [partial(np.expand_dims, axis=k) for k in range(s.expected.ndim + 1)]
    for way in (np.ravel, np.squeeze, *ways):
        yield Hypothesis(Cause("shape", text), lambda scene, way=way: way(scene.of(target.form)))  # type: ignore[misc]


def _summed(target: Target, rank: int) -> Iterator[Hypothesis]:
    """Sums over other axes: of the gradient itself, then of what stands under one of its sums."""
    indices = target.form.indices
    yield from _sums_of(target.form.closed, target.form, indices, (), rank)
    fresh = Fresh()
    for spot in spots(target.form.closed, indices, fresh):
        if spot.linear and spot.term.op == "red" and spot.term.data == "sum" and len(spot.context) == len(indices):
            body, bound = open_reduction(spot.term, fresh)
            yield from _sums_of(spot.put(body), target.form, indices, bound, rank)


def _sums_of(body: Term, form: Form, indices: Sequence[Term], bound: Sequence[Term], rank: int) -> Iterator[Hypothesis]:
    every = (*indices, *(b for b in bound if b not in indices))
    if len(every) > MOST_AXES:
        return
    for count in range(len(every) + 1):
        for dropped in combinations(every, count):
            if set(dropped) == set(bound) and bound:
                continue
            kept = [i for i in every if i not in dropped]
            for order in permutations(kept):
                flats = (False, True) if any(map(is_batch, order)) else (False,)
                for mean, flat in product((False, True) if dropped else (False,), flats):
                    if order == tuple(indices) and not dropped:
                        continue
                    yield Hypothesis(
                        Cause("wrong_axis", _told(indices, bound, dropped, mean)),
                        _sum(body, form, order, dropped, mean, flat),
                    )


def _sum(body: Term, form: Form, order: Sequence[Term], dropped: Sequence[Term], mean: bool, flat: bool) -> Predict:
    """`flat`: several batch axes stand as one."""

    def predict(scene: Scene) -> Array | None:
        key = ("summed", body, tuple(dropped))
        if key not in scene.memo:
            lead = [*dropped, *(i for i in sorted(order, key=lambda i: i.digest))]
            a = scene.factor * scene.term(body, lead, form.where)
            rank, at = scene.batch_rank, next((k for k, i in enumerate(lead) if is_batch(i)), 0)
            batch = a.shape[at : at + rank] if any(map(is_batch, lead)) else ()
            if batch:
                a = a.reshape((*a.shape[:at], -1, *a.shape[at + rank :]))
            scene.memo[key] = a.sum(axis=tuple(range(len(dropped)))), lead[len(dropped) :], batch
        a, own, batch = scene.memo[key]
        a = np.transpose(a, [own.index(i) for i in order])
        if batch and not flat and any(map(is_batch, order)):
            at = next(k for k, i in enumerate(order) if is_batch(i))
            a = a.reshape((*a.shape[:at], *batch, *a.shape[at + 1 :]))
        count = np.prod([scene.dims.get(str(extent(i).data), 1) for i in dropped]) if mean else 1
        return np.asarray(a / count)

    return predict


def _told(indices: Sequence[Term], bound: Sequence[Term], dropped: Sequence[Term], mean: bool) -> str:
    def named(axes: Sequence[Term]) -> str:
        return ", ".join(_extent_name(i) for i in axes)

    over = [i for i in dropped if i not in bound]
    missing = [b for b in bound if b not in dropped]
    verb = "averaged" if mean else "summed"
    if over and missing:
        return f"{verb} over the axis {named(over)} instead of {named(missing)}"
    if over:
        return f"{verb} over the axis {named(over)}, which it must not be"
    return f"not summed over the axis {named(missing)}"


def _extent_name(i: Term) -> str:
    from symgrad.algebra.show import show

    return "..." if is_batch(i) else show(extent(i))
