"""A derivation works on aliases; what it found speaks of the formula's own names, and of no others by mistake."""

from __future__ import annotations

import pytest

from symgrad.algebra.terms import ALIAS, walk
from symgrad.closing.derivation import derive_formula
from symgrad.errors import SymgradError
from symgrad.formula.reader import read_mapping
from tests.fuzz.disguise import dressed
from tests.fuzz.invariance import different, texts

NORM = {
    "name": "norm",
    "inputs": {"x": ["n", "c"], "g": ["c"], "t": {"shape": ["n", "c"], "given": True}},
    "let": {
        "u[i, j]": "(x[i, j] - mean(x[i, k], k))/sqrt(var(x[i, k], k) + 1/100)",
        "e[i]": "logsumexp(g[j]*u[i, j], j)",
    },
    "loss": "e[i] - Sum(t[i, j]*u[i, j], j)",
}


def derived(document, **options):
    return derive_formula(read_mapping(document), **options)


def words(d, *more):
    """Every name and text in a derivation."""
    terms = [t for s in (*d.forward, *d.backward, *d.tangent) for t in (s.body, *s.indices)]
    terms += [t for g in d.gradients for t in (g.closed, *g.indices, *(w.body for w in g.where))]
    terms += [t for s in (*d.steps, *more) for t in (s.before, s.after)] + [f.condition for f in d.assumed]
    found = [str(x.data) for t in terms for x in walk(t)]
    found += [s.name for s in (*d.forward, *d.backward, *d.tangent)] + [s.subject for s in (*d.steps, *more)]
    found += [w.name for g in d.gradients for w in g.where] + [g.input for g in d.gradients]
    return [*found, *d.hints, *d.gradient_of.values(), *d.cotangents, *d.cotangents.values(), *d.tangent_of.values()]


@pytest.mark.parametrize("order", [1, 2])
def test_no_alias_is_left_in_a_derivation_nor_in_what_an_observer_sees(order):
    seen = []
    d = derived(NORM, order=order, observer=seen.append)
    assert seen
    assert not [w for w in words(d, *seen) if any(c >= ALIAS for c in w)]


@pytest.mark.parametrize(
    "names",
    [
        {"x": "diff", "g": "top", "t": "total", "u": "lse", "e": "p"},
        {"x": "dx", "g": "dg", "u": "du", "e": "dloss", "t": "v"},
        {"i": "k", "j": "i", "k": "j", "x": "a", "g": "b", "u": "l", "e": "m"},
        {"n": "i", "c": "j", "i": "n", "j": "c", "k": "l"},
    ],
    ids=["hoisted values", "adjoints", "letters", "sizes"],
)
def test_a_formula_in_words_of_the_derivation_has_the_same_closed_form(names):
    assert different(derived(NORM), dressed(NORM, names)) == []


def test_what_the_derivation_names_is_apart_from_all_names_of_the_formula():
    dress = dressed(NORM, {"x": "diff", "g": "top", "u": "lse", "t": "dlse", "i": "p", "j": "q"})
    d = derived(dress.document)
    own = {i.name for i in d.program.inputs} | {s.name for s in d.program.statements}
    made = [s.name for s in (*d.forward, *d.backward, *d.tangent) if s.kind in ("hoisted", "adjoint", "tangent")]
    assert len(made) == len(set(made))
    assert not own & set(made)


def test_the_formula_is_handed_back_as_it_was_read():
    formula = read_mapping(NORM)
    d = derive_formula(formula)
    assert d.formula is formula
    assert d.program is formula.program
    sizes = {t for i in formula.program.inputs for e in i.shape for t in walk(e)}
    assert {t for s in d.forward for t in walk(s.body) if t.op == "dim"} <= sizes


def test_an_error_of_the_derivation_speaks_of_the_names_of_the_formula():
    document = {
        "name": "seen_through",
        "inputs": {"x": ["n", "c"]},
        "let": {"prob[i, j]": "softmax(x[i, j], j)"},
        "loss": "-Sum(log(prob[i, j]), j)",
        "expect": {"dprob[i, j]": "0"},
    }
    with pytest.raises(SymgradError, match="looks through prob") as caught:
        derived(document)
    assert not any(c >= ALIAS for c in str(caught.value))


def test_closed_forms_do_not_depend_on_what_was_derived_before():
    first = texts(derived(NORM))
    derived(dressed(NORM, {"x": "u", "u": "x", "i": "j", "j": "i"}).document)
    assert texts(derived(NORM)) == first
