"""Second order: the Hessian-vector product of a loss as the tangent of its gradient, the diagonal as that at unit vectors.

program, adjoint statements -> their tangents along v -> H v          (for machines, sharing the gradient's values)
closed gradient -> its tangent, simplified -> H v -> diagonal         (for people)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from symgrad.algebra.build import Fresh
from symgrad.algebra.terms import BATCH, Term, extent, get, idx
from symgrad.algebra.weight import weight
from symgrad.calculus.chain import COLUMN, TANGENT
from symgrad.calculus.hoist import taken_names
from symgrad.closing.closed import ClosedForms
from symgrad.closing.directional import Columns, Directional, Simplify
from symgrad.closing.economy import cost, diagonal_reads, width, without_single_readers
from symgrad.closing.fold import foldings
from symgrad.closing.forward_mode import RULES
from symgrad.closing.parts import Definition, Gradient
from symgrad.closing.reverse import INDEX_NAMES, TRIVIAL, Adjoints
from symgrad.closing.second_forms import SecondForms
from symgrad.closing.simplify import Simplifier
from symgrad.closing.softmax import rejoin
from symgrad.closing.unfold import unfold
from symgrad.errors import UsageError
from symgrad.formula.program import Formula, Input, Program, Statement
from symgrad.rewrite.context import Context
from symgrad.rewrite.engine import rewrite

DIRECTION = "v"
"""The direction of a single input; that of one of several is this with the input's name behind it."""

MOST_WRITTEN_OUT = 1500
"""Weight of a product beyond which kernels do not try it without named tangents."""


@dataclass(frozen=True)
class Hessian:
    """Closed forms for one input: row of the Hessian times the direction in all inputs, and the diagonal."""

    input: str
    direction: str
    product: Gradient
    diagonal: Gradient

    @property
    def indices(self) -> tuple[Term, ...]:
        """The axes of the input."""
        return self.product.indices

    @property
    def where(self) -> tuple[Definition, ...]:
        """The names that the closed forms use."""
        found = {d.name: d for d in (*self.product.where, *self.diagonal.where)}
        return tuple(found.values())


@dataclass(frozen=True)
class SecondOrder:
    """Second derivatives. `product` and `diagonal` are statements for machines, `hessians` for people."""

    directions: Mapping[str, str]
    """Input -> the name of the direction in it."""
    hessians: tuple[Hessian, ...]
    product: tuple[Statement, ...]
    """They read inputs, directions, forward and backward statements."""
    product_of: Mapping[str, str]
    diagonal: tuple[Statement, ...]
    diagonal_of: Mapping[str, str]


def statements_of(second: SecondOrder | None) -> tuple[Statement, ...]:
    """What kernels of the second order compute."""
    return () if second is None else (*second.product, *second.diagonal)


def direction_names(program: Program, formula: Formula | None = None) -> dict[str, str]:
    """A name for the direction in each differentiated input: v, or vx and vW; apart from every name of the formula."""
    taken = taken_names(program) | {n for n, _ in formula.index_names} if formula is not None else taken_names(program)
    found = {}
    for name in program.wrt:
        new = DIRECTION if len(program.wrt) == 1 else DIRECTION + name
        while new in taken:
            new += "_"
        taken.add(new)
        found[name] = new
    return found


def refuse_layers(program: Program) -> None:
    """UsageError where there is no loss to differentiate twice."""
    if not program.is_loss:
        raise UsageError(
            f"--order 2 is for losses, and {program.name} is a layer\n = help: its torch function can be differentiated "
            "twice (torch.autograd.functional.hvp); or write a loss of the layer's outputs"
        )


def closed_forms_of(second: SecondOrder | None) -> tuple[Gradient, ...]:
    """Every closed form of the second order."""
    return () if second is None else tuple(g for h in second.hessians for g in (h.product, h.diagonal))


@dataclass
class _Sweep:
    """What closed forms are made from: the gradients' own names, and their tangents."""

    cotangents: Mapping[str, str]
    adjoint_of: dict[str, Statement]
    statements: tuple[Statement, ...]
    gradient_of: Mapping[str, str]


@dataclass
class _Names:
    taken: set[str]

    def __call__(self, wish: str) -> str:
        name = wish
        while name in self.taken:
            name += "_"
        self.taken.add(name)
        return name


