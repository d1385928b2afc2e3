"""Random formulas: 2 to 4 statements of every construct of the language, as YAML text.

A program is a function of its seed alone. Expressions are kept tame (squares below roots and logarithms), so that
autograd of the independent evaluation is a judge of every derivative.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from random import Random

BATCH = "..."
LETTERS = "ijkpqrs"
DIMS = ("n", "c", "d")


@dataclass
class Tensor:
    name: str
    axes: tuple[str, ...]
    integer: bool = False
    padded: bool = False


@dataclass
class Draft:
    """A formula being written: tensors known so far, and text by key."""

    rng: Random
    tensors: list[Tensor]
    inputs: dict[str, str] = field(default_factory=dict)
    lets: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)
    loss: str = ""
    parameters: tuple[str, ...] = ()
    name: str = "fuzzed"
    depth: int = 3

    def text(self) -> str:
        lines = [f"name: {self.name}", "inputs:"]
        lines += [f"  {k}: {v}" for k, v in self.inputs.items()]
        if self.parameters:
            lines += ["parameters: {" + ", ".join(f"{p}: {1.5 + k}" for k, p in enumerate(self.parameters)) + "}"]
        for key, block in (("let", self.lets), ("output", self.outputs)):
            if block:
                lines += [f"{key}:", *(f'  "{k}": "{v}"' for k, v in block.items())]
        if self.loss:
            lines.append(f'loss: "{self.loss}"')
        return "\n".join(lines) + "\n"


@dataclass
class Scope:
    """Indices that may be used, each with its dimension."""

    indices: dict[str, str]

    def inner(self, name: str, dim: str) -> Scope:
        return Scope({**self.indices, name: dim})


def program(seed: int, depth: int = 3) -> str:
    """The YAML text of the random formula of that seed; `depth` bounds how deep an expression nests."""
    rng = Random(seed)
    draft = Draft(rng, [], depth=depth)
    batch = rng.random() < 0.2
    _inputs(draft, batch)
    count = rng.randint(1, 3)
    for k in range(count):
        _statement(draft, f"{'abu'[k]}", batch, "let")
    if rng.random() < 0.5:
        _loss(draft, batch)
    else:
        for k in range(rng.choice((1, 1, 2))):
            _statement(draft, f"{'yo'[k]}", batch, "output")
    return draft.text()


def _inputs(draft: Draft, batch: bool) -> None:
    rng = draft.rng
    shapes = [("x", ("n", "c")), ("w", ("c",)), ("v", ("n",)), ("M", ("c", "d")), ("z", ("n", "c")), ("A", ("c", "c"))]
    chosen = [shapes[0], *rng.sample(shapes[1:], rng.randint(1, 3))]
    for name, axes in chosen:
        lead = (BATCH,) if batch and rng.random() < 0.6 else ()
        draft.tensors.append(Tensor(name, lead + axes))
        draft.inputs[name] = f"[{', '.join(lead + axes)}]"
    if rng.random() < 0.15:
        draft.tensors.append(Tensor("s0", ()))
        draft.inputs["s0"] = "[]"
    if rng.random() < 0.25:
        draft.tensors.append(Tensor("g", ("n", "c"), padded=True))
        draft.inputs["g"] = "{shape: [n, c], outside: 0}"
    if rng.random() < 0.25:
        draft.tensors.append(Tensor("t", ("n",), integer=True))
        draft.inputs["t"] = '{shape: [n], dtype: int, domain: "integer(0, c - 1)"}'
    if rng.random() < 0.3:
        draft.parameters = ("gam",)
    if batch and not any(BATCH in t.axes for t in draft.tensors):
        draft.tensors[0].axes = (BATCH, "n", "c")
        draft.inputs["x"] = "[..., n, c]"


def _signature(draft: Draft, batch: bool, most: int) -> dict[str, str]:
    rng = draft.rng
    dims = [d for d in DIMS if any(d in t.axes for t in draft.tensors)]
    chosen = rng.sample(dims, min(len(dims), rng.randint(0 if batch else 1, most)))
    names = rng.sample(LETTERS, len(chosen))
    lead = {BATCH: BATCH} if batch else {}
    return {**lead, **dict(zip(names, chosen, strict=True))}


def _statement(draft: Draft, name: str, batch: bool, kind: str) -> None:
    indices = _signature(draft, batch, 2)
    scope = Scope(indices)
    body = expression(draft, scope, draft.depth)
    body = _touch(draft, scope, body)
    key = f"{name}[{', '.join(indices)}]" if indices else name
    (draft.lets if kind == "let" else draft.outputs)[key] = body
    draft.tensors.append(Tensor(name, tuple(indices.values())))


def _loss(draft: Draft, batch: bool) -> None:
    scope = Scope({BATCH: BATCH} if batch else {draft.rng.choice(LETTERS): "n"} if draft.rng.random() < 0.6 else {})
    body = expression(draft, scope, draft.depth)
    last = draft.tensors[-1]
    body = f"{body} + {_reduced(draft, scope, last)}"
    draft.loss = _touch(draft, scope, body)


def _reduced(draft: Draft, scope: Scope, tensor: Tensor) -> str:
    """A sum of squares over the axes of a tensor that are not in scope, so that the last statement matters."""
    names, bound, free = [], [], [n for n in LETTERS if n not in scope.indices]
    taken = dict(scope.indices)
    for axis in tensor.axes:
        found = next((n for n, d in taken.items() if d == axis and n not in names), None)
        if found is None:
            found = BATCH if axis == BATCH else free.pop()
            bound.append(found)
        names.append(found)
    access = f"{tensor.name}[{', '.join(names)}]" if names else tensor.name
    return f"Sum({access}**2, {', '.join(bound)})" if bound else f"{access}**2"


def is_bare(name: str, body: str) -> bool:
    """Whether an index subscripts some axis bare."""
    return re.search(rf"[\[,]\s*{re.escape(name)}\s*[\],](?!\s*\))", body) is not None


def _touch(draft: Draft, scope: Scope, body: str) -> str:
    """The body with an access added for each index that it does not use bare."""
    for name, dim in scope.indices.items():
        if is_bare(name, body):
            continue
        found = [t for t in draft.tensors if dim in t.axes and not t.integer]
        tensor = draft.rng.choice(found) if found else None
        if tensor is None:
            continue
        access = _access(draft, scope, tensor, wanted=name)
        body = f"({body})*sin({access})" if draft.rng.random() < 0.5 else f"{body} + {access}"
    return body


# ---- expressions ----------------------------------------------------------------------------------------------------


def expression(draft: Draft, scope: Scope, depth: int) -> str:
    """A random expression over the indices in scope."""
    rng = draft.rng
    if depth == 0 or rng.random() < 0.12:
        return _leaf(draft, scope)
    make = rng.choices((_unary, _binary, _reduction, _choice), (4, 6, 5, 2))[0]
    return make(draft, scope, depth)


UNARY = (
    "sin({})", "tanh({})", "exp(sin({}))", "sigmoid({})", "softplus({})", "relu({})", "Abs({})", "({})**2",
    "log(1 + ({})**2)", "sqrt(1 + ({})**2)", "1/(2 + ({})**2)", "-({})", "2*({})", "erf({})", "log(sigmoid({}))",
    "gelu({})", "atan({})", "cos({})", "clip({}, -1, 1)", "silu({})", "expm1(tanh({}))", "({})**3", "log(cosh({}))",
    "exp(-({})**2)",
)  # fmt: skip
BINARY = (
    "{} + {}", "({}) - ({})", "({})*({})", "({})*({})", "({})/(1 + ({})**2)", "Max({}, {})", "Min({}, {})",
    "({} - ({}))**2", "({})*exp(-({})**2)", "(({})**2 + 1)**sigmoid({})",
)  # fmt: skip


def _unary(draft: Draft, scope: Scope, depth: int) -> str:
    return draft.rng.choice(UNARY).format(expression(draft, scope, depth - 1))


def _binary(draft: Draft, scope: Scope, depth: int) -> str:
    a = expression(draft, scope, depth - 1)
    b = a if draft.rng.random() < 0.08 else expression(draft, scope, depth - 1)
    return draft.rng.choice(BINARY).format(f"({a})", f"({b})")


def _choice(draft: Draft, scope: Scope, depth: int) -> str:
    """where, Piecewise, conditions on data or on indices."""
    rng = draft.rng
    a, b = expression(draft, scope, depth - 1), expression(draft, scope, depth - 1)
    names = [n for n in scope.indices if n != BATCH]
    if len(names) >= 2 and rng.random() < 0.6:
        i, j = rng.sample(names, 2)
        condition = f"{i} {rng.choice(('<', '<=', '==', '>', '>='))} {j}"
    elif names and rng.random() < 0.4:
        condition = f"{rng.choice(names)} {rng.choice(('>', '<', '<='))} {rng.randint(0, 2)}"
    else:
        condition = f"{_leaf(draft, scope, numbers=False)} > {_leaf(draft, scope)}"
    if rng.random() < 0.5:
        return f"where({condition}, {a}, {rng.choice((b, '0', '1'))})"
    return f"Piecewise(({a}, {condition}), ({b}, True))"


def _reduction(draft: Draft, scope: Scope, depth: int) -> str:
    rng = draft.rng
    dims = [d for d in DIMS if any(d in t.axes for t in draft.tensors)]
    free = [n for n in LETTERS if n not in scope.indices]
    if not dims or not free:
        return _leaf(draft, scope)
    dim = rng.choice(dims)
    if rng.random() < 0.25:
        found = _softmax(draft, scope, depth)
        if found:
            return found
    name = rng.choice(free[:3])
    inner = scope.inner(name, dim)
    body = expression(draft, inner, depth - 1)
    bound = name
    if not is_bare(name, body):
        if rng.random() < 0.5:
            body = _touch(draft, Scope({name: dim}), body)
        else:
            bound = f"({name}, 0, {dim} - 1)"
    return _reduce(rng, body, bound)


REDUCTIONS = (
    ("Sum({}, {})", 6), ("mean({}, {})", 2), ("logsumexp({}, {})", 2), ("amax({}, {})", 1), ("amin({}, {})", 1),
    ("norm({}, {})", 1), ("var({}, {})", 1), ("Product(1 + ({})/4, {})", 1), ("amax({}, {}, ties=first)", 1),
)  # fmt: skip


def _reduce(rng: Random, body: str, bound: str) -> str:
    kinds, weights = zip(*REDUCTIONS, strict=True)
    kind = rng.choices(kinds, weights)[0]
    if bound[0] == "(":
        kind = "Sum({}, {})"
    return kind.format(body, bound)


def _softmax(draft: Draft, scope: Scope, depth: int) -> str | None:
    """softmax over an index that stays in scope."""
    names = [n for n in scope.indices if n != BATCH]
    if not names:
        return None
    name = draft.rng.choice(names)
    inner = Scope(dict(scope.indices))
    body = expression(draft, inner, depth - 1)
    if not is_bare(name, body):
        body = _touch(draft, Scope({name: scope.indices[name]}), body)
    return f"{draft.rng.choice(('softmax', 'softmax', 'log_softmax'))}({body}, {name})"


def _leaf(draft: Draft, scope: Scope, numbers: bool = True) -> str:
    rng = draft.rng
    if numbers and rng.random() < 0.12:
        return rng.choice(("2", "1/3", "0.5", *draft.parameters))
    names = [n for n in scope.indices if n != BATCH]
    if numbers and names and rng.random() < 0.06:
        return rng.choice((f"({rng.choice(names)} + 1)", "1/n"))
    readable = [t for t in draft.tensors if not t.integer and set(t.axes) <= set(scope.indices.values())]
    if not readable:
        return "1"
    return _access(draft, scope, rng.choice(readable[-4:]))


def _access(draft: Draft, scope: Scope, tensor: Tensor, wanted: str = "") -> str:
    """tensor[...] by indices in scope; axes without one are read at 0 or through a gather."""
    rng = draft.rng
    gather = next((t for t in draft.tensors if t.integer), None)
    out: list[str] = []
    for axis in tensor.axes:
        fitting = [n for n, d in scope.indices.items() if d == axis]
        if wanted in fitting and wanted not in out:
            out.append(wanted)
        elif axis == BATCH and not fitting:
            out.append(BATCH)
        elif not fitting:
            out.append("0")
        else:
            out.append(rng.choice(fitting))
    rows = [n for n, d in scope.indices.items() if d == "n"]
    if gather and rows and "c" in tensor.axes and not wanted and rng.random() < 0.3:
        out[tensor.axes.index("c")] = f"t[{rows[0]}]"
    if tensor.padded and not wanted and rng.random() < 0.7 and out[-1] in scope.indices:
        out[-1] = rng.choice(("{} - 1", "{} + 1", "2*{} - 1")).format(out[-1])
    return f"{tensor.name}[{', '.join(out)}]" if out else tensor.name
