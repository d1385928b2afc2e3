"""Domains: which values an input or parameter takes, and the facts that follow.

A domain is a fact for the algebra and a sampler for the validation; here it is read and turned into facts.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from symgrad.algebra.build import add, compare, disjunction, mul, power, reduce, where
from symgrad.algebra.terms import BATCH, MINUS_ONE, ONE, TWO, ZERO, Term, get, idx, is_num, par, value
from symgrad.errors import nearest
from symgrad.formula.environment import BATCH_INDEX, Environment
from symgrad.formula.polynomial import same
from symgrad.formula.program import Domain, Fact, Input, Parameter
from symgrad.formula.sizes import size_of
from symgrad.formula.source import Text
from symgrad.formula.syntax import Parsed, parse

KINDS: Mapping[str, int] = {
    "real": 0,
    "positive": 0,
    "nonnegative": 0,
    "unit_interval": 0,
    "interval": 2,
    "greater_than": 1,
    "integer": 2,
    "boolean": 0,
    "simplex": 0,
    "one_hot": 0,
    "sphere": 0,
    "symmetric": 0,
    "positive_definite": 0,
    "lower_triangular": 0,
    "orthogonal": 0,
}
"""Domain -> number of its arguments."""
_EXAMPLES = {"interval": "interval(0, 1)", "greater_than": "greater_than(1)", "integer": '"integer(0, c - 1)"'}
VECTORS = frozenset({"simplex", "one_hot", "sphere"})
MATRICES = frozenset({"symmetric", "positive_definite", "lower_triangular", "orthogonal"})


def read_domain(text: Text, env: Environment, owner: str) -> Domain:
    """The domain that a text names: `positive`, `interval(0, 1)`, `integer(0, c - 1)`."""
    parsed = parse(text)
    n = parsed.root
    args: Sequence[ast.expr] = ()
    if isinstance(n, ast.Call) and isinstance(n.func, ast.Name) and not n.keywords:
        kind, args = n.func.id, n.args
    elif isinstance(n, ast.Name):
        kind = n.id
    else:
        raise parsed.error(f"{owner}: not a domain", n, help="real, positive, interval(0, 1), simplex, ...")
    if kind not in KINDS:
        close = nearest(kind, KINDS)
        mend = f"did you mean {close}?" if close else "domains are " + ", ".join(KINDS)
        raise parsed.error(f"{owner}: unknown domain {kind}", n, help=mend)
    if len(args) != KINDS[kind]:
        wanted = KINDS[kind]
        mend = f"write {_EXAMPLES.get(kind, kind)}"
        raise parsed.error(f"{owner}: {kind} takes {wanted or 'no'} argument{'s' if wanted != 1 else ''}", n, help=mend)
    whole = kind == "integer"
    bounds = tuple(_bound(parsed, a, env, whole) for a in args)
    if len(bounds) == 2 and is_num(bounds[0]) and is_num(bounds[1]) and value(bounds[0]) > value(bounds[1]):
        raise parsed.error(f"{owner}: {parsed.source(n)} is empty", n, help="the lower end comes first")
    return Domain(kind, bounds)


def _bound(parsed: Parsed, n: ast.expr, env: Environment, whole: bool) -> Term:
    if whole:
        return size_of(parsed, n, env, "an end of integer(a, b)")
    from symgrad.formula.expression import Reader

    reader = Reader(Parsed(parsed.text, n), env, [])
    t = reader.finite(reader.parsed.root)
    if t.tensors or t.free:
        raise parsed.error("an end of a domain is made of numbers, dimensions and parameters", n)
    return t


def check_shape(text: Text, domain: Domain, i: Input, equations: Sequence[tuple[Term, Term]]) -> None:
    """Whether the axes of an input allow its domain."""
    shape = "[" + ", ".join((["..."] if i.batch else []) + [str(s) for s in i.shape]) + "]"
    kind = domain.kind
    if kind in VECTORS and not i.shape:
        raise text.error(
            f"{i.name}: {kind} speaks of the last axis; {i.name} has shape {shape}", help="give it an axis"
        )
    if kind not in MATRICES:
        return
    if len(i.shape) < 2:
        raise text.error(f"{i.name}: {kind} speaks of the last two axes; {i.name} has shape {shape}")
    if kind != "lower_triangular" and not same(i.shape[-1], i.shape[-2], equations):
        raise text.error(
            f"{i.name}: a {kind} matrix is square; {i.name} has shape {shape}", help="give both axes one dimension"
        )


@dataclass(frozen=True)
class _Law:
    """A condition on the elements of a tensor, with its text."""

    condition: Term
    text: str
    equation: bool = False


def domain_facts(i: Input, letters: Sequence[str], spare: Sequence[str], differentiated: bool) -> Iterator[Fact]:
    """Facts of an input: `letters` name its axes, `spare` are further index names.

    Of a differentiated input, equations are not usable in the algebra.
    """
    if i.dtype == "bool":
        return
    axes = _axes(i, letters)
    x = get(i.name, axes)
    for law in _laws(i, x, axes, spare):
        if law.condition.op != "lit":
            source = f"{i.name} is {_spoken(i.domain)}"
            yield Fact(law.condition, source, law.text, not (law.equation and differentiated), i.place)


def parameter_facts(p: Parameter) -> Iterator[Fact]:
    """Facts of a parameter."""
    for law in _bounds_of(p.domain, par(p.name), p.name):
        if law.condition.op != "lit":
            yield Fact(law.condition, f"{p.name} is {_spoken(p.domain)}", law.text, True, p.place)


def _spoken(domain: Domain) -> str:
    articles = {"simplex": "a simplex", "sphere": "on the unit sphere", "one_hot": "one-hot"}
    return articles.get(domain.kind, str(domain).replace("_", " ") if not domain.bounds else str(domain))


def _axes(i: Input, letters: Sequence[str]) -> list[Term]:
    names = [n for n in letters if n != BATCH]
    return ([BATCH_INDEX] if i.batch else []) + [idx(n, s) for n, s in zip(names, i.shape, strict=True)]


def _named(name: str, axes: Sequence[Term]) -> str:
    return f"{name}[{', '.join(str(a.data) for a in axes)}]" if axes else name


def _bounds_of(domain: Domain, x: Term, shown: str) -> Iterator[_Law]:
    """Inequalities of a domain for one value."""
    kind, ends = domain.kind, domain.bounds
    if kind in ("unit_interval", "boolean", "simplex", "one_hot"):
        kind, ends = "interval", (ZERO, ONE)
    if kind == "positive":
        yield _Law(compare("<", ZERO, x), f"{shown} > 0")
    elif kind == "nonnegative":
        yield _Law(compare("<=", ZERO, x), f"{shown} >= 0")
    elif kind == "greater_than":
        yield _Law(compare("<", ends[0], x), f"{shown} > {ends[0]}")
    elif kind in ("interval", "integer"):
        yield _Law(compare("<=", ends[0], x), f"{shown} >= {ends[0]}")
        yield _Law(compare("<=", x, ends[1]), f"{shown} <= {ends[1]}")


def _laws(i: Input, x: Term, axes: list[Term], spare: Sequence[str]) -> Iterator[_Law]:
    shown, kind = _named(i.name, axes), i.domain.kind
    yield from _bounds_of(i.domain, x, shown)
    if kind in ("boolean", "one_hot"):
        yield _Law(compare("==", power(x, TWO), x), f"{shown}**2 == {shown}", True)
    last = str(axes[-1].data) if axes else ""
    if kind in ("simplex", "one_hot"):
        yield _Law(compare("==", reduce("sum", x, [axes[-1]]), ONE), f"Sum({shown}, {last}) == 1", True)
    if kind == "sphere":
        squares = reduce("sum", power(x, TWO), [axes[-1]])
        yield _Law(compare("==", squares, ONE), f"Sum({shown}**2, {last}) == 1", True)
    if kind in MATRICES:
        yield from _matrix_laws(i, x, axes, spare)


def _matrix_laws(i: Input, x: Term, axes: list[Term], spare: Sequence[str]) -> Iterator[_Law]:
    *lead, r, c = axes
    shown, kind = _named(i.name, axes), i.domain.kind
    rows, columns = str(r.data), str(c.data)
    if kind in ("symmetric", "positive_definite"):
        other = [*lead, c, r]
        yield _Law(compare("==", x, get(i.name, other)), f"{shown} == {_named(i.name, other)}", True)
    if kind == "positive_definite":
        diagonal = [*lead, r, r]
        yield _Law(compare("<", ZERO, get(i.name, diagonal)), f"{_named(i.name, diagonal)} > 0")
    if kind == "lower_triangular":
        zero = disjunction(compare("<=", c, r), compare("==", x, ZERO))
        yield _Law(zero, f"Or({columns} <= {rows}, {shown} == 0)", True)
    if kind == "orthogonal":
        k = idx(spare[0], i.shape[-2])
        left, right = [*lead, k, r], [*lead, k, c]
        product = reduce("sum", mul(get(i.name, left), get(i.name, right)), [k])
        unit = where(compare("==", r, c), ONE, ZERO)
        text = f"Sum({_named(i.name, left)}*{_named(i.name, right)}, {spare[0]}) == where({rows} == {columns}, 1, 0)"
        yield _Law(compare("==", product, unit), text, True)


# ---- what a domain says of one number -------------------------------------------------------------------------------

Range = tuple[Fraction | None, bool, Fraction | None, bool]
"""Lower end and whether it is excluded, upper end and whether it is excluded."""
_RANGES: Mapping[str, Callable[[Sequence[Fraction]], Range]] = {
    "positive": lambda b: (Fraction(0), True, None, False),
    "nonnegative": lambda b: (Fraction(0), False, None, False),
    "greater_than": lambda b: (b[0], True, None, False),
    "interval": lambda b: (b[0], False, b[1], False),
    "integer": lambda b: (b[0], False, b[1], False),
    **dict.fromkeys(
        ("unit_interval", "boolean", "simplex", "one_hot"), lambda b: (Fraction(0), False, Fraction(1), False)
    ),
}


def numeric_range(domain: Domain) -> Range | None:
    """The interval of a domain whose ends are numbers."""
    make = _RANGES.get(domain.kind)
    if make is None or not all(is_num(b) for b in domain.bounds):
        return None
    return make([value(b) for b in domain.bounds])


def holds(domain: Domain, number: Fraction) -> bool:
    """Whether a number lies in the domain, as far as the ends are numbers."""
    found = numeric_range(domain)
    if found is None:
        return True
    low, open_low, high, open_high = found
    above = low is None or number > low or (number == low and not open_low)
    below = high is None or number < high or (number == high and not open_high)
    whole = domain.kind not in ("integer", "boolean") or number.denominator == 1
    return above and below and whole


def gather_domain(size: Term) -> Domain:
    """The domain of an int input that is used as a gather only: the axis that it subscripts."""
    return Domain("integer", (ZERO, add(size, MINUS_ONE)))
