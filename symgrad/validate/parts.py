"""The parts of a large formula: each formula that it uses is derived, written and judged alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from symgrad import limits
from symgrad.formula.program import Formula

if TYPE_CHECKING:
    from symgrad.validate.certificate import Certificate

Certify = Callable[[Any, Mapping[str, str], int], "Certificate"]


def judge_parts(
    parts: Sequence[Formula], package: Mapping[str, str], seed: int, certify: Certify
) -> tuple[Certificate, ...]:
    """A certificate a part, of the targets that the package has."""
    from symgrad.closing.derivation import derive_formula
    from symgrad.emit.package import emit_package

    targets = [name.removesuffix("_kernels.py") for name in package if name.endswith("_kernels.py")]
    found = []
    for formula in parts:
        limits.check()
        derivation = derive_formula(formula)
        found.append(certify(derivation, emit_package(derivation, targets), seed))
    return tuple(found)
