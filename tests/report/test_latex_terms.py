"""Terms as LaTeX: what a textbook would print, and nothing that pdflatex stumbles over."""

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
    power,
    reduce,
    sub,
    where,
)
from symgrad.algebra.terms import (
    BATCH,
    FALSE,
    HALF,
    INFINITY,
    ONE,
    PI,
    TRUE,
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
from symgrad.formula.vocabulary import FUNCTIONS as VOCABULARY
from symgrad.report.escape import tex_text
from symgrad.report.latex_lines import latex_lines
from symgrad.report.latex_terms import latex, latex_layout
from symgrad.report.layout import Elided
from symgrad.report.mathml_terms import mathml
from symgrad.report.metric import Metric
from symgrad.report.notation import Notation
from symgrad.report.present import present
from symgrad.report.tex import math
from symgrad.report.tex_preamble import PREAMBLE
from symgrad.report.unicode_terms import unicode_math
from symgrad.rewrite.rule import Rule

n, c = dim("n"), dim("c")
i, j, row = idx("i", n), idx("j", c), idx("row", n)
B = idx(BATCH, dim(BATCH))
x, z, y, t = get("x", (i,)), get("z", (i, j)), get("y", (i, j)), get("t", (i, j))
b = par("beta")
m = get("m", (i,))


def f(name: str, *args: Term) -> Term:
    return node("fn", args, name)


def sum_j(body: Term) -> Term:
    return reduce("sum", body, [j])


CONSTRUCTS: dict[str, tuple[Term, str]] = {
    "zero": (ZERO, "0"),
    "fraction of numbers": (num(Fraction(-3, 7)), r"-\frac{3}{7}"),
    "decimal": (num(Fraction(44715, 10**6)), "0.044715"),
    "tiny": (num(Fraction(1, 10**12)), "10^{-12}"),
    "constants": (add(PI, E, INFINITY), r"\mathrm{e} + \infty + \pi"),
    "greek parameter": (b, r"\beta"),
    "scalar": (get("w"), "w"),
    "access": (z, "z_{ij}"),
    "long index": (get("z", (row, j)), r"z_{\mathit{row},j}"),
    "shifted index": (get0("z", (add(i, ONE), j)), "z_{i + 1,j}"),
    "gather": (get("z", (i, get("t", (i,)))), "z_{i,t_{i}}"),
    "batch": (get("x", (B, j)), r"x_{\ldots j}"),
    "batch size": (dim(BATCH), r"N_{\ldots}"),
    "difference over n": (div(sub(y, t), n), r"\frac{y_{ij} - t_{ij}}{n}"),
    "negative product": (neg(mul(x, b)), r"-\beta x_{i}"),
    "square": (power(sub(x, m), TWO), "(x_{i} - m_{i})^{2}"),
    "square root": (power(x, HALF), r"\sqrt{x_{i}}"),
    "inverse root": (power(x, neg(HALF)), r"\frac{1}{\sqrt{x_{i}}}"),
    "odd root": (power(x, num(Fraction(3, 2))), "x_{i}^{3/2}"),
    "symbolic power": (power(x, b), r"x_{i}^{\beta}"),
    "symbolic inverse": (power(x, neg(b)), r"\frac{1}{x_{i}^{\beta}}"),
    "exponential": (exp(neg(x)), r"\mathrm{e}^{-x_{i}}"),
    "exponential of a fraction": (exp(div(x, add(b, ONE))), r"\exp\left(\frac{x_{i}}{\beta + 1} \right)"),
    "logarithm": (fn("log", y), r"\log y_{ij}"),
    "softmax": (exp(sub(z, reduce("lse", z, [j]))), r"\operatorname{softmax}_{j}(z_{ij})"),
    "lse": (reduce("lse", z, [j]), r"\operatorname{lse}_{j} z_{ij}"),
    "sum": (sum_j(mul(t, fn("log", y))), r"\sum_{j} t_{ij} \, \log y_{ij}"),
    "sum of a sum": (sum_j(sub(mul(t, y), mul(z, power(z, b)))), None),  # type: ignore[dict-item]
    "sum of an index": (reduce("sum", power(j, TWO), [j]), r"\sum_{i=0}^{c - 1} i^{2}"),
    "mean": (div(sum_j(z), c), r"\frac{1}{c} \, \sum_{j} z_{ij}"),
    "product": (reduce("prod", z, [j]), r"\prod_{j} z_{ij}"),
    "maximum": (reduce("max_first", z, [j]), r"\max_{j} z_{ij}"),
    "argmax": (reduce("argmax", z, [j]), r"\operatorname{arg\,max}_{j} z_{ij}"),
    "norm": (reduce("norm", z, [j]), r"\sqrt{\sum_{j} z_{ij}^{2}}"),
    "Iverson bracket": (iverson(compare("==", j, get("t", (i,)))), "[j = t_{i}]"),
    "conjunction": (iverson(conjunction(compare("<", x, b), compare("<=", num(3), x))), None),  # type: ignore[dict-item]
    "disjunction": (iverson(disjunction(compare("<", x, b), compare("!=", m, x))), None),  # type: ignore[dict-item]
    "truth": (where(node("not", (f("truth", m),)), x, b), None),  # type: ignore[dict-item]
    "cases": (
        where(compare("<", x, ZERO), neg(x), where(compare("<", x, ONE), b, x)),
        (
            r"\begin{cases} -x_{i} & \text{if } x_{i} < 0 \\ \beta & \text{if } x_{i} < 1 \\ "
            r"x_{i} & \text{otherwise} \end{cases}"
        ),
    ),
    "literals": (node("where", (TRUE, x, node("where", (FALSE, b, m)))), None),  # type: ignore[dict-item]
    "absolute value": (f("Abs", x), r"\lvert x_{i}\rvert "),
    "power of tanh": (power(f("tanh", x), TWO), r"\tanh^{2} x_{i}"),
    "inverse of tanh": (power(f("tanh", x), neg(ONE)), r"\frac{1}{\tanh x_{i}}"),
    "polygamma": (f("polygamma", ONE, x), r"\psi^{(1)} (x_{i})"),
    "floor division": (f("floordiv", i, TWO), r"\left\lfloor \frac{i}{2} \right\rfloor "),
    "remainder": (f("mod", i, TWO), r"i \bmod 2"),
    "expm1": (f("expm1", x), r"\mathrm{e}^{x_{i}} - 1"),
    "log1p": (f("log1p", x), None),  # type: ignore[dict-item]
    "log sigmoid": (f("log_sigmoid", x), r"\log \sigma(x_{i})"),
    "log cosh": (f("logcosh", x), r"\log \cosh x_{i}"),
    "sech2": (f("sech2", x), r"1 - \tanh^{2} x_{i}"),
    "normal density": (f("normal_pdf", x), None),  # type: ignore[dict-item]
    "log gamma": (f("loggamma", x), r"\log \Gamma(x_{i})"),
    "clip": (f("clip", x, neg(b), b), r"\operatorname{clip}(x_{i}, -\beta, \beta)"),
    "sums side by side": (mul(sum_j(z), reduce("prod", y, [j])), None),  # type: ignore[dict-item]
    "cases times": (mul(where(compare("<", x, b), ONE, b), x), None),  # type: ignore[dict-item]
}  # fmt: skip
_BINARY = ("atan2", "Heaviside", "Max", "Min", "polygamma", "floordiv", "mod")
for _name in VOCABULARY:
    CONSTRUCTS.setdefault(f"function {_name}", (f(_name, x, *([b] * (_name in _BINARY))), None))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", [k for k, (_, wanted) in CONSTRUCTS.items() if wanted is not None])
def test_construct_looks_as_in_a_textbook(name: str) -> None:
    term, wanted = CONSTRUCTS[name]
    assert latex(term) == wanted


def test_every_construct_compiles_without_error_or_overfull_box(run_tex) -> None:
    lines = [line for term, _ in CONSTRUCTS.values() for line in math(present(term), Notation())]
    log = run_tex("\n".join([PREAMBLE, r"\begin{document}", *lines, r"\end{document}"]))
    assert not log.complaints
    assert "Output written" in log


@pytest.mark.parametrize("name", CONSTRUCTS)
def test_construct_prints_in_every_script_and_has_a_width(name: str) -> None:
    term = CONSTRUCTS[name][0]
    assert unicode_math(term)
    assert mathml(present(term)).startswith("<math>")
    assert Metric(Notation()).visit(present(term)) > 0


def test_bound_index_never_bears_the_name_of_a_free_one() -> None:
    assert latex(mul(y, sum_j(t))) == r"y_{ij} \sum_{k} t_{ik}"


def test_bound_index_avoids_the_indices_of_the_left_side() -> None:
    assert "sum_{j}" not in latex_layout(present(sum_j(t), None, (i, j)))


def test_terms_too_large_to_read_are_elided() -> None:
    deep = x
    for _ in range(200):
        deep = f("sin", add(deep, ONE))
    assert isinstance(present(deep), Elided)
    assert "expression" in latex(deep)


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("sigma", r"\sigma"),
        ("σ", r"\sigma"),
        ("x_hat", r"\hat{x}"),
        ("W1", "W_{1}"),
        ("x_max", r"x_{\mathrm{max}}"),
        ("scores", r"\mathit{scores}"),
        ("log_var", r"\mathit{log\_var}"),
        ("é", r"\textit{é}"),
        ("字", r"\textit{U+5B57}"),
        ("ℓ", r"\ell"),
        ("lambda_", r"\lambda"),
    ],
)
def test_names_are_written_in_mathematics(name: str, wanted: str) -> None:
    assert latex(get(name)) == wanted


