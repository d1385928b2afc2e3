"""The chain rule as a record, so that the report can show it."""

from __future__ import annotations

from symgrad.rewrite.rule import Example, Rule

CHAIN = Rule(
    "calculus/chain",
    (),
    r"o_i = f(a_{\varphi(i,k)}) \;\Rightarrow\; "
    r"\bar a_m = \sum_{i,k} \bar o_i\,\frac{\partial f}{\partial a}\,[m = \varphi(i,k)]",
    "the cotangent of every place that reads a value flows back to it",
    lambda t, context: None,
    Example(
        "du[i, j]",
        "Sum(where(And(l == i, k == j), dy[l, k]*exp(u[l, k]), 0), k, l)",
        let="{'u[i, j]': 'x[i, j]*z[i, j]', 'y[i, j]': 'exp(u[i, j])'}",
    ),
)
"""Fires once a name and once an input: before is the adjoint, after the sum of what its readers give."""
