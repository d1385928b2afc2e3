"""The rulebook: every rule by its record, in the order of the passes. docs/rules.md and the law tests read it.

It stands here because folding rules are made from the formula at hand, one for each name and each declared fact: their
records (`FOLD`, `FACT`) are in the book, and `applied` gives the rules that they stand for.
"""

from __future__ import annotations

from symgrad.calculus.chain import CHAIN, COLUMN, TANGENT
from symgrad.closing.facts import FACT, INFERRED, NORMALIZED, PARTIAL, fact_rules
from symgrad.closing.fold import FOLD, foldings
from symgrad.closing.refold import GATE, REFOLD
from symgrad.closing.steps import STEPS
from symgrad.closing.symmetry import SYMMETRIC
from symgrad.rewrite.context import Context
from symgrad.rewrite.rule import Rule
from symgrad.rules.brackets import MASKED_EXPONENTIAL
from symgrad.rules.centered import CENTERED
from symgrad.rules.elementary import DEFINITION_RULES, DENSITIES, ELEMENTARY, NAMED_LOGARITHMS, PEOPLE
from symgrad.rules.machine import MACHINE
from symgrad.rules.matrices import ADJUGATE, CANCEL, INVERSE_OF_PRODUCT, NO_ADJUGATE, OF_INVERSE, OF_PRODUCT
from symgrad.rules.multiples import KNOWN_REMAINDER
from symgrad.rules.near import NEAR
from symgrad.rules.powers import POWERS
from symgrad.rules.ranges import OUTSIDE
from symgrad.rules.roots import ROOTS
from symgrad.rules.series import SERIES
from symgrad.rules.softmax import WEIGHTED_SOFTMAX
from symgrad.rules.stabilize import STABILIZE
from symgrad.rules.sums import EXPAND, SOLVE_AFFINE
from symgrad.rules.unguarded import UNGUARDED

ALL: tuple[Rule, ...] = (
    *DEFINITION_RULES,
    *STABILIZE,
    *ROOTS,
    CENTERED,
    OF_INVERSE,
    OF_PRODUCT,
    CHAIN,
    CANCEL,
    INVERSE_OF_PRODUCT,
    ADJUGATE,
    NO_ADJUGATE,
    *EXPAND,
    SOLVE_AFFINE,
    KNOWN_REMAINDER,
    *ELEMENTARY,
    *PEOPLE,
    *NAMED_LOGARITHMS,
    *DENSITIES,
    FACT,
    SYMMETRIC,
    NORMALIZED,
    INFERRED,
    PARTIAL,
    FOLD,
    *REFOLD,
    GATE,
    *STEPS,
    MASKED_EXPONENTIAL,
    WEIGHTED_SOFTMAX,
    *POWERS,
    *UNGUARDED,
    OUTSIDE,
    TANGENT,
    COLUMN,
    *MACHINE,
    *NEAR,
    *SERIES,
)
"""Every rule, once."""

RULES_BY_NAME = {rule.name: rule for rule in ALL}


def applied(rule: Rule, context: Context) -> tuple[Rule, ...]:
    """The rules that a record stands for in this context: itself, or one for each name or fact of the formula."""
    if rule is FOLD:
        return tuple(r for f in foldings(tuple(context.definitions.values()), context) for r in f.rules)
    if rule is FACT:
        return tuple(r for r in fact_rules(context) if r.name == FACT.name)
    return (rule,)


__all__ = ["ALL", "RULES_BY_NAME", "applied"]
