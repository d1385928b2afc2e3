"""The cost of a form for people: about the characters of its text, blanks left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from weakref import WeakKeyDictionary

from symgrad.algebra.decimals import decimal, written_out
from symgrad.algebra.show import (
    INTERNAL,
    REDUCTIONS,
    softmax_apart,
    softmax_parts,
    softmax_power,
    spread_out,
)
from symgrad.algebra.terms import (
    BATCH,
    ONE,
    ZERO,
    Term,
    coefficient,
    factors_of,
    lead_of,
    matrix_of,
    node,
    num,
    terms_of,
    value,
)

TORN = 24
"""What an exponential of a log-sum-exp that is no softmax costs: nobody prints half a softmax."""

_weights: WeakKeyDictionary[Term, int] = WeakKeyDictionary()


def weight(t: Term) -> int:
    """About the length of show(t) without blanks."""
    found = _weights.get(t)
    if found is None:
        found = _weights[t] = _weight(t)
    return found


def _weight(t: Term) -> int:
    own = _BY_OPERATION.get(t.op)
    return own(t) if own is not None else 2 + len(str(t.data)) + sum(map(weight, t.args))


def _number(t: Term) -> int:
    v = value(t)
    return len(decimal(v) or f"{v.numerator}/{v.denominator}")


def _name(t: Term) -> int:
    return 10 if t.data == BATCH else len(str(t.data))


def _index(t: Term) -> int:
    return len(str(t.data)) if str(t.data)[0] not in "$%" else 1


def _access(t: Term) -> int:
    return len(str(t.data)) + (1 + len(t.args) + sum(map(weight, t.args)) if t.args else 0)


def _matrix_function(t: Term) -> int:
    function, tensor = matrix_of(t)
    subscripts = t.args[:-1]
    printed_twice = 12 + len(tensor) + sum(1 + weight(s) for s in lead_of(t)) if function == "adj" else 0
    name = {"adj": 0, "logabsdet": 13}.get(function, len(function))
    return (
        printed_twice
        + name
        + 2
        + len(tensor)
        + (1 + len(subscripts) + sum(map(weight, subscripts)) if subscripts else 0)
    )


def _sum(t: Term) -> int:
    return sum(weight(a) for a in t.args) + len(t.args) - 1 - sum(coefficient(a)[0] < 0 for a in t.args)


def _reduction(t: Term) -> int:
    return len(REDUCTIONS[str(t.data)]) + 2 + weight(t.args[0]) + sum(1 + weight(v) for v in t.args[1:])


def _wrapped(t: Term) -> int:
    return weight(t) + (2 if t.op == "add" else 0)


def _product(t: Term) -> int:
    softmax, t = softmax_apart(t)
    c, rest = coefficient(t)
    factors = factors_of(rest) if softmax is None else (softmax, *(f for f in factors_of(rest) if f is not ONE))
    total = len(factors) - 1 + (c < 0)
    below = 0
    masks = 0
    for f in factors:
        if f.op == "pow" and coefficient(f.args[1])[0] < 0:
            below += 1
            total += _wrapped(f.args[0]) + (0 if f.args[1].data == -1 else 2 + weight(f.args[1]) - 1)
        elif f.op == "iv":
            masks += 1
            total += weight(f.args[0]) + (9 if masks == 1 else 4)
        else:
            total += _wrapped(f)
    if any(map(_divides_by_data, factors)):
        total += sum(weight(d) + 5 for f in factors if (d := inner_fraction(f)) is not None)
    if masks and all(f.op == "iv" or _is_constant(f) for f in factors):
        total += 2  # where(c, 1, 0)
    if (text := written_out(abs(c))) is not None:
        return total + len(text) + 1 + (2 if below > 1 else 0)
    if abs(c.numerator) != 1:
        total += len(str(abs(c.numerator))) + 1
    elif below == len(factors):
        total += 2
    if c.denominator != 1:
        total += len(str(c.denominator)) + 1
        below += 1
    return total + (2 if below > 1 else 0)


def inner_fraction(t: Term) -> Term | None:
    """p in 1 - t/p, which is (p - t)/p: where it is divided again, people write one fraction."""
    if t.op != "add" or len(t.args) != 2 or not any(a.op == "num" for a in t.args):
        return None
    ratio = next((coefficient(a)[1] for a in t.args if a.op != "num"), t)
    below = [f.args[0] for f in factors_of(ratio) if _divides_by_data(f)]
    above = [f for f in factors_of(ratio) if not _divides_by_data(f)]
    plain = len(below) == len(above) == 1 and below[0].op == above[0].op == "get"
    return below[0] if plain else None


def _divides_by_data(f: Term) -> bool:
    return f.op == "pow" and f.args[1].data == -1 and bool(f.tensors)


def _is_constant(t: Term) -> bool:
    """What is printed outside of a branch: numbers and dimensions."""
    return t.op in ("num", "dim") or (t.op == "pow" and t.args[0].op in ("num", "dim"))


def _power(t: Term) -> int:
    b, e = t.args
    c, symbol = coefficient(e)
    if symbol is ONE and c in (-1,):
        return 2 + _wrapped(b)
    if symbol is ONE and abs(c) * 2 == 1:
        return 6 + weight(b) + (2 if c < 0 else 0)
    extra = 0 if b.op in ("get", "mat", "par", "fn", "dim", "num", "red") else 2
    return (
        weight(b)
        + extra
        + 2
        + weight(e)
        + (2 if e.op in ("add", "mul") or (symbol is ONE and c.denominator != 1) else 0)
    )


def _function(t: Term) -> int:
    name = str(t.data)
    if name in INTERNAL:
        return weight(INTERNAL[name](*t.args))
    if name == "exp" and (found := softmax_parts(t.args[0])) is not None:
        return 11 + weight(found[0]) if found[2] is ZERO else _product(t)
    if name == "exp" and (raised := softmax_power(t.args[0])) is not None:
        return _power(node("pow", (raised[0], num(raised[1]))))
    torn = TORN if name == "exp" and any(a.op == "red" and a.data == "lse" for a in _signless(t.args[0])) else 0
    return torn + len(name) + 1 + len(t.args) + sum(map(weight, t.args))


def _signless(t: Term) -> list[Term]:
    return [coefficient(a)[1] for a in terms_of(spread_out(t))]


_BY_OPERATION: Mapping[str, Callable[[Term], int]] = {
    "num": _number,
    "const": _name,
    "dim": _name,
    "par": _name,
    "idx": _index,
    "get": _access,
    "get0": _access,
    "mat": _matrix_function,
    "add": _sum,
    "mul": _product,
    "pow": _power,
    "fn": _function,
    "iv": lambda t: 11 + weight(t.args[0]),
    "where": lambda t: 9 + sum(map(weight, t.args)),
    "red": _reduction,
}
