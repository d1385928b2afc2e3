"""The process in which a hand-written gradient runs: `python -m symgrad.handwritten.worker PIPE HELD`.

It knows nothing of formulas. It loads `module:function`, calls it with arrays that come through a socket, and sends
back what the function returned as plain arrays, or what it raised. What the function prints goes to standard error.
"""

from __future__ import annotations

import contextlib
import copy
import importlib
import importlib.util
import inspect
import os
import signal
import sys
import threading
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from multiprocessing.connection import Connection
from types import ModuleType
from typing import Any

import numpy as np

from symgrad.handwritten.printed import Bounded

Tree = tuple[str, Any]
"""What was returned: ("array", a), ("tuple", [trees]), ("dict", {name: tree}), ("none", None), ("other", text)."""
MOST_LINES = 12


class Label:
    """Stands for the data set that XGBoost and LightGBM hand to an objective: `get_label()` gives the targets."""

    def __init__(self, label: Any) -> None:
        self.label = label

    def get_label(self) -> Any:
        """The targets."""
        return self.label

    def get_weight(self) -> Any:
        """No weights: XGBoost has an empty array then."""
        return np.empty(0)

    get_base_margin = get_init_score = get_group = get_weight


def load(target: str) -> Any:
    """The object that `module:function` or `file.py:function` names."""
    place, _, path = target.rpartition(":")
    found: Any = _from_file(place) if place.endswith(".py") or os.sep in place else importlib.import_module(place)
    for name in path.split("."):
        found = getattr(found, name)
    return found


def _from_file(path: str) -> ModuleType:
    name = os.path.splitext(os.path.basename(path))[0]
    sys.path.insert(0, os.path.dirname(os.path.abspath(path)))
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def kind_of(found: Any) -> str:
    """'autograd' where torch is to differentiate through it: an autograd.Function or a Module; else 'function'."""
    torch = sys.modules.get("torch")
    if torch is None:
        return "function"
    if inspect.isclass(found):
        return "autograd" if issubclass(found, (torch.autograd.Function, torch.nn.Module)) else "function"
    return "autograd" if isinstance(found, torch.nn.Module) else "function"


def forward_of(found: Any) -> Callable[..., Any]:
    """What is called of it."""
    torch = sys.modules.get("torch")
    if torch is None or not inspect.isclass(found):
        return found  # type: ignore[no-any-return]
    own: Any = found
    made: Callable[..., Any] = own.apply if issubclass(found, torch.autograd.Function) else own()
    return made


def accepted(found: Any, known: Sequence[str]) -> list[str]:
    """Which of the known names are arguments of it; all where it takes any keyword."""
    own: Any = found
    own = own.forward if kind_of(found) == "autograd" else found  # a Module's call itself takes any keyword
    try:
        arguments = inspect.signature(own).parameters
    except (TypeError, ValueError):
        return []
    if any(a.kind is a.VAR_KEYWORD for a in arguments.values()):
        return list(known)
    return [n for n in known if n in arguments]


def in_order_of(found: Any, names: Mapping[str, Any]) -> list[Any]:
    """Keyword arguments as positional ones, in the order of an autograd.Function's forward."""
    order = list(inspect.signature(found.forward).parameters)
    return [names[n] for n in order if n in names]


