"""Kinks: elements that are wrong only on a kink, by another convention than torch's.

wrong only where x[i] == 0
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from symgrad.algebra.build import where
from symgrad.algebra.terms import ONE, ZERO, Term
from symgrad.formula.program import Program
from symgrad.handwritten.hypotheses import Cause
from symgrad.handwritten.regions import Region, bare, renamed
from symgrad.handwritten.samples import Sample
from symgrad.handwritten.scenes import Array, is_batch
from symgrad.handwritten.spots import shown
from symgrad.validate.backends import EvaluationError


def by_kink(samples: Sequence[Sample], program: Program, kinks: Sequence[Any]) -> Cause | None:
    """The cause where only elements on a kink are wrong: its convention is another."""
    wrong = [s for s in samples if not s.is_right and s.fits]
    known = [k for k in kinks if k.at.op == "cmp"]
    alone = next(([k] for k in known if all(_on(k.at, s) for s in wrong)), None)
    told = alone or [k for k in known if any(_on(k.at, s) for s in wrong)]
    if not wrong or not told or not all(any(_on(k.at, s) for k in told) for s in wrong):
        return None
    s, kink = wrong[0], next(k for k in told if _on(k.at, wrong[0]))
    got, right = float(s.got[s.worst]), float(s.expected[s.worst])
    said = f"got {got:.6g}, and by torch's convention ({kink.of}: {kink.convention}) it is {right:.6g}"
    places = " or ".join(dict.fromkeys(bare(shown(k.at)) for k in told))
    return Cause("kink", f"wrong only where {places}: {said}", term=kink.at)


def _on(condition: Term, s: Sample) -> bool:
    """Whether the kink holds at every wrong element, or, where its indices are others, anywhere."""
    target = s.target
    free = sorted(condition.free, key=lambda i: str(i.data))
    for c in renamed(condition, free, target.form.indices):
        mask = Region("", where(c, ONE, ZERO), tuple(d for f in target.forms for d in f.where)).mask(
            s.scene, target.form.indices
        )
        if mask is not None and np.all(np.broadcast_to(mask, s.got.shape)[s.wrong]):
            return True
    try:
        holds = s.scene.term(where(condition, ONE, ZERO), free)
    except EvaluationError:
        return False
    if not np.any(holds):
        return False
    if not frozenset(free) <= frozenset(target.form.indices):
        return True
    return any(_in_line(holds, free, i, s) for i in free)


def _in_line(holds: Array, free: Sequence[Term], along: Term, s: Sample) -> bool:
    """Whether it holds somewhere along an axis wherever an element is wrong: a kink of another element of its row."""
    rest = [i for i in free if i is not along]
    line = np.any(np.asarray(holds != 0), axis=free.index(along))
    shape = [s.got.shape[s.target.form.indices.index(i)] if i in rest else 1 for i in s.target.form.indices]
    if any(is_batch(i) for i in s.target.form.indices):
        return False
    order = [rest.index(i) for i in s.target.form.indices if i in rest]
    return bool(np.all(np.broadcast_to(np.transpose(line, order).reshape(shape), s.got.shape)[s.wrong]))
