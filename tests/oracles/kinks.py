"""The kink table: what torch takes for the derivative where there is none, row by row.

A row is a formula, a function of torch, points that lie on the formula's kinks, and the kinks that must be listed, as
`(condition, function, convention)`. A row without kinks stands for formulas that look as if they had one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Kinks = tuple[tuple[str, str, str], ...]
ABS, RELU, BRANCH, HALVES, EVENLY, FIRST = (
    "0",
    "0",
    "the branch taken",
    "1/2 each",
    "shared evenly",
    "the first takes all",
)
VECTOR = np.array([-2.0, -1.0, -0.5, 0.0, 0.25, 0.5, 1.0, 2.0, 3.0])
"""On 0, 1, 1/2 and their negatives, and off them."""
TIED = np.array([[1.0, 3.0, 3.0, 3.0], [2.0, 2.0, 2.0, 2.0], [0.0, -1.0, 0.0, 5.0], [-1.0, 0.0, -1.0, 0.5]])
OTHER = np.array([-2.0, 0.0, -0.5, 1.0, 0.25, -1.0, 1.0, 0.0, 2.0])


@dataclass(frozen=True)
class Row:
    """`y`: an expression over `x[i]`, or the statements `let` and `output` of a layer.

    `torch`: takes the inputs by name. `prints`: whether the printed closed form has a value on the kink too; where it
    has none (1/norm), the convention is listed instead. `tolerance`: torch's own rounding, where it is coarser.
    """

    name: str
    y: str | Mapping[str, Any]
    torch: Callable[..., Any]
    kinks: Kinks
    data: Mapping[str, Any] = field(default_factory=lambda: {"x": VECTOR})
    inputs: Mapping[str, Any] = field(default_factory=lambda: {"x": ["n"]})
    parameters: Mapping[str, Any] = field(default_factory=dict)
    prints: bool = True
    tolerance: float = 1e-12

    def __str__(self) -> str:
        return self.name

    @property
    def formula(self) -> dict[str, Any]:
        """The keys of its file."""
        body = {"output": {"y[i]": self.y}} if isinstance(self.y, str) else dict(self.y)
        return {"name": f"{self.name}_row", "inputs": dict(self.inputs), "parameters": dict(self.parameters)} | body


def F() -> Any:
    """torch.nn.functional."""
    import torch

    return torch.nn.functional


def _t() -> Any:
    import torch

    return torch


GIVEN = {"x": ["n"], "t": {"shape": ["n"], "given": True}}
PAIR = {"x": ["n"], "z": ["n"]}
ROWS_OF = {"x": ["n", "c"]}
WITH_GIVEN = {"x": VECTOR, "t": OTHER}
WITH_OTHER = {"x": VECTOR, "z": OTHER}
IN_ROWS = {"x": TIED}
SIGNS = np.where(np.arange(9) % 2 == 0, 1.0, -1.0)
WITH_SIGNS = {"x": VECTOR, "t": SIGNS}
ZEROS = np.array([[0.0, 0.0, 0.0], [1.0, -2.0, 2.0], [0.0, 3.0, 4.0]])


def per_row(expression: str) -> dict[str, Any]:
    """A layer with a value a row."""
    return {"output": {"y[i]": expression}}


def per_element(expression: str, **let: str) -> dict[str, Any]:
    """A layer over rows and columns."""
    return {"let": let, "output": {"y[i, j]": expression}} if let else {"output": {"y[i, j]": expression}}


ROWS: tuple[Row, ...] = (
    # modulus, sign, steps
    Row("abs", "Abs(x[i])", lambda x: x.abs(), (("x[i] == 0", "Abs", "0"),)),
    Row("abs_of_affine", "Abs(2*x[i] - 1)", lambda x: (2 * x - 1).abs(), (("2*x[i] == 1", "Abs", "0"),)),
    Row(
        "abs_of_product",
        "Abs(x[i]*z[i])",
        lambda x, z: (x * z).abs(),
        (("x[i]*z[i] == 0", "Abs", "0"),),
        WITH_OTHER,
        PAIR,
    ),
    Row("abs_cubed", "Abs(x[i])**3", lambda x: x.abs() ** 3, (("x[i] == 0", "Abs", "0"),)),
    Row("abs_squared", "Abs(x[i])**2", lambda x: x.abs() ** 2, ()),
    Row("root_of_square", "sqrt(x[i]**2)", lambda x: x.abs(), (("x[i] == 0", "Abs", "0"),)),
    Row("exp_of_abs", "exp(-Abs(x[i]))", lambda x: (-x.abs()).exp(), (("x[i] == 0", "Abs", "0"),)),
    Row("softsign", "x[i]/(1 + Abs(x[i]))", lambda x: F().softsign(x), (("x[i] == 0", "Abs", "0"),)),
    Row("sign", "x[i]*sign(x[i] - 1)", lambda x: x * (x - 1).sign(), (("x[i] == 1", "sign", "0"),)),
    Row("floor", "x[i]*floor(x[i])", lambda x: x * x.floor(), (("floor(x[i]) == x[i]", "floor", "0"),)),
    Row("ceiling", "x[i]*ceiling(x[i])", lambda x: x * x.ceil(), (("x[i] == ceiling(x[i])", "ceiling", "0"),)),
    Row("fraction", "x[i] - floor(x[i])", lambda x: x - x.floor(), (("floor(x[i]) == x[i]", "floor", "0"),)),
    Row(
        "step",
        "x[i]*Heaviside(x[i], 1/2)",
        lambda x: x * (x.sign() + 1).detach() / 2,
        (("x[i] == 0", "Heaviside", "0"),),
    ),
    # relu and its family
    Row("relu", "relu(x[i])", lambda x: F().relu(x), (("x[i] == 0", "relu", "0"),)),
    Row("relu_of_minus", "relu(-x[i])", lambda x: F().relu(-x), (("x[i] == 0", "relu", "0"),)),
    Row("relu_squared", "relu(x[i])**2", lambda x: F().relu(x) ** 2, (("x[i] == 0", "relu", "0"),)),
    Row(
        "relu_of_sum",
        per_row("relu(Sum(x[i, j], j))"),
        lambda x: F().relu(x.sum(1)),
        (("Sum(x[i, j], j) == 0", "relu", "0"),),
        {"x": ZEROS - ZEROS.mean(1, keepdims=True)},
        ROWS_OF,
    ),
    Row(
        "leaky_relu", "where(x[i] > 0, x[i], x[i]/100)", lambda x: F().leaky_relu(x), (("x[i] == 0", "where", BRANCH),)
    ),
    Row("leaky_relu_by_max", "Max(x[i], x[i]/4)", lambda x: _t().maximum(x, x / 4), (("x[i] == 0", "Max", HALVES),)),
    Row(
        "threshold",
        "where(x[i] > 1/2, x[i], 7)",
        lambda x: F().threshold(x, 0.5, 7.0),
        (("2*x[i] == 1", "where", BRANCH),),
    ),
    Row(
        "elu", "where(x[i] > 0, x[i], 2*(exp(x[i]) - 1))", lambda x: F().elu(x, 2.0), (("x[i] == 0", "where", BRANCH),)
    ),
    Row(
        "celu",
        "where(x[i] > 0, x[i], 2*(exp(x[i]/2) - 1))",
        lambda x: F().celu(x, 2.0),
        (("x[i] == 0", "where", BRANCH),),
    ),
    Row(
        "hard_shrink",
        "where(Abs(x[i]) > 1/2, x[i], 0)",
        lambda x: F().hardshrink(x),
        (("2*Abs(x[i]) == 1", "where", BRANCH), ("x[i] == 0", "Abs", "0")),
    ),
    Row(
        "soft_shrink",
        "Piecewise((x[i] - 1/2, x[i] > 1/2), (x[i] + 1/2, x[i] < -1/2), (0, True))",
        lambda x: F().softshrink(x),
        (("2*x[i] == 1", "where", BRANCH), ("2*x[i] == -1", "where", BRANCH)),
    ),
    # clamps: torch passes the gradient at the bounds, its named activations do not
    Row(
        "clamp",
        "clip(x[i], -1, 1)",
        lambda x: x.clamp(-1, 1),
        (("x[i] == -1", "clip", "1"), ("x[i] == 1", "clip", "1")),
    ),
    Row("clamp_below", "clip(x[i], 0, oo)", lambda x: x.clamp(min=0), (("x[i] == 0", "clip", "1"),)),
    Row("clamp_above", "clip(x[i], -oo, 1/2)", lambda x: x.clamp(max=0.5), (("2*x[i] == 1", "clip", "1"),)),
    Row(
        "clamp_by_tensor",
        "clip(x[i], z[i], 3)",
        lambda x, z: x.clamp(z, _t().full_like(z, 3.0)),
        (("z[i] == x[i]", "clip", "1"), ("x[i] == 3", "clip", "1")),
        WITH_OTHER,
        {"x": ["n"], "z": {"shape": ["n"], "domain": "interval(-3, 2)"}},
    ),
    Row(
        "hardtanh",
        "Piecewise((-1, x[i] <= -1), (1, x[i] >= 1), (x[i], True))",
        lambda x: F().hardtanh(x),
        (("x[i] == -1", "where", BRANCH), ("x[i] == 1", "where", BRANCH)),
    ),
    Row(
        "relu6",
        "Piecewise((0, x[i] <= 0), (6, x[i] >= 6), (x[i], True))",
        lambda x: F().relu6(x),
        (("x[i] == 0", "where", BRANCH), ("x[i] == 6", "where", BRANCH)),
        {"x": VECTOR * 2},
    ),
    Row(
        "hardsigmoid",
        "Piecewise((0, x[i] <= -3), (1, x[i] >= 3), (x[i]/6 + 1/2, True))",
        lambda x: F().hardsigmoid(x),
        (("x[i] == -3", "where", BRANCH), ("x[i] == 3", "where", BRANCH)),
        {"x": VECTOR * 3},
        tolerance=1e-7,
    ),  # 1/6 is a float32 there
    Row(
        "hardswish",
        "Piecewise((0, x[i] <= -3), (x[i], x[i] >= 3), (x[i]*(x[i] + 3)/6, True))",
        lambda x: F().hardswish(x),
        (("x[i] == -3", "where", BRANCH), ("x[i] == 3", "where", BRANCH)),
        {"x": VECTOR * 3},
    ),
    Row(
        "hinge_by_clip",
        "clip(1 - t[i]*x[i], 0, oo)",
        lambda x, t: (1 - t * x).clamp(min=0),
        (("t[i]*x[i] == 1", "clip", "1"),),
        WITH_SIGNS,
        GIVEN,
    ),
    Row(
        "hinge_by_relu",
        "relu(1 - t[i]*x[i])",
        lambda x, t: F().relu(1 - t * x),
        (("t[i]*x[i] == 1", "relu", "0"),),
        WITH_SIGNS,
        GIVEN,
    ),
    # maxima and minima of two
    Row(
        "max_with_number",
        "Max(x[i], 0)",
        lambda x: _t().maximum(x, _t().zeros_like(x)),
        (("x[i] == 0", "Max", HALVES),),
    ),
    Row(
        "min_with_number", "Min(x[i], 1)", lambda x: _t().minimum(x, _t().ones_like(x)), (("x[i] == 1", "Min", HALVES),)
    ),
    Row(
        "maximum",
        "Max(x[i], z[i])",
        lambda x, z: _t().maximum(x, z),
        (("z[i] == x[i]", "Max", HALVES),),
        WITH_OTHER,
        PAIR,
    ),
    Row(
        "minimum",
        "Min(x[i], z[i])",
        lambda x, z: _t().minimum(x, z),
        (("z[i] == x[i]", "Min", HALVES),),
        WITH_OTHER,
        PAIR,
    ),
    Row(
        "fmax",
        "where(x[i] >= z[i], x[i], z[i])",
        lambda x, z: _t().fmax(x, z),
        (("z[i] == x[i]", "where", BRANCH),),
        WITH_OTHER,
        PAIR,
    ),
    Row(
        "fmin",
        "where(x[i] <= z[i], x[i], z[i])",
        lambda x, z: _t().fmin(x, z),
        (("z[i] == x[i]", "where", BRANCH),),
        WITH_OTHER,
        PAIR,
    ),
    Row(
        "second_at_border",
        "where(x[i] > z[i], x[i], z[i])",
        lambda x, z: _t().where(x > z, x, z),
        (("z[i] == x[i]", "where", BRANCH),),
        WITH_OTHER,
        PAIR,
    ),
    Row(
        "pinball",
        "Max(t[i] - x[i], (x[i] - t[i])/3)",
        lambda x, t: _t().maximum(t - x, (x - t) / 3),
        (("x[i] == t[i]", "Max", HALVES),),
        WITH_GIVEN,
        GIVEN,
    ),
    # extreme values of rows
    Row(
        "amax",
        per_row("amax(x[i, j], j)"),
        lambda x: x.amax(1),
        (("x[i, j] == amax(x[i, k], k)", "amax", EVENLY),),
        IN_ROWS,
        ROWS_OF,
    ),
    Row(
        "amin",
        per_row("amin(x[i, j], j)"),
        lambda x: x.amin(1),
        (("x[i, j] == amin(x[i, k], k)", "amin", EVENLY),),
        IN_ROWS,
        ROWS_OF,
    ),
    Row(
        "max_of_dim",
        per_row("amax(x[i, j], j, ties=first)"),
        lambda x: x.max(1).values,
        (("amax(x[i, k], k, ties=first) == x[i, j]", "amax", FIRST),),
        IN_ROWS,
        ROWS_OF,
    ),
    Row(
        "min_of_dim",
        per_row("amin(x[i, j], j, ties=first)"),
        lambda x: x.min(1).values,
        (("x[i, j] == amin(x[i, k], k, ties=first)", "amin", FIRST),),
        IN_ROWS,
        ROWS_OF,
    ),
    Row(
        "amax_of_all",
        {"output": {"y": "amax(x[i, j], i, j)"}},
        lambda x: x.amax(),
        (("amax(x[k, l], k, l) == x[i, j]", "amax", EVENLY),),
        {"x": np.where(TIED == 5, 3, TIED)},
        ROWS_OF,
    ),
    Row(
        "less_the_maximum",
        per_element("x[i, j] - amax(x[i, k], k)"),
        lambda x: x - x.amax(1, keepdim=True),
        (("x[i, j] == amax(x[i, k], k)", "amax", EVENLY),),
        IN_ROWS,
        ROWS_OF,
    ),
    Row(
        "range",
        per_row("amax(x[i, j], j) - amin(x[i, j], j)"),
        lambda x: x.amax(1) - x.amin(1),
        (("x[i, j] == amax(x[i, k], k)", "amax", EVENLY), ("x[i, j] == amin(x[i, k], k)", "amin", EVENLY)),
        IN_ROWS,
        ROWS_OF,
    ),
    Row(
        "max_pool",
        {"ranges": {"p": "c//2", "u": "2"}, "output": {"y[i, p]": "amax(x[i, 2*p + u], u, ties=first)"}},
        lambda x: F().max_pool1d(x[:, None], 2)[:, 0],
        (("x[i, 2*p + u] == amax(x[i, 2*p + m], (m, 0, 1), ties=first)", "amax", FIRST),),
        IN_ROWS,
        ROWS_OF,
    ),
    Row(
        "maxout",
        {"output": {"y[i, p]": "amax(x[i, p, u], u)"}},
        lambda x: x.amax(-1),
        (("x[i, p, u] == amax(x[i, p, j], j)", "amax", EVENLY),),
        {"x": TIED.reshape(2, 4, 2)},
        {"x": ["n", "m", "k"]},
    ),
    # norms
    Row(
        "norm",
        per_row("norm(x[i, j], j)"),
        lambda x: _t().linalg.vector_norm(x, dim=1),
        (("norm(x[i, j], j) == 0", "norm", "0"),),
        {"x": ZEROS},
        ROWS_OF,
        prints=False,
    ),
    Row(
        "distance",
        per_row("norm(x[i, j] - z[i, j], j)"),
        lambda x, z: (x - z).norm(dim=1),
        (("norm(x[i, j] - z[i, j], j) == 0", "norm", "0"),),
        {"x": ZEROS, "z": ZEROS * [[1.0], [2.0], [1.0]]},
        {"x": ["n", "c"], "z": ["n", "c"]},
        prints=False,
    ),
    Row(
        "norm_of_all",
        {"output": {"y": "norm(x[i, j], i, j)"}},
        lambda x: _t().linalg.matrix_norm(x),
        (("norm(x[i, j], i, j) == 0", "norm", "0"),),
        {"x": 0 * ZEROS},
        ROWS_OF,
        prints=False,
    ),
    Row(
        "deviation",
        per_row("norm(x[i, j] - mean(x[i, k], k), j)"),
        lambda x: (x - x.mean(1, keepdim=True)).norm(dim=1),
        (("norm(x[i, j] - Sum(x[i, j], j)/c, j) == 0", "norm", "0"),),
        {"x": TIED},
        ROWS_OF,
        prints=False,
    ),
    Row(
        "one_norm",
        per_row("Sum(Abs(x[i, j]), j)"),
        lambda x: _t().linalg.vector_norm(x, 1, dim=1),
        (("x[i, j] == 0", "Abs", "0"),),
        {"x": ZEROS},
        ROWS_OF,
    ),
    Row(
        "infinity_norm",
        per_row("amax(Abs(x[i, j]), j)"),
        lambda x: _t().linalg.vector_norm(x, float("inf"), dim=1),
        (("Abs(x[i, j]) == amax(Abs(x[i, k]), k)", "amax", EVENLY), ("x[i, j] == 0", "Abs", "0")),
        {"x": ZEROS},
        ROWS_OF,
    ),
    Row(
        "normalize",
        per_element("x[i, j]/clip(norm(x[i, k], k), 1/10, oo)"),
        lambda x: F().normalize(x, eps=0.1),
        (("10*norm(x[i, j], j) == 1", "clip", "1"), ("norm(x[i, j], j) == 0", "norm", "0")),
        {"x": ZEROS},
        ROWS_OF,
    ),
    # losses of the field
    Row(
        "l1",
        "Abs(x[i] - t[i])",
        lambda x, t: F().l1_loss(x, t, reduction="none"),
        (("x[i] == t[i]", "Abs", "0"),),
        WITH_GIVEN,
        GIVEN,
    ),
    Row(
        "huber",
        "where(Abs(x[i] - t[i]) <= 1, (x[i] - t[i])**2/2, Abs(x[i] - t[i]) - 1/2)",
        lambda x, t: F().huber_loss(x, t, reduction="none"),
        (("Abs(x[i] - t[i]) == 1", "where", BRANCH), ("x[i] == t[i]", "Abs", "0")),
        WITH_GIVEN,
        GIVEN,
    ),
    Row(
        "smooth_l1",
        "where(Abs(x[i] - t[i]) < 1/2, (x[i] - t[i])**2, Abs(x[i] - t[i]) - 1/4)",
        lambda x, t: F().smooth_l1_loss(x, t, beta=0.5, reduction="none"),
        (("2*Abs(x[i] - t[i]) == 1", "where", BRANCH), ("x[i] == t[i]", "Abs", "0")),
        WITH_GIVEN,
        GIVEN,
    ),
    Row(
        "margin_ranking",
        "clip(-t[i]*(x[i] - z[i]) + 1, 0, oo)",
        lambda x, z, t: F().margin_ranking_loss(x, z, t, 1.0, reduction="none"),
        (("t[i]*(z[i] - x[i]) == -1", "clip", "1"),),
        {"x": VECTOR, "z": OTHER, "t": SIGNS},
        {**PAIR, "t": GIVEN["t"]},
    ),
    Row(
        "hinge_embedding",
        "where(t[i] > 0, x[i], clip(1 - x[i], 0, oo))",
        lambda x, t: F().hinge_embedding_loss(x, t, reduction="none"),
        (("x[i] == 1", "clip", "1"),),
        {"x": VECTOR[::-1].copy(), "t": -np.ones(9)},
        GIVEN,
    ),
    Row(
        "multi_margin",
        per_row("Sum(where(j == t[i], 0, relu(1 - x[i, t[i]] + x[i, j])), j)/c"),
        lambda x, t: F().multi_margin_loss(x, t, reduction="none"),
        (("x[i, t[i]] == x[i, j] + 1", "relu", "0"),),
        {"x": TIED, "t": np.array([1, 2, 0, 1])},
        {"x": ["n", "c"], "t": {"shape": ["n"], "dtype": "int", "domain": "integer(0, c - 1)"}},
    ),
    Row(
        "triplet",
        per_row("clip(norm(x[i, j] - z[i, j], j) - norm(x[i, j] - w[i, j], j) + 1, 0, oo)"),
        lambda x, z, w: F().triplet_margin_loss(x, z, w, eps=0.0, reduction="none"),
        (
            ("norm(x[i, j] - w[i, j], j) == norm(x[i, j] - z[i, j], j) + 1", "clip", "1"),
            ("norm(x[i, j] - z[i, j], j) == 0", "norm", "0"),
            ("norm(x[i, j] - w[i, j], j) == 0", "norm", "0"),
        ),
        {
            "x": ZEROS,
            "z": ZEROS + np.diag([3.0, 1.0, 2.0]),
            "w": ZEROS + np.array([[0.0, 4.0, 0.0], [2.0, 0.0, 0.0], [3.0, 0.0, 0.0]]),
        },
        {"x": ["n", "c"], "z": ["n", "c"], "w": ["n", "c"]},
    ),
    Row(
        "total_variation",
        {"ranges": {"j": "n - 1"}, "output": {"y": "Sum(Abs(x[j + 1] - x[j]), j)"}},
        lambda x: x.diff().abs().sum(),
        (("x[j] == x[j + 1]", "Abs", "0"),),
        {"x": np.array([1.0, 1.0, 2.0, 2.0, 2.0, 0.0])},
    ),
    # branches
    Row(
        "guarded_root",
        "where(x[i] > 0, sqrt(x[i]), 0)",
        lambda x: _t().where(x > 0, _t().where(x > 0, x, 1.0).sqrt(), 0.0),
        (("x[i] == 0", "where", BRANCH),),
    ),
    Row(
        "sinc", "where(x[i] == 0, 1, sin(x[i])/x[i])", lambda x: _t().sinc(x / np.pi), (("x[i] == 0", "where", BRANCH),)
    ),
    Row(
        "one_point_apart",
        "where(x[i] == 1, 3*x[i], x[i]**2)",
        lambda x: _t().where(x == 1, 3 * x, x**2),
        (("x[i] == 1", "where", BRANCH),),
    ),
    Row(
        "three_pieces",
        "Piecewise((x[i]**2, x[i] < -1/2), (2*x[i], x[i] <= 1), (x[i] + 1, True))",
        lambda x: _t().where(x < -0.5, x**2, _t().where(x <= 1, 2 * x, x + 1)),
        (("2*x[i] == -1", "where", BRANCH), ("x[i] == 1", "where", BRANCH)),
    ),
    Row(
        "and_of_two",
        "where(And(x[i] > 0, z[i] > 0), x[i]*z[i], x[i])",
        lambda x, z: _t().where((x > 0) & (z > 0), x * z, x),
        (("x[i] == 0", "where", BRANCH), ("z[i] == 0", "where", BRANCH)),
        WITH_OTHER,
        PAIR,
    ),
    Row(
        "xlogy",
        "where(t[i] > 0, t[i]*log(x[i]), 0)",
        lambda x, t: _t().xlogy(t, x),
        (),
        {"x": np.array([0.5, 1.0, 2.0, 3.0]), "t": np.array([0.0, 0.0, 1.0, 0.5])},
        {"x": {"shape": ["n"], "domain": "positive"}, "t": {"shape": ["n"], "domain": "nonnegative", "given": True}},
    ),
    # no kinks, though some look so
    Row("product_with_zeros", per_row("Product(x[i, j], j)"), lambda x: x.prod(1), (), {"x": ZEROS}, ROWS_OF),
    Row(
        "softplus",
        "softplus(x[i])",
        lambda x: F().softplus(x),
        (),
        {"x": np.array([-800.0, -1.0, 0.0, 19.0, 20.0, 800.0])},
    ),
    Row("log_sigmoid", "log(sigmoid(x[i]))", lambda x: F().logsigmoid(x), ()),
    Row("tanh_shrink", "x[i] - tanh(x[i])", lambda x: F().tanhshrink(x), ()),
    Row("gelu", "gelu(x[i])", lambda x: F().gelu(x), ()),
    Row("logsumexp_of_ties", per_row("logsumexp(x[i, j], j)"), lambda x: x.logsumexp(1), (), IN_ROWS, ROWS_OF),
    Row("softmax_of_ties", per_element("softmax(x[i, j], j)"), lambda x: x.softmax(1), (), IN_ROWS, ROWS_OF),
    Row(
        "masked_softmax",
        per_element("softmax(where(m[i, j], x[i, j], -oo), j)"),
        lambda x, m: x.masked_fill(~m, -np.inf).softmax(1),
        (),
        {"x": TIED, "m": TIED > -1},
        {"x": ["n", "c"], "m": {"shape": ["n", "c"], "dtype": "bool"}},
    ),
    Row(
        "causal_softmax",
        per_element("softmax(where(j <= i, x[i, j], -oo), j)"),
        lambda x: x.masked_fill(_t().ones(4, 4).triu(1).bool(), -np.inf).softmax(1),
        (),
        IN_ROWS,
        {"x": ["n", "n"]},
    ),
    Row(
        "infinite_logit",
        per_row("logsumexp(x[i, j], j) - x[i, 0]"),
        lambda x: F().cross_entropy(x, _t().zeros(2, dtype=_t().long), reduction="none"),
        (),
        {"x": np.array([[1.0, -np.inf, 2.0], [0.5, 0.5, -np.inf]])},
        ROWS_OF,
    ),
    Row(
        "chosen_by_data",
        "where(t[i] > 0, x[i]**2, x[i])",
        lambda x, t: _t().where(t > 0, x**2, x),
        (),
        WITH_GIVEN,
        GIVEN,
    ),
    Row(
        "square_of_difference",
        "(x[i] - t[i])**2",
        lambda x, t: F().mse_loss(x, t, reduction="none"),
        (),
        WITH_GIVEN,
        GIVEN,
    ),
)
