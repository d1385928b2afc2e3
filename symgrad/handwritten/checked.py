"""What a check gives its users: the verdict, its text and its document, and the command that repeats it."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction

from symgrad.closing.derivation import Derivation
from symgrad.errors import UsageError
from symgrad.formula.program import Formula
from symgrad.handwritten.calling import Callee
from symgrad.handwritten.hypotheses import Cause
from symgrad.handwritten.process import CALL_SECONDS, Here, Process
from symgrad.handwritten.text import document, verdict_text
from symgrad.handwritten.trial import Options, check_gradient
from symgrad.handwritten.verdict import Verdict, Worst
from symgrad.report.terminal import Style

FRAMEWORKS = ("numpy", "torch")
REDUCTIONS = ("mean", "sum")


@dataclass(frozen=True)
class Asked:
    """What is checked against what. `source`: the formula as the user named it."""

    source: str
    against: str | Callable[..., object]
    framework: str = "numpy"
    wrt: tuple[str, ...] | None = None
    order: int = 1
    reduction: str = "mean"
    parameters: Mapping[str, float | str] = field(default_factory=dict)
    args: str | None = None
    seed: int = 0
    call_seconds: float = CALL_SECONDS

    def __post_init__(self) -> None:
        for option, word, known in (("with", self.framework, FRAMEWORKS), ("reduction", self.reduction, REDUCTIONS)):
            if word not in known:
                raise UsageError(f"unknown {option} {word!r}\n = help: known are {' and '.join(known)}")
        if isinstance(self.against, str) and not all(self.against.rpartition(":")[::2]):
            raise UsageError(
                f"--against {self.against!r} names no function\n = help: module:function or file.py:function"
            )

    @property
    def name(self) -> str:
        """How the function is called in messages."""
        return self.against if isinstance(self.against, str) else getattr(self.against, "__name__", "the function")

    @property
    def numbers(self) -> Mapping[str, Fraction]:
        """The parameters that were given, exactly as they were written."""
        return {n: _number(n, v) for n, v in self.parameters.items()}

    @property
    def again(self) -> str:
        """The command that repeats the check."""
        words = ["symgrad", "check", self.source, "--against", self.name]
        words += ["--with", self.framework] if self.framework != "numpy" else []
        words += ["--wrt", ",".join(self.wrt)] if self.wrt else []
        words += ["--order", str(self.order)] if self.order != 1 else []
        words += ["--reduction", self.reduction] if self.reduction != "mean" else []
        words += [w for n, v in self.parameters.items() for w in ("--param", f"{n}={v}")]
        words += ["--args", self.args] if self.args else []
        return shlex.join([*words, "--seed", str(self.seed)])


def _number(name: str, v: float | str) -> Fraction:
    try:
        return Fraction(str(v))
    except (ValueError, ZeroDivisionError):
        raise UsageError(f"--param {name}={v} is no number") from None


@dataclass(frozen=True)
class Checked:
    """The verdict on a hand-written gradient."""

    derivation: Derivation
    verdict: Verdict
    asked: Asked

    @property
    def passed(self) -> bool:
        """Whether it is right."""
        return self.verdict.passed

    @property
    def cause(self) -> Cause | None:
        """What is wrong: `kind` and `detail`; of a right gradient what is to be said of its digits."""
        return self.verdict.cause

    @property
    def worst(self) -> Worst | None:
        """The worst element with what each judge says of it."""
        return self.verdict.worst

    def text(self, width: int = 80, encoding: str = "utf-8") -> str:
        """What the command prints."""
        return verdict_text(self.derivation, self.verdict, self.asked.again, Style(width, encoding))

    def document(self) -> Mapping[str, object]:
        """The JSON document of the command."""
        return document(self.derivation, self.verdict, self.asked.name, self.asked.again)

    def __str__(self) -> str:
        return self.text()


def check_formula(asked: Asked, formula: Formula, derived: Callable[[], Derivation]) -> Checked:
    """Start the function's process, derive meanwhile, then check."""
    known = [p.name for p in formula.program.parameters]
    with callee_of(asked, known) as (callee, ready):
        derivation = derived()
        ready()
        options = Options(asked.order, asked.reduction, asked.numbers, asked.args, asked.seed)
        return Checked(derivation, check_gradient(derivation, callee, options), asked)


@contextmanager
def callee_of(asked: Asked, known: list[str]) -> Iterator[tuple[Callee, Callable[[], None]]]:
    """The function, and what waits until it can be called."""
    if not isinstance(asked.against, str):
        yield Here(asked.against, asked.framework, known), lambda: None
        return
    with Process(asked.against, asked.framework, known, asked.call_seconds) as process:
        yield process, process.ready
