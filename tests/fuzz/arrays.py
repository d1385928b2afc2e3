"""Random formulas in array notation: products of matrices, transposes, broadcasting, reductions over axes, inverses."""

from __future__ import annotations

from random import Random

from tests.fuzz.windows import formula

Shape = tuple[str, ...]
SHAPES: dict[str, Shape] = {
    "x": ("n", "c"), "z": ("n", "c"), "W": ("d", "c"), "U": ("c", "d"), "A": ("c", "c"), "B": ("c", "c"),
    "a": ("c",), "b": ("d",), "v": ("n",), "s0": (),
}  # fmt: skip
UNARY = (
    "tanh({})", "sin({})", "sigmoid({})", "relu({})", "({})**2", "exp(-({})**2)", "Abs({})", "sqrt(1 + ({})**2)",
    "softplus({})", "1/(2 + ({})**2)", "log(1 + ({})**2)", "-({})", "2*({})", "gelu({})", "silu({})",
)  # fmt: skip
BINARY = (
    "{} + {}",
    "{} - {}",
    "({})*({})",
    "({})*({})",
    "({})/(1 + ({})**2)",
    "Max({}, {})",
    "where({0} > {1}, {0}, {1}**2)",
)
ALONG = ("softmax({}, axis=-1)", "log_softmax({}, axis=-1)", "softmax({}, axis=0)")
AWAY = (
    "Sum({}, axis={a})",
    "mean({}, axis={a})",
    "amax({}, axis={a})",
    "logsumexp({}, axis={a})",
    "norm({}, axis={a})",
    "var({}, axis={a})",
)
WHOLE = ("Sum({})", "mean({})", "norm({})", "Sum(({})**2)", "logsumexp({})", "amax({})")


