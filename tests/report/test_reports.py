"""report.tex, report.pdf and report.html: complete, the same bytes, and deaf to what users' texts say."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

import pytest

from symgrad.closing.derivation import Derivation
from symgrad.report.contents import contents
from symgrad.report.escape import tex_code, tex_text
from symgrad.report.html import render_html
from symgrad.report.pdf import HOW_TO_GET_ONE, build_pdf, find_engine
from symgrad.report.tex import render_tex
from symgrad.report.tex_preamble import PREAMBLE

ATTACKS = {
    "write": r"\immediate\write18{touch symgrad_canary}",
    "input": r"\input{symgrad_canary}",
    "end": r"before \end{document} after",
    "loop": r"\def\x{\x}\x",
    "openout": r"\newwrite\f\immediate\openout\f=symgrad_canary",
    "specials": "100% of $5 & a_b #1 x^2 ~ { } \\",
    "verbatim": r"\end{verbatim}\end{sgcode}\end{sgframe}",
    "carets": "^^5cinput{symgrad_canary} ^^M",
    "ligatures": "?` !` -- --- `` '' << >> ,,",
    "script": "<script>alert('symgrad_canary')</script>",
    "entity": "&lt;script&gt; &#60;script>",
    "template": "{{ 7*7 }} {% raw %} {# #} ${7*7} %(x)s {0}",
    "controls": "\0 \x1b]0;owned\x07 \x7f \x85 \u202e \u2066 \ufeff \ud83d",
    "letters": "Ångström, naïve, Łódź, ß, ſ, ĳ, ∇ Σ ≤ → × ½ 交叉熵 אב 😀 ﬁ e\u0301 \u0301",
    "unbroken": "x" * 500 + "字" * 120,
    "csv": ",".join(["aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"] * 20),
}
ABSENT = [
    r"\immediate",
    r"\write18",
    r"\input{",
    r"\end{document} after",
    r"\def\x",
    r"\openout",
    r"\newwrite",
    r"\end{verbatim}",
    "^^",
]


def _with_text(d: Derivation, text: str) -> Derivation:
    """The derivation of a formula whose every free text is this one."""
    inputs = tuple(replace(i, summary=text) for i in d.program.inputs)
    program = replace(d.program, inputs=inputs)
    formula = replace(
        d.formula,
        program=program,
        summary=text,
        references=(text, text),
        text=f"summary: {text}\n# {text}\n",
        file=text,
    )
    facts = tuple(replace(f, text=text, source=text) for f in d.assumed)
    return replace(d, formula=formula, program=program, hints=(text,), assumed=facts)


def certificate(passed: bool = True, why: str = "torch is not there") -> Any:
    judges = [{"judge": "differences", "passed": passed, "worst": 2.2e-9, "points": 96}]
    document = {"passed": passed, "judges": judges, "absent": [{"judge": "autograd", "why": why}]}
    return SimpleNamespace(passed=passed, to_json=lambda: document)


def _attacked(attack: str, softmax: Derivation) -> str:
    text = ATTACKS[attack]
    return render_tex(_with_text(softmax, text), certificate(why=text), {"numpy_kernels.py": f'"""{text}"""\n'})


@pytest.mark.parametrize("attack", ATTACKS)
def test_text_of_users_is_escaped_in_tex(attack: str, softmax: Derivation) -> None:
    tex = _attacked(attack, softmax)
    for raw in ABSENT:
        assert raw not in _body(tex)
    assert tex.count(r"\end{document}") == 1


def test_text_of_users_does_nothing_in_tex(softmax: Derivation, run_tex) -> None:
    bodies = [rf"\typeout{{! {attack}:}}" + _body(_attacked(attack, softmax)) for attack in ATTACKS]
    log = run_tex("\n".join([PREAMBLE, r"\begin{document}", *bodies, r"\end{document}"]))
    assert log.complaints == [f"! {attack}:" for attack in ATTACKS]
    assert "Output written" in log


def _body(tex: str) -> str:
    return tex[tex.index(r"\begin{document}") : tex.index(r"\end{document}")].removeprefix(r"\begin{document}")


@pytest.mark.parametrize("attack", ATTACKS)
def test_text_of_users_does_nothing_in_html(attack: str, softmax: Derivation) -> None:
    text = ATTACKS[attack]
    page = render_html(_with_text(softmax, text), certificate(why=text), {"numpy_kernels.py": f'"""{text}"""\n'})
    assert "<script" not in page
    assert not re.search("[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", page)
    page.encode()
    _check_balance(page)


def test_every_control_character_is_written_as_its_number() -> None:
    for code in [*range(0x20), *range(0x7F, 0xA0), 0x200B, 0x202E, 0xD83D, 0xFEFF]:
        if chr(code) not in "\n":
            assert f"U+{code:04X}" in tex_text(f"a{chr(code)}b")


def test_no_single_character_is_active_in_tex() -> None:
    for code in range(0x20, 0x7F):
        c = chr(code)
        escaped = tex_text(c)
        if not (c.isalnum() or c in " .,:;!?()[]+*/=@"):
            assert escaped != c, c


def test_code_is_broken_after_a_blank_where_there_is_one_near_the_end() -> None:
    assert tex_code("Sum(a, i) + " * 3, 30) == [r"Sum(a,\ i)\ +\ Sum(a,\ i)\ +\ ", r"\ \ \ \ Sum(a,\ i)\ +\ "]


def test_code_is_broken_at_the_columns_and_loses_nothing() -> None:
    lines = tex_code("x = " + "a" * 200, 80)
    assert len(lines) == 3
    assert sum(line.count("a") for line in lines) == 200


def test_megabyte_of_text_makes_no_large_report(softmax: Derivation) -> None:
    d = _with_text(softmax, "A" * 1_000_000)
    kernels = {"numpy_kernels.py": "A" * 1_000_000}
    assert len(render_tex(d, None, kernels)) < 200_000
    assert len(render_html(d, None, kernels)) < 200_000
    assert "more characters" in render_tex(d)


# ---- content ----


def test_report_has_the_formula_the_closed_form_and_the_fact(softmax: Derivation) -> None:
    tex = render_tex(softmax, certificate(), {"numpy_kernels.py": "import numpy as np\n"})
    assert r"\frac{\partial L}{\partial z_{ij}} = \frac{y_{ij} - t_{ij}}{n}" in tex
    assert r"\sum_{j} t_{ij} = 1" in tex
    assert r"loss:\ -{}Sum(t[i," in tex
    assert r"100\% of it" in tex
    assert r"import\ numpy\ as\ np" in tex
    assert "agrees" in tex
    assert "absent" in tex
    for step in softmax.steps:
        assert tex_text(step.rule.name) in tex


def test_failed_validation_is_said(softmax: Derivation) -> None:
    assert "disagrees" in render_tex(softmax, certificate(passed=False))
    assert "The judges do not agree" in render_html(softmax, certificate(passed=False))


def test_report_without_validation_says_so(softmax: Derivation) -> None:
    assert "Not validated" in render_tex(softmax)
    assert "Not validated" in render_html(softmax)


def test_measured_errors_stay_out_of_the_reports(softmax: Derivation) -> None:
    assert "2.2e" not in render_tex(softmax, certificate()) + render_html(softmax, certificate())


@pytest.mark.parametrize("which", ["softmax", "layer_norm"])
def test_report_compiles_without_complaint(which: str, request: pytest.FixtureRequest, run_tex) -> None:
    tex = render_tex(request.getfixturevalue(which), certificate(), {"numpy_kernels.py": "x = 1\n" * 200})
    assert not run_tex(tex).complaints


def test_layer_report_names_its_cotangent(layer_norm: Derivation) -> None:
    tex = render_tex(layer_norm)
    assert r"{\mathrm{d}y_{\ldots k}}" in tex
    assert "cotangent of y" in tex
    assert "any number of leading axes" in tex


def test_names_that_would_look_alike_are_written_as_they_stand(derive: Callable[[str], Derivation], run_tex) -> None:
    tex = render_tex(
        derive(
            "name: alike\ninputs: {x_1: [n], x1: [n], sigma: [n], σ: [n]}\nloss: x_1[i]*x1[i] + exp(sigma[i])*σ[i]\n"
        )
    )
    assert r"\mathtt{x\_1}_{i} " in tex
    assert r"\mathtt{x1}_{i}" in tex
    assert not run_tex(tex).complaints


# ---- the same bytes ----


def test_reports_are_the_same_bytes_in_other_processes(tmp_path: Path) -> None:
    source = Path(__file__).with_name("conftest.py")
    code = (
        "import runpy, sys, hashlib; texts = runpy.run_path(sys.argv[1])\n"
        "from symgrad.closing.derivation import derive_formula\n"
        "from symgrad.formula.reader import read_text\n"
        "from symgrad.report.tex import render_tex; from symgrad.report.html import render_html\n"
        "for name in ('SOFTMAX', 'LAYER_NORM'):\n"
        "    d = derive_formula(read_text(texts[name], 'f.yaml'))\n"
        "    print(hashlib.sha256((render_tex(d) + render_html(d)).encode()).hexdigest())\n"
    )
    seen = set()
    for seed in ("0", "1"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        done = subprocess.run(
            [sys.executable, "-c", code, str(source)],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        seen.add(done.stdout)
    assert len(seen) == 1


def test_no_path_of_this_machine_is_in_a_report(softmax: Derivation) -> None:
    text = render_tex(softmax) + render_html(softmax)
    assert str(Path.cwd()) not in text
    assert "/tmp" not in text


# ---- PDF ----

needs_tex = pytest.mark.skipif(
    find_engine() is None and os.environ.get("CI") != "true", reason="no TeX engine: texlive-latex-base lmodern"
)


@needs_tex
def test_pdf_is_the_same_bytes_for_the_same_tex(softmax: Derivation) -> None:
    tex = render_tex(softmax, certificate())
    first, second = build_pdf(tex), build_pdf(tex)
    assert first.data is not None
    assert first.data.startswith(b"%PDF")
    assert first.data == second.data
    assert b"/tmp" not in first.data


@needs_tex
def test_pdf_that_does_not_end_is_given_up(tmp_path: Path) -> None:
    made = build_pdf(r"\documentclass{article}\begin{document}\def\x{\x}\x\end{document}", seconds=1.0)
    assert made.data is None
    assert "more than 1 s" in made.reason


@needs_tex
def test_tex_error_is_the_reason() -> None:
    made = build_pdf(r"\documentclass{article}\begin{document}\nonsense\end{document}")
    assert made.data is None
    assert "Undefined control sequence" in made.reason


@needs_tex
def test_tex_reads_and_writes_in_its_folder_alone(tmp_path: Path) -> None:
    secret = tmp_path / "secret.tex"
    secret.write_text("found")
    for body in (
        rf"\input{{{secret}}}",
        rf"\immediate\write18{{touch {tmp_path}/canary}}",
        rf"\newwrite\f\immediate\openout\f={tmp_path}/canary\immediate\write\f{{x}}",
    ):
        build_pdf(rf"\documentclass{{article}}\begin{{document}}{body}\end{{document}}")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["secret.tex"]


def test_missing_engine_is_a_reason_with_its_mend(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert build_pdf("x") == (None, HOW_TO_GET_ONE)


# ---- HTML ----


class _Balance(HTMLParser):
    VOID = frozenset({"meta", "br", "link", "img", "hr"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert not any(name.startswith("on") or name in ("src", "href") for name, _ in attrs)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def _check_balance(page: str) -> None:
    parser = _Balance()
    parser.feed(page)
    parser.close()
    assert not parser.open


@pytest.mark.parametrize("which", ["softmax", "layer_norm"])
def test_html_is_well_formed_and_loads_nothing(which: str, request: pytest.FixtureRequest) -> None:
    page = render_html(request.getfixturevalue(which), certificate(), {"numpy_kernels.py": "x < 1 & y > 2\n"})
    _check_balance(page)
    assert "x &lt; 1 &amp; y &gt; 2" in page
    assert not re.search(r"https?://|<script|<link|@import|url\(", page)
    for formula in re.findall(r"<math.*?</math>", page):
        ElementTree.fromstring(formula)


def test_html_says_what_tex_says(layer_norm: Derivation) -> None:
    page = render_html(layer_norm)
    for heading in ("The formula", "The gradient", "Symbols", "The derivation", "The verdict"):
        assert heading in page
        assert heading in render_tex(layer_norm)
    assert len(re.findall('class="step"', page)) == len(contents(layer_norm).steps) > 5


@needs_tex
def test_interrupt_leaves_no_engine_behind(tmp_path: Path) -> None:
    code = (
        # a job in the background of a shell ignores the signal, and so would its children
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from symgrad.report.pdf import build_pdf\n"
        r"build_pdf(r'\documentclass{article}\begin{document}\def\x{\x}\x\end{document}')"
    )
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    work = subprocess.Popen(
        [sys.executable, "-c", code], env=environment, stderr=subprocess.DEVNULL, start_new_session=True
    )
    deadline = time.monotonic() + 30
    while not (engines := _children(work.pid)) and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.3)
    os.kill(work.pid, signal.SIGINT)
    work.wait(30)
    assert engines
    assert not any(Path(f"/proc/{pid}").exists() for pid in engines)
    assert not list(tmp_path.iterdir())


def _children(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(p) for p in listed.read_text().split()] if listed.exists() else []
