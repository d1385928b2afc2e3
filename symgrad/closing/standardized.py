"""Standardized values: an array over what a reduction of itself says of its size, as layer norms write x̂.

A formula on one line has no name for (x - m)/r. The form of its gradient that people know is in that name; these are
the names to try it in (`closing/naming` decides whether they pay).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import count

from symgrad.algebra.build import mul
from symgrad.algebra.terms import Term, base_exponent, factors_of, is_access, is_num, value, walk
from symgrad.formula.program import Statement


def standardized(
    statements: Sequence[Statement], hidden: Mapping[str, Statement], taken: Iterable[str]
) -> dict[str, Statement]:
    """Names for products a[i, k]*f(r[i])**-e in the statements, where r is a hoisted reduction that reads a."""
    names, found = set(taken), dict[Term, Statement]()
    known = {s.body for s in statements}
    for s in statements:
        for t in walk(s.body):
            if t.op == "mul" and t.tensors & hidden.keys():
                for body, array in _products(t, hidden):
                    if body not in found and body not in known:
                        name = _name(array, hidden, names)
                        found[body] = Statement(name, tuple(array.args), body, "hoisted")
    return {s.name: s for s in found.values()}


def _products(t: Term, hidden: Mapping[str, Statement]) -> list[tuple[Term, Term]]:
    """Pairs of factors of a product that make a standardized value, with the array that it is of."""
    scales = [f for f in factors_of(t) if _is_scale(f) and f.tensors & hidden.keys()]
    arrays = [f for f in factors_of(t) if is_access(f) and f.args and all(a.op == "idx" for a in f.args)]
    return [
        (mul(a, f), a)
        for f in scales
        for a in arrays
        if len(set(a.args)) == len(a.args) and f.free < frozenset(a.args) and str(a.data) in _reduced(f, hidden)
    ]


def _is_scale(t: Term) -> bool:
    e = base_exponent(t)[1]
    return is_num(e) and value(e) < 0


def _reduced(t: Term, hidden: Mapping[str, Statement]) -> frozenset[str]:
    """The tensors that the hoisted values in a term reduce."""
    read = [hidden[n].body for n in sorted(t.tensors & hidden.keys())]
    return frozenset().union(*(b.tensors if _has_reduction(b) else _reduced(b, hidden) for b in read))


def _has_reduction(t: Term) -> bool:
    return any(x.op == "red" for x in walk(t))


def _name(array: Term, hidden: Mapping[str, Statement], names: set[str]) -> str:
    """x_hat, for an array that is x but for what is subtracted."""
    tensor = str(array.data)
    while tensor in hidden:
        reads = [x for x in walk(hidden[tensor].body) if is_access(x) and set(x.args) >= set(hidden[tensor].indices)]
        if not reads:
            break
        tensor = str(min(reads, key=lambda x: (str(x.data) in hidden, str(x.data))).data)
    name = base = f"{tensor}_hat"
    numbers = count(2)
    while name in names:
        name = f"{base}{next(numbers)}"
    names.add(name)
    return name


__all__ = ["standardized"]
