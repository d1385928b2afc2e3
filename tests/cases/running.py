"""A case of this folder in one process: derived, and held against its torch reference.

NAME.yaml is a formula; NAME.py has `reference(torch, **inputs_and_parameters)` and what the acceptance harness knows:
CLOSED, MAX_CLOSED, DIMS, PARAMS, SAMPLE, EXTREME, KINK, BREAK.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import util
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

import symgrad
from symgrad.closing.derivation import Derivation, Gradient
from symgrad.document import gradient as gradient_record
from symgrad.report.contents import derivation_notation
from symgrad.validate.evaluate import evaluate_program, evaluate_term
from symgrad.validate.extents import choose_extents
from symgrad.validate.sampling import choose_parameters, sample_inputs

HERE = Path(__file__).parent
NAMES = sorted(p.stem for p in HERE.glob("*.yaml"))
BATCHES = ((2, 3), (4,))
Data = dict[str, Any]


@dataclass
class Point:
    """Inputs, parameters and cotangents, and what torch's autograd makes of the reference there."""

    label: str
    inputs: Data
    parameters: Data
    upstream: list[Any]
    values: list[Any]
    gradients: Data


@dataclass
class Case:
    """A formula of this folder with its reference."""

    name: str

    @cached_property
    def module(self) -> ModuleType:
        """NAME.py."""
        spec = util.spec_from_file_location(f"case_{self.name}", HERE / f"{self.name}.py")
        assert spec is not None
        assert spec.loader is not None
        module = util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    @cached_property
    def result(self) -> Any:
        """What symgrad derives."""
        return symgrad.derive(HERE / f"{self.name}.yaml")

    @property
    def derivation(self) -> Derivation:
        """The derivation in the result."""
        return self.result.derivation  # type: ignore[no-any-return]

    @property
    def wrt(self) -> tuple[str, ...]:
        """The inputs that are differentiated."""
        return tuple(self.derivation.program.wrt)

    @property
    def outputs(self) -> list[str]:
        """Names of the outputs of a layer; none for a loss."""
        program = self.derivation.program
        return [] if program.is_loss else [s.name for s in program.outputs]

    def sizes(self, variant: int) -> tuple[dict[str, int], Data]:
        """Dimensions and parameters of the first or the second run."""
        program, dims = self.derivation.formula.program, getattr(self.module, "DIMS", {})
        chosen = dims[variant] if isinstance(dims, list) else dims
        parameters = choose_parameters(program, 0) | (getattr(self.module, "PARAMS", {}) if variant else {})
        return choose_extents(program, variant, parameters) | chosen, parameters

    def sample(self, variant: int, seed: int) -> tuple[Data, Data]:
        """Inputs and parameters."""
        dims, parameters = self.sizes(variant)
        rng = np.random.default_rng(seed)
        data = sample_inputs(self.derivation.formula.program, dims, BATCHES[variant], rng, 1.0, parameters)
        if hasattr(self.module, "SAMPLE"):
            self.module.SAMPLE(rng, data, dims)
        return data, parameters

    def point(self, label: str, data: Data, parameters: Data) -> Point:
        """Values and gradients of the reference."""
        import torch

        tensors = {k: torch.tensor(v, requires_grad=k in self.wrt) for k, v in data.items()}
        out = self.module.reference(torch, **tensors, **parameters)
        out = list(out) if isinstance(out, tuple | list) else [out]
        rng = np.random.default_rng(3)
        upstream = [rng.standard_normal(tuple(o.shape)) if self.outputs else np.ones(()) for o in out]
        wrt = [tensors[k] for k in self.wrt]
        grads = torch.autograd.grad(
            out, wrt, [torch.tensor(u, dtype=o.dtype) for u, o in zip(upstream, out, strict=True)]
        )
        found = {k: g.numpy() for k, g in zip(self.wrt, grads, strict=True)}
        return Point(label, data, parameters, upstream, [o.detach().numpy() for o in out], found)

    @cached_property
    def points(self) -> list[Point]:
        """Two runs at different sizes, and the kinks."""
        points = [self.point(f"run {k}", *self.sample(k, 11 + k)) for k in (0, 1)]
        if hasattr(self.module, "KINK"):
            data, parameters = self.sample(0, 11)
            points.append(self.point("kink", self.module.KINK(data) or data, parameters))
        return points

    # ---- what is held against the reference

    def printed(self, name: str) -> dict[str, Any]:
        """The entry of `derive --json` for one gradient."""
        gradient, formula = self.derivation.gradient(name), self.derivation.formula
        record: dict[str, Any] = dict(gradient_record(gradient, formula, derivation_notation(self.derivation)))
        return record

    def length(self, name: str) -> int:
        """Characters of the closed form and of the definitions that symgrad introduced, blanks left out."""
        record = self.printed(name)
        return _length(record["closed"], record["where"], self._own_names())

    def longest(self, name: str) -> int | None:
        """The most characters that the acceptance harness allows."""
        bound = getattr(self.module, "MAX_CLOSED", None)
        bound = bound.get(name) if isinstance(bound, dict) else bound
        closed = getattr(self.module, "CLOSED", {}).get(name)
        if bound is not None or closed is None:
            return bound
        text, where = (closed, {}) if isinstance(closed, str) else (closed[0], closed[1] if len(closed) > 1 else {})
        return int(1.6 * _length(text, where, self._own_names())) + 12

    def _own_names(self) -> set[str]:
        return {s.name for s in self.derivation.formula.program.statements if s.kind != "loss"}

    def closed(self, gradient: Gradient, point: Point) -> Any:
        """The value of the closed form at a point."""
        program = self.derivation.formula.program
        values = evaluate_program(program, point.inputs, point.parameters)
        known = point.inputs | values | {f"d{o}": u for o, u in zip(self.outputs, point.upstream, strict=False)}
        definitions = [(d.name, d.indices, d.body) for d in gradient.where]
        value = evaluate_term(gradient.closed, program, known, gradient.indices, point.parameters, None, definitions)
        return np.broadcast_to(value, point.gradients[gradient.input].shape)

    def numpy(self, data: Mapping[str, Any], point: Point) -> tuple[list[Any], Data]:
        """Values and gradients of the NumPy kernels; `data`: the inputs in the dtype to compute in."""
        kernels, arguments = self.result.numpy, list(data.values())
        if not self.outputs:
            value, grads = kernels.value_and_grad(*arguments, **point.parameters)
            return [value], self._fields(grads)
        y, saved = kernels.forward(*arguments, **point.parameters)
        ys = list(y) if len(self.outputs) > 1 else [y]
        upstream = [np.asarray(u, np.asarray(v).dtype) for u, v in zip(point.upstream, ys, strict=True)]
        return ys, self._fields(kernels.backward(*upstream, saved))

    def torch(self, point: Point) -> tuple[list[Any], Data]:
        """Values and gradients of the torch kernels."""
        import torch

        tensors = {k: torch.tensor(v, requires_grad=k in self.wrt) for k, v in point.inputs.items()}
        out = getattr(self.result.torch, self.name)(*tensors.values(), **point.parameters)
        out = list(out) if isinstance(out, tuple | list) else [out]
        grads = torch.autograd.grad(out, [tensors[k] for k in self.wrt], [torch.tensor(u) for u in point.upstream])
        return [o.detach().numpy() for o in out], {k: g.numpy() for k, g in zip(self.wrt, grads, strict=True)}

    def _fields(self, grads: Any) -> Data:
        return {self.wrt[0]: grads} if len(self.wrt) == 1 else {k: getattr(grads, k) for k in self.wrt}

    def extremes(self) -> Iterator[Point]:
        """Points with one input scaled up, float32 numbers; without a finite reference they are left out."""
        for name, scales in getattr(self.module, "EXTREME", {}).items():
            for scale in scales:
                data, parameters = self.sample(0, 16)
                data[name] = data[name] * scale
                exact = {k: v.astype(np.float32).astype(float) if v.dtype.kind == "f" else v for k, v in data.items()}
                point = self.point(f"{name}*{scale}", exact, parameters)
                if all(np.all(np.isfinite(v)) for v in (*point.values, *point.gradients.values())):
                    yield point


def error(got: Any, expected: Any) -> float:
    """Largest difference relative to the largest entry expected."""
    a, b = np.asarray(got, float), np.asarray(expected, float)
    if a.shape != b.shape or not np.all(np.isfinite(a)):
        return float("inf")
    largest = float(np.max(np.abs(b), initial=0.0))
    return float(np.max(np.abs(a - b), initial=0.0)) / max(largest, 1e-30)


def _length(text: str, where: Mapping[str, str], own: set[str]) -> int:
    """Blanks left out; entries of `where` count where the formula has no such name."""
    introduced = [(k, v) for k, v in where.items() if k.split("[")[0].strip() not in own]
    return sum(len("".join(str(part).split())) for part in (text, *(x for pair in introduced for x in pair)))
