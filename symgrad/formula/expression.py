"""Pass 2 over an expression: the term that it means. Also reads printed closed forms back.

Array notation has become index notation before.

-Sum(t[i, j]*log(y[i, j]), j)    ->    neg(reduce('sum', mul(get('t', i, j), fn('log', get('y', i, j))), (j,)))
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from symgrad import limits
from symgrad.algebra.build import add, compare, conjunction, disjunction, div, fn, mul, neg, negation, power, where
from symgrad.algebra.terms import INFINITY, ONE, PI, ZERO, E, Term, dim, get, is_num, node, num, par, value
from symgrad.errors import FormulaError
from symgrad.formula import grammar
from symgrad.formula.access import Accesses
from symgrad.formula.arrays.notation import written_out
from symgrad.formula.arrays.shapes import Shape
from symgrad.formula.calls import call, relation
from symgrad.formula.environment import Environment, Tensor
from symgrad.formula.kinds import check_number, is_condition, is_infinite, is_integer
from symgrad.formula.matrices import Arguments, key_of
from symgrad.formula.program import Program
from symgrad.formula.scopes import Index, Scopes, resolve
from symgrad.formula.source import Text, loose
from symgrad.formula.syntax import MOST_DIGITS, Parsed, chain, parse
from symgrad.formula.vocabulary import FUNCTIONS, LOGICAL, NOT_NUMBERS, REDUCTIONS, RELATIONS

_CONSTANTS = {"pi": PI, "E": E, "oo": INFINITY}
_COMPARISONS = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!="}


@dataclass(frozen=True)
class Reading:
    """A read expression: its term, its free indices in order of appearance, and where it stands."""

    body: Term
    free: tuple[Term, ...]
    parsed: Parsed


def read_expression(text: Text, env: Environment, left: Sequence[Index] | None, target: Shape | None = None) -> Reading:
    """The term of a text. `left`: the indices of the left side, None for a loss.

    `target`: the shape that a value in array notation is broadcast to.
    """
    return read_tree(parse(text), env, left, target)


def read_tree(
    parsed: Parsed,
    env: Environment,
    left: Sequence[Index] | None,
    target: Shape | None = None,
    known: Sequence[Term] = (),
) -> Reading:
    """The same for an expression that is parsed already, read where the conditions `known` hold."""
    reader = Reader(parsed, env, left, target)
    reader.conditions.extend(known)
    body = reader.number(reader.parsed.root)
    return Reading(body, reader.free(), reader.parsed)


def read_condition(text: Text, env: Environment) -> Reading:
    """The term of a relation whose free indices mean `for all`."""
    reader = Reader(parse(text), env, None)
    body = reader.condition(reader.parsed.root)
    return Reading(body, reader.free(), reader.parsed)


class Reader:
    """One expression with its scopes; `number` and `condition` are the two kinds of values."""

    def __init__(
        self, parsed: Parsed, env: Environment, left: Sequence[Index] | None, target: Shape | None = None
    ) -> None:
        grammar.check(parsed, env)
        written = written_out(Arguments(parsed, env).named(), env, left, target)
        self.parsed, self.env = written.parsed, written.env
        self.scopes: Scopes = resolve(self.parsed, self.env, written.left)
        self.conditions: list[Term] = []
        """What holds where the expression that is being read is evaluated."""
        self.accesses = Accesses(self)

    def free(self) -> tuple[Term, ...]:
        """Free indices in order of first appearance."""
        indices = [i for i in self.scopes.free.values() if i.term is not None]
        return tuple(i.term for i in indices if i.term is not None)

    def error(self, message: str, n: ast.AST, help: str = "") -> FormulaError:
        """An error at a node."""
        return self.parsed.error(message, n, help)

    # ---- numbers -----------------------------------------------------------------------------------------------------

    def number(self, n: ast.expr) -> Term:
        """The value of a node that is no condition."""
        t = self.value(n)
        if is_condition(t):
            shown = self.parsed.source(n)
            raise self.error("a condition is no number", n, help=f"write where({shown}, 1, 0)")
        check_number(self.parsed, n, t)
        return t

    def finite(self, n: ast.expr) -> Term:
        """The value of a node that enters arithmetic: oo does not."""
        t = self.number(n)
        if is_infinite(t):
            raise self.error(
                "oo is no number to compute with", n, help="it may be a branch of where or Piecewise, or a bound"
            )
        return t

    def value(self, n: ast.expr) -> Term:
        """The value of a node, a number or a condition."""
        limits.check()
        if isinstance(n, ast.Constant):
            return self.constant(n)
        if isinstance(n, ast.Name):
            return self.name(n)
        if isinstance(n, ast.BinOp):
            return self.binary(n)
        if isinstance(n, ast.UnaryOp):
            return self.unary(n)
        if isinstance(n, ast.Subscript):
            return self.accesses.read(n)
        if isinstance(n, ast.Call):
            return call(self, n)
        if isinstance(n, ast.Compare | ast.BoolOp):
            return self.logical(n)
        raise self.error("a tuple stands where a number is expected", n, help="only Piecewise and limits use (a, b)")

    def constant(self, n: ast.Constant) -> Term:
        """A number, exact, or True or False."""
        v = n.value
        if isinstance(v, bool):
            return node("lit", (), v)
        if isinstance(v, complex):
            raise self.error("complex numbers are not in the language: all values are real", n)
        if isinstance(v, float):
            return num(self.decimal(n))
        if isinstance(v, int):
            if abs(v) >= 10**MOST_DIGITS:
                raise self.error(f"a number of more than {MOST_DIGITS} digits", n)
            return num(v)
        raise self.error("... stands where a number is expected", n, help="... is an index: x[..., k], Sum(e, ...)")

    def decimal(self, n: ast.Constant) -> Fraction:
        """The exact value of a decimal as it is written: 1e-5 is 1/100000."""
        start, end = self.parsed.span(n)
        return exact(self.parsed.text, start, end)

    def name(self, n: ast.Name) -> Term:
        """An index, a scalar input, a parameter, a dimension or a constant."""
        env, name = self.env, n.id
        index = self.scopes.of.get(id(n))
        if index is not None:
            assert index.value is not None
            return index.value
        tensor = env.tensors.get(name)
        if tensor is not None:
            return self.accesses.whole(n, tensor, get(tensor.name))
        if name in env.parameters:
            return par(name)
        if name in _CONSTANTS:
            return _CONSTANTS[name]
        if name in LOGICAL:
            return node("lit", (), name.lower() == "true")
        if name in env.dims:
            return dim(name)
        if name in NOT_NUMBERS:
            raise self.error(
                NOT_NUMBERS[name], n, help="values are real numbers; oo may be a branch of where or Piecewise"
            )
        if name in FUNCTIONS or name in REDUCTIONS:
            raise self.error(f"{name} is a function of the language; it needs arguments", n, help=f"write {name}(...)")
        raise env.undeclared(self.parsed, n, name)

    def unary(self, n: ast.UnaryOp) -> Term:
        """-x, +x, not c, ~c."""
        if isinstance(n.op, ast.Not | ast.Invert):
            return negation(self.condition(n.operand))
        t = self.number(n.operand)
        return neg(t) if isinstance(n.op, ast.USub) else t

    def binary(self, n: ast.BinOp) -> Term:
        """Arithmetic, and `&`, `|` of conditions."""
        if isinstance(n.op, ast.BitAnd | ast.BitOr):
            join = conjunction if isinstance(n.op, ast.BitAnd) else disjunction
            return join(self.condition(n.left), self.condition(n.right))
        if isinstance(n.op, ast.Pow):
            return self.power(n)
        if isinstance(n.op, ast.FloorDiv | ast.Mod):
            return self.whole_division(n)
        return self.chained(n)

    def chained(self, n: ast.BinOp) -> Term:
        """a + b - c or a*b/c: one node for all of it, so that long sums do not nest."""
        parts: list[Term] = []
        product = isinstance(n.op, ast.Mult | ast.Div)
        for op, operand, _ in chain(n):
            t = self.finite(operand)
            if isinstance(op, ast.Div):
                if t is ZERO:
                    raise self.error("division by zero", operand)
                t = div(num(1), t)
            parts.append(neg(t) if isinstance(op, ast.Sub) else t)
        total = mul(*parts) if product else add(*parts)
        check_number(self.parsed, n, total)
        return total

    def power(self, n: ast.BinOp) -> Term:
        """b**e, exact for numbers."""
        b, e = self.finite(n.left), self.finite(n.right)
        if is_num(b) and is_num(e):
            base, exponent = value(b), value(e)
            if base == 0 and exponent < 0:
                raise self.error("division by zero", n)
            if base < 0 and exponent.denominator != 1:
                raise self.error(f"{self.parsed.source(n)} is not real: a root of a negative number", n)
        if e.tensors and is_integer(e, self.env):
            # x**k of data k may be x**0, which does not depend on x, at 0 neither
            return where(compare("==", e, ZERO), ONE, power(b, e))
        return power(b, e)

    def whole_division(self, n: ast.BinOp) -> Term:
        """a//b and a % b of integers."""
        a, b = self.finite(n.left), self.finite(n.right)
        sign = "//" if isinstance(n.op, ast.FloorDiv) else "%"
        for side, t in ((n.left, a), (n.right, b)):
            if not is_integer(t, self.env):
                shown = self.parsed.source(side)
                raise self.error(
                    f"{sign} divides integers; {shown} is real", side, help="for real numbers write floor(a/b)"
                )
        if b is ZERO:
            raise self.error("division by zero", n)
        return fn("floordiv" if sign == "//" else "mod", a, b)

    # ---- conditions --------------------------------------------------------------------------------------------------

    def condition(self, n: ast.expr) -> Term:
        """The value of a node that must be a condition."""
        t = self.value(n)
        if not is_condition(t):
            shown = self.parsed.source(n)
            mend = f"compare it, {shown} > 0; a weight of 0 and 1 multiplies instead"
            raise self.error(f"a condition is expected; {shown} is a number", n, help=mend)
        return t

    def logical(self, n: ast.Compare | ast.BoolOp) -> Term:
        """Comparisons, chained ones too, and `and`, `or`."""
        if isinstance(n, ast.BoolOp):
            join = conjunction if isinstance(n.op, ast.And) else disjunction
            return join(*(self.condition(v) for v in n.values))
        sides = [self.number(v) for v in (n.left, *n.comparators)]
        parts = []
        for op, a, b in zip(n.ops, sides, sides[1:], strict=False):
            sign = _COMPARISONS.get(type(op))
            if sign is None:
                raise self.error("is and in are not part of the language", n, help="compare with < <= > >= == !=")
            parts.append(relation(sign, a, b))
        return conjunction(*parts)


