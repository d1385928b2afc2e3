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


TANGENT = Rule(
    "calculus/tangent",
    (),
    r"g_i = f(a_{\varphi(i,k)}) \;\Rightarrow\; "
    r"\dot g_i = \sum_k \frac{\partial f}{\partial a}\,\dot a_{\varphi(i,k)}, \qquad H v = \dot g",
    "the Hessian times v is the derivative of the gradient along v",
    lambda t, context: None,
    Example(
        "Hv_x[i, j]",
        "v[i, j]*exp(x[i, j])",
        inputs="{x: [n, c], v: [n, c]}",
        let="{'Hv_x[i, j]': 'v[i, j]*exp(x[i, j])'}",
    ),
)
"""Fires once an input, only for `--order 2`: before is the product, after the derivative of the gradient."""

COLUMN = Rule(
    "calculus/diagonal",
    (),
    r"H_{mm} = (H v)_m \;\text{ at }\; v_p = [p = m]",
    "the diagonal of the Hessian is its product with unit vectors, each read at its own place",
    lambda t, context: None,
    Example(
        "hess_x[i, j]",
        "exp(x[i, j])",
        let="{'hess_x[i, j]': 'exp(x[i, j])'}",
    ),
)
"""Fires once an input, only for `--order 2`: before is the diagonal, after the product at unit vectors."""
