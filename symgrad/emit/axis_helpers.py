"""Functions on axes that generated modules carry when they use them: NumPy and torch spell them alike."""

from __future__ import annotations

AXIS_HELPERS: dict[str, str] = {}
"""Name -> source."""

AXIS_HELPERS["_split"] = '''
def _split(x, axis, *sizes):
    """One axis as several, in row-major order."""
    axis %= x.ndim
    return x.reshape(*x.shape[:axis], *sizes, *x.shape[axis + 1 :])
'''
AXIS_HELPERS["_merged"] = '''
def _merged(x, axis, count):
    """Axes from this one on as one, in row-major order."""
    axis %= x.ndim
    size = math.prod(x.shape[axis : axis + count])
    return x.reshape(*x.shape[:axis], size, *x.shape[axis + count :])
'''
