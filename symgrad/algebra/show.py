"""Terms as text of the formula language, which can be read back.

The order of summands and factors is for people (`arrangement`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from symgrad.algebra.arrangement import (
    order_factors,
    order_terms,
    signed_terms,
    softmax_apart,
    softmax_parts,
    softmax_power,
    split_fraction,
    spread_out,
)
from symgrad.algebra.binders import ROW_MAJOR
from symgrad.algebra.build import add, compare, conjunction, mul, neg, power, substitute
from symgrad.algebra.decimals import decimal, with_literals, written_out
from symgrad.algebra.terms import (
    BATCH,
    INFINITY,
    MINUS_ONE,
    ONE,
    ZERO,
    Term,
    by_name,
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

ADD, MUL, UNARY, POW, ATOM = range(5)
LETTERS = "ijklmnpqrsuvwabcdefgh"


@dataclass(frozen=True)
class Names:
    """How bound indices are named: per extent the formula's own index names, and names that are taken."""

    prefer: Mapping[Term, Sequence[str]] = field(default_factory=dict)
    taken: frozenset[str] = frozenset()
    sizes: dict[str, Term] = field(default_factory=dict, compare=False)
    """Index names in use in one printed expression, with their extents: a name never has two."""
    shapes: Mapping[str, Sequence[Term]] = field(default_factory=dict, compare=False)
    """Tensor -> extents of its axes, of those that are known: an index that runs along others is bound with limits.

    0 where the text that defines the tensor does not say how long an axis is."""
    literals: tuple[Fraction, ...] = ()
    """Decimals of the formula: their multiples are written as such."""

    def within(self, t: Term, along: Iterable[Term] = ()) -> Names:
        """The names for one printed expression: those of its free indices are in use, and of those on its left side."""
        free = {str(i.data): extent(i) for i in by_name(t.free)}
        sizes = {str(i.data): extent(i) for i in along} | free
        return Names(self.prefer, self.taken | (frozenset(free) - {BATCH}), sizes, self.shapes)

    def _axes(self, a: Term) -> Sequence[Term]:
        """Extents of the axes of what is subscripted, where they are known."""
        return a.args[-1:] * 2 if a.op == "mat" else self.shapes.get(str(a.data), ())

    def says_range(self, v: Term, body: Term) -> bool:
        """Whether the bare subscripts of a body say how far an index runs: there are some, and all axes are as long."""
        size = extent(v)
        axes = [
            axis
            for a in walk(body)
            if (is_access(a) or a.op == "mat") and v in a.args
            for s, axis in zip(a.args, self._axes(a) or (size,) * len(a.args), strict=False)
            if s is v and axis is not ZERO
        ]
        return bool(axes) and all(axis is size for axis in axes)

    def choose(self, variable: Term, used: frozenset[str]) -> str:
        """A readable name for a bound index that no name in `used` hides."""
        if str(variable.data) == BATCH:
            return BATCH
        size = extent(variable)
        own = [n for n in self.prefer.get(size, ()) if self._fits(n, size, used) and n not in self.taken]
        others = {n for e, names in self.prefer.items() if e is not size for n in names}
        pool = [c for c in LETTERS if c not in self.taken and self._fits(c, size, used)]
        last = (f"i{k}" for k in range(1, 1 << 20) if f"i{k}" not in self.taken and self._fits(f"i{k}", size, used))
        name = next(iter((*own, *(c for c in pool if c not in others), *pool)), None) or next(last)
        self.sizes[name] = size
        return name

    def _fits(self, name: str, size: Term, used: frozenset[str]) -> bool:
        return name not in used and self.sizes.get(name, size) is size


def named_reduction(t: Term, names: Names) -> tuple[Term, list[Term]]:
    """Body and variables of a reduction, its variables named for people."""
    used = {str(i.data) for i in t.free}
    mapping: dict[Term, Term] = {}
    for v in t.args[1:]:
        name = names.choose(v, frozenset(used))
        used.add(name)
        mapping[v] = idx(name, extent(v))
    return substitute(t.args[0], mapping), in_reading_order(str(t.data), mapping.values())


def in_reading_order(kind: str, variables: Iterable[Term]) -> list[Term]:
    """The indices of a reduction as they are written: `...` first, then by name, where their order says nothing."""
    return list(variables) if kind in ROW_MAJOR else sorted(variables, key=lambda v: (v.data != BATCH, str(v.data)))


def show(t: Term, names: Names | None = None, along: Iterable[Term] = ()) -> str:
    """The term in the formula language; a comparison that stands alone is in no parentheses.

    `along`: the indices on the left side. An index of another extent never has the name of one of them.
    """
    names = names or Names()
    return _Printer(names.within(t, along)).text(with_literals(t, names.literals), ADD - 1)


