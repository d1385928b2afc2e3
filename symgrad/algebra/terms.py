"""Interned terms of the index algebra.

A term is immutable and unique: equal terms are the same object, so `is` decides equality. Numbers are exact rationals.
Arguments of commutative operations are ordered by structural digest, never by creation order, so that a result does not
depend on what was derived before. The constructors here build nodes as they stand; those that simplify are in `build`.

    idx('i', n)          an index and its extent: it runs over 0 .. n - 1
    get('x', (i, j))     the access x[i, j]; a scalar is get('x', ())
    red('sum', b, (j,))  a reduction; its variables bear canonical names, so alpha-equal terms are one object
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from functools import wraps
from hashlib import blake2b
from weakref import WeakValueDictionary

BATCH = "..."
"""Name of the index (and of its extent) that stands for any number of leading axes."""

ALIAS = "\U000f0000"
"""The first of the characters for private use that stand for names of a formula while it is derived."""

Data = str | Fraction | bool | tuple[str, ...] | None


class Term:
    """One node: `op`, `args` (terms) and `data` (what is not a term).

    | op | data | args |
    | --- | --- | --- |
    | num | Fraction | |
    | const | 'pi', 'E', 'oo' | |
    | dim | name; '...' is the number of batch elements | |
    | par | name of a scalar parameter | |
    | idx | name | extent |
    | get, get0 | tensor | subscripts; get0 gives 0 outside of the tensor |
    | add, mul | | two or more, ordered by digest |
    | pow | | base, exponent |
    | fn | function name | arguments |
    | lit | True, False | |
    | cmp | '<', '<=', '==', '!=' | left, right |
    | and, or | | two or more, ordered by digest |
    | not | | condition |
    | iv | | condition; the strong Iverson bracket: 0 times anything, nan too, is 0 |
    | where | | condition, value, other value |
    | mat | (function, tensor); function 'inv', 'det', 'logdet', 'logabsdet', 'adj' | subscripts, then the size |
    | red | 'sum', 'prod', 'max', 'min', 'max_first', 'min_first', 'lse', 'argmax', 'norm' | body, bound indices |
    """

    __slots__ = ("__weakref__", "args", "data", "digest", "free", "height", "op", "size", "tensors")
    op: str
    args: tuple[Term, ...]
    data: Data
    digest: bytes
    free: frozenset[Term]
    height: int
    size: int
    tensors: frozenset[str]

    def __lt__(self, other: Term) -> bool:
        return self.digest < other.digest

    def __repr__(self) -> str:
        from symgrad.algebra.show import show

        return show(self)


_table: WeakValueDictionary[tuple[str, Data, tuple[Term, ...]], Term] = WeakValueDictionary()
_EMPTY: frozenset[Term] = frozenset()
_NO_NAMES: frozenset[str] = frozenset()


def node(op: str, args: tuple[Term, ...] = (), data: Data = None) -> Term:
    """The unique term of this operation, data and arguments, as they stand."""
    # True == 1 == Fraction(1) in Python, so `op` keeps the data of different operations apart
    key = (op, data, args)
    if (known := _known.get(key)) is not None:
        return known
    found = _table.get(key)
    if found is not None:
        if _keeping:
            _known[key] = found
        return found
    t = object.__new__(Term)
    t.op, t.args, t.data = op, args, data
    text = f"{op}\0{data}\0{len(args)}".encode()
    t.digest = blake2b(text + b"".join([a.digest for a in args]), digest_size=16).digest()
    size, height, free, tensors = 1, 0, _EMPTY, _NO_NAMES
    for a in args:
        size += a.size
        height = max(height, a.height)
        free = free | a.free if free and a.free else free or a.free
        tensors = tensors | a.tensors if tensors and a.tensors else tensors or a.tensors
    t.size, t.height, t.free, t.tensors = size, height, free, tensors
    if op == "idx":
        t.free = frozenset((t,))
    elif op == "red":
        t.free = args[0].free - frozenset(args[1:])
        t.height += 1
    if op in ("get", "get0"):
        t.tensors = t.tensors | {str(data)}
    elif op == "mat":
        assert isinstance(data, tuple)
        t.tensors = t.tensors | {data[1]}
    _table[key] = t
    if _keeping:
        _known[key] = t
    return t


_known: dict[tuple[str, Data, tuple[Term, ...]], Term] = {}
_keeping: list[bool] = []
_memories: list[dict[tuple[Term | str, ...], Term]] = []


@contextmanager
def keeping() -> Iterator[None]:
    """A block in which no term, sum or product is forgotten: a derivation builds equal ones again and again."""
    _keeping.append(True)
    try:
        yield
    finally:
        _keeping.pop()
        if not _keeping:
            _known.clear()
            for memory in _memories:
                memory.clear()


def remembered(make: Callable[..., Term]) -> Callable[..., Term]:
    """A constructor that looks up what it has made of the same terms, within `keeping`."""
    memory: dict[tuple[Term | str, ...], Term] = {}
    _memories.append(memory)

    @wraps(make)
    def look_up(*items: Term | str) -> Term:
        found = memory.get(items)
        if found is None:
            found = make(*items)
            if _keeping:
                memory[items] = found
        return found

    return look_up


def num(value: int | Fraction) -> Term:
    """An exact number."""
    return node("num", (), value if type(value) is Fraction else Fraction(value))


ZERO, ONE, TWO = num(0), num(1), num(2)
MINUS_ONE, HALF = num(-1), num(Fraction(1, 2))
TRUE, FALSE = node("lit", (), True), node("lit", (), False)
PI, E, INFINITY = node("const", (), "pi"), node("const", (), "E"), node("const", (), "oo")


def dim(name: str) -> Term:
    """A dimension, an integer of at least 1."""
    return node("dim", (), name)


def par(name: str) -> Term:
    """A scalar parameter."""
    return node("par", (), name)


def idx(name: str, extent: Term) -> Term:
    """An index that runs over 0 .. extent - 1."""
    return node("idx", (extent,), name)


def get(tensor: str, subscripts: Iterable[Term] = ()) -> Term:
    """The access tensor[subscripts]; the reader has shown that it stays inside."""
    return node("get", tuple(subscripts), tensor)


def get0(tensor: str, subscripts: Iterable[Term]) -> Term:
    """The access tensor[subscripts], 0 outside of the tensor."""
    return node("get0", tuple(subscripts), tensor)


MATRIX_VALUED = frozenset(("inv", "adj"))
"""Functions of a square matrix whose value is a matrix; that of the others is a number."""


def mat(function: str, tensor: str, subscripts: Iterable[Term], size: Term) -> Term:
    """A function of the square matrices in the last two axes of a tensor, of this size.

    `subscripts`: those of the axes before them, and row and column of a matrix: inv(A)[..., i, j], det(A)[...].
    """
    return node("mat", (*subscripts, size), (function, tensor))


def matrix_of(t: Term) -> tuple[str, str]:
    """Function and tensor of a `mat` term."""
    assert isinstance(t.data, tuple)
    return t.data[0], t.data[1]


def lead_of(t: Term) -> tuple[Term, ...]:
    """The subscripts of a `mat` term that choose one of several matrices."""
    return t.args[:-3] if matrix_of(t)[0] in MATRIX_VALUED else t.args[:-1]


def extent(index: Term) -> Term:
    """The extent of an index."""
    return index.args[0]


def is_access(t: Term) -> bool:
    """Whether the term reads a tensor."""
    return t.op in ("get", "get0")


def by_name(indices: Iterable[Term]) -> list[Term]:
    """Indices in an order that does not depend on hashing, those with aliases first."""
    return sorted(indices, key=lambda i: (str(i.data) < ALIAS, str(i.data), i.digest))


def walk(t: Term) -> Iterator[Term]:
    """Every distinct subterm once, arguments before the node."""
    seen: set[Term] = set()
    stack: list[tuple[Term, bool]] = [(t, False)]
    while stack:
        x, ready = stack.pop()
        if x in seen:
            continue
        if ready:
            seen.add(x)
            yield x
            continue
        stack.append((x, True))
        stack.extend((a, False) for a in reversed(x.args) if a not in seen)


def is_num(t: Term) -> bool:
    """Whether the term is an exact number."""
    return t.op == "num"


def value(t: Term) -> Fraction:
    """The number of a `num` term."""
    assert isinstance(t.data, Fraction)
    return t.data


def terms_of(t: Term) -> tuple[Term, ...]:
    """The summands of a sum; the term itself otherwise."""
    return t.args if t.op == "add" else () if t is ZERO else (t,)


def factors_of(t: Term) -> tuple[Term, ...]:
    """The factors of a product; the term itself otherwise."""
    return t.args if t.op == "mul" else () if t is ONE else (t,)


def base_exponent(t: Term) -> tuple[Term, Term]:
    """b, e with t = b**e."""
    return (t.args[0], t.args[1]) if t.op == "pow" else (t, ONE)


def coefficient(t: Term) -> tuple[Fraction, Term]:
    """c, r with t = c*r and r without a numeric factor."""
    if t.op == "num":
        return value(t), ONE
    if t.op == "mul" and t.args[0].op == "num":
        rest = t.args[1:]
        return value(t.args[0]), rest[0] if len(rest) == 1 else node("mul", rest)
    return _UNIT, t


_UNIT = Fraction(1)
