"""One formula, however it is written: the same closed form. And what comes of facts that are there, or are not."""

from __future__ import annotations

from typing import Any

import pytest

from symgrad.algebra.show import show
from symgrad.closing.derivation import Derivation, derive_formula
from symgrad.formula.reader import read_mapping

SIMPLEX = {"shape": ["n", "c"], "domain": "simplex", "given": True}
GIVEN = {"shape": ["n", "c"], "given": True}


def derived(**mapping: Any) -> Derivation:
    return derive_formula(read_mapping({"name": "written", **mapping}))


def closed(d: Derivation, name: str) -> str:
    return show(d.gradient(name).closed)


# ---- softmax cross-entropy ------------------------------------------------------------------------------------------

WRITINGS: dict[str, dict[str, Any]] = {
    "softmax": {"let": {"y[i, j]": "softmax(z[i, j], j)"}, "loss": "-Sum(t[i, j]*log(y[i, j]), j)"},
    "a ratio of exponentials": {
        "let": {"y[i, j]": "exp(z[i, j])/Sum(exp(z[i, k]), k)"},
        "loss": "-Sum(t[i, j]*log(y[i, j]), j)",
    },
    "the logarithm of the sum": {
        "let": {"y[i, j]": "softmax(z[i, j], j)"},
        "loss": "log(Sum(exp(z[i, j]), j)) - Sum(z[i, j]*t[i, j], j)",
    },
    "log_softmax": {
        "let": {"y[i, j]": "softmax(z[i, j], j)"},
        "loss": "-Sum(t[i, j]*log_softmax(z[i, j], j), j)",
    },
    "step by step": {
        "let": {
            "e[i, j]": "exp(z[i, j])",
            "total[i]": "Sum(e[i, j], j)",
            "y[i, j]": "e[i, j]/total[i]",
            "l[i, j]": "log(y[i, j])",
        },
        "loss": "Sum(-l[i, j]*t[i, j], j)",
    },
    "shifted by the largest": {
        "let": {
            "m[i]": "amax(z[i, j], j)",
            "y[i, j]": "exp(z[i, j] - m[i])/Sum(exp(z[i, k] - m[i]), k)",
        },
        "loss": "-Sum(t[i, j]*log(y[i, j]), j)",
    },
}


@pytest.mark.parametrize("writing", WRITINGS)
def test_softmax_cross_entropy_has_one_gradient(writing: str) -> None:
    d = derived(inputs={"z": ["n", "c"], "t": SIMPLEX}, **WRITINGS[writing])
    assert closed(d, "z") == "(y[i, j] - t[i, j])/n"
    assert not d.hints


def test_softmax_cross_entropy_as_a_one_liner() -> None:
    d = derived(inputs={"z": ["n", "c"], "t": SIMPLEX}, loss="-Sum(t[i, j]*log(exp(z[i, j])/Sum(exp(z[i, k]), k)), j)")
    assert closed(d, "z") == "(softmax(z[i, j], j) - t[i, j])/n"


def test_softmax_ce_reduces_to_y_minus_t_only_when_targets_sum_to_one() -> None:
    d = derived(inputs={"z": ["n", "c"], "t": GIVEN}, **WRITINGS["softmax"])
    assert closed(d, "z") == "(y[i, j]*Sum(t[i, k], k) - t[i, j])/n"
    assert d.hints == (
        "gradient of z: would reduce to `(y[i, j] - t[i, j])/n` if `Sum(t[i, j], j) == 1` were declared",
    )
    assert not d.assumed


def test_the_fact_may_be_assumed_in_words() -> None:
    d = derived(inputs={"z": ["n", "c"], "t": GIVEN}, assume=["Sum(t[i, j], j) == 1"], **WRITINGS["softmax"])
    assert closed(d, "z") == "(y[i, j] - t[i, j])/n"
    assert [f.text for f in d.assumed] == ["Sum(t[i, j], j) == 1"]


def test_a_fact_about_a_differentiated_input_is_not_used() -> None:
    """Pitfall 14: its gradient is taken off the simplex too."""
    d = derived(inputs={"p": {"shape": ["n", "c"], "domain": "simplex"}}, loss="Sum(p[i, j], j)**2")
    assert closed(d, "p") == "2*Sum(p[i, j], j)/n"
    assert not d.assumed