class Work:
    """One loaded function. `framework`: numpy or torch."""

    def __init__(self, found: Any, framework: str) -> None:
        if not callable(found):
            raise TypeError(f"it is {type(found).__name__}, no function")
        self.found = found
        self.kind = kind_of(self.found)
        self.framework = "torch" if self.kind == "autograd" else framework

    def call(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """The answer to one call."""
        if self.kind == "autograd":
            return self.through(request)
        arguments = [self.argument(kind, a) for kind, a in request["arguments"]]
        before = copy.deepcopy(arguments)
        got = self.found(*arguments, **request["keywords"])
        changed = [
            k
            for k, (a, b) in enumerate(zip(arguments, before, strict=True))
            if not isinstance(a, Label) and _differ(a, b)
        ]
        return {"tree": tree(got), "changed": changed}

    def argument(self, kind: str, a: np.ndarray[Any, Any]) -> Any:
        """An array as the function takes it."""
        own = a.copy()
        if self.framework == "torch":
            import torch

            return torch.from_numpy(own) if own.ndim else torch.tensor(own)
        return Label(own) if kind == "label" else own

    def through(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """Values, and the gradients that torch gets by calling backward with the upstream."""
        import torch

        tensors = [
            torch.tensor(a, requires_grad=bool(differentiated))
            for (_, a), differentiated in zip(request["arguments"], request["differentiated"], strict=True)
        ]
        forward = forward_of(self.found)
        if inspect.isclass(self.found) and issubclass(self.found, torch.autograd.Function):
            got = forward(*tensors, *in_order_of(self.found, request["keywords"]))
        else:
            got = forward(*tensors, **request["keywords"])
        outputs = list(got) if isinstance(got, (tuple, list)) else [got]
        upstream = request["upstream"]
        total = sum((_weighted(torch, y, u) for y, u in zip(outputs, upstream, strict=False)), torch.zeros(()))
        leaves = [x for x in tensors if x.requires_grad]
        found = torch.autograd.grad(total, leaves, allow_unused=True) if total.requires_grad else [None] * len(leaves)
        return {"tree": ("tuple", [tree(g) for g in found]), "values": [tree(y) for y in outputs], "changed": []}


def _weighted(torch: Any, y: Any, upstream: np.ndarray[Any, Any]) -> Any:
    """Output times upstream; of a loss (upstream of one number) the mean of its values."""
    u = torch.tensor(upstream, dtype=y.dtype)
    return y.mean() * u if u.ndim == 0 else (y * u).sum()


def _differ(a: Any, b: Any) -> bool:
    return not np.array_equal(np.asarray(a), np.asarray(b), equal_nan=np.asarray(a).dtype.kind == "f")


def tree(x: Any) -> Tree:
    """What a function returned, as arrays."""
    if x is None:
        return "none", None
    if hasattr(x, "detach"):
        return "array", x.detach().cpu().numpy()
    if isinstance(x, Mapping):
        return "dict", {str(k): tree(v) for k, v in x.items()}
    if hasattr(x, "_fields"):
        return "dict", {k: tree(getattr(x, k)) for k in x._fields}
    if isinstance(x, tuple):
        return "tuple", [tree(v) for v in x]
    a = _array(x)
    if a is not None:
        return "array", a
    if isinstance(x, list):
        return "tuple", [tree(v) for v in x]
    kind = f" of {x.dtype}" if isinstance(x, np.ndarray) else ""
    return "other", f"{type(x).__name__}{kind}"


def _array(x: Any) -> np.ndarray[Any, Any] | None:
    """The array that it is, if it is one of numbers."""
    if isinstance(x, list) and any(hasattr(v, "__array__") or isinstance(v, (list, tuple)) for v in x):
        shapes = {np.shape(v) for v in x} if not any(hasattr(v, "detach") for v in x) else set()
        if len(shapes) != 1:
            return None
    try:
        a = np.asarray(x)
    except (TypeError, ValueError):
        return None
    return a if a.dtype.kind in "biuf" else None


def raised(error: BaseException) -> str:
    """An exception of the user's as Python shows it, without the frames of this file."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if f.filename != __file__ and "importlib" not in f.filename]
    kept = own[:3] + own[max(3, len(own) - MOST_LINES) :]
    lines = [*traceback.format_list(kept), *traceback.format_exception_only(error)]
    return "".join(lines).rstrip()


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """No floating-point warnings: points are extreme on purpose."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def serve(pipe: Connection) -> None:
    """Load what the first message names, then answer calls until the other side closes."""
    first, own = pipe.recv(), os.getpid()
    try:
        with quiet():
            work = Work(load(first["target"]), first["framework"])
            names = accepted(work.found, first["known"])
            if work.framework == "torch":
                import torch  # noqa: F401  before memory is bounded
    except BaseException as error:  # noqa: BLE001  the boundary: it is the user's module
        pipe.send({"unloadable": raised(error), "type": type(error).__name__})
        return
    pipe.send({"kind": work.kind, "framework": work.framework, "accepted": names})
    from symgrad import limits

    limits.bound_processor_time(limits.SECONDS + limits.VALIDATION_SECONDS + 60)
    with limits.bounded_address_space(first["memory"]), contextlib.suppress(EOFError):
        while True:
            said = answer(work, pipe.recv())
            if os.getpid() != own:  # a copy that the function made of its process
                return
            pipe.send(said)


def answer(work: Work, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the function returned to one call, or raised."""
    try:
        with quiet():
            return work.call(request)
    except BaseException as error:  # noqa: BLE001  the boundary: it is the user's function
        return {"raised": raised(error), "type": type(error).__name__}


def end_with_parent(held: int) -> None:
    """End this process group when the other side is gone, whatever the function does."""
    with contextlib.suppress(OSError):
        os.read(held, 1)
    os.killpg(0, signal.SIGKILL)


def main() -> None:
    """The process ends without unwinding what the user left behind."""
    pipe, held = Connection(int(sys.argv[1])), int(sys.argv[2])
    threading.Thread(target=end_with_parent, args=(held,), daemon=True).start()
    sys.stdout = sys.stderr = Bounded(sys.stderr)
    code = 1
    try:
        serve(pipe)
        code = 0
    except (OSError, KeyboardInterrupt):
        pass
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main()
