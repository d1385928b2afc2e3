"""What is true: values and gradients in multiprecision, precision raised until two agree, and what rounding forgives.

Gradients are the closed forms, held against slopes of the formula as read in some elements of every point. The sum
that the promise forgives, over all real inputs of |x_i dg/dx_i|, is made of differences at the settled precision.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.accuracy.points import Data, has_rows
from symgrad.closing.derivation import Derivation
from symgrad.validate.evaluate import Evaluation, evaluate_program
from symgrad.validate.mpmath_backend import MpmathBackend, _functions

LEVELS = ((40, 80), (200, 400), (400, 900))
Objects = dict[str, np.ndarray[Any, Any]]


HUGE = 1e305


class Backend(MpmathBackend):
    """mpmath with tails: erfc and exp underflow to 0, exp is infinite, where no memory could hold the exponent."""

    def __init__(self, digits: int) -> None:
        super().__init__(digits)
        for name in ("exp", "expm1", "sinh", "cosh"):
            self._limit(name)
        self.functions = _functions(self.context)
        plain, c = self.context.erfc, self.context

        def erfc(x: Any) -> Any:
            return plain(x) if abs(x) < 1e6 else c.mpf(0 if x > 0 else 2)

        root = c.sqrt(2)
        self.functions["erfc"] = erfc
        self.functions["normal_cdf"] = lambda x: erfc(-x / root) / 2
        self.functions["gelu"] = lambda x: x * erfc(-x / root) / 2

    def _limit(self, name: str) -> None:
        plain, c = getattr(self.context, name), self.context

        def limited(x: Any) -> Any:
            if abs(x) < HUGE or not c.isfinite(x):
                return plain(x)
            if x > 0:
                return c.inf
            return {"exp": c.mpf(0), "expm1": c.mpf(-1), "sinh": -c.inf, "cosh": c.inf}[name]

        setattr(self.context, name, limited)


BACKENDS: dict[int, Backend] = {}


def backend_of(digits: int) -> Backend:
    """The one backend of a precision."""
    if digits not in BACKENDS:
        BACKENDS[digits] = Backend(digits)
    return BACKENDS[digits]


@dataclass
class Truth:
    """`exact`, `forgiven`: by `value NAME` or `grad NAME`, as multiprecision numbers. `named`: where all named values
    lie within 2**-126 to the largest float32, and within float64's range: rows (or one truth value) by dtype."""

    exact: Objects
    forgiven: Objects
    named: Mapping[str, np.ndarray[Any, Any]]
    disagreements: int = 0


