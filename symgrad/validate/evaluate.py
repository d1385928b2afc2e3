"""The independent evaluator: what terms and programs mean, by brute force.

A value is an array whose axes are named by indices; operations broadcast, every access is a gather, nothing is
simplified. One code for NumPy, torch and mpmath (`backends`). It shares nothing with `lower` and `emit`, whose output
it judges.

    evaluate_program(program, {"z": z, "t": t})["y"]      every statement, axes in the order of its signature
    evaluate_term(closed, program, values, (i, j))        a closed form, given inputs, statements and cotangents

The batch `...` is one flattened axis inside and the batch axes of the inputs outside.
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
from symgrad.algebra.terms import BATCH, Term, extent, lead_of, matrix_of, node, num
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
) -> dict[str, Array]:
    """Every statement of the program, in order: name -> array with the axes of its signature.

    `known`: statements whose values are known already.
    """
    work = Evaluation(program, inputs, parameters, backend)
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


def evaluate_statements(
    statements: Sequence[Statement],
    program: Program,
    values: Mapping[str, Array],
    parameters: Mapping[str, Any] | None = None,
    backend: Backend | None = None,
) -> dict[str, Array]:
    """Definitions of a closed form that stand together (one, or the members of a recurrence): name -> array."""
    work = Evaluation(program, {i.name: values[i.name] for i in program.inputs}, parameters, backend, strict=False)
    work.bind(values)
    work.run(statements)
    return {s.name: work.tensors[s.name] for s in statements}


class Evaluation:
    """Values of statements at one point. `strict`: an access that reads outside of its tensor is an error."""

    def __init__(
        self,
        program: Program,
        inputs: Mapping[str, Array],
        parameters: Mapping[str, Any] | None = None,
        backend: Backend | None = None,
        strict: bool = True,
    ) -> None:
        self.backend: Backend = backend or NumpyBackend()
        self.strict = strict
        self.rounds_steps = bool(getattr(self.backend, "rounds_steps", False))
        self.parameters = {p.name: p.value for p in program.parameters} | dict(parameters or {})
        self.parameters["%nan"] = np.nan
        self.integers = frozenset(i.name for i in program.inputs if i.dtype != "real")
        self.tensors: dict[str, Array] = {}
        self.matrices: dict[tuple[str, str], Array] = {}
        self.bind({i.name: inputs[i.name] for i in program.inputs})
        self.sizes: Sizes = bind_sizes(program, {n: tuple(np.shape(a)) for n, a in inputs.items()}, self.parameters)
        self.memo: dict[tuple[Term, Mask], Named] = {}
        self.reads = reads_at(self.sizes.dims, self.sizes.batch, self.parameters)

    def resize(self, dims: Mapping[str, int]) -> None:
        """Other sizes of dimensions."""
        self.sizes = Sizes(dims, self.sizes.batch)
        self.reads = reads_at(self.sizes.dims, self.sizes.batch, self.parameters)

    def bind(self, values: Mapping[str, Array]) -> None:
        """Give tensors their values."""
        self.matrices.clear()
        for name, data in values.items():
            self.tensors[name] = np.asarray(data) if name in self.integers else self.backend.real(data)

    def run(self, statements: Iterable[Statement]) -> None:
        """Evaluate statements, each after those that it reads; a recurrence step by step."""
        for s in in_order(statements):
            if isinstance(s, Circle):
                self.steps(s)
                continue
            self.memo.clear()
            self.matrices.clear()
            self.tensors[s.name] = self.term(s.body, s.indices)

    def steps(self, circle: Circle) -> None:
        """The statements of a recurrence: what no step has made yet is nan."""
        made: dict[str, list[Array]] = {}
        axes = {s.name: time_axis(s) for s in circle.statements}
        times = {s.name: s.indices[axes[s.name]] for s in circle.statements}
        count = self.extent(times[circle.statements[0].name])
        for s in circle.statements:
            self.memo.clear()
            rest = tuple(i for i in s.indices if i is not times[s.name])
            made[s.name] = [self.term(node("par", (), "%nan"), rest)] * count
            self.tensors[s.name] = self.stacked(made[s.name], axes[s.name])
        for k in range(count)[:: circle.step]:
            for s in circle.statements:
                self.memo.clear()
                self.matrices.clear()
                rest = tuple(i for i in s.indices if i is not times[s.name])
                step = self.term(_at_step(s.body, times[s.name], k), rest)
                made[s.name][k] = self.backend.real(step.astype(float)) if self.rounds_steps else step
                self.tensors[s.name] = self.stacked(made[s.name], axes[s.name])

    def stacked(self, made: Sequence[Array], axis: int) -> Array:
        """Arrays of single steps as one; `axis` counts the batch as one."""
        at = axis and len(self.sizes.batch) + axis - 1
        if all(isinstance(a, np.ndarray | np.generic) for a in made):
            return np.stack(made, at)
        import torch

        return torch.stack(list(made), at)

    def term(self, t: Term, indices: Sequence[Term] = ()) -> Array:
        """t[indices] as an array with these axes; `...` becomes the batch axes again."""
        with self.backend.working():
            v = self.spread(self.value(t, ()), indices)
        if set(v.axes) - set(indices):
            raise EvaluationError(f"free indices {sorted(str(i.data) for i in set(v.axes) - set(indices))} in {t!r}")
        a = self.backend.permute(v.array, tuple(v.axes.index(i) for i in indices))
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
        axes = tuple(dict.fromkeys(i for v in values for i in v.axes))
        out = []
        for v in values:
            if v.axes == axes or not v.axes:
                out.append(v.array)
                continue
            have = [i for i in axes if i in v.axes]
            order = tuple(v.axes.index(i) for i in have)
            a = v.array
            if order != tuple(range(len(order))):
                a = np.transpose(a, order) if isinstance(a, np.ndarray) else self.backend.permute(a, order)
            out.append(a.reshape(tuple(a.shape[have.index(i)] if i in have else 1 for i in axes)))
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
        return self.read(t, self.tensor(str(t.data), t.args), t.args, mask)

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
        if (function, name) not in self.matrices:
            data = self.tensor(name, (*lead_of(t), t.args[-1], t.args[-1]))
            self.matrices[function, name] = self.backend.matrix(function, data)
        return self.read(t, self.matrices[function, name], t.args[:-1], mask)

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
