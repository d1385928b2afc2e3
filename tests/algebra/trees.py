"""Random expressions as trees: what they mean by definition, and the term that the constructors make of them.

A tree is a nested tuple; nothing of the algebra is used to say what it means, so it can judge the algebra.

    ("num", 1/2)  ("get", "x", ("i", "j"))  ("add", a, b, ...)  ("red", "sum", body, ("k",))  ("iv", condition)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import reduce as fold
from itertools import count, product
from os import environ
from typing import Any

import mpmath
from hypothesis import Phase, settings
from hypothesis import strategies as st

from symgrad.algebra.build import (
    add,
    compare,
    conjunction,
    disjunction,
    fn,
    iverson,
    mul,
    negation,
    power,
    reduce,
    substitute,
    where,
)
from symgrad.algebra.terms import FALSE, TRUE, Term, dim, get, idx, num, par
from symgrad.formula.program import Domain, Input, Parameter, Program

Tree = tuple[Any, ...]
Point = Mapping[str, Any]
PHASES = (Phase.explicit, Phase.generate, *((Phase.shrink,) if "SHRINK" in environ else ()))
EXAMPLES = settings(max_examples=int(environ.get("EXAMPLES", "30")), deadline=None, derandomize=True, phases=PHASES)
"""`EXAMPLES=2000 pytest tests/algebra` looks deeper, `SHRINK=1` makes what it finds small (minutes)."""
MP = mpmath.MPContext()
MP.dps = 40
NAN = MP.mpf("nan")

N, C = dim("n"), dim("c")
EXTENTS = {"i": "n", "l": "n", "m": "n", "j": "c", "k": "c", "q": "c"}
INDEX = {name: idx(name, dim(size)) for name, size in EXTENTS.items()}
SIZES = {"n": 2, "c": 3}
SHAPES = {"x": ("n", "c"), "z": ("n", "c"), "w": ("c",), "v": ("n",), "p": ("n",), "g": ("n",), "s": ()}
DOMAINS = {"p": "positive", "g": "nonnegative"}
SMOOTH = ("exp", "sin", "cos", "tanh", "sigmoid", "softplus", "Abs", "relu", "erf", "sinh", "cosh", "atan")
PROGRAM = Program(
    "random",
    tuple(Input(t, tuple(dim(d) for d in shape), domain=Domain(DOMAINS.get(t, "real"))) for t, shape in SHAPES.items()),
    (Parameter("a", Fraction(3, 2), domain=Domain("positive")), Parameter("b", Fraction(-1, 2))),
    (),
    (),
    ("x",),
)


# ---- meaning --------------------------------------------------------------------------------------------------------


def meaning(t: Tree, point: Point, at: Mapping[str, int]) -> Any:
    """The value of a tree where the indices are `at`, by definition; nan where it has none."""
    head = t[0]
    leaf = _LEAVES.get(head)
    if leaf is not None:
        return leaf(t, point, at)
    if head == "mul":
        return _times([meaning(a, point, at) for a in t[1:]], [a[0] == "iv" for a in t[1:]])
    if head == "pow":
        return _power(meaning(t[1], point, at), t[2])
    if head == "fn":
        return _function(t[1], [meaning(a, point, at) for a in t[2:]])
    if head == "add":
        return fold(lambda a, b: a + b, (meaning(a, point, at) for a in t[1:]))
    return {"read": _read, "red": _reduced, "iv": _branch, "where": _branch}[head](t, point, at)


_LEAVES: Mapping[str, Callable[[Tree, Point, Mapping[str, int]], Any]] = {
    "num": lambda t, point, at: MP.mpf(t[1].numerator) / t[1].denominator,
    "dim": lambda t, point, at: MP.mpf(SIZES[t[1]]),
    "par": lambda t, point, at: point[t[1]],
    "idx": lambda t, point, at: MP.mpf(at[t[1]]),
    "get": lambda t, point, at: point[t[1]][tuple(at[i] for i in t[2])],
}


def holds(c: Tree, point: Point, at: Mapping[str, int]) -> bool:
    """Whether a condition holds."""
    if c[0] == "lit":
        return bool(c[1])
    if c[0] == "not":
        return not holds(c[1], point, at)
    if c[0] in ("and", "or"):
        return (all if c[0] == "and" else any)(holds(a, point, at) for a in c[1:])
    a, b = meaning(c[2], point, at), meaning(c[3], point, at)
    return {"<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b, "==": a == b, "!=": a != b}[c[1]]


def _read(t: Tree, point: Point, at: Mapping[str, int]) -> Any:
    """An access at any subscripts: 0 outside where the read is padded, no value otherwise."""
    cell = tuple(int(meaning(a, point, at)) for a in t[2])
    return point[t[1]].get(cell, MP.mpf(0) if t[3] else NAN)


def _times(values: list[Any], brackets: list[bool]) -> Any:
    """A product in which a bracket of 0 hides what has no value."""
    if any(b and v == 0 for v, b in zip(values, brackets, strict=True)):
        return MP.mpf(0)
    return fold(lambda a, b: a * b, values)


def _branch(t: Tree, point: Point, at: Mapping[str, int]) -> Any:
    if t[0] == "iv":
        return MP.mpf(holds(t[1], point, at))
    return meaning(t[2] if holds(t[1], point, at) else t[3], point, at)


def _power(b: Any, e: Fraction) -> Any:
    if (b == 0 and e < 0) or (b < 0 and e.denominator != 1) or b != b:
        return NAN
    return MP.power(b, MP.mpf(e.numerator) / e.denominator) if e.denominator != 1 else b ** int(e)


def _function(name: str, xs: list[Any]) -> Any:
    if any(x != x for x in xs):
        return NAN
    x = xs[0]
    own = {
        "Abs": lambda: abs(x),
        "relu": lambda: max(x, MP.mpf(0)),
        "sign": lambda: MP.mpf((x > 0) - (x < 0)),
        "sigmoid": lambda: 1 / (1 + MP.exp(-x)),
        "softplus": lambda: MP.log(1 + MP.exp(x)),
        "log": lambda: MP.log(x) if x > 0 else NAN,
        "Max": lambda: max(xs),
        "Min": lambda: min(xs),
        "floor": lambda: MP.floor(x),
        "sech2": lambda: 1 - MP.tanh(x) ** 2,
        "logcosh": lambda: MP.log(MP.cosh(x)),
        "log_sigmoid": lambda: -MP.log(1 + MP.exp(-x)),
        "pow": lambda: _power(x, Fraction(int(xs[1]))) if xs[1] == int(xs[1]) else MP.power(x, xs[1]) if x > 0 else NAN,
        "clip": lambda: min(max(x, xs[1]), xs[2]),
    }
    if name in own:
        return own[name]()
    if name in ("exp", "sinh", "cosh") and abs(x) > 1000:
        return NAN
    return getattr(MP, name)(x)


def _reduced(t: Tree, point: Point, at: Mapping[str, int]) -> Any:
    _, kind, body, names = t
    ranges = [range(SIZES[EXTENTS[v]]) for v in names]
    xs = [meaning(body, point, {**at, **dict(zip(names, k, strict=True))}) for k in product(*ranges)]
    if any(x != x for x in xs):
        return NAN
    if kind == "sum":
        return fold(lambda a, b: a + b, xs)
    if kind == "prod":
        return fold(lambda a, b: a * b, xs)
    if kind == "lse":
        top = max(xs)
        return top + MP.log(sum(MP.exp(x - top) for x in xs))
    if kind == "norm":
        return MP.sqrt(sum(x * x for x in xs))
    return max(xs) if kind == "max" else min(xs)


# ---- terms ----------------------------------------------------------------------------------------------------------


def build(t: Tree, rename: Mapping[str, str] | None = None) -> Term:
    """The term of a tree by the constructors; `rename` gives the bound indices other names."""
    names = dict(rename or {})

    def index(name: str) -> Term:
        return idx(names.get(name, name), dim(EXTENTS[name]))

    def condition(c: Tree) -> Term:
        if c[0] == "lit":
            return TRUE if c[1] else FALSE
        if c[0] == "not":
            return negation(condition(c[1]))
        if c[0] in ("and", "or"):
            return (conjunction if c[0] == "and" else disjunction)(*(condition(a) for a in c[1:]))
        return compare(c[1], number(c[2]), number(c[3]))

    def number(t: Tree) -> Term:
        head = t[0]
        if head in ("add", "mul"):
            return (add if head == "add" else mul)(*(number(a) for a in t[1:]))
        if head == "where":
            return where(condition(t[1]), number(t[2]), number(t[3]))
        leaves = {
            "num": lambda: num(t[1]),
            "dim": lambda: dim(t[1]),
            "par": lambda: par(t[1]),
            "idx": lambda: index(t[1]),
            "get": lambda: get(t[1], [index(i) for i in t[2]]),
            "red": lambda: reduce(t[1], number(t[2]), [index(v) for v in t[3]]),
            "iv": lambda: iverson(condition(t[1])),
            "pow": lambda: power(number(t[1]), num(t[2])),
            "fn": lambda: fn(t[1], *(number(a) for a in t[2:])),
        }
        return leaves[head]()

    return number(t)


def evaluate(t: Term, point: Point, at: Mapping[str, int]) -> Any:
    """The value of a term by definition. Bound indices are known by their canonical names."""
    return meaning(_tree(t), point, at)


def _tree(t: Term) -> Tree:
    """A term as the tree that says the same; the names of opened indices are like any other."""
    op = t.op
    if op in ("num", "dim", "par", "lit"):
        return (op, t.data)
    if op == "idx":
        EXTENTS.setdefault(str(t.data), str(t.args[0].data))
        assert EXTENTS[str(t.data)] == str(t.args[0].data), "one name, two extents"
        return ("idx", str(t.data))
    if op in ("get", "get0"):
        return _access(t)
    if op == "red":
        return _closed(t)
    if op == "pow":
        exponent = t.args[1]
        if exponent.op == "num":
            return ("pow", _tree(t.args[0]), exponent.data)
        return ("fn", "pow", _tree(t.args[0]), _tree(exponent))
    return (op, t.data, *map(_tree, t.args)) if op in ("fn", "cmp") else (op, *map(_tree, t.args))


def _access(t: Term) -> Tree:
    if all(a.op == "idx" for a in t.args):
        return ("get", t.data, tuple(_tree(a)[1] for a in t.args))
    return ("read", t.data, tuple(map(_tree, t.args)), t.op == "get0")


_numbers = count(1)


def _closed(t: Term) -> Tree:
    """A reduction, its variables under names of their own: `$1` may bind different extents in different places."""
    names = []
    for v in t.args[1:]:
        names.append(idx(f"bound{next(_numbers)}", v.args[0]))
        EXTENTS[str(names[-1].data)] = str(v.args[0].data)
    body = substitute(t.args[0], dict(zip(t.args[1:], names, strict=True)))
    return ("red", t.data, _tree(body), tuple(str(n.data) for n in names))


# ---- strategies -----------------------------------------------------------------------------------------------------

QUARTERS = [Fraction(k, 4) for k in (-8, -4, -2, -1, 0, 0, 1, 2, 4, 4, 6, 8)]
FREE = ("i", "j")


@st.composite
def points(draw: st.DrawFn) -> dict[str, Any]:
    """Values of all tensors and parameters: quarters, so that ties and zeros happen and sums of them are exact."""
    found: dict[str, Any] = {
        "a": MP.mpf(draw(st.sampled_from([1, 2, 3]))) / 2,
        "b": MP.mpf(draw(st.sampled_from([-2, -1, 0, 3]))) / 2,
    }
    for name, shape in SHAPES.items():
        pool = [q for q in QUARTERS if name not in DOMAINS or q > 0 or (q == 0 and name == "g")]
        cells = list(product(*(range(SIZES[d]) for d in shape)))
        values = draw(st.lists(st.sampled_from(pool), min_size=len(cells), max_size=len(cells)))
        found[name] = {c: MP.mpf(v.numerator) / v.denominator for c, v in zip(cells, values, strict=True)}
    return found


def _accesses(scope: tuple[str, ...]) -> list[Tree]:
    rows = [i for i in scope if EXTENTS[i] == "n"]
    columns = [i for i in scope if EXTENTS[i] == "c"]
    found: list[Tree] = [("get", "s", ())]
    found += [("get", t, (i,)) for t in ("v", "p", "g") for i in rows]
    found += [("get", "w", (j,)) for j in columns]
    return found + [("get", t, (i, j)) for t in ("x", "z") for i in rows for j in columns] * 2


def leaves(scope: tuple[str, ...]) -> st.SearchStrategy[Tree]:
    """Numbers, parameters, dimensions, indices and accesses."""
    numbers = [("num", Fraction(k)) for k in (-2, -1, 0, 1, 2, 3)] + [("num", Fraction(1, 2)), ("num", Fraction(-3, 2))]
    others: list[Tree] = [("par", "a"), ("par", "b"), ("dim", "n"), ("dim", "c"), *(("idx", i) for i in scope)]
    accesses = _accesses(scope)
    return st.one_of(st.sampled_from(accesses), st.sampled_from(accesses), st.sampled_from(numbers + others))


@st.composite
def exact(draw: st.DrawFn, scope: tuple[str, ...]) -> Tree:
    """An expression whose value is exact in binary: what conditions may look at."""
    items = draw(st.lists(leaves(scope), min_size=1, max_size=3))
    return items[0] if len(items) == 1 else ("add", *items)


@st.composite
def conditions(draw: st.DrawFn, scope: tuple[str, ...], depth: int = 1) -> Tree:
    """Comparisons of exact expressions, and what logic makes of them."""
    kind = draw(st.sampled_from(("cmp", "cmp", "cmp", "and", "or", "not") if depth else ("cmp",)))
    if kind == "cmp":
        op = draw(st.sampled_from(("<", "<=", ">", ">=", "==", "!=")))
        return ("cmp", op, draw(exact(scope)), draw(exact(scope)))
    if kind == "not":
        return ("not", draw(conditions(scope, depth - 1)))
    return (kind, draw(conditions(scope, depth - 1)), draw(conditions(scope, depth - 1)))


@st.composite
def trees(draw: st.DrawFn, scope: tuple[str, ...] = FREE, depth: int = 3) -> Tree:
    """A random expression over the indices in scope."""
    kinds = ("leaf", "add", "add", "mul", "mul", "pow", "fn", "where", "iv", "red", "red")
    kind = draw(st.sampled_from(kinds)) if depth else "leaf"
    if kind == "leaf":
        return draw(leaves(scope))
    if kind in ("add", "mul"):
        return (kind, *(draw(trees(scope, depth - 1)) for _ in range(draw(st.integers(2, 3)))))
    if kind == "pow":
        exponent = draw(
            st.sampled_from([Fraction(2), Fraction(2), Fraction(-1), Fraction(1, 2), Fraction(3), Fraction(-2)])
        )
        return ("pow", draw(trees(scope, depth - 1)), exponent)
    if kind == "fn":
        return draw(_functions(scope, depth))
    if kind == "where":
        return ("where", draw(conditions(scope)), draw(trees(scope, depth - 1)), draw(trees(scope, depth - 1)))
    if kind == "iv":
        return ("mul", ("iv", draw(conditions(scope))), draw(trees(scope, depth - 1)))
    return draw(_reductions(scope, depth))


@st.composite
def _functions(draw: st.DrawFn, scope: tuple[str, ...], depth: int) -> Tree:
    name = draw(st.sampled_from((*SMOOTH, "exp", "exp", "sigmoid", "sign", "log", "Max", "Min")))
    if name == "sign":
        return ("fn", "sign", draw(exact(scope)))
    if name == "log":
        return ("fn", "log", draw(_logged(scope, depth)))
    count = 2 if name in ("Max", "Min") else 1
    return ("fn", name, *(draw(trees(scope, depth - 1)) for _ in range(count)))


@st.composite
def _logged(draw: st.DrawFn, scope: tuple[str, ...], depth: int) -> Tree:
    """What stands under a logarithm: positive, or a product whose factors may all be negative."""
    inner = draw(trees(scope, depth - 1))
    kind = draw(st.sampled_from(("square", "product", "power", "exp")))
    if kind == "square":
        return ("add", ("num", Fraction(2)), ("pow", inner, Fraction(2)))
    if kind == "product":
        return ("mul", ("fn", "exp", inner), draw(leaves(scope)), draw(leaves(scope)))
    if kind == "power":
        return ("pow", draw(leaves(scope)), Fraction(2))
    return ("add", ("num", Fraction(1)), ("fn", "exp", inner))


@st.composite
def _reductions(draw: st.DrawFn, scope: tuple[str, ...], depth: int) -> Tree:
    free = [v for v in ("l", "m", "k", "q") if v not in scope]
    if not free:
        return draw(leaves(scope))
    names = tuple(draw(st.lists(st.sampled_from(free), min_size=1, max_size=2, unique=True)))
    kind = draw(st.sampled_from(("sum", "sum", "sum", "sum", "lse", "max", "min", "prod", "norm")))
    body = draw(trees((*scope, *names), depth - 1))
    if kind == "sum" and draw(st.booleans()):
        body = ("mul", ("iv", ("cmp", "==", ("idx", names[0]), draw(_partner(scope, names[0])))), body)
    return ("red", kind, body, names)


def _partner(scope: tuple[str, ...], name: str) -> st.SearchStrategy[Tree]:
    same = [("idx", i) for i in scope if EXTENTS[i] == EXTENTS[name]]
    return st.sampled_from([*same, ("num", Fraction(1)), ("num", Fraction(0))])


# ---- the same tree written differently ------------------------------------------------------------------------------


@st.composite
def rewritten(draw: st.DrawFn, t: Tree) -> Tree:
    """The tree with its summands, factors and bound indices in another order."""
    if t[0] in ("num", "dim", "par", "idx", "get", "lit"):
        return t
    if t[0] == "red":
        kind, body, names = t[1:]
        return ("red", kind, draw(rewritten(body)), tuple(draw(st.permutations(names))))
    if t[0] == "pow":
        return ("pow", draw(rewritten(t[1])), t[2])
    lead = 2 if t[0] in ("fn", "cmp") else 1
    parts = [draw(rewritten(a)) for a in t[lead:]]
    if t[0] in ("add", "mul", "and", "or"):
        parts = draw(st.permutations(parts))
    return (*t[:lead], *parts)


def size(t: Tree) -> int:
    """Number of nodes."""
    return 1 + sum(size(a) for a in t if isinstance(a, tuple) and a and isinstance(a[0], str) and a[0] in _HEADS)


_HEADS = {
    "num",
    "dim",
    "par",
    "idx",
    "get",
    "add",
    "mul",
    "pow",
    "fn",
    "where",
    "iv",
    "red",
    "cmp",
    "and",
    "or",
    "not",
    "lit",
}


def same(a: Any, b: Any, digits: int = 20) -> bool:
    """Whether two values agree to so many digits."""
    return bool(abs(a - b) <= MP.mpf(10) ** -digits * (1 + abs(a)))


def finite(a: Any) -> bool:
    """Whether the value is a number."""
    return bool(MP.isfinite(a))
