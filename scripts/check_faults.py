"""The gradients of tests/handwritten_faults and what `symgrad check` says of each: a table, and how many it names.

PYTHONPATH=. python scripts/check_faults.py [--second] [MODULE.FUNCTION...]

A wrong one is named right where the kind on the first line is one of the answers in the table, for the input that the
answer is about. A parameter at which the fault shows is given where the function has no argument of its name.
"""

from __future__ import annotations

import importlib
import inspect
import sys
import time
from collections import Counter
from collections.abc import Mapping

from symgrad.handwritten.checked import Checked
from symgrad.pipeline import check
from tests.handwritten_faults import table
from tests.handwritten_faults.second import table as second_table
from tests.handwritten_faults.table import Row

SAME = {"missing_factor": "extra_factor"}
"""Got = factor * right: an extra factor e and a missing factor 1/e are the same answer."""


def checked(row: Row) -> Checked:
    """What check says of a row."""
    function = getattr(importlib.import_module(f"tests.handwritten_faults.{row.module}"), row.function)
    own = function.forward if inspect.isclass(function) else function
    parameters = {n: v for n, v in row.parameters.items() if n not in inspect.signature(own).parameters}
    order = 2 if row.form == "hess" else 1
    return check(
        row.formula,
        function,
        framework=row.backend,
        order=order,
        reduction=row.reduction,
        parameters=parameters,
        args=row.args,
    )


def is_named(row: Row, result: Checked) -> bool:
    """Whether the cause is one of the answers, for one of their inputs."""
    cause, target = result.cause, result.verdict.target
    if cause is None:
        return False
    label = "" if target is None else "hessian" if target.what != "gradient" else target.name
    return any(
        SAME.get(a["kind"], a["kind"]) == SAME.get(cause.kind, cause.kind) and _is_of(label, a) for a in row.answers
    )


def _is_of(label: str, answer: Mapping[str, str]) -> bool:
    return "inputs" not in answer or not label or label in answer["inputs"].split(",")


def mark(row: Row, result: Checked) -> str:
    """ok: as it should be; NO: not so; ?: of no nameable class, and something else is said."""
    if row.right:
        return "ok" if result.passed else "NO"
    if result.passed and not (result.cause is not None and is_named(row, result)):
        return "NO"
    return "ok" if is_named(row, result) else "NO" if row.nameable else "?"


def line(row: Row, result: Checked, seconds: float) -> str:
    """A row of the table; where it is not as it should be, with what it should say."""
    what = "right" if result.passed else "wrong"
    kind = f" {result.cause.kind}: {result.cause.detail}" if result.cause is not None else ""
    of = f" [{result.verdict.target.label}]" if result.verdict.target is not None else ""
    said = mark(row, result)
    more = "" if said == "ok" else f"\n       expected {row.answers}; {row.what}"
    hard = " hard" if row.hard else ""
    return f"{said:<2} {row.module}.{row.function}{hard} {seconds:.1f} s {what}{kind}{of}{more}"


def main(names: list[str]) -> int:
    """Print the table; how many rows are not as they should be."""
    counts: Counter[str] = Counter()
    kinds: dict[str, Counter[str]] = {}
    rows = second_table.ROWS if "--second" in names else table.ROWS
    names = [name for name in names if name != "--second"]
    for row in rows:
        if names and f"{row.module}.{row.function}" not in names and row.module not in names:
            continue
        start = time.monotonic()
        result = checked(row)
        said = mark(row, result)
        print(line(row, result, time.monotonic() - start), flush=True)
        group = "right" if row.right else "nameable" if row.nameable else "others"
        counts[group, said] += 1  # type: ignore[index]
        if not row.right:
            counts["found wrong" if not result.passed else "passed"] += 1
        if group == "nameable":
            kinds.setdefault(row.answers[0]["kind"], Counter())[said] += 1
    for kind, seen in sorted(kinds.items()):
        print(f"{kind:<16}{seen['ok']} of {seen.total()}")
    print({str(k): v for k, v in counts.items()})
    return sum(v for k, v in counts.items() if k[1] == "NO")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
