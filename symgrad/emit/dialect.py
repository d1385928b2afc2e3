"""What NumPy and torch spell differently. A further target that computes on whole arrays is one more dialect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from symgrad.emit.scalars import ATOM, Code
from symgrad.errors import UnsupportedError
from symgrad.lower.arrays import Expr, Frame, Made, Map, Reduce, is_batch

if TYPE_CHECKING:
    from symgrad.emit.expressions import Printer

NUMPY_FUNCTIONS: Mapping[str, str] = {
    name: name for name in "exp log sqrt sign sin cos tan sinh cosh tanh floor expm1 log1p where".split()
} | {
    "Abs": "abs",
    "asin": "arcsin",
    "acos": "arccos",
    "atan": "arctan",
    "atan2": "arctan2",
    "asinh": "arcsinh",
    "acosh": "arccosh",
    "atanh": "arctanh",
    "ceiling": "ceil",
    "Max": "maximum",
    "Min": "minimum",
    "clip": "clip",
    "sigmoid": "_sigmoid",
    "softplus": "_softplus",
    "log_sigmoid": "_log_sigmoid",
    "logcosh": "_logcosh",
    "sech2": "_sech2",
    "logit": "_logit",
    "normal_pdf": "_normal_pdf",
    "silu": "_silu",
    "gelu": "_gelu",
    "hypot": "_hypot",
    "log1psq": "_log1psq",
    "exp_rest": "_exp_rest",
    "log1mexp": "_log1mexp",
    "logmeanexp": "_logmeanexp",
}
SCIPY_FUNCTIONS: Mapping[str, str] = {
    "erf": "erf",
    "erfc": "erfc",
    "loggamma": "gammaln",
    "digamma": "digamma",
    "polygamma": "polygamma",
    "normal_cdf": "ndtr",
}
TORCH_FUNCTIONS: Mapping[str, str] = {
    name: name
    for name in (
        "exp log sqrt sign sin cos tan sinh cosh tanh asin acos atan atan2 asinh acosh atanh erf erfc digamma polygamma"
        " floor expm1 log1p relu logit where"
    ).split()
} | {
    "Abs": "abs",
    "ceiling": "ceil",
    "Max": "maximum",
    "Min": "minimum",
    "clip": "clamp",
    "loggamma": "lgamma",
    "sigmoid": "_sigmoid",
    "softplus": "_softplus",
    "log_sigmoid": "nn.functional.logsigmoid",
    "logcosh": "_logcosh",
    "sech2": "_sech2",
    "normal_cdf": "_normal_cdf",
    "normal_pdf": "_normal_pdf",
    "silu": "_silu",
    "gelu": "_gelu",
    "hypot": "_hypot",
    "log1psq": "_log1psq",
    "exp_rest": "_exp_rest",
    "log1mexp": "_log1mexp",
    "logmeanexp": "_logmeanexp",
}


TORCH_REDUCTIONS = {"sum": "sum", "prod": "prod", "max": "amax", "min": "amin"}


class Dialect(Protocol):
    """The spelling of one target."""

    @property
    def cast(self) -> str:
        """The method that changes the dtype."""

    @property
    def move_axes(self) -> str:
        """The function that moves axes to other places."""

    @property
    def determinant(self) -> str:
        """The function of determinants."""

    @property
    def einsum(self) -> str:
        """The function that contracts two arrays."""

    def function(self, p: Printer, op: str, args: Sequence[Code], e: Map) -> Code:
        """A function, applied elementwise."""

    def reduce(self, p: Printer, e: Reduce, axes: str | None, keep: bool) -> Code:
        """sum, prod, max, min, argmax over axes; None: over all."""

    def broadcast(self, p: Printer, inner: Code, shape: str) -> Code:
        """The array repeated to a shape."""

    def placed(self, like: str) -> Sequence[str]:
        """Arguments that put a new array on the device of another."""

    def swap(self, inner: str) -> str:
        """The last two axes exchanged."""

    def permute(self, inner: str, order: str) -> str:
        """The axes in another order."""

    def take_along(self, p: Printer, array: str, positions: str, axis: int) -> str:
        """One axis read at positions that share the other axes."""

    def unmade(self, p: Printer, made: Made, count: str) -> str:
        """What a loop fills, before its first step."""

    def step_marks(self, frame: Frame, axis: int) -> tuple[list[str], list[str]]:
        """The subscripts before and after the number of a step; `frame`: the axes of one step."""

    def joined(self, p: Printer, name: str, made: Made) -> Sequence[str]:
        """What makes one array of the steps, after the last."""


TAPS = {"sum": "add", "max": "maximum", "min": "minimum"}
"""Reductions over the axes of windows, and what NumPy does with two slices."""


@dataclass(frozen=True)
class NumpyDialect:
    """NumPy, with SciPy's special functions where a formula has them."""

    cast: str = "astype"
    move_axes: str = "moveaxis"
    einsum: str = "_contracted"
    determinant: str = "_determinant"

    def function(self, p: Printer, op: str, args: Sequence[Code], e: Map) -> Code:
        """`np.exp(x)`, a helper, or a special function of SciPy."""
        texts = [a[0] for a in args]
        if op == "relu":
            return p.call("maximum", *texts, "0")
        if op == "copy":
            return f"{_atom(args[0])}.copy()", ATOM
        if op == "clamp_index":
            return p.call("clip", texts[0], "0", texts[1])
        if op in SCIPY_FUNCTIONS:
            return f"{p.note('module scipy.special')}.{SCIPY_FUNCTIONS[op]}({', '.join(texts)})", ATOM
        if op not in NUMPY_FUNCTIONS:
            raise UnsupportedError(f"{op} has no NumPy function")
        return p.call(NUMPY_FUNCTIONS[op], *texts)

    def reduce(self, p: Printer, e: Reduce, axes: str | None, keep: bool) -> Code:
        """`x.sum(axis=-1)`."""
        if e.taps and axes is not None and not keep and e.kind in TAPS:
            numbers = axes.strip("()").rstrip(",")
            return p.call("_over_taps", f"{p.note('module target')}.{TAPS[e.kind]}", p.text(e.operand), numbers)
        if e.taps and axes is not None and e.kind == "argmax" and len(e.over) == 1:
            return p.call("_argmax_of_taps", p.text(e.operand), axes)
        options = ([f"axis={axes}"] if axes is not None else []) + (["keepdims=True"] if keep else [])
        inner = p.text(e.operand, ATOM)
        if e.kind == "argmax" and len(e.over) > 1:
            lead = len(e.operand.frame) - len(e.over)
            rest = f"*{inner}.shape[:{-len(e.over)}], " if lead else ""
            inner, options = f"{inner}.reshape({rest}-1)", ["axis=-1"]
        return f"{inner}.{e.kind}({', '.join(options)})", ATOM

    def broadcast(self, p: Printer, inner: Code, shape: str) -> Code:
        """`np.broadcast_to(x, shape)`."""
        return p.call("broadcast_to", inner[0], shape)

    def placed(self, like: str) -> Sequence[str]:
        """NumPy has one device."""
        return ()

    def swap(self, inner: str) -> str:
        """`x.swapaxes(-1, -2)`: `x.mT` is there from NumPy 2 only."""
        return f"{inner}.swapaxes(-1, -2)"

    def permute(self, inner: str, order: str) -> str:
        """`x.transpose(1, 2, 0)`."""
        return f"{inner}.transpose({order})"

    def unmade(self, p: Printer, made: Made, count: str) -> str:
        """`np.empty(shape, dtype)`."""
        dtype = f"{p.like}.dtype" if made.dtype == "real" else f"{p.note('module target')}.int64"
        return p.call("empty", p.shape(made.frame), f"dtype={dtype}")[0]

    def step_marks(self, frame: Frame, axis: int) -> tuple[list[str], list[str]]:
        """`h[t]`, `h[..., t, :]`."""
        if axis == 0:
            return [], []
        batched = any(is_batch(i) for i in frame)
        return (["..."] if batched else [":"] * axis), ([":"] * (len(frame) - axis) if batched else [])

    def joined(self, p: Printer, name: str, made: Made) -> Sequence[str]:
        """The steps are one array already."""
        return ()

    def take_along(self, p: Printer, array: str, positions: str, axis: int) -> str:
        """`np.take_along_axis`."""
        return p.call("take_along_axis", array, positions, f"axis={axis}")[0]