@pytest.mark.parametrize(
    ("let", "loss"),
    [
        ({"p[i]": "sigmoid(x[i])"}, "-t[i]*log(p[i]) - (1 - t[i])*log(1 - p[i])"),
        ({"p[i]": "1/(1 + exp(-x[i]))"}, "-(t[i]*log(p[i]) + (1 - t[i])*log(1 - p[i]))"),
        ({"p[i]": "sigmoid(x[i])"}, "softplus(x[i]) - t[i]*x[i]"),
        ({"p[i]": "sigmoid(x[i])"}, "log(1 + exp(x[i])) - t[i]*x[i]"),
        ({"p[i]": "sigmoid(x[i])"}, "log1p(exp(-x[i])) + x[i]*(1 - t[i])"),
        ({"p[i]": "exp(x[i])/(1 + exp(x[i]))"}, "-t[i]*log(p[i]) - (1 - t[i])*log(1 - p[i])"),
    ],
)
def test_binary_cross_entropy_has_one_gradient(let: dict[str, str], loss: str) -> None:
    d = derived(inputs={"x": ["n"], "t": {"shape": ["n"], "given": True}}, let=let, loss=loss)
    assert closed(d, "x") == "(p[i] - t[i])/n"


@pytest.mark.parametrize(
    "loss",
    [
        "(x[i] - t[i])**2",
        "(t[i] - x[i])**2",
        "(x[i] - t[i])*(x[i] - t[i])",
        "Abs(x[i] - t[i])**2",
        "x[i]**2 - 2*x[i]*t[i] + t[i]**2",
        "-(t[i] - x[i])*(x[i] - t[i])",
    ],
)
def test_a_squared_error_has_one_gradient(loss: str) -> None:
    d = derived(inputs={"x": ["n"], "t": {"shape": ["n"], "given": True}}, loss=loss)
    assert closed(d, "x") == "2*(x[i] - t[i])/n"


# ---- shuffled and renamed -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("i", "j", "k"), [("i", "j", "k"), ("a", "b", "e"), ("k", "i", "j"), ("q", "p", "r"), ("j", "i", "k")]
)
def test_names_of_indices_do_not_change_the_closed_form(i: str, j: str, k: str) -> None:
    d = derived(
        inputs={"x": ["n", "d"], "g": ["d"]},
        parameters={"eps": {"value": 1e-5, "domain": "positive"}},
        let={
            f"m[{i}]": f"Sum(x[{i}, {k}], {k})/d",
            f"s[{i}]": f"1/sqrt(Sum((x[{i}, {j}] - m[{i}])**2, {j})/d + eps)",
            f"u[{i}, {j}]": f"(x[{i}, {j}] - m[{i}])*s[{i}]",
        },
        output={f"y[{i}, {j}]": f"g[{j}]*u[{i}, {j}]"},
    )
    g = d.gradient("x")
    assert tuple(str(v.data) for v in g.indices) == (i, j)
    own = show(g.closed)
    bound = _bound_name(own)
    wanted = "s[i]*(dy[i, j]*g[j] - (Sum(dy[i, K]*g[K], K) + u[i, j]*Sum(dy[i, K]*g[K]*u[i, K], K))/d)"
    rename = {"i": i, "j": j, "K": bound}
    text = wanted
    for old in ("i", "j", "K"):
        text = (
            text.replace(f"[{old}", f"[<{old}>").replace(f", {old}]", f", <{old}>]").replace(f", {old})", f", <{old}>)")
        )
    for old, new in rename.items():
        text = text.replace(f"<{old}>", new)
    assert own == text


def _bound_name(text: str) -> str:
    return text.split("Sum(")[1].split("), ", maxsplit=1)[0].split(")", maxsplit=1)[0].rsplit(", ", maxsplit=1)[-1]


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)])
def test_the_order_in_which_summands_and_factors_are_written_does_not_matter(order: tuple[int, ...]) -> None:
    summands = ["t[i]*exp(-s[i])*x[i]**2", "s[i]*x[i]", "-log(2 + x[i]**2)*t[i]"]
    loss = " + ".join(f"({summands[k]})" for k in order)
    d = derived(inputs={"x": ["n"], "s": ["n"], "t": {"shape": ["n"], "given": True}}, loss=loss)
    first = derived(
        inputs={"x": ["n"], "s": ["n"], "t": {"shape": ["n"], "given": True}},
        loss=" + ".join(f"({s})" for s in summands),
    )
    for name in ("x", "s"):
        assert d.gradient(name).closed is first.gradient(name).closed


