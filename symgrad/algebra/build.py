"""Constructors that simplify: what holds for every value of the arguments is done here, without a record.

Sums collect equal terms, products collect equal bases and all exponentials, numbers are folded. Nothing is expanded.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from fractions import Fraction
from hashlib import blake2b
from itertools import permutations
from math import gcd, lcm

from symgrad.algebra.terms import (
    E,
    FALSE,
    INFINITY,
    MINUS_ONE,
    ONE,
    TRUE,
    ZERO,
    Term,
    base_exponent,
    by_name,
    coefficient,
    extent,
    factors_of,
    idx,
    is_num,
    node,
    num,
    terms_of,
    value,
)

LARGEST_POWER_BITS = 4096


def add(*items: Term) -> Term:
    """The sum, equal terms collected."""
    total: dict[Term, Fraction] = {}
    for item in items:
        for t in terms_of(item):
            c, r = coefficient(t)
            total[r] = total[r] + c if r in total else c
    parts = [scale(c, r) for r, c in total.items() if c]
    if not parts:
        return ZERO
    if len(parts) == 1:
        return parts[0]
    return node("add", tuple(sorted(parts, key=lambda t: t.digest)))


def scale(c: Fraction, t: Term) -> Term:
    """c*t for a term without a numeric factor of its own."""
    if c == 1:
        return t
    if t is ONE:
        return num(c)
    if c < 0 and t.op == "mul" and any(f.op == "add" for f in t.args):
        return mul(num(c), t)  # the sign has one place
    return node("mul", (num(c), *factors_of(t)))


def neg(t: Term) -> Term:
    """-t, distributed over a sum."""
    if t.op == "add":
        return node("add", tuple(sorted((neg(a) for a in t.args), key=lambda a: a.digest)))
    c, r = coefficient(t)
    return scale(-c, r) if c else ZERO


def sub(a: Term, b: Term) -> Term:
    """a - b."""
    return add(a, neg(b))


def mul(*items: Term) -> Term:
    """The product, equal bases and exponentials collected. Sums are not multiplied out; a minus sign goes into a sum."""
    c = Fraction(1)
    powers: dict[Term, list[Term]] = {}
    exponents: list[Term] = []
    for item in items:
        for f in factors_of(item):
            if f.op == "num":
                c *= value(f)
            elif f.op == "fn" and f.data == "exp":
                exponents.append(f.args[0])
            else:
                b, e = base_exponent(f)
                powers.setdefault(b, []).append(e)
    if not c:
        return ZERO
    parts: list[Term] = []
    for b, es in powers.items():
        f = power(b, add(*es)) if len(es) > 1 else (b if es[0] is ONE else node("pow", (b, es[0])))
        parts.extend(factors_of(f))
    if exponents:
        parts.extend(factors_of(exp(add(*exponents))))
    k = [f for f in parts if f.op == "num"]
    for f in k:
        c *= value(f)
    parts = [f for f in parts if f.op != "num"]
    if not c:
        return ZERO
    c, parts = _signs(c, parts)
    if c == -1 and len(parts) == 1 and parts[0].op == "add":
        return neg(parts[0])
    if c == 1 and len(parts) == 1:
        return parts[0]
    return _product(c, parts)


def _signs(c: Fraction, parts: list[Term]) -> tuple[Fraction, list[Term]]:
    """One place for the sign: outside of a sum whose summands all have the same, inside of a mixed one."""
    sums = [k for k, f in enumerate(parts) if f.op == "add"]
    mixed = []
    for k in sums:
        negative = [coefficient(a)[0] < 0 for a in parts[k].args]
        if all(negative):
            c, parts[k] = -c, neg(parts[k])
        elif any(negative):
            mixed.append(k)
    if c < 0 and len(mixed) == 1:
        c, parts[mixed[0]] = -c, neg(parts[mixed[0]])
    return c, parts


def _product(c: Fraction, parts: list[Term]) -> Term:
    if not parts:
        return num(c)
    parts = sorted(parts, key=lambda t: t.digest)
    if c == 1:
        return parts[0] if len(parts) == 1 else node("mul", tuple(parts))
    return node("mul", (num(c), *parts))


def div(a: Term, b: Term) -> Term:
    """a / b."""
    return mul(a, power(b, MINUS_ONE))


def is_integer_valued(t: Term) -> bool:
    """Whether the term is an integer number."""
    return t.op == "num" and value(t).denominator == 1


def power(b: Term, e: Term) -> Term:
    """b**e."""
    if e is ZERO:
        return ONE
    if e is ONE or b is ONE:
        return b
    if b.op == "num" and e.op == "num":
        return _number_power(value(b), value(e))
    if b.op == "pow" and (is_integer_valued(e) or _outer_exponent_joins(b)):
        return power(b.args[0], mul(b.args[1], e))
    if b.op == "fn" and b.data == "exp":
        return exp(mul(b.args[0], e))
    if b.op == "iv" and e.op == "num" and value(e) > 0:
        return b
    if b.op == "mul":
        return _power_of_product(b, e)
    if b is E:
        return exp(e)
    return node("pow", (b, e))


def _outer_exponent_joins(b: Term) -> bool:
    """(x**a)**e = x**(a*e) for every e where x**a is only defined for x >= 0."""
    a = b.args[1]
    return a.op == "num" and value(a).denominator % 2 == 0


def _power_of_product(b: Term, e: Term) -> Term:
    if is_integer_valued(e):
        return mul(*(power(f, e) for f in b.args))
    c, r = coefficient(b)
    if c > 0 and c != 1 and (root := power(num(c), e)).op == "num":
        return mul(root, power(r, e))
    return node("pow", (b, e))


def _number_power(b: Fraction, e: Fraction) -> Term:
    if e.denominator == 1:
        bits = abs(int(e)) * max(b.numerator.bit_length(), b.denominator.bit_length())
        if (b == 0 and e < 0) or bits > LARGEST_POWER_BITS:
            return node("pow", (num(b), num(e)))
        return num(b ** int(e))
    if b == 0 and e > 0:
        return ZERO
    root = _exact_root(b, e.denominator)
    if root is not None:
        return _number_power(root, Fraction(e.numerator))
    if b > 0 and (e < 0 or e > 1):
        whole = e.numerator // e.denominator
        return mul(num(b**whole), node("pow", (num(b), num(e - whole))))
    return node("pow", (num(b), num(e)))


def _exact_root(b: Fraction, n: int) -> Fraction | None:
    if b <= 0 or n > 64:
        return None
    p, q = round(b.numerator ** (1 / n)) if b.numerator < 1 << 200 else 0, 0
    q = round(b.denominator ** (1 / n)) if b.denominator < 1 << 200 else 0
    return Fraction(p, q) if p and q and p**n == b.numerator and q**n == b.denominator else None


def exp(t: Term) -> Term:
    """e**t; logarithms in the exponent come out as powers."""
    if t is ZERO:
        return ONE
    if t is neg(INFINITY):
        return ZERO
    rest, outside = [], []
    for a in terms_of(t):
        factors = factors_of(a)
        logs = [f for f in factors if f.op == "fn" and f.data == "log"]
        if len(logs) == 1:
            outside.append(power(logs[0].args[0], mul(*(f for f in factors if f is not logs[0]))))
        else:
            rest.append(a)
    if outside:
        return mul(*outside, exp(add(*rest)))
    return node("fn", (t,), "exp")


def fn(name: str, *args: Term) -> Term:
    """A function; exact values at numbers are folded where the closed form is shorter."""
    if name == "exp":
        return exp(args[0])
    if name == "sqrt":
        return power(args[0], num(Fraction(1, 2)))
    if name == "log" and args[0] is ONE:
        return ZERO
    if name == "log" and args[0].op == "fn" and args[0].data == "exp":
        return args[0].args[0]
    if name in ODD and coefficient(args[0])[0] < 0:
        return neg(fn(name, neg(args[0])))
    if name in EVEN and coefficient(args[0])[0] < 0:
        return fn(name, neg(args[0]))
    if name in ZERO_AT_ZERO and args[0] is ZERO:
        return ZERO
    if name in ONE_AT_ZERO and args[0] is ZERO:
        return ONE
    if name == "sigmoid" and args[0] is ZERO:
        return num(Fraction(1, 2))
    if name in _INTEGER_FUNCTIONS and all(is_num(a) for a in args):
        folded = _INTEGER_FUNCTIONS[name](*(value(a) for a in args))
        if folded is not None:
            return num(folded)
    if name == "floordiv" and args[1] is ONE:
        return args[0]
    return node("fn", args, name)


ODD = frozenset("sin tan sinh tanh asin atan asinh atanh erf sign".split())
EVEN = frozenset("cos cosh Abs".split())
ZERO_AT_ZERO = frozenset("sin tan sinh tanh asin atan asinh atanh erf sign Abs expm1 log1p relu silu gelu".split())
ONE_AT_ZERO = frozenset("cos cosh erfc".split())
_INTEGER_FUNCTIONS: Mapping[str, Callable[..., Fraction | None]] = {
    "floordiv": lambda a, b: Fraction(a // b) if b else None,
    "mod": lambda a, b: Fraction(a % b) if b else None,
    "Abs": abs,
    "sign": lambda a: Fraction((a > 0) - (a < 0)),
    "floor": lambda a: Fraction(a // 1),
    "ceiling": lambda a: Fraction(-(-a // 1)),
    "Max": lambda *a: max(a),
    "Min": lambda *a: min(a),
}


# ---- conditions -----------------------------------------------------------------------------------------------------


def compare(op: str, a: Term, b: Term) -> Term:
    """a op b, op one of < <= > >= == !=; decided where the difference is a number."""
    if op in (">", ">="):
        return compare("<" if op == ">" else "<=", b, a)
    d = sub(a, b)
    if is_num(d):
        v = value(d)
        return TRUE if {"<": v < 0, "<=": v <= 0, "==": v == 0, "!=": v != 0}[op] else FALSE
    a, b = _sides(d, a, b)
    if op in ("==", "!=") and b.digest < a.digest:
        a, b = b, a
    return node("cmp", (a, b), op)


def _sides(d: Term, a: Term, b: Term) -> tuple[Term, Term]:
    """The sides of a comparison, each summand where its sign is positive: 0 < 1 - x and x < 1 are one condition."""
    if any(x.op == "const" and x.data == "oo" for t in (a, b) for x in factors_of(t)):
        return a, b
    content = _content([coefficient(t)[0] for t in terms_of(d)])
    left, right = [], []
    for t in terms_of(d):
        c, r = coefficient(t)
        (left if c > 0 else right).append(scale(abs(c) / content, r))
    return add(*left), add(*right)


def _content(coefficients: list[Fraction]) -> Fraction:
    """The largest number of which all coefficients are integer multiples."""
    numerator, denominator = 0, 1
    for c in coefficients:
        numerator = gcd(numerator, abs(c.numerator))
        denominator = lcm(denominator, c.denominator)
    return Fraction(numerator, denominator)


def conjunction(*items: Term) -> Term:
    """All of the conditions."""
    return _logical("and", TRUE, FALSE, items)


def disjunction(*items: Term) -> Term:
    """Any of the conditions."""
    return _logical("or", FALSE, TRUE, items)


def _logical(op: str, unit: Term, absorbing: Term, items: Iterable[Term]) -> Term:
    flat: set[Term] = set()
    for item in items:
        flat.update(item.args if item.op == op else (item,))
    flat.discard(unit)
    if absorbing in flat or any(negation(a) in flat for a in flat):
        return absorbing
    if not flat:
        return unit
    ordered = sorted(flat, key=lambda t: t.digest)
    return ordered[0] if len(ordered) == 1 else node(op, tuple(ordered))


def negation(c: Term) -> Term:
    """Not c. The opposite of a < b is b <= a: data are numbers or compare as nan does in torch's branches."""
    if c.op == "lit":
        return FALSE if c is TRUE else TRUE
    if c.op == "not":
        return c.args[0]
    if c.op == "cmp":
        a, b = c.args
        opposite = {"<": ("<=", b, a), "<=": ("<", b, a), "==": ("!=", a, b), "!=": ("==", a, b)}[str(c.data)]
        return compare(*opposite)
    if c.op in ("and", "or"):
        parts = tuple(negation(a) for a in c.args)
        return disjunction(*parts) if c.op == "and" else conjunction(*parts)
    return node("not", (c,))


