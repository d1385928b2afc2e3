"""The samples of torch's own test suite (`torch.testing._internal`) put to formulas, and what came of it."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import islice
from typing import Any

import numpy as np

from tests.oracles.calls import CALLS
from tests.oracles.formulas import TARGETS, Formulas
from tests.oracles.held import error
from tests.oracles.operations import Skip

TOLERANCE = 1e-9
COARSE = {"nn.functional.hardsigmoid": 1e-6, "nn.functional.hardswish": 1e-6}
"""Operations in which torch computes with a float32 constant (1/6)."""


@dataclass
class Tally:
    """What came of the samples of one operation. `wrong`: what differs, said in a line each."""

    name: str
    compared: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    worst: float = 0.0


@cache
def operations() -> dict[str, Any]:
    """Name (with its variant) -> OpInfo."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from torch.testing._internal.common_methods_invocations import op_db
    return {o.name + (f"/{o.variant_test_name}" if o.variant_test_name else ""): o for o in op_db}


def tally(name: str, most: int | None = None, more: bool = False) -> Tally:
    """An operation's samples against its formula, by both kernels; `more`: torch's reference inputs too."""
    import torch

    result, info = Tally(name), operations()[name]
    torch.manual_seed(0)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for k, sample in enumerate(islice(_samples(info, more), most)):
            for target in TARGETS:
                _try(result, info, sample, k, target)
    return result


def _samples(info: Any, more: bool) -> Iterator[Any]:
    import torch

    yield from info.sample_inputs("cpu", torch.float64, requires_grad=True)
    if more and info.reference_inputs_func is not None:
        yield from info.reference_inputs("cpu", torch.float64, requires_grad=True)


def _try(result: Tally, info: Any, sample: Any, k: int, target: str) -> None:
    leaves = _leaves(sample)
    args, kwargs = (sample.input, *sample.args), sample.kwargs
    formulas = Formulas(target)
    try:
        got = _flat(CALLS[result.name](formulas, *args, **kwargs))
    except Skip as e:
        result.skipped[str(e)] += 1
        return
    except Exception as e:  # noqa: BLE001  whatever a kernel raises is a finding of this harness
        result.wrong.append(f"sample {k} ({_shown(sample)}) by {target}: {type(e).__name__}: {str(e)[:150]}")
        return
    expected = _flat(info.op(*args, **kwargs))
    tolerance = COARSE.get(result.name, TOLERANCE)
    errors = {f"value {j}": error(a.detach(), b.detach()) for j, (a, b) in enumerate(zip(got, expected, strict=False))}
    if not formulas.values_only:
        errors |= _gradient_errors(got, expected, leaves)
    finite = {n: e for n, e in errors.items() if e == e}
    result.compared += 1
    result.worst = max([result.worst, *finite.values()])
    for n, e in errors.items():
        if not e <= tolerance:
            result.wrong.append(f"sample {k} ({_shown(sample)}) by {target}: {n} off by {e:.2g}")


def _gradient_errors(got: list[Any], expected: list[Any], leaves: list[Any]) -> dict[str, float]:
    """Gradients of every leaf that the formula differentiates, under one random cotangent."""
    import torch

    live = [(a, b) for a, b in zip(got, expected, strict=False) if a.requires_grad and b.requires_grad]
    if not live:
        return {}
    upstream = [torch.rand(b.shape, dtype=b.dtype) + 0.5 for _, b in live]
    ours = torch.autograd.grad([a for a, _ in live], leaves, upstream, allow_unused=True)
    theirs = torch.autograd.grad([b for _, b in live], leaves, upstream, allow_unused=True)
    return {
        f"gradient {j}": error(a, torch.zeros_like(a) if b is None else b)
        for j, (a, b) in enumerate(zip(ours, theirs, strict=True))
        if a is not None
    }


def _leaves(sample: Any) -> list[Any]:
    """Tensors of a sample that want a gradient."""
    import torch

    found: list[Any] = []

    def look(x: Any) -> None:
        if torch.is_tensor(x):
            if x.requires_grad and x.is_floating_point():
                found.append(x)
        elif isinstance(x, list | tuple):
            for y in x:
                look(y)

    look([sample.input, *sample.args, *sample.kwargs.values()])
    return found


def _flat(out: Any) -> list[Any]:
    """The floating tensors of what an operation gives, in order."""
    outs = list(out) if isinstance(out, list | tuple) else [out]
    return [o for o in outs if o.is_floating_point()]


def _shown(sample: Any) -> str:
    import torch

    def say(x: Any) -> str:
        return f"{list(x.shape)}" if torch.is_tensor(x) else repr(x)

    options = [f"{n}={say(v)}" for n, v in sample.kwargs.items()]
    return ", ".join([*map(say, (sample.input, *sample.args)), *options])
