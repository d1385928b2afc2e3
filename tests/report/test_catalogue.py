"""The report of every formula of the catalogue: it compiles, and nothing is too wide for the page."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from symgrad.closing.derivation import Derivation, derive_formula
from symgrad.formula.reader import read_file
from symgrad.report.html import render_html
from symgrad.report.terminal import Style, derivation_text
from symgrad.report.tex import render_tex
from symgrad.report.tex_preamble import PREAMBLE

FORMULAS = sorted((Path(__file__).parents[2] / "formulas").rglob("*.yaml"))


@pytest.fixture(scope="module")
def derivations() -> dict[str, Derivation]:
    return {path.stem: derive_formula(read_file(str(path))) for path in FORMULAS}


def test_reports_of_the_catalogue_compile_without_complaint(derivations: dict[str, Derivation], run_tex) -> None:
    bodies = []
    for name, d in derivations.items():
        tex = render_tex(d)
        assert tex.startswith(PREAMBLE)
        body = tex[tex.index(r"\begin{document}") : tex.index(r"\end{document}")].removeprefix(r"\begin{document}")
        bodies.append(rf"\typeout{{! {name}:}}{body}\clearpage")
    log = run_tex("\n".join([PREAMBLE, r"\begin{document}", *bodies, r"\end{document}"]))
    assert log.complaints == [f"! {name}:" for name in derivations]
    assert "Output written" in log


@pytest.mark.parametrize("name", [path.stem for path in FORMULAS])
def test_page_and_terminal_show_every_formula(name: str, derivations: dict[str, Derivation]) -> None:
    page = render_html(derivations[name])
    for formula in re.findall(r"<math.*?</math>", page):
        ElementTree.fromstring(formula)
    for style in (Style(), Style(60), Style(encoding="ascii")):
        text = derivation_text(derivations[name], style)
        assert text.count("gradient") == 1
        assert max(map(len, text.splitlines())) <= style.width
