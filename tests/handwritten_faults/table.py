"""What is wrong in each hand-written gradient of this folder, and which answers name it; data only.

`ROWS` are lines `function options | answers | what is wrong`, under heads `[formula module form backend]`.

- Formulas are those of `formulas/`; `own/` is the folder `formulas` beside this file.
- Forms: `grad`, `function` (a torch.autograd.Function), `hess` (gradient and diagonal of the Hessian).
  The option `+value` makes it (value, gradient). Gradients are in the inputs' order, one for each real input that is
  not given.
- Options `name=value` are parameters at which the fault shows; `hard` marks what I expect to be hard to name.
- Answers stand between `;`, each of them right, the most natural first: a kind of `check --json`, an expression in the
  formula's own names, and `@` with the inputs (or `hessian`) that are wrong, if not all. Got = factor * right: an extra
  factor e and a missing factor 1/e are the same answer. A missing term is right - got, an extra one got - right.
  Where inputs differ in their cause, each has an answer, and one of them is enough.
- A factor that is missing within a sum (`hard`) is named as it stands there; it is no quotient of the two gradients.
- Right ones are right wherever their formula has a value and a gradient at ordinary magnitudes, kinks and float64
  overflow of the exponential included; `y - t` is taken for right, though a saturated y loses its digits.
- `~` before the answers, or `-` for none: belongs to no nameable class; what is said there would still be true.
"""

import re
from typing import NamedTuple

from tests.handwritten_faults import table_layers, table_losses, table_others

FOLDERS = {"own": "tests/handwritten_faults/formulas", "second": "tests/handwritten_faults/second/formulas"}
ARGUMENT = {
    "factor": "factor",
    "extra_factor": "expression",
    "missing_factor": "expression",
    "missing_term": "term",
    "extra_term": "term",
    "region": "region",
    "kink": "at",
    "upstream": "detail",
}


class Row(NamedTuple):
    """One function: where it stands, how it is called, and what a good answer says of it."""

    formula: str
    module: str
    function: str
    form: str
    backend: str
    value: bool
    hard: bool
    parameters: dict[str, float]
    nameable: bool
    answers: list[dict[str, str]]
    what: str
    reduction: str = "mean"
    args: str | None = None

    @property
    def right(self) -> bool:
        return [answer["kind"] for answer in self.answers] == ["right"]


def read(text: str) -> list[Row]:
    rows: list[Row] = []
    head: list[str] = []
    for line in text.replace("\n    ", " ").splitlines():
        if line.startswith("["):
            head = line.strip("[]").split()
        elif line.strip():
            name, answers, *what = [part.strip() for part in line.split(" | ")]
            rows.append(_row(head, name.split(), answers, what))
    return rows


def _row(head: list[str], words: list[str], answers: str, what: list[str]) -> Row:
    formula, module, form, backend = head
    where, _, file = formula.partition("/")
    path = f"{FOLDERS[where]}/{file}" if where in FOLDERS else f"formulas/{formula}"
    options = dict(w.split("=") for w in words if "=" in w)
    reduction, args = options.pop("reduction", "mean"), options.pop("args", None)
    parameters = {key: float(value) for key, value in options.items()}
    listed = [] if answers == "-" else [_answer(a.strip()) for a in answers.lstrip("~").split(" ; ")]
    marks = "+value" in words, "hard" in words, parameters, answers[0] not in "~-"
    return Row(path, module, words[0], form, backend, *marks, listed, "".join(what), reduction, args)


def _answer(text: str) -> dict[str, str]:
    found = re.fullmatch(r"(\w+)(?: (?!@\w)(.*?))?(?: @([\w,]+))?", text)
    assert found, text
    kind, argument, inputs = found.groups()
    answer = {"kind": kind}
    if argument:
        answer[ARGUMENT[kind]] = argument
    if inputs:
        answer["inputs"] = inputs
    return answer


ROWS = [row for module in (table_losses, table_layers, table_others) for row in read(module.ROWS)]
