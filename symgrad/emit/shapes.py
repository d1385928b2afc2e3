"""Dimensions: where a kernel reads them off, and how the shapes of arguments are checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from symgrad.algebra.build import add, mul, neg, sub
from symgrad.algebra.show import show
from symgrad.algebra.terms import BATCH, ONE, ZERO, Term, coefficient, dim, factors_of, terms_of, walk
from symgrad.emit.naming import Namespace
from symgrad.emit.scalars import MUL, UNARY, ScalarPrinter
from symgrad.errors import UnsupportedError
from symgrad.formula.program import Program


@dataclass(frozen=True)
class Array:
    """An array that a function has: its identifier and its extents, `dim("...")` first where batch axes lead."""

    name: str
    extents: tuple[Term, ...]

    @property
    def batched(self) -> bool:
        """Whether any number of axes leads."""
        return self.extents[:1] == (dim(BATCH),)

    def size(self, axis: int) -> str:
        """The expression of an axis' size."""
        return f"{self.name}.shape[{axis - len(self.extents) if self.batched else axis}]"

    def batch(self) -> str:
        """The expression of the batch shape."""
        rest = len(self.extents) - 1
        return f"{self.name}.shape[:-{rest}]" if rest else f"{self.name}.shape"


def dims_in(t: Term) -> list[str]:
    """Names of the dimensions in a term, in order of appearance."""
    return list(dict.fromkeys(str(x.data) for x in walk(t) if x.op == "dim"))


def solve(t: Term, name: str) -> tuple[Term, Term] | None:
    """a, b with t = a*dim(name) + b; None where t is not of that form."""
    v, slope, rest = dim(name), [], []
    for a in terms_of(t):
        if name not in dims_in(a):
            rest.append(a)
            continue
        others = [f for f in factors_of(a) if f is not v]
        if len(others) == len(factors_of(a)) or any(name in dims_in(f) for f in others):
            return None
        slope.append(mul(*others))
    return add(*slope), add(*rest)


@dataclass
class Sources:
    """For a set of arrays: the expression of every dimension that they tell."""

    arrays: Sequence[Array]
    names: Namespace
    parameters: Mapping[str, str]
    equations: Sequence[Term] = ()
    """Facts between dimensions, `d == h*e`."""
    solving: bool = True
    """Whether dimensions that stand bare in no shape are solved for."""
    bare: dict[str, tuple[Array, int]] = field(default_factory=dict)
    solved: dict[str, str] = field(default_factory=dict)
    """Dimension -> expression over sizes, parameters and other dimensions."""
    needs: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for a in self.arrays:
            for k, e in enumerate(a.extents):
                if e.op == "dim":
                    self.bare.setdefault(str(e.data), (a, k))
        if self.solving:
            self._solve()

    def answer(self, request: str) -> str:
        """The identifier of a dimension or parameter that a size holds."""
        kind, _, name = request.partition(" ")
        return self.parameters[name] if kind == "parameter" else self.variable(name)

    def known(self, name: str) -> bool:
        """Whether the arrays tell the dimension."""
        return name in self.bare or name in self.solved

    def tells(self, t: Term) -> bool:
        """Whether the arrays tell every dimension of a term."""
        return all(self.known(n) for n in dims_in(t))

    def _solve(self) -> None:
        work = [(a.size(k), e) for a in self.arrays for k, e in enumerate(a.extents) if e.op not in ("dim", "num")]
        work += [("0", sub(*c.args)) for c in self.equations if c.op == "cmp" and c.data == "=="]
        for _ in work:
            for size, e in work:
                unknown = [n for n in dims_in(e) if not self.known(n)]
                found = solve(e, unknown[0]) if len(unknown) == 1 else None
                if found is not None:
                    self.solved[unknown[0]] = self._solution(size, *found)
                    self.needs[unknown[0]] = [n for n in dims_in(e) if n != unknown[0]]

    def _solution(self, size: str, slope: Term, rest: Term) -> str:
        """v with slope*v + rest == size."""
        printer = ScalarPrinter(self.answer)
        if size == "0":
            slope, rest = (neg(slope), rest) if coefficient(slope)[0] < 0 else (slope, neg(rest))
            text = printer.text(rest, MUL)
        else:
            text = size if rest is ZERO else f"({size} - {printer.text(rest, UNARY)})"
        return text if slope is ONE else f"{text} // {printer.text(slope, UNARY)}"

    def expression(self, name: str) -> str:
        """How the dimension is read off."""
        if name == BATCH:
            return self.bare[BATCH][0].batch()
        if name in self.bare:
            a, k = self.bare[name]
            return a.size(k)
        if name in self.solved:
            return self.solved[name]
        raise UnsupportedError(f"no shape tells the dimension {name}")

    def lines(self, wanted: Sequence[str]) -> list[str]:
        """Assignments of the dimensions that a function uses; whole shapes are unpacked at once."""
        todo = list(wanted)
        for n in todo:
            todo += [m for m in self.needs.get(n, []) if n not in self.bare and m not in todo]
        lines, done = [], set()
        for a in self.arrays:
            own = [str(e.data) for e in a.extents]
            plain = all(e.op == "dim" for e in a.extents) and len(set(own)) == len(own) > 1
            if plain and not a.batched and all(n in todo and n not in done and self.bare[n][0] is a for n in own):
                lines.append(f"{', '.join(self.names.bind(n) for n in own)} = {a.name}.shape")
                done.update(own)
        rest = [n for n in todo if n not in done]
        ordered = [n for n in rest if n not in self.solved] + [n for n in self.solved if n in rest]
        return lines + [f"{self.variable(n)} = {self.expression(n)}" for n in ordered]

    def variable(self, name: str) -> str:
        """The identifier of a dimension; `batch` for the shape of the batch axes."""
        return self.names.bind("batch shape") if name == BATCH else self.names.bind(name)