def exact(text: Text, start: int, end: int) -> Fraction:
    """The number written at text[start:end], as an exact decimal that a float can hold."""
    written = text.value[start:end].replace("_", "")
    approximate = float(written)
    if approximate in (float("inf"), float("-inf")):
        raise text.error(
            f"{written} is too large for a floating-point number", start, end, help="the largest is about 1.8e308"
        )
    if approximate == 0 and written.lower().split("e")[0].strip("0.") != "":
        raise text.error(f"{written} is too small for a floating-point number: it would be 0", start, end)
    if len(written) > MOST_DIGITS:
        raise text.error(f"a number of more than {MOST_DIGITS} digits", start, end)
    return Fraction(written)


# ---- printed closed forms -------------------------------------------------------------------------------------------


def parse_closed(
    text: str, program: Program, free: tuple[Term, ...] = (), extra: Mapping[str, tuple[Term, ...]] | None = None
) -> Term:
    """The term of a printed closed form; reads outside give 0.

    Its names are those of the program and of `extra` (name -> its indices).

    `free`: the indices of the left side with their extents.
    """
    env = program_environment(program)
    env.lenient = True
    for name, indices in (extra or {}).items():
        # the text was printed from terms: what subscripts there is an integer
        env.tensors[name] = Tensor.of_indices(name, indices, "extra", integer=True)
    left = [Index(str(i.data), fixed=i.args[0]) for i in free]
    return read_expression(loose(text), env, left).body


