"""The generated modules behind one face: what a kernel gives at a point, as NumPy arrays by name."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any, TypeVar

import numpy as np

from symgrad.formula.program import Program

Data = Mapping[str, np.ndarray[Any, Any]]
Result = TypeVar("Result")


class KernelError(Exception):
    """A generated kernel raised, or gave something of the wrong kind."""


@dataclass(frozen=True)
class Outcome:
    """Values (the loss, or each output) and the gradient of each differentiated input."""

    values: Data
    gradients: Data


@dataclass(frozen=True)
class Call:
    """Arguments of one call. `upstream`: cotangents by name (layers). `reduction`: None is the kernel's own default."""

    inputs: Data
    parameters: Mapping[str, Any]
    upstream: Data
    reduction: str | None = None

    def cast(self, dtype: Any) -> Call:
        """The same call with floating inputs of another dtype."""
        return Call(_cast(self.inputs, dtype), self.parameters, _cast(self.upstream, dtype), self.reduction)


def _cast(data: Data, dtype: Any) -> Data:
    return {n: a.astype(dtype) if a.dtype.kind == "f" else a for n, a in data.items()}


class NumpyKernels:
    """numpy_kernels.py."""

    name = "numpy"

    def __init__(self, module: ModuleType, program: Program, wrt: Sequence[str]) -> None:
        self.module, self.program, self.wrt = module, program, tuple(wrt)

    def arguments(self, call: Call) -> tuple[list[Any], dict[str, Any]]:
        """Positional inputs in the order of the file, and keywords."""
        keywords = dict(call.parameters)
        if call.reduction is not None:
            keywords["reduction"] = call.reduction
        return [call.inputs[i.name] for i in self.program.inputs], keywords

    def run(self, call: Call) -> Outcome:
        """Value and gradients."""
        args, keywords = self.arguments(call)
        if self.program.is_loss:
            value, grad = self.module.value_and_grad(*args, **keywords)
            return Outcome({self.program.loss.name: np.asarray(value)}, self.by_input(grad))
        y, saved = self.module.forward(*args, **keywords)
        grad = self.module.backward(*self.upstream(call), saved)
        return Outcome(self.by_output(y), self.by_input(grad))

    def values(self, call: Call) -> Data:
        """The value alone, by the function that gives no gradient."""
        args, keywords = self.arguments(call)
        if self.program.is_loss:
            return {self.program.loss.name: np.asarray(self.module.loss(*args, **keywords))}
        return self.by_output(self.module.forward(*args, **keywords)[0])

    def gradients(self, call: Call) -> Data:
        """The gradient alone."""
        if not self.program.is_loss:
            return self.run(call).gradients
        args, keywords = self.arguments(call)
        return self.by_input(self.module.grad(*args, **keywords))

    def upstream(self, call: Call) -> list[np.ndarray[Any, Any]]:
        """Cotangents in the order of the outputs."""
        return [call.upstream[f"d{s.name}"] for s in self.program.outputs]

    def by_input(self, grad: Any) -> Data:
        """Gradients by the name of the input."""
        if len(self.wrt) == 1:
            return {self.wrt[0]: np.asarray(grad[0] if hasattr(grad, "_fields") else grad)}
        return {n: np.asarray(getattr(grad, n)) for n in self.wrt}

    def by_output(self, y: Any) -> Data:
        """Values by the name of the output."""
        names = [s.name for s in self.program.outputs]
        if len(names) == 1:
            return {names[0]: np.asarray(y[0] if hasattr(y, "_fields") else y)}
        return dict(zip(names, (np.asarray(a) for a in y), strict=True))

    def check_inputs(self, call: Call) -> None:
        """Raises ValueError where the data break a domain or a fact."""
        args, keywords = self.arguments(call)
        keywords.pop("reduction", None)
        self.module.check_inputs(*args, **keywords)


