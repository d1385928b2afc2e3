"""Mean squares less squared means are means of centered squares: sum x**2/n - (sum x/n)**2 = sum (x - m)**2/n."""

from __future__ import annotations

from collections.abc import Iterator

from symgrad.algebra.build import add, mul, neg, power, reduce
from symgrad.algebra.terms import MINUS_ONE, TWO, Term, coefficient, extent, factors_of
from symgrad.rewrite.context import Context
from symgrad.rewrite.rule import Example, Rule


def _centered(t: Term, context: Context) -> Term | None:
    """a sum_j f g - a n m_f m_g = a sum_j (f - m_f) (g - m_g) for the means m over n terms."""
    for s in t.args:
        for total in factors_of(coefficient(s)[1]):
            if total.op != "red" or total.data != "sum":
                continue
            outside = _without(s, total)
            body, over = context.opened(total)
            count = mul(*map(extent, over))
            if any(v in extent(w).free for v in over for w in over):
                continue
            for f, g in _pairs(body, over):
                for less in t.args:
                    means = None if less is s else _means(less, mul(outside, count), (f, g), over, count, context)
                    if means is not None:
                        spread = mul(*(add(x, neg(m)) for x, m in zip((f, g), means, strict=True)))
                        rest = (x for x in t.args if x is not s and x is not less)
                        return add(mul(outside, reduce("sum", spread, over)), *rest)
    return None


def _without(product: Term, factor: Term) -> Term:
    return mul(product, power(factor, MINUS_ONE))


def _pairs(body: Term, over: list[Term]) -> Iterator[tuple[Term, Term]]:
    """The two factors of what is summed."""
    if body.op == "pow" and body.args[1] is TWO:
        yield body.args[0], body.args[0]
    if body.op == "mul" and len(body.args) == 2 and all(f.free & frozenset(over) for f in body.args):
        yield body.args[0], body.args[1]


def _means(
    less: Term, scale: Term, pair: tuple[Term, Term], over: list[Term], count: Term, context: Context
) -> tuple[Term, Term] | None:
    """The means of the pair where `less` is -scale times their product: as they are written there, by name or not."""
    found = []
    for f in pair:
        mean = mul(reduce("sum", f, over), power(count, MINUS_ONE))
        named = (x for x in _names(less) if context.body(x) is mean)
        found.append(next(named, mean))
    return (found[0], found[1]) if less is neg(mul(scale, *found)) else None


def _names(t: Term) -> Iterator[Term]:
    for f in factors_of(coefficient(t)[1]):
        b = f.args[0] if f.op == "pow" else f
        if b.op == "get":
            yield b


CENTERED = Rule(
    "sum/centered",
    ("add",),
    r"\frac{1}{n} \sum_j x_j^2 - \Bigl(\frac{1}{n} \sum_j x_j\Bigr)^2 = \frac{1}{n} \sum_j (x_j - m)^2",
    "two large numbers that nearly cancel are never made",
    _centered,
    Example(
        "Sum(x[i, j]**2, j)/c - Sum(x[i, j], j)**2/c**2",
        "Sum((x[i, j] - Sum(x[i, k], k)/c)**2, j)/c",
    ),
)