class _Printer:
    def __init__(self, names: Names) -> None:
        self.names = names

    def text(self, t: Term, level: int) -> str:
        method: Callable[[Term, int], str] | None = getattr(self, "_" + t.op, None)
        assert method is not None, t.op
        return method(t, level)

    @staticmethod
    def wrap(text: str, own: int, level: int) -> str:
        return f"({text})" if own < level else text

    def args(self, items: Sequence[Term]) -> str:
        return ", ".join(self.text(a, ADD) for a in items)

    def conditions(self, items: Sequence[Term]) -> str:
        return ", ".join(self.text(a, ADD - 1) for a in items)

    def _num(self, t: Term, level: int) -> str:
        v = value(t)
        text = decimal(v)
        if text is None:
            return self.wrap(f"{v.numerator}/{v.denominator}", MUL if v > 0 else ADD, level)
        return self.wrap(text, ATOM if v >= 0 else ADD, level)

    def _const(self, t: Term, level: int) -> str:
        return str(t.data)

    def _dim(self, t: Term, level: int) -> str:
        return "Sum(1, ...)" if t.data == BATCH else str(t.data)

    _par = _idx = _const

    def _lit(self, t: Term, level: int) -> str:
        return str(t.data)

    def _get(self, t: Term, level: int) -> str:
        return f"{t.data}[{self.args(t.args)}]" if t.args else str(t.data)

    _get0 = _get

    def _mat(self, t: Term, level: int) -> str:
        function, tensor = matrix_of(t)
        if function == "logabsdet":
            return f"log(Abs({self._of_matrix('det', tensor, t.args[:-1])}))"
        if function == "adj":
            det = self._of_matrix("det", tensor, lead_of(t))
            return self.wrap(f"{det}*{self._of_matrix('inv', tensor, t.args[:-1])}", MUL, level)
        return self._of_matrix(function, tensor, t.args[:-1])

    def _of_matrix(self, function: str, tensor: str, subscripts: Sequence[Term]) -> str:
        return f"{function}({tensor})" + (f"[{self.args(subscripts)}]" if subscripts else "")

    def _add(self, t: Term, level: int) -> str:
        if (found := _log_softmax(t)) is not None:
            e, j, rest = found
            own = f"log_softmax({self.text(e, ADD)}, {j.data})"
            if rest.op == "num" and not value(rest):
                return own
            tail = self.text(rest, ADD)
            return self.wrap(own + (" - " + tail[1:] if tail.startswith("-") else " + " + tail), ADD, level)
        out = ""
        for minus, a in signed_terms(t.args):
            text = self.text(a, MUL if out or minus else ADD)
            out += (f" - {text}" if out else f"-{text}") if minus else (f" + {text}" if out else text)
        return self.wrap(out, ADD, level)

    def _mul(self, t: Term, level: int) -> str:
        if coefficient(t)[0] < 0:
            return self.wrap("-" + self.text(neg(t), MUL), ADD, level)
        conditions = [f for f in t.args if f.op == "iv"]
        if conditions:
            return self._masked(t, conditions, level)
        c, above, below = split_fraction(t)
        return self.wrap(self._fraction(c, above, below), MUL, level)

    def _masked(self, t: Term, conditions: list[Term], level: int) -> str:
        # everything but dimensions stays under the condition: [false]*nan is 0
        outside = [f for f in t.args if all(s.op in ("num", "dim", "pow") for s in walk(f))]
        inside = [f for f in t.args if f.op != "iv" and f not in outside]
        condition = conjunction(*(f.args[0] for f in conditions))
        text = f"where({self.text(condition, ADD - 1)}, {self.text(mul(*inside), ADD)}, 0)"
        if not outside:
            return text
        c, above, below = split_fraction(mul(*outside))
        top = [] if c.numerator == 1 and not above else [self._fraction(Fraction(c.numerator), above, [])]
        bottom = ([num(c.denominator)] if c.denominator != 1 else []) + below
        return self.wrap("*".join([*top, text]) + self._denominator(bottom), MUL, level)

    def _fraction(self, c: Fraction, above: list[Term], below: list[Term]) -> str:
        whole = written_out(c)
        if whole is not None:
            c, head = Fraction(1), [whole]
        else:
            head = [str(c.numerator)] if c.numerator != 1 or not above else []
        top = head + [self.text(f, MUL if len(above) + len(head) + len(below) == 1 else UNARY) for f in above]
        bottom = ([num(c.denominator)] if c.denominator != 1 else []) + below
        return "*".join(top) + self._denominator(bottom)

    def _denominator(self, bottom: list[Term]) -> str:
        if not bottom:
            return ""
        if len(bottom) == 1:
            return "/" + self.text(bottom[0], POW if bottom[0].op != "pow" else UNARY)
        return "/(" + "*".join(self.text(f, UNARY) for f in bottom) + ")"

    def _pow(self, t: Term, level: int) -> str:
        b, e = t.args
        c, symbol = coefficient(e)
        if c < 0 and symbol is ONE:
            return self.wrap("1" + self._denominator([power(b, neg(e))]), MUL, level)
        if is_num(e) and value(e) == Fraction(1, 2):
            return f"sqrt({self.text(b, ADD)})"
        return self.wrap(f"{self.text(b, ATOM)}**{self.text(e, ATOM)}", POW, level)

    def _fn(self, t: Term, level: int) -> str:
        name = str(t.data)
        if name == "exp":
            return self._exp(t, level)
        if name in ("floordiv", "mod"):
            a, b = (self.text(x, ATOM) for x in t.args)
            return self.wrap(f"{a}{'//' if name == 'floordiv' else '%'}{b}", ADD if level > MUL else MUL, level)
        if name in INTERNAL:
            return self.text(INTERNAL[name](*t.args), level)
        return f"{t.data}({self.args(_flattened(t))})"

    def _exp(self, t: Term, level: int) -> str:
        found = softmax_parts(t.args[0])
        if found is None:
            raised = softmax_power(t.args[0])
            if raised is not None:
                return self._pow(node("pow", (raised[0], num(raised[1]))), level)
            return f"exp({self.text(t.args[0], ADD)})"
        e, j, rest = found
        if rest is ZERO:
            return f"softmax({self.text(e, ADD)}, {j.data})"
        return self.wrap(self._fraction(*split_fraction(t)), MUL, level)

    def _cmp(self, t: Term, level: int) -> str:
        a, b = t.args
        op = str(t.data)
        if is_num(a) or (a is neg(INFINITY)):
            a, b, op = b, a, {"<": ">", "<=": ">="}.get(op, op)
        return self.wrap(f"{self.text(a, MUL - 1)} {op} {self.text(b, MUL - 1)}", ADD - 1, level)

    def _and(self, t: Term, level: int) -> str:
        return f"And({self.conditions(t.args)})"

    def _or(self, t: Term, level: int) -> str:
        return f"Or({self.conditions(t.args)})"

    def _not(self, t: Term, level: int) -> str:
        return f"Not({self.conditions(t.args)})"

    def _iv(self, t: Term, level: int) -> str:
        return f"where({self.text(t.args[0], ADD - 1)}, 1, 0)"

    def _where(self, t: Term, level: int) -> str:
        return f"where({self.text(t.args[0], ADD - 1)}, {self.args(t.args[1:])})"

    def _red(self, t: Term, level: int) -> str:
        body, variables = named_reduction(t, self.names)
        kind = str(t.data)
        limits = ", ".join(self._limits(v, body) for v in variables)
        tail = ", ties=first" if kind.endswith("_first") else ""
        return f"{REDUCTIONS[kind]}({self.text(body, ADD)}, {limits}{tail})"

    def _limits(self, v: Term, body: Term) -> str:
        if str(v.data) == BATCH or self.names.says_range(v, body):
            return str(v.data)
        return f"({v.data}, 0, {self.text(add(extent(v), MINUS_ONE), ADD)})"