@dataclass
class SecondDerivatives:
    """Works out both forms."""

    formula: Formula
    program: Program
    adjoints: Adjoints
    forms: ClosedForms
    gradients: Sequence[Gradient]
    context: Context
    directions: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.directions = direction_names(self.program, self.formula)
        inputs = {i.name: i for i in self.program.inputs}
        new = [replace(inputs[n], name=v, given=True, summary="") for n, v in self.directions.items()]
        self.inputs: dict[str, Input] = {i.name: replace(i, domain=type(i.domain)()) for i in new}
        self.context = _with_inputs(self.context, tuple(self.inputs.values()))
        self.indices = {g.input: g.indices for g in self.gradients}

    def derive(self) -> SecondOrder:
        """Statements and closed forms."""
        product, product_of, diagonal, diagonal_of = self._machine()
        return SecondOrder(
            self.directions,
            self._closed(),
            rejoin(product, self.program),
            product_of,
            rejoin(diagonal, self.program),
            diagonal_of,
        )

    # ---- for machines -----------------------------------------------------------------------------------------------

    def _machine(self) -> tuple[list[Statement], dict[str, str], list[Statement], dict[str, str]]:
        named = [s for s in self.program.statements if s.kind != "loss"]
        adjoints = {s.name: s for s in self.adjoints.statements}
        results = {n: adjoints[g] for n, g in self.adjoints.gradient_of.items()}
        inner = [s for s in self.adjoints.statements if s.name not in {r.name for r in results.values()}]
        simplifier = Simplifier(self.context, foldings(named, self.context), closed=False)
        unique = _Names(self._taken())
        with self.context.quietly():
            along = Directional(self.directions, simplifier.simplify, unique, TRIVIAL)
            along.push((*named, *inner))
            products = {
                n: Statement(unique(f"Hv_{n}"), s.indices, along.of(s.body), "tangent") for n, s in results.items()
            }
            diagonals, columns = self._machine_diagonals(products, along.statements, named, unique)
            tangents, products = without_single_readers(along.statements, products, simplifier.simplify)
        return (
            [*tangents, *products.values()],
            {n: s.name for n, s in products.items()},
            [*columns, *diagonals.values()],
            {n: s.name for n, s in diagonals.items()},
        )

    def _machine_diagonals(
        self,
        products: Mapping[str, Statement],
        tangents: Sequence[Statement],
        named: Sequence[Statement],
        unique: _Names,
    ) -> tuple[dict[str, Statement], list[Statement]]:
        """The diagonals and the statements that they need: columns of each tangent, or all written out.

        Written out and multiplied out, `y c**2` less the square of `y c` cancels: only where an index less is needed.
        """
        folds = foldings(named, self.context)
        plain, full = (Simplifier(self.context, folds, closed=False, multiply_out=m).simplify for m in (False, True))
        diagonals, columns = {}, []
        for n, s in products.items():
            s = replace(s, name=unique(f"hess_{n}"))
            forms = [self._in_columns(n, s, tangents, full, unique)]
            whole = unfold(s.body, {t.name: t for t in tangents}, Fresh())
            if weight(whole) <= MOST_WRITTEN_OUT:
                forms.append([self._written_out(n, s, whole, plain, unique)])
                if width(min(forms, key=cost)) > len(s.indices):
                    forms.append([self._written_out(n, s, whole, full, unique)])
            best = min(forms[:2], key=cost)
            best = min([best, *forms[2:]], key=width)
            columns += best[:-1]
            diagonals[n] = best[-1]
        return diagonals, columns

    def _written_out(self, name: str, s: Statement, whole: Term, simplify: Simplify, unique: _Names) -> Statement:
        """The diagonal without any named tangent."""
        return replace(s, body=self._columns(name, (), simplify, unique, 0).at(simplify(whole), s.indices))

    def _in_columns(
        self, name: str, s: Statement, tangents: Sequence[Statement], simplify: Simplify, unique: _Names
    ) -> list[Statement]:
        """The diagonal as the last of some statements."""
        work = self._columns(name, tangents, simplify, unique, TRIVIAL)
        known = {c.name: c for c in work.statements}
        result = replace(s, body=diagonal_reads(work.at(s.body, s.indices), known, simplify))
        needed, kept = set(result.body.tensors), []
        for c in reversed(work.statements):
            if c.name in needed:
                kept.append(c)
                needed |= c.body.tensors
        single, results = without_single_readers(kept[::-1], {name: result}, simplify)
        return [*single, results[name]]

    def _columns(
        self, name: str, tangents: Sequence[Statement], simplify: Simplify, unique: _Names, trivial: int
    ) -> Columns:
        """The tangents at the unit vectors of one input."""
        position = self._position(name, tangents)
        others = [v for n, v in self.directions.items() if n != name]
        work = Columns((self.directions[name], self.indices[name]), position, others, simplify, unique, trivial)
        work.push(tangents, name)
        return work

    def _position(self, name: str, tangents: Sequence[Statement]) -> tuple[Term, ...]:
        """Indices of a position in an input, named apart from those of all statements."""
        used = {str(i.data) for s in tangents for i in s.indices} | {str(i.data) for i in self.indices[name]}
        used |= self._taken()
        own = [(n, e) for n, e in self.formula.index_names if n not in used]
        letters = [c for c in INDEX_NAMES if c not in used and c not in {n for n, _ in self.formula.index_names}]
        pool = [*letters, *(f"p{k}" for k in range(1, 1000) if f"p{k}" not in used)]
        found: list[Term] = []
        for i in self.indices[name]:
            if str(i.data) == BATCH:
                found.append(i)
                continue
            new = next((n for n, e in own if e is extent(i)), None) or pool[0]
            own = [(n, e) for n, e in own if n != new]
            pool = [n for n in pool if n != new]
            found.append(idx(new, extent(i)))
        return tuple(found)

    def _taken(self) -> set[str]:
        names = taken_names(self.program) | set(self.directions.values())
        return names | {s.name for s in (*self.adjoints.statements, *self.adjoints.adjoint_of.values())}

    # ---- for people -------------------------------------------------------------------------------------------------

    def _closed(self) -> tuple[Hessian, ...]:
        unique = _Names(self._taken())
        along = Directional(self.directions, self._tidy, unique)
        introduced = {d.name: d for g in self.gradients for d in g.where if d.introduced}
        order = [s.name for s in self.adjoints.statements]
        adjoints = [s for s in self._definitions(introduced) if s.name in order]
        named = [s for s in self.program.statements if s.kind != "loss"]
        along.push([self.forms.visible(s) if s.kind != "hoisted" else s for s in named])
        along.push(adjoints)
        raw = {g.input: along.of(g.closed) for g in self.gradients}
        forms = self._forms([*along.statements], adjoints)
        forms.keep(raw.values())
        products = [self._choose(forms, g, raw[g.input]) for g in self.gradients]
        return tuple(
            Hessian(
                g.input, self.directions[g.input], p, self._diagonal(g.input, p, along.statements, adjoints, unique)
            )
            for g, p in zip(self.gradients, products, strict=True)
        )

    def _tidy(self, t: Term) -> Term:
        with self.context.quietly():
            return rewrite(t, RULES, self.context)

    def _definitions(self, introduced: Mapping[str, Definition]) -> list[Statement]:
        return [Statement(d.name, d.indices, d.body, "adjoint") for d in introduced.values()]

    def _forms(self, tangents: Sequence[Statement], adjoints: Sequence[Statement]) -> SecondForms:
        every = {s.name: s for s in (*adjoints, *tangents)}
        sweep = _Sweep(self.adjoints.cotangents, every, tuple(every.values()), self.adjoints.gradient_of)
        return SecondForms(self.program, sweep, self.context)

    def _choose(self, forms: SecondForms, g: Gradient, raw: Term) -> Gradient:
        self.context.subject = f"Hessian-vector product of {g.input}"
        self.context.record(TANGENT, get(f"Hv_{g.input}", g.indices), raw)
        closed, definitions = forms.choose(forms.closed(raw))
        where = forms.definitions(closed, definitions)
        return Gradient(g.input, g.indices, closed, where, not closed.args and closed.data == 0)

    def _diagonal(
        self, name: str, product: Gradient, tangents: Sequence[Statement], adjoints: Sequence[Statement], unique: _Names
    ) -> Gradient:
        self.context.subject = f"Hessian diagonal of {name}"
        own = [Statement(d.name, d.indices, d.body, "tangent") for d in product.where if d.introduced]
        used = [s for s in own if s.name in {t.name for t in tangents}]
        work = self._columns(name, used, self._tidy, unique, 0)
        raw = work.at(product.closed, product.indices)
        self.context.record(COLUMN, get(f"hess_{name}", product.indices), raw)
        forms = self._forms(work.statements, adjoints)
        closed, definitions = forms.choose(forms.closed(raw))
        where = forms.definitions(closed, definitions)
        return Gradient(name, product.indices, closed, where, not closed.args and closed.data == 0)


def _with_inputs(context: Context, more: Iterable[Input]) -> Context:
    """The same surroundings, where the directions are given inputs."""
    program = replace(context.program, inputs=(*context.program.inputs, *more))
    new = replace(context, program=program)
    new.steps, new.used = context.steps, context.used
    return new
