"""How a hand-written function is called at a point, and what it answers.

f(z, t, gamma=2.0) -> dz        inputs in the order of the file, or as `--args` says; parameters by keyword
f(x, W, b, dy) -> (dx, dW, db)  cotangents after the inputs
F.apply(z, t)                   an autograd.Function, differentiated by torch under a random upstream
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from zlib import crc32

import numpy as np

from symgrad.errors import UsageError, nearest
from symgrad.formula.program import Program
from symgrad.handwritten.answers import Answer, Layout, read_answer
from symgrad.handwritten.scenes import Array, Scene
from symgrad.validate.points import Point

UPSTREAMS = (1.7, 0.6, 2.3, 1.1, 0.45)
"""What the loss is multiplied by where torch differentiates through the function, by turns."""


class Callee(Protocol):
    """Something that calls the function: in a process of its own, or here."""

    @property
    def kind(self) -> str:
        """'function', or 'autograd' where torch differentiates through it."""

    @property
    def accepted(self) -> Sequence[str]:
        """The parameters of the formula that the function has as arguments."""

    def call(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """What it returned; TheirError for what it raised."""


@dataclass(frozen=True)
class Manner:
    """How the function is called. `arguments`: (kind, name) in order, kind 'array' or 'label'."""

    program: Program
    wrt: tuple[str, ...]
    arguments: tuple[tuple[str, str], ...]
    order: int = 1
    reduction: str = "mean"

    def layout(self, scene: Scene) -> Layout:
        """What is looked for in an answer at a point."""
        shapes = {n: tuple(np.shape(a)) for n, a in scene.point.inputs.items()}
        values = tuple(tuple(np.shape(scene.values[s.name])) for s in self.program.outputs)
        names = tuple(i.name for i in self.program.inputs)
        return Layout(self.wrt, names, shapes, ((), *values), self.order)


def arguments_of(program: Program, told: str | None) -> tuple[tuple[str, str], ...]:
    """The arguments of a call: inputs, then cotangents of a layer; `told`: another order, such as `t, z`.

    `label(t)` is an object whose `get_label()` gives t, as the data sets of XGBoost and LightGBM are.
    """
    names = [i.name for i in program.inputs]
    names += [] if program.is_loss else [f"d{s.name}" for s in program.outputs]
    if told is None:
        return tuple(("array", n) for n in names)
    found = []
    for word in (w.strip() for w in told.split(",") if w.strip()):
        match = re.fullmatch(r"label\((\w+)\)|(\w+)", word)
        name = (match[1] or match[2]) if match else word
        if match is None or name not in names:
            close = nearest(name, names)
            help = f"did you mean {close}?" if close else f"known are {', '.join(names)}, and label({names[-1]})"
            raise UsageError(f"--args names {word!r}, which is no argument\n = help: {help}")
        found.append(("label" if match[1] else "array", name))
    return tuple(found)


class Caller:
    """Calls the function at points."""

    def __init__(self, callee: Callee, manner: Manner) -> None:
        self.callee, self.manner = callee, manner
        self.calls = 0

    @property
    def differentiates(self) -> bool:
        """Whether torch differentiates through the function: then a loss has an upstream of its own."""
        return self.callee.kind == "autograd"

    def scene(self, point: Point) -> Scene:
        """The formula at a point, times what the function is asked for."""
        program = self.manner.program
        factor = upstream = 1.0
        if self.differentiates and program.is_loss:
            factor = upstream = UPSTREAMS[crc32(point.label.encode()) % len(UPSTREAMS)]
        if self.manner.reduction == "sum" and program.is_loss:
            factor *= Scene(program, point).count
        return Scene(program, point, factor, upstream)

    def __call__(self, scene: Scene, weights: Array | None = None) -> Answer:
        """What the function answers; TheirError, LayoutError. `weights`: the upstream of a loss by sample."""
        self.calls += 1
        program, point = self.manner.program, scene.point
        known = {**point.inputs, **point.upstream}
        order = [i.name for i in program.inputs]
        arguments = self.manner.arguments
        if self.differentiates:
            arguments = tuple((kind, n) for kind, n in arguments if n in order)
        upstream = [np.asarray(scene.upstream) if weights is None else weights]
        if not program.is_loss:
            upstream = [point.upstream[f"d{s.name}"] for s in program.outputs]
        said = self.callee.call(
            {
                "arguments": [(kind, known[n]) for kind, n in arguments],
                "keywords": {n: point.parameters[n] for n in self.callee.accepted},
                "upstream": upstream,
                "differentiated": [n in self.manner.wrt for _, n in arguments],
            }
        )
        return read_answer(said, self.manner.layout(scene))
