"""Terms in multiprecision: what the probe holds the forms of kernels against."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from symgrad.closing.arithmetic import Arithmetic, Leaves
from symgrad.formula.program import Statement

DIGITS, MORE_DIGITS = 60, 240
"""The truth is believed where both agree."""
MOST_BITS = 4096
"""Of the exponent of an argument: mpmath works to as many digits, and for exp(exp(1e50)) it would never end."""


@cache
def _context(digits: int) -> Any:
    import mpmath

    context = mpmath.MPContext()
    context.dps = digits
    return context


@cache
def _precise(digits: int) -> Mapping[str, Callable[..., Any]]:
    c = _context(digits)
    names = "log sin cos tan sinh cosh tanh asin acos atan asinh acosh atanh erf exp expm1 log1p sqrt".split()
    table = {n: getattr(c, n) for n in names} | {
        "erfc": lambda x: c.erfc(x) if abs(x) < 1e6 else c.mpf(0 if x > 0 else 2),
        "pow": lambda x, e: c.exp(e * c.log(x)) if x > 0 else x * 0 if x == 0 and e > 0 else c.nan,
        "Abs": abs,
        "sign": lambda x: c.mpf((x > 0) - (x < 0)),
        "relu": lambda x: max(x, c.mpf(0)),
        "Max": max,
        "Min": min,
        "sigmoid": lambda x: 1 / (1 + c.exp(-x)),
        "softplus": lambda x: max(x, c.mpf(0)) + c.log1p(c.exp(-abs(x))),
        "log_sigmoid": lambda x: min(x, c.mpf(0)) - c.log1p(c.exp(-abs(x))),
        "sech2": lambda x: 1 / c.cosh(x) ** 2,
        "normal_cdf": lambda x: c.erfc(-x / c.sqrt(2)) / 2 if abs(x) < 1e6 else c.mpf(0 if x < 0 else 1),
    }
    return {n: _within(c, f) for n, f in table.items()}


def _within(c: Any, f: Callable[..., Any]) -> Callable[..., Any]:
    """f; nan, which is no truth, where an argument is beyond what can be computed."""

    def call(*args: Any) -> Any:
        return c.nan if any(c.isfinite(x) and c.mag(x) > MOST_BITS for x in args) else f(*args)

    return call


class Exactly(Arithmetic):
    """In multiprecision; `moved`: an element that is moved by a step relative to itself."""

    def __init__(
        self,
        definitions: Mapping[str, Statement],
        leaves: Leaves,
        moved: tuple[str, tuple[int, ...]] | None = None,
        digits: int = DIGITS,
    ) -> None:
        super().__init__(definitions, leaves)
        self.context, self.moved = _context(digits), moved
        self.functions = _precise(digits)
        self.constants = {"pi": +self.context.pi, "E": +self.context.e, "oo": self.context.inf}
        self.step = self.context.mpf(10) ** (-digits // 3)

    def number(self, x: Any) -> Any:
        """As a multiprecision number."""
        return self.context.mpf(x)

    def element(self, name: str, at: tuple[int, ...]) -> Any:
        """An element of an input, moved if it is that one."""
        x = super().element(name, at)
        return x * (1 + self.step) if (name, at) == self.moved else x
