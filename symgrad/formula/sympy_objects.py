"""Formulas from SymPy objects alone: they are printed in the formula language and read like any other text.

n, c = sympy.symbols("n c", integer=True, positive=True)
i, j = sympy.Idx("i", n), sympy.Idx("j", c)
z = sympy.IndexedBase("z", shape=(n, c))
symgrad.Formula(name="energy", inputs={z: {}}, loss=sympy.Sum(z[i, j]**2, (j, 0, c - 1)))
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import sympy

from symgrad.errors import FormulaError, UnsupportedError
from symgrad.formula.program import Formula as Read

OR, AND, NOT, COMPARE, ADD, MUL, POW, ATOM = range(8)


def build_formula(**keys: Any) -> Read:
    """The formula of the keys of the YAML, given as SymPy objects, numbers, texts, lists and mappings of them."""
    from symgrad.formula.reader import read_mapping

    return read_mapping(keys, "<Formula>")


Formula = build_formula


def plain(mapping: Mapping[Any, Any]) -> dict[str, Any]:
    """The same mapping with texts for SymPy objects; an IndexedBase brings its shape."""
    out = {str(k): _plain(v) for k, v in mapping.items()}
    inputs = mapping.get("inputs")
    if isinstance(inputs, Mapping):
        out["inputs"] = {_key(k): _input(k, v) for k, v in inputs.items()}
    return out


def _plain(value: Any) -> Any:
    if isinstance(value, sympy.Basic):
        return text_of(value)
    if isinstance(value, Mapping):
        return {_key(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    return value


def _key(key: Any) -> str:
    return text_of(key) if isinstance(key, sympy.Basic) else str(key)


def _input(key: Any, value: Any) -> Any:
    fields = _plain(value)
    if not isinstance(key, sympy.Basic) or not isinstance(fields, Mapping) or "shape" in fields:
        return fields
    if isinstance(key, sympy.IndexedBase):
        if key.shape is None:
            raise FormulaError(f"{key} has no shape", None, f'IndexedBase("{key}", shape=(n, c))')
        return {"shape": [text_of(s) for s in key.shape], **fields}
    return {"shape": [], **fields}


def text_of(expression: sympy.Basic) -> str:
    """A SymPy object in the formula language."""
    try:
        return _text(expression, OR)
    except RecursionError:
        raise UnsupportedError("the SymPy expression is nested too deeply") from None


def _text(e: Any, level: int) -> str:
    for kind, printer in _PRINTERS:
        if isinstance(e, kind):
            own, text = printer(e)
            return f"({text})" if own < level else text
    raise FormulaError(f"{type(e).__name__} is not part of the formula language: {str(e)[:60]}")


def _name(text: str) -> str:
    if not text.isidentifier():
        raise FormulaError(f"the name {text!r} of a SymPy object is not an identifier")
    return text


def _args(items: Any) -> str:
    return ", ".join(_text(a, OR) for a in items)


def _add(e: Any) -> tuple[int, str]:
    out = ""
    for a in e.as_ordered_terms():
        text = _text(a, ADD)
        out += f" - {text[1:]}" if out and text.startswith("-") else f" + {text}" if out else text
    return ADD, out


def _mul(e: Any) -> tuple[int, str]:
    if e.could_extract_minus_sign():
        return ADD, "-" + _text(-e, MUL)
    below: list[str] = []
    above: list[str] = []
    for a in e.as_ordered_factors():
        inverse = isinstance(a, sympy.Pow) and a.exp.could_extract_minus_sign()
        rational = isinstance(a, sympy.Rational) and a.q != 1
        if inverse:
            below.append(_text(1 / a, POW))
        elif rational:
            below.append(str(a.q))
            above += [str(a.p)] if a.p != 1 else []
        else:
            above.append(_text(a, POW))
    text = "*".join(above) or "1"
    return MUL, text + "".join(f"/{b}" for b in below)


def _pow(e: Any) -> tuple[int, str]:
    if e.exp == sympy.Rational(1, 2):
        return ATOM, f"sqrt({_text(e.base, OR)})"
    if e.exp == -1:
        return MUL, f"1/{_text(e.base, POW)}"
    return POW, f"{_text(e.base, ATOM)}**{_text(e.exp, ATOM)}"


def _number(e: Any) -> tuple[int, str]:
    text = repr(float(e)) if isinstance(e, sympy.Float) and e._prec <= 53 else str(e)
    return (ADD if text.startswith("-") else MUL if "/" in text else ATOM), text


def _constant(e: Any) -> tuple[int, str]:
    texts = {sympy.pi: "pi", sympy.E: "E", sympy.oo: "oo", -sympy.oo: "-oo", sympy.true: "True", sympy.false: "False"}
    if e not in texts:
        raise FormulaError(f"{e} is no number of the formula language")
    return (ADD if e == -sympy.oo else ATOM), texts[e]


def _reduction(e: Any) -> tuple[int, str]:
    limits = ", ".join(f"({_text(v, OR)}, {_text(a, OR)}, {_text(b, OR)})" for v, a, b in e.limits)
    return ATOM, f"{type(e).__name__}({_text(e.function, OR)}, {limits})"


def _piecewise(e: Any) -> tuple[int, str]:
    return ATOM, "Piecewise(" + ", ".join(f"({_text(v, OR)}, {_text(c, OR)})" for v, c in e.args) + ")"


def _relation(e: Any) -> tuple[int, str]:
    return COMPARE, f"{_text(e.lhs, ADD)} {e.rel_op} {_text(e.rhs, ADD)}"


def _delta(e: Any) -> tuple[int, str]:
    return ATOM, f"where({_text(e.args[0], ADD)} == {_text(e.args[1], ADD)}, 1, 0)"


def _indexed(e: Any) -> tuple[int, str]:
    return ATOM, f"{_name(str(e.base.label))}[{_args(e.indices)}]"


def _function(e: Any) -> tuple[int, str]:
    return ATOM, f"{_name(e.func.__name__)}({_args(e.args)})"


_PRINTERS: list[tuple[Any, Callable[[Any], tuple[int, str]]]] = [
    ((sympy.Integer, sympy.Rational, sympy.Float), _number),
    ((type(sympy.pi), type(sympy.E), type(sympy.oo), type(-sympy.oo), type(sympy.true), type(sympy.false)), _constant),
    (sympy.Idx, lambda e: (ATOM, _name(str(e.label)))),
    (sympy.IndexedBase, lambda e: (ATOM, _name(str(e.label)))),
    (sympy.Indexed, _indexed),
    (sympy.Symbol, lambda e: (ATOM, _name(e.name))),
    (sympy.Add, _add),
    (sympy.Mul, _mul),
    (sympy.Pow, _pow),
    ((sympy.Sum, sympy.Product), _reduction),
    (sympy.Piecewise, _piecewise),
    (sympy.core.relational.Relational, _relation),
    (sympy.KroneckerDelta, _delta),
    (sympy.Mod, lambda e: (MUL, f"{_text(e.args[0], POW)} % {_text(e.args[1], POW)}")),
    (sympy.ITE, lambda e: (ATOM, f"where({_args(e.args)})")),
    ((sympy.And, sympy.Or, sympy.Not), _function),
    (sympy.core.function.Application, _function),
    (sympy.Tuple, lambda e: (ATOM, f"({_args(e.args)})")),
]
