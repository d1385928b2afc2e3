"""What closed forms are made from: the adjoints of a program, or tangents of its adjoints."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Protocol

from symgrad.formula.program import Statement


class Sweep(Protocol):
    """Statements from one pass over a program."""

    @property
    def cotangents(self) -> Mapping[str, str]:
        """Output -> name of its cotangent."""

    @property
    def adjoint_of(self) -> Mapping[str, Statement]:
        """Statements that may be named or written out."""

    @property
    def statements(self) -> tuple[Statement, ...]:
        """The named ones in the order of evaluation."""

    @property
    def gradient_of(self) -> Mapping[str, str]:
        """Input -> name of its statement."""

    @property
    def machine(self) -> Mapping[str, Statement]:
        """Statements for machines alone: closed forms look through them."""

    @property
    def carried(self) -> AbstractSet[str]:
        """Names of adjoints of the states of a recurrence."""
