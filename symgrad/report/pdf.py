"""report.tex to report.pdf with the TeX engine that is there, in a folder of its own, without a shell, in limited time.

The same TeX gives the same bytes.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

ENGINES = ("pdflatex", "tectonic")
"""In this order. Each is one process: who kills our process group leaves none behind."""

SECONDS = 60.0
HOW_TO_GET_ONE = "no TeX engine found: install pdflatex (Debian: texlive-latex-base lmodern) or tectonic"


class Pdf(NamedTuple):
    """The bytes of a PDF, or the reason why there is none."""

    data: bytes | None
    reason: str = ""


def find_engine() -> str | None:
    """The name of the first TeX engine on the path."""
    return next((e for e in ENGINES if shutil.which(e)), None)


def build_pdf(tex: str, seconds: float = SECONDS, engine: str | None = None) -> Pdf:
    """The PDF of a LaTeX document."""
    engine = engine or find_engine()
    if engine is None:
        return Pdf(None, HOW_TO_GET_ONE)
    with tempfile.TemporaryDirectory(prefix="symgrad-tex-") as folder:
        Path(folder, "report.tex").write_text(tex, encoding="utf-8")
        for _ in range(_runs(engine)):
            reason = _run(_command(engine), folder, seconds)
            if reason:
                return Pdf(None, f"{engine}: {reason}")
        made = Path(folder, "report.pdf")
        return Pdf(made.read_bytes()) if made.exists() else Pdf(None, f"{engine} wrote no PDF")


def _runs(engine: str) -> int:
    # longtable settles its columns and hyperref its targets in the second run
    return 2 if engine == "pdflatex" else 1


def _command(engine: str) -> list[str]:
    safe = ["-no-shell-escape", "-interaction=nonstopmode", "-halt-on-error"]
    if engine == "tectonic":
        return [engine, "--untrusted", "report.tex"]
    return [engine, *safe, "report.tex"]


def _environment(folder: str) -> dict[str, str]:
    # paranoid: TeX reads and writes in its folder and in the TeX tree alone; what it makes stays in the folder
    kept = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "SYSTEMROOT", "XDG_CACHE_HOME")}
    safe = {"openin_any": "p", "openout_any": "p", "shell_escape": "f", "MKTEXPK": "0", "MKTEXTFM": "0", "MKTEXMF": "0"}
    same = {"SOURCE_DATE_EPOCH": "0", "FORCE_SOURCE_DATE": "1", "LC_ALL": "C.UTF-8", "max_print_line": "1000"}
    own = {name: str(Path(folder, "texmf")) for name in ("TEXMFHOME", "TEXMFVAR", "TEXMFCONFIG", "VARTEXFONTS")}
    return {**kept, **safe, **same, **own, "TMPDIR": folder}


def _run(command: list[str], folder: str, seconds: float) -> str:
    """Run it to its end; the reason where it failed. It ends when we do: at the limit, at an interrupt."""
    log = Path(folder, "output.txt")
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, cwd=folder, env=_environment(folder),
            stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            return f"took more than {seconds:g} s"
        finally:
            _end(process)
    return "" if code == 0 else _first_error(log)


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.kill()
        process.wait()


def _first_error(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return next((line for line in lines if line.startswith("!")), "failed without saying why")
