"""The words of the formula language, and what people write instead of them."""

from __future__ import annotations

from collections.abc import Mapping

FUNCTIONS: Mapping[str, tuple[int, int]] = {
    **dict.fromkeys(
        "exp log sqrt Abs sign sin cos tan sinh cosh tanh asin acos atan asinh acosh atanh erf erfc loggamma digamma "
        "floor ceiling sigmoid logit softplus relu expm1 log1p silu gelu normal_cdf Not".split(),
        (1, 1),
    ),
    **dict.fromkeys("atan2 polygamma Eq Ne Lt Le Gt Ge".split(), (2, 2)),
    **dict.fromkeys("Max Min And Or".split(), (1, 64)),
    "Heaviside": (1, 2),
    "clip": (3, 3),
    "where": (3, 3),
    "Piecewise": (1, 64),
}
"""Function -> least and greatest number of arguments."""

SIGNATURES: Mapping[str, str] = {
    "atan2": "atan2(y, x)",
    "polygamma": "polygamma(order, x)",
    "Heaviside": "Heaviside(x) or Heaviside(x, value at 0)",
    "clip": "clip(x, lower, upper)",
    "where": "where(condition, value, other value)",
    "Piecewise": "Piecewise((value, condition), ..., (value, True))",
    "solve": "solve(A, b)",
    "outer": "outer(a, b)",
    "eye": "eye(n)",
    **{name: f"{name}(A)" for name in "inv det logdet trace transpose".split()},
}

REDUCTIONS = frozenset("Sum Product mean var amax amin argmax logsumexp softmax log_softmax norm".split())
KEEPING = frozenset({"softmax", "log_softmax"})
"""Reductions whose result still has the index."""

RELATIONS: Mapping[str, str] = {"Eq": "==", "Ne": "!=", "Lt": "<", "Le": "<=", "Gt": ">", "Ge": ">="}

CONSTANTS = frozenset({"pi", "E", "oo"})
LOGICAL = frozenset({"True", "False", "true", "false"})
INTERNAL_OF_MATRICES = frozenset({"adj", "logabsdet"})
"""Functions of matrices that only the derivation uses; they are printed by others."""
MATRIX_FUNCTIONS = frozenset("trace det logdet inv solve transpose".split()) | INTERNAL_OF_MATRICES
REARRANGING = frozenset({"trace", "transpose"})
"""Matrix functions that index notation can write."""
OF_MATRICES = frozenset({"inv", "det", "logdet"}) | INTERNAL_OF_MATRICES
"""Functions of square matrices that are terms of their own; `solve` is written with `inv`."""
ARRANGING: Mapping[str, int] = {"outer": 2, "diag": 1, "eye": 1}
"""Functions that make matrices of vectors and sizes, with their numbers of arguments; a formula may use their names."""
NOT_NUMBERS: Mapping[str, str] = {
    "nan": "nan is no number of the language",
    "inf": "inf is not in the language: infinity is oo",
    "infinity": "infinity is not in the language: it is oo",
    "zoo": "zoo (complex infinity) is not in the language",
}
LANGUAGE = frozenset(FUNCTIONS) | REDUCTIONS | CONSTANTS | LOGICAL | frozenset(NOT_NUMBERS)
LANGUAGE |= MATRIX_FUNCTIONS - INTERNAL_OF_MATRICES
"""Names that no input, parameter, dimension, index or statement can have."""

FOREIGN: Mapping[str, str] = {
    "sum": "Sum",
    "prod": "Product",
    "max": "Max (of values) or amax (over an index)",
    "min": "Min (of values) or amin (over an index)",
    "abs": "Abs",
    "ln": "log",
    "sgn": "sign",
    "ceil": "ceiling",
    "pow": "**",
    "ITE": "where",
    "lgamma": "loggamma",
    "gammaln": "loggamma",
    "logaddexp": "log(exp(a) + exp(b))",
    "maximum": "Max",
    "minimum": "Min",
    "average": "mean",
    "arctan": "atan",
    "arcsin": "asin",
    "arccos": "acos",
    "factorial": "exp(loggamma(x + 1))",
    "dot": "Sum(a[i]*b[i], i)",
    "einsum": "Sum over the indices",
    "one_hot": "where(j == t[i], 1, 0)",
}
"""What other languages call it -> what this one does."""

FIELDS: Mapping[str, str] = {
    "name": "a lower-case identifier",
    "summary": "one line",
    "reference": "a citation or a list of them",
    "inputs": "a mapping: `x: [n, d]`",
    "parameters": "a mapping: `gamma: 2.0`",
    "ranges": "a mapping: `p: n - k + 1`",
    "assume": "a relation or a list of them",
    "let": "a mapping: `y[i, j]: expression`",
    "scan": "a mapping: `h[t, j]: {first: expression, next: expression}`",
    "loss": "one expression",
    "output": "a mapping: `y[i, j]: expression`",
    "gradient": "a list of inputs",
    "expect": "a mapping: `z[i, j]: expression`",
    "use": "other formulas",
}
"""Key of a formula file -> what its value is."""

INPUT_FIELDS = ("shape", "dtype", "domain", "given", "outside", "summary")
PARAMETER_FIELDS = ("value", "dtype", "domain", "summary")
