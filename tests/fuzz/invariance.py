"""The same formula in another dress has the same closed form: `python -m tests.fuzz.invariance FILE... --seeds 3`."""

from __future__ import annotations

import argparse
import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from symgrad.algebra.build import substitute
from symgrad.closing.derivation import Derivation, derive_formula
from symgrad.document import gradient
from symgrad.errors import SymgradError
from symgrad.formula.reader import read_mapping
from symgrad.report.contents import derivation_notation
from symgrad.validate.points import normal_points
from tests.fuzz.disguise import WORD, Disguised, Document, inlined, load, renamed, shuffled
from tests.fuzz.judge import close, plainly, read_form

LONGER, SLACK = 1.6, 12
"""A closed form without one of the formula's names is at most so much longer, as the contract allows any to be."""
Texts = dict[str, Mapping[str, Any]]


def derived(document: Document) -> Derivation:
    """The derivation of a mapping."""
    return derive_formula(read_mapping(document))


def texts(d: Derivation) -> Texts:
    """The closed forms as `derive --json` has them, by input."""
    notation = derivation_notation(d)
    return {g.input: gradient(g, d.formula, notation) for g in d.gradients}


def undone(found: Texts, before: Mapping[str, str]) -> Texts:
    """The same in the old names; `dz_` is the cotangent of z."""
    names = dict(before) | {f"d{new}": f"d{old}" for new, old in before.items()}
    names |= {f"{new}_": f"{old}_" for new, old in names.items()}
    old = set(before.values())

    def back(text: str) -> str:
        return WORD.sub(lambda m: word(m.group()), text)

    def word(new: str) -> str:
        # what symgrad named itself keeps its name, unless that means something else now
        first, mark, rest = new.partition("_")
        part_of = f"{names[first]}{mark}{rest}" if mark and first in names else new  # h_z: z of the part that makes h
        return names.get(new, f"{new}0" if new in old else part_of)

    return {
        back(name): {
            "indices": [back(i) for i in t["indices"]],
            "closed": back(t["closed"]),
            "where": {back(k): back(v) for k, v in t["where"].items()},
        }
        for name, t in found.items()
    }


def different(d: Derivation, disguised: Disguised) -> list[tuple[str, str, str]]:
    """Input, its closed form, and the other one of the disguised formula, where they are not one term."""
    own, other = texts(d), undone(texts(derived(disguised.document)), disguised.before)
    out = []
    for g in d.gradients:
        mine, theirs = own[g.input], other[g.input]
        if mine["indices"] or not g.indices:
            try:
                one, two = read_form(mine, d.program, g), read_form(theirs, d.program, g)
                same = one.closed is substitute(two.closed, dict(zip(two.indices, one.indices, strict=True)))
            except (SymgradError, KeyError, ValueError):
                same = False
        else:
            same = len(mine["closed"]) == len(theirs["closed"])
        if not same or plain(mine["where"]) != plain(theirs["where"]):
            out.append((g.input, written(mine), written(theirs)))
    return out


def plain(where: Mapping[str, str]) -> list[str]:
    """The names that are defined."""
    return sorted(re.sub(r"\[.*", "", k) for k in where)


def written(text: Mapping[str, Any]) -> str:
    """A closed form with its names."""
    return "; ".join([text["closed"], *(f"{k} = {v}" for k, v in text["where"].items())])


def plainly_named(document: Document) -> Document:
    """A formula that uses others, in names that none of their values has: those keep their names."""
    return renamed(document, 99).document if "use" in document else document


def written_out(document: Document) -> Iterator[tuple[str, Disguised]]:
    """The formula without each `let` in turn that can be written out."""
    for head in document.get("let", {}) if "scan" not in document else ():
        found = inlined(document, head.partition("[")[0])
        if found is not None:
            yield head, found


def grown(d: Derivation, other: Derivation, points: int = 2) -> Iterator[tuple[str, int, int, bool]]:
    """Input, characters of both closed forms with all that they define, and whether they are equal in value."""
    found = list(normal_points(d.program, 0, points, 20_000))
    one, two = texts(d), texts(other)
    for g in d.gradients:
        h = other.gradient(g.input)
        turned = replace(
            h, closed=substitute(h.closed, dict(zip(h.indices, g.indices, strict=True))), indices=g.indices
        )
        equal = all(close(plainly(turned, other.program, p), plainly(g, d.program, p)) for p in found)
        yield g.input, length(one[g.input]), length(two[g.input]), equal


def length(text: Mapping[str, Any]) -> int:
    """Characters of a closed form and of what it defines, blanks left out."""
    return len("".join([text["closed"], *(f"{k}={v}" for k, v in text["where"].items())]).replace(" ", ""))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--quiet", action="store_true")
    chosen = parser.parse_args()
    counts: Counter[str] = Counter()
    for file in chosen.files:
        document = plainly_named(load(file.read_text(encoding="utf-8")))
        d = derived(document)
        for head, dress in written_out(document):
            for name, mine, theirs, equal in grown(d, derived(dress.document)):
                longer = theirs > LONGER * mine + SLACK
                counts[f"written out {'longer' if longer else 'as short'}{'' if equal else ', WRONG'}"] += 1
                if (longer or not equal) and not chosen.quiet:
                    print(f"{file.stem} without {head}: {name}: {mine} -> {theirs}, equal: {equal}", flush=True)
                    print(f"    {written(texts(derived(dress.document))[name])}", flush=True)
        for seed in range(chosen.seeds):
            for kind, dress in (
                ("shuffled", shuffled(document, seed)),
                ("renamed", renamed(document, seed, 0)),
                ("lengths", renamed(document, seed, 2 + seed % 2)),
            ):
                try:
                    found = different(d, dress)
                except SymgradError as e:
                    found = [("", "", str(e))]
                counts[f"{kind} {'different' if found else 'same'}"] += 1
                for name, mine, theirs in found if not chosen.quiet else []:
                    print(f"{file.stem} {kind} {seed}: {name}\n    {mine}\n    {theirs}", flush=True)
    print(dict(sorted(counts.items())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
