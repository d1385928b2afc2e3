"""Hostile formulas: mutated files of the catalogue, random programs, and words of the language at random.

A text is a function of its seed alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from random import Random

from tests.fuzz.constructs import construct
from tests.fuzz.programs import program

ROOT = Path(__file__).parents[2]
CANARY = "symgrad_canary"
CODE = (
    f"__import__('os').system('touch {CANARY}')",
    f'eval(\'open("{CANARY}", "w")\')',
    f"open('{CANARY}', 'w')",
    "().__class__.__bases__[0].__subclasses__()",
    f'(lambda: exec(\'open("{CANARY}", "w")\'))()',
    f"[open('{CANARY}', 'w') for i in (1,)]",
    f'!!python/object/apply:os.system ["touch {CANARY}"]',
    f"!!python/object/new:os.system [touch {CANARY}]",
    "z.__class__",
    "f'{x}'",
    "x := 1",
    "exit()",
    "__builtins__",
    "\\input{/etc/passwd}",
    "</script><script>alert(1)</script>",
)
WORDS = (
    "x z t y n c d i j k 0 1 2 -1 1.5 1/2 1e999 1e-999 10**10**10 9**9**9**9 0**0 1/0 oo -oo pi E nan True "
    "False ... + - * / // % ** @ < <= == != ( ) [ ] , : ; { } ' \" # & | > ! ? ~ \\ \t \0 é √ ∞ 𝔷 \ufeff Sum( "
    "Product( mean( var( amax( argmax( norm( logsumexp( softmax( log_softmax( exp( log( sqrt( Abs( sign( Max( "
    "Min( Piecewise( where( And( Not( det( inv( logdet( trace( solve( gelu( erf( loggamma( polygamma( floor( "
    "ties=first axis=0 .T [i,j] [i] [0] [i-1] [2*i+1] [t[i]] (j,0,c-1) ,i) ,j) name: inputs: let: output: "
    "loss: scan: use: ranges: assume: expect: parameters: gradient: domain: simplex shape: given: true "
    "outside: dtype: int bool positive one_hot symmetric integer(0,c-1) - ? *a &a !!x --- %YAML | >"
).split(" ")
DEEP = ("(", "[", "{", "-", "exp(", "Sum(", "x[", "not ", "{a: ", "- ")


@cache
def corpus() -> tuple[str, ...]:
    """The formulas of the catalogue and of the cases."""
    folders = (ROOT / "formulas", ROOT / "tests" / "cases")
    return tuple(f.read_text() for folder in folders for f in sorted(folder.glob("**/*.yaml")))


def hostile(seed: int) -> str:
    """The hostile text of a seed."""
    rng = Random(seed)
    kind = seed % 8
    if kind == 0:
        return "".join(rng.choice((*WORDS, "\n", "\n  ", " ")) for _ in range(rng.randint(1, 60)))
    text = rng.choice(corpus()) if kind < 5 else construct(seed) if kind == 5 else program(seed, 2)
    gentle = kind in (2, 4, 5, 6)
    for _ in range(1 if gentle else rng.choice((1, 1, 2, 3, 5, 10))):
        text = rng.choice(GENTLE if gentle else MUTATIONS)(text, rng)
    return text


def _tokens(text: str) -> list[str]:
    return re.findall(r"\w+|\s+|[^\w\s]", text)


def _swap_tokens(text: str, rng: Random) -> str:
    """Two tokens of one kind change places."""
    parts = _tokens(text)
    kind = rng.choice((str.isalpha, str.isdigit, lambda s: not s.isalnum() and not s.isspace()))
    found = [k for k, p in enumerate(parts) if kind(p)]
    if len(found) >= 2:
        a, b = rng.sample(found, 2)
        parts[a], parts[b] = parts[b], parts[a]
    return "".join(parts)


def _change_token(text: str, rng: Random) -> str:
    parts = _tokens(text)
    if parts:
        parts[rng.randrange(len(parts))] = rng.choice((*WORDS, *CODE, "")) if rng.random() < 0.7 else rng.choice(parts)
    return "".join(parts)


def _insert(text: str, rng: Random) -> str:
    at = rng.randint(0, len(text))
    return text[:at] + rng.choice((*WORDS, *CODE)) + text[at:]


def _delete(text: str, rng: Random) -> str:
    a = rng.randint(0, len(text))
    return text[:a] + text[a + rng.choice((1, 1, 2, 5, 20)) :]


def _flip(text: str, rng: Random) -> str:
    at = rng.randint(0, max(0, len(text) - 1))
    return text[:at] + chr(rng.choice((rng.randrange(128), rng.randrange(0xD800), 0x1D538))) + text[at + 1 :]


def _lines(text: str, rng: Random) -> str:
    """A line goes, comes twice, moves, or comes from another formula."""
    lines = text.splitlines()
    at = rng.randrange(len(lines)) if lines else 0
    what = rng.randrange(4)
    if what == 0:
        del lines[at : at + 1]
    elif what == 1:
        lines[at:at] = lines[at : at + 1]
    elif what == 2:
        rng.shuffle(lines)
    else:
        lines.insert(at, rng.choice(rng.choice(corpus()).splitlines() or [""]))
    return "\n".join(lines)


def _splice(text: str, rng: Random) -> str:
    """The beginning of one formula, the end of another."""
    other = rng.choice(corpus())
    return text[: rng.randint(0, len(text))] + other[rng.randint(0, len(other)) :]


def _deepen(text: str, rng: Random) -> str:
    """Something is opened very often."""
    at = rng.randint(0, len(text))
    return text[:at] + rng.choice(DEEP) * rng.choice((5, 50, 500, 20_000)) + text[at:]


def _nest(text: str, rng: Random) -> str:
    """A word stands for itself under a function, again and again: exp(exp(x))."""
    names = [m.span() for m in re.finditer(r"\b[a-z](?:\[[^\]]*\])?", text)]
    if not names:
        return text
    a, b = rng.choice(names)
    f, times = rng.choice(("exp", "sin", "sigmoid", "-", "1/", "softplus", "Abs")), rng.choice((2, 5, 40, 300))
    return text[:a] + f"{f}(" * times + text[a:b] + ")" * times + text[b:]


def _huge(text: str, rng: Random) -> str:
    """A number becomes a huge or odd one."""
    found = [m.span() for m in re.finditer(r"\d+", text)]
    if not found:
        return text
    a, b = rng.choice(found)
    return text[:a] + rng.choice(("0", "-1", "999", "1" * 400, "1e400", "2**2**20", "0x10", "1_0", "1j")) + text[b:]


def _function(text: str, rng: Random) -> str:
    """A function becomes another one."""
    found = [m.span() for m in re.finditer(r"\b\w+(?=\()", text)]
    if not found:
        return text
    a, b = rng.choice(found)
    return text[:a] + rng.choice([w[:-1] for w in WORDS if w.endswith("(") and len(w) > 1]) + text[b:]


def _index(text: str, rng: Random) -> str:
    """A subscript becomes another one."""
    found = [m.span(1) for m in re.finditer(r"\[([^\]]*)\]", text)]
    if not found:
        return text
    a, b = rng.choice(found)
    new = rng.choice(("i", "j", "i, j", "j, i", "", "...", "0", "i + 1", "2*i", "i, i", "i//2", "i % 2", "t[i]", "-1"))
    return text[:a] + new + text[b:]


GENTLE: tuple[Callable[[str, Random], str], ...] = (_swap_tokens, _nest, _huge, _index, _function)
"""After these a formula often has a meaning still."""
MUTATIONS: tuple[Callable[[str, Random], str], ...] = (
    _swap_tokens, _swap_tokens, _change_token, _change_token, _insert, _delete, _flip, _lines, _lines, _splice,
    _deepen, _nest, _huge, _index, _index,
)  # fmt: skip
