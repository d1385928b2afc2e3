"""What is printed means what the term means: random terms, printed as Unicode, read as arithmetic and evaluated."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Callable
from fractions import Fraction

import pytest

from symgrad.algebra.build import add, div, mul, neg, power
from symgrad.algebra.terms import HALF, Term, get, node, num, value
from symgrad.report.unicode_terms import unicode_math

VALUES = {"a": 1.3, "b": 2.7, "c": 0.6, "d": 3.1}
HIGH = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ᵃᵇᶜᵈ", "0123456789+−abcd")
HIGH_SIGNS = frozenset("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ᵃᵇᶜᵈ")


def _leaf(rng: random.Random) -> Term:
    if rng.random() < 0.7:
        return get(rng.choice("abcd"))
    return num(Fraction(rng.randint(-5, 9), rng.choice((1, 1, 2, 3))))


def _above_one(t: Term) -> Term:
    return add(power(t, num(2)), num(2))


KINDS: dict[str, Callable[[random.Random, list[Term]], Term]] = {
    "add": lambda rng, inner: add(*inner),
    "mul": lambda rng, inner: mul(*inner),
    "div": lambda rng, inner: div(inner[0], _above_one(inner[1])),
    "neg": lambda rng, inner: neg(inner[0]),
    "power": lambda rng, inner: power(add(inner[0], get("a")), num(rng.choice((2, 3, -2)))),
    "root": lambda rng, inner: power(_above_one(inner[0]), rng.choice((HALF, neg(HALF), num(Fraction(3, 2))))),
    "symbolic": lambda rng, inner: power(_above_one(inner[0]), get(rng.choice("abcd"))),
    "log": lambda rng, inner: node("fn", (_above_one(inner[0]),), "log"),
    "exp": lambda rng, inner: node("fn", (node("fn", (inner[0],), "tanh"),), "exp"),
    "function": lambda rng, inner: node("fn", (inner[0],), rng.choice(("tanh", "atan", "asinh", "Abs", "sech2"))),
    "maximum": lambda rng, inner: node("fn", (inner[0], inner[1]), "Max"),
}


def _random_term(rng: random.Random, depth: int) -> Term:
    if depth == 0 or rng.random() < 0.15:
        return _leaf(rng)
    inner = [_random_term(rng, depth - 1) for _ in range(rng.randint(2, 3))]
    return KINDS[rng.choice(list(KINDS))](rng, inner)


def _evaluate(t: Term) -> float:
    args = [_evaluate(a) for a in t.args]
    if t.op == "num":
        return float(value(t))
    if t.op == "get":
        return VALUES[str(t.data)]
    if t.op == "add":
        return sum(args)
    if t.op == "mul":
        return math.prod(args)
    if t.op == "pow":
        return args[0] ** args[1]
    functions = {
        "tanh": math.tanh, "atan": math.atan, "asinh": math.asinh, "log": math.log, "Abs": abs, "exp": math.exp,
        "sech2": lambda x: 1 - math.tanh(x) ** 2, "Max": max,
    }  # fmt: skip
    return functions[str(t.data)](*args)


FUNCTIONS: dict[str, Callable[..., float]] = {
    "log": math.log, "tanh": math.tanh, "arctan": math.atan, "arsinh": math.asinh,
    "exp": math.exp, "max": max, "abs": abs,
}  # fmt: skip
TOKEN = re.compile(r"\s*(\d+(?:\.\d+)?|[a-z]+|[⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ᵃᵇᶜᵈ]+|.)")


class _Reader:
    """Reads a line of mathematics as people do: powers, then products and quotients from the left, then sums."""

    def __init__(self, text: str) -> None:
        self.tokens = TOKEN.findall(text)

    def look(self) -> str:
        return self.tokens[0] if self.tokens else ""

    def take(self, *wanted: str) -> str:
        assert not wanted or self.look() in wanted, (wanted, self.tokens)
        return self.tokens.pop(0)

    def sum(self) -> float:
        total = -self.product() if self.look() == "−" and self.take() else self.product()
        while self.look() in ("+", "−"):
            total += self.product() if self.take() == "+" else -self.product()
        return total

    def product(self) -> float:
        total = self.factor()
        while self.look() and self.look() not in "+−),|":
            operation = self.take() if self.look() in "·/" else "·"
            total = total / self.factor() if operation == "/" else total * self.factor()
        return total

    def factor(self) -> float:
        function = FUNCTIONS.get(self.look())
        if function is None:
            return self.powers(self.atom())
        self.take()
        power = self.high() if self.look() and self.look()[0] in HIGH_SIGNS else 1.0
        if self.look() == "(":
            # f(x)^2 is the power of the value
            self.take("(")
            arguments = [self.sum()]
            while self.look() == ",":
                self.take()
                arguments.append(self.sum())
            self.take(")")
            return self.powers(function(*arguments) ** power)
        return float(function(self.factor()) ** power)

    def powers(self, base: float) -> float:
        if self.look() and self.look()[0] in HIGH_SIGNS:
            return float(base ** self.high())
        if self.look() == "^":
            self.take()
            return float(base ** self.atom())
        return base

    def high(self) -> float:
        return _Reader(self.take().translate(HIGH)).sum()

    def atom(self) -> float:
        token = self.take()
        if token in "(|":
            inside = self.sum()
            self.take(")" if token == "(" else "|")
            return inside if token == "(" else abs(inside)
        if token == "√":
            return math.sqrt(self.atom())
        return {**VALUES, "e": math.e}[token] if token.isalpha() else float(token)


def _read(text: str) -> float:
    reader = _Reader(text)
    got = reader.sum()
    assert not reader.tokens
    return got


def test_printed_terms_mean_what_they_are() -> None:
    rng = random.Random(5)
    looked = 0
    while looked < 200:
        t = _random_term(rng, 3)
        text = unicode_math(t)
        try:
            wanted = _evaluate(t)
        except (ZeroDivisionError, OverflowError, ValueError):
            continue
        if isinstance(wanted, complex) or abs(wanted) > 1e12:
            continue
        looked += 1
        assert _read(text) == pytest.approx(wanted, rel=1e-9, abs=1e-9), (text, t)


def test_planted_wrong_parentheses_are_caught() -> None:
    assert _read("a·b + c") != pytest.approx(_evaluate(mul(get("a"), add(get("b"), get("c")))))
    assert _read("a/b·c") != pytest.approx(_evaluate(div(get("a"), mul(get("b"), get("c")))))
