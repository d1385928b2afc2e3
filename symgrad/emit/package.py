"""The files of a generated package."""

from __future__ import annotations

from collections.abc import Sequence

from symgrad.closing.derivation import Derivation
from symgrad.emit.layout import lay_out
from symgrad.emit.naming import camel
from symgrad.emit.numpy import numpy_kernels
from symgrad.emit.signature import plain
from symgrad.emit.torch import torch_kernels

TARGETS = {"numpy": numpy_kernels, "torch": torch_kernels}
"""Target -> the source of its module, `TARGET_kernels.py`."""


def emit_package(derivation: Derivation, targets: Sequence[str] = ("numpy", "torch")) -> dict[str, str]:
    """File name -> source: `__init__.py` and one module a target. The same bytes for the same derivation, always."""
    chosen = [t for t in TARGETS if t in targets]
    files = {"__init__.py": package_source(derivation, chosen)}
    return files | {f"{t}_kernels.py": TARGETS[t](derivation) for t in chosen}


def exports(derivation: Derivation, target: str) -> list[str]:
    """The public names of one module."""
    name = derivation.formula.name
    if target == "torch":
        return [name, camel(name)]
    second = [] if derivation.second is None else ["grad_and_hess", "hvp"]
    return (
        ["loss", "grad", "value_and_grad", *second, "check_inputs"]
        if derivation.program.is_loss
        else ["forward", "backward", "check_inputs"]
    )


def package_source(derivation: Derivation, targets: Sequence[str]) -> str:
    """`__init__.py`: names of the modules, which are imported when a name is asked for."""
    names = {t: exports(derivation, t) for t in targets}
    every = list(dict.fromkeys(n for t in targets for n in names[t]))
    lines = [f'"""{plain(derivation.formula.summary or derivation.formula.name)}"""', ""]
    lines += lay_out(f"__all__ = [{', '.join(quoted(n) for n in every)}]")
    lines += ["", "", "def __getattr__(name):"]
    for t in targets:
        lines += lay_out(f"if name in ({', '.join(quoted(n) for n in names[t])}):", 1)
        lines += [f"        from . import {t}_kernels", "", f"        return getattr({t}_kernels, name)"]
    lines += ['    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")', "", "", "def __dir__():"]
    return "\n".join([*lines, "    return [*globals(), *__all__]", ""])


def quoted(name: str) -> str:
    """A string literal as ruff writes it."""
    return f'"{name}"'
