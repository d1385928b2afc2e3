"""The right ones agree with torch's autograd, and each wrong one differs.

`python -m tests.handwritten_faults.verify [MODULE...]`.

Right means within 1e-9 of the largest entry at every ordinary draw. Wrong means beyond 1e-6 of it at some draw, or
beyond 1e-6 of an entry from the right one of its formula at an extreme draw, or not finite there, or of another shape.
"""

import importlib
import inspect
import sys
import warnings
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

from tests.handwritten_faults import reference, table
from tests.handwritten_faults.reference import Draw
from tests.handwritten_faults.second import reference as second_reference
from tests.handwritten_faults.second import table as second_table
from tests.handwritten_faults.table import Row

Arrays = list[np.ndarray]
ROWS = [*table.ROWS, *second_table.ROWS]


class Label:
    """A booster's data, which gives the label when asked."""

    def __init__(self, label: np.ndarray) -> None:
        self.label = label

    def get_label(self) -> np.ndarray:
        return self.label


def cases(row: Row) -> Iterator[tuple[bool, list[torch.Tensor], list[torch.Tensor]]]:
    """Whether ordinary; the inputs; the upstream (of a gradient function of a loss none)."""
    forward, inputs, _ = case(row)
    kinds = [(0.3, False), (1, False), (1, True), (2, True), (6, False)]
    for seed, (scale, grid) in enumerate([*kinds, (0, False), (1e-9, False), (60, False), (3000, False), (1, None)]):
        draw = Draw(seed, scale, bool(grid))
        given = list(inputs(draw))
        if grid is None:
            given = [x + 1e6 if x.dtype == torch.float64 and x.ndim > 1 else x for x in given]
        value = forward(*given, **row.parameters)
        up = [1 + 2 * torch.rand(value.shape, generator=draw.generator, dtype=value.dtype)]
        yield seed < len(kinds), given, up if row.form == "function" or value.ndim else []


def name(row: Row) -> str:
    return row.formula.rsplit("/", 1)[1].removesuffix(".yaml")


def case(row: Row) -> tuple[Any, Any, str]:
    found = second_reference if row.module.startswith("second.") else reference
    value, inputs, differentiated = found.REFERENCES[name(row)]
    return value, inputs, differentiated


def arranged(row: Row, called: list[Any]) -> list[Any]:
    """The arguments as the function of the row takes them."""
    if row.args is None:
        return called
    with open(row.formula, encoding="utf-8") as file:
        lines = [line.strip().partition(":")[0] for line in file if line.startswith("  ")]
    order = dict(zip(lines, called, strict=False))
    return [Label(order[a[6:-1]]) if a.startswith("label(") else order[a] for a in row.args.split(",")]


def wrt(row: Row, given: list[torch.Tensor]) -> list[torch.Tensor]:
    return [given[int(k)].requires_grad_() for k in case(row)[2]]


def truth(row: Row, given: list[torch.Tensor], up: list[torch.Tensor]) -> Arrays:
    given = [x.clone() for x in given]
    leaves = wrt(row, given)
    value = case(row)[0](*given, **row.parameters) * (len(given[0]) if row.reduction == "sum" else 1)
    grads = torch.autograd.grad(value, leaves, up or None, create_graph=True)
    if row.form == "hess":
        (leaf,) = leaves
        flat = grads[0].reshape(-1)
        second = [torch.autograd.grad(flat[k], leaf, retain_graph=True)[0].reshape(-1)[k] for k in range(len(flat))]
        grads = (*grads, torch.stack(second).reshape(leaf.shape))
    return [g.detach().numpy() for g in grads]


def answer(row: Row, given: list[torch.Tensor], up: list[torch.Tensor]) -> Arrays:
    function = getattr(importlib.import_module(f"tests.handwritten_faults.{row.module}"), row.function)
    given = [x.clone() for x in given]
    if row.form == "function":
        leaves = wrt(row, given)
        return [g.numpy() for g in torch.autograd.grad(function.apply(*given), leaves, up)]
    names = inspect.signature(function).parameters
    keywords = {k: v for k, v in row.parameters.items() if k in names}
    before = [x.clone() for x in (*given, *up)]
    called: list[Any] = [x.numpy() if row.backend == "numpy" else x for x in (*given, *up)]
    got = function(*arranged(row, called), **keywords)
    assert all(torch.equal(x, y) for x, y in zip(before, (*given, *up), strict=True)), "inputs were written to"
    got = got[1] if row.value else got
    return [np.asarray(g) for g in (got if isinstance(got, tuple) else (got,))]


def distance(got: Arrays, true: Arrays, entries: bool = False) -> float:
    """Of the largest entry, or of each; inf where the shape differs or one is not finite where the true one is."""
    worst = 0.0
    for g, t in zip(got, true, strict=True):
        finite = np.isfinite(t)
        if g.shape != t.shape or not np.isfinite(g[finite]).all():
            return float("inf")
        scale = np.abs(t[finite]) if entries else np.abs(t[finite]).max(initial=0.0)
        off = np.abs(g[finite] - t[finite])
        worst = max(worst, (off / np.maximum(scale, 1e-280)).max(initial=0.0) if off.any() else 0.0)
    return float(worst)


def check(row: Row, right: Row) -> str:
    """What is the matter, or nothing."""
    worst, extreme = 0.0, 0.0
    for ordinary, given, up in cases(row):
        try:
            got = answer(row, given, up)
        except (RuntimeError, ValueError):  # torch refuses a gradient of another shape, NumPy a product
            return "" if row.answers[0]["kind"] == "transposed" else "it is refused"
        except np.linalg.LinAlgError:
            extreme = np.inf
            continue
        if ordinary:
            worst = max(worst, distance(got, truth(row, given, up)))
        elif row.form == right.form:
            extreme = max(extreme, distance(got, answer(right._replace(parameters=row.parameters), given, up), True))
    if row.right:
        return f"differs by {worst:.1e}" if worst > 1e-9 else ""
    return "" if max(worst, extreme) > 1e-6 else f"does not differ: {worst:.1e}, {extreme:.1e}"


def main(names: list[str]) -> int:
    warnings.simplefilter("ignore", RuntimeWarning)
    rights = {(row.formula, row.module, row.form): row for row in ROWS if row.right}
    bad = 0
    for row in ROWS:
        if names and row.module not in names:
            continue
        own = rights.get((row.formula, row.module, row.form))
        right = own or next(r for r in rights.values() if r.formula == row.formula)
        if said := check(row, right):
            bad += 1
            print(f"{row.module}.{row.function} ({row.formula}): {said}")
    for rows in (table.ROWS, second_table.ROWS):
        wrong = [row for row in rows if not row.right]
        first = Counter(row.answers[0]["kind"] if row.answers and row.nameable else "(none)" for row in wrong)
        print(len(rows) - len(wrong), "right,", len(wrong), "wrong,", len({row.formula for row in rows}), "formulas")
        print(", ".join(f"{kind} {count}" for kind, count in first.most_common()))
    print(bad, "bad")
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
