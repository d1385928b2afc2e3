"""The certificate: what was checked, by which judge, at how many points of which kind, and the worst error of each.

certify(derivation, package).passed
"""

from __future__ import annotations

import gc
import platform
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from symgrad import limits
from symgrad.formula.program import Fact, Formula, Program
from symgrad.validate.autograd import judge_autograd
from symgrad.validate.conditioning import is_regular
from symgrad.validate.conduct import judge_conduct
from symgrad.validate.differences import judge_differences
from symgrad.validate.exhaustive import Sweep
from symgrad.validate.facts import judge_facts
from symgrad.validate.kernels import Kernels, NumpyKernels, TorchKernels
from symgrad.validate.kink_points import kink_points, unreached
from symgrad.validate.multiprecision import judge_multiprecision
from symgrad.validate.parts import judge_parts
from symgrad.validate.points import Point, normal_points
from symgrad.validate.precise import Closed
from symgrad.validate.printed import read_back
from symgrad.validate.reach import Reach, described, reach_of
from symgrad.validate.second.kernels import SecondKernels
from symgrad.validate.second.order import Points, hear_second
from symgrad.validate.special_points import special_points
from symgrad.validate.verdict import Failure, Judgement

SECONDS = 120.0
SMALL = 1000
"""Work of a special point in multiprecision; a normal one may have `FOR_DISTINCT` times as much."""
FOR_DISTINCT = 1
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
    reach: str = ""
    """How much of the protocol was done, in words."""
    looked_at: Sequence[Mapping[str, Any]] = ()
    """Every point: its kind, where it is, the shapes of its inputs, the judges that looked at it."""
    parts: tuple[Certificate, ...] = ()
    """Of a large formula: each formula that it uses, judged alone."""
    sweep: Sweep | None = None
    """The sweep over every float32 number, where it was asked for."""

    @property
    def passed(self) -> bool:
        """Whether every judge that ran found nothing wrong, and one ran, and so for each part."""
        swept = self.sweep is None or self.sweep.passed
        return bool(self.judges) and all(j.passed for j in self.judges) and all(p.passed for p in self.parts) and swept

    @property
    def points(self) -> int:
        """Points that all judges looked at together."""
        return sum(j.points for j in self.judges)

    @property
    def failure(self) -> Failure | None:
        """The first disagreement, in the formula or in one of its parts."""
        own = [j.failure for j in self.judges if j.failure is not None]
        return next(iter([*own, *(p.failure for p in self.parts if p.failure is not None)]), None)

    def to_json(self) -> dict[str, Any]:
        """The content of certificate.json; the same on one machine, without any time."""
        return {
            "certificate_of": "symgrad",
            "formula": self.formula,
            "formula_sha256": self.formula_sha256,
            "passed": self.passed,
            "judges": [j.to_json() for j in self.judges],
            "absent": [{"judge": judge, "why": why} for judge, why in self.absent],
            "reach": self.reach,
            **({"parts": [p.summary() for p in self.parts]} if self.parts else {}),
            **({"exhaustive": self.sweep.to_json()} if self.sweep is not None else {}),
            "points": self.points,
            "looked_at": list(self.looked_at),
            "seed": self.seed,
            "versions": dict(self.versions),
        }

    def summary(self) -> dict[str, Any]:
        """What stands of a part in the certificate of the whole."""
        own = self.to_json()
        kept = ("formula", "formula_sha256", "passed", "judges", "absent", "reach", "parts", "points")
        return {key: own[key] for key in kept if key in own}


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
    formula: Formula | None = None

    @property
    def kernels(self) -> tuple[Kernels, ...]:
        """The kernels that there are."""
        return tuple(k for k in (self.numpy, self.torch) if k is not None)


def certify(derivation: Any, package: Mapping[str, str], seed: int = 0) -> Certificate:
    """Judge the generated package of a derivation; `seed` chooses the points.

    Raises LimitError once the time for validation is used up.
    """
    trial, absent = bring(derivation, package)
    with limits.within(seconds=SECONDS, what="the validation"), set_aside():
        judges, missing, reach = hear_all(trial, seed)
        parts = judge_parts(reach.parts, package, seed, certify)
    formula: Formula = derivation.formula
    looked_at = described({j.judge: j.seen for j in judges})
    absent = (*absent, *missing)
    return Certificate(formula.name, formula.sha256, judges, absent, seed, versions(), reach.words, looked_at, parts)


@contextmanager
def set_aside() -> Iterator[None]:
    """In this block the collector of garbage does not look through what was there before, torch and all."""
    if gc.get_freeze_count():
        yield
        return
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


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
        program,
        wrt,
        numpy,
        torch,
        derivation.gradients,
        derivation.assumed,
        tuple(derivation.kinks),
        derivation.second,
        derivation.formula,
    )
    return trial, tuple(absent)


def hear(trial: Trial, seed: int) -> tuple[tuple[Judgement, ...], tuple[tuple[str, str], ...]]:
    """All judges that can be heard, and those that cannot with the reason."""
    return hear_all(trial, seed)[:2]


def hear_all(trial: Trial, seed: int) -> tuple[tuple[Judgement, ...], tuple[tuple[str, str], ...], Reach]:
    """All judges that can be heard, those that cannot with the reason, and how far they went."""
    program, absent = trial.program, []
    judges: list[Judgement] = []
    normal = list(normal_points(program, seed))
    small = list(normal_points(program, seed + 1, 3, FOR_DISTINCT * SMALL))
    special = list(special_points(program, seed, SMALL))
    kinks = list(kink_points(program, trial.kinks, seed))
    precise = [small[k] for k in (1, 0, 2) if k < len(small)] + special
    reach = reach_of(program, trial.formula, precise, trial.closed)
    if not trial.wrt:
        return (), (("all", "no input is differentiated"),), reach
    if has_torch():
        judges.append(judge_autograd(program, trial.wrt, trial.kernels, [*normal, *_finite(special), *kinks]))
        for kink in unreached(trial.kinks, kinks):
            judges[-1].skip(f"no point with a finite value was found on the kink {kink}")
    else:
        absent.append(("autograd", "torch is not installed"))
    if trial.numpy is not None:
        judges.append(judge_differences(program, trial.wrt, trial.numpy, normal[:4], seed))
    else:
        absent.append(("differences", "there are no NumPy kernels"))
    forms, unreadable = read_back(program, trial.closed)
    judges.append(judge_multiprecision(program, trial.wrt, trial.kernels, forms, reach.points, seed, trial.kinks))
    if unreadable is not None:
        judges[-1].fail(Failure(unreadable, "every point"))
    judges.append(judge_conduct(program, trial.kernels, [*normal[:2], *normal[4:5]]))
    if trial.numpy is not None:
        facts = judge_facts(program, trial.wrt, trial.numpy, trial.assumed, seed)
        judges += [facts] if facts.points else []
    if trial.second is not None:
        kernels = None if trial.numpy is None else SecondKernels(trial.numpy.module, program, trial.wrt)
        others = [p for p in (*_finite(special), *kinks) if is_regular(program, p.inputs, p.parameters)]
        points = Points(normal, others, reach.points)
        judges += hear_second(program, trial.wrt, trial.second, kernels, points, has_torch(), seed)
    return tuple(judges), tuple(absent), reach


def _finite(points: Sequence[Point]) -> list[Point]:
    """Special points whose kinks autograd can be asked about: the moderate ones."""
    return [p for p in points if not any(word in p.label for word in ("large", "ends", "infinitely"))]


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
