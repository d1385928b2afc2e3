"""Laurent series at 0 of terms in one variable, in multiprecision: what is left where leading terms cancel."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from symgrad.algebra.terms import Term, value

TERMS = 44
DIGITS = 150


class NoSeriesError(Exception):
    """The term has no series at 0, or holds a function whose series is not known."""


@cache
def _context() -> Any:
    import mpmath

    context = mpmath.MPContext()
    context.dps = DIGITS
    return context


@dataclass(frozen=True)
class Series:
    """sum_k c[k] u**(start + k); c[0] is not 0 unless all are."""

    start: int
    c: tuple[Any, ...]

    @property
    def is_zero(self) -> bool:
        """Whether no coefficient is left."""
        return not any(self.c)


def series_of(t: Term, u: Term) -> Series:
    """The series of t at u = 0, where t reads nothing but u."""
    return _Reader(u).read(t)


def _made(start: int, c: list[Any]) -> Series:
    """Without leading zeros; what cancelled to rounding is 0."""
    top = max((abs(x) for x in c), default=0)
    tiny = top * _context().mpf(10) ** (20 - DIGITS)
    c = [x if abs(x) > tiny else _context().mpf(0) for x in c]
    lead = next((k for k, x in enumerate(c) if x), None)
    return Series(0, (_context().mpf(0),)) if lead is None else Series(start + lead, tuple(c[lead:]))


def _padded(s: Series, start: int, count: int) -> list[Any]:
    zero = _context().mpf(0)
    c = [zero] * (s.start - start) + list(s.c)
    return (c + [zero] * count)[:count]


def _add(a: Series, b: Series) -> Series:
    if a.is_zero or b.is_zero:
        return b if a.is_zero else a
    start = min(a.start, b.start)
    # a series ends where its coefficients end: beyond, nothing is known of the sum
    ends = [s.start + len(s.c) for s in (a, b) if len(s.c) > 1]
    count = (min(ends) if ends else start + TERMS) - start
    pairs = zip(_padded(a, start, count), _padded(b, start, count), strict=True)
    return _made(start, [x + y for x, y in pairs])


def _mul(a: Series, b: Series) -> Series:
    count = min(len(s.c) for s in (a, b)) if len(a.c) > 1 and len(b.c) > 1 else max(len(a.c), len(b.c))
    x, y = _padded(a, a.start, count), _padded(b, b.start, count)
    return _made(a.start + b.start, [sum(x[j] * y[k - j] for j in range(k + 1)) for k in range(count)])


def _power(a: Series, e: Any) -> Series:
    """a**e: u**(e start) times the power of a series whose first coefficient is not 0."""
    start = e * a.start
    if a.is_zero or start != int(start) or (e != int(e) and a.c[0] < 0):
        raise NoSeriesError
    if len(a.c) == 1:
        return Series(int(start), (a.c[0] ** e,))
    out = [a.c[0] ** e]
    for k in range(1, len(a.c)):
        out.append(sum((e * j - (k - j)) * a.c[j] * out[k - j] for j in range(1, k + 1)) / (k * a.c[0]))
    return Series(int(start), tuple(out))


def _regular(a: Series) -> list[Any]:
    """The coefficients from u**0 on."""
    if a.start < 0:
        raise NoSeriesError
    return _padded(a, 0, TERMS if len(a.c) == 1 else a.start + len(a.c))


def _exp(a: Series) -> Series:
    x = _regular(a)
    out = [_context().exp(x[0])]
    for k in range(1, len(x)):
        out.append(sum(j * x[j] * out[k - j] for j in range(1, k + 1)) / k)
    return _made(0, out)


def _by_derivative(f: str, slope: Callable[[Series], Series]) -> Callable[[Series], Series]:
    """f(a) from f at a(0) and f'(a) a'."""

    def made(a: Series) -> Series:
        x = _regular(a)
        inner = _made(0, [k * x[k] for k in range(1, len(x))])
        g = _padded(_mul(slope(a), inner), 0, len(x) - 1)
        first = _VALUES[f](_context(), x[0])
        return _made(0, [first, *(g[k] / (k + 1) for k in range(len(g)))])

    return made


def _number(x: Any) -> Series:
    return Series(0, (_context().mpf(x),))


def _negative(a: Series) -> Series:
    return Series(a.start, tuple(-x for x in a.c))


def _inverse(a: Series) -> Series:
    return _power(a, -1)


def _plus(a: Series, x: Any) -> Series:
    return _add(a, _number(x))


def _square(a: Series) -> Series:
    return _mul(a, a)


def _sigmoid(a: Series) -> Series:
    return _inverse(_plus(_exp(_negative(a)), 1))


def _hyperbolic(a: Series, sign: int) -> Series:
    other = _exp(_negative(a))
    return _mul(_add(_exp(a), other if sign > 0 else _negative(other)), _number(0.5))


def _tanh(a: Series) -> Series:
    return _plus(_mul(_sigmoid(_mul(a, _number(2))), _number(2)), -1)


def _density(a: Series, scale: float) -> Series:
    """exp(-scale a**2)."""
    return _exp(_mul(_square(a), _number(-scale)))


def _cos(a: Series) -> Series:
    x = _regular(a)
    c = _context()
    sines, cosines = [c.sin(x[0])], [c.cos(x[0])]
    for k in range(1, len(x)):
        sines.append(sum(j * x[j] * cosines[k - j] for j in range(1, k + 1)) / k)
        cosines.append(-sum(j * x[j] * sines[k - j] for j in range(1, k + 1)) / k)
    return _made(0, cosines)


_VALUES: Mapping[str, Callable[[Any, Any], Any]] = {
    "log": lambda c, x: c.log(x) if x > 0 else _none(),
    "atan": lambda c, x: c.atan(x),
    "asinh": lambda c, x: c.asinh(x),
    "erf": lambda c, x: c.erf(x),
    "sin": lambda c, x: c.sin(x),
}


def _none() -> Any:
    raise NoSeriesError


_log = _by_derivative("log", _inverse)
_erf = _by_derivative("erf", lambda a: _mul(_density(a, 1), _number(2 / _context().sqrt(_context().pi))))


def _normal_cdf(a: Series) -> Series:
    return _mul(_plus(_erf(_mul(a, _number(1 / _context().sqrt(2)))), 1), _number(0.5))


FUNCTIONS: Mapping[str, Callable[..., Series]] = {
    "exp": _exp,
    "expm1": lambda a: _plus(_exp(a), -1),
    "log": _log,
    "log1p": lambda a: _log(_plus(a, 1)),
    "sin": _by_derivative("sin", _cos),
    "cos": _cos,
    "sinh": lambda a: _hyperbolic(a, -1),
    "cosh": lambda a: _hyperbolic(a, 1),
    "tanh": _tanh,
    "sech2": lambda a: _plus(_negative(_square(_tanh(a))), 1),
    "sigmoid": _sigmoid,
    "softplus": lambda a: _log(_plus(_exp(a), 1)),
    "log_sigmoid": lambda a: _log(_sigmoid(a)),
    "logcosh": lambda a: _log(_hyperbolic(a, 1)),
    "atan": _by_derivative("atan", lambda a: _inverse(_plus(_square(a), 1))),
    "asinh": _by_derivative("asinh", lambda a: _power(_plus(_square(a), 1), _context().mpf(-0.5))),
    "erf": _erf,
    "erfc": lambda a: _plus(_negative(_erf(a)), 1),
    "normal_cdf": _normal_cdf,
    "normal_pdf": lambda a: _mul(_density(a, 0.5), _number(1 / _context().sqrt(2 * _context().pi))),
    "ratio": lambda a, b: _mul(a, _inverse(b)),
    "hypot": lambda a, b: _power(_add(_square(a), _square(b)), _context().mpf(0.5)),
    "log1psq": lambda a: _log(_plus(_square(a), 1)),
    "log1mexp": lambda a: _log(_plus(_negative(_exp(a)), 1)),
    "logmeanexp": lambda a: _log(_mul(_plus(_exp(a), 1), _number(0.5))),
}


class _Reader:
    def __init__(self, u: Term) -> None:
        self.u = u
        self.memo: dict[Term, Series] = {u: _made(0, [_context().mpf(k == 1) for k in range(TERMS)])}

    def read(self, t: Term) -> Series:
        if t not in self.memo:
            self.memo[t] = self._read(t)
        return self.memo[t]

    def _read(self, t: Term) -> Series:
        c = _context()
        if t.op == "num":
            return _number(c.mpf(value(t).numerator) / value(t).denominator)
        if t.op == "const" and t.data in ("pi", "E"):
            return _number(+c.pi if t.data == "pi" else +c.e)
        if t.op in ("add", "mul"):
            first, *others = (self.read(a) for a in t.args)
            for s in others:
                first = _add(first, s) if t.op == "add" else _mul(first, s)
            return first
        if t.op == "pow" and t.args[1].op == "num":
            e = value(t.args[1])
            return _power(self.read(t.args[0]), c.mpf(e.numerator) / e.denominator)
        if t.op == "fn" and t.data in FUNCTIONS:
            return FUNCTIONS[str(t.data)](*(self.read(a) for a in t.args))
        raise NoSeriesError