def _is_number(e: Expr) -> bool:
    """Whether it is a Python number in the kernel, not a tensor."""
    return not e.frame and type(e).__name__ == "Scalar"


@dataclass(frozen=True)
class TorchDialect:
    """torch."""

    cast: str = "to"
    move_axes: str = "movedim"
    einsum: str = "einsum"
    determinant: str = "linalg.det"

    def function(self, p: Printer, op: str, args: Sequence[Code], e: Map) -> Code:
        """`torch.exp(x)` or a helper."""
        texts = [a[0] for a in args]
        if op == "copy":
            return f"{_atom(args[0])}.clone()", ATOM
        if op == "clamp_index":
            return p.call("clamp", texts[0], "0", texts[1])
        if op in ("Max", "Min") and _is_number(e.args[1]):
            return p.call("clamp", texts[0], f"{'min' if op == 'Max' else 'max'}={texts[1]}")
        if op == "clip" and _is_number(e.args[1]) != _is_number(e.args[2]):  # bounds are two tensors or two numbers
            return p.call("clamp", p.call("clamp", texts[0], f"min={texts[1]}")[0], f"max={texts[2]}")
        if op not in TORCH_FUNCTIONS:
            raise UnsupportedError(f"{op} has no torch function")
        return p.call(TORCH_FUNCTIONS[op], *texts)

    def reduce(self, p: Printer, e: Reduce, axes: str | None, keep: bool) -> Code:
        """`x.sum(dim=-1)`."""
        options = ([f"dim={axes}"] if axes is not None else []) + (["keepdim=True"] if keep else [])
        inner = p.text(e.operand, ATOM)
        if e.kind == "argmax":
            flat = f".flatten({-len(e.over)})" if len(e.over) > 1 else ""
            return f"{inner}{flat}.argmax(dim={-1 if flat else axes or 0})", ATOM
        if e.kind == "prod" and len(e.over) > 1:
            last_first = sorted((p.axis(e.operand.frame, i) for i in e.over), key=lambda k: -(k % len(e.operand.frame)))
            for gone, i in enumerate(last_first):
                # an axis that is counted from the end moves with each one behind it that is gone
                own = f"{i}, keepdim=True" if keep else str(i + gone if i < 0 else i)
                inner = f"{inner}.prod(dim={own})"
            return inner, ATOM
        return f"{inner}.{TORCH_REDUCTIONS[e.kind]}({', '.join(options)})", ATOM

    def broadcast(self, p: Printer, inner: Code, shape: str) -> Code:
        """`x.expand(shape)`."""
        return f"{_atom(inner)}.expand({shape})", ATOM

    def placed(self, like: str) -> Sequence[str]:
        """The device of the inputs."""
        return (f"device={like}.device",)

    def swap(self, inner: str) -> str:
        """`x.mT`."""
        return f"{inner}.mT"

    def permute(self, inner: str, order: str) -> str:
        """`x.permute(1, 2, 0)`."""
        return f"{inner}.permute({order})"

    def unmade(self, p: Printer, made: Made, count: str) -> str:
        """A list: autograd, vmap and compile see no write into a tensor."""
        return f"[None] * {count if count.isidentifier() else f'({count})'}"

    def step_marks(self, frame: Frame, axis: int) -> tuple[list[str], list[str]]:
        """`h[t]` of a list."""
        return [], []

    def joined(self, p: Printer, name: str, made: Made) -> Sequence[str]:
        """`torch.stack(h)`, where anything reads it."""
        axis = made.axis - len(made.frame) if any(is_batch(i) for i in made.frame) else made.axis
        options = [f"dim={axis}"] if axis else []
        return [f"{name} = {p.call('stack', name, *options)[0]}"] if made.read else []

    def take_along(self, p: Printer, array: str, positions: str, axis: int) -> str:
        """`torch.take_along_dim`."""
        return p.call("take_along_dim", array, positions, f"dim={axis}")[0]


def _atom(code: Code) -> str:
    return code[0] if code[1] >= ATOM else f"({code[0]})"