class Arrays:
    """Expressions by shape; counts what they read."""

    def __init__(self, rng: Random, matrices: bool = False) -> None:
        self.rng, self.matrices = rng, matrices
        self.shapes = dict(SHAPES)
        self.used: dict[str, None] = {}

    def leaf(self, shape: Shape) -> str:
        names = [n for n, s in self.shapes.items() if s == shape]
        if names:
            name = self.rng.choice(names)
            self.used[name] = None
            return name
        if len(shape) == 2 and (turned := [n for n, s in self.shapes.items() if s == shape[::-1]]):
            name = self.rng.choice(turned)
            self.used[name] = None
            return f"{name}.T"
        if len(shape) == 2:
            return f"({self.leaf((shape[0], 'c'))} @ {self.leaf(('c', shape[1]))})"
        if len(shape) == 1:
            whole, axis = (("n", "c"), "0") if shape == ("c",) else ((*shape, "c"), "-1")
            return f"Sum({self.leaf(whole)}, axis={axis})"
        return "1"

    def make(self, shape: Shape, depth: int) -> str:
        rng = self.rng
        if depth == 0 or rng.random() < 0.1:
            return self.leaf(shape)
        kinds = ["unary", "binary", "binary", "spread"]
        if shape:
            kinds += ["product", "product", "reduced"]
        else:
            kinds += ["whole", "whole", "form"]
        if len(shape) == 2:
            kinds += ["along", "turned"]
        if shape == ("c", "c") and self.matrices:
            kinds += ["inverse"] * 3
        if shape in (("c",), ("c", "d"), ("c", "n")) and self.matrices:
            kinds += ["solved"] * 3
        if shape == () and self.matrices:
            kinds += ["of_matrix"] * 5
        return getattr(self, "_" + rng.choice(kinds))(shape, depth)

    def _unary(self, shape: Shape, depth: int) -> str:
        return self.rng.choice(UNARY).format(self.make(shape, depth - 1))

    def _binary(self, shape: Shape, depth: int) -> str:
        return self.rng.choice(BINARY).format(*(f"({self.make(shape, depth - 1)})" for _ in "ab"))

    def _spread(self, shape: Shape, depth: int) -> str:
        """Broadcasting: a matrix and a row, an array and a scalar."""
        small = self.rng.choice((shape[1:], ())) if shape else ()
        return self.rng.choice(("({}) + ({})", "({})*({})", "({}) - ({})")).format(
            self.make(shape, depth - 1), self.make(small, depth - 1)
        )

    def _product(self, shape: Shape, depth: int) -> str:
        k = self.rng.choice(("c", "d", "n", "c"))
        if len(shape) == 2:
            return f"({self.make((shape[0], k), depth - 1)}) @ ({self.make((k, shape[1]), depth - 1)})"
        if self.rng.random() < 0.5:
            return f"({self.make((shape[0], k), depth - 1)}) @ ({self.make((k,), depth - 1)})"
        return f"({self.make((k,), depth - 1)}) @ ({self.make((k, shape[0]), depth - 1)})"

    def _reduced(self, shape: Shape, depth: int) -> str:
        if len(shape) == 2:
            return self._unary(shape, depth)
        k = self.rng.choice([d for d in ("n", "c", "d") if d != shape[0]])
        first = self.rng.random() < 0.5
        whole = (k, *shape) if first else (*shape, k)
        return self.rng.choice(AWAY).format(self.make(whole, depth - 1), a=0 if first else self.rng.choice(("1", "-1")))

    def _along(self, shape: Shape, depth: int) -> str:
        return self.rng.choice(ALONG).format(self.make(shape, depth - 1))

    def _turned(self, shape: Shape, depth: int) -> str:
        return f"({self.make(shape[::-1], depth - 1)}).T"

    def _whole(self, shape: Shape, depth: int) -> str:
        return self.rng.choice(WHOLE).format(
            self.make(self.rng.choice((("n", "c"), ("c",), ("d", "n"), ("c", "c"))), depth - 1)
        )

    def _form(self, shape: Shape, depth: int) -> str:
        """A quadratic form, an inner product or a trace."""
        rng, k = self.rng, self.rng.choice(("c", "d", "n"))
        if rng.random() < 0.4:
            return f"({self.make((k,), depth - 1)}) @ ({self.make((k,), depth - 1)})"
        if rng.random() < 0.5:
            return f"({self.make(('c',), 1)}) @ ({self.make(('c', k), depth - 1)}) @ ({self.make((k,), 1)})"
        return f"trace(({self.make(('c', k), depth - 1)}) @ ({self.make((k, 'c'), depth - 1)}))"

    # ---- matrix functions: of matrices that are far from singular ---------------------------------------------------

    def definite(self, depth: int) -> str:
        self.used["P"] = None
        if self.rng.random() < 0.5 or depth == 0:
            return "P"
        return f"(P + 0.1*tanh({self.make(('c', 'c'), depth - 1)}))"

    def _inverse(self, shape: Shape, depth: int) -> str:
        return f"inv({self.definite(depth - 1)})"

    def _solved(self, shape: Shape, depth: int) -> str:
        return f"solve({self.definite(depth - 1)}, {self.make(shape, depth - 1)})"

    def _of_matrix(self, shape: Shape, depth: int) -> str:
        return f"{self.rng.choice(('logdet', 'logdet', 'det'))}({self.definite(depth - 1)})"


def plain(rng: Random, matrices: bool = False) -> str:
    """Up to two names and a loss or an output, all in array notation."""
    draft = Arrays(rng, matrices)
    lets: list[tuple[str, str]] = []
    for name in ("h", "g")[: rng.randint(0, 2)]:
        shape = rng.choice((("n", "c"), ("n", "d"), ("c", "c"), ("c",), ("n",)))
        lets.append((name, draft.make(shape, 2)))
        draft.shapes[name] = shape
    if rng.random() < 0.5:
        shape = rng.choice(((), (), ("n",)))
        body, loss = draft.make(shape, 3), True
        body = f"{body} + {'Sum(x**2)' if not shape else 'Sum(x**2, axis=1)'}"
        draft.used["x"] = None
    else:
        body, loss = draft.make(rng.choice((("n", "c"), ("n", "d"), ("c",))), 3), False
    read = [n for n in draft.shapes if n in draft.used]
    definite = ["  P: {shape: [c, c], domain: positive_definite}"] if "P" in draft.used else []
    inputs = [f"  {n}: [{', '.join(SHAPES[n])}]" for n in read if n in SHAPES]
    return formula(inputs + definite, {}, [], lets, [] if loss else [("y", body)], loss=body if loss else "")


def of_matrices(rng: Random) -> str:
    """The same with inverses, determinants and solutions of equations."""
    return plain(rng, matrices=True)


FAMILIES = (plain, plain, of_matrices)
