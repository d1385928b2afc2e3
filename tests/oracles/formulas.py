"""Formulas as functions of torch tensors, by either kind of kernel: `Formulas("numpy").softmax(x)`."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from tests.oracles.held import Held
from tests.oracles.operations import INLINE

TARGETS = ("torch", "numpy")


@cache
def held(name: str) -> Held:
    """A formula by its name in `INLINE` or in the catalogue, derived once."""
    if name in INLINE:
        return Held({"name": f"op_{name}", **INLINE[name]})
    return Held(name)


class Formulas:
    """Formulas as attributes. What they are given and give are tensors; autograd goes through them."""

    def __init__(self, target: str) -> None:
        self.target = target
        self.values_only = False
        """Whether a kernel was asked for what it has no gradient of: NumPy's, for unreduced losses."""

    def __getattr__(self, name: str) -> Any:
        own = held(name)
        if self.target == "torch":
            return getattr(own.result.torch, own.program.name)
        return lambda *tensors, **options: self._by_numpy(own, tensors, options)

    def _by_numpy(self, own: Held, tensors: Any, options: dict[str, Any]) -> Any:
        if own.program.is_loss and options.get("reduction") == "none":
            import torch

            self.values_only = True
            return torch.as_tensor(own.result.numpy.loss(*(x.detach().numpy() for x in tensors), **options))
        out = _kernel(own, options).apply(*tensors)
        return out if len(own.program.outputs) > 1 else out[0]


def _kernel(own: Held, options: dict[str, Any]) -> Any:
    """A NumPy kernel as a function that autograd knows."""
    import torch

    names = [i.name for i in own.program.inputs]

    class Kernel(torch.autograd.Function):
        """Forward and backward by NumPy."""

        @staticmethod
        def forward(ctx: Any, *tensors: Any) -> Any:
            """The values; what the backward needs is kept."""
            arrays = [x.detach().numpy() for x in tensors]
            module = own.result.numpy
            if own.program.is_loss:
                value, ctx.grads = module.value_and_grad(*arrays, **options)
                return (torch.as_tensor(np.asarray(value)),)
            y, ctx.saved = module.forward(*arrays, **options)
            ys = list(y) if len(own.program.outputs) > 1 else [y]
            return tuple(torch.as_tensor(np.array(a)) for a in ys)

        @staticmethod
        def backward(ctx: Any, *upstream: Any) -> Any:
            """The gradients, None for inputs that are given."""
            if own.program.is_loss:
                found = {n: g * upstream[0].numpy() for n, g in _fields(own, ctx.grads).items()}
            else:
                found = _fields(own, own.result.numpy.backward(*(u.numpy() for u in upstream), ctx.saved))
            return tuple(torch.as_tensor(np.array(found[n])) if n in found else None for n in names)

    return Kernel


def _fields(own: Held, grads: Any) -> dict[str, Any]:
    if len(own.wrt) == 1:
        return {own.wrt[0]: grads[0] if hasattr(grads, "_fields") else grads}
    return {n: getattr(grads, n) for n in own.wrt}
