"""The structure of a term without the names of its indices: an order that opening a binder does not change."""

from __future__ import annotations

from hashlib import blake2b
from weakref import WeakKeyDictionary

from symgrad.algebra.terms import Term

_skeletons: WeakKeyDictionary[Term, bytes] = WeakKeyDictionary()


def skeleton(t: Term) -> bytes:
    """A digest that is the same for terms that differ in names of indices alone."""
    found = _skeletons.get(t)
    if found is None:
        parts = [skeleton(a) for a in t.args]
        if t.op in ("add", "mul", "and", "or") or (t.op == "cmp" and t.data in ("==", "!=")):
            parts.sort()
        data = "" if t.op == "idx" else t.data
        found = _skeletons[t] = blake2b(f"{t.op}\0{data}".encode() + b"".join(parts), digest_size=12).digest()
    return found
