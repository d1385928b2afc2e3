"""What is read is what was written: terms compared with terms built by hand."""

from __future__ import annotations

from fractions import Fraction

import pytest

from symgrad.algebra.build import (
    add,
    compare,
    conjunction,
    disjunction,
    div,
    exp,
    fn,
    iverson,
    mul,
    neg,
    negation,
    power,
    reduce,
    sub,
    where,
)
from symgrad.algebra.terms import (
    HALF,
    INFINITY,
    MINUS_ONE,
    ONE,
    PI,
    TWO,
    ZERO,
    E,
    Term,
    dim,
    get,
    get0,
    idx,
    node,
    num,
    par,
)
from symgrad.formula.program import Formula, Statement
from symgrad.formula.reader import read_text

n, c = dim("n"), dim("c")
i, j, k = idx("i", n), idx("j", c), idx("k", c)
dots = idx("...", dim("..."))
zij = get("z", (i, j))


def formula(text: str) -> Formula:
    return read_text("name: f\n" + text, "f.yaml")


def loss(expression: str, more: str = "") -> Statement:
    head = (
        "inputs: {z: [n, c], w: [n, c], x: [n], a: [], m: {shape: [n], dtype: bool}, "
        "t: {shape: [n], dtype: int, domain: 'integer(0, c - 1)'}}\n"
    )
    return formula(
        head + "parameters: {g: 2.5, s: {value: 2, dtype: int}}\n" + more + f"loss: |\n  {expression}\n"
    ).program.loss


def body(expression: str, more: str = "") -> Term:
    return loss(expression, more).body


def test_a_whole_loss_becomes_a_program() -> None:
    f = formula(
        "summary: One line.\nreference: [A, B]\ninputs:\n  z: [n, c]\n"
        "  t: {shape: [n, c], domain: simplex, given: true}\n"
        "let:\n  y[i, j]: softmax(z[i, j], j)\nloss: -Sum(t[i, j] * log(y[i, j]), j)\n"
    )
    y, total = f.program.statements
    assert (y.name, y.indices, y.kind) == ("y", (i, j), "let")
    assert y.body is exp(sub(zij, reduce("lse", zij, [j])))
    assert (total.name, total.indices, total.kind) == ("loss", (i,), "loss")
    assert total.body is neg(reduce("sum", mul(get("t", (i, j)), fn("log", get("y", (i, j)))), [j]))
    assert f.program.wrt == ("z",)
    assert f.summary == "One line."
    assert f.references == ("A", "B")
    assert f.written == {"y": "softmax(z[i, j], j)", "loss": "-Sum(t[i, j] * log(y[i, j]), j)"}
    assert total.place is not None
    assert (total.place.line, total.place.column) == (9, 7)


def test_a_layer_has_batch_axes_before_the_others() -> None:
    f = formula("inputs: {x: [..., d], W: [m, d], b: [m]}\noutput:\n  y[..., o]: Sum(x[..., k] * W[o, k], k) + b[o]\n")
    (y,) = f.program.statements
    o, k_d = idx("o", dim("m")), idx("k", dim("d"))
    assert y.indices == (dots, o)
    assert y.body is add(reduce("sum", mul(get("x", (dots, k_d)), get("W", (o, k_d))), [k_d]), get("b", (o,)))
    assert f.program.input("x").batch
    assert f.program.input("x").shape == (dim("d"),)


