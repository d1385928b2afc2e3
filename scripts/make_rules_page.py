"""Writes docs/rules.md from the rulebook: `python scripts/make_rules_page.py`. tests/laws says when it is stale."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

from symgrad.closing.rulebook import ALL
from symgrad.rewrite.rule import Rule

PAGE = Path(__file__).resolve().parents[1] / "docs" / "rules.md"
HEAD = """# The rules

<!-- made by scripts/make_rules_page.py from symgrad/closing/rulebook.py; edit the records, not this page -->

Every step of a derivation bears one of these {count} names. A rule never changes a value; `tests/laws` holds each
against its own example, at random points in multiprecision, with and without the facts that it needs.

In the examples `i`, `l`, `m` run over `n`, and `j`, `k`, `q` over `c`.
"""
DECLARED = "{x: [n, c], z: [n, c], w: [n, c]}"
FACTS = {"fact": "a declared equation", "sign": "a declared sign", "domain": "a declared domain"}


def page() -> str:
    """The text of the page: rules by family, in the order in which the passes use them."""
    parts = [HEAD.format(count=len(ALL))]
    ordered = sorted(ALL, key=lambda r: _first_of_family(_family(r)))
    for family, rules in groupby(ordered, _family):
        parts.append(f"\n## {family}\n")
        parts.extend(_entry(rule) for rule in rules)
    return "".join(parts)


def _family(rule: Rule) -> str:
    return rule.name.split("/")[0]


def _first_of_family(family: str) -> int:
    return next(k for k, r in enumerate(ALL) if _family(r) == family)


def _entry(rule: Rule) -> str:
    example = rule.example
    lines = [f"\n### {rule.name}\n", f"$${rule.law}$$\n", f"{rule.why[:1].upper()}{rule.why[1:]}."]
    if rule.needs:
        lines[-1] += f" Needs {' and '.join(FACTS[n] for n in rule.needs)}."
    given = [
        *([f"inputs: {example.inputs}"] if example.inputs != DECLARED else []),
        *([f"parameters: {example.parameters}"] if example.parameters != "{}" else []),
        *([f"let: {example.let}"] if example.let != "{}" else []),
    ]
    lines += ["", "```text", *given, f"{example.before}", f"-> {example.after}", "```", ""]
    return "\n".join(lines)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"{PAGE}: {len(ALL)} rules")