class TorchKernels:
    """torch_kernels.py, by its plain function."""

    name = "torch"

    def __init__(self, module: ModuleType, program: Program, wrt: Sequence[str]) -> None:
        self.module, self.program, self.wrt = module, program, tuple(wrt)

    def run(self, call: Call) -> Outcome:
        """Value and gradients, by torch.autograd through the generated function."""
        import torch

        tensors = {n: _tensor(torch, a, n in self.wrt) for n, a in call.inputs.items()}
        keywords = dict(call.parameters) | ({"reduction": call.reduction} if call.reduction else {})
        function = getattr(self.module, self.program.name)
        got = function(*(tensors[i.name] for i in self.program.inputs), **keywords)
        outputs = list(got) if isinstance(got, (tuple, list)) else [got]
        names = [s.name for s in self.program.outputs]
        live = [(n, o) for n, o in zip(names, outputs, strict=True) if o.requires_grad]
        grads: Sequence[Any] = [None] * len(self.wrt)
        if live and self.wrt:
            # one scalar: torch imports sympy where it is given cotangents
            total = sum((_upstream(torch, call, n, o) * o).sum() for n, o in live)
            grads = torch.autograd.grad(total, [tensors[n] for n in self.wrt], allow_unused=True)
        found = (
            np.zeros(tensors[n].shape) if g is None else g.numpy(force=True)
            for n, g in zip(self.wrt, grads, strict=True)
        )
        values = {n: o.detach().numpy() for n, o in zip(names, outputs, strict=True)}
        return Outcome(values, dict(zip(self.wrt, found, strict=True)))

    def tangents(self, call: Call, along: Data) -> Data:
        """Tangents of the outputs (of a loss: of what the reduction makes) by forward mode, along this direction."""
        import torch

        forward_ad: Any = torch.autograd.forward_ad
        # make_dual itself loads the decompositions of torch's own functions first, a third of a second, unused here
        dual: Any = getattr(torch._VF, "_make_dual", forward_ad.make_dual)
        keywords = dict(call.parameters) | ({"reduction": call.reduction} if call.reduction else {})
        with forward_ad.dual_level() as level:
            args = []
            for i in self.program.inputs:
                x = _tensor(torch, call.inputs[i.name], False)
                moves = i.name in along
                args.append(dual(x, torch.tensor(along[i.name], dtype=x.dtype), level=level) if moves else x)
            got = getattr(self.module, self.program.name)(*args, **keywords)
            outputs = list(got) if isinstance(got, (tuple, list)) else [got]
            found = [(o, forward_ad.unpack_dual(o).tangent) for o in outputs]
        names = (s.name for s in self.program.outputs)
        return {n: np.zeros(o.shape) if t is None else t.numpy() for n, (o, t) in zip(names, found, strict=True)}


def _tensor(torch: Any, a: np.ndarray[Any, Any], differentiated: bool) -> Any:
    """The same memory with the same strides: what is written to it is seen."""
    with warnings.catch_warnings():
        # broadcast arrays are read-only, and torch has no such tensors
        warnings.simplefilter("ignore")
        t = torch.from_numpy(np.asarray(a))
    return t.requires_grad_() if differentiated else t


def _upstream(torch: Any, call: Call, name: str, output: Any) -> Any:
    """The cotangent of an output; 1 for a loss where none is given."""
    given = call.upstream.get(f"d{name}")
    return torch.ones_like(output) if given is None else torch.tensor(given, dtype=output.dtype)


Kernels = NumpyKernels | TorchKernels


def attempt(kernels: Kernels, call: Call) -> Outcome:
    """Run a kernel; what it raises, or gives in a wrong shape, is a KernelError."""
    got = guarded(kernels.name, lambda: kernels.run(call))
    for n, g in got.gradients.items():
        if g.shape != call.inputs[n].shape:
            shapes = f"has shape {g.shape}, expected {call.inputs[n].shape}"
            raise KernelError(f"{kernels.name} gradient of {n} {shapes}")
    return got


def guarded(name: str, run: Callable[[], Result]) -> Result:
    """Run generated code; whatever it raises becomes a KernelError, because it is what is on trial here."""
    try:
        with np.errstate(all="ignore"):
            return run()
    except Exception as e:
        raise KernelError(f"{name} kernel raised {type(e).__name__}: {e}") from e
