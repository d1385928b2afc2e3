"""A closed form as users hold it: a SymPy expression that also knows its LaTeX, its text and its axes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from symgrad.document import gradient as gradient_record
from symgrad.document import shapes_of, signature

if TYPE_CHECKING:
    from symgrad.closing.derivation import Derivation, Gradient
    from symgrad.closing.second.order import Hessian


class GradientExpression:
    """What a gradient knows beside its SymPy expression: `latex`, `closed`, `axes`, `where`, `matrix`.

    The objects are instances of their expression's own class too (Add, Mul, ...), equal to it and hashed like it, so
    that all of SymPy takes them for what they are. `plain` is the expression without these attributes.
    """

    plain: Any
    latex: str
    """The closed form as LaTeX."""
    closed: str
    """The closed form in the language of formula files."""
    axes: tuple[str, ...]
    """Names of the axes, "..." for batch axes."""
    where: Mapping[str, str]
    """Definitions of the names in `closed` that are no input, parameter or dimension."""
    matrix: str | None
    """The closed form in array notation, where that can say it; it has the shape of the input (denominator layout)."""

    @property
    def func(self) -> Any:
        """The class that SymPy rebuilds the expression with."""
        return self.plain.func

    def _subs(self, *args: Any, **options: Any) -> Any:  # SymPy substitutes where the very class is the same
        return self.plain._subs(*args, **options)

    def _xreplace(self, rule: Any) -> Any:
        return self.plain._xreplace(rule)

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex}$"

    def __eq__(self, other: object) -> bool:
        return bool(self.plain == getattr(other, "plain", other))

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(self.plain)

    def __reduce__(self) -> Any:
        return annotate, (self.plain, self.latex, self.closed, self.axes, self.where, self.matrix)


def gradient_expression(gradient: Gradient, derivation: Derivation) -> GradientExpression:
    """The SymPy expression of one gradient."""
    from symgrad.algebra.bridge import to_sympy
    from symgrad.report.contents import derivation_notation

    formula, notation = derivation.formula, derivation_notation(derivation)
    record: Any = gradient_record(gradient, formula, notation)
    indices, closed = signature(gradient, formula, notation.names)
    directions = None if derivation.second is None else derivation.second.directions
    plain = to_sympy(closed, shapes_of(formula.program, gradient, directions), notation.names)
    axes, matrix = tuple(str(i.data) for i in indices), record["matrix"] and record["matrix"]["closed"]
    return annotate(plain, record["latex"], record["closed"], axes, record["where"], matrix)


@dataclass(frozen=True)
class HessianExpression:
    """Second derivatives by one input, as SymPy expressions: `hvp` holds the `direction` in it, and in other inputs."""

    diagonal: GradientExpression
    hvp: GradientExpression
    direction: str


def hessian_expression(hessian: Hessian, derivation: Derivation) -> HessianExpression:
    """The SymPy expressions of the Hessian of one input."""
    diagonal, product = (gradient_expression(g, derivation) for g in (hessian.diagonal, hessian.product))
    return HessianExpression(diagonal, product, hessian.direction)


def annotate(
    plain: Any, latex: str, closed: str, axes: tuple[str, ...], where: Mapping[str, str], matrix: str | None = None
) -> GradientExpression:
    """The SymPy expression `plain` with its printed forms."""
    ordinary = (c for c in type(plain).__mro__ if type(c) is type and not c.__name__.endswith("Constant"))
    new = object.__new__(_class_of(next(ordinary)))
    for slot in {s for c in type(plain).__mro__ for s in getattr(c, "__slots__", ())} - {"__weakref__", "__dict__"}:
        if hasattr(plain, slot):
            setattr(new, slot, getattr(plain, slot))
    new.plain, new.latex, new.closed, new.axes, new.where = plain, latex, closed, axes, where
    new.matrix = matrix
    return new


@cache
def _class_of(base: type[Any]) -> type[GradientExpression]:
    """GradientExpression and `base` in one; what SymPy makes out of such an object is of class `base` alone.

    It bears the name of `base`, as SymPy's printers go by names.
    """
    made: dict[str, Any] = {"__new__": lambda cls, *args, **options: base(*args, **options)}
    if hasattr(base, "_from_args"):
        made["_from_args"] = staticmethod(base._from_args)
    return type(base.__name__, (GradientExpression, base), made)
