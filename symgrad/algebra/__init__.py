"""The index algebra: interned terms, binders, constructors that simplify, matching, and their text."""
