"""The independent evaluator: what terms and programs mean, by brute force.

A value is an array whose axes are named by indices; operations broadcast, every access is a gather, nothing is
simplified. One code for NumPy, torch and mpmath (`backends`). It shares nothing with `lower` and `emit`, whose output
it judges.

    evaluate_program(program, {"z": z, "t": t})["y"]      every statement, axes in the order of its signature
    evaluate_term(closed, program, values, (i, j))        a closed form, given inputs, statements and cotangents

The batch `...` is one flattened axis inside and the batch axes of the inputs outside.

Several points are evaluated at once in lanes: an input that differs between them has a last axis more, one element a
point, and so has every statement that depends on it. For the rules a lane is one more index, which nothing sums over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from functools import reduce as fold
from math import prod
from typing import Any

import numpy as np

from symgrad.algebra.build import substitute
from symgrad.algebra.terms import BATCH, Term, extent, idx, lead_of, matrix_of, node, num
from symgrad.formula.program import Program, Statement
from symgrad.validate.backends import Array, Backend, EvaluationError, NumpyBackend
from symgrad.validate.operations import RULES, Mask, Named
from symgrad.validate.reads import Gather, gathered, plain, reads_at
from symgrad.validate.sizes import Sizes, bind_sizes, integer_of
from symgrad.validate.steps import Circle, in_order, time_axis

TIE = Fraction(1, 10**13)


def evaluate_program(
    program: Program,
    inputs: Mapping[str, Array],
    parameters: Mapping[str, Any] | None = None,
    backend: Backend | None = None,
    known: Mapping[str, Array] | None = None,
    lanes: Lanes | None = None,
) -> dict[str, Array]:
    """Every statement of the program, in order: name -> array with the axes of its signature, and of the lane.

    `known`: statements whose values are known already. `lanes`: inputs that have a last axis more.
    """
    work = Evaluation(program, inputs, parameters, backend, lanes=lanes)
    work.bind(known or {})
    work.run(s for s in program.statements if s.name not in (known or {}))
    return {s.name: work.tensors[s.name] for s in program.statements}


def untouched(program: Program, moved: Iterable[str]) -> list[str]:
    """Statements that no path leads to from these inputs."""
    touched, before = set(moved), 0
    while len(touched) > before:
        before = len(touched)
        touched |= {s.name for s in program.statements if s.body.tensors & touched}
    return [s.name for s in program.statements if s.name not in touched]


def evaluate_term(
    term: Term,
    program: Program,
    values: Mapping[str, Array],
    indices: Sequence[Term],
    parameters: Mapping[str, Any] | None = None,
    backend: Backend | None = None,
    definitions: Iterable[tuple[str, Sequence[Term], Term]] = (),
) -> Array:
    """term[indices], given `values` of inputs, statements, cotangents; `definitions` (name, indices, body) come first.

    As in a printed closed form, a read outside of a tensor gives 0.
    """
    inputs = {i.name: values[i.name] for i in program.inputs}
    work = Evaluation(program, inputs, parameters, backend, strict=False)
    work.bind(values)
    work.run(Statement(name, tuple(signature), body) for name, signature, body in definitions)
    return work.term(term, indices)


class Lanes:
    """Points that are evaluated at once: how many, and the inputs that differ between them."""

    def __init__(self, count: int, inputs: Iterable[str]) -> None:
        self.index, self.inputs = idx("%lane", num(count)), frozenset(inputs)


class Evaluation:
    """Values of statements at one point. `strict`: an access that reads outside of its tensor is an error."""

    def __init__(
        self,
        program: Program,
        inputs: Mapping[str, Array],
        parameters: Mapping[str, Any] | None = None,
        backend: Backend | None = None,
        strict: bool = True,
        lanes: Lanes | None = None,
    ) -> None:
        self.backend: Backend = backend or NumpyBackend()
        self.strict = strict
        self.rounds_steps = bool(getattr(self.backend, "rounds_steps", False))
        self.parameters = {p.name: p.value for p in program.parameters} | dict(parameters or {})
        self.parameters["%nan"] = np.nan
        self.integers = frozenset(i.name for i in program.inputs if i.dtype != "real")
        self.tensors: dict[str, Array] = {}
        self.matrices: dict[tuple[str, str], Array] = {}
        self.memo: dict[tuple[Term, Mask], Named] = {}
        self.lane = (lanes.index,) if lanes is not None else ()
        self.in_lanes = set(lanes.inputs if lanes is not None else ())
        self.bind({i.name: inputs[i.name] for i in program.inputs})
        shapes = {n: tuple(np.shape(a)) for n, a in inputs.items()}
        shapes |= {n: shapes[n][:-1] for n in self.in_lanes}
        self.sizes: Sizes = bind_sizes(program, shapes, self.parameters)
        self.reads = reads_at(self.sizes.dims, self.sizes.batch, self.parameters)

    def resize(self, dims: Mapping[str, int]) -> None:
        """Other sizes of dimensions."""
        self.forget()
        self.sizes = Sizes(dims, self.sizes.batch)
        self.reads = reads_at(self.sizes.dims, self.sizes.batch, self.parameters)

    def bind(self, values: Mapping[str, Array]) -> None:
        """Give tensors their values."""
        self.forget()
        for name, data in values.items():
            self.tensors[name] = np.asarray(data) if name in self.integers else self.backend.real(data)

    def forget(self) -> None:
        """Forget the values of terms: a tensor has another value now."""
        self.memo.clear()
        self.matrices.clear()

    def run(self, statements: Iterable[Statement]) -> None:
        """Evaluate statements, each after those that it reads; a recurrence step by step."""
        with self.backend.working():
            for s in in_order(statements):
                if isinstance(s, Circle):
                    self.steps(s)
                    continue
                if s.name in self.tensors:
                    self.forget()
                self.tensors[s.name] = self.settle(s.name, self.value(s.body, ()), s.indices)

    def settle(self, name: str, v: Named, indices: Sequence[Term]) -> Array:
        """The value of a tensor with these axes; it is in lanes where it differs between them."""
        if self.lane and self.lane[0] in v.axes:
            self.in_lanes.add(name)
        return self.shaped(v, (*indices, *self.lane_of(name)))

    def lane_of(self, name: str) -> tuple[Term, ...]:
        """The index of the lane where a tensor is in lanes."""
        return self.lane if name in self.in_lanes else ()

    def steps(self, circle: Circle) -> None:
        """The statements of a recurrence: what no step has made yet is nan."""
        made: dict[str, Steps] = {}
        for s in circle.statements:
            if self.lane and any(t.body.tensors & self.in_lanes for t in circle.statements):
                self.in_lanes.add(s.name)
        for s in circle.statements:
            axis = time_axis(s)
            rest = (*s.indices[:axis], *s.indices[axis + 1 :], *self.lane_of(s.name))
            empty = self.shaped(self.value(node("par", (), "%nan"), ()), rest)
            made[s.name] = Steps(empty, self.extent(s.indices[axis]), axis and len(self.sizes.batch) + axis - 1, rest)
            self.tensors[s.name] = made[s.name].array
        for k in range(self.extent(circle.statements[0].indices[time_axis(circle.statements[0])]))[:: circle.step]:
            for s in circle.statements:
                self.forget()
                body = _at_step(s.body, s.indices[time_axis(s)], k)
                step = self.shaped(self.value(body, ()), made[s.name].rest)
                made[s.name].put(k, self.backend.real(step.astype(float)) if self.rounds_steps else step)
                self.tensors[s.name] = made[s.name].array
        self.forget()

    def term(self, t: Term, indices: Sequence[Term] = ()) -> Array:
        """t[indices] as an array with these axes; `...` becomes the batch axes again."""
        with self.backend.working():
            return self.shaped(self.value(t, ()), indices)

    def shaped(self, v: Named, indices: Sequence[Term]) -> Array:
        """A value as an array with these axes; `...` becomes the batch axes again."""
        v = self.spread(v, indices)
        if len(v.axes) != len(indices):
            raise EvaluationError(f"free indices {sorted(str(i.data) for i in set(v.axes) - set(indices))}")
        a = v.array
        if v.axes != tuple(indices):
            a = self.backend.permute(a, tuple(v.axes.index(i) for i in indices))
        shape: list[int] = []
        for i, n in zip(indices, a.shape, strict=True):
            shape.extend(self.sizes.batch if str(i.data) == BATCH else (n,))
        return a.reshape(tuple(shape))

    # ---- values -----------------------------------------------------------------------------------------------------

    def value(self, t: Term, mask: Mask) -> Named:
        """The value of a term; where the conditions of `mask` do not all hold it is arbitrary but harmless."""
        key = (t, mask)
        found = self.memo.get(key)
        if found is None:
            rule = RULES.get(t.op)
            if rule is None:
                raise EvaluationError(f"{t.op} has no value: {t!r}")
            found = self.memo[key] = rule(self, t, mask)
        return found

    def extent(self, index: Term) -> int:
        """How many values an index has."""
        found = self.reads.extents.get(index)
        if found is None:
            found = self.reads.extents[index] = integer_of(extent(index), self.sizes.dims, self.parameters)
        return found

    def spread(self, v: Named, indices: Sequence[Term]) -> Named:
        """The same value with an axis for each of the indices."""
        new = tuple(i for i in indices if i not in v.axes)
        if not new:
            return v
        shape = tuple(self.extent(i) for i in new) + tuple(v.array.shape)
        return Named(self.backend.expand(v.array, shape), new + v.axes)

    def apply(self, f: Callable[..., Array], *values: Named) -> Named:
        """An elementwise operation."""
        axes, arrays = self.align(values)
        got = f(*arrays)
        # NumPy unpacks the result of an operation on object arrays without axes
        return Named(got if hasattr(got, "shape") else _boxed(got), axes)

    def align(self, values: Sequence[Named]) -> tuple[tuple[Term, ...], list[Array]]:
        """Arrays with their axes in one order, absent ones of length 1."""
        axes, plans = _alignment(tuple([v.axes for v in values]))
        out = []
        for v, plan in zip(values, plans, strict=True):
            a = v.array
            if plan is not None:
                order, places = plan
                if order is not None:
                    a = np.transpose(a, order) if isinstance(a, np.ndarray) else self.backend.permute(a, order)
                shape = a.shape
                a = a.reshape([1 if k is None else shape[k] for k in places])
            out.append(a)
        return axes, out

    def guard(self, v: Named, mask: Mask, safe: Fraction = Fraction(1, 2)) -> Named:
        """The value where the mask holds, a harmless number elsewhere (the inner half of a double where)."""
        if not mask:
            return v
        b = self.backend
        return self.apply(lambda c, a: b.where(c, a, b.number(safe)), self.holds(mask), v)

    # ---- conditions and integers: NumPy arrays ----------------------------------------------------------------------

    def holds(self, mask: Mask) -> Named:
        """Where all conditions of a mask hold; each is looked at under those before it."""
        parts = [self.condition(c, mask[:k]) for k, c in enumerate(mask)]
        return self.apply(lambda *cs: fold(np.logical_and, cs), *parts)

    def condition(self, c: Term, mask: Mask) -> Named:
        """A condition as booleans."""
        if c.op == "lit":
            return Named(np.asarray(bool(c.data)))
        if c.op == "not":
            return self.apply(np.logical_not, self.condition(c.args[0], mask))
        if c.op in ("and", "or"):
            join = np.logical_and if c.op == "and" else np.logical_or
            return self.apply(lambda *cs: fold(join, cs), *(self.condition(a, m) for a, m in _looked_at_under(c, mask)))
        if c.op == "cmp":
            return self.apply(self.comparison(str(c.data)), *(self.value(a, mask) for a in c.args))
        if c.op == "fn" and c.data == "truth":
            access = c.args[0]
            v = self.access(access, mask) if access.op in ("get", "get0") else self.value(access, mask)
            return Named(np.asarray(self.plain(v.array) != 0), v.axes)
        raise EvaluationError(f"{c!r} is no condition")

    def comparison(self, op: str) -> Callable[..., np.ndarray[Any, Any]]:
        """The operator. In a closed form equality holds up to rounding: its sums may be in another order."""
        compare = self.backend.compare
        if self.strict or op not in ("==", "!="):
            return lambda a, b: compare(op, a, b)

        def nearly(a: Array, b: Array) -> np.ndarray[Any, Any]:
            size = self.backend.function("Max")(self.backend.function("Abs")(a), self.backend.function("Abs")(b))
            allowed = size * self.backend.number(TIE)
            near = compare("==", a, b) | compare("<=", self.backend.function("Abs")(a - b), allowed)
            return np.asarray(near if op == "==" else ~near)

        return nearly

    def plain(self, a: Array) -> np.ndarray[Any, Any]:
        """The values as a NumPy array."""
        return a if isinstance(a, np.ndarray) else self.backend.plain(a)

    def whole(self, t: Term, mask: Mask) -> Named:
        """The value of an integer term."""
        if t.op == "idx":
            return Named(np.arange(self.extent(t)), (t,))
        if not t.free and not t.tensors:
            return Named(np.asarray(integer_of(t, self.sizes.dims, self.parameters)))
        if t.op in _WHOLE:
            combine = _WHOLE[t.op]
            return self.apply(lambda *xs: fold(combine, xs), *(self.whole(a, mask) for a in t.args))
        if t.op == "fn" and t.data in ("floordiv", "mod"):
            f = np.floor_divide if t.data == "floordiv" else np.mod
            return self.apply(f, *(self.whole(a, mask) for a in t.args))
        if t.op in ("get", "get0") and str(t.data) in self.integers:
            return self.access(t, mask)
        v = self.value(t, mask)
        return Named(np.rint(self.plain(v.array).astype(float)).astype(int), v.axes)

    # ---- accesses ---------------------------------------------------------------------------------------------------

    def access(self, t: Term, mask: Mask) -> Named:
        """A gather. What `get0` reads outside of its tensor is 0."""
        subscripts = (*t.args, *self.lane_of(str(t.data))) if self.lane else t.args
        return self.read(t, self.tensor(str(t.data), subscripts), subscripts, mask)

    def read(self, t: Term, data: Array, subscripts_of: Sequence[Term], mask: Mask) -> Named:
        """An array, the value of t without its subscripts, read at these."""
        if len(data.shape) != len(subscripts_of):
            raise EvaluationError(f"{t!r}: {t.data} has {len(data.shape)} axes")
        if not subscripts_of:
            return Named(data)
        found = self.gather(tuple(subscripts_of), tuple(data.shape), mask)
        got = Named(found.of(data), found.axes)
        if found.inside is None:
            return got
        ok = Named(found.inside, found.axes)
        if t.op == "get" and self.strict:
            self.check_inside(t, ok, mask)
        return self.zero_outside(ok, got)

    def gather(self, subscripts: tuple[Term, ...], shape: tuple[int, ...], mask: Mask) -> Gather:
        """How to read; remembered where no subscript reads a tensor itself."""
        key = (subscripts, shape)
        found = self.reads.gathers.get(key)
        if found is None:
            found = plain(subscripts, shape, self.extent)
            if found is None:
                axes, arrays = self.align([self.whole(s, mask) for s in subscripts])
                found = gathered(axes, arrays, shape)
            if not any(s.tensors for s in subscripts):
                self.reads.gathers[key] = found
        return found

    def of_matrix(self, t: Term, mask: Mask) -> Named:
        """An element of a function of the matrices of a tensor."""
        function, name = matrix_of(t)
        lane = self.lane_of(name)
        if (function, name) not in self.matrices:
            data = self.tensor(name, (*lead_of(t), t.args[-1], t.args[-1], *lane))
            if lane:
                found = self.backend.matrix(function, np.moveaxis(data, -1, 0))
                self.matrices[function, name] = np.moveaxis(found, 0, -1)
            else:
                self.matrices[function, name] = self.backend.matrix(function, data)
        return self.read(t, self.matrices[function, name], (*t.args[:-1], *lane), mask)

    def tensor(self, name: str, subscripts: Sequence[Term]) -> Array:
        """A tensor for an access with these subscripts, its batch axes flattened to one."""
        if name not in self.tensors:
            raise EvaluationError(f"{name} has no value")
        data = self.tensors[name]
        if subscripts and subscripts[0].op == "idx" and str(subscripts[0].data) == BATCH:
            lead = len(data.shape) - len(subscripts) + 1
            data = data.reshape((prod(data.shape[:lead]), *data.shape[lead:]))
        return data

    def check_inside(self, t: Term, ok: Named, mask: Mask) -> None:
        """Raise unless the access stays inside of its tensor wherever the mask holds."""
        wrong = self.apply(lambda o, m: ~o & m, ok, self.holds(mask) if mask else Named(np.asarray(True)))
        if np.any(wrong.array):
            raise EvaluationError(f"{t!r} reads outside of {t.data}")

    def zero_outside(self, ok: Named, got: Named) -> Named:
        """The value where ok holds, else 0."""
        if isinstance(got.array, np.ndarray) and got.array.dtype != object:
            return Named(np.where(ok.array, got.array, np.zeros((), got.array.dtype)), got.axes)
        return Named(self.backend.where(ok.array, got.array, self.backend.number(Fraction(0))), got.axes)


Plan = tuple[tuple[int, ...] | None, tuple[int | None, ...]]
"""The order of axes, None where they stay, and which of them stands at each place, None for one of length 1."""


@lru_cache(maxsize=4096)
def _alignment(given: tuple[tuple[Term, ...], ...]) -> tuple[tuple[Term, ...], tuple[Plan | None, ...]]:
    """All axes, and how each array comes to have them; None where it stays as it is."""
    axes = tuple(dict.fromkeys(i for own in given for i in own))
    plans: list[Plan | None] = []
    for own in given:
        if own == axes or not own:
            plans.append(None)
            continue
        have = [i for i in axes if i in own]
        order = tuple(own.index(i) for i in have)
        stays = order == tuple(range(len(order)))
        plans.append((None if stays else order, tuple(have.index(i) if i in have else None for i in axes)))
    return axes, tuple(plans)


class Steps:
    """The values of a statement of a recurrence, step by step: written in place, or for torch, which differentiates
    them, stacked. `rest`: the axes of a step."""

    def __init__(self, empty: Array, count: int, axis: int, rest: tuple[Term, ...]) -> None:
        self.axis, self.rest = axis, rest
        self.in_place = isinstance(empty, np.ndarray)
        self.made: list[Array] = [] if self.in_place else [empty] * count
        self.array = np.stack([empty] * count, axis) if self.in_place else self._stacked()

    def put(self, k: int, step: Array) -> None:
        """The value of step k."""
        if self.in_place:
            self.array[(slice(None),) * self.axis + (k, ...)] = step
        else:
            self.made[k] = step
            self.array = self._stacked()

    def _stacked(self) -> Array:
        import torch

        return torch.stack(self.made, self.axis)


@lru_cache(maxsize=1024)
def _at_step(body: Term, time: Term, k: int) -> Term:
    return substitute(body, {time: num(k)})


def _boxed(x: Any) -> Array:
    box = np.empty((), dtype=object)
    box[()] = x
    return box


_WHOLE: Mapping[str, Callable[..., Any]] = {"add": np.add, "mul": np.multiply}


def _looked_at_under(c: Term, mask: Mask) -> list[tuple[Term, Mask]]:
    """Parts of a conjunction: those that read tensors are looked at only where the others hold."""
    if c.op == "or":
        return [(a, mask) for a in c.args]
    plain = tuple(a for a in c.args if not a.tensors)
    return [(a, mask if not a.tensors else mask + plain) for a in c.args]
