"""The certificate: what was checked, by which judge, at how many points of which kind, and the worst error of each.

certify(derivation, package).passed
"""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from types import ModuleType
from typing import Any

import numpy as np

from symgrad import limits
from symgrad.formula.program import Fact, Formula, Program
from symgrad.validate.autograd import judge_autograd
from symgrad.validate.conditioning import is_regular
from symgrad.validate.conduct import judge_conduct
from symgrad.validate.differences import judge_differences
from symgrad.validate.facts import judge_facts
from symgrad.validate.kernels import Kernels, NumpyKernels, TorchKernels
from symgrad.validate.multiprecision import judge_multiprecision
from symgrad.validate.points import Point, kink_points, normal_points, special_points
from symgrad.validate.precise import Closed
from symgrad.validate.printed import read_back
from symgrad.validate.sampling import work_of
from symgrad.validate.second.kernels import SecondKernels
from symgrad.validate.second.order import Points, hear_second
from symgrad.validate.sizes import bind_sizes
from symgrad.validate.verdict import Failure, Judgement

SECONDS = 120.0
SMALL = 1500
MOST_WORK = 2_000_000
"""Elements that multiprecision touches in all, for each direction in which it differentiates, about."""
A_TERM = 20
"""Elements that take as long as one more term does."""
"""Work of a point in multiprecision."""
LIBRARIES = ("symgrad", "numpy", "scipy", "mpmath", "torch")


@dataclass(frozen=True)
class Certificate:
    """The verdict on a package. `absent`: judges that did not run, and why."""

    formula: str
    formula_sha256: str
    judges: tuple[Judgement, ...]
    absent: tuple[tuple[str, str], ...]
    seed: int
    versions: Mapping[str, str] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """Whether every judge that ran found nothing wrong, and one ran."""
        return bool(self.judges) and all(j.passed for j in self.judges)

    @property
    def points(self) -> int:
        """Points that all judges looked at together."""
        return sum(j.points for j in self.judges)

    @property
    def failure(self) -> Failure | None:
        """The first disagreement."""
        return next((j.failure for j in self.judges if j.failure is not None), None)

    def to_json(self) -> dict[str, Any]:
        """The content of certificate.json; the same on one machine, without any time."""
        return {
            "certificate_of": "symgrad",
            "formula": self.formula,
            "formula_sha256": self.formula_sha256,
            "passed": self.passed,
            "judges": [j.to_json() for j in self.judges],
            "absent": [{"judge": judge, "why": why} for judge, why in self.absent],
            "points": self.points,
            "seed": self.seed,
            "versions": dict(self.versions),
        }


@dataclass(frozen=True)
class Trial:
    """What is on trial: a program as read, its generated kernels, and what the derivation says of it."""

    program: Program
    wrt: tuple[str, ...]
    numpy: NumpyKernels | None
    torch: TorchKernels | None
    closed: Sequence[Closed] = ()
    assumed: Sequence[Fact] = ()
    kinks: tuple[Any, ...] = ()
    second: Any = None
    """Second derivatives as the derivation has them, where there are any."""

    @property
    def kernels(self) -> tuple[Kernels, ...]:
        """The kernels that there are."""
        return tuple(k for k in (self.numpy, self.torch) if k is not None)


def certify(derivation: Any, package: Mapping[str, str], seed: int = 0) -> Certificate:
    """Judge the generated package of a derivation; `seed` chooses the points.

    Raises LimitError once the time for validation is used up.
    """
    trial, absent = bring(derivation, package)
    with limits.within(seconds=SECONDS, what="the validation"):
        judges, missing = hear(trial, seed)
    formula: Formula = derivation.formula
    return Certificate(formula.name, formula.sha256, judges, (*absent, *missing), seed, versions())


