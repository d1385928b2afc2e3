"""Rules as data: what the engine, the report, docs/rules.md and the law tests read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from symgrad.algebra.terms import Term
from symgrad.rewrite.context import Context

Match = Callable[[Term, Context], Term | None]


@dataclass(frozen=True)
class Example:
    """`before` and what the rule makes of it, in the formula language; `inputs`, `parameters`, `let` as in a formula.

    In the texts i, l, m run over n, and j, k, q over c. Reads outside of a tensor give 0.
    """

    before: str
    after: str
    inputs: str = "{x: [n, c], z: [n, c], w: [n, c]}"
    parameters: str = "{}"
    let: str = "{}"


@dataclass(frozen=True)
class Rule:
    """One law. `match` gives the new term, or None where the law does not apply; it never changes a value.

    `name` is family/what-it-does, `on` the operations at which it can fire (all if empty), `law` its LaTeX, `why` one
    sentence for people, `needs` the kinds of facts it uses.
    """

    name: str
    on: tuple[str, ...]
    law: str
    why: str
    match: Match
    example: Example
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Step:
    """A rule that fired: where (`subject`: the loss, a name, the gradient of an input), and on what."""

    rule: Rule
    subject: str
    before: Term
    after: Term
    note: str = ""
