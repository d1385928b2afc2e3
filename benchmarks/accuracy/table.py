"""The measurements as JSON, as a page, as a plot, and as a line for a terminal."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.accuracy.measure import DTYPES, Outcome, Score

ROOT = Path(__file__).parents[2]
PEERS = ("numpy", "torch", "autograd", "built-in", "lambdify")
TITLES = {
    "numpy": "symgrad, NumPy",
    "torch": "symgrad, torch",
    "autograd": "torch autograd",
    "built-in": "torch built-in",
    "lambdify": "SymPy lambdify",
}


Offsets = Mapping[str, Mapping[float, Mapping[str, Score]]]
OFFSET_HEAD = """Worst mixed ulp of value and gradient for rows of 8 standard normal numbers beside an offset."""
OFFSET_TITLES = {
    "layer_norm": "As the catalogue has it",
    "mean(x**2) - mean(x)**2": "With the variance written as `mean(x**2) - mean(x)**2`",
}


def say(outcome: Outcome) -> str:
    """One line: the case, then for each dtype and peer nan/wrong zeros/worst mixed ulp."""
    parts = [f"{outcome.case.name:24s} {outcome.points:4d} points {outcome.seconds:5.1f} s"]
    for dtype in DTYPES:
        for peer, score in outcome.scores[dtype].items():
            parts.append(f"{peer}{dtype[-2:]} {cell(score)}")
    note = f"  ({outcome.disagreements} slopes disagree)" if outcome.disagreements else ""
    return " | ".join(parts) + note


def cell(score: Score | None) -> str:
    """nan/wrong zeros/worst mixed ulp."""
    if score is None:
        return "-"
    faults = f"{score.nan} nan, " * bool(score.nan) + f"{score.zeros} zero, " * bool(score.zeros)
    return faults + (f"{score.worst:.1f}" if score.worst < 1000 else f"{score.worst:.0e}")


def is_clean(outcome: Outcome, dtype: str, score: Score) -> bool:
    """Whether a peer keeps the promise on a case."""
    return score.nan == 0 and score.zeros == 0 and score.worst <= outcome.bound[dtype]


def totals(outcomes: Sequence[Outcome]) -> dict[str, dict[str, dict[str, int]]]:
    """Sums over cases, by dtype and peer."""
    found: dict[str, dict[str, dict[str, int]]] = {}
    for dtype in DTYPES:
        found[dtype] = {}
        for peer in PEERS:
            scores = [(o, o.scores[dtype][peer]) for o in outcomes if peer in o.scores[dtype]]
            found[dtype][peer] = {
                "cases": len(scores),
                "nan": sum(s.nan for _, s in scores),
                "zeros": sum(s.zeros for _, s in scores),
                "clean": sum(is_clean(o, dtype, s) for o, s in scores),
            }
    return found


def write(outcomes: Sequence[Outcome], offsets: Offsets, options: Any) -> None:
    """benchmarks/results/accuracy.json, docs/accuracy.md, docs/accuracy.png."""
    results = ROOT / "benchmarks" / "results"
    results.mkdir(exist_ok=True)
    document = {
        "versions": _versions(),
        "seed": options.seed,
        "random_points": options.points,
        "totals": totals(outcomes),
        "cases": [
            {
                "case": o.case.name,
                "points": o.points,
                "bound": dict(o.bound),
                "slopes_that_disagree": o.disagreements,
                "scores": {d: {p: s.to_json() for p, s in o.scores[d].items()} for d in DTYPES},
            }
            for o in outcomes
        ],
        "layer_norm_at_offsets": {
            n: {f"{k:g}": {p: s.to_json() for p, s in scores.items()} for k, scores in rows.items()}
            for n, rows in offsets.items()
        },
    }
    (results / "accuracy.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    drawn = plot(outcomes)
    (ROOT / "docs" / "accuracy.md").write_text(page(outcomes, offsets, drawn), encoding="utf-8")


def _versions() -> dict[str, str]:
    import mpmath
    import scipy
    import sympy
    import torch

    return {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "torch": torch.__version__,
        "sympy": sympy.__version__,
        "mpmath": mpmath.__version__,
    }


def page(outcomes: Sequence[Outcome], offsets: Offsets, drawn: bool) -> str:
    """docs/accuracy.md."""
    lines = [HEAD]
    sums = totals(outcomes)
    for dtype in DTYPES:
        lines += [
            f"\n## {dtype}\n",
            *_table(
                ("", "nan or inf", "wrong zeros", "cases within the promise"),
                (
                    (TITLES[p], str(t["nan"]), str(t["zeros"]), f"{t['clean']} of {t['cases']}")
                    for p, t in sums[dtype].items()
                ),
            ),
        ]
    if drawn:
        lines += ["\n![Error against the magnitude of the input](accuracy.png)"]
    lines += ["\n## Layer norm far from 0, float32\n", OFFSET_HEAD]
    for name, found in offsets.items():
        peers = [p for p in PEERS if p in next(iter(found.values()))]
        rows = ((f"{k:g}", *(cell(scores[p]) for p in peers)) for k, scores in found.items())
        lines += [f"\n{OFFSET_TITLES.get(name, name)}:\n", *_table(("offset", *(TITLES[p] for p in peers)), rows)]
    for dtype in DTYPES:
        rows = ((o.case.name, f"{o.bound[dtype]:.3g}", *(_marked(o, dtype, p) for p in PEERS)) for o in outcomes)
        lines += [f"\n## Every case, {dtype}\n", *_table(("case", "promised", *TITLES.values()), rows)]
    return "\n".join(lines) + "\n"


def _marked(outcome: Outcome, dtype: str, peer: str) -> str:
    score = outcome.scores[dtype].get(peer)
    text = cell(score)
    return text if score is None or is_clean(outcome, dtype, score) else f"**{text}**"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    made = [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    return made + [f"| {' | '.join(row)} |" for row in rows]


HEAD = """# How many digits gradients keep