def iverson(c: Term) -> Term:
    """[c]: 1 where the condition holds, else 0; [a and b] is [a] [b]."""
    if c.op == "lit":
        return ONE if c is TRUE else ZERO
    if c.op == "and":
        return node("mul", tuple(node("iv", (a,)) for a in sorted(c.args, key=_bracket_order)))
    return node("iv", (c,))


def _bracket_order(c: Term) -> bytes:
    return node("iv", (c,)).digest


def where(c: Term, a: Term, b: Term) -> Term:
    """a where c holds, else b. A branch that is 0 leaves a bracket."""
    if c.op == "lit":
        return a if c is TRUE else b
    a, b = assume(a, c, True), assume(b, c, False)
    if a is b:
        return a
    if b is ZERO:
        return mul(iverson(c), a)
    if a is ZERO:
        return mul(iverson(negation(c)), b)
    return node("where", (c, a, b))


def assume(t: Term, c: Term, holds: bool) -> Term:
    """The term, simplified where condition c is known to hold (or not to hold): only its outer branches are looked at."""
    if t.op == "where" and t.args[0] in (c, negation(c)):
        return t.args[1] if (t.args[0] is c) == holds else t.args[2]
    if t.op == "iv" and t.args[0] in (c, negation(c)):
        return ONE if (t.args[0] is c) == holds else ZERO
    if t.op in ("mul", "add"):
        parts = [assume(a, c, holds) for a in t.args]
        if any(p is not a for p, a in zip(parts, t.args, strict=True)):
            return mul(*parts) if t.op == "mul" else add(*parts)
    return t


