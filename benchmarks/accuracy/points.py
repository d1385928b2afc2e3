"""Adversarial inputs of a case, all of them exact in float32: both dtypes are measured at the same places.

bits      uniform over the bit patterns of the normal numbers: every magnitude is as likely
working   normal numbers at scales 0.01, 1 and 6
special   saturated, tied, constant, offset, tiny, huge, confident rows
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np

from symgrad.formula.program import Input, Program
from symgrad.validate.sampling import sample_inputs

Data = dict[str, np.ndarray[Any, Any]]
SCALARS = (
    0.0,
    0.5,
    1.0,
    2.0,
    3.0,
    5.0,
    6.5,
    8.0,
    9.5,
    10.5,
    12.0,
    13.0,
    17.5,
    20.0,
    27.0,
    36.0,
    40.0,
    80.0,
    88.0,
    100.0,
    103.0,
    350.0,
    700.0,
    800.0,
    1e3,
    1e4,
    1e6,
    1e10,
    3e18,
    1e20,
    1e30,
    3e38,
    1e-2,
    1e-4,
    1e-7,
    1e-12,
    1e-20,
    1e-25,
    1e-37,
)
"""Places of elementwise functions, with both signs."""
ROW_SPECIALS = 18


def rows_of(program: Program, count: int, sizes: Mapping[str, int], seed: int) -> tuple[Data, Data]:
    """Inputs and upstream with a leading axis of points."""
    rng = np.random.default_rng(seed)
    shapes = {i.name: _shape(i, program, sizes) for i in program.inputs}
    width = max((int(np.prod(s)) for n, s in shapes.items() if _has_rows(program.input(n), program)), default=1)
    rows = _elements(count, rng) if width == 1 else None
    total = len(rows) if rows is not None else count + ROW_SPECIALS
    inputs = {}
    for k, i in enumerate(program.inputs):
        if not _has_rows(i, program):
            inputs[i.name] = _shared(i, shapes[i.name], rng)
        elif rows is not None:
            inputs[i.name] = (rows if k == 0 else rng.permutation(rows)).reshape(total, *shapes[i.name])
        else:
            inputs[i.name] = np.stack([_row(shapes[i.name], r, count, rng) for r in range(total)])
        inputs[i.name] = _into_domain(i, inputs[i.name], rng, sizes)
    _meet(program, inputs, rng)
    upstream = {
        f"d{s.name}": _plain(rng.standard_normal(_output_shape(s, total, sizes)))
        for s in program.outputs
        if not program.is_loss
    }
    return inputs, upstream


def single_points(program: Program, count: int, sizes: Mapping[str, int], seed: int) -> list[tuple[Data, Data]]:
    """Points one by one, where rows mix: scales 0.01, 1, 6, then tiny, huge and offset."""
    found = []
    for k in range(count):
        rng = np.random.default_rng((seed, k))
        inputs = sample_inputs(program, dict(sizes), (), rng, (0.01, 1.0, 6.0)[k % 3], {})
        scale, offset = ((1.0, 0.0), (1.0, 0.0), (2.0**-40, 0.0), (2.0**40, 0.0), (1.0, 100.0), (1.0, 1000.0))[k % 6]
        for at, (n, a) in enumerate(inputs.items()):
            if a.dtype.kind == "f":
                plain = program.input(n).domain.kind == "real"
                inputs[n] = _plain(a * scale + (offset if at == 0 else 0)) if plain else _plain(a)
        shapes = {s.name: _output_shape(s, 0, sizes) for s in program.outputs}
        upstream = {f"d{n}": _plain(rng.standard_normal(s)) for n, s in shapes.items() if not program.is_loss}
        found.append((inputs, upstream))
    return found


def has_rows(i: Input, program: Program) -> bool:
    """Whether the first axis of an input counts the points."""
    return _has_rows(i, program)


def _has_rows(i: Input, program: Program) -> bool:
    if not program.is_loss:
        return i.batch
    first = program.loss.indices
    return bool(i.shape) and bool(first) and i.shape[0] is first[0].args[0]


def _shape(i: Input, program: Program, sizes: Mapping[str, int]) -> tuple[int, ...]:
    own = i.shape[1:] if program.is_loss and _has_rows(i, program) else i.shape
    return tuple(sizes[str(e.data)] for e in own)


def _output_shape(s: Any, total: int, sizes: Mapping[str, int]) -> tuple[int, ...]:
    return tuple(total if str(i.data) == "..." else sizes[str(i.args[0].data)] for i in s.indices)


def _plain(a: Any) -> np.ndarray[Any, Any]:
    """Rounded to float32, as float64."""
    with np.errstate(all="ignore"):
        return np.asarray(np.asarray(a).astype(np.float32).astype(np.float64))


def _bits(shape: tuple[int, ...], rng: Any) -> np.ndarray[Any, Any]:
    return _plain(rng.choice((-1.0, 1.0), shape) * np.ldexp(rng.uniform(1, 2, shape), rng.integers(-126, 128, shape)))


def _elements(count: int, rng: Any) -> np.ndarray[Any, Any]:
    special = np.array(SCALARS)
    near = rng.standard_normal(count) * np.resize((0.01, 1.0, 6.0, 30.0), count)
    return np.concatenate([_plain(special), _plain(-special), _bits((count // 2,), rng), _plain(near)])


def _row(shape: tuple[int, ...], r: int, count: int, rng: Any) -> np.ndarray[Any, Any]:
    normal = rng.standard_normal(shape)
    if r < count:
        kind = r % 4
        scale = (0.01, 1.0, 6.0)[(r // 4) % 3]
        if kind == 0:
            return _bits(shape, rng)
        if kind == 1:
            return _plain(normal * 2.0 ** rng.integers(-60, 61))
        return _plain(normal * (scale if kind == 2 else rng.choice((20.0, 100.0, 1000.0))))
    flat = normal.reshape(-1)
    one = np.zeros(flat.shape)
    one[:1] = 1
    made = (
        lambda: np.zeros_like(flat),
        lambda: np.ones_like(flat),
        lambda: 50 * one,
        lambda: 200 * one + flat,
        lambda: 1e3 * one,
        lambda: -1e3 * one,
        lambda: 1e4 * one + flat,
        lambda: np.sign(flat) * 1e3,
        lambda: np.sign(flat) * 1e4,
        lambda: 1e3 + flat,
        lambda: 1e4 + flat,
        lambda: 10 + flat,
        lambda: 100 + flat,
        lambda: 1e-20 * flat,
        lambda: 1e-25 * flat,
        lambda: 1e20 * flat,
        lambda: 1e15 * flat,
        lambda: np.round(flat),
    )
    return _plain(made[r - count]()).reshape(shape)


def _shared(i: Input, shape: tuple[int, ...], rng: Any) -> np.ndarray[Any, Any]:
    return _plain(rng.standard_normal(shape))


def _into_domain(i: Input, a: np.ndarray[Any, Any], rng: Any, sizes: Mapping[str, int]) -> np.ndarray[Any, Any]:
    if i.dtype == "bool":
        return np.asarray(a > 0)
    if i.dtype == "int":
        return np.asarray(rng.integers(0, min(sizes.values()), a.shape))
    kind = i.domain.kind
    if kind in ("positive", "nonnegative"):
        return np.maximum(np.abs(a), 2.0**-126 if kind == "positive" else 0)
    if kind == "boolean":
        return np.asarray(a > 0).astype(float)
    if kind in ("unit_interval", "interval"):
        return _into_interval(a, i, rng)
    if kind in ("simplex", "one_hot"):
        return _distributions(a, kind, rng)
    return a


def _into_interval(a: np.ndarray[Any, Any], i: Input, rng: Any) -> np.ndarray[Any, Any]:
    """Uniform, near 0, near 1, and for what is given also the ends."""
    low = rng.uniform(size=a.shape)
    made = np.where(np.abs(a) < 1, low, np.where(a > 0, np.clip(np.abs(a), 1, 1e30) ** -0.3, 1 - low * 2.0**-20))
    if i.given:
        made = np.where(rng.uniform(size=a.shape) < 0.6, np.round(made), made)
    if i.domain.kind == "interval":
        made = np.clip(made, 1 / 1024, 1023 / 1024)
    return np.minimum(_plain(made), 1 if i.given else 1 - 2.0**-24)


def _distributions(a: np.ndarray[Any, Any], kind: str, rng: Any) -> np.ndarray[Any, Any]:
    """One-hot rows, every second one hot at its first class; dyadic weights that sum to 1 exactly."""
    c = a.shape[-1]
    hot = np.eye(c)[rng.integers(0, c, a.shape[:-1])]
    hot[1::2] = np.eye(c)[np.zeros(a[1::2].shape[:-1], int)]
    if kind == "one_hot":
        return np.asarray(hot)
    cuts = np.sort(rng.integers(0, 1025, (*a.shape[:-1], c - 1)), axis=-1)
    soft = np.diff(np.concatenate([np.zeros_like(cuts[..., :1]), cuts, np.full_like(cuts[..., :1], 1024)], -1)) / 1024
    return np.where(rng.uniform(size=a[..., :1].shape) < 0.5, hot, soft)


def _meet(program: Program, inputs: Data, rng: Any) -> None:
    """Some rows of two inputs of one shape are brought near to each other; targets of scalar losses too."""
    real = [i for i in program.inputs if i.dtype == "real" and i.domain.kind == "real" and _has_rows(i, program)]
    for a, b in pairwise(real):
        x, y = inputs[a.name], inputs[b.name]
        if x.shape == y.shape:
            some = rng.permutation(len(x))
            close, calm = some[: len(x) // 5], some[len(x) // 5 : len(x) // 2]
            y[close] = _plain(x[close] * (1 + rng.standard_normal(x[close].shape) * 10.0 ** rng.integers(-7, -1)))
            y[calm] = _plain(rng.standard_normal(y[calm].shape))