def test_tag_of_a_subscripted_name_stands_above() -> None:
    assert latex(power(get("W1", (i, j)), TWO)) == "(W^{(1)}_{ij})^{2}"


def test_no_underscore_dollar_or_backslash_of_a_name_reaches_tex_unescaped() -> None:
    assert tex_text("a_b$c\\d{e}%#&~^") == (r"a\_b\$c\textbackslash{}d\{e\}\%\#\&\textasciitilde{}\textasciicircum{}")


# ---- lines ----


def _long_sum(count: int) -> Term:
    return add(
        *(
            mul(get(f"a{k}", (i, j)), fn("log", get("z", (i, j))), power(get("w", (j,)), num(k)))
            for k in range(1, count)
        )
    )


LONG: dict[str, Term] = {
    "sum": _long_sum(20),
    "fraction": div(_long_sum(12), n),
    "fraction with a long denominator": div(_long_sum(9), add(b, _long_sum(12))),
    "root": power(_long_sum(12), HALF),
    "power": power(_long_sum(12), num(3)),
    "function": fn("log", _long_sum(14)),
    "sum over an index": sum_j(_long_sum(14)),
    "cases": where(compare("<", _long_sum(8), b), _long_sum(10), where(compare("<", x, b), _long_sum(7), x)),
    "product": mul(*(add(get(f"u{k}", (i, j)), par(f"p{k}"), ONE) for k in range(12))),
    "nested": fn("tanh", mul(b, fn("tanh", add(_long_sum(6), mul(b, fn("sigmoid", _long_sum(9))))))),
    "long names": add(*(get("a_very_long_name_of_a_tensor_" + s, (i, row)) for s in "abcdefgh")),
    "bracket": mul(x, iverson(conjunction(*(compare("<", get(f"q{k}", (i,)), par(f"p{k}")) for k in range(12))))),
    "polynomial": None,  # type: ignore[dict-item]
}
_h = x
for _k in range(19):
    _h = mul(x, add(_h, num(_k)))
