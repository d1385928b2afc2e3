"""For machines: statements in the forms that keep their digits (`rules/machine`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from symgrad.formula.program import Statement
from symgrad.rewrite.context import Context
from symgrad.rewrite.engine import rewrite
from symgrad.rules.machine import MACHINE


def sharpen(statements: Sequence[Statement], context: Context) -> tuple[Statement, ...]:
    """The statements in accurate forms; the steps are recorded under `kernel of NAME`."""
    done = []
    for s in statements:
        context.subject = f"kernel of {s.name}"
        done.append(replace(s, body=rewrite(s.body, MACHINE, context)))
    return tuple(done)
