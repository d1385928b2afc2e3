"""The generated kernels of the second order behind one face, and the directions that they are called with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any

import numpy as np

from symgrad.formula.program import Domain, Program
from symgrad.validate.kernels import Call, Data, KernelError, NumpyKernels, guarded
from symgrad.validate.points import Point


@dataclass(frozen=True)
class Second:
    """What the second order says at a call, by input: the Hessian's diagonal, and its product with a direction."""

    diagonal: Data
    product: Data

    def items(self) -> list[tuple[str, str, np.ndarray[Any, Any]]]:
        """Kind, input and array of each result."""
        kinds = {"Hessian diagonal": self.diagonal, "Hessian-vector product": self.product}
        return [(kind, n, a) for kind, found in kinds.items() for n, a in found.items()]


class SecondKernels:
    """`grad_and_hess` and `hvp` of numpy_kernels.py."""

    def __init__(self, module: ModuleType, program: Program, wrt: Sequence[str]) -> None:
        self.module, self.program, self.wrt = module, program, tuple(wrt)
        self.first = NumpyKernels(module, program, wrt)

    def run(self, call: Call, direction: Data) -> Second:
        """Both functions; KernelError for what they raise and for wrong shapes."""
        return Second(self.diagonal(call), self.product(call, direction))

    def diagonal(self, call: Call) -> Data:
        """The Hessian's diagonal."""
        return self._checked(call, self.grad_and_hess(call)[1])

    def grad_and_hess(self, call: Call) -> tuple[Data, Data]:
        """Gradient and diagonal."""
        args, keywords = self.first.arguments(call)
        grad, hess = guarded("numpy", lambda: self.module.grad_and_hess(*args, **keywords))
        return self.first.by_input(grad), self.first.by_input(hess)

    def product(self, call: Call, direction: Data) -> Data:
        """The Hessian times the direction."""
        args, keywords = self.first.arguments(call)
        v = tuple(direction[n] for n in self.wrt)
        got = guarded("numpy", lambda: self.module.hvp(*args, v if len(v) > 1 else v[0], **keywords))
        return self._checked(call, self.first.by_input(got))

    def _checked(self, call: Call, found: Data) -> Data:
        for n, a in found.items():
            if a.shape != call.inputs[n].shape:
                raise KernelError(f"second derivative by {n} has shape {a.shape}, expected {call.inputs[n].shape}")
        return found


def drawn(wrt: Sequence[str], inputs: Data, rng: Any) -> Data:
    """A random direction, in each input of the size of its elements."""
    return {n: rng.standard_normal(inputs[n].shape) * typical(inputs[n]) for n in wrt}


def typical(x: np.ndarray[Any, Any]) -> float:
    """The size of an input's elements: 1 where they are small."""
    return max(float(np.max(np.abs(x), initial=0.0)), 1.0)


def with_directions(program: Program, names: Mapping[str, str]) -> Program:
    """The program with the directions as inputs, `names`: input -> direction."""
    own = {i.name: i for i in program.inputs}
    new = (replace(own[n], name=v, given=True, domain=Domain(), padded=False) for n, v in names.items())
    return replace(program, inputs=(*program.inputs, *new))


def at_direction(point: Point, names: Mapping[str, str], direction: Data) -> Point:
    """The point with the direction among its inputs."""
    return replace(point, inputs={**point.inputs, **{names[n]: d for n, d in direction.items()}})
