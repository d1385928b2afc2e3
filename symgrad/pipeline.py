"""The derivation as a table of contents: what is read, derived, emitted, judged, reported and written, in that order.

formula text -> Formula -> Derivation -> package of kernels -> certificate -> reports -> folder NAME/
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from importlib import import_module
from itertools import count
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from symgrad import catalogue, limits, staging
from symgrad.errors import SymgradError, UsageError, VerdictError, listing, nearest

if TYPE_CHECKING:
    from symgrad.closing.derivation import Derivation
    from symgrad.formula.program import Formula, Program
    from symgrad.gradients import GradientExpression, HessianExpression
    from symgrad.handwritten.checked import Checked
    from symgrad.rewrite.rule import Step
    from symgrad.validate.certificate import Certificate

TARGETS = ("numpy", "torch")
REPORTS = ("tex", "html", "pdf")


def derive(  # noqa: PLR0913  options by keyword
    source: str | os.PathLike[str] | Formula | Mapping[str, object],
    *,
    wrt: Sequence[str] | None = None,
    order: int = 1,
    targets: Sequence[str] = TARGETS,
    time_limit: float = limits.SECONDS,
    memory_limit: int = limits.GROWTH,
    observer: Callable[[Step], None] | None = None,
    check: bool = True,
    inline: bool = False,
) -> Result:
    """The closed-form gradients of a formula, and kernels for them.

    `source`: a path, a catalogue name, a Formula, or a mapping of the keys of a formula file. `wrt`: the inputs to
    differentiate instead of the formula's own choice. `order`: 2 for the Hessian of a loss too. `observer` is called
    with each rewrite as it fires. `inline`: closed forms go through used formulas instead of stopping at their names.
    Raises FormulaError (with the place), UnsupportedError, LimitError, UsageError; VerdictError where an `expect`ed
    closed form is not what was derived, unless `check` is false.
    """
    from symgrad.closing.derivation import derive_formula

    if order not in (1, 2):
        raise UsageError(f"order {order!r} is not known\n = help: 1 gives gradients, 2 the Hessian too")
    load()  # before the clock starts
    targets = chosen("target", targets, TARGETS)
    start = time.monotonic()
    with limits.within(time_limit, memory_limit):
        formula = read(source)
        derivation = derive_formula(formula, None if wrt is None else tuple(wrt), observer, inline, order)
    result = Result(derivation, targets, time.monotonic() - start)
    if check:
        result.check_expected()
    return result


def check(  # noqa: PLR0913  options by keyword
    source: str | os.PathLike[str] | Formula | Mapping[str, object],
    against: str | Callable[..., object],
    *,
    framework: str = "numpy",
    wrt: Sequence[str] | None = None,
    order: int = 1,
    reduction: str = "mean",
    parameters: Mapping[str, float | str] | None = None,
    args: str | None = None,
    seed: int = 0,
    label: str | None = None,
    time_limit: float = limits.SECONDS + limits.VALIDATION_SECONDS,
) -> Checked:
    """Whether a hand-written gradient is that of a formula, and if not, what is wrong with it.

    `against`: `module:function` or `file.py:function`, which then runs in a process of its own, or a function, which
    runs here. `framework`: what it takes, numpy or torch. `reduction`: what its gradient is of, mean or sum. `args`:
    the order of its arguments where that is not the formula's. `label`: the formula's name in the command that repeats
    it. `time_limit`: after half of it no more points are looked at.
    Raises what `derive` raises, and UsageError for a function that cannot be loaded; one that raises is a negative
    verdict.
    """
    from symgrad.handwritten.checked import Asked, check_formula

    told = label or (os.fspath(source) if isinstance(source, (str, os.PathLike)) else "FORMULA")
    known = None if wrt is None else tuple(wrt)
    asked = Asked(told, against, framework, known, order, reduction, dict(parameters or {}), args, seed)
    load()
    formula = read(source)

    def derived() -> Derivation:
        return derive(formula, wrt=wrt, order=order, check=False, time_limit=limits.left()).derivation

    with limits.within(time_limit, what="the check"):
        return check_formula(asked, formula, derived)


def load() -> None:
    """Import what reading, deriving and printing need, so that no limit of time or memory falls on it."""
    for module in ("formula.reader", "closing.derivation", "report.terminal"):
        import_module(f"symgrad.{module}")


def read(source: str | os.PathLike[str] | Formula | Mapping[str, object]) -> Formula:
    """The formula of a path, a catalogue name, a mapping or a Formula."""
    from symgrad.formula import reader
    from symgrad.formula.program import Formula

    if isinstance(source, Formula):
        return source
    if isinstance(source, Mapping):
        return reader.read_mapping(source)
    if isinstance(source, os.PathLike) or is_path(source):
        return reader.read_file(os.fspath(source))
    return reader.read_file(str(catalogue.find(source)))


def read_bytes(text: bytes, label: str) -> Formula:
    """The formula of the bytes of a file that messages call `label`."""
    from symgrad.formula import reader

    return reader.read_bytes(text, label)


def explainer(formula: Formula, say: Callable[[str], None], width: int, encoding: str) -> Callable[[Step], None]:
    """An observer that says each rewrite as it fires, numbered."""
    from symgrad.report.notation import notation_of
    from symgrad.report.terminal import Style, step_text

    notation, style, number = notation_of(formula.program), Style(width, encoding), count(1)
    return lambda step: say(step_text(step, notation, style, next(number)))


def is_path(argument: str) -> bool:
    """Whether an argument means a file or folder rather than a name of the catalogue."""
    return argument.endswith((".yaml", ".yml")) or argument == "-" or os.sep in argument


def chosen(option: str, words: Sequence[str], known: Sequence[str]) -> tuple[str, ...]:
    """The words of an option in the order of `known`; UsageError names the nearest of an unknown one."""
    for word in words:
        if word not in known:
            close = nearest(word, known)
            help = f"did you mean {close}?" if close else f"known are {listing(known)}"
            raise UsageError(f"unknown {option} {word!r}\n = help: {help}")
    return tuple(k for k in known if k in words)


class Result:
    """A derived formula. Kernels, verdict and reports are made when they are first asked for."""

    def __init__(self, derivation: Derivation, targets: Sequence[str] = TARGETS, seconds: float = 0.0) -> None:
        self.derivation, self.targets = derivation, tuple(targets)
        self.certificate: Certificate | None = None
        self.seconds = {"derive": seconds}
        """How long each phase took: `derive`: reading and closed forms; `kernels`: choosing forms and writing; ..."""

    @property
    def formula(self) -> Formula:
        """The formula as it was read."""
        return self.derivation.formula

    @property
    def name(self) -> str:
        """The name of the formula, and of the package that `write` makes."""
        return self.formula.name

    @property
    def steps(self) -> tuple[Step, ...]:
        """The derivation: each rewrite with its rule, law, and the term before and after."""
        return self.derivation.steps

    @cached_property
    def gradients(self) -> Mapping[str, GradientExpression]:
        """Input -> its closed-form gradient, a SymPy expression with `.latex`, `.closed` and `.axes`."""
        from symgrad.gradients import gradient_expression

        return {g.input: gradient_expression(g, self.derivation) for g in self.derivation.gradients}

    @cached_property
    def hessians(self) -> Mapping[str, HessianExpression]:
        """Input -> its Hessian's `.diagonal` and product `.hvp` with a direction, SymPy expressions; for order 2."""
        from symgrad.gradients import hessian_expression

        second = self.derivation.second
        if second is None:
            raise UsageError(f"{self.name} was derived without order=2")
        return {h.input: hessian_expression(h, self.derivation) for h in second.hessians}

    @property
    def latex(self) -> str:
        """The closed forms as LaTeX, a line a gradient."""
        from symgrad.report.latex_terms import latex_gradients

        return latex_gradients(self.derivation)

    def _repr_latex_(self) -> str:
        return f"$$\\begin{{gathered}}{self.latex}\\end{{gathered}}$$"

    @cached_property
    def package(self) -> Mapping[str, str]:
        """File name -> source text of the generated package."""
        from symgrad.emit.package import emit_package

        start = time.monotonic()
        with limits.within(what="writing the kernels"):
            package = emit_package(self.derivation, self.targets)
        self.seconds["kernels"] = time.monotonic() - start
        return package

    @cached_property
    def numpy(self) -> ModuleType:
        """The generated NumPy module, in memory."""
        return self._module("numpy")

    @cached_property
    def torch(self) -> ModuleType:
        """The generated torch module, in memory."""
        return self._module("torch")

    def _module(self, target: str) -> ModuleType:
        from symgrad.emit.load import load_module

        if target not in self.targets:
            raise UsageError(f"{self.name} was derived without the target {target}")
        return load_module(self.package[f"{target}_kernels.py"], f"{self.name}.{target}_kernels")

    def validate(self, seed: int = 0) -> Certificate:
        """The certificate: what independent judges say of the generated kernels."""
        from symgrad.validate.certificate import certify

        if self.certificate is None or self.certificate.seed != seed:
            start = time.monotonic()
            with limits.within(limits.VALIDATION_SECONDS, what="the validation"):
                self.certificate = certify(self.derivation, dict(self.package), seed)
            self.seconds["validate"] = time.monotonic() - start
        return self.certificate

    def exhaust(self, stride: int = 1, progress: Callable[[float], None] | None = None) -> str:
        """Try every `stride`-th float32 number; the certificate holds what was found, the text says it.

        Raises UsageError unless the formula is elementwise in one real input. It takes minutes; `progress` is told the
        part that is done.
        """
        from dataclasses import replace

        from symgrad.validate.certificate import bring
        from symgrad.validate.exhaustive import sweep

        certificate = self.validate(0 if self.certificate is None else self.certificate.seed)
        trial, _ = bring(self.derivation, {n: t for n, t in self.package.items() if n.startswith("numpy")})
        if trial.numpy is None:
            raise UsageError("--exhaustive needs the NumPy kernels\n = help: leave --target out")
        found = sweep(trial.program, trial.numpy, trial.closed, stride, progress)
        self.certificate = replace(certificate, sweep=found)
        return f"every float32   {found}"

    @cached_property
    def refuted(self) -> Mapping[str, str]:
        """Input -> where its closed form differs from what the formula expects, for each that does."""
        undecided = [e for e in self.derivation.expected if e.proven is not True]
        if not undecided:
            return {}
        from symgrad.validate.expected import refutation

        program, found = self._program_of_forms(), {}
        with limits.within(limits.VALIDATION_SECONDS, what="the check of `expect`"):
            for e in undecided:
                said = refutation(e.expected, e.derived, program, e.where)
                if said is not None:
                    found[e.input] = said
        return found

    def check_expected(self) -> None:
        """VerdictError where a closed form that the formula expects is not what was derived."""
        if self.refuted:
            kinds = {e.input: e.expected.kind for e in self.derivation.expected}
            plain = {key: kinds[key] == "gradient" for key in self.refuted}
            said = [f"  {'d' * plain[key]}{where}" for key, where in self.refuted.items()]
            names = listing(self.refuted)
            what = "the gradient of " if all(plain.values()) else ""
            raise VerdictError("\n".join([f"{what}{names} is not what `expect` says", *said]))

    def _program_of_forms(self) -> Program:
        """The program of which the closed forms speak: with the directions, for order 2."""
        from symgrad.validate.second.kernels import with_directions

        program, second = self.derivation.program, self.derivation.second
        return program if second is None else with_directions(program, second.directions)

    def check_verdict(self) -> None:
        """VerdictError where a judge disagrees with the kernels, with what each says."""
        if self.certificate is not None and not self.certificate.passed:
            said = [
                f"  {j.judge}: {j.failure or 'found no point to look at'}"
                for j in self.certificate.judges
                if not j.passed
            ]
            if self.certificate.sweep is not None and not self.certificate.sweep.passed:
                said.append(f"  every float32: {self.certificate.sweep}")
            raise VerdictError("\n".join([f"the validation of {self.name} failed", *said]))

    def text(self, width: int = 80, encoding: str = "utf-8") -> str:
        """The loss and the closed forms in Unicode mathematics, what was assumed, kinks and hints, for a terminal."""
        from symgrad.report.terminal import Style, derivation_text

        return derivation_text(self.derivation, Style(width, encoding))

    def verdict_text(self, width: int = 80, encoding: str = "utf-8") -> str:
        """A line a judge and the verdict, for a terminal."""
        from symgrad.report.terminal import Style, verdict_text

        return verdict_text(self.certificate, Style(width, encoding))

    def document(self, out: str | None = None) -> dict[str, object]:
        """The JSON document that `derive --json` prints."""
        from symgrad.document import document

        return document(self.derivation, self.certificate, out, self.seconds, self.refuted)

    def files(self, report: Sequence[str] = REPORTS) -> tuple[dict[str, bytes], list[str]]:
        """File name -> content of all that `write` writes, and a line for each thing that could not be made."""
        from symgrad.document import certificate_text

        texts, notes = dict(self.package), []
        if report:
            texts |= self._report_texts()
        files = {name: text.encode() for name, text in texts.items()}
        if "pdf" in report:
            from symgrad.report.pdf import build_pdf

            pdf, why = build_pdf(texts["report.tex"])
            if pdf is not None:
                files["report.pdf"] = pdf
            else:
                notes.append(why)
        for kind in ("tex", "html"):
            if kind not in report:
                files.pop(f"report.{kind}", None)
        names = [*files, staging.CERTIFICATE]
        files[staging.CERTIFICATE] = certificate_text(self.derivation, self.certificate, names, self.refuted).encode()
        return files, notes

    def _report_texts(self) -> dict[str, str]:
        from symgrad.report.html import render_html
        from symgrad.report.tex import render_tex

        kernels = {name: text for name, text in self.package.items() if name.endswith("_kernels.py")}
        return {
            "report.tex": render_tex(self.derivation, self.certificate, kernels),
            "report.html": render_html(self.derivation, self.certificate, kernels),
        }

    def write(
        self, folder: str | os.PathLike[str] = ".", *, report: Sequence[str] = REPORTS, force: bool = False
    ) -> Path:
        """The package as folder/NAME/, in one step; UsageError where that holds something else, unless `force`."""
        files, _ = self.files(chosen("report", report, REPORTS))
        return staging.write(Path(folder), self.name, files, force)


__all__ = ["REPORTS", "TARGETS", "Result", "SymgradError", "check", "derive", "read"]
