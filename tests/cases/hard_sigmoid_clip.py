"""Composition with clamp: torch's hardsigmoid takes 1/6 in float32."""

CLOSED = {"x": ("dy[...]*where(x[...] > -3 and x[...] < 3, 1/6, 0)", {}, ["..."])}
MAX_CLOSED = {"x": 120}


def SAMPLE(rng, x, dims):
    x["x"] = x["x"] * 3


def reference(torch, x):
    return torch.clamp(x / 6 + 0.5, 0, 1)