# ---- reductions and substitution ------------------------------------------------------------------------------------


ROW_MAJOR = frozenset(("argmax", "max_first", "min_first"))
"""Reductions whose value depends on the order of their indices."""


def reduce(kind: str, body: Term, variables: Iterable[Term]) -> Term:
    """A reduction over the indices, closed: its variables get canonical names. An empty list of variables is the body."""
    bound = list(dict.fromkeys(variables)) if kind in ROW_MAJOR else by_name(dict.fromkeys(variables))
    if not bound:
        return body
    if body is ZERO and kind == "sum":
        return ZERO
    return _close(kind, body, bound)


def _canonical(index: Term, level: int) -> Term:
    # the batch keeps its name: it stands for several axes, and no two of them ever meet under one binder
    return index if str(index.data) == "..." else idx(f"${level}", extent(index))


def _close(kind: str, body: Term, bound: list[Term]) -> Term:
    base = 0
    for t in _bound_levels(body):
        base = max(base, t)
    best: Term | None = None
    for order in [tuple(bound)] if kind in ROW_MAJOR else _orders(body, bound):
        names = {v: _canonical(v, base + k + 1) for k, v in enumerate(order)}
        t = node("red", (substitute(body, names), *(names[v] for v in order)), kind)
        if best is None or t.digest < best.digest:
            best = t
    assert best is not None
    return best


