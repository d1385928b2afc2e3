"""Faults planted systematically: in the generated program (both kernels get them), or in the source of one kernel.

A mutation of the program takes the derivation's adjoint statements and changes one; a mutation of the source replaces
one piece of text in a kernel. Classes are those of ACCURACY.md: sign, factor, term, axis, transposition, convention,
region, upstream, reduction, precision, range; and forward mode, in the tangents of the torch kernel.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from itertools import islice
from typing import Any

import symgrad
from symgrad.algebra.build import (
    Fresh,
    add,
    compare,
    fn,
    iverson,
    mul,
    neg,
    open_reduction,
    power,
    rebuild,
    reduce,
    substitute,
)
from symgrad.algebra.terms import HALF, MINUS_ONE, ONE, TWO, ZERO, Term, extent, is_num, node, num, walk
from symgrad.emit.package import emit_package
from symgrad.validate.certificate import Certificate, certify

TINY = num(1 + Fraction(1, 10**7))


@dataclass(frozen=True)
class Fault:
    """One wrong package: `kind` is its class, `where` the statement or kernel, `what` was done."""

    formula: str
    kind: str
    where: str
    what: str
    package: Mapping[str, str]

    @property
    def key(self) -> str:
        """How the table of equivalent mutants names it."""
        return f"{self.formula}: {self.kind}: {self.where}: {self.what}"


FORMULAS = (
    *("l1", "huber", "softmax_cross_entropy", "cross_entropy", "mse", "smooth_l1", "bce_with_logits", "hinge"),
    *("squared_hinge", "quantile", "focal_binary", "gaussian_nll", "poisson_nll", "kl_divergence", "log_cosh"),
    *("softmax", "layer_norm", "linear", "prelu", "gelu", "elu", "quadratic_form", "trace_gram", "rms_norm"),
    *("embedding", "dice", "triplet_margin", "l2_regularized", "cosine_similarity", "bilinear_form"),
    *("label_smoothing", "leaky_relu", "log_softmax", "sigmoid", "tanh", "silu", "relu", "contrastive"),
)
EQUIVALENT: Mapping[str, str] = {
    "triplet_margin: convention: da: < and <= exchanged": "which direction is taken: where u = v their distance is 0",
    "prelu: convention: da: < and <= exchanged": "at x = 0 the bracket's factor x is 0 itself",
}
"""Mutants that are no faults -> why."""
MISSED: Mapping[str, str] = {}
"""Faults that the certificate does not refuse yet -> why."""


@cache
def derived(formula: str) -> Any:
    """A formula of the catalogue."""
    return symgrad.derive(formula)


def judged(fault: Fault, seed: int = 0) -> Certificate:
    """What the certificate says of a fault."""
    return certify(derived(fault.formula).derivation, dict(fault.package), seed)


def faults(formula: str) -> Iterator[Fault]:
    """Every fault that the mutations below find a place for; of each kind and statement the first that they find."""
    d, right = derived(formula).derivation, derived(formula).package
    seen: set[tuple[str, str]] = set()
    for kind, name, what, body in _of_program(d):
        if (kind, name) not in seen:
            seen.add((kind, name))
            changed = tuple(replace(s, body=body) if s.name == name else s for s in d.backward)
            made = replace(d.machine, backward=changed)
            package = emit_package(replace(d, kernels=lambda made=made: made))
            if package != right:  # else nothing reads the statement
                yield Fault(formula, kind, name, what, package)
    yield from _in_forward_mode(formula, d, right)
    for kind, file, what, source in _of_source(right):
        yield Fault(formula, kind, file, what, {**right, file: source})


def _of_program(d: Any) -> Iterator[tuple[str, str, str, Term]]:
    cotangents = frozenset(d.cotangents.values())
    unbounded = {i.name for i in d.program.inputs if i.name in d.program.wrt and i.domain.kind == "real"}
    for s in d.backward:
        for kind, mutate in MUTATIONS.items():
            for what, body in mutate(s.body, s.indices, cotangents):
                if body is s.body or (kind == "region" and what not in unbounded):
                    continue
                yield kind, s.name, what, body


def _in_forward_mode(formula: str, d: Any, right: Mapping[str, str]) -> Iterator[Fault]:
    """The first place of each of a few mutations in each statement of forward mode."""
    for s in d.tangent:
        for kind in OF_TANGENTS:
            for what, body in islice(MUTATIONS[kind](s.body, s.indices, frozenset()), 1):
                changed = tuple(replace(t, body=body) if t.name == s.name else t for t in d.tangent)
                made = replace(d.machine, tangent=changed)
                package = emit_package(replace(d, kernels=lambda made=made: made))
                if package != right:
                    yield Fault(formula, "forward mode", s.name, f"{kind}, {what}", package)


# ---- the generated program ------------------------------------------------------------------------------------------

Mutants = Iterator[tuple[str, Term]]


def _everywhere(t: Term, change: Callable[[Term], Iterator[tuple[str, Term]]]) -> Mutants:
    """The term with one subterm changed, outermost first; reductions are opened on the way."""
    yield from change(t)
    if t.op == "red":
        body, variables = open_reduction(t, Fresh())
        for what, new in _everywhere(body, change):
            yield what, reduce(str(t.data), new, variables)
    elif t.op not in ("get", "get0", "mat", "idx"):
        for k, a in enumerate(t.args):
            for what, new in _everywhere(a, change):
                yield what, rebuild(t, (*t.args[:k], new, *t.args[k + 1 :]))


def _sign(t: Term, indices: Any, cotangents: Any) -> Mutants:
    yield "negated", neg(t)


def _factor(t: Term, indices: Any, cotangents: Any) -> Mutants:
    yield "twice", mul(TWO, t)


def _small_factor(t: Term, indices: Any, cotangents: Any) -> Mutants:
    yield "times 1 + 1e-7", mul(TINY, t)


def _count(t: Term, indices: Any, cotangents: Any) -> Mutants:
    for i in indices:
        yield f"divided by the extent of {i.data}", mul(t, power(extent(i), MINUS_ONE))


def _missing_term(t: Term, indices: Any, cotangents: Any) -> Mutants:
    def change(x: Term) -> Mutants:
        if x.op == "add":
            for k in range(len(x.args)):
                yield f"summand {k} dropped", add(*(a for j, a in enumerate(x.args) if j != k))

    yield from _everywhere(t, change)


def _missing_factor(t: Term, indices: Any, cotangents: frozenset[str]) -> Mutants:
    def change(x: Term) -> Mutants:
        if x.op == "mul":
            for k, f in enumerate(x.args):
                if not is_num(f) and f.op != "iv" and not f.tensors <= cotangents:
                    yield f"factor {k} dropped", mul(*(a for j, a in enumerate(x.args) if j != k))

    yield from _everywhere(t, change)


def _twice(t: Term, indices: Any, cotangents: frozenset[str]) -> Mutants:
    def change(x: Term) -> Mutants:
        if x.op == "mul":
            for k, f in enumerate(x.args):
                if not is_num(f) and f.op != "iv" and not f.tensors <= cotangents:
                    yield f"factor {k} applied twice", mul(x, f)

    yield from _everywhere(t, change)


def _part_of_axis(t: Term, indices: Any, cotangents: Any) -> Mutants:
    def change(x: Term) -> Mutants:
        if x.op == "red" and x.data == "sum":
            body, variables = open_reduction(x, Fresh())
            yield "only the first of the sum", substitute(body, dict.fromkeys(variables, ZERO))

    yield from _everywhere(t, change)


def _transposed(t: Term, indices: Any, cotangents: Any) -> Mutants:
    for k, i in enumerate(indices):
        for j in indices[k + 1 :]:
            if extent(i) is extent(j):
                yield f"{i.data} and {j.data} exchanged", substitute(t, {i: j, j: i})


def _convention(t: Term, indices: Any, cotangents: Any) -> Mutants:
    def change(x: Term) -> Mutants:
        if x.op == "cmp" and x.data in ("<", "<=") and x.tensors:
            yield "< and <= exchanged", compare("<=" if x.data == "<" else "<", *x.args)
        if x.op == "fn" and x.data == "sign":
            yield "sign is 1 at 0", add(mul(TWO, iverson(compare("<=", ZERO, x.args[0]))), MINUS_ONE)
        if x.op == "fn" and x.data == "Heaviside":
            yield "the step is 1 at 0", iverson(compare("<=", ZERO, x.args[0]))
        if x.op == "iv" and x.args[0].op == "cmp" and x.args[0].data == "==" and x.args[0].tensors:
            yield "half a tie", mul(HALF, x)

    yield from _everywhere(t, change)


def _region(t: Term, indices: Any, cotangents: Any) -> Mutants:
    # 0 where an input is beyond 20
    reads = (x for x in walk(t) if x.op == "get" and x.free <= frozenset(indices) and x.tensors - cotangents)
    for access in reads:
        yield str(access.data), mul(iverson(compare("<", fn("Abs", access), num(20))), t)


def _last_element(t: Term, indices: Any, cotangents: Any) -> Mutants:
    for i in indices[-1:]:
        if str(i.data) != "...":
            last = compare("<", i, add(extent(i), MINUS_ONE))
            yield "0 in the last column", mul(iverson(last), t)


def _upstream(t: Term, indices: Any, cotangents: frozenset[str]) -> Mutants:
    for x in walk(t):
        if x.op in ("get", "get0") and str(x.data) in cotangents:
            free = mul(t, power(x, MINUS_ONE)) if x.free <= frozenset(indices) else None
            if free is not None and not free.tensors & cotangents:
                yield "ignored", free
            yield "applied twice", _replaced(t, x, mul(x, x))
            return


def _replaced(t: Term, old: Term, new: Term) -> Term:
    if t is old:
        return new
    if t.op == "red":
        body, variables = open_reduction(t, Fresh())
        found = _canonical(body, old)
        return reduce(str(t.data), _replaced(body, found, mul(found, found)), variables) if found is not None else t
    if t.op in ("get", "get0", "idx", "mat"):
        return t
    return rebuild(t, tuple(_replaced(a, old, new) for a in t.args))


def _canonical(body: Term, like: Term) -> Term | None:
    return next((x for x in walk(body) if x.op == like.op and x.data == like.data), None)


def _wrong_function(t: Term, indices: Any, cotangents: Any) -> Mutants:
    other = {"sigmoid": "tanh", "tanh": "sigmoid", "exp": "expm1", "expm1": "exp", "sech2": "sigmoid", "Abs": "relu"}

    def change(x: Term) -> Mutants:
        if x.op == "fn" and x.data in other:
            yield f"{other[str(x.data)]} for {x.data}", node("fn", x.args, other[str(x.data)])

    yield from _everywhere(t, change)


def _parameter(t: Term, indices: Any, cotangents: Any) -> Mutants:
    for x in walk(t):
        if x.op == "par":
            yield f"{x.data} dropped", _replaced(t, x, ONE)
            return


MUTATIONS: Mapping[str, Callable[[Term, Any, frozenset[str]], Mutants]] = {
    "sign": _sign,
    "factor": _factor,
    "small factor": _small_factor,
    "count": _count,
    "missing term": _missing_term,
    "missing factor": _missing_factor,
    "factor twice": _twice,
    "axis": _part_of_axis,
    "transposition": _transposed,
    "convention": _convention,
    "region": _region,
    "last element": _last_element,
    "upstream": _upstream,
    "function": _wrong_function,
    "parameter": _parameter,
}

OF_TANGENTS = ("sign", "small factor", "missing term", "axis", "function")

# ---- the source of one kernel ---------------------------------------------------------------------------------------

NUMPY, TORCH = "numpy_kernels.py", "torch_kernels.py"
SOURCE: tuple[tuple[str, str, str, str, str], ...] = (
    ("reduction", NUMPY, "the mean is the sum", "return 1 / max(count, 1) if reduction", "return 1 if reduction"),
    ("reduction", TORCH, "the mean is the sum", "return 1 / max(count, 1) if reduction", "return 1 if reduction"),
    ("reduction", NUMPY, "the sum is the mean", 'if reduction == "mean" else 1', "if reduction else 1"),
    ("range", NUMPY, "softmax without its shift", "e = np.exp(x - top)", "e = np.exp(x)"),
    ("range", NUMPY, "logsumexp without its shift", "np.log(np.exp(x - top).sum(axis=axis)) + top.squeeze(axis=axis)",
     "np.log(np.exp(x).sum(axis=axis))"),
    ("precision", NUMPY, "rounded to float32", ".astype(dtype, copy=False)", ".astype('float32').astype(dtype)"),
    ("precision", NUMPY, "float64 for float32", "compute = np.promote_types(dtype, np.float32)",
     "dtype = compute = np.promote_types(dtype, np.float64)"),
    ("conduct", NUMPY, "an input written to", "compute = np.promote_types(dtype, np.float32)",
     "compute = np.promote_types(dtype, np.float32)\n    array *= 1.0000001"),
)  # fmt: skip


def _of_source(package: Mapping[str, str]) -> Iterator[tuple[str, str, str, str]]:
    for kind, file, what, right, wrong in SOURCE:
        if right in package[file]:
            parts = package[file].rpartition(right) if "rounded" in what else package[file].partition(right)
            yield kind, file, what, parts[0] + wrong + parts[2]
