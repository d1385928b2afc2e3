"""`assume`: relations that hold, checked against the domains; and the facts of a whole formula."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction

from symgrad.algebra.build import sub
from symgrad.algebra.terms import BATCH, FALSE, TRUE, Term, coefficient, is_access, is_num, terms_of, value, walk
from symgrad.formula.declarations import Declarations, words
from symgrad.formula.document import Listing, Node
from symgrad.formula.domains import domain_facts, numeric_range, parameter_facts
from symgrad.formula.environment import Environment
from symgrad.formula.expression import Reader
from symgrad.formula.inside import Bounds
from symgrad.formula.kinds import is_condition
from symgrad.formula.polynomial import Polynomial, TooLargeError, constant, plus, polynomial
from symgrad.formula.program import Domain, Fact, Statement
from symgrad.formula.source import Text
from symgrad.formula.syntax import parse

SPARE = "ijklmpqrsuvw"


def assumed_texts(node: Node | None) -> list[Text]:
    """The relations under `assume`."""
    if node is None:
        return []
    if isinstance(node, Listing):
        return [words(item, "assume") for item in node.items]
    return [words(node, "assume")]


def is_about_sizes(text: Text, env: Environment) -> bool:
    """Whether a relation speaks of dimensions and int parameters alone."""
    nodes = list(ast.walk(parse(text).root))
    names = {n.id for n in nodes if isinstance(n, ast.Name)}
    plain = not any(isinstance(n, ast.Call | ast.Subscript) for n in nodes)
    return (
        plain
        and bool(names)
        and all(n in env.dims or (n in env.parameters and env.parameters[n].dtype == "int") for n in names)
    )


def read_sizes(texts: Sequence[Text], env: Environment) -> None:
    """Let what is assumed of sizes count in comparisons of extents and in proofs."""
    equations: list[tuple[Term, Term]] = []
    facts: list[Polynomial] = []
    for text in texts:
        if not is_about_sizes(text, env):
            continue
        c = _relation(text, env)
        try:
            _learn(c, equations, facts)
        except TooLargeError:
            continue
    env.bounds = replace(env.bounds, equations=tuple(equations), facts=tuple(facts))


def _learn(c: Term, equations: list[tuple[Term, Term]], facts: list[Polynomial]) -> None:
    for part in c.args if c.op == "and" else (c,):
        if part.op != "cmp":
            continue
        a, b = part.args
        if part.data == "==":
            left, right = (a, b) if a.op == "dim" and a not in set(walk(b)) else (b, a)
            if left.op == "dim" and left not in set(walk(right)):
                equations.append((left, right))
        elif part.data in ("<", "<="):
            facts.append(plus(plus(polynomial(b), polynomial(a), -1), constant(-1 if part.data == "<" else 0)))


def _relation(text: Text, env: Environment) -> Term:
    """The condition of an assumption; FormulaError if it is none, or can never hold."""
    parsed = parse(text)
    reader = Reader(parsed, env, None)
    c = reader.value(reader.parsed.root)
    if not is_condition(c) or c.op == "fn":
        mend = "write a comparison: Sum(p[i, j], j) == 1, sigma[i] > 0"
        raise text.error(f"assume: {text.value.strip()} is no relation", help=mend)
    if c is FALSE:
        raise text.error(f"assume: {text.value.strip()} is never true", help="remove it")
    return c


# ---- contradictions with the domains --------------------------------------------------------------------------------


def _check(text: Text, c: Term, declared: Declarations) -> None:
    for part in c.args if c.op == "and" else (c,):
        if part.op == "cmp":
            _check_comparison(text, part, declared)


def _check_comparison(text: Text, c: Term, declared: Declarations) -> None:
    if _sizes_forbid(c, declared.env.bounds):
        raise text.error(f"assume: {text.value.strip()} can never hold: a dimension is at least 1")
    read = _one_access(c)
    if read is None:
        return
    slope, access, rest = read
    domain = _domain_of(access, declared)
    found = numeric_range(domain) if domain is not None else None
    if found is None:
        return
    # c is slope*x + rest op 0
    low, open_low, high, open_high = found
    ends = [(low, open_low), (high, open_high)] if slope > 0 else [(high, open_high), (low, open_low)]
    (least, open_least), (most, open_most) = [(None if e is None else slope * e + rest, o) for e, o in ends]
    never = {
        "<": least is not None and least >= 0,
        "<=": least is not None and (least > 0 or (least == 0 and open_least)),
        "==": _outside(least, open_least, most, open_most),
        "!=": False,
    }[str(c.data)]
    if never:
        message = f"assume: {text.value.strip()} can never hold: {access.data} is {domain}"
        raise text.error(message, help="change the domain or the assumption: they contradict each other")


def _outside(least: Fraction | None, open_least: bool, most: Fraction | None, open_most: bool) -> bool:
    below = least is not None and (least > 0 or (least == 0 and open_least))
    above = most is not None and (most < 0 or (most == 0 and open_most))
    return below or above


def _one_access(c: Term) -> tuple[Fraction, Term, Fraction] | None:
    """k, x, r where the comparison asks the sign of k*x + r for one access or parameter x."""
    parts = terms_of(sub(c.args[0], c.args[1]))
    rest = sum((value(t) for t in parts if is_num(t)), Fraction(0))
    moving = [t for t in parts if not is_num(t)]
    if len(moving) != 1:
        return None
    k, x = coefficient(moving[0])
    return (k, x, rest) if is_access(x) or x.op == "par" else None


def _domain_of(x: Term, declared: Declarations) -> Domain | None:
    if x.op == "par":
        return declared.env.parameters[str(x.data)].domain
    i = declared.inputs.get(str(x.data))
    return i.domain if i is not None else None


def _sizes_forbid(c: Term, bounds: Bounds) -> bool:
    """Whether a comparison of sizes is false for all of them."""
    a, b = c.args
    if not all(t.op in ("num", "dim", "add", "mul", "fn", "pow") for s in c.args for t in walk(s)):
        return False
    gap = sub(a, b)
    if c.data == "==":
        return bounds.at_least(gap, 1) or bounds.at_least(sub(b, a), 1)
    return c.data != "!=" and bounds.at_least(gap, 0 if c.data == "<" else 1)


# ---- facts ----------------------------------------------------------------------------------------------------------


def read_facts(
    texts: Sequence[Text], declared: Declarations, statements: Sequence[Statement], wrt: Sequence[str]
) -> Iterator[Fact]:
    """Facts of the domains in the order of the file, then the assumptions, then those of used formulas."""
    moving = _moving(statements, wrt)
    for i in declared.inputs.values():
        letters, spare = _letters(i.name, len(i.shape), declared.env)
        yield from domain_facts(i, letters, spare, i.name in wrt)
    for p in declared.env.parameters.values():
        yield from parameter_facts(p)
    for text in texts:
        c = _relation(text, declared.env)
        if c is TRUE:
            continue
        _check(text, c, declared)
        yield Fact(c, "assumed", " ".join(text.value.split()), _usable(c, moving), text.place())
    for fact in declared.env.carried:
        if fact.condition is not TRUE:
            yield replace(fact, usable=_usable(fact.condition, moving))


def _usable(c: Term, moving: set[str]) -> bool:
    """Equations of what is differentiated serve sampling and `check_inputs` alone."""
    equation = any(t.op == "cmp" and t.data in ("==", "!=") for t in walk(c))
    return not (equation and any(name in moving for name in c.tensors))


def _moving(statements: Sequence[Statement], wrt: Sequence[str]) -> set[str]:
    """Differentiated inputs and the statements that depend on them."""
    found = set(wrt)
    for s in statements:
        if s.body.tensors & found:
            found.add(s.name)
    return found


def _letters(name: str, rank: int, env: Environment) -> tuple[list[str], list[str]]:
    """Index names for the axes of a tensor, those of its first access where there is one, and spare ones."""
    taken = env.known() - set(env.ranges)
    own = [n for n in env.letters.get(name, ()) if n != BATCH and n not in env.dims]
    pool = [c for c in [*SPARE, *(f"i{k}" for k in range(40))] if c not in taken and c not in own]
    if len(own) != rank:
        own, pool = pool[:rank], pool[rank:]
    return own, pool
