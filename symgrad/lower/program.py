"""Statements in, an array program out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from symgrad.algebra.terms import BATCH, Term, dim
from symgrad.errors import UnsupportedError
from symgrad.formula.blocks import blocks, is_recurrent
from symgrad.formula.program import Program, Statement
from symgrad.lower import elementwise, products
from symgrad.lower.access import lower_access
from symgrad.lower.arrays import (
    Assign,
    Broadcast,
    Expr,
    Fill,
    Flatten,
    Item,
    Map,
    Merge,
    Pick,
    Read,
    Scalar,
    Split,
    Transpose,
    Window,
)
from symgrad.lower.contraction import lower_sum
from symgrad.lower.frames import transposed
from symgrad.lower.loops import Surroundings, lower_recurrence
from symgrad.lower.matrices import lower_matrix
from symgrad.lower.radix import Digits, split
from symgrad.lower.reduction import lower_reduction
from symgrad.lower.scope import Guard, Names, Scope, Signature, is_scalar, signature_of
from symgrad.lower.sharing import live, share

CONDITIONS = ("lit", "cmp", "and", "or", "not")
RULES = {
    "add": elementwise.lower_add,
    "mul": products.lower_mul,
    "iv": products.lower_mul,
    "pow": products.lower_pow,
    "fn": elementwise.lower_fn,
    "where": elementwise.lower_where,
    "idx": elementwise.lower_index,
    "get": lower_access,
    "get0": lower_access,
    "mat": lower_matrix,
} | dict.fromkeys(CONDITIONS, elementwise.lower_condition)


def lower_term(t: Term, scope: Scope, guard: Guard) -> Expr:
    """Any term: a Python number, an elementwise operation, an access or a reduction."""
    if is_scalar(t) and t.op not in CONDITIONS:
        return Scalar((), "real", t)
    if is_scalar(t):
        return Scalar((), "bool", t)
    if t.op == "red":
        body, over = scope.open(t)
        if t.data == "sum":
            return lower_sum(body, over, scope, guard)
        return lower_reduction(str(t.data), body, over, scope, guard)
    rule = RULES.get(t.op)
    if rule is None:
        raise UnsupportedError(f"{t.op} has no array operation")
    return rule(t, scope, guard)


def signatures_of(program: Program) -> dict[str, Signature]:
    """The tensors that a program is given, and under `parameter NAME` the kinds of its parameters."""
    found = {}
    for i in program.inputs:
        extents = ((dim(BATCH),) if i.batch else ()) + i.shape
        found[i.name] = Signature(extents, i.dtype)
    for p in program.parameters:
        found[f"parameter {p.name}"] = Signature((), p.dtype)
    return found


def lower_statement(
    s: Statement, signatures: Mapping[str, Signature], definitions: Mapping[str, Statement], names: Names
) -> list[Assign]:
    """One statement: its parts, then the array in the order of its signature."""
    inner, splits = split(s)
    scope = Scope(signatures, definitions, inner.indices, names, lower_term)
    e = merged(finish(scope.lower(inner.body), inner, signatures), splits)
    last = scope.parts[-1] if scope.parts else None
    if last is not None and isinstance(e, Read) and e.name == last.name and e.frame == last.expr.frame:
        return [*scope.parts[:-1], Assign(s.name, last.expr, s.kind)]
    return [*scope.parts, Assign(s.name, e, s.kind)]


def merged(e: Expr, splits: Sequence[Digits]) -> Expr:
    """The expression with the digits of an index as one axis again."""
    for s in splits:
        at = e.frame.index(s.digits[0])
        frame = (*e.frame[:at], s.index, *e.frame[at + len(s.digits) :])
        e = Merge(frame, e.dtype, e, at, len(s.digits))
    return e


def finish(e: Expr, s: Statement, signatures: Mapping[str, Signature]) -> Expr:
    """The expression over exactly the indices of the statement, in order."""
    if isinstance(e, Scalar) and e.dtype != "bool":
        like = next((n for n, g in signatures.items() if g.dtype == "real" and not n.startswith("parameter ")), None)
        e = Fill((), "real", Read((), "real", like or ""), e)
    elif e.dtype == "bool":
        e = elementwise.as_real(e)
    frame = tuple(i for i in s.indices if i in e.frame)
    e = transposed(e, frame)
    return e if len(frame) == len(s.indices) else Broadcast(s.indices, e.dtype, e)


def lower_statements(
    statements: Sequence[Statement],
    given: Mapping[str, Signature],
    results: Iterable[str],
    names: Names,
    known: Iterable[Statement] = (),
) -> list[Item]:
    """The array program that computes the results; `known`: statements whose values are given, not computed."""
    signatures, definitions = dict(given), {}
    for s in known:
        signatures[s.name], definitions[s.name] = signature_of(s), s
    lowered: list[Item] = []
    wanted = tuple(results)
    ordered = blocks(statements)
    for k, block in enumerate(ordered):
        if is_recurrent(block):
            after = {*wanted, *(n for later in ordered[k + 1 :] for s in later for n in s.body.tensors)}
            lowered += lower_recurrence(block, Surroundings(signatures, definitions, names, lower_statement, after))
        else:
            lowered += lower_statement(block[0], signatures, definitions, names)
        for s in block:
            signatures[s.name], definitions[s.name] = signature_of(s), s
    parts = frozenset(a.name for a in lowered if isinstance(a, Assign) and a.kind == "part")
    results_ = [as_result(a, parts) if isinstance(a, Assign) and a.name in wanted else a for a in lowered]
    return share(live(results_, wanted), names)


def as_result(a: Assign, parts: frozenset[str]) -> Assign:
    """A result is an array of its own, never another name or a view of an argument."""
    base = a.expr
    while isinstance(base, Transpose | Pick | Window | Flatten | Merge | Split):
        base = base.operand
    if isinstance(base, Broadcast) or (isinstance(base, Read) and base.name not in parts):
        return Assign(a.name, Map(a.expr.frame, a.expr.dtype, "copy", (a.expr,)), a.kind)
    return a
