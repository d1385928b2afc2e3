"""A folder that is written is the old one or the new one, whatever happens, and what is the user's stays."""

import json
import multiprocessing
import os
import signal
import time
from pathlib import Path

import pytest

from symgrad import staging
from symgrad.errors import UsageError

FILES = {"__init__.py": b"", "numpy_kernels.py": b"x = 1\n"}


def package(value: int = 1, *more: str) -> dict[str, bytes]:
    files = {**FILES, "numpy_kernels.py": f"x = {value}\n".encode(), **dict.fromkeys(more, b"more\n")}
    certificate = {"certificate_of": "symgrad", "files": sorted([*files, "certificate.json"])}
    return {**files, "certificate.json": json.dumps(certificate).encode()}


def test_a_new_folder_holds_just_the_files(tmp_path: Path) -> None:
    target = staging.write(tmp_path, "loss", package())
    assert sorted(os.listdir(target)) == ["__init__.py", "certificate.json", "numpy_kernels.py"]
    assert os.listdir(tmp_path) == ["loss"]


def test_an_empty_folder_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "loss").mkdir()
    staging.write(tmp_path, "loss", package())
    assert (tmp_path / "loss" / "numpy_kernels.py").read_bytes() == b"x = 1\n"


def test_a_second_run_replaces_what_the_first_wrote_and_keeps_the_users_files(tmp_path: Path) -> None:
    target = staging.write(tmp_path, "loss", package(1, "report.tex"))
    (target / "notes.txt").write_text("mine")
    (target / "sub").mkdir()
    (target / "sub" / "deep.txt").write_text("mine too")
    (target / "link").symlink_to("notes.txt")
    staging.write(tmp_path, "loss", package(2))
    assert (target / "numpy_kernels.py").read_bytes() == b"x = 2\n"
    assert not (target / "report.tex").exists(), "symgrad wrote it, and writes it no more"
    assert (target / "notes.txt").read_text() == "mine"
    assert (target / "sub" / "deep.txt").read_text() == "mine too"
    assert os.readlink(target / "link") == "notes.txt"
    assert os.listdir(tmp_path) == ["loss"]


def test_stale_compiled_modules_go_and_others_stay(tmp_path: Path) -> None:
    target = staging.write(tmp_path, "loss", package())
    (target / "__pycache__").mkdir()
    for name in ("numpy_kernels.cpython-311.pyc", "mine.cpython-311.pyc"):
        (target / "__pycache__" / name).write_text("")
    staging.write(tmp_path, "loss", package(2))
    assert os.listdir(target / "__pycache__") == ["mine.cpython-311.pyc"]


@pytest.mark.parametrize("content", ["", "no json", "[]", '{"certificate_of": "other"}'])
def test_a_folder_that_symgrad_did_not_write_is_refused_naming_force_and_out(tmp_path: Path, content: str) -> None:
    (tmp_path / "loss").mkdir()
    (tmp_path / "loss" / "certificate.json").write_text(content)
    with pytest.raises(UsageError, match=r"--out .* --force"):
        staging.write(tmp_path, "loss", package())
    assert os.listdir(tmp_path / "loss") == ["certificate.json"]
    assert os.listdir(tmp_path) == ["loss"]


def test_a_users_file_of_a_name_that_symgrad_now_writes_is_refused(tmp_path: Path) -> None:
    target = staging.write(tmp_path, "loss", package())
    (target / "report.tex").write_text("mine")
    with pytest.raises(UsageError, match=r"report\.tex"):
        staging.write(tmp_path, "loss", package(2, "report.tex"))
    assert (target / "numpy_kernels.py").read_bytes() == b"x = 1\n"
    assert (target / "report.tex").read_text() == "mine"


