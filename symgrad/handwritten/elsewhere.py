"""The right gradient of something else: under another upstream, or for another value of a parameter."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations

import numpy as np

from symgrad.algebra.terms import par, walk
from symgrad.formula.program import Parameter, Program
from symgrad.handwritten.hypotheses import Cause, Evidence, Hypothesis, Predict
from symgrad.handwritten.samples import Target
from symgrad.handwritten.scenes import Array, Scene

COMMON = (*(m * 10.0**-k for k in (12, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1) for m in (1, 5)), 0.2, 0.25, 1.0, 2.0, 3.0)
"""Values that people write where a formula has a parameter."""
SMALL = 0.01


def by_upstream(evidence: Evidence, program: Program) -> Cause | None:
    """The cause where the upstream of some outputs is ignored or applied twice."""
    if program.is_loss:
        return None
    return evidence.first(_upstreams(evidence.samples[0].target, [f"d{s.name}" for s in program.outputs]))


def _upstreams(target: Target, names: Sequence[str]) -> Iterator[Hypothesis]:
    changes: tuple[tuple[str, Callable[[Array], Array]], ...] = (
        ("is ignored: the gradient is that of the sum of the output", np.ones_like),
        ("is applied twice", np.square),
    )
    for count in range(len(names), 0, -1):
        for chosen in combinations(names, count):
            for text, change in changes:
                yield Hypothesis(
                    Cause("upstream", f"the upstream {', '.join(chosen)} {text}"), _under(target, chosen, change)
                )


def _under(target: Target, chosen: Sequence[str], change: Callable[[Array], Array]) -> Predict:
    def predict(scene: Scene) -> Array:
        upstream: Mapping[str, Array] = {n: change(a) if n in chosen else a for n, a in scene.point.upstream.items()}
        return scene.with_upstream(upstream).of(target.form)

    return predict


def by_parameter(evidence: Evidence, program: Program) -> Cause | None:
    """The cause where a parameter is dropped, ignored, or something simple of it stands in its place."""
    target, real = evidence.samples[0].target, [p for p in program.parameters if p.dtype == "real"]
    found = evidence.first(h for p in real for h in _values(target, p, program))
    return found or evidence.first(_exchanged(target, p, q) for p, q in combinations(real, 2))


def by_number(evidence: Evidence, program: Program) -> Cause | None:
    """The cause where a number that people often write stands in place of a parameter."""
    target = evidence.samples[0].target
    return evidence.first(h for p in program.parameters if p.dtype == "real" for h in _numbers(target, p, program))


def _is_small(p: Parameter, program: Program) -> bool:
    """Whether it is what people call eps: small or of that name, and added to something."""
    small = p.name.lower().startswith("eps") or 0 < abs(float(p.value)) < SMALL
    return small and _is_added(p, program)


def _is_added(p: Parameter, program: Program) -> bool:
    """Whether the parameter is a summand somewhere."""
    return any(par(p.name) in t.args for s in program.statements for t in walk(s.body) if t.op in ("add", "cmp"))


def _numbers(target: Target, p: Parameter, program: Program) -> Iterator[Hypothesis]:
    kind = "epsilon" if _is_small(p, program) else "factor"
    for c in COMMON:
        text = f"{p.name} is {c:g}, whatever is asked for"
        yield Hypothesis(Cause(kind, text, term=par(p.name)), _with(target, p.name, _constant(c)))


def _values(target: Target, p: Parameter, program: Program) -> Iterator[Hypothesis]:
    default = float(p.value)
    kind = "epsilon" if _is_small(p, program) else "factor"
    dropped = "epsilon" if _is_small(p, program) else "missing_term"
    text = f"{p.name} is dropped: as if it were 0"
    yield Hypothesis(Cause(dropped, text, term=par(p.name)), _with(target, p.name, _constant(0.0)))
    changes: list[tuple[str, Callable[[float], float]]] = [
        (f"{p.name} is ignored: it is always {default:g}", lambda v: default),
        (f"{p.name}**2 stands in place of {p.name}", lambda v: v * v),
        (f"sqrt({p.name}) stands in place of {p.name}", lambda v: abs(v) ** 0.5),
        (f"1 - {p.name} stands in place of {p.name}", lambda v: 1 - v),
        (f"1/{p.name} stands in place of {p.name}", lambda v: 1 / v if v else 0.0),
        (f"-{p.name} stands in place of {p.name}", lambda v: -v),
        (f"2*{p.name} stands in place of {p.name}", lambda v: 2 * v),
        (f"{p.name}/2 stands in place of {p.name}", lambda v: v / 2),
        (f"{p.name} + 1 stands in place of {p.name}", lambda v: v + 1),
        (f"{p.name} - 1 stands in place of {p.name}", lambda v: v - 1),
    ]
    for text, change in changes:
        yield Hypothesis(Cause(kind, text, term=par(p.name)), _with(target, p.name, change))


def _exchanged(target: Target, p: Parameter, q: Parameter) -> Hypothesis:
    def predict(scene: Scene) -> Array:
        a, b = (float(scene.point.parameters[x.name]) for x in (p, q))
        return scene.with_parameter(p.name, b).with_parameter(q.name, a).of(target.form)

    return Hypothesis(Cause("factor", f"{p.name} and {q.name} have changed places"), predict)


def _constant(c: float) -> Callable[[float], float]:
    return lambda v: c


def _with(target: Target, name: str, change: Callable[[float], float]) -> Predict:
    def predict(scene: Scene) -> Array:
        return scene.with_parameter(name, change(float(scene.point.parameters[name]))).of(target.form)

    return predict
