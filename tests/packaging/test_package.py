"""What is installed, and what it costs to import."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEAVY = {"sympy", "torch", "numpy", "scipy", "mpmath", "rich", "jinja2", "ruamel"}


def test_the_list_of_packages_is_that_of_the_folders() -> None:
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    folders = {".".join(p.parent.relative_to(ROOT).parts) for p in (ROOT / "symgrad").rglob("__init__.py")}
    assert sorted(listed) == sorted({*folders, "symgrad.formulas", "symgrad_cli"})


def test_every_folder_of_the_library_is_a_package() -> None:
    bare = [p for p in (ROOT / "symgrad").rglob("*.py") if not (p.parent / "__init__.py").exists()]
    assert bare == []


def _modules(code: str) -> set[str]:
    said = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}\nprint(*sorted({{m.split('.')[0] for m in sys.modules}}))"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return set(said.stdout.splitlines()[-1].split())


@pytest.mark.parametrize(
    "code",
    [
        "import symgrad; symgrad.__version__; dir(symgrad)",
        "from symgrad_cli.main import main; main(['--help'])",
        "from symgrad_cli.main import main; main(['derive', '--help'])",
        "from symgrad_cli.main import main; main(['list'])",
        "from symgrad_cli.main import main; main(['derive', 'no_such_formula'])",
    ],
)
def test_nothing_heavy_is_imported_before_it_is_needed(code: str) -> None:
    assert _modules(code) & HEAVY == set()


def test_closed_forms_are_derived_without_sympy_numpy_or_torch() -> None:
    loaded = _modules("import symgrad; symgrad.derive('softmax_cross_entropy').derivation")
    assert loaded & {"sympy", "torch", "numpy", "scipy", "mpmath"} == set()


def test_the_public_names_are_there() -> None:
    import symgrad

    for name in symgrad.__all__:
        assert getattr(symgrad, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nosuch'"):
        symgrad.nosuch
    assert set(symgrad.__all__) <= set(dir(symgrad))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, source = tmp_path_factory.mktemp("wheel"), tmp_path_factory.mktemp("source") / "symgrad"
    # of a copy, as building writes beside its sources
    kept = {"symgrad", "cli", "formulas", "pyproject.toml", "README.md", "LICENSE"}
    shutil.copytree(ROOT, source, ignore=lambda top, names: set(names) - kept if Path(top) == ROOT else {"__pycache__"})
    words = ["wheel", "--quiet", "--no-deps", "--disable-pip-version-check", "-w", folder, source]
    subprocess.run([sys.executable, "-m", "pip", *words], check=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.mark.slow
def test_the_wheel_holds_the_library_the_command_and_the_catalogue_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {n.split("/")[0] for n in names}
    assert {t for t in tops if not t.endswith(".dist-info")} == {"symgrad", "symgrad_cli"}
    for path in (ROOT / "formulas").rglob("*.yaml"):
        assert f"symgrad/formulas/{path.relative_to(ROOT / 'formulas')}" in names
    for path in [*(ROOT / "symgrad").rglob("*.py"), ROOT / "symgrad" / "py.typed"]:
        assert str(path.relative_to(ROOT)) in names
    assert any(n.endswith("licenses/LICENSE") for n in names)


@pytest.mark.slow
def test_the_installed_command_works_from_another_folder(wheel: Path, tmp_path: Path) -> None:
    place = tmp_path / "env"
    venv.create(place, symlinks=True)
    site = next((place / "lib").glob("python*/site-packages"))
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", site, wheel], check=True)
    (site / "rest.pth").write_text("\n".join(p for p in sys.path if p.endswith("site-packages")))
    env = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    said = subprocess.run(
        [place / "bin" / "python", "-m", "symgrad", "derive", "mse", "--no-validate", "--json", "--report", "none"],
        cwd=tmp_path, env=env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert said.returncode == 0, said.stderr
    assert json.loads(said.stdout)["name"] == "mse"
    where = subprocess.run(
        [place / "bin" / "python", "-c", "import symgrad; print(symgrad.__file__)"],
        cwd=tmp_path, env=env, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert str(site) in where.stdout


def test_the_changelog_knows_the_version() -> None:
    import symgrad

    assert re.search(rf"^## .*{re.escape(symgrad.__version__)}", (ROOT / "CHANGELOG.md").read_text(), re.M)