EXPRESSIONS = {
    "z[i, j] - 2*z[i, j]": neg(zij),
    "z[i, j]/n": div(zij, n),
    "1e-5*z[i, j]": mul(num(Fraction(1, 100000)), zij),
    "0.1*z[i, j]": mul(num(Fraction(1, 10)), zij),
    "2**-1*z[i, j]": mul(HALF, zij),
    "sqrt(z[i, j])": power(zij, HALF),
    "z[i, j]**g": power(zij, par("g")),
    "-z[i, j]**2": neg(power(zij, TWO)),
    "a*z[i, j]": mul(get("a"), zij),
    "pi*E**z[i, j]": mul(PI, power(E, zij)),
    "(i + 1)*z[i, j]": mul(add(i, ONE), zij),
    "Heaviside(z[i, j])": fn("Heaviside", zij, HALF),
    "Heaviside(z[i, j], 1)": fn("Heaviside", zij, ONE),
    "Max(z[i, j], 0, w[i, j])": fn("Max", zij, ZERO, get("w", (i, j))),
    "clip(z[i, j], -g, g)": fn("clip", zij, neg(par("g")), par("g")),
    "polygamma(1, z[i, j])": fn("polygamma", ONE, zij),
    "polygamma(0, z[i, j])": fn("digamma", zij),
    "where(z[i, j] > 0, z[i, j], 0)": mul(iverson(compare(">", zij, ZERO)), zij),
    "where(0 < z[i, j] <= 1, 1, 2)": where(conjunction(compare("<", ZERO, zij), compare("<=", zij, ONE)), ONE, TWO),
    "where(m[i] & ~(z[i, j] > 0), z[i, j], 1)": where(
        conjunction(node("fn", (get("m", (i,)),), "truth"), negation(compare(">", zij, ZERO))), zij, ONE
    ),
    "where(Or(i == j, Not(m[i])), z[i, j], 1)": where(
        disjunction(compare("==", i, j), negation(node("fn", (get("m", (i,)),), "truth"))), zij, ONE
    ),
    "where(j == t[i], z[i, j], 0)": mul(iverson(compare("==", j, get("t", (i,)))), zij),
    "where(j <= i, z[i, j], -oo)": where(compare("<=", j, i), zij, neg(INFINITY)),
    "Piecewise((z[i, j], z[i, j] > 1), (2, z[i, j] < -1), (3, True))": where(
        compare(">", zij, ONE), zij, where(compare("<", zij, MINUS_ONE), TWO, num(3))
    ),
    "Piecewise((z[i, j], z[i, j] > 0), (2, z[i, j] <= 0))": where(compare(">", zij, ZERO), zij, TWO),
    "Piecewise((1, z[i, j] > 0), (2, z[i, j] < 0), (3, Eq(z[i, j], 0)))": where(
        compare(">", zij, ZERO), ONE, where(compare("<", zij, ZERO), TWO, num(3))
    ),
    "z[i, t[i]] + 0*z[i, j]": get("z", (i, get("t", (i,)))),
    "z[i, j]*z[0, c - 1]": mul(zij, get("z", (ZERO, add(c, MINUS_ONE)))),
}


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_an_expression_becomes_its_term(expression: str) -> None:
    assert body(expression) is EXPRESSIONS[expression]


REDUCTIONS = {
    "Sum(z[i, j], j)": reduce("sum", zij, [j]),
    "Sum(z[i, j], i, j)": reduce("sum", zij, [i, j]),
    "Sum(z[i, j], (j, 0, c - 1))": reduce("sum", zij, [j]),
    "Sum(z[i, j], (j, 1, c - 1))": reduce(
        "sum", get("z", (i, add(idx("j", add(c, MINUS_ONE)), ONE))), [idx("j", add(c, MINUS_ONE))]
    ),
    "Product(z[i, j], j)": reduce("prod", zij, [j]),
    "mean(z[i, j], j)": div(reduce("sum", zij, [j]), c),
    "mean(z[i, j], i, j)": div(reduce("sum", zij, [i, j]), mul(n, c)),
    "var(z[i, j], j)": div(reduce("sum", power(sub(zij, div(reduce("sum", zij, [j]), c)), TWO), [j]), c),
    "amax(z[i, j], j)": reduce("max", zij, [j]),
    "amin(z[i, j], j, ties=first)": reduce("min_first", zij, [j]),
    "amax(z[i, j], i, j, ties=first)": reduce("max_first", reduce("max_first", zij, [j]), [i]),
    "argmax(z[i, j], j)": reduce("argmax", zij, [j]),
    "logsumexp(z[i, j], j)": reduce("lse", zij, [j]),
    "norm(z[i, j], j)": reduce("norm", zij, [j]),
    "softmax(z[i, j], j)": exp(sub(zij, reduce("lse", zij, [j]))),
    "log_softmax(z[i, j], j)": sub(zij, reduce("lse", zij, [j])),
    "Sum(1, (j, 0, c - 1))*x[i]": mul(c, get("x", (i,))),
    "Sum(z[i, j]*Sum(z[i, j], j), j)": reduce("sum", mul(zij, reduce("sum", get("z", (i, k)), [k])), [j]),
    "Sum(x[i], i)/Sum(1, i)": div(reduce("sum", get("x", (i,)), [i]), n),
}