LONG["polynomial"] = _h


@pytest.mark.parametrize("name", LONG)
@pytest.mark.parametrize("width", [24.0, 39.0, 60.0])
def test_lines_are_no_wider_than_the_page_by_our_estimate(name: str, width: float) -> None:
    lines = latex_lines(present(LONG[name]), width)
    assert len(lines) > 1 or lines[0].width <= width
    if name != "cases":
        assert max(line.indent + line.width for line in lines) <= width


def test_lines_have_all_that_one_line_has() -> None:
    term = LONG["sum"]
    lines = latex_lines(present(term), 30.0)
    for k in range(1, 20):
        assert any(f"a^{{({k})}}_{{ij}}" in line.tex for line in lines)


def test_short_mathematics_stays_on_one_line() -> None:
    assert [line.tex for line in latex_lines(present(sub(y, t)), 39.0)] == ["y_{ij} - t_{ij}"]


def test_sum_is_broken_before_a_sign_not_within_a_term() -> None:
    for line in latex_lines(present(LONG["sum"]), 39.0)[1:]:
        assert line.tex.startswith(("{} +", "{} -"))


def test_long_mathematics_compiles_within_the_page(run_tex) -> None:
    lines = [line for term in LONG.values() for line in math(present(term), Notation())]
    log = run_tex("\n".join([PREAMBLE, r"\begin{document}", *lines, r"\end{document}"]))
    assert not log.complaints


# ---- laws ----


def _rules() -> dict[str, Rule]:
    import importlib
    import pkgutil

    import symgrad

    found: dict[str, Rule] = {}
    for package in ("rules", "closing", "calculus"):
        folder = f"{symgrad.__path__[0]}/{package}"
        for module in pkgutil.iter_modules([folder]):
            for value in vars(importlib.import_module(f"symgrad.{package}.{module.name}")).values():
                for rule in value if isinstance(value, tuple) else (value,):
                    if isinstance(rule, Rule):
                        found[rule.name] = rule
    return found


def test_law_of_every_rule_compiles_and_fits_a_line(run_tex) -> None:
    rules = _rules()
    assert len(rules) > 10
    lines = [rf"\sgline{{1.5}}{{\textstyle {rule.law}}}" for _, rule in sorted(rules.items()) if rule.law]
    log = run_tex("\n".join([PREAMBLE, r"\begin{document}", *lines, r"\end{document}"]))
    assert not log.complaints