class Judge:
    """The truth of one formula. `rows`: points are rows of the inputs, and each is settled by itself."""

    def __init__(self, derivation: Derivation, rows: bool, wrt: tuple[str, ...]) -> None:
        self.derivation, self.program, self.rows, self.wrt = derivation, derivation.program, rows, wrt
        self.forms = {g.input: g for g in derivation.gradients if g.input in wrt}

    def at(self, inputs: Data, upstream: Data) -> Truth:
        """The truth at these points."""
        count = len(next(iter(self._leading(inputs).values()))) if self.rows else 1
        exact: Objects = {}
        forgiven: Objects = {}
        left = np.arange(count)
        for level, (low, high) in enumerate(LEVELS):
            part = self._rows_at(inputs, left), self._rows_at(upstream, left, everything=True)
            first, second = self.numbers(*part, low), self.numbers(*part, high)
            last = level == len(LEVELS) - 1
            good = np.ones(len(left), bool)
            for key in second:
                agreed = _agree(first[key], second[key]) | (last & _is_zero(second[key]))
                good &= agreed.reshape(len(left), -1).all(axis=1) if self.rows else bool(agreed.all())
            if not exact:
                for key, a in second.items():
                    exact[key], forgiven[key] = np.full(a.shape, np.nan, object), np.full(a.shape, np.nan, object)
            if good.any():
                chosen = np.flatnonzero(good)
                some = self._rows_at(part[0], chosen), self._rows_at(part[1], chosen, everything=True)
                sums = self.sums(*some, high)
                for key, a in second.items():
                    if self.rows:
                        exact[key][left[chosen]], forgiven[key][left[chosen]] = a[chosen], sums[key]
                    else:
                        exact[key], forgiven[key] = a, sums[key]
            left = left[~good]
            if not len(left):
                break
        named = self.named(inputs)
        nowhere = ~named.pop("any")
        for a in exact.values():  # 0/0 on the way: the formula has no value there, whatever is made of nan behind it
            a[nowhere if self.rows else np.full(a.shape, nowhere.any())] = np.nan
        return Truth(exact, forgiven, named, self.check(inputs, upstream, exact))

    def _leading(self, inputs: Data) -> Data:
        return {i.name: inputs[i.name] for i in self.program.inputs if has_rows(i, self.program)}

    def _rows_at(self, data: Mapping[str, Any], at: np.ndarray[Any, Any], everything: bool = False) -> Data:
        if not self.rows:
            return dict(data)
        return {n: a[at] if everything or has_rows(self.program.input(n), self.program) else a for n, a in data.items()}

    def numbers(self, inputs: Mapping[str, Any], upstream: Mapping[str, Any], digits: int) -> Objects:
        """Values and gradients at one precision; the gradient of a loss is that of the sum over its batch."""
        backend = backend_of(digits)
        work = Evaluation(self.program, inputs, {}, backend, strict=False)
        work.run(self.program.statements)
        found = {f"value {s.name}": work.tensors[s.name] for s in self.program.outputs}
        for name, form in self.forms.items():
            closed = Evaluation(self.program, inputs, {}, backend, strict=False)
            closed.bind({**work.tensors, **upstream})
            closed.integers = work.integers
            for d in form.where:
                if d.name not in closed.tensors:
                    closed.memo.clear()
                    closed.tensors[d.name] = closed.term(d.body, d.indices)
            closed.memo.clear()
            g = closed.term(form.closed, form.indices)
            if self.program.is_loss and self.program.loss.indices:
                g = g * len(next(iter(self._leading(inputs).values())))
            found[f"grad {name}"] = g
        return {k: _whole(v) for k, v in found.items()}

    def moves(self, inputs: Mapping[str, Any], upstream: Mapping[str, Any], digits: int) -> Iterator[tuple[Any, Any]]:
        """Inputs and upstream with one element (of every row) moved by a step relative to itself."""
        real, h = backend_of(digits).real, backend_of(digits).context.mpf(10) ** (-(digits // 3))
        exact = {i.name for i in self.program.inputs if i.dtype != "real" or i.domain.kind in ("one_hot", "boolean")}
        for where, data in ((0, inputs), (1, upstream)):
            for name, a in data.items():
                if name in exact or not a.size:
                    continue
                rows = self.rows and (where == 1 or has_rows(self.program.input(name), self.program))
                start = real(a)
                given = where == 0 and self.program.input(name).given
                for at in np.ndindex(a.shape[1:] if rows else a.shape):
                    key = (slice(None), *at) if rows else at
                    moved = start.copy()
                    still = (a[key] == 0) | (given & (a[key] == 1)) | ~np.isfinite(a[key])
                    if np.all(still):
                        continue
                    moved[key] = np.where(still, start[key], start[key] * (1 + h)) if rows else start[key] * (1 + h)
                    yield ({**inputs, name: moved}, upstream) if where == 0 else (inputs, {**upstream, name: moved})

    def sums(self, inputs: Mapping[str, Any], upstream: Mapping[str, Any], digits: int) -> Objects:
        """The sum over real inputs of |x_i dg/dx_i|."""
        digits = min(digits, 400) if digits > 80 else digits
        h = backend_of(digits).context.mpf(10) ** (-(digits // 3))
        center = self.numbers(inputs, upstream, digits)
        total = {k: _whole(a * 0) for k, a in center.items()}
        for moved in self.moves(inputs, upstream, digits):
            for k, a in self.numbers(*moved, digits).items():
                total[k] = _whole(total[k] + np.abs(_whole((a - center[k]) / h)))
        return total

    def named(self, inputs: Data) -> dict[str, np.ndarray[Any, Any]]:
        """Rows whose named values are all in the normal range of a dtype: with digits enough that none rounds to 0.

        Under `any`: rows whose named values are all numbers.
        """
        values = evaluate_program(self.program, inputs, {}, backend_of(LEVELS[-1][0]))
        count = len(next(iter(self._leading(inputs).values()))) if self.rows else 1
        found = {}
        ranges = {d: (float(np.finfo(d).tiny), float(np.finfo(d).max)) for d in ("float32", "float64")}
        for dtype, (least, most) in {**ranges, "any": (0.0, np.inf)}.items():
            good = np.ones(count, bool)
            for a in values.values():
                v = np.abs(_whole(a))
                ok = np.asarray((v == 0) | ((v >= least) & (v <= most))).astype(bool)
                if self.rows and ok.shape and ok.shape[0] == count:
                    good &= ok.reshape(count, -1).all(axis=1)
                elif not self.rows:
                    good &= bool(ok.all())
            found[dtype] = good
        return found

    def check(self, inputs: Data, upstream: Data, exact: Objects) -> int:
        """How many slopes of the formula as read disagree with the closed forms, in the first element of each row."""
        digits = 120
        backend = backend_of(digits)
        h = backend.context.mpf(10) ** (-(digits // 3))
        wrong = 0
        for name in self.wrt:
            start = backend.real(inputs[name])
            if not start.size:
                continue
            rows = self.rows and has_rows(self.program.input(name), self.program)
            key = (slice(None), *((0,) * (start.ndim - 1))) if rows else (0,) * start.ndim
            totals = []
            for sign in (1, 0, -1):
                moved = start.copy()
                size = np.abs(start[key]) + (start[key] == 0) * 1
                moved[key] = start[key] + sign * h * size
                values = evaluate_program(self.program, {**inputs, name: moved}, {}, backend)
                total: Any = 0
                for s in self.program.outputs:
                    v = _whole(values[s.name]) * (upstream[f"d{s.name}"] if not self.program.is_loss else 1)
                    total = total + (
                        v.reshape(len(start), -1).sum(axis=1) if rows else np.asarray(v, dtype=object).ravel().sum()
                    )
                totals.append(total)
            right, left = (totals[0] - totals[1]) / (h * size), (totals[1] - totals[2]) / (h * size)
            slope, g = (right + left) / 2, exact[f"grad {name}"][key]
            torn = np.abs(right - left) > 1e-6 * (np.abs(right) + np.abs(left))
            far = np.abs(slope - g) > 1e-9 * np.abs(slope)
            noise = np.abs(slope) <= np.abs(totals[1]) * backend.context.mpf(10) ** (-(digits // 2)) / size
            for k in np.ndindex(np.shape(far)):
                wrong += bool(np.asarray(far)[k]) and not np.asarray(noise)[k] and not np.asarray(torn)[k]
        return wrong


def _whole(a: Any) -> np.ndarray[Any, Any]:
    out = np.asarray(a, dtype=object)
    return out if out.shape else out.reshape(())


def _agree(a: np.ndarray[Any, Any], b: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Whether two precisions agree on something that is not 0."""
    isnan = backend_of(LEVELS[0][0]).context.isnan

    def near(x: Any, y: Any) -> bool:
        return bool(x == y != 0) or (x != 0 and abs(x - y) <= 1e-25 * abs(y)) or (isnan(x) and isnan(y))

    return np.asarray(np.frompyfunc(near, 2, 1)(a, b)).astype(bool)


def _is_zero(a: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return np.asarray(np.frompyfunc(lambda x: x == 0, 1, 1)(a)).astype(bool)
