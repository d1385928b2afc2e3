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
    return bool(np.any(holds)) and (free == [] or not frozenset(free) <= frozenset(target.form.indices))
