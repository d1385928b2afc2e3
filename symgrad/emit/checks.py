"""`check_inputs`: do the data satisfy the domains of the inputs and the facts of `assume`."""

from __future__ import annotations

from symgrad.closing.derivation import Derivation
from symgrad.emit.module import Module, function
from symgrad.emit.signature import arguments, docstring


def check_function(d: Derivation, module: Module, call: str) -> str:
    """The source of check_inputs."""
    return function(f"def check_inputs({arguments(d.program, False)}):", docstring("Raises ValueError."), [call])
