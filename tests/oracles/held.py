"""A formula derived in memory and held against a function of torch: values, gradients, and the printed closed form."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

import symgrad
from symgrad.validate.evaluate import evaluate_program, evaluate_term
from symgrad.validate.printed import read_back

Data = Mapping[str, Any]
EPSILON = float(np.finfo(float).eps)


@dataclass(frozen=True)
class Answers:
    """Values in the order of the outputs, and gradients by input, of one who was asked."""

    values: Sequence[Any]
    gradients: Data


class Held:
    """A formula with its kernels. `source`: a catalogue name, a path, or a mapping of a file's keys."""

    def __init__(self, source: Any, order: int = 1) -> None:
        self.result = symgrad.derive(source, order=order)
        self.program = self.result.derivation.program
        self.wrt = tuple(self.program.wrt)
        self.outputs = [] if self.program.is_loss else [s.name for s in self.program.outputs]

    @cached_property
    def forms(self) -> Any:
        """Closed forms as their text says them."""
        forms, unreadable = read_back(self.program, self.result.derivation.gradients)
        assert unreadable is None, unreadable
        return forms

    def upstream(self, values: Sequence[Any], seed: int = 5) -> list[Any]:
        """Cotangents of the outputs; 1 for a loss."""
        rng = np.random.default_rng(seed)
        return [rng.uniform(0.5, 2, np.shape(v)) if self.outputs else np.ones(np.shape(v)) for v in values]

    def numpy(self, data: Data, options: Data, upstream: Sequence[Any]) -> Answers:
        """The NumPy kernels."""
        module, arguments = self.result.numpy, [data[i.name] for i in self.program.inputs]
        if not self.outputs:
            value, grads = module.value_and_grad(*arguments, **options)
            return Answers([value], self._fields(grads))
        y, saved = module.forward(*arguments, **options)
        return Answers(list(y) if len(self.outputs) > 1 else [y], self._fields(module.backward(*upstream, saved)))

    def torch(self, data: Data, options: Data, upstream: Sequence[Any]) -> Answers:
        """The torch kernels, through autograd."""
        function = getattr(self.result.torch, self.program.name)
        return ask(lambda **tensors: function(*tensors.values(), **options), self.in_order(data), self.wrt, upstream)

    def in_order(self, data: Data) -> dict[str, Any]:
        """Inputs in the order of the file."""
        return {i.name: data[i.name] for i in self.program.inputs}

    def closed(self, data: Data, options: Data, upstream: Sequence[Any]) -> dict[str, Any]:
        """The values of the printed closed forms."""
        parameters = {n: v for n, v in options.items() if n != "reduction"}
        values = evaluate_program(self.program, data, parameters)
        known = {**data, **values, **{f"d{o}": u for o, u in zip(self.outputs, upstream, strict=False)}}
        out = {}
        for form in self.forms:
            where = [(d.name, d.indices, d.body) for d in form.where]
            with np.errstate(all="ignore"):
                value = evaluate_term(form.closed, self.program, known, form.indices, parameters, None, where)
            out[form.input] = np.broadcast_to(value, np.shape(data[form.input]))
        return out

    def _fields(self, grads: Any) -> Data:
        if len(self.wrt) == 1 and not hasattr(grads, "_fields"):
            return {self.wrt[0]: grads}
        return {n: getattr(grads, n) for n in self.wrt}


def ask(function: Callable[..., Any], data: Data, wrt: Sequence[str], upstream: Sequence[Any] | None) -> Answers:
    """A function of torch at NumPy data: what it gives, and what autograd says of it."""
    import torch

    tensors = {n: torch.tensor(np.asarray(a), requires_grad=n in wrt) for n, a in data.items()}
    out = function(**tensors)
    outs = list(out) if isinstance(out, tuple | list) else [out]
    cotangents = [torch.ones_like(o) for o in outs]
    if upstream is not None:
        cotangents = [torch.as_tensor(u, dtype=o.dtype).reshape(o.shape) for u, o in zip(upstream, outs, strict=True)]
    live = [(o, u) for o, u in zip(outs, cotangents, strict=True) if o.requires_grad]
    grads: Sequence[Any] = [None] * len(wrt)
    if live:
        leaves = [tensors[n] for n in wrt]
        grads = torch.autograd.grad([o for o, _ in live], leaves, [u for _, u in live], allow_unused=True)
    found = {n: np.zeros(np.shape(data[n])) if g is None else g.numpy() for n, g in zip(wrt, grads, strict=True)}
    return Answers([o.detach().numpy() for o in outs], found)


def error(got: Any, expected: Any) -> float:
    """Largest difference relative to each element, or to a thousandth of the largest one, or to 1e-4."""
    a, b = np.asarray(got, float), np.asarray(expected, float)
    if a.shape != b.shape:
        return float("inf")
    with np.errstate(all="ignore"):
        same = (a == b) | (np.isnan(a) & np.isnan(b))
        largest = float(np.max(np.abs(b[np.isfinite(b)]), initial=0.0))
        off = np.where(same, 0.0, np.abs(a - b) / np.maximum(np.abs(b), max(1e-3 * largest, 1e-4)))
    return float(np.max(np.nan_to_num(off, nan=np.inf), initial=0.0))