def test_what_was_derived_before_leaves_no_trace() -> None:
    mapping: dict[str, Any] = {"inputs": {"z": ["n", "c"], "t": GIVEN}, **WRITINGS["step by step"]}
    first = derived(**mapping)
    derived(inputs={"z": ["c", "n"], "q": ["n"]}, output={"y[j]": "Sum(z[i, j]*q[j], i)*exp(q[j])"})
    again = derived(**mapping)
    assert show(first.gradient("z").closed) == show(again.gradient("z").closed)
    assert [(s.rule.name, show(s.before), show(s.after)) for s in first.steps] == [
        (s.rule.name, show(s.before), show(s.after)) for s in again.steps
    ]
    assert [(s.name, show(s.body)) for s in first.backward] == [(s.name, show(s.body)) for s in again.backward]


# ---- zeros, facts, kinks --------------------------------------------------------------------------------------------


def test_an_input_whose_gradient_is_identically_zero_is_reported() -> None:
    d = derived(inputs={"x": ["n"], "w": ["n"]}, loss="x[i]**2 + floor(w[i]) + sign(w[i])")
    assert d.zero_inputs == ("w",)
    assert d.gradient("w").zero
    assert closed(d, "w") == "0"
    assert not d.gradient("x").zero


def test_a_loss_that_does_not_move_with_its_input_has_gradient_zero() -> None:
    """A softmax sums to one, centered values sum to zero: found, not declared."""
    d = derived(inputs={"z": ["n", "c"]}, let={"y[i, j]": "softmax(z[i, j], j)"}, loss="Sum(y[i, j], j)")
    assert d.zero_inputs == ("z",)
    d = derived(inputs={"z": ["n", "c"]}, let={"u[i, j]": "z[i, j] - mean(z[i, k], k)"}, loss="Sum(u[i, j], j)")
    assert d.zero_inputs == ("z",)


def test_the_sign_of_a_parameter_is_needed_for_clip() -> None:
    loss = "where(Abs(x[i]) <= delta, x[i]**2/2, delta*(Abs(x[i]) - delta/2))"
    known = derived(inputs={"x": ["n"]}, parameters={"delta": {"value": 1.0, "domain": "positive"}}, loss=loss)
    unknown = derived(inputs={"x": ["n"]}, parameters={"delta": {"value": 1.0}}, loss=loss)
    assert closed(known, "x") == "clip(x[i], -delta, delta)/n"
    assert closed(unknown, "x") == "where(Abs(x[i]) <= delta, x[i], delta*sign(x[i]))/n"


def test_kinks_say_where_and_which_slope_is_taken() -> None:
    d = derived(
        inputs={"x": ["n", "c"]},
        output={
            "y[i]": "Sum(relu(x[i, j]) + Abs(x[i, j] - 1) + Max(x[i, j], 2), j) + amax(x[i, j], j) + norm(x[i, j], j)"
        },
    )
    found = {(k.of, show(k.at).strip("()"), k.convention) for k in d.kinks}
    assert ("relu", "x[i, j] == 0", "0") in {(of, _letters(at), c) for of, at, c in found}
    assert {of for of, _, _ in found} == {"relu", "Abs", "Max", "amax", "norm"}


def _letters(text: str) -> str:
    """Bound names of a kink are the printer's."""
    import re

    return re.sub(r"x\[i, [^\]]+\]", "x[i, j]", text)


def test_what_is_not_differentiated_has_no_kinks() -> None:
    d = derived(inputs={"x": ["n"], "t": {"shape": ["n"], "given": True}}, loss="x[i]*Abs(t[i])")
    assert not d.kinks


