"""How the names of one formula are written: `x_hat` as x̂, `sigma` as σ, `W1[i, j]` as W⁽¹⁾ with subscripts.

No two names of a formula are written alike: those that would be are written as they stand in the file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from symgrad.algebra.build import substitute
from symgrad.algebra.decimals import literals_of
from symgrad.algebra.show import Names
from symgrad.algebra.terms import BATCH, Term, by_name, extent, idx, is_access
from symgrad.formula.program import Program, Statement
from symgrad.report.signs import ACCENTS, GREEK, GREEK_TEX, LETTER_OF, SPELT

LOSS = "loss"
"""The name of the loss statement, which is written L where the formula has no other L."""


@dataclass(frozen=True)
class Glyph:
    """A name as it is written. `letter`: one letter or a word; `tag`: an index that belongs to it, as in x_max."""

    letter: str
    accent: str = ""
    tag: str = ""
    cotangent: bool = False
    verbatim: bool = False

    @property
    def is_letter(self) -> bool:
        """Whether it needs no space beside other letters."""
        return len(self.letter) == 1 and not self.cotangent and not self.verbatim


def glyph(name: str) -> Glyph:
    """How a name is written where nothing else of the formula is written so."""
    base, _, tag = name.strip("_").partition("_")
    if not tag and base and base[-1].isdigit():
        short = base.rstrip("0123456789")
        if short in SPELT or len(short) == 1:
            return Glyph(SPELT.get(short, short), tag=base[len(short) :])
    letter = SPELT.get(base, base)
    if not tag:
        return Glyph(letter or name)
    if len(letter) != 1:
        return Glyph(name)
    accent, _, rest = tag.partition("_")
    if accent in ACCENTS:
        return Glyph(letter, accent=accent, tag=rest)
    return Glyph(letter, tag=tag) if "_" not in tag else Glyph(name)


@dataclass(frozen=True)
class Notation:
    """The writing of a formula: names of bound indices, glyphs of names, functions that are not written as a letter."""

    names: Names = field(default_factory=Names)
    glyphs: Mapping[str, Glyph] = field(default_factory=dict)
    spelt_functions: frozenset[str] = frozenset()

    def glyph(self, name: str) -> Glyph:
        """How a name is written."""
        found = self.glyphs.get(name)
        return glyph(name) if found is None else found


def notation_of(
    program: Program,
    statements: Sequence[Statement] = (),
    cotangents: Mapping[str, str] | None = None,
    more: Iterable[Term] = (),
    index_names: Iterable[tuple[str, Term]] = (),
) -> Notation:
    """The notation of a program, of statements that were added to it, and of its cotangents (`output -> name`)."""
    every = (*program.statements, *statements)
    shapes = [e for i in program.inputs for e in i.shape]
    leaves = _leaves([*shapes, *(s.body for s in every), *(f.condition for f in program.facts), *more])
    indices = [*(i for s in every for i in s.indices), *(t for t in leaves if t.op == "idx")]
    names = [*(i.name for i in program.inputs), *(p.name for p in program.parameters), *(s.name for s in every)]
    names += [str(t.data) for t in leaves if t.op != "idx"]
    taken = frozenset(names) - {BATCH}
    written = dict.fromkeys([*names, *(str(i.data) for i in indices)])
    glyphs = _distinct([n for n in written if n != BATCH and n[0] not in "$%"], cotangents or {})
    letters = {g.letter for g in glyphs.values()}
    spelt = {f for f, letter in LETTER_OF.items() if GREEK.get(letter, "φ") in letters}
    prefer = _preferred([*((str(i.data), extent(i)) for i in indices), *index_names], taken)
    own = Names(prefer, taken, literals=literals_of(s.body for s in program.statements))
    return Notation(own, glyphs, frozenset(spelt | ({"exp"} if "e" in letters else set())))


def _preferred(pairs: Iterable[tuple[str, Term]], taken: frozenset[str]) -> dict[Term, list[str]]:
    """Names of indices by extent, in their order, without those that mean something else."""
    prefer: dict[Term, list[str]] = {}
    for name, length in pairs:
        known = prefer.setdefault(length, [])
        if name != BATCH and name[0] not in "$%" and name not in taken and name not in known:
            known.append(name)
    return prefer


def _leaves(terms: Iterable[Term]) -> list[Term]:
    """Accesses, indices of users and dimensions that occur, in the order of their first occurrence."""
    found: list[Term] = []
    seen: set[Term] = set()
    stack = list(terms)[::-1]
    while stack:
        t = stack.pop()
        if t in seen:
            continue
        seen.add(t)
        if is_access(t) or t.op == "dim" or (t.op == "idx" and str(t.data)[0] not in "$%"):
            found.append(t)
        stack.extend(reversed(t.args))
    return found


def _distinct(names: Sequence[str], cotangents: Mapping[str, str]) -> dict[str, Glyph]:
    own = {name: glyph(name) for name in names}
    if LOSS in own:
        own[LOSS] = Glyph("L")
    for output, name in cotangents.items():
        g = own.get(output) or glyph(output)
        own[name] = Glyph(g.letter, g.accent, g.tag, cotangent=True)
    count: dict[tuple[str, str, str, bool], int] = {}
    for g in own.values():
        key = _look(g)
        count[key] = count.get(key, 0) + 1
    return {n: g if count[_look(g)] == 1 else Glyph(n, verbatim=True) for n, g in own.items()}


def _look(g: Glyph) -> tuple[str, str, str, bool]:
    return (GREEK_TEX.get(g.letter, g.letter), g.accent, g.tag, g.cotangent)


def with_readable_indices(terms: Sequence[Term], notation: Notation) -> list[Term]:
    """The terms with the free indices of opened binders (`%1`) named for people, the same in all of them."""
    used = {str(i.data) for t in terms for i in t.free}
    mapping: dict[Term, Term] = {}
    for i in by_name({i for t in terms for i in t.free if str(i.data)[0] in "$%"}):
        name = notation.names.choose(i, frozenset(used))
        used.add(name)
        mapping[i] = idx(name, extent(i))
    return [substitute(t, mapping) for t in terms] if mapping else list(terms)
