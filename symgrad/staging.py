"""Writing a package so that whatever happens its folder is the old one or the new one.

Files are written to DIR/.NAME.symgrad-<pid>-<random>, which is then exchanged with DIR/NAME in one step. A run that
is killed leaves its staging folder behind; the next run in DIR removes it, but never that of a run still alive, which
holds a lock on it.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import re
import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from symgrad.errors import UsageError

CERTIFICATE = "certificate.json"
MARK = "certificate_of"
"""The key of a certificate that says whose it is."""
_STAGED = re.compile(r"\.[a-z][a-z0-9_]*\.symgrad-(\d+)-[0-9a-f]{8}")
_SCRATCH = ".scratch"
_EXCHANGE = 2  # RENAME_EXCHANGE of linux/fs.h
_HERE = -100  # AT_FDCWD


def written_before(target: Path) -> frozenset[str] | None:
    """The files that symgrad wrote to a folder, by its certificate there; None where it holds none of symgrad's."""
    try:
        with (target / CERTIFICATE).open(encoding="utf-8") as f:
            certificate = json.load(f)
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(certificate, dict) or certificate.get(MARK) != "symgrad":
        return None
    files = certificate.get("files")
    names = files if isinstance(files, (dict, list)) else ()
    return frozenset({CERTIFICATE, *(n for n in names if isinstance(n, str) and n == os.path.basename(n))})


def refuse_foreign(target: Path, files: Collection[str] = (), force: bool = False) -> None:
    """UsageError where writing `target` would destroy something that symgrad did not write."""
    if force or not os.path.lexists(target):
        return
    instead = "write elsewhere with --out DIR, or replace it with --force"
    if target.is_symlink() or not target.is_dir():
        raise UsageError(f"{target} exists and is no folder\n = help: {instead}")
    present = set(os.listdir(target))
    ours = written_before(target)
    if present and ours is None:
        raise UsageError(f"the folder {target} exists and was not written by symgrad\n = help: {instead}")
    foreign = sorted((present & set(files)) - (ours or frozenset()))
    if foreign:
        raise UsageError(f"{target / foreign[0]} exists and was not written by symgrad\n = help: {instead}")


def refuse_out(out: Path) -> None:
    """UsageError where `out` cannot be a folder to write into."""
    if out.exists() and not out.is_dir():
        raise UsageError(f"--out {out} is no folder")


@contextlib.contextmanager
def staged(out: Path, name: str) -> Iterator[Path]:
    """A fresh folder to write into, inside `out`; gone at the end of the block unless `publish` put it in place."""
    made = _make_folders(out)
    stage = out / f".{name}.symgrad-{os.getpid()}-{os.urandom(4).hex()}"
    try:
        with _locked(out):
            _sweep(out)
            os.mkdir(stage)
            held = _lock(stage)
        try:
            yield stage
        finally:
            _remove(stage)
            if held is not None:
                os.close(held)
    finally:
        _remove_empty(made)


@contextlib.contextmanager
def scratch(stage: Path) -> Iterator[Path]:
    """A place inside a staging folder for temporary files, which a killed run leaves there and nowhere else."""
    import tempfile

    place = (stage / _SCRATCH).absolute()
    place.mkdir()
    before, tempfile.tempdir = tempfile.tempdir, str(place)
    try:
        yield place
    finally:
        tempfile.tempdir = before
        _remove(place)


def fill(stage: Path, files: Mapping[str, bytes]) -> None:
    """Write the files into a staging folder."""
    for file, content in files.items():
        (stage / file).write_bytes(content)


def publish(stage: Path, target: Path, force: bool = False) -> None:
    """Put the staged folder in the place of `target` in one step; the user's own files in it stay."""
    with _locked(target.parent):
        refuse_foreign(target, os.listdir(stage), force)
        if not os.path.lexists(target):
            os.rename(stage, target)
            return
        if target.is_dir() and not target.is_symlink():
            _keep_others(target, stage, written_before(target) or frozenset())
        _exchange(stage, target)


def write(out: Path, name: str, files: Mapping[str, bytes], force: bool = False) -> Path:
    """The files as the folder out/name."""
    target = out / name
    refuse_foreign(target, files, force)
    with staged(out, name) as stage:
        fill(stage, files)
        publish(stage, target, force)
    return target


@contextlib.contextmanager
def guarded(out: Path) -> Iterator[None]:
    """At the end of the block remove what killed writers left in `out`: staging folders, and `out` itself if new."""
    missing = [folder for folder in (out, *out.parents) if not folder.exists()]
    try:
        yield
    finally:
        with contextlib.suppress(OSError), _locked(out):
            _sweep(out)
        _remove_empty(missing)


def _make_folders(out: Path) -> list[Path]:
    """Create `out`; what had to be made, innermost first."""
    refuse_out(out)
    missing = [folder for folder in (out, *out.parents) if not folder.exists()]
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"--out {out} cannot be made: {error.strerror}") from None
    return missing


def _remove_empty(folders: Sequence[Path]) -> None:
    for folder in folders:
        with contextlib.suppress(OSError):
            folder.rmdir()


def _sweep(out: Path) -> None:
    """Remove the staging folders in `out` that no live run holds; the lock on `out` is held."""
    for entry in sorted(os.listdir(out)):
        found = _STAGED.fullmatch(entry)
        if found is None or (out / entry).is_symlink():
            continue
        held = _lock(out / entry)
        if held is None and _alive(int(found[1])):
            continue
        _remove(out / entry)
        if held is not None:
            os.close(held)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _lock(folder: Path) -> int | None:
    """A lock on a folder, held until it is closed or this process ends; None where another holds it or none exist."""
    try:
        fd = os.open(folder, os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(fd)
        return None
    return fd


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Only one run at a time does this in `folder` (where the file system has locks)."""
    fd = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):
            fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


def _keep_others(target: Path, stage: Path, ours: Collection[str]) -> None:
    """Link what is not symgrad's from the old folder into the new one (the same file, not a copy of it)."""
    modules = {f.removesuffix(".py") for f in {*ours, *os.listdir(stage)} if f.endswith(".py")}

    def stale(folder: str, names: list[str]) -> set[str]:
        compiled = (
            {n for n in names if n.split(".", 1)[0] in modules} if os.path.basename(folder) == "__pycache__" else set()
        )
        return compiled | {n for n in names if Path(folder) == target and (n in ours or (stage / n).exists())}

    shutil.copytree(target, stage, symlinks=True, ignore=stale, copy_function=_link, dirs_exist_ok=True)
    shutil.copymode(target, stage)


def _link(old: str, new: str) -> None:
    try:
        os.link(old, new, follow_symlinks=False)
    except OSError:
        shutil.copy2(old, new, follow_symlinks=False)


def _exchange(stage: Path, target: Path) -> None:
    """Swap two paths in one step where the system can, else in two."""
    if _exchange_at_once(stage, target):
        return
    aside = stage.with_name(stage.name[:-8] + os.urandom(4).hex())
    os.rename(target, aside)
    os.rename(stage, target)
    os.rename(aside, stage)


def _exchange_at_once(stage: Path, target: Path) -> bool:
    import ctypes

    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):
        return False
    if rename(_HERE, os.fsencode(stage), _HERE, os.fsencode(target), _EXCHANGE) == 0:
        return True
    code = ctypes.get_errno()
    if code in (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP):
        return False
    raise OSError(code, os.strerror(code), str(target))


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
