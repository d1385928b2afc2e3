"""A point with everything that the formula says there: values of names, closed forms, and forms that were changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from symgrad.algebra.terms import BATCH, Term
from symgrad.formula.program import Program, Statement
from symgrad.validate.evaluate import Evaluation, evaluate_program
from symgrad.validate.points import Point
from symgrad.validate.precise import Definition
from symgrad.validate.sizes import bind_sizes

Array = np.ndarray[Any, Any]
MOST_EVALUATIONS, MOST_KEPT = 6, 400
"""Evaluations and values of definitions that a scene keeps."""


@dataclass(frozen=True)
class Form:
    """A closed form: `closed[indices]` in the names of `where`."""

    input: str
    indices: tuple[Term, ...]
    closed: Term
    where: tuple[Definition, ...] = ()
    machine: bool = False
    """Whether it is the kernels' chain of adjoints: what can be said in people's forms is said in those."""


@dataclass(frozen=True)
class Scene:
    """The formula at one point, in float64. `factor`: what the loss is multiplied by; `upstream` is part of that."""

    program: Program
    point: Point
    factor: float = 1.0
    upstream: float = 1.0
    memo: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False)

    @cached_property
    def dims(self) -> Mapping[str, int]:
        """Sizes by name; the number of batch elements is that of `...`."""
        shapes = {n: tuple(np.shape(a)) for n, a in self.point.inputs.items()}
        return bind_sizes(self.program, shapes, self.point.parameters).dims

    @cached_property
    def values(self) -> Mapping[str, Array]:
        """Every statement."""
        return evaluate_program(self.program, self.point.inputs, self.point.parameters)

    @cached_property
    def known(self) -> Mapping[str, Array]:
        """Inputs, statements and cotangents."""
        return {**self.point.inputs, **self.values, **self.point.upstream}

    @cached_property
    def count(self) -> int:
        """Elements of the loss, over which its mean is taken."""
        return int(np.size(self.values[self.program.loss.name])) if self.program.is_loss else 1

    def of(self, form: Form) -> Array:
        """The value of a closed form."""
        return self.factor * self.term(form.closed, form.indices, form.where)

    def term(self, t: Term, indices: Sequence[Term], where: Sequence[Definition] = ()) -> Array:
        """The value of a term with these axes."""
        with np.errstate(all="ignore"):
            return np.asarray(self.evaluation(where).term(t, indices), dtype=float)

    def evaluation(self, where: Sequence[Definition]) -> Evaluation:
        """An evaluation that knows these definitions; it keeps what it has computed, a few of them are kept."""
        key = tuple((d.name, d.body) for d in where)
        kept: dict[Any, Evaluation] = self.memo.setdefault("evaluations", {})
        if key not in kept:
            work = Evaluation(self.program, self.point.inputs, self.point.parameters, strict=False)
            work.bind(self.known)
            signatures = _signatures(where)
            known: dict[Any, Array] = self.memo.setdefault("definitions", {})
            work.bind({d.name: known[signatures[d.name]] for d in where if signatures[d.name] in known})
            work.run(Statement(d.name, tuple(d.indices), d.body) for d in where if signatures[d.name] not in known)
            work.memo.clear()
            if len(known) < MOST_KEPT:
                known.update({signatures[d.name]: work.tensors[d.name] for d in where})
            if len(kept) >= MOST_EVALUATIONS:
                del kept[next(iter(kept))]
            kept[key] = work
        return kept[key]

    def with_upstream(self, upstream: Mapping[str, Array]) -> Scene:
        """The same point under another upstream."""
        return self.at(replace(self.point, upstream=dict(upstream)))

    def with_parameter(self, name: str, value: float) -> Scene:
        """The same point under another value of a parameter."""
        return self.at(replace(self.point, parameters={**self.point.parameters, name: value}))

    def at(self, point: Point) -> Scene:
        """The same question at another point."""
        return Scene(self.program, point, self.factor, self.upstream)

    @property
    def batch_rank(self) -> int:
        """How many axes `...` stands for here."""
        tensor = next((i for i in self.program.inputs if i.batch), None)
        return 0 if tensor is None else self.point.inputs[tensor.name].ndim - len(tensor.shape)


def _signatures(where: Sequence[Definition]) -> Mapping[str, tuple[object, ...]]:
    """What the value of each definition depends on: its body and, through the names in it, those of others."""
    bodies = {d.name: d.body for d in where}
    reached: dict[str, tuple[object, ...]] = {}
    for d in where:
        todo, found = [d.name], {d.name}
        while todo:
            new = (bodies[todo.pop()].tensors & bodies.keys()) - found
            found |= new
            todo += new
        reached[d.name] = (d.name, *((n, bodies[n]) for n in sorted(found)))
    return reached


def is_batch(index: Term) -> bool:
    """Whether an index is `...`."""
    return str(index.data) == BATCH
