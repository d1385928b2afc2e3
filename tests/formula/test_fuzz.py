"""Whatever text is given, the reader reads it or refuses it; nothing else comes out, and it comes out quickly."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from symgrad.errors import FormulaError, SymgradError
from symgrad.formula.reader import read_bytes, read_mapping, read_text

QUICK = settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
HEAD = (
    "name: f\ninputs: {z: [n, c], x: {shape: [n], outside: 0}, t: {shape: [n], dtype: int}, "
    "m: {shape: [n], dtype: bool}}\n"
)
WORDS = (
    "z x t m i j k n c 0 1 2 -1 1.5 1e-5 1e999 oo pi E True False nan inf ... + - * / // % ** ^ @ < <= == != > >= "
    "( ) [ ] , "
    "Sum( mean( softmax( amax( Piecewise( where( exp( log( sqrt( Max( And( Not( z[i,j] x[i] x[i-1] t[i] z[i,t[i]] m[i] "
    "for if else lambda not and or := ; # ' \" \\ = ties=first axis=0 .T (j,0,c-1) ,j) ,i,j) ,i) √ − é ² \n"
).split(" ")
ARRAY_HEAD = (
    "name: f\ninputs: {x: [n, d], A: [d, d], v: [d], X: [..., d], b: [m], W: [m, d], s: [], "
    "t: {shape: [n], dtype: int}}\nuse: [linear, cross_entropy, layer_norm]\n"
)
ARRAY_WORDS = (
    "x A v X b W s t x A v @ @ + * ** / - > & ( ) ) ) .T .T softmax( Sum( mean( trace( norm( transpose( amax( relu( "
    "where( linear( linear(x,W,b) cross_entropy(x,t) layer_norm(x,v,v) layer_norm( eps=1 , , axis=0 axis=-1 axis=(0,1) "
    "keepdims=True ties=first [i] [0] [i,j] ,i) i 1 0 ..."
).split(" ")
BLOCKS = (
    "name: ",
    "f\n",
    "inputs: ",
    "{z: [n]}\n",
    "loss: ",
    "z[i]\n",
    "let:\n",
    "  y[i]: ",
    "output:\n",
    "- ",
    "? ",
    ": ",
    "&a ",
    "*a ",
    "!!x ",
    "|\n",
    ">\n",
    "'",
    '"',
    "\t",
    "---\n",
    "...\n",
    "%YAML 1.1\n",
    "#",
    "{",
    "}",
    "[",
    "]",
    ",",
    "  ",
    "\n",
    "\r",
    "\0",
    "﻿",
    "~",
    "<<: ",
    "domain: simplex",
    "assume: ",
    "expect:\n  z[i]: ",
    "ranges: {p: n}\n",
    "\x85",
    "𝔷",
)


def outcome(read: Callable[[], object]) -> None:
    start = time.monotonic()
    with suppress(SymgradError):
        read()
    assert time.monotonic() - start < 5


@QUICK
@given(st.lists(st.sampled_from(WORDS), max_size=25))
def test_any_words_of_the_language_are_read_or_refused(words: list[str]) -> None:
    outcome(lambda: read_text(HEAD + "loss: |\n  " + " ".join(words).replace("\n", " ") + "\n", "f.yaml"))


@QUICK
@given(st.lists(st.sampled_from(ARRAY_WORDS), max_size=14))
def test_any_words_of_array_notation_are_read_or_refused(words: list[str]) -> None:
    outcome(lambda: read_text(ARRAY_HEAD + "output:\n  y: |\n    " + " ".join(words) + "\n", "f.yaml"))


@QUICK
@given(st.lists(st.sampled_from(BLOCKS), max_size=25))
def test_any_yaml_is_read_or_refused(blocks: list[str]) -> None:
    outcome(lambda: read_text("".join(blocks), "f.yaml"))


@QUICK
@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    outcome(lambda: read_bytes(data, "f.yaml"))


@QUICK
@given(st.text(max_size=60))
def test_any_text_as_an_expression_is_read_or_refused(text: str) -> None:
    outcome(lambda: read_mapping({"name": "f", "inputs": {"z": ["n"]}, "loss": text}))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@QUICK
@given(
    st.dictionaries(
        st.sampled_from(["name", "inputs", "loss", "let", "assume", "parameters", "ranges", "expect"]), VALUES
    )
)
def test_any_mapping_is_read_or_refused(mapping: dict[str, object]) -> None:
    outcome(lambda: read_mapping(mapping))


@QUICK
@given(st.data())
def test_a_formula_with_a_few_characters_changed_is_read_or_refused(data: st.DataObject) -> None:
    files = sorted((Path(__file__).parents[2] / "formulas").rglob("*.yaml"))
    text = data.draw(st.sampled_from(files)).read_text(encoding="utf-8")
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(text)))
        gone = data.draw(st.integers(0, 3))
        text = (
            text[:at]
            + data.draw(st.sampled_from(["", "(", ")", "[", "]", ",", ":", "i", "0", " ", "\n", "*", "@"]))
            + text[at + gone :]
        )
    outcome(lambda: read_text(text, "f.yaml"))


@pytest.mark.parametrize(
    "text",
    [
        "(" * 5000 + "z[i]" + ")" * 5000,
        "-" * 20000 + "z[i]",
        "exp(" * 300 + "z[i]" + ")" * 300,
        "z[i]" + "+z[i]" * 9000,
        "z[i]" + "**z[i]" * 2000,
        "z[i]" + "<z[i]" * 5000,
        "1" + "0" * 20000,
        "[" * 5000,
        "not " * 5000 + "z[i]",
        "z" + "[i]" * 3000,
        "(1 + z[i])*" * 60 + "2",
        "9**9**9**9*z[i]",
        "2**(2**(2**(2**9)))*z[i]",
        "x" * 40000,
        "1e308*1e308*z[i]",
    ],
    ids=range(15),
)
def test_extreme_expressions_end_quickly(text: str) -> None:
    outcome(lambda: read_text(f"name: f\ninputs: {{z: [n]}}\nloss: Sum({text}, i)\n", "f.yaml"))


def test_deep_yaml_is_refused_before_pythons_own_limit() -> None:
    with pytest.raises(FormulaError, match="nested more than"):
        read_text("name: f\ninputs:\n  z: " + "[" * 5000 + "]" * 5000 + "\n", "f.yaml")
