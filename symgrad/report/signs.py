"""The signs of mathematics in each of the three scripts: functions, operators, delimiters and letters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Sign(NamedTuple):
    """How something is written in LaTeX and in Unicode (MathML writes the latter)."""

    tex: str
    text: str


def _named(name: str) -> Sign:
    return Sign(rf"\operatorname{{{name}}}", name)


def _known(name: str) -> Sign:
    return Sign("\\" + name, name)


SIGNS: Mapping[str, Sign] = {
    "pi": Sign(r"\pi", "π"),
    "E": Sign(r"\mathrm{e}", "e"),
    "oo": Sign(r"\infty", "∞"),
    "true": Sign(r"\mathrm{true}", "true"),
    "false": Sign(r"\mathrm{false}", "false"),
    "...": Sign(r"\ldots", "…"),
    "psi": Sign(r"\psi", "ψ"),
    "partial": Sign(r"\partial", "∂"),
    "differential": Sign(r"\mathrm{d}", "d"),
    "batch": Sign(r"N_{\ldots}", "N"),
    "top": Sign(r"\top", "ᵀ"),
    "inverse_top": Sign(r"-\top", "⁻ᵀ"),
    "identity": Sign("I", "I"),
    "ones": Sign(r"\mathbf{1}", "𝟏"),
}

FUNCTIONS: Mapping[str, Sign] = {
    "exp": _known("exp"),
    "log": _known("log"),
    "det": _known("det"),
    "sign": _named("sign"),
    "Max": _known("max"),
    "Min": _known("min"),
    "Heaviside": _named("H"),
    "sin": _known("sin"),
    "cos": _known("cos"),
    "tan": _known("tan"),
    "sinh": _known("sinh"),
    "cosh": _known("cosh"),
    "tanh": _known("tanh"),
    "asin": _known("arcsin"),
    "acos": _known("arccos"),
    "atan": _known("arctan"),
    "atan2": _named("atan2"),
    "asinh": _named("arsinh"),
    "acosh": _named("arcosh"),
    "atanh": _named("artanh"),
    "erf": _named("erf"),
    "erfc": _named("erfc"),
    "gamma": Sign(r"\Gamma", "Γ"),
    "digamma": Sign(r"\psi", "ψ"),
    "sigmoid": Sign(r"\sigma", "σ"),
    "logit": _named("logit"),
    "softplus": _named("softplus"),
    "relu": _named("ReLU"),
    "clip": _named("clip"),
    "silu": _named("SiLU"),
    "gelu": _named("GELU"),
    "normal_cdf": Sign(r"\Phi", "Φ"),
    "normal_pdf": Sign(r"\varphi", "φ"),
    "softmax": _named("softmax"),
    "log_softmax": Sign(r"\log\operatorname{softmax}", "log softmax"),
    "lse": _named("lse"),
    "max": _known("max"),
    "min": _known("min"),
    "argmax": Sign(r"\operatorname{arg\,max}", "argmax"),
    "total": _named("sum"),
    "times": _named("prod"),
    "trace": _named("tr"),
    "diag": _named("diag"),
}
"""Functions of the language, and the reductions that are written as functions."""

PLAIN: Mapping[str, Sign] = {
    "sigmoid": _named("sigmoid"),
    "normal_cdf": _named("normal\\_cdf")._replace(text="normal_cdf"),
    "normal_pdf": _named("normal\\_pdf")._replace(text="normal_pdf"),
    "digamma": _named("digamma"),
    "gamma": _named("Gamma"),
}
"""How functions whose sign is a Greek letter are written where the formula has a name of that letter."""

LETTER_OF: Mapping[str, str] = {
    "sigmoid": "sigma", "normal_cdf": "Phi", "normal_pdf": "varphi", "digamma": "psi", "gamma": "Gamma",
}  # fmt: skip

POWERS_INSIDE = frozenset(("sin", "cos", "tan", "sinh", "cosh", "tanh"))
"""Functions whose positive powers are written between name and argument: tanh² x."""

BARE = POWERS_INSIDE | {
    "log",
    "det",
    "asin",
    "acos",
    "atan",
    "asinh",
    "acosh",
    "atanh",
    "softplus",
    "lse",
    "max",
    "min",
    "argmax",
}
"""Functions whose argument needs no parentheses where it is one symbol."""

BIG: Mapping[str, Sign] = {"sum": Sign(r"\sum", "Σ"), "prod": Sign(r"\prod", "∏")}

OPERATIONS: Mapping[str, Sign] = {
    "<": Sign("<", "<"),
    "<=": Sign(r"\le", "≤"),
    ">": Sign(">", ">"),
    ">=": Sign(r"\ge", "≥"),
    "==": Sign("=", "="),
    "!=": Sign(r"\ne", "≠"),
    "and": Sign(r"\wedge", "∧"),
    "or": Sign(r"\vee", "∨"),
    "mod": Sign(r"\bmod", "mod"),
    "in": Sign(r"\in", "∈"),
    "odot": Sign(r"\odot", "⊙"),
}
NOT = Sign(r"\neg ", "¬")

FENCES: Mapping[str, tuple[Sign, Sign]] = {
    "paren": (Sign("(", "("), Sign(")", ")")),
    "bracket": (Sign("[", "["), Sign("]", "]")),
    "abs": (Sign(r"\lvert ", "|"), Sign(r"\rvert ", "|")),
    "norm": (Sign(r"\lVert ", "‖"), Sign(r"\rVert ", "‖")),
    "floor": (Sign(r"\lfloor ", "⌊"), Sign(r"\rfloor ", "⌋")),
    "ceiling": (Sign(r"\lceil ", "⌈"), Sign(r"\rceil ", "⌉")),
}

GREEK: Mapping[str, str] = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "zeta": "ζ", "eta": "η", "theta": "θ",
    "iota": "ι", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "pi": "π", "rho": "ρ",
    "sigma": "σ", "tau": "τ", "upsilon": "υ", "phi": "φ", "chi": "χ", "psi": "ψ", "omega": "ω", "Gamma": "Γ",
    "Delta": "Δ", "Theta": "Θ", "Lambda": "Λ", "Xi": "Ξ", "Pi": "Π", "Sigma": "Σ", "Upsilon": "Υ", "Phi": "Φ",
    "Psi": "Ψ", "Omega": "Ω",
}  # fmt: skip
"""Name -> letter."""

GREEK_TEX: Mapping[str, str] = {
    **{letter: "\\" + name for name, letter in GREEK.items()},
    "ε": r"\varepsilon",
    "φ": r"\varphi",
    "ϵ": r"\epsilon",
    "ϕ": r"\phi",
    "ϑ": r"\vartheta",
    "ς": r"\varsigma",
    "ϱ": r"\varrho",
    "ℓ": r"\ell",
    "ℏ": r"\hbar",
    "∂": r"\partial",
}
"""Letter -> LaTeX."""

SPELT: Mapping[str, str] = {**GREEK, "lamda": "λ", "eps": "ε", "varepsilon": "ε", "ell": "ℓ", "varphi": "φ"}
"""Names that are written as one letter."""

ACCENTS: Mapping[str, Sign] = {
    "hat": Sign(r"\hat", "\u0302"),
    "bar": Sign(r"\bar", "\u0304"),
    "tilde": Sign(r"\tilde", "\u0303"),
    "dot": Sign(r"\dot", "\u0307"),
}
