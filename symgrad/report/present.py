"""Terms as laid out mathematics: order, parentheses, fractions, names of bound indices. One place for all printers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction as Rational

from symgrad.algebra.build import add, neg, power, substitute
from symgrad.algebra.decimals import decimal, with_literals
from symgrad.algebra.show import (
    INTERNAL,
    in_reading_order,
    signed_terms,
    softmax_parts,
    softmax_power,
    split_fraction,
)
from symgrad.algebra.terms import (
    BATCH,
    INFINITY,
    MINUS_ONE,
    ONE,
    Term,
    coefficient,
    extent,
    idx,
    is_access,
    is_num,
    lead_of,
    matrix_of,
    node,
    num,
    value,
    walk,
)
from symgrad.report.layout import (
    Access,
    Big,
    Call,
    Cases,
    Elided,
    Fence,
    Fraction,
    Indexed,
    Layout,
    Negation,
    Number,
    Power,
    Product,
    Range,
    Relation,
    Root,
    Sign,
    Sum,
    Symbol,
    is_tall,
)
from symgrad.report.notation import Notation
from symgrad.report.signs import BARE, POWERS_INSIDE

LARGEST_SIZE = 4000
"""Nodes of a term beyond which a page shows that there is one, and not the term."""
LARGEST_DEPTH = 120

_CLOSED = (Symbol, Access, Indexed, Number, Sign, Fence, Root)


def present(t: Term, notation: Notation | None = None, indices: Iterable[Term] = ()) -> Layout:
    """The term laid out, or elided if too large. `indices`: of the left side; no bound index bears their names."""
    if t.size > LARGEST_SIZE or _depth(t) > LARGEST_DEPTH:
        return Elided(t.size)
    notation = notation or Notation()
    return _Presenter(notation, (*t.free, *indices)).layout(with_literals(t, notation.names.literals))


def present_access(name: str, indices: Sequence[Term], notation: Notation | None = None) -> Layout:
    """name[indices] laid out: the left side of a definition."""
    if not indices:
        return Symbol(name)
    presenter = _Presenter(notation or Notation())
    return Access(name, tuple(presenter.layout(i) for i in indices))


def equation(left: Layout, right: Layout) -> Layout:
    """left = right."""
    return Relation("==", (left, right))


def _depth(t: Term) -> int:
    depth: dict[Term, int] = {}
    for x in walk(t):
        depth[x] = 1 + max((depth[a] for a in x.args), default=0)
    return depth[t]


def parenthesized(x: Layout) -> Layout:
    """The layout in parentheses."""
    return Fence("paren", x)


def as_summand(x: Layout) -> Layout:
    """The layout as a summand that others follow."""
    return parenthesized(x) if isinstance(x, (Sum, Relation, Negation, Cases)) else x


def as_factor(x: Layout, last: bool) -> Layout:
    """The layout as a factor. Big operators and bare functions reach as far right as they can, so they stand last."""
    if isinstance(x, (Sum, Relation, Negation)):
        return parenthesized(x)
    if last:
        return x
    if isinstance(x, Call) and x.bare:
        return Call(x.function, x.arguments, x.under)
    return parenthesized(x) if isinstance(x, (Big, Cases)) else x


def as_base(x: Layout) -> Layout:
    """The layout as the base of a power."""
    if isinstance(x, Call):
        if x.function in POWERS_INSIDE:
            return x
        return parenthesized(x) if x.under or x.bare else x
    return x if isinstance(x, _CLOSED) else parenthesized(x)


def product(factors: Sequence[Layout]) -> Layout:
    """Factors side by side, nested products flattened."""
    flat: list[Layout] = []
    for f in factors:
        flat.extend(f.factors if isinstance(f, Product) else (f,))
    if not flat:
        return Number("1")
    if len(flat) == 1:
        return flat[0]
    flat.sort(key=lambda f: isinstance(f, (Big, Cases)))
    return Product(tuple(as_factor(f, k == len(flat) - 1) for k, f in enumerate(flat)))


def call(function: str, *arguments: Layout, under: tuple[Range, ...] = ()) -> Layout:
    """A function of its arguments, without parentheses where that is usual and clear."""
    one = arguments[0]
    # log cosh x, log σ(x) are usual; other rows of names are not
    row = function == "log" and isinstance(one, Call) and not one.under and one.function != "log"
    closed = isinstance(one, _CLOSED) or row
    return Call(function, arguments, under, bare=function in BARE and len(arguments) == 1 and closed)


class _Presenter:
    def __init__(self, notation: Notation, scope: Iterable[Term] = ()) -> None:
        self.notation = notation
        self.scope = frozenset(str(i.data) for i in scope)
        """Names of indices that mean something here: a bound index never bears one, so that no reader mistakes it."""
        self.methods: Mapping[str, Callable[[Term], Layout]] = {
            "num": self.num, "const": self.const, "dim": self.dim, "par": self.name, "idx": self.name,
            "get": self.access, "get0": self.access, "add": self.add, "mul": self.mul, "pow": self.pow, "fn": self.fn,
            "lit": self.lit, "cmp": self.cmp, "and": self.logical, "or": self.logical, "not": self.opposite,
            "mat": self.of_matrix, "iv": self.bracket, "where": self.where, "red": self.reduction,
        }  # fmt: skip

    def layout(self, t: Term) -> Layout:
        return self.methods[t.op](t)

    def layouts(self, terms: Sequence[Term]) -> tuple[Layout, ...]:
        return tuple(self.layout(t) for t in terms)

    # ---- leaves ----

    def num(self, t: Term) -> Layout:
        v = value(t)
        if v < 0:
            return Sum(((True, self.rational(-v)),))
        return self.rational(v)

    def rational(self, v: Rational) -> Layout:
        text = decimal(v)
        return Number(text) if text else Fraction(Number(str(v.numerator)), Number(str(v.denominator)))

    def const(self, t: Term) -> Layout:
        text = str(t.data)
        return Number(text) if text[0].isdigit() else Sign(text)

    def lit(self, t: Term) -> Layout:
        return Sign("true" if t.data else "false")

    def dim(self, t: Term) -> Layout:
        return Sign("batch") if t.data == BATCH else Symbol(str(t.data))

    def name(self, t: Term) -> Layout:
        return Sign("...") if t.data == BATCH else Symbol(str(t.data))

    def access(self, t: Term) -> Layout:
        return Access(str(t.data), self.layouts(t.args)) if t.args else Symbol(str(t.data))

    def of_matrix(self, t: Term) -> Layout:
        """An element of an inverse, or a determinant."""
        function, tensor = matrix_of(t)
        if function == "inv":
            inverse = Power(Symbol(tensor), Sum(((True, Number("1")),)))
            return Indexed(parenthesized(inverse), self.layouts(t.args[:-1]))
        lead = self.layouts(lead_of(t))
        det = call("det", Access(tensor, lead) if lead else Symbol(tensor))
        if function == "adj":
            return product([det, self.of_matrix(node("mat", t.args, ("inv", tensor)))])
        if function == "det":
            return det
        return call("log", Fence("abs", det) if function == "logabsdet" else det)

    # ---- arithmetic ----

    def add(self, t: Term) -> Layout:
        if (found := softmax_parts(t)) is not None:
            e, j, rest = found
            head = call("log_softmax", self.layout(e), under=self.ranges([j], e))
            tail = self.summands(rest) if not _is_zero(rest) else ()
            return Sum(((False, head), *tail)) if tail else head
        return Sum(self.summands(t))

    def summands(self, t: Term) -> tuple[tuple[bool, Layout], ...]:
        signed = signed_terms(t.args) if t.op == "add" else [(False, t)]
        terms = [self.summand(a, minus) for minus, a in signed]
        return tuple(sorted(terms, key=lambda s: s[0]))

    def summand(self, t: Term, minus: bool = False) -> tuple[bool, Layout]:
        negative = coefficient(t)[0] < 0
        x = self.layout(neg(t) if negative else t)
        if isinstance(x, Sum) and len(x.terms) == 1:
            # the sign of a body has come out of its sum
            return (x.terms[0][0] != negative) != minus, x.terms[0][1]
        return negative != minus, as_summand(x)

    def mul(self, t: Term) -> Layout:
        if coefficient(t)[0] < 0:
            return Sum((self.summand(t),))
        return self.quotient(*split_fraction(t))

    def quotient(self, c: Rational, above: Sequence[Term], below: Sequence[Term]) -> Layout:
        whole = decimal(c)
        head: list[Layout] = []
        if whole is not None and c.denominator != 1:
            head, c = [Number(whole)], Rational(1)
        elif c.numerator != 1:
            head = [self.rational(Rational(c.numerator))]
        bottom: list[Layout] = [Number(str(c.denominator))] if c.denominator != 1 else []
        bottom += [self.layout(f) for f in below]
        top = head + [self.layout(f) for f in above]
        if not bottom:
            return product(top)
        beside = [f for f in top if isinstance(f, (Big, Cases))]
        inside = [f for f in top if not isinstance(f, (Big, Cases))]
        return product([Fraction(product(inside), product(bottom)), *beside])

    def pow(self, t: Term) -> Layout:
        b, e = t.args
        if coefficient(e)[0] < 0 and b is not ONE:
            return Fraction(Number("1"), self.layout(power(b, neg(e))))
        if is_num(e) and value(e) == Rational(1, 2):
            return Root(self.layout(b))
        return Power(as_base(self.layout(b)), self.layout(e))

    # ---- functions ----

    def fn(self, t: Term) -> Layout:
        name = str(t.data)
        special = self.special.get(name)
        if special is not None:
            return special(self, t)
        if name in INTERNAL:
            return self.layout(INTERNAL[name](*t.args))
        return call(name, *self.layouts(t.args))

    def exp(self, t: Term) -> Layout:
        found = softmax_parts(t.args[0])
        if found is None:
            raised = softmax_power(t.args[0])
            if raised is not None:
                return self.pow(node("pow", (raised[0], num(raised[1]))))
            return self.exponential(t.args[0])
        e, j, rest = found
        if _is_zero(rest):
            return call("softmax", self.layout(e), under=self.ranges([j], e))
        return self.quotient(*split_fraction(t))

    def exponential(self, t: Term) -> Layout:
        x = self.layout(t)
        if t.size > 12 or is_tall(x) or "exp" in self.notation.spelt_functions:
            return call("exp", x)
        return Power(Sign("E"), x)

    def expm1(self, t: Term) -> Layout:
        return Sum(((False, self.exponential(t.args[0])), (True, Number("1"))))

    def log1p(self, t: Term) -> Layout:
        return call("log", self.layout(add(ONE, t.args[0])))

    def loggamma(self, t: Term) -> Layout:
        return call("log", call("gamma", self.layout(t.args[0])))

    def polygamma(self, t: Term) -> Layout:
        order, x = self.layouts(t.args)
        return Product((Power(Sign("psi"), parenthesized(order)), parenthesized(x)))

    def fenced(self, t: Term) -> Layout:
        return Fence({"Abs": "abs"}.get(str(t.data), str(t.data)), self.layout(t.args[0]))

    def floordiv(self, t: Term) -> Layout:
        a, b = self.layouts(t.args)
        return Fence("floor", Fraction(a, b))

    def mod(self, t: Term) -> Layout:
        a, b = self.layouts(t.args)
        return Relation("mod", (as_factor(a, True), as_factor(b, True)))

    def truth(self, t: Term) -> Layout:
        return self.layout(t.args[0])

    special: Mapping[str, Callable[[_Presenter, Term], Layout]] = {
        "exp": exp, "expm1": expm1, "log1p": log1p, "loggamma": loggamma, "polygamma": polygamma, "Abs": fenced,
        "floor": fenced, "ceiling": fenced, "floordiv": floordiv, "mod": mod, "truth": truth,
    }  # fmt: skip

    # ---- conditions ----

    def cmp(self, t: Term) -> Layout:
        a, b = t.args
        op = str(t.data)
        if is_num(a) or a is neg(INFINITY):
            a, b, op = b, a, {"<": ">", "<=": ">="}.get(op, op)
        return Relation(op, self.layouts((a, b)))

    def logical(self, t: Term) -> Layout:
        return Relation(t.op, tuple(self.side(a) for a in t.args))

    def side(self, t: Term) -> Layout:
        x = self.layout(t)
        return parenthesized(x) if t.op in ("and", "or") else x

    def opposite(self, t: Term) -> Layout:
        x = self.layout(t.args[0])
        return Negation(parenthesized(x) if isinstance(x, Relation) else x)

    def bracket(self, t: Term) -> Layout:
        return Fence("bracket", self.layout(t.args[0]))

    def where(self, t: Term) -> Layout:
        rows: list[tuple[Layout, Layout]] = []
        while t.op == "where":
            rows.append((self.layout(t.args[1]), self.layout(t.args[0])))
            t = t.args[2]
        return Cases(tuple(rows), self.layout(t))

    # ---- reductions ----

    def reduction(self, t: Term) -> Layout:
        outside = self.scope
        body, variables = self.opened(t)
        kind = str(t.data)
        ranges = self.ranges(variables, body)
        self.scope = outside | {str(v.data) for v in variables}
        x = self.layout(body)
        self.scope = outside
        if kind == "norm":
            return Root(Big("sum", ranges, Power(as_base(x), Number("2"))))
        if kind == "sum" and isinstance(x, Sum) and len(x.terms) == 1:
            return Sum(((True, Big(kind, ranges, as_factor(x.terms[0][1], True))),))
        if kind in ("sum", "prod"):
            return Big(kind, ranges, as_factor(x, True))
        return call(kind.removesuffix("_first"), x, under=ranges)

    def opened(self, t: Term) -> tuple[Term, list[Term]]:
        """Body and variables of a reduction, the variables named for people."""
        used = self.scope | {str(i.data) for i in t.free}
        mapping: dict[Term, Term] = {}
        for v in t.args[1:]:
            name = self.notation.names.choose(v, used)
            used |= {name}
            mapping[v] = idx(name, extent(v))
        return substitute(t.args[0], mapping), in_reading_order(str(t.data), mapping.values())

    def ranges(self, variables: Sequence[Term], body: Term) -> tuple[Range, ...]:
        return tuple(self.range(v, body) for v in variables)

    def range(self, v: Term, body: Term) -> Range:
        if v.data == BATCH or any(_says_range(a, v) for a in walk(body)):
            return Range(self.name(v))
        return Range(self.name(v), self.layout(add(extent(v), MINUS_ONE)))


def _is_zero(t: Term) -> bool:
    return is_num(t) and not value(t)


def _says_range(a: Term, v: Term) -> bool:
    """Whether a subterm shows how far the index runs: an axis that it subscripts bare, or a delta with another."""
    if is_access(a) or a.op == "mat":
        return v in a.args
    is_delta = a.op == "cmp" and a.data == "==" and v in a.args
    return is_delta and all(x.op == "idx" and x.args == v.args for x in a.args)