def program_environment(program: Program) -> Environment:
    """The names of a program: inputs, statements, parameters, and the dimensions of its shapes."""
    from symgrad.algebra.terms import BATCH, walk
    from symgrad.formula.environment import parameter_bounds
    from symgrad.formula.inside import Bounds

    env = Environment()
    env.parameters = {p.name: p for p in program.parameters}
    env.tensors = {i.name: Tensor.of_input(i) for i in program.inputs}
    for s in program.statements:
        if s.kind != "loss":
            env.tensors[s.name] = Tensor.of_indices(s.name, s.indices, s.kind, is_integer(s.body, env))
    env.arrays = {key_of(s.indices, s.body): s.name for s in program.statements if s.kind != "loss"}
    sizes = [size for t in env.tensors.values() for size in t.shape]
    env.dims = {str(t.data) for s in sizes for t in walk(s) if t.op == "dim" and t.data != BATCH}
    intervals = {i.name: _interval(i.domain.kind, i.domain.bounds) for i in program.inputs if i.dtype == "int"}
    env.bounds = Bounds(parameter_bounds(env.parameters), intervals)
    return env


def _interval(kind: str, bounds: tuple[Term, ...]) -> tuple[Term | None, Term | None]:
    return (bounds[0], bounds[1]) if kind == "integer" else (None, None)


__all__ = [
    "RELATIONS",
    "Reader",
    "Reading",
    "exact",
    "parse_closed",
    "program_environment",
    "read_condition",
    "read_expression",
    "read_tree",
]
