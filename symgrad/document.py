"""The JSON document of a derivation (`derive --json`), and the certificate as it stands in a package."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from symgrad.algebra.build import substitute
from symgrad.algebra.show import LETTERS, Names, show
from symgrad.algebra.terms import BATCH, Term, extent, idx
from symgrad.staging import MARK

if TYPE_CHECKING:
    from symgrad.closing.arrays.form import ArrayForm
    from symgrad.closing.derivation import Definition, Derivation, Gradient
    from symgrad.closing.second.order import Hessian
    from symgrad.formula.program import Formula, Program
    from symgrad.report.notation import Notation
    from symgrad.validate.certificate import Certificate

Json = dict[str, object]


def document(
    derivation: Derivation,
    certificate: Certificate | None,
    out: str | None,
    seconds: Mapping[str, float],
    refuted: Mapping[str, str],
) -> Json:
    """The whole document; `certificate` is None where nothing was judged, `out` where nothing was written.

    `refuted`: input -> where its gradient is not what the formula expects. `seconds`: `derive` is reading and closed
    forms, `kernels` the measured choice of their forms and their sources, `validate` what the judges took.
    """
    from symgrad.report.contents import derivation_notation

    formula, notation = derivation.formula, derivation_notation(derivation)
    second = derivation.second
    hessian = {"hessian": {h.input: hessian_record(h, formula, notation) for h in second.hessians}} if second else {}
    return {
        "name": formula.name,
        "formula_sha256": formula.sha256,
        "gradients": {g.input: gradient(g, formula, notation) for g in derivation.gradients},
        **hessian,
        "assumed": [fact.text for fact in derivation.assumed],
        "kinks": [
            {"at": show(k.at, notation.names), "of": k.of, "convention": k.convention, "line": k.line}
            for k in derivation.kinks
        ],
        "hints": list(derivation.hints),
        "zero": list(derivation.zero_inputs),
        "expected": [
            {
                "input": e.input,
                "proven": e.proven is True,
                "passed": e.input not in refuted,
                "differs": refuted.get(e.input),
            }
            for e in derivation.expected
        ],
        "verdict": verdict(certificate, refuted),
        "out": out,
        "seconds": {key: round(value, 4) for key, value in seconds.items()},
    }


def gradient(g: Gradient, formula: Formula, notation: Notation) -> Json:
    """`indices`, `closed`, `where`, `latex` of one gradient, and the same in array notation under `matrix`.

    Where the formula is in array notation, so is `closed` if that can say it, and `indices` is empty.
    """
    from symgrad.closing.arrays.form import written
    from symgrad.report.latex_terms import latex

    indices, closed = signature(g, formula, notation.names)
    in_arrays = written(formula, g)
    matrix = in_arrays.matrix and in_array_notation(in_arrays.matrix, notation)
    if in_arrays.closed is not None:
        return {"indices": [], **in_array_notation(in_arrays.closed, notation), "matrix": matrix}
    return {
        "indices": [str(i.data) for i in indices],
        "closed": show(closed, notation.names, indices),
        "where": dict(_definition(d, formula, notation.names) for d in g.where),
        "latex": latex(closed, notation),
        "matrix": matrix,
    }


def _definition(d: Definition, formula: Formula, names: Names) -> tuple[str, str]:
    """A name with its indices, and its definition.

    What a used formula gives is the call that the file has, where the definition does not say how far indices run.
    """
    s = formula.program.statement(d.name)
    if s is not None and s.result and not s.inner and s.kind == "let":
        call = formula.written[d.name]
        alone = list(formula.written.values()).count(call) == 1
        if alone and not all(
            i.data == BATCH or names.within(d.body, d.indices).says_range(i, d.body) for i in d.indices
        ):
            return d.name, call
    return _head(d), show(d.body, names, d.indices)


def in_array_notation(form: ArrayForm, notation: Notation) -> Json:
    """`closed`, `where` and `latex` of a gradient in array notation."""
    from symgrad.report.array_layout import array_layout
    from symgrad.report.latex_terms import latex_layout

    return {
        "closed": form.text,
        "where": form.definitions,
        "latex": latex_layout(array_layout(form.closed), notation),
    }


def hessian_record(h: Hessian, formula: Formula, notation: Notation) -> Json:
    """`diagonal` and `hvp` of one input with the `direction`, their `where` and `latex`."""
    diagonal, product = (gradient(g, formula, notation) for g in (h.diagonal, h.product))
    return {
        "indices": product["indices"],
        "direction": h.direction,
        "diagonal": diagonal["closed"],
        "hvp": product["closed"],
        "where": {_head(d): show(d.body, notation.names, d.indices) for d in h.where},
        "latex": {"diagonal": diagonal["latex"], "hvp": product["latex"]},
    }


def verdict(certificate: Certificate | None, refuted: Mapping[str, str]) -> Json:
    """What the judges said; `passed` is None where there were none, and false where `expect` is refuted."""
    if certificate is None:
        return {"passed": False if refuted else None, "judges": [], "absent": []}
    said = certificate.to_json()
    return {key: said[key] for key in ("passed", "judges", "absent", "reach", "parts") if key in said}


def certificate_text(
    derivation: Derivation, certificate: Certificate | None, files: Sequence[str], refuted: Mapping[str, str]
) -> str:
    """certificate.json: marks the folder as symgrad's, names its files, and says what was checked."""
    formula = derivation.formula
    head: Json = {MARK: "symgrad", "formula": formula.name, "formula_sha256": formula.sha256, "files": sorted(files)}
    plain = {e.input for e in derivation.expected if e.expected.kind == "gradient"}
    differences = (f"; {'d' if key in plain else ''}{where}" for key, where in refuted.items())
    said: Json = {**verdict(None, refuted), "why": f"not judged{''.join(differences)}"}
    if certificate is not None:
        said = dict(certificate.to_json())
    return json.dumps({**head, **said}, indent=2, ensure_ascii=False) + "\n"


def shapes_of(
    program: Program, g: Gradient, directions: Mapping[str, str] | None = None
) -> dict[str, tuple[Term, ...]]:
    """Tensor -> extents of its axes, `...` as one of them, for every name that a closed form may read.

    `directions`: input -> the name of the direction in it.
    """
    shapes = program.shapes | {d.name: tuple(map(extent, d.indices)) for d in g.where}
    return shapes | {v: shapes[n] for n, v in (directions or {}).items()}


def signature(g: Gradient, formula: Formula, names: Names) -> tuple[tuple[Term, ...], Term]:
    """The axes of a gradient and its closed form, in index names that mean nothing else in the formula."""
    ranges = dict(formula.index_names)
    used = {str(i.data) for i in g.indices}
    mapping: dict[Term, Term] = {}
    for i in g.indices:
        name, elsewhere = str(i.data), ranges.get(str(i.data), extent(i)) is not extent(i)
        if name != BATCH and (name in names.taken or elsewhere):
            free = (
                n for n in (*LETTERS, *(f"i{k}" for k in range(1, 1000))) if n not in used | names.taken | set(ranges)
            )
            name = next(free)
            used.add(name)
            mapping[i] = idx(name, extent(i))
    return tuple(mapping.get(i, i) for i in g.indices), substitute(g.closed, mapping) if mapping else g.closed


def _head(d: Definition) -> str:
    inner = ", ".join(str(i.data) for i in d.indices)
    return f"{d.name}[{inner}]" if d.indices else d.name
