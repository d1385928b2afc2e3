"""What a hand-written function returned, read as gradients by input, a value, and the Hessian's diagonal.

dz | (dz,) | {"z": dz} | (value, dz) | (value, (dz, dW)) | (dz, dW) | (dz, None)      one gradient an input, in order
with order 2 each of: (gradient, Hessian diagonal) | (value, gradient, Hessian diagonal)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Tree = tuple[str, Any]
Arrays = Mapping[str, np.ndarray[Any, Any]]


class LayoutError(Exception):
    """What was returned is not laid out as gradients of the formula."""


@dataclass(frozen=True)
class Layout:
    """What is looked for: the differentiated inputs, all inputs, and shapes; `values`: shapes that a value may have."""

    wrt: tuple[str, ...]
    inputs: tuple[str, ...]
    shapes: Mapping[str, tuple[int, ...]]
    values: tuple[tuple[int, ...], ...]
    order: int = 1


@dataclass(frozen=True)
class Answer:
    """What was returned. `values`: of the loss or of the outputs, where the function gave them."""

    gradients: Arrays
    diagonals: Arrays = field(default_factory=dict)
    values: tuple[np.ndarray[Any, Any], ...] = ()
    changed: tuple[int, ...] = ()
    """Arguments that the function wrote to."""

    @property
    def is_single(self) -> bool:
        """Whether some result came in float32."""
        return any(a.dtype == np.float32 for a in (*self.gradients.values(), *self.diagonals.values()))


def read_answer(said: Mapping[str, Any], layout: Layout) -> Answer:
    """The answer of a worker; LayoutError names what was expected."""
    changed = tuple(said.get("changed", ()))
    if "values" in said:
        gradients = _by_order(said["tree"][1], layout)
        return Answer(gradients, {}, tuple(_number(t) for t in said["values"]), changed)
    parts = said["tree"]
    if layout.order == 1:
        value, gradients = _value_and_gradients(parts, layout)
        return Answer(gradients, {}, value, changed)
    if parts[0] != "tuple" or len(parts[1]) not in (2, 3):
        raise LayoutError(f"returned {_told(parts)}, expected (gradient, Hessian diagonal)")
    *value_tree, gradient, diagonal = parts[1]
    values = tuple(_number(t) for t in value_tree)
    return Answer(_gradients(gradient, layout), _gradients(diagonal, layout), values, changed)


def _value_and_gradients(t: Tree, layout: Layout) -> tuple[tuple[np.ndarray[Any, Any], ...], Arrays]:
    kind, parts = t
    count = len(layout.wrt)
    if kind == "dict" and {"value", "loss"} & set(parts) and set(parts) - {"value", "loss"}:
        value = parts.get("value", parts.get("loss"))
        return (_number(value),), _gradients(("dict", {k: v for k, v in parts.items() if v is not value}), layout)
    if kind == "tuple" and len(parts) == len(layout.inputs) != count and _is_by_input(parts, layout):
        return (), _by_order(parts, layout)
    if kind == "tuple" and len(parts) == 2 and parts[1][0] in ("tuple", "dict"):
        return _values(parts[0]), _gradients(parts[1], layout)
    if kind == "tuple" and len(parts) == count + 1 and parts[0][0] == "array" and _starts_with_value(parts, layout):
        return (_number(parts[0]),), _by_order(parts[1:], layout)
    return (), _gradients(t, layout)


def _is_by_input(parts: Sequence[Tree], layout: Layout) -> bool:
    """Whether there is one for each input, None for those that are not differentiated, as torch has it."""
    return all((t[0] == "none") == (n not in layout.wrt) for n, t in zip(layout.inputs, parts, strict=True))


def _values(t: Tree) -> tuple[np.ndarray[Any, Any], ...]:
    return tuple(_number(x) for x in t[1]) if t[0] == "tuple" else (_number(t),)


def _starts_with_value(parts: Sequence[Tree], layout: Layout) -> bool:
    """Whether the first of n + 1 arrays is a value, rather than the gradient of an input that is not asked for."""
    if len(parts) == len(layout.inputs) and len(parts) != len(layout.wrt) + 1:
        return False
    shape = parts[0][1].shape
    if shape in layout.values or shape == ():
        return True
    return bool(shape != layout.shapes[layout.inputs[0]])


def _gradients(t: Tree, layout: Layout) -> Arrays:
    kind, parts = t
    if kind == "dict":
        return _by_name(parts, layout)
    if kind == "tuple":
        return _by_order(parts, layout)
    if len(layout.wrt) == 1:
        return {layout.wrt[0]: _array(t, layout.wrt[0])}
    raise LayoutError(f"returned {_told(t)}, expected gradients of {', '.join(layout.wrt)} as a tuple")


def _by_name(parts: Mapping[str, Tree], layout: Layout) -> Arrays:
    found = {}
    for n in layout.wrt:
        keys = [k for k in (n, f"d{n}", f"d_{n}", f"grad_{n}", f"{n}_grad") if k in parts]
        if not keys:
            raise LayoutError(f"returned no gradient of {n}, only {', '.join(parts)}")
        found[n] = _array(parts[keys[0]], n)
    return found


def _by_order(parts: Sequence[Tree], layout: Layout) -> Arrays:
    names = layout.wrt
    if len(parts) == len(layout.inputs) != len(names):
        pairs = dict(zip(layout.inputs, parts, strict=True))
        return {n: _array(pairs[n], n) for n in names}
    if len(parts) != len(names):
        wanted = f"{len(names)}: the gradient{'s' * (len(names) > 1)} of {', '.join(names)}"
        raise LayoutError(f"returned {len(parts)} arrays, expected {wanted}")
    return {n: _array(p, n) for n, p in zip(names, parts, strict=True)}


def _array(t: Tree, name: str) -> np.ndarray[Any, Any]:
    if t[0] == "none":
        raise LayoutError(f"returned None for the gradient of {name}")
    if t[0] != "array" or t[1].dtype.kind not in "biuf":
        raise LayoutError(f"returned {_told(t)} for the gradient of {name}")
    return np.asarray(t[1])


def _number(t: Tree) -> np.ndarray[Any, Any]:
    if t[0] != "array":
        raise LayoutError(f"returned {_told(t)} for the value")
    return np.asarray(t[1], dtype=float)


def _told(t: Tree) -> str:
    kind, parts = t
    if kind == "array":
        return f"an array of shape {list(parts.shape)}" if parts.ndim else "a number"
    if kind in ("tuple", "dict"):
        return f"{len(parts)} values"
    return "None" if kind == "none" else f"a {parts}"