def _bound_levels(t: Term) -> Iterable[int]:
    """Levels of canonical names in closed reductions inside of t."""
    if not t.height:
        return
    seen: set[Term] = set()
    stack = [t]
    while stack:
        x = stack.pop()
        if x in seen or not x.height:
            continue
        seen.add(x)
        if x.op == "red":
            yield from (int(str(v.data)[1:]) for v in x.args[1:] if str(v.data)[0] == "$")
        stack.extend(x.args)


def _orders(body: Term, bound: list[Term]) -> Iterable[tuple[Term, ...]]:
    """Orders of the bound variables worth trying: by a signature that no name enters, ties permuted (up to four)."""
    if len(bound) == 1:
        return [tuple(bound)]
    marks = frozenset(bound)
    memo: dict[Term, bytes] = {}
    groups: dict[bytes, list[Term]] = {}
    for v in bound:
        groups.setdefault(extent(v).digest + _signature(body, v, marks, memo, {}), []).append(v)
    orders: list[tuple[Term, ...]] = [()]
    for key in sorted(groups):
        g = groups[key]
        choices = list(permutations(g)) if len(g) <= 4 else [tuple(g)]
        orders = [o + c for o in orders for c in choices]
    return orders


def _signature(t: Term, v: Term, marks: frozenset[Term], blank: dict[Term, bytes], memo: dict[Term, bytes]) -> bytes:
    """The structure of a term in which v is marked and the names of the other bound variables do not enter."""
    if not t.free & marks:
        return t.digest
    known = memo if v in t.free else blank
    found = known.get(t)
    if found is None:
        if t.op == "idx":
            found = b"v" if t is v else b"w" + extent(t).digest
        else:
            parts = [_signature(a, v, marks, blank, memo) for a in t.args]
            if t.op in ("add", "mul", "and", "or") or (t.op == "cmp" and t.data in ("==", "!=")):
                parts.sort()
            found = blake2b(f"{t.op}\0{t.data}".encode() + b"".join(parts), digest_size=16).digest()
        known[t] = found
    return found


