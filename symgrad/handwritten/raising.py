"""A function that raised: where it runs at equal sizes alone, what is wrong there says more than the exception."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from functools import partial

from symgrad.closing.derivation import Derivation
from symgrad.handwritten.answers import LayoutError
from symgrad.handwritten.diagnosis import diagnose
from symgrad.handwritten.equal_sizes import equal_sizes
from symgrad.handwritten.hearing import Hearing
from symgrad.handwritten.hypotheses import Cause, Evidence
from symgrad.handwritten.process import TheirError
from symgrad.handwritten.samples import Sample
from symgrad.handwritten.verdict import Verdict, most_telling, worst_of


def _same(samples: list[Sample]) -> list[Sample]:
    return samples


def raised(derivation: Derivation, hearing: Hearing, error: TheirError) -> Verdict:
    """The verdict on a function that raised."""
    if error.kind not in ("Timeout", "Crash"):
        found = _at_equal_sizes(derivation, hearing, error)
        if found is not None:
            return found
    points, calls = hearing.record.points, hearing.caller.calls
    if error.kind in ("Timeout", "Crash"):
        return Verdict(derivation.formula.name, False, Cause("error", str(error)), points=points, calls=calls)
    cause = Cause("error", f"the function raised {str(error).splitlines()[-1]}{_place(str(error))}")
    return Verdict(derivation.formula.name, False, cause, theirs=str(error), points=points, calls=calls)


def _place(text: str) -> str:
    """Where a traceback ends: the file and the line."""
    found = re.findall(r'File "([^"]*)", line (\d+)', text)
    return f" ({os.path.basename(found[-1][0])}, line {found[-1][1]})" if found else ""


def _at_equal_sizes(derivation: Derivation, hearing: Hearing, error: TheirError) -> Verdict | None:
    """What is wrong with a function that raises where sizes differ, if it runs where they are equal."""
    other = Hearing(hearing.caller, hearing.targets, hearing.kinks, hearing.seed)
    try:
        for point in equal_sizes(hearing.program, hearing.seed):
            other.look(other.caller.scene(point))
    except (TheirError, LayoutError):
        return None
    for target in other.targets:
        wrong = other.record.wrong(target)
        if not wrong:
            continue
        seen = other.record.samples[target]
        half = len(seen) // 2
        rest = partial(_same, seen[half:])
        evidence = Evidence(seen[:half], rest, rest)
        cause = diagnose(evidence, hearing.program, hearing.kinks, hearing.caller.differentiates)
        if cause.kind not in ("unknown", "region", "precision"):
            detail = f"{cause.detail} (it runs where all sizes are equal alone)"
            worst = worst_of(most_telling(wrong))
            cause = replace(cause, detail=detail)
            return Verdict(
                derivation.formula.name, False, cause, target, worst, theirs=str(error), points=other.record.points
            )
    return None
