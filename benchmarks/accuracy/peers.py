"""Who computes: our kernels, torch autograd of the plain formula, torch's built-ins, SymPy's lambdify.

Each peer takes inputs and upstream of one dtype and gives arrays by `value NAME` and `grad NAME`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from benchmarks.accuracy.cases import Case
from benchmarks.accuracy.points import Data
from symgrad.formula.program import Program
from symgrad.validate.evaluate import evaluate_program
from symgrad.validate.torch_backend import TorchBackend

Answers = dict[str, np.ndarray[Any, Any]]
Peer = Callable[[Data, Data], Answers]


def peers_of(case: Case, result: Any, wrt: Sequence[str]) -> dict[str, Peer]:
    """Name -> peer; those that cannot do the case are absent."""
    program = result.derivation.program
    found: dict[str, Peer] = {
        "numpy": lambda inputs, upstream: _numpy(result.numpy, program, inputs, upstream, wrt),
        "torch": lambda inputs, upstream: _torch(
            _ours(getattr(result.torch, program.name), program), program, inputs, upstream, wrt
        ),
        "autograd": lambda inputs, upstream: _torch(_plain(program), program, inputs, upstream, wrt),
    }
    if case.builtin is not None:
        builtin = case.builtin
        name = program.outputs[0].name
        found["built-in"] = lambda inputs, upstream: _torch(
            lambda tensors: {name: builtin(tensors)}, program, inputs, upstream, wrt
        )
    return found


def _numpy(module: Any, program: Program, inputs: Data, upstream: Data, wrt: Sequence[str]) -> Answers:
    args = [inputs[i.name] for i in program.inputs]
    if program.is_loss:
        some = {"reduction": "none"} if program.loss.indices else {}
        values = {f"value {program.loss.name}": np.asarray(module.loss(*args, **some))}
        grads = module.grad(*args, **({"reduction": "sum"} if some else {}))
    else:
        y, saved = module.forward(*args)
        outputs = y if isinstance(y, tuple) else (y,)
        values = {f"value {s.name}": np.asarray(v) for s, v in zip(program.outputs, outputs, strict=True)}
        grads = module.backward(*(upstream[f"d{s.name}"] for s in program.outputs), saved)
    if len(program.wrt) == 1:
        return values | {f"grad {program.wrt[0]}": np.asarray(grads)}
    return values | {f"grad {n}": np.asarray(getattr(grads, n)) for n in wrt}


def _ours(function: Any, program: Program) -> Callable[[Mapping[str, torch.Tensor]], dict[str, torch.Tensor]]:
    def call(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        some = {"reduction": "none"} if program.is_loss and program.loss.indices else {}
        got = function(*(tensors[i.name] for i in program.inputs), **some)
        outputs = got if isinstance(got, tuple) else (got,)
        return {s.name: v for s, v in zip(program.outputs, outputs, strict=True)}

    return call


def _plain(program: Program) -> Callable[[Mapping[str, torch.Tensor]], dict[str, torch.Tensor]]:
    def call(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        dtype = next(t.dtype for t in tensors.values() if t.dtype.is_floating_point)
        data = {n: t if t.dtype.is_floating_point else t.numpy() for n, t in tensors.items()}
        values = evaluate_program(program, data, {}, TorchBackend(dtype))
        return {s.name: values[s.name] for s in program.outputs}

    return call


def _torch(function: Any, program: Program, inputs: Data, upstream: Data, wrt: Sequence[str]) -> Answers:
    tensors = {n: torch.tensor(a, requires_grad=n in wrt) for n, a in inputs.items()}
    got = function(tensors)
    pairs = [(v, torch.ones_like(v) if program.is_loss else torch.tensor(upstream[f"d{n}"])) for n, v in got.items()]
    live = [(v, g) for v, g in pairs if v.requires_grad]
    grads = torch.autograd.grad(
        [v for v, _ in live], [tensors[n] for n in wrt], [g for _, g in live], allow_unused=True
    )
    values = {f"value {n}": v.detach().numpy() for n, v in got.items()}
    found = {
        f"grad {n}": np.zeros(inputs[n].shape) if g is None else g.numpy() for n, g in zip(wrt, grads, strict=True)
    }
    return values | found
