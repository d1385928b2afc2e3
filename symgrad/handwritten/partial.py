"""Parts of a formula that were not differentiated: a term that is left out, or a name or factor taken for a constant.

loss = t*log(p) + (1 - t)*log(1 - p)    without the derivative of (1 - t)*log(1 - p)
u = (x - m)*s                           with s taken for a constant

The part is replaced by an array of its values, and torch differentiates what is left.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from symgrad.algebra.build import Fresh, power, rebuild
from symgrad.algebra.show import show
from symgrad.algebra.terms import MINUS_ONE, ONE, ZERO, Term, extent, get, walk
from symgrad.formula.program import Input, Program, Statement
from symgrad.handwritten.constants import Constant, Measured, identify
from symgrad.handwritten.hypotheses import Cause, Evidence, Hypothesis, Predict
from symgrad.handwritten.samples import Sample, Target
from symgrad.handwritten.scenes import Array, Scene, is_batch
from symgrad.handwritten.spots import Spot, shown, spots
from symgrad.validate.autograd import reference
from symgrad.validate.backends import EvaluationError
from symgrad.validate.certificate import has_torch
from symgrad.validate.kernels import Call

DETACHED = "detached"
MOST = 120
"""Parts that are looked at."""
TOLERANCE = 1e-7
SMALLEST = 1e-9
"""Of the gradient: what a part has to make up to be one."""


@dataclass(frozen=True)
class Part:
    """Subterms with their free indices, by the name of the input that the program has in their place."""

    terms: Mapping[str, tuple[Term, tuple[Term, ...]]]
    text: str
    program: Program

    def gradient(self, scene: Scene, target: Target) -> Array | None:
        """What comes through this part alone: the gradient less that of the rest."""
        key = ("part", self.text, target.name)
        if key not in scene.memo:
            scene.memo[key] = self._gradient(scene, target)
        found: Array | None = scene.memo[key]
        return found

    def _gradient(self, scene: Scene, target: Target) -> Array | None:
        try:
            values = {n: scene.term(t, indices) for n, (t, indices) in self.terms.items()}
            inputs = {**scene.point.inputs, **values}
            call = Call(inputs, scene.point.parameters, scene.point.upstream)
            rest = reference(self.program, (target.name,), call).gradients[target.name]
        except (EvaluationError, KeyError):
            return None
        with np.errstate(all="ignore"):
            return np.asarray(scene.of(target.form) - scene.factor * rest)


def by_part(evidence: Evidence, program: Program) -> Cause | None:
    """The cause where what comes through one part of the formula is missing, or has another factor."""
    target = evidence.samples[0].target
    if target.what != "gradient" or not has_torch():
        return None
    return evidence.first(_hypotheses(evidence, program, target))


def _hypotheses(evidence: Evidence, program: Program, target: Target) -> Iterator[Hypothesis]:
    for count, part in enumerate(parts(program)):
        if count >= MOST:
            return
        measured = []
        for s in evidence.wrong[:1] + evidence.samples:
            k = _share(s, part.gradient(s.scene, target))
            if k is None:
                break
            if np.isfinite(k):
                measured.append(Measured(s.scene, k))
        else:
            found = _coefficient(measured, program)
            if found is not None and found != Constant(ONE):
                yield Hypothesis(_named(part, found), _predicted(part, found, target))


def _share(s: Sample, part: Array | None) -> float | None:
    """c with got = right + (c - 1)*part; nan where the part is as good as 0 and nothing is wrong, None without one."""
    if part is None or part.shape != s.got.shape or not np.all(np.isfinite(part)) or not np.all(np.isfinite(s.got)):
        return None
    gap, top = s.got - s.expected, float(np.max(np.abs(part), initial=0.0))
    if top <= SMALLEST * float(np.max(np.abs(s.expected), initial=0.0)):
        return float("nan") if s.is_right else None
    unit = (part / top).ravel()
    c = float(unit @ (gap / top).ravel() / (unit @ unit))
    size = float(np.max(np.abs(gap), initial=0.0))
    return 1 + c if np.all(np.abs(gap - c * part) <= TOLERANCE * max(size, top)) else None


def _coefficient(measured: list[Measured], program: Program) -> Constant | None:
    """The factor of the part as an expression; 0 is one of them."""
    if not measured:
        return None
    if all(abs(m.value) < TOLERANCE for m in measured):
        return Constant(ZERO)
    return identify(measured, program)


def _predicted(part: Part, found: Constant, target: Target) -> Predict:
    def predict(scene: Scene) -> Array | None:
        own = part.gradient(scene, target)
        c = 0.0 if found.term is ZERO else found.at(scene)
        return None if own is None else scene.of(target.form) + (c - 1) * own

    return predict


def _named(part: Part, found: Constant) -> Cause:
    if found.term is ZERO:
        text = f"the derivative of {part.text} is missing: it is taken for a constant"
        if len(part.terms) > 1:
            text = f"the derivatives of {part.text} are missing: they are taken for constants"
        return Cause("missing_term", text)
    if found.term is MINUS_ONE:
        return Cause("sign", f"the sign of the term that comes from {part.text} is flipped")
    kind = "extra_factor" if any(x.op == "par" for x in walk(found.term)) else "factor"
    inverse = power(found.term, MINUS_ONE)
    if kind == "extra_factor" and inverse.op == "par":
        return Cause("missing_factor", f"the factor {show(inverse)} is missing in the term that comes from {part.text}")
    return Cause(kind, f"{show(found.term)} times the term that comes from {part.text}")


# ---- parts ----------------------------------------------------------------------------------------------------------


def parts(program: Program) -> Iterator[Part]:
    """Names first, then subterms of statements, large ones first, then several of a kind together."""
    moving = _moving(program)
    statements = [s for s in program.statements if s.recurrence is None]
    for s in statements:
        if s.name in moving and s not in program.outputs:
            yield _part(program, s, (Spot(s.body, lambda x: x, s.indices, True, 0),), s.name)
    found = [
        (spot.depth, k, s, spot)
        for s in statements
        for k, spot in enumerate(spots(s.body, s.indices, Fresh()))
        if spot.depth and spot.term.tensors & moving
    ]
    for _, _, s, spot in sorted(found, key=lambda f: f[:2]):
        yield _part(program, s, (spot,), f"{shown(spot.term, spot.context)}{_in(s, program)}")
    for s in statements:
        for group in _alike([spot for _, _, own, spot in found if own is s and spot.context == s.indices]):
            text = " and ".join(shown(spot.term, spot.context) for spot in group)
            yield _part(program, s, group, f"{text}{_in(s, program)}")


def _in(s: Statement, program: Program) -> str:
    return "" if s in program.outputs else f" in {s.name}"


def _alike(found: Sequence[Spot]) -> Iterator[tuple[Spot, ...]]:
    """Powers of one exponent, or values of one function, that stand beside each other."""
    kinds: dict[object, dict[Term, Spot]] = {}
    for spot in found:
        t = spot.term
        if t.op in ("pow", "fn"):
            kinds.setdefault((t.op, t.args[1] if t.op == "pow" else t.data), {}).setdefault(t, spot)
    for group in kinds.values():
        if len(group) > 1 and not any(a in set(walk(b)) for a in group for b in group if a is not b):
            yield tuple(group.values())


def _moving(program: Program) -> frozenset[str]:
    """Names that depend on a differentiated input."""
    found = set(program.wrt)
    for _ in program.statements:
        found |= {s.name for s in program.statements if s.body.tensors & found}
    return frozenset(found)


def _part(program: Program, s: Statement, group: Sequence[Spot], text: str) -> Part:
    terms, inputs, instead = {}, [], {}
    for k, spot in enumerate(group):
        free = tuple(sorted((i for i in spot.context if i in spot.term.free), key=lambda i: not is_batch(i)))
        name = f"{DETACHED}{k}"
        terms[name] = spot.term, free
        batch, shape = any(map(is_batch, free)), tuple(extent(i) for i in free if not is_batch(i))
        inputs.append(Input(name, shape, batch, given=True))
        instead[spot.term] = get(name, free)
    body = group[0].put(get(f"{DETACHED}0", terms[f"{DETACHED}0"][1])) if len(group) == 1 else _with(s.body, instead)
    statements = tuple(replace(x, body=body) if x is s else x for x in program.statements)
    return Part(terms, text, replace(program, inputs=(*program.inputs, *inputs), statements=statements))


def _with(t: Term, instead: Mapping[Term, Term]) -> Term:
    """A term with others in place of its subterms, not inside of reductions."""
    if t in instead:
        return instead[t]
    return t if t.op == "red" or not t.args else rebuild(t, tuple(_with(a, instead) for a in t.args))
