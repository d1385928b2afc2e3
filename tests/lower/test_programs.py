"""The array program of single statements: which operation a term becomes."""

from __future__ import annotations

from symgrad.algebra.build import compare, exp, fn, iverson, mul, neg, power, reduce, sub, where
from symgrad.algebra.terms import HALF, INFINITY, ZERO, Term, dim, get, idx, num
from symgrad.formula.program import Statement
from symgrad.lower.arrays import (
    Along,
    Contract,
    Expr,
    Flatten,
    Fold,
    Gather,
    Map,
    Read,
    Reduce,
    Scatter,
    Softmax,
    Window,
    walk,
)
from symgrad.lower.program import lower_statements
from symgrad.lower.scope import Names, Signature

n, m, d, c, v = (dim(x) for x in "nmdcv")
i, j, k, p = idx("i", n), idx("j", m), idx("k", d), idx("p", n)
batch = idx("...", dim("..."))
TENSORS = {
    "x": Signature((n, d)),
    "w": Signature((m, d)),
    "u": Signature((m,)),
    "z": Signature((n, m)),
    "b": Signature((dim("..."), d)),
    "g": Signature((dim("..."), m)),
    "t": Signature((n,), "int"),
    "s": Signature((dim("..."),), "int"),
    "long": Signature((n,)),
}


def lowered(body: Term, *indices: Term, more: tuple[Statement, ...] = ()) -> list[Expr]:
    """Every expression of the program of one statement, outside first."""
    s = Statement("y", indices, body)
    program = lower_statements([*more, s], TENSORS, ["y"], Names({"y"}))
    assert program[-1].name == "y"
    assert program[-1].expr.frame == indices
    return [e for a in reversed(program) for e in walk(a.expr)]


def kinds(found: list[Expr]) -> set[type]:
    return {type(e) for e in found}


def test_a_sum_of_two_factors_with_different_indices_is_a_contraction():
    found = lowered(reduce("sum", mul(get("x", (i, k)), get("w", (j, k))), [k]), i, j)
    assert isinstance(found[0], Contract)
    assert max(len(e.frame) for e in found) == 2


def test_a_third_factor_is_contracted_first_where_that_is_cheaper():
    found = lowered(reduce("sum", mul(get("x", (i, k)), get("w", (j, k)), get("u", (j,))), [j, k]), i)
    assert max(len(e.frame) for e in found) == 2
    assert [e.over for e in found if isinstance(e, Contract)] == [(k,), (j,)] or len(
        [e for e in found if isinstance(e, Contract)]
    ) == 2


def test_an_index_of_one_factor_only_is_summed_there_first():
    found = lowered(reduce("sum", mul(get("x", (i, k)), get("w", (j, k)), get("z", (p, j))), [k, p]), i, j)
    assert any(isinstance(e, Reduce) and isinstance(e.operand, Read) and e.operand.name == "z" for e in found)


def test_an_unused_summed_index_multiplies_by_its_extent():
    found = lowered(reduce("sum", get("u", (j,)), [j, k]))
    assert any(type(e).__name__ == "Scalar" and d in (e.term, *e.term.args) for e in found)


def test_factors_over_the_same_indices_are_multiplied_and_summed():
    found = lowered(reduce("sum", mul(get("x", (i, k)), fn("sin", get("x", (i, k)))), [k]), i)
    assert isinstance(found[0], Reduce)
    assert Contract not in kinds(found)


def test_batch_axes_that_are_summed_become_one_axis():
    found = lowered(reduce("sum", mul(get("g", (batch, j)), get("b", (batch, k))), [batch]), j, k)
    assert isinstance(found[0], Contract)
    assert Flatten in kinds(found)


def test_exp_minus_logsumexp_is_a_softmax():
    z = get("z", (i, j))
    found = lowered(exp(sub(z, reduce("lse", z, [j]))), i, j)
    assert isinstance(found[0], Softmax)
    lse = Statement("lse", (i,), reduce("lse", z, [j]))
    found = lowered(exp(sub(z, get("lse", (i,)))), i, j, more=(lse,))
    assert isinstance(found[0], Softmax)


def test_a_masked_softmax_is_that_of_the_masked_logits():
    z, keep = get("z", (i, j)), compare("<=", j, i)
    lse = reduce("lse", where(keep, z, neg(INFINITY)), [j])
    found = lowered(mul(iverson(keep), exp(sub(z, lse))), i, j)
    assert isinstance(found[0], Softmax)


def test_a_bracket_of_a_free_index_under_a_sum_is_a_scatter():
    row = idx("r", v)
    found = lowered(reduce("sum", mul(get("x", (i, k)), iverson(compare("==", row, get("t", (i,))))), [i]), row, k)
    assert Scatter in kinds(found)
    assert not any(isinstance(e, Map) and e.op == "==" for e in found)


def test_a_bracket_without_a_sum_is_a_comparison():
    found = lowered(iverson(compare("==", j, get("t", (i,)))), i, j)
    assert Scatter not in kinds(found)
    assert any(isinstance(e, Map) and e.op == "==" for e in found)


def test_an_affine_position_is_folded():
    position = idx("q", c)
    meets = compare("==", position, sub(mul(num(2), i), sub(num(1), j)))
    found = lowered(reduce("sum", mul(get("z", (i, j)), iverson(meets)), [i, j]), position)
    assert Fold in kinds(found)


def test_reads_are_windows_slices_and_gathers():
    short, tap = idx("a", sub(n, num(3))), idx("b", num(3))
    assert Window in kinds(lowered(get("long", (sub(short, neg(tap)),)), short, tap))
    assert any(isinstance(e, Window) and e.inside for e in lowered(get("long", (sub(short, num(-1)),)), short))
    assert Gather in kinds(lowered(get("z", (i, get("t", (i,)))), i))
    assert Along in kinds(lowered(get("g", (batch, get("s", (batch,)))), batch))


def test_operands_of_partial_functions_are_made_safe_where_their_value_is_not_used():
    x = get("x", (i, k))
    found = lowered(where(compare("<", ZERO, x), fn("log", x), power(neg(x), HALF)), i, k)
    partial = [e for e in found if isinstance(e, Map) and e.op in ("log", "sqrt")]
    assert len(partial) == 2
    assert all(
        isinstance(e.args[0], Map | Read) and not (isinstance(e.args[0], Read) and e.args[0].name == "x")
        for e in partial
    )


def test_a_part_that_occurs_twice_has_a_name():
    e = fn("sin", get("x", (i, k)))
    program = lower_statements([Statement("y", (i, k), mul(e, fn("tanh", e)))], TENSORS, ["y"], Names({"y"}))
    assert [a.name for a in program] == ["sin_x", "y"]


def test_what_no_result_needs_is_dropped():
    first, second = Statement("a", (i, k), get("x", (i, k))), Statement("y", (i,), get("long", (i,)))
    assert [a.name for a in lower_statements([first, second], TENSORS, ["y"], Names())] == ["y"]