def equations_of(program: Program) -> list[Term]:
    """The facts that hold between dimensions and int parameters."""
    return [f.condition for f in program.facts if not f.condition.tensors and not f.condition.free]


def shape_text(extents: Sequence[Term], batched: bool) -> str:
    """A shape in the dimension names of the formula: `[..., h, w]`."""
    return f"[{', '.join(['...'] * batched + [show(e) for e in extents[batched:]])}]"


def check_lines(program: Program, names: Namespace, helper: str, parameters: Mapping[str, str]) -> list[str]:
    """Statements that check the shapes of all inputs against each other: bare axes first, the rest solved for then."""
    lines: list[str] = []
    told: list[Array] = []
    for i in program.inputs:
        extents = ((dim(BATCH),) if i.batch else ()) + i.shape
        array = Array(names.bind(i.name), extents)
        lines += _check_one(array, Sources(tuple(told), names, parameters, solving=False), names, helper)
        told.append(array)
    return lines + _late_checks(told, names, helper, parameters)


def _check_one(a: Array, sources: Sources, names: Namespace, helper: str) -> list[str]:
    """One input: sizes already told are demanded, new ones are read."""
    sizes = size_texts(a, sources)
    targets: list[str] = []
    for e in a.extents:
        new = e.op == "dim" and not sources.known(str(e.data))
        star = "*" if e is dim(BATCH) else ""
        name = sources.variable(str(e.data)) if new else "_"
        targets.append(star + (name if name not in [t.lstrip("*") for t in targets] else "_"))
    call = f"{helper}({', '.join([repr_of(a.name), a.name, repr_of(shape_text(a.extents, a.batched)), *sizes])})"
    if targets == ["*" + names.bind("batch shape")]:
        return [f"{targets[0][1:]} = {a.name}.shape"]
    if not targets:
        return [call]
    unpack = ", ".join(targets) if len(targets) > 1 else f"({targets[0]},)"
    return [f"{unpack} = {call}" if any(t.strip("*") != "_" for t in targets) else call]


def size_texts(a: Array, sources: Sources) -> list[str]:
    """Expected sizes as arguments: an expression where it is told, None else, `...` for an unknown batch."""
    printer = ScalarPrinter(sources.answer)
    texts = []
    for e in a.extents:
        if e is dim(BATCH):
            texts.append(f"*{sources.variable(BATCH)}" if sources.known(BATCH) else "...")
        else:
            texts.append(printer.text(e) if sources.tells(e) else "None")
    return texts


def _late_checks(told: Sequence[Array], names: Namespace, helper: str, parameters: Mapping[str, str]) -> list[str]:
    """Inputs whose shape holds an expression that only later inputs, or a solution, make known."""
    sources = Sources(tuple(told), names, parameters)
    lines = [f"{sources.variable(n)} = {sources.expression(n)}" for n in sources.solved]
    for k, a in enumerate(told):
        before = Sources(tuple(told[:k]), names, parameters, solving=False)
        if any(e.op not in ("dim", "num") and not before.tells(e) for e in a.extents):
            sizes = size_texts(a, sources)
            lines.append(
                f"{helper}({', '.join([repr_of(a.name), a.name, repr_of(shape_text(a.extents, a.batched)), *sizes])})"
            )
    return lines


def repr_of(text: str) -> str:
    """A string literal in double quotes, as ruff writes them."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
