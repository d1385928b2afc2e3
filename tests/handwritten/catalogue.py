"""Right gradients of the catalogue: the generated kernels, called as hand-written functions are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from symgrad.pipeline import derive


def right_gradient(name: str) -> Callable[..., Any]:
    """The generated NumPy gradient of a formula as a function of its inputs, cotangents and parameters."""
    d = derive(name, targets=("numpy",), check=False)
    program = d.derivation.program
    parameters = [p.name for p in program.parameters]
    inputs = [i.name for i in program.inputs]
    cotangents = [] if program.is_loss else [f"d{s.name}" for s in program.outputs]
    if program.is_loss:
        body = f"return module.value_and_grad({', '.join([*inputs, *(f'{p}={p}' for p in parameters)])})"
    else:
        call = f"module.forward({', '.join([*inputs, *(f'{p}={p}' for p in parameters)])})"
        body = f"y, saved = {call}\n    return module.backward({', '.join([*cotangents, 'saved'])})"
    defaults = [f"{p.name}={int(p.value) if p.dtype == 'int' else float(p.value)!r}" for p in program.parameters]
    source = f"def grad({', '.join([*inputs, *cotangents, *defaults])}):\n    {body}\n"
    names: dict[str, Any] = {"module": d.numpy}
    exec(compile(source, "<kernel>", "exec"), names)
    found: Callable[..., Any] = names["grad"]
    return found