def test_only_the_inputs_that_were_asked_for_are_differentiated() -> None:
    formula = read_mapping({"name": "chosen", "inputs": {"x": ["n"], "w": ["n"]}, "loss": "x[i]*w[i]"})
    d = derive_formula(formula, ("w",))
    assert [g.input for g in d.gradients] == ["w"]
    assert closed(d, "w") == "x[i]/n"


def test_a_given_input_can_be_asked_for() -> None:
    formula = read_mapping(
        {"name": "chosen", "inputs": {"x": ["n"], "t": {"shape": ["n"], "given": True}}, "loss": "x[i]*t[i]"}
    )
    assert closed(derive_formula(formula, ("t",)), "t") == "x[i]/n"


def test_every_step_says_what_it_changed() -> None:
    d = derived(inputs={"z": ["n", "c"], "t": SIMPLEX}, **WRITINGS["step by step"])
    assert d.steps
    for s in d.steps:
        assert s.before is not s.after
        assert s.subject in {"y", "l", "e", "total", "loss", "gradient of z", *(x.name for x in d.forward)} or s.subject
        assert "%" not in show(s.before) + show(s.after)
        assert "$" not in show(s.before) + show(s.after)


def test_a_fold_rule_does_not_fire_where_the_name_has_an_index_that_the_body_lacks() -> None:
    """Pitfall 3: b[i, j] = exp(v[i]) is no name for exp(v[i]) alone: which j?"""
    d = derived(
        inputs={"v": ["n"], "x": ["n", "c"]},
        ranges={"j": "c"},
        let={"b[i, j]": "exp(v[i])"},
        output={"y[i, j]": "b[i, j]*x[i, j] + exp(v[i])"},
    )
    g = d.gradient("v")
    assert g.closed.free <= set(g.indices)


def test_expanded_squares_do_not_come_back() -> None:
    """Pitfall 10: the variance keeps its difference in the statements that kernels compute."""
    d = derived(inputs={"x": ["n", "c"]}, output={"v[i]": "Sum((x[i, j] - Sum(x[i, k], k)/c)**2, j)/c"})
    for s in (*d.forward, *d.backward):
        text = show(s.body)
        assert "x[i, j]**2" not in text
        assert "mean[i]**2" not in text


def test_a_softmax_gradient_divides_by_no_difference() -> None:
    """Pitfall 11: no gcd-cancelled 1 - y turns into exp(z)/(exp(lse) - exp(z))."""
    d = derived(
        inputs={"z": ["n", "c"]}, let={"y[i, j]": "softmax(z[i, j], j)"}, output={"o[i, j]": "y[i, j]*(1 - y[i, j])"}
    )
    for s in d.backward:
        assert "/(" not in show(s.body)


def test_a_shift_by_one_of_the_own_values_comes_to_an_end() -> None:
    d = derived(inputs={"x": ["n", "c"]}, output={"y[i, j]": "exp(x[i, j] - x[i, 0])"})
    assert d.gradient("x").closed.size < 60


@pytest.mark.parametrize("body", ["norm(x[i, j], j)**2", "Sum(x[i, j]**2, j)"])
def test_a_squared_norm_is_a_sum_of_squares(body: str) -> None:
    d = derived(inputs={"x": ["n", "c"]}, output={"y[i]": body})
    assert closed(d, "x") == "2*dy[i]*x[i, j]"


def test_a_masked_softmax_needs_no_mask_on_its_gradient() -> None:
    d = derived(
        inputs={"x": ["n", "n"]},
        let={"s[i, j]": "Piecewise((x[i, j], j <= i), (-oo, True))"},
        output={"y[i, j]": "softmax(s[i, j], j)"},
    )
    assert closed(d, "x") == "y[i, j]*(dy[i, j] - Sum(dy[i, k]*y[i, k], k))"


def test_a_divergence_under_a_parameter_has_its_ratios_one_way_round() -> None:
    d = derived(
        inputs={"z": ["n", "c"], "w": ["n", "c"]},
        parameters={"beta": 6.0},
        let={"p[i, j]": "softmax(z[i, j], j)", "q[i, j]": "softmax(w[i, j], j)"},
        loss="beta*Sum(p[i, j]*log(p[i, j]/q[i, j]), j) - log(p[i, 0])",
    )
    assert "log(q[" not in closed(d, "z")
    assert closed(d, "z").count("log(p[") == 2
