"""Random formulas that use others: layers of the catalogue one after the other, ended by one of its losses."""

from __future__ import annotations

from random import Random

from symgrad.formula.vocabulary import LANGUAGE
from tests.fuzz.windows import formula

ALONG = (
    "relu({h})", "sigmoid({h})", "tanh({h})", "gelu({h})", "silu({h})", "softsign({h})",
    "leaky_relu({h}, slope=0.2)", "elu({h})",
    "softmax({h})", "log_softmax({h})", "layer_norm({h}, g{k}, b{k})", "rms_norm({h}, g{k})",
    "linear({h}, A{k}, b{k})",
    "linear({h}, A{k}, b{k})", "swiglu({h}, A{k}, B{k})", "batch_norm({h}, g{k}, b{k})",
)  # fmt: skip
PLAIN = ("{h} @ A{k}", "{h} + x", "{h}*g{k}", "sin({h})", "{h} - mean({h})", "{h}/(1 + {h}**2)")
LOSSES = (
    ("softmax_cross_entropy({h}, t)", "{shape: [n, c], domain: simplex, given: true}"),
    ("kl_divergence({h}, t)", "{shape: [n, c], domain: simplex, given: true}"),
    ("cross_entropy({h}, t)", '{shape: [n], dtype: int, domain: "integer(0, c - 1)"}'),
    ("focal_multiclass({h}, t)", '{shape: [n], dtype: int, domain: "integer(0, c - 1)"}'),
    ("mse({h} @ v, t)", "{shape: [n], given: true}"),
    ("huber({h} @ v, t)", "{shape: [n], given: true}"),
    ("l1({h} @ v, t)", "{shape: [n], given: true}"),
    ("hinge({h} @ v, t)", "{shape: [n], given: true}"),
    ("bce_with_logits({h} @ v, t)", "{shape: [n], domain: unit_interval, given: true}"),
    ("smooth_l1({h} @ v, t, beta=0.5)", "{shape: [n], given: true}"),
)


def alias(name: str) -> str:
    """How a formula is called: words of the language, which the catalogue has too, under another name."""
    return f"{name}_" if name in LANGUAGE else name


SHAPES = {"g": "[c]", "b": "[c]", "A": "[c, c]", "B": "[c, c]", "v": "[c]"}


def chained(rng: Random) -> str:
    """Layers on `[n, c]` by `use` and in array notation, then a loss, an output or a mixture."""
    used: dict[str, None] = {}
    inputs = {"x": "[n, c]"}
    lets: list[tuple[str, str]] = []
    h = "x"

    def reading(call: str, k: int) -> str:
        for prefix, shape in SHAPES.items():
            for name in {f"{prefix}{k}", prefix}:
                if any(
                    part.strip(" ()") == name
                    for part in call.replace("(", ",").replace(")", ",").replace("@", ",").replace("*", ",").split(",")
                ):
                    inputs[name] = shape
        return call

    for k in range(1, rng.randint(2, 4)):
        form = rng.choice(ALONG if rng.random() < 0.75 else PLAIN)
        call = form.format(h=h, k=k)
        if form in ALONG:
            name, _, rest = call.partition("(")
            used[name] = None
            call = f"{alias(name)}({rest}"
        lets.append((f"h{k}", reading(call, k)))
        h = f"h{k}"
    kind = rng.randrange(4)
    if kind < 2:
        call, target = rng.choice(LOSSES)
        used[call.split("(")[0]] = None
        reading(call, 0)
        inputs["t"] = target
        return _written(used, inputs, lets, loss=reading(call.format(h=h), 0))
    if kind == 2:
        return _written(used, inputs, lets, outputs=[("y", f"{h} + x")])
    return _written(used, inputs, lets, outputs=[("y[i, j]", f"{h}[i, j]*x[i, 0]"), ("z[i]", f"Sum({h}[i, j]**2, j)")])


def _written(
    used: dict[str, None],
    inputs: dict[str, str],
    lets: list[tuple[str, str]],
    outputs: list[tuple[str, str]] | None = None,
    loss: str = "",
) -> str:
    use = ["use: {" + ", ".join(f"{alias(n)}: {n}" for n in used) + "}"] if used else []
    return formula([f"  {n}: {s}" for n, s in inputs.items()], {}, [], lets, outputs or [], loss=loss, more=use)


def attending(rng: Random) -> str:
    """Attention over sequences, and what is done with it."""
    inputs = {"x": "[b, t, d]", "y": "[b, r, d]", "W": "[d, d]"}
    lets = [
        (
            "o",
            rng.choice(
                ("attention(x, y, y)", "attention(x, x, x)", "attention(x @ W, y, y)", "attention(x, y @ W.T, tanh(y))")
            ),
        )
    ]
    if "y" not in lets[0][1]:
        del inputs["y"]
    used: dict[str, None] = {"attention": None}
    return _written(used, inputs, lets, outputs=[("z", rng.choice(("o @ W + x", "tanh(o) @ W", "(o - x) @ W")))])


def convolved(rng: Random) -> str:
    """A convolution with its parameters by keyword, then an activation, or pooling."""
    s, pad = rng.choice((1, 2)), rng.choice((0, 1))
    inputs = {"x": "{shape: [n, c, h, w], outside: 0}", "W": "[o, c, r, q]", "b": "[o]"}
    lets = [("a", f"conv2d(x, W, b, s={s}, pad={pad})")]
    used: dict[str, None] = {"conv2d": None}
    end = rng.choice(("relu(a)", "tanh(a)", "a**2", "max_pool2d(a, k=2, s=1)"))
    if end[0] == "m":
        used["max_pool2d"] = None
    return _written(used, inputs, lets, outputs=[("y", end)])


FAMILIES = (chained, chained, chained, attending, convolved)
