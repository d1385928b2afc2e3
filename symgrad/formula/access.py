"""Accesses `z[i, t[i]]`: subscripts are affine or gathers, and what they read lies inside or is 0 by declaration."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import TYPE_CHECKING

from symgrad.algebra.terms import Term, get, get0, is_access, is_num, mat, node, walk
from symgrad.errors import FormulaError, listing
from symgrad.formula.environment import BATCH_INDEX, Gather, Tensor
from symgrad.formula.grammar import is_batch
from symgrad.formula.kinds import is_condition, is_integer, is_position
from symgrad.formula.matrices import matrix_name, square, valued
from symgrad.formula.polynomial import TooLargeError, polynomial, same
from symgrad.formula.scopes import check_rank, not_affine, subscripts
from symgrad.formula.trees import called

if TYPE_CHECKING:
    from symgrad.formula.expression import Reader


class Accesses:
    """Reads the accesses of one expression."""

    def __init__(self, reader: Reader) -> None:
        self.reader, self.env, self.parsed = reader, reader.env, reader.parsed
        self.inner = 0
        """How many subscripts stand around what is being read."""

    def read(self, n: ast.Subscript) -> Term:
        """The term of name[subscripts]."""
        if matrix_name(n.value):
            return self.of_matrix(n.value, n)
        if not isinstance(n.value, ast.Name):
            raise self.parsed.error("only a name can be subscripted", n.value, help="give the value a name under let")
        tensor = self.env.tensors[n.value.id]
        items = subscripts(n)
        check_rank(self.parsed, n, tensor, items)
        subs: list[Term] = [BATCH_INDEX] if tensor.batch else []
        inside = True
        for s, size in zip(items[int(tensor.batch) :], tensor.shape, strict=True):
            t = self.subscript(s)
            inside &= self.inside(n, s, t, size, tensor)
            subs.append(t)
        return self.whole(n, tensor, get(tensor.name, subs) if inside else get0(tensor.name, subs))

    def of_matrix(self, call: ast.expr, n: ast.expr) -> Term:
        """The term of inv(A)[i, j] or det(A)."""
        function, tensor = called(call), self.env.tensors.get(matrix_name(call))
        if tensor is None or not square(tensor, self.env):
            assert isinstance(call, ast.Call)
            shown, has = self.parsed.source(call.args[0]), f" has shape {tensor.shown()}" if tensor else " is none"
            raise self.parsed.error(f"{function} takes a square matrix; {shown}{has}", call.args[0])
        value = valued(function, tensor)
        items = subscripts(n) if isinstance(n, ast.Subscript) else []
        check_rank(self.parsed, n, value, items)
        subs: list[Term] = [BATCH_INDEX] if value.batch else []
        for s, size in zip(items[int(value.batch) :], value.shape, strict=True):
            t = self.subscript(s)
            if not self.env.lenient and not self.env.bounds.inside(t, size):
                shown = self.parsed.source(s)
                message = f"{self.parsed.source(n)} can read outside: {shown} is not shown to stay in 0 .. {size} - 1"
                raise self.parsed.error(message, s, help="give the matrix function a name under let")
            subs.append(t)
        return mat(function, tensor.name, subs, tensor.shape[-2])

    def whole(self, n: ast.expr, tensor: Tensor, t: Term) -> Term:
        """The access as a value: a bool input is a condition, an int input without a domain may only gather."""
        if tensor.dtype == "bool":
            return node("fn", (t,), "truth")
        if tensor.name in self.env.undecided and not self.inner:
            mend = f'give {tensor.name} a domain: {{shape: ..., dtype: int, domain: "integer(0, c - 1)"}}'
            raise self.parsed.error(f"int input {tensor.name} is used as a number, so it needs a domain", n, help=mend)
        return t

    def subscript(self, s: ast.expr) -> Term:
        """The term of one subscript: an integer, affine in its indices, a gather or an argmax."""
        if is_batch(s):
            raise self.parsed.error("... comes first", s)
        self.inner += 1
        t = self.reader.value(s)
        self.inner -= 1
        shown = self.parsed.source(s)
        if is_condition(t) or not is_integer(t, self.env):
            what = "a condition" if is_condition(t) else "not an integer" if is_num(t) else "real"
            raise self.parsed.error(
                f"a subscript is an integer; {shown} is {what}", s, help="subscripts are affine in indices"
            )
        if not (is_access(t) or is_position(t) or _affine(t)):
            raise not_affine(self.parsed, s)
        return t

    def inside(self, n: ast.Subscript, s: ast.expr, t: Term, size: Term, tensor: Tensor) -> bool:
        """Whether a subscript surely stays inside; FormulaError where it may not and nothing says what is read."""
        bounds = self.env.bounds
        if is_access(t) and str(t.data) in self.env.undecided:
            self.gather(s, str(t.data), size, tensor)
            return True
        if bounds.inside(t, size):
            return True
        if tensor.padded or self.env.lenient:
            return False
        known = [c for held in self.reader.conditions for c in self.about_integers(held)]
        if known and bounds.inside(t, size, known):
            return False
        raise self.outside(n, s, t, size, tensor, known)

    def outside(
        self, n: ast.Subscript, s: ast.expr, t: Term, size: Term, tensor: Tensor, known: Sequence[Term]
    ) -> FormulaError:
        """The error for a read that may fall outside, with the parameters that would have to be positive."""
        name, shown = tensor.name, self.parsed.source(s)
        message = f"{self.parsed.source(n)} can read outside of {name}: {shown} is not shown to stay in 0 .. {size} - 1"
        signless = self.signless(t, size, known)
        if signless:
            message += f", since {listing(signless)} may be 0 or less"
            p = self.env.parameters[signless[0]]
            mend = "say that it is positive" if len(signless) == 1 else "say that they are positive"
            mend += f": {p.name}: {{value: {p.value}, dtype: int, domain: positive}}"
            return self.parsed.error(message, s, help=mend)
        mend = (
            f"declare `outside: 0` for {name} to read 0 there"
            if tensor.kind == "input"
            else "give the index a shorter range"
        )
        mend += ", or read it under where(condition that keeps it inside, ..., ...)"
        return self.parsed.error(message, s, help=mend)

    def signless(self, t: Term, size: Term, known: Sequence[Term]) -> list[str]:
        """Int parameters of no known sign that would keep the read inside if they were positive."""
        bounds, parameters = self.env.bounds, self.env.parameters
        used = {str(a.data) for e in (t, size) for a in walk(e) if a.op == "par"}
        names = [p for p in parameters if p in used and bounds.parameters.get(p, (None, None))[0] is None]
        if not names or not bounds.with_positive(names).inside(t, size, known):
            return []
        for name in list(names):
            rest = [n for n in names if n != name]
            if bounds.with_positive(rest).inside(t, size, known):
                names = rest
        return names

    def about_integers(self, c: Term) -> list[Term]:
        """The parts of a condition that compare integers: only these say something of subscripts."""
        if c.op == "and":
            return [part for a in c.args for part in self.about_integers(a)]
        return [c] if c.op == "cmp" and all(is_integer(a, self.env) for a in c.args) else []

    def gather(self, s: ast.expr, name: str, size: Term, tensor: Tensor) -> None:
        """An int input without a domain ranges over the axis that it subscripts."""
        before = self.env.gathers.get(name)
        if before is None:
            place = self.parsed.text.place(*self.parsed.span(s))
            self.env.gathers[name] = Gather(size, tensor.name, place)
        elif not same(before.size, size, self.env.bounds.equations):
            message = f"{name} subscripts two axes: {before.size} (of {before.tensor}) and {size} (of {tensor.name})"
            raise self.parsed.error(message, s, help=f'give {name} a domain: "integer(0, {size} - 1)"')


def _affine(t: Term) -> bool:
    """Sums of indices and positions with coefficients free of them; quotients and remainders by what has no index."""
    try:
        p = polynomial(t)
    except TooLargeError:
        return False
    for monomial in p:
        moving = [(a, k) for a, k in monomial if a.free]
        if len(moving) > 1 or any(k > 1 for _, k in moving):
            return False
        if any(is_access(a) or (a.op == "red" and not is_position(a)) for a, _ in monomial):
            return False
        for a, _ in moving:
            quotient = a.op == "fn" and a.data in ("floordiv", "mod") and not a.args[1].free and _affine(a.args[0])
            if not (a.op == "idx" or is_position(a) or quotient):
                return False
    return True