def bring(derivation: Any, package: Mapping[str, str]) -> tuple[Trial, tuple[tuple[str, str], ...]]:
    """Load the generated modules."""
    from symgrad.emit.load import load_module

    program: Program = derivation.program
    wrt = tuple(n for n in program.wrt if n in derivation.gradient_of or n in derivation.zero_inputs)
    absent: list[tuple[str, str]] = []
    numpy = torch = None
    if "numpy_kernels.py" in package:
        module: ModuleType = load_module(package["numpy_kernels.py"], f"{program.name}_numpy")
        numpy = NumpyKernels(module, program, wrt)
    if "torch_kernels.py" in package and has_torch():
        torch = TorchKernels(load_module(package["torch_kernels.py"], f"{program.name}_torch"), program, wrt)
    trial = Trial(
        program, wrt, numpy, torch, derivation.gradients, derivation.assumed, tuple(derivation.kinks), derivation.second
    )
    return trial, tuple(absent)


def hear(trial: Trial, seed: int) -> tuple[tuple[Judgement, ...], tuple[tuple[str, str], ...]]:
    """All judges that can be heard, and those that cannot with the reason."""
    program, absent = trial.program, []
    judges: list[Judgement] = []
    normal = list(normal_points(program, seed))
    small = list(normal_points(program, seed + 1, 3, 4 * SMALL))
    special = list(special_points(program, seed, SMALL))
    kinks = list(kink_points(program, trial.kinks, seed))
    if not trial.wrt:
        return (), (("all", "no input is differentiated"),)
    if has_torch():
        judges.append(judge_autograd(program, trial.wrt, trial.kernels, [*normal, *_finite(special), *kinks]))
    else:
        absent.append(("autograd", "torch is not installed"))
    if trial.numpy is not None:
        judges.append(judge_differences(program, trial.wrt, trial.numpy, normal[:4], seed))
    else:
        absent.append(("differences", "there are no NumPy kernels"))
    forms, unreadable = read_back(program, trial.closed)
    precise = affordable(program, [*small, *special])
    judges.append(judge_multiprecision(program, trial.wrt, trial.kernels, forms, precise, seed, trial.kinks))
    if unreadable is not None:
        judges[-1].fail(Failure(unreadable, "every point"))
    judges.append(judge_conduct(program, trial.kernels, [*normal[:2], *normal[4:5]]))
    if trial.numpy is not None:
        facts = judge_facts(program, trial.wrt, trial.numpy, trial.assumed, seed)
        judges += [facts] if facts.points else []
    if trial.second is not None:
        kernels = None if trial.numpy is None else SecondKernels(trial.numpy.module, program, trial.wrt)
        others = [p for p in (*_finite(special), *kinks) if is_regular(program, p.inputs, p.parameters)]
        points = Points(normal, others, precise)
        judges += hear_second(program, trial.wrt, trial.second, kernels, points, has_torch(), seed)
    return tuple(judges), tuple(absent)


def _sizes(program: Program, p: Point) -> Mapping[str, int]:
    return bind_sizes(program, {n: tuple(np.shape(a)) for n, a in p.inputs.items()}, p.parameters).dims


def affordable(program: Program, points: Sequence[Point]) -> list[Point]:
    """As many of the points, evenly spread, as multiprecision can look at: two at least."""
    terms = sum(s.body.size for s in program.statements)
    once = [work_of(program, _sizes(program, p), p.parameters) + A_TERM * terms for p in points]
    cost = sum(once) * (2 + len(program.wrt))
    count = max(2, int(len(points) * min(1.0, MOST_WORK / max(1, cost))))
    return [points[k * len(points) // count] for k in range(min(count, len(points)))]


def _finite(points: Sequence[Point]) -> list[Point]:
    """Special points whose kinks autograd can be asked about: the moderate ones."""
    return [p for p in points if "large" not in p.label and "ends" not in p.label]


def has_torch() -> bool:
    """Whether torch is installed."""
    return find_spec("torch") is not None


def versions() -> dict[str, str]:
    """Versions of Python and of the libraries that had a say."""
    found = {"python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