@pytest.mark.parametrize("kind", ["folder", "file", "link"])
def test_force_replaces_whatever_is_there(tmp_path: Path, kind: str) -> None:
    target = tmp_path / "loss"
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    if kind == "folder":
        target.mkdir()
        (target / "numpy_kernels.py").write_text("mine")
    elif kind == "file":
        target.write_text("mine")
    else:
        target.symlink_to(elsewhere)
    with pytest.raises(UsageError, match="--force"):
        staging.write(tmp_path, "loss", package())
    staging.write(tmp_path, "loss", package(3), force=True)
    assert (target / "numpy_kernels.py").read_bytes() == b"x = 3\n"
    assert os.listdir(elsewhere) == []
    assert sorted(os.listdir(tmp_path)) == ["elsewhere", "loss"]


def test_a_failure_in_the_middle_leaves_nothing_and_no_new_folders(tmp_path: Path) -> None:
    out = tmp_path / "a" / "b"
    with pytest.raises(TypeError), staging.staged(out, "loss") as stage:
        staging.fill(stage, {**package(), "last": None})  # type: ignore[dict-item]
    assert os.listdir(tmp_path) == []


def test_temporary_files_lie_in_the_staging_folder(tmp_path: Path) -> None:
    import tempfile

    before = tempfile.gettempdir()
    with staging.staged(tmp_path, "loss") as stage:
        with staging.scratch(stage):
            assert Path(tempfile.mkdtemp()).is_relative_to(stage)
        assert os.listdir(stage) == []
    assert tempfile.gettempdir() == before


def _hold(out: str, ready: "multiprocessing.synchronize.Event") -> None:
    with staging.staged(Path(out), "loss") as stage:
        (stage / "half.py").write_text("half")
        ready.set()
        time.sleep(60)


def test_the_staging_folder_of_a_killed_run_goes_with_the_next_and_that_of_a_live_one_stays(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    ready = [context.Event(), context.Event()]
    dead, alive = (context.Process(target=_hold, args=(str(tmp_path), event)) for event in ready)
    try:
        for process, event in zip((dead, alive), ready, strict=True):
            process.start()
            assert event.wait(30)
        os.kill(dead.pid or 0, signal.SIGKILL)
        dead.join()
        staging.write(tmp_path, "loss", package())
        staged = [f for f in os.listdir(tmp_path) if f.startswith(".")]
        assert [f.split("-")[1] for f in staged] == [str(alive.pid)]
        with staging.guarded(tmp_path):
            os.kill(alive.pid or 0, signal.SIGKILL)
            alive.join()
        assert os.listdir(tmp_path) == ["loss"]
    finally:
        alive.kill()
        dead.kill()


def test_a_folder_that_only_looks_like_staging_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / ".loss.backup").mkdir()
    (tmp_path / ".config").mkdir()
    staging.write(tmp_path, "loss", package())
    assert sorted(os.listdir(tmp_path)) == [".config", ".loss.backup", "loss"]


def _write_often(out: str, value: int) -> None:
    for _ in range(20):
        staging.write(Path(out), "loss", package(value, f"only_{value}.py"))


def test_concurrent_runs_leave_one_whole_package_at_every_moment(tmp_path: Path) -> None:
    staging.write(tmp_path, "loss", package(0, "only_0.py"))
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_write_often, args=(str(tmp_path), k)) for k in (1, 2)]
    for w in writers:
        w.start()
    seen = set()
    while any(w.is_alive() for w in writers):
        fd = os.open(tmp_path / "loss", os.O_RDONLY)  # never missing; a folder once opened stays what it was or is gone
        files = os.listdir(fd)
        os.close(fd)
        seen.add(tuple(sorted(f for f in files if f.startswith("only_"))))
    assert all(w.exitcode == 0 for w in writers)
    assert seen <= {("only_0.py",), ("only_1.py",), ("only_2.py",), ()}
    assert os.listdir(tmp_path) == ["loss"]


def test_without_an_exchange_in_one_step_two_renames_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staging, "_exchange_at_once", lambda stage, target: False)
    staging.write(tmp_path, "loss", package(1))
    staging.write(tmp_path, "loss", package(2))
    assert (tmp_path / "loss" / "numpy_kernels.py").read_bytes() == b"x = 2\n"
    assert os.listdir(tmp_path) == ["loss"]


def test_an_out_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(UsageError, match="no folder"):
        staging.write(tmp_path / "out", "loss", package())