@pytest.mark.parametrize("expression", REDUCTIONS)
def test_a_reduction_becomes_its_term(expression: str) -> None:
    assert body(expression) is REDUCTIONS[expression]


def test_free_indices_of_a_loss_are_in_order_of_first_appearance() -> None:
    assert loss("Sum(z[k, i], i)*x[j] + z[i, 0]").indices == (idx("k", n), idx("j", n), i)


def test_a_name_bound_by_two_sums_is_two_indices() -> None:
    f = formula("inputs: {z: [n, c], w: [k]}\nloss: Sum(z[i, j], j) + Sum(w[j], j)\n").program.loss
    assert f.indices == (i,)
    assert f.body is add(reduce("sum", zij, [j]), reduce("sum", get("w", (idx("j", dim("k")),)), [idx("j", dim("k"))]))


def test_an_index_may_bear_the_name_of_a_dimension() -> None:
    f = formula("inputs: {z: [n, c]}\nloss: Sum(z[i, c], c)\n").program.loss
    assert f.body is reduce("sum", zij, [j])


def test_letters_that_sympy_uses_are_the_users() -> None:
    f = formula(
        "inputs: {Q: [S, N], I: [N]}\nparameters: {beta: 1, gamma: 2}\nloss: Sum(beta*gamma*Q[O, C]*I[C], C)\n"
    ).program.loss
    assert f.indices == (idx("O", dim("S")),)


def test_the_statement_of_a_loss_gives_way_to_an_input_named_loss() -> None:
    program = formula("inputs: {loss: [n]}\nloss: Sum(loss[i], i)\n").program
    assert program.loss.name == "loss_value"


def test_names_are_folded_as_python_folds_them() -> None:
    assert formula("inputs: {ﬁ: [n]}\nloss: Sum(fi[i], i)\n").program.inputs[0].name == "fi"


def test_parameters_are_exact() -> None:
    (p, q) = formula(
        "inputs: {x: [n]}\nparameters: {eps: 1e-5, third: 1/3}\nloss: Sum(eps*third*x[i], i)\n"
    ).program.parameters
    assert (p.value, q.value) == (Fraction(1, 100000), Fraction(1, 3))


def test_gradient_names_the_inputs_in_the_order_of_the_file() -> None:
    f = formula("inputs: {x: [n], y: [n], z: [n]}\ngradient: [z, x]\nloss: Sum(x[i]*y[i]*z[i], i)\n")
    assert f.program.wrt == ("x", "z")


def test_index_names_are_kept_with_their_extents() -> None:
    f = formula("inputs: {z: [n, c]}\nlet:\n  y[a, b]: z[a, b]\nloss: Sum(y[i, j]*Sum(z[i, q], q), j)\n")
    assert f.index_names == (("a", n), ("b", c), ("i", n), ("j", c), ("q", c))


def test_a_block_of_text_is_one_expression() -> None:
    assert loss("Sum(z[i, j]\n    **2,\n  j)").body is reduce("sum", power(zij, TWO), [j])


def test_reads_of_a_padded_input_give_zero_only_where_they_can_fall_outside() -> None:
    f = formula("inputs: {x: {shape: [n], outside: 0}}\noutput:\n  y[i]: x[i] - x[i - 1]\n").program.statements[0]
    assert f.body is sub(get("x", (i,)), get0("x", (add(i, MINUS_ONE),)))


def test_expected_forms_read_outside_as_zero_and_know_cotangents() -> None:
    f = formula(
        "inputs: {x: {shape: [n], outside: 0}}\noutput:\n  y[i]: x[i] - x[i - 1]\nexpect:\n  x[i]: dy[i] - dy[i + 1]\n"
    )
    (e,) = f.expected
    assert e.indices == (i,)
    assert e.body is sub(get("dy", (i,)), get0("dy", (add(i, ONE),)))
    assert e.text == "dy[i] - dy[i + 1]"