class Fresh:
    """Names for opened binders: `%1`, `%2`, ... They never meet a user's name and never stay in a closed term."""

    def __init__(self, numbers: Iterator[int] | None = None) -> None:
        self.numbers = itertools.count(1) if numbers is None else numbers

    def index(self, like: Term) -> Term:
        """A new index with the extent of another; the batch index stays itself."""
        if str(like.data) == "...":
            return like
        return idx(f"%{next(self.numbers)}", extent(like))


_SUBSTITUTED = itertools.count(10_000_000)
"""Numbers for binders that a substitution opens and closes: one substitution runs inside of another, so they are shared."""


def open_reduction(t: Term, fresh: Fresh) -> tuple[Term, list[Term]]:
    """Body and variables of a reduction, the variables renamed to fresh ones."""
    names = {v: fresh.index(v) for v in t.args[1:]}
    return substitute(t.args[0], names), [names[v] for v in t.args[1:]]


def substitute(t: Term, mapping: Mapping[Term, Term]) -> Term:
    """The term with indices (or other leaves) replaced. Values must not hold canonical bound names."""
    if all(k is v for k, v in mapping.items()):
        return t
    return _Substitution(mapping).apply(t)


class _Substitution:
    def __init__(self, mapping: Mapping[Term, Term]) -> None:
        self.mapping = mapping
        self.keys = frozenset(mapping)
        self.indices_only = all(k.op == "idx" for k in mapping)
        self.memo: dict[Term, Term] = {}
        self.fresh = Fresh(_SUBSTITUTED)

    def apply(self, t: Term) -> Term:
        found = self.mapping.get(t)
        if found is not None:
            return found
        if self.indices_only and not (t.free & self.keys):
            return t
        if not t.args:
            return t
        got = self.memo.get(t)
        if got is None:
            got = self.memo[t] = self.rebuild(t)
        return got

    def rebuild(self, t: Term) -> Term:
        if t.op == "idx":
            return t
        if t.op != "red":
            return rebuild(t, tuple(self.apply(a) for a in t.args))
        body, variables = open_reduction(t, self.fresh)
        return reduce(str(t.data), self.apply(body), variables)


def rebuild(t: Term, args: tuple[Term, ...]) -> Term:
    """The operation of t on other arguments, simplified. Not for reductions."""
    if all(a is b for a, b in zip(args, t.args, strict=True)):
        return t
    op = t.op
    if op == "add":
        return add(*args)
    if op == "mul":
        return mul(*args)
    if op == "pow":
        return power(*args)
    if op == "fn":
        return fn(str(t.data), *args)
    if op == "cmp":
        return compare(str(t.data), *args)
    if op == "and":
        return conjunction(*args)
    if op == "or":
        return disjunction(*args)
    if op == "not":
        return negation(args[0])
    if op == "iv":
        return iverson(args[0])
    if op == "where":
        return where(*args)
    return node(op, args, t.data)
