"""symgrad: from the formula of a loss or layer to its closed-form gradient, kernels, a certificate and a report.

    d = symgrad.derive("softmax_cross_entropy")     a path, a catalogue name, a Formula, or a mapping of the YAML's keys
    d.gradients["z"]                                the closed form as a SymPy expression; `.latex`, `.closed`
    d.steps                                         the derivation: rule, law, before, after
    d.numpy, d.torch                                the generated modules, in memory
    d.validate()                                    the certificate
    d.write("build/")                               build/NAME/, an importable package
    symgrad.check("mse", "mine.py:grad")            whether a hand-written gradient is right, and if not, what is wrong

Names are loaded when they are first used: `import symgrad` needs neither SymPy nor NumPy nor torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from symgrad.errors import FormulaError as FormulaError
    from symgrad.errors import LimitError as LimitError
    from symgrad.errors import SymgradError as SymgradError
    from symgrad.errors import UnsupportedError as UnsupportedError
    from symgrad.errors import UsageError as UsageError
    from symgrad.errors import VerdictError as VerdictError
    from symgrad.pipeline import Result as Result
    from symgrad.pipeline import check as check
    from symgrad.pipeline import derive as derive

__version__ = "0.1.0"

_HOMES = {
    "check": "symgrad.pipeline",
    "derive": "symgrad.pipeline",
    "Result": "symgrad.pipeline",
    "Formula": "symgrad.formula.sympy_objects",
    "SymgradError": "symgrad.errors",
    "UsageError": "symgrad.errors",
    "FormulaError": "symgrad.errors",
    "UnsupportedError": "symgrad.errors",
    "LimitError": "symgrad.errors",
    "VerdictError": "symgrad.errors",
}

__all__ = [
    "FormulaError",
    "LimitError",
    "Result",
    "SymgradError",
    "UnsupportedError",
    "UsageError",
    "VerdictError",
    "__version__",
    "check",
    "derive",
]


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'symgrad' has no attribute {name!r}")
    from importlib import import_module

    found: object = getattr(import_module(home), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
