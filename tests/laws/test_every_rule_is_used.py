"""Every rule fires in the derivation of some formula: one of the catalogue, or one of these."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from symgrad.closing.derivation import derive_formula
from symgrad.closing.rulebook import ALL, RULES_BY_NAME
from symgrad.formula.reader import read_file, read_text

CATALOGUE = Path(__file__).parents[2] / "formulas"
ROWS = "x: [n, c]"

SQUARE = "X: [n, n], Y: [n, n]"

USES: dict[str, tuple[str, str, str]] = {
    "matrix/adjugate": (SQUARE, "", "y: det(X)*Y[0, 0]"),
    "matrix/determinant-times-inverse": (SQUARE, "", "y: det(X)*Y[0, 0]"),
    "matrix/inverse": (SQUARE, "", "y[i, j]: Sum(inv(X)[i, k]*X[k, j], k)"),
    "matrix/inverse-of-product": (SQUARE, "P[i, j]: Sum(X[i, k]*Y[k, j], k)", "y: logdet(P)"),
    "fact/symmetric": (
        "x: [n], A: {shape: [n, n], domain: symmetric, given: true}",
        "",
        "y: Sum(x[i]*A[i, j]*x[j], i, j)",
    ),
    "matrix/of-inverse": (SQUARE, "V[i, j]: inv(X)[i, j]", "y: det(V)"),
    "matrix/determinant-of-product": (SQUARE, "P[i, j]: Sum(X[i, k]*Y[k, j], k)", "y: det(P)"),
    "stabilize/tanh": (ROWS, "", "y[i, j]: (exp(2*x[i, j]) - 1)/(exp(2*x[i, j]) + 1)"),
    "stabilize/sech": (ROWS, "", "y[i, j]: x[i, j]*(1 - tanh(x[i, j])**2)"),
    "stabilize/share": ("x: [n], z: [n]", "", "y[i]: exp(x[i])/(exp(x[i]) + exp(z[i]))"),
    "sum/centered": (ROWS, "", "y[i]: mean(x[i, j]**2, j) - mean(x[i, j], j)**2"),
    "machine/one-sided": (ROWS, "", "y[i, j]: x[i, j] + sqrt(x[i, j]**2 + 4)"),
    "machine/cosine-distance": (
        "x: [n, c], z: [n, c]",
        "",
        "y[i]: 1 - Sum(x[i, j]*z[i, j], j)/(norm(x[i, j], j)*norm(z[i, j], j))",
    ),
    "machine/difference-of-norms": (
        "x: [n, c], z: [n, c], w: [n, c]",
        "",
        "y[i]: norm(x[i, j] - z[i, j], j) - norm(x[i, j] - w[i, j], j)",
    ),
    "machine/difference-of-directions": (
        "x: [n, c], z: [n, c], w: [n, c]",
        "",
        "y[i]: norm(x[i, j] - z[i, j], j) - norm(x[i, j] - w[i, j], j)",
    ),
    "machine/exponentials-meet": ("x: [n], z: [n]", "", "y[i]: exp(-x[i])*(exp(z[i]) + z[i]**2)"),
    "machine/named-exponential": (
        "x: [n], z: [n]",
        "v[i]: x[i] - z[i]",
        "y[i]: (v[i]**2 + x[i])*exp(-z[i])",
    ),
    "machine/exponential-rest": ("x: [n]", "", "y[i]: exp(3*x[i]) - 3*x[i] - 1"),
    "machine/root-of-weight": ("x: [n, c]", "y[i, j]: softmax(x[i, j], j)", "l[i, j]: y[i, j]**(3/2)"),
    "machine/conjugate": ("x: [n]", "", "y[i]: sqrt(1 + exp(x[i])) - 1"),
    # rule: inputs, let, output
    "stabilize/softmax": (ROWS, "", "y[i, j]: exp(x[i, j])/Sum(exp(x[i, k]), k)"),
    "stabilize/sigmoid": (ROWS, "", "y[i, j]: 1/(1 + exp(-x[i, j]))"),
    "stabilize/log1p": (ROWS, "", "y[i, j]: log1p(exp(x[i, j]))"),
    "stabilize/exp-sigmoid": (ROWS, "", "y[i, j]: exp(x[i, j])*sigmoid(-x[i, j])"),
    "stabilize/named-exp": ("x: [n, c], z: [n, c]", "e[i, j]: exp(x[i, j])", "y[i, j]: e[i, j]*exp(-z[i, j])"),
    "softmax/weighted": (
        "x: [n, c], p: {shape: [c], domain: positive}",
        "",
        "y[i, j]: log(p[j]*exp(x[i, j])/Sum(p[k]*exp(x[i, k]), k))",
    ),
    "lse/shift": ("x: [n, c], v: [n]", "", "y[i]: logsumexp(x[i, j] + v[i], j)"),
    "fact/normalized": (
        "x: [n, c], v: [n]",
        "l[i]: logsumexp(x[i, k], k)",
        "y[i]: v[i]*Sum(exp(x[i, j] - l[i]), j)",
    ),
    "power/split": ("x: [n, c], p: {shape: [n], domain: positive}", "", "y[i, j]: sqrt(p[i]*(1 + x[i, j]**2))"),
    "power/quotient": (
        "x: [n], p: {shape: [n], domain: positive}, q: [n]",
        "",
        "y[i]: log(1 + (p[i]/(1 + x[i]**2))**q[i])",
    ),
    "power/logarithm": (ROWS, "", "y: logsumexp(c*x[i, j], i, j)/c - log(n)/c"),
    "exponential/growing": ("p: {shape: [n], domain: positive}", "", "y[i]: log(1 - exp(-p[i]))"),
    "stabilize/difference-of-sigmoids": (
        "x: [n], p: {shape: [n], domain: positive}",
        "",
        "y[i]: log(sigmoid(x[i] + p[i]) - sigmoid(x[i]))",
    ),
    "power/even": (ROWS, "", "y[i, j]: Abs(x[i, j])**3"),
    "sign/abs": (ROWS, "", "y[i, j]: Abs(x[i, j])*sign(x[i, j])*x[i, j]"),
    "sign/known": ("p: {shape: [n], domain: positive}", "", "y[i]: Abs(p[i])"),
    "bracket/sign": ("x: [n]", "", "y[i]: sign(x[i])*relu(Abs(x[i]) - 1)"),
    "tanh/ratio": ("x: [n], z: [n]", "", "y[i]: z[i]*sinh(x[i])/cosh(x[i])"),
    "function/define": (ROWS, "", "y[i, j]: silu(x[i, j])"),
    "function/relu": (ROWS, "", "y[i, j]: where(x[i, j] > 0, x[i, j], 0)**2"),
    "function/heaviside": ("x: [n], z: [n]", "", "y[i]: Max(x[i], z[i])"),
    "bracket/at-most": (ROWS, "", "y[i, j]: Max(x[i, j], 0) + Min(exp(x[i, j]) - 1, 0)"),
    "bracket/relu": (ROWS, "", "y[i, j]: relu(x[i, j])**2"),
    "bracket/exp": ("x: [n, n], v: [n]", "", "y[i]: Sum(exp(Piecewise((x[i, j], j <= i), (-oo, True)) - v[i]), j)"),
    "condition/factor": ("x: [n], p: {shape: [n], domain: positive}", "", "y[i]: where(p[i]*x[i] < p[i], x[i]**2, 0)"),
    "condition/monotone": (ROWS, "", "y[i, j]: Min(exp(x[i, j]), 1)"),
    "condition/value": (ROWS, "", "y[i, j]: Max(x[i, j], 0) + Min(exp(x[i, j]) - 1, 0)"),
    "condition/extreme": (ROWS, "", "y[i, j]: Max(0, Min(1, x[i, j]))"),
    "condition/equal-extreme": (ROWS, "", "y[i, j]: Max(0, Min(1, x[i, j]))"),
    "fact/zero-one-factor": (
        "x: [n], t: {shape: [n], domain: boolean, given: true}",
        "v[i]: t[i]*exp(x[i])",
        "y[i]: v[i]**2",
    ),
    "bracket/branch": (
        ROWS,
        "",
        "y[i, j]: where(x[i, j] > 0, x[i, j]**2, x[i, j])*where(x[i, j] > 0, x[i, j], 0)",
    ),
    "bracket/inside": (ROWS, "", "y[i, j]: where(x[i, j] > 0, exp(where(x[i, j] > 0, x[i, j]**2, 0)), 0)"),
    "bracket/exclude": (
        "x: [n], z: [n]",
        "",
        "y[i]: where(x[i] > z[i], x[i]**2, 0)*where(x[i] < z[i], z[i]**2, 0) + x[i]",
    ),
    "bracket/implied": (ROWS, "", "y[i, j]: where(x[i, j] > 1, x[i, j]**2, 0)*where(x[i, j] > -2, x[i, j], 0)"),
    "range/decided": (ROWS, "", "y[i, j]: where(i + 1 > 0, x[i, j]**2, 0)"),
    "bracket/same-branches": (ROWS, "", "y[i, j]: where(i == 0, x[0, j]**2, x[i, j]**2)"),
    "bracket/modulus": (ROWS, "", "y[i, j]: clip(x[i, j], -1, 1)"),
    "stabilize/softplus": (ROWS, "", "y[i, j]: Max(x[i, j], 0) + log(1 + exp(-Abs(x[i, j])))"),
    "function/odd": ("x: [n], z: [n]", "", "y[i]: log(cosh(z[i] - x[i]))"),
    "stabilize/norm": (ROWS, "", "y[i, j]: x[i, j]*sqrt(Sum(x[i, k]**2, k))"),
    "stabilize/modulus": (ROWS, "", "y[i, j]: sqrt(x[i, j]**2)"),
    "tanh/sigmoid": (ROWS, "", "y[i, j]: softplus(2*x[i, j]) - x[i, j]"),
    "fact/partial": (
        "x: [n, c]",
        "u[i, j]: x[i, j] - mean(x[i, j], i)",
        "y[j, k]: Sum(u[i, j]*u[i, k], i)*where(j == k, 1, 2)",
    ),
    "stabilize/density": (ROWS, "", "y[i, j]: exp(-x[i, j]**2/2)/sqrt(2*pi)*x[i, 0]"),
    "sign/orient": (
        "x: [n], z: [n], w: [n]",
        "p[i]: sigmoid(x[i])",
        "y[i]: (p[i] - 1)*(z[i] - w[i])**2",
    ),
    "delta/gathered": (
        'x: [n, c], t: {shape: [n], dtype: int, domain: "integer(0, c - 1)"}',
        "z[i, j]: where(j == t[i], cos(x[i, j]), x[i, j])",
        "y[i]: (logsumexp(z[i, j], j) - z[i, t[i]])**2",
    ),
    "sign/even": (ROWS, "", "y[i]: Sum(exp(-(x[i, 0] - x[l, 0])**2), l)"),
    "log/join": ("p: {shape: [n], domain: positive}", "", "y[i]: p[i]*log(p[i]/(1 + p[i]))"),
    "log/ratio": (
        "x: [n], v: [n], p: {shape: [n], domain: positive}, q: {shape: [n], domain: positive}",
        "",
        "y[i]: x[i]*(log(p[i]/q[i]) + Sum(v[l]*log(q[l]/p[l]), l))",
    ),
    "normal/density": (ROWS, "", "y[i, j]: gelu(x[i, j])"),
    "function/other-step": ("x: [n], z: [n]", "", "y[i]: Max(x[i], z[i]) - x[i]"),
    "bracket/absorb": ("x: [n, n]", "", "y[i, j]: softmax(Piecewise((x[i, j], j <= i), (-oo, True)), j)"),
    "power/kink": ("x: [n], p: [n]", "", "y[i]: x[i]**p[i]"),
    "norm/of-nothing": (
        ROWS,
        "l[i, k]: norm(x[i, j] - x[k, j], j)",
        "y[i, j]: where(l[i, i] != 0, x[i, j]**2, 0) + x[i, j]",
    ),
    "norm/guard": (ROWS, "", "y[i]: norm(x[i, j], j)**3"),
    "delta/solve-affine": ("x: [n + 3], k: [4]", "", "y[m]: Sum(k[q]*x[m + q], q)"),
    "digit/known": ("x: [n]", "v[m]: x[m//2]", "y[m]: v[m//3]"),
    "digit/rejoin": ("x: [2*n]", "", "y[m]: x[2*(m//2) + m % 2]"),
    "digit/remainder": ("x: [2*n]", "", "y[m]: where(m % 2 == 0, x[2*(m//2)], 0)"),
    "digit/sum-high": ("x: [n], v: [2*n]", "", "y[m]: x[m]*Sum(v[j]*x[j % n], j)"),
    "digit/unify": ("x: [n, n]", "", "y[m]: exp(x[0, m//2])"),
    "series/at-zero": ("x: [n]", "", "y[i]: exp(x[i]) - cos(x[i])"),
    "near/difference-of-values": ("a: [n], b: [n]", "", "y[i]: exp(a[i]) - exp(b[i])"),
    "fact/zero-one": ("x: [n], t: {shape: [n], domain: boolean, given: true}", "", "y[i]: t[i]**2*x[i]"),
}


def formula(inputs: str, let: str, output: str) -> str:
    """The YAML of a use."""
    named = ["let:", _entry(let)] if let else []
    return "\n".join(["name: use", f"inputs: {{{inputs}}}", "ranges: {m: n}", *named, "output:", _entry(output), ""])


def _entry(text: str) -> str:
    left, right = text.split(": ", 1)
    return f'  "{left}": "{right}"'


@cache
def used_by_the_catalogue() -> frozenset[str]:
    return frozenset(
        s.rule.name for path in sorted(CATALOGUE.rglob("*.yaml")) for s in derive_formula(read_file(str(path))).steps
    )


@pytest.mark.parametrize("name", USES)
def test_a_rule_fires_in_a_formula_made_for_it(name: str) -> None:
    steps = derive_formula(read_text(formula(*USES[name]), name)).steps
    assert name in {s.rule.name for s in steps}


def test_every_rule_is_used() -> None:
    second = {s.rule.name for s in derive_formula(read_file(str(CATALOGUE / "losses" / "mse.yaml")), order=2).steps}
    assert {r.name for r in ALL} - used_by_the_catalogue() - set(USES) - second == set()


def test_every_step_bears_a_rule_of_the_book() -> None:
    assert used_by_the_catalogue() <= set(RULES_BY_NAME)
