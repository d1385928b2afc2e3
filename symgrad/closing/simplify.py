"""Choosing a form: normal forms with facts and foldings, factored, and the shortest of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from symgrad.algebra.show import softmax_parts, softmax_power, spread_out
from symgrad.algebra.terms import Term, base_exponent, coefficient, factors_of, is_access, matrix_of, terms_of, walk
from symgrad.algebra.weight import weight
from symgrad.closing.collect import collect
from symgrad.closing.facts import fact_rules
from symgrad.closing.fold import Folding
from symgrad.closing.refold import GATE, REFOLD
from symgrad.closing.steps import GATHERED, STEPS
from symgrad.closing.unfold import unfold
from symgrad.rewrite.context import Context
from symgrad.rewrite.engine import rewrite
from symgrad.rewrite.rule import Rule, Step
from symgrad.rules.brackets import MASKED_EXPONENTIAL
from symgrad.rules.elementary import DENSITIES, ELEMENTARY, NAMED_LOGARITHMS, PEOPLE
from symgrad.rules.matrices import FOR_MACHINES, FOR_PEOPLE, INVERSE_OF_PRODUCT, square_factors
from symgrad.rules.multiples import KNOWN_REMAINDER
from symgrad.rules.powers import POWERS
from symgrad.rules.ranges import OUTSIDE, read_inside
from symgrad.rules.softmax import WEIGHTED_SOFTMAX
from symgrad.rules.stabilize import EXP_SIGMOID, NORMALIZE_INSIDE
from symgrad.rules.sums import EXPAND, SEPARATE, SOLVE_AFFINE, SUMS
from symgrad.rules.unguarded import UNGUARDED

ALL_PEOPLE = (*PEOPLE, *NAMED_LOGARITHMS)
AT_INDICES, OUT_OF_SUMS = (GATHERED,), (SEPARATE,)
MOST_MONOMIALS = 48
"""Summands above which products are no longer multiplied out."""


@dataclass(frozen=True)
class Candidate:
    """One form and the steps that lead to it."""

    term: Term
    steps: tuple[Step, ...]


class Simplifier:
    """Finds the shortest form. `closed`: a form for people, else one for machines.

    For machines sigmoid(-x) stays (1 - sigmoid(x) cancels), and so does a delta with an affine subscript (a scatter).
    `multiply_out`: whether forms are tried in which products of sums are multiplied out.
    """

    def __init__(self, context: Context, foldings: Sequence[Folding], closed: bool, multiply_out: bool = True) -> None:
        self.context, self.foldings, self.closed, self.multiply_out = context, foldings, closed, multiply_out
        self.collections: dict[Term, Term] = {}
        self.combined: dict[tuple[int, int], tuple[Rule, ...]] = {}
        self.after = (
            *ELEMENTARY,
            *REFOLD,
            NORMALIZE_INSIDE,
            *((MASKED_EXPONENTIAL, WEIGHTED_SOFTMAX, *DENSITIES, GATE, *STEPS, *POWERS) if closed else ()),
        )
        self.written = _conditions(context)
        facts = fact_rules(context)
        people = (SOLVE_AFFINE, WEIGHTED_SOFTMAX, *UNGUARDED, OUTSIDE, KNOWN_REMAINDER)
        affine: tuple[Rule, ...] = people if closed else ()
        matrices = FOR_PEOPLE if closed else FOR_MACHINES
        self.tidy = (EXP_SIGMOID, *ELEMENTARY, *facts, *matrices, *SUMS, *affine)
        self.expand = (EXP_SIGMOID, *ELEMENTARY, *facts, *matrices, *EXPAND, *affine)

    def simplify(self, t: Term) -> Term:
        """The shortest of the candidate forms; its steps are recorded."""
        best: Candidate | None = None
        for candidate in self.candidates(t):
            if best is None or self._key(candidate.term) < self._key(best.term):
                best = candidate
        assert best is not None
        for s in best.steps:
            self.context.record(s.rule, s.before, s.after, s.note)
        return best.term

    def settled(self, t: Term) -> Term:
        """The term as it stands, in the formula's names; nothing is multiplied out."""
        with self.context.trial() as steps:
            new = self._folded(rewrite(t, ELEMENTARY, self.context), ELEMENTARY)
        best = self._factored(Candidate(new, tuple(steps)))
        for s in best.steps:
            self.context.record(s.rule, s.before, s.after, s.note)
        return best.term

    def _key(self, t: Term) -> tuple[int, int, int, bytes]:
        return (self._torn(t), weight(t), t.size, t.digest)

    def _torn(self, t: Term) -> int:
        """How many exponents hold a logsumexp that is no longer that of the rest: e^(x² - 1 - lse((x + 1)(x - 1)))."""
        return sum(map(self._is_torn, _exponents(t)))

    def _is_torn(self, exponent: Term) -> bool:
        logarithms = [r for c, r in map(coefficient, terms_of(spread_out(exponent))) if c < 0 and self._is_lse(r)]
        named = {str(r.data): self.context.definitions[str(r.data)] for r in logarithms if is_access(r)}
        whole = unfold(exponent, named, self.context.fresh)
        return bool(logarithms) and softmax_parts(whole) is None and softmax_power(whole) is None

    def candidates(self, t: Term) -> list[Candidate]:
        """Plain and multiplied out, each folded and factored; for people also with one sigmoid and tanh."""
        plain = self._trial(t, self.tidy)
        found = [(plain, self.tidy)]
        if self.multiply_out and 1 < monomials(plain.term, {}) <= MOST_MONOMIALS:
            found.append((self._trial(plain.term, self.expand, plain.steps), self.expand))
        if any(_is_inverse_of_product(x, self.context) for x in walk(plain.term)):
            rules = self.joined((INVERSE_OF_PRODUCT,), self.expand)
            found.append((self._trial(plain.term, rules, plain.steps), rules))
        if self.closed and (read := self._read_at_indices(plain)) is not plain:
            found.append((read, self.tidy))
        candidates = [c for c, _ in found]
        if self.closed:
            for c, rules in found:
                candidates += [
                    self._trial(c.term, self.joined(people, rules), c.steps) for people in _vocabularies(c.term)
                ]
        distinct: dict[Term, Candidate] = {}
        for c in candidates:
            distinct.setdefault(c.term, c)
        return [self._factored(c) for c in distinct.values()]

    def _read_at_indices(self, c: Candidate) -> Candidate:
        """What a delta picks, read at its index: such factors leave the sums that the integers are counted in."""
        with self.context.trial() as steps:
            new = rewrite(c.term, AT_INDICES, self.context)
            new = rewrite(new, OUT_OF_SUMS, self.context) if new is not c.term else new
        return c if new is c.term else Candidate(new, (*c.steps, *steps))

    def joined(self, first: tuple[Rule, ...], rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
        """Both sets of rules, the same object each time: the engine keeps what is settled under them."""
        key = (id(first), id(rules))
        if key not in self.combined:
            self.combined[key] = (*first, *rules)
        return self.combined[key]

    def _trial(self, t: Term, rules: Sequence[Rule], before: tuple[Step, ...] = ()) -> Candidate:
        with self.context.trial() as steps:
            new = rewrite(read_inside(t, self.context), rules, self.context)
            new = self._folded(read_inside(new, self.context), rules)
        return Candidate(new, (*before, *steps))

    def _folded(self, t: Term, rules: Sequence[Rule]) -> Term:
        for f in self.foldings:
            if not f.pivot.tensors <= t.tensors:
                continue
            mark = len(self.context.steps)
            new = rewrite(t, f.rules, self.context)
            if new is not t:
                new = rewrite(new, rules, self.context)
            if new is not t and self._is_better(new, t, f):
                t = new
            else:
                del self.context.steps[mark:]
        return t

    def _is_better(self, new: Term, old: Term, folding: Folding) -> bool:
        """Whether a folding to a name is kept: it is shorter, and computes nothing less safely."""
        name = folding.statement.name
        safe = self._growing(new) <= self._growing(old) and _ties(new, name) <= _ties(old, name)
        if folding.pivot.op == "fn" and folding.pivot.data == "exp":
            safe = safe and not _adds_exponential(new, old)
        safe = safe and (self.closed or self._rounded(new) <= self._rounded(old))
        return safe and self._shorter(new, old)

    def _shorter(self, new: Term, old: Term) -> bool:
        """Whether a form is shorter: as it stands, or where that is close, when it is factored."""
        if weight(new) < weight(old) or 8 * weight(new) > 9 * weight(old) + 32:
            return weight(new) < weight(old)
        return weight(self._collected(new)) < weight(self._collected(old))

    def _growing(self, t: Term) -> frozenset[Term]:
        """Exponents that grow with a logsumexp. A folding adds none: y exp(lse - z) for exp(x - z) is 0 times oo."""
        exponents = frozenset(x.args[0] for x in walk(t) if x.op == "fn" and x.data == "exp" and x.tensors)
        return frozenset(e for e in exponents if any(self._is_lse(a) for a in terms_of(e)))

    def _rounded(self, t: Term) -> frozenset[Term]:
        """Exponents with a value made of a logsumexp: r*(x - y) for y = lse(r*x)/r is no longer 0 at a large x."""
        return frozenset(e for e in _exponents(t) if any(is_access(x) and self._holds_lse(x) for x in walk(e)))

    def _holds_lse(self, name: Term) -> bool:
        """Whether a name stands for a logsumexp with factors or beside summands."""
        named = self.context.definitions.get(str(name.data))
        if named is None or self._is_lse(named.body):
            return False
        return any(coefficient(a)[0] > 0 and any(map(self._is_lse, factors_of(a))) for a in terms_of(named.body))

    def _is_lse(self, t: Term) -> bool:
        if is_access(t):
            named = self.context.definitions.get(str(t.data))
            return named is not None and self._is_lse(named.body)
        return t.op == "red" and t.data == "lse"

    def _collected(self, t: Term) -> Term:
        if t not in self.collections:
            self.collections[t] = collect(t, self.context.fresh, self.written, guarded=not self.closed)
        return self.collections[t]

    def _factored(self, c: Candidate) -> Candidate:
        with self.context.trial() as steps:
            t = self._collected(c.term)
            t = rewrite(t, self.after, self.context)
            t = self._folded(t, ELEMENTARY)
            t = self._collected(t)
        return Candidate(t, (*c.steps, *steps)) if weight(t) <= weight(c.term) else c


def _adds_exponential(new: Term, old: Term) -> bool:
    """Whether a form has an exponential that is no part of one of the old: p exp(x) for what p is exp(-x) times."""
    before = [frozenset(terms_of(e)) for e in _exponents(old)]
    return any(not any(frozenset(terms_of(e)) <= b for b in before) for e in _exponents(new))


def _exponents(t: Term) -> frozenset[Term]:
    return frozenset(x.args[0] for x in walk(t) if x.op == "fn" and x.data == "exp" and x.tensors)


def _ties(t: Term, name: str) -> frozenset[Term]:
    """Sums and products of a name that are asked for being equal to something: rounding tears a tie of x and v/n."""
    asked = [x for x in walk(t) if x.data in ("==", "!=", "Heaviside") and name in x.tensors]
    return frozenset(
        y for x in asked for y in walk(x) if y.op in ("mul", "add") and any(_reads(f, name) for f in _parts(y))
    )


def _parts(t: Term) -> list[Term]:
    """The bases of the factors of a product, or of every summand of a sum."""
    return [base_exponent(f)[0] for a in terms_of(t) for f in factors_of(a)]


def _reads(t: Term, name: str) -> bool:
    return is_access(t) and t.data == name


def _is_inverse_of_product(t: Term, context: Context) -> bool:
    return t.op == "mat" and matrix_of(t)[0] == "inv" and square_factors(t, context) is not None


def _conditions(context: Context) -> frozenset[Term]:
    """The conditions that the formula branches on."""
    statements = (*context.program.statements, *context.definitions.values())
    return frozenset(x.args[0] for s in statements for x in walk(s.body) if x.op in ("where", "iv"))


def _vocabularies(t: Term) -> list[tuple[Rule, ...]]:
    """Rules that write what machines compute as people write it, as far as the term has it."""
    functions = {x.data for x in walk(t) if x.op == "fn"}
    if "log_sigmoid" in functions:
        return [NAMED_LOGARITHMS, ALL_PEOPLE]
    return [PEOPLE] if functions & {"sigmoid", "sech2"} else []


def monomials(t: Term, memo: dict[Term, int]) -> int:
    """About how many summands the term has when it is multiplied out."""
    if t not in memo:
        if t.op == "add":
            memo[t] = sum(monomials(a, memo) for a in t.args)
        elif t.op in ("mul", "red", "where"):
            memo[t] = prod(monomials(a, memo) for a in t.args)
        else:
            memo[t] = 1
    return memo[t]