def _flattened(t: Term) -> tuple[Term, ...]:
    """Max(Max(a, b), c) as people write it."""
    first = t.args[0]
    if t.data in ("Max", "Min") and first.op == "fn" and first.data == t.data:
        return (*_flattened(first), *t.args[1:])
    return t.args


def _log_softmax(t: Term) -> tuple[Term, Term, Term] | None:
    return softmax_parts(t)


REDUCTIONS = {
    "sum": "Sum", "prod": "Product", "max": "amax", "min": "amin", "max_first": "amax", "min_first": "amin",
    "lse": "logsumexp", "argmax": "argmax", "norm": "norm",
}  # fmt: skip


def _call(name: str) -> Callable[[Term], Term]:
    from symgrad.algebra.terms import node

    return lambda x: node("fn", (x,), name)


def _internal() -> Mapping[str, Callable[..., Term]]:
    from symgrad.algebra.terms import HALF, MINUS_ONE, ONE, PI, TWO

    return {
        "log_sigmoid": lambda x: _call("log")(_call("sigmoid")(x)),
        "logcosh": lambda x: _call("log")(_call("cosh")(x)),
        "sech2": lambda x: add(ONE, neg(power(_call("tanh")(x), TWO))),
        "normal_pdf": lambda x: mul(
            _call("exp")(mul(num(Fraction(-1, 2)), power(x, TWO))), power(mul(TWO, PI), neg(HALF))
        ),
        "truth": lambda x: x,
        "complement": lambda x: add(ONE, neg(x)),
        "ratio": lambda x, y: mul(x, power(y, MINUS_ONE)),
        "hypot": lambda x, y: power(add(power(x, TWO), power(y, TWO)), HALF),
        "exp_rest": lambda x: add(_call("exp")(x), neg(x), MINUS_ONE),
        "log1psq": lambda x: _call("log")(add(ONE, power(x, TWO))),
        "log1mexp": lambda x: _call("log")(add(ONE, neg(_call("exp")(x)))),
        "series": lambda u, r, s, n, *rest: add(*rest[int(value(n)) :]),
        "logmeanexp": lambda x: _call("log")(mul(HALF, add(ONE, _call("exp")(x)))),
    }


INTERNAL: Mapping[str, Callable[..., Term]] = _internal()
"""Functions that the derivation adds, as the language writes them."""

__all__ = [
    "Names",
    "compare",
    "in_reading_order",
    "named_reduction",
    "order_factors",
    "order_terms",
    "show",
    "signed_terms",
    "softmax_apart",
    "softmax_parts",
    "softmax_power",
    "split_fraction",
    "spread_out",
]