Written by `python -m benchmarks.accuracy`. Values and gradients at adversarial inputs (uniform over bit patterns, the
working range, saturated, tied, offset, tiny and huge rows), against multiprecision whose precision is raised until two
agree. A cell holds the number of nan or infinite results where the truth is finite, the number of wrong zeros (an exact
0 where the truth is a normal number, farther from 0 than an ulp of the inputs moves it), and the worst error in mixed
ulp, |got - true| / (ulp(true) + eps sum |x dg/dx|), where all named values are in the normal range. Left out for
everyone: points at which a named value is 0/0. Bold: not within the promise (8 in float32, 4 in float64, times
1 + log2 n for contractions over n terms, 4 times the size for matrices).

*torch autograd* differentiates the formula as it is written, evaluated operation by operation with a double where at
each branch; *torch built-in* is torch's own loss, activation or layer; *SymPy lambdify* is SymPy's derivative of the
formula written out at one row, lambdified over NumPy and SciPy.

Where we are not within the promise nothing excuses us: the truth's digits are in the inputs. Softmaxes of rows that are
nearly alike make differences of weights (Brier, a mixture whose components are alike); a row of a layer norm that one
element dominates cancels along two directions at once; a root less 1 (Hellinger); a product that overflows before it is
halved; rows of a matrix product whose terms overflow (SwiGLU).
"""


def plot(outcomes: Sequence[Outcome]) -> bool:
    """Error against magnitude of the input, all cases together, in float32; False where there is no matplotlib."""
    try:
        import matplotlib

        matplotlib.use("agg")
        from matplotlib import pyplot
    except ImportError:
        return False
    figure, axes = pyplot.subplots(1, 2, figsize=(11, 4), sharey=True)
    for ax, dtype in zip(axes, DTYPES, strict=True):
        for peer, color in zip(
            ("lambdify", "autograd", "built-in", "torch", "numpy"),
            ("#b0b0b0", "#d95f02", "#7570b3", "#1b9e77", "#00441b"),
            strict=True,
        ):
            pairs = [c for o in outcomes if peer in o.scores[dtype] for c in o.scores[dtype][peer].curve]
            points = np.array([c for c in pairs if c[0] > 0 and c[1] > 0])
            if len(points):
                edges = np.logspace(-8, 8, 33)
                place = np.digitize(points[:, 0], edges)
                tops = [(edges[k - 1], points[place == k, 1].max()) for k in range(1, len(edges)) if (place == k).any()]
                ax.plot(*zip(*tops, strict=True), color=color, label=TITLES[peer], drawstyle="steps-post")
        ax.axhline(8 if dtype == "float32" else 4, color="black", linewidth=0.7, linestyle=":")
        ax.set(xscale="log", yscale="log", title=dtype, xlabel="largest modulus among the inputs", ylim=(0.1, 1e9))
    axes[0].set_ylabel("worst error of the gradient, mixed ulp")
    axes[1].legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(ROOT / "docs" / "accuracy.png", dpi=110, metadata={"Software": None})
    return True
