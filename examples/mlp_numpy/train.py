"""A training loop without autograd: two spirals, the catalogue's mlp, NumPy and nothing else.

The gradients are the closed forms that symgrad derived. torch cannot even be imported here.
"""
# ruff: noqa: E402, T201

from __future__ import annotations

import argparse
import sys

sys.modules["torch"] = None  # type: ignore[assignment]

import numpy as np

import symgrad


def spirals(count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """count -> x[n, d], t[n, c]: points of two spirals and their one-hot classes."""
    label = np.arange(count) % 2
    turn = np.sqrt(rng.random(count)) * 3 * np.pi
    around = turn + np.pi * label
    x = np.stack([turn * np.cos(around), turn * np.sin(around)], 1) / 5 + 0.02 * rng.standard_normal((count, 2))
    return x, np.eye(2)[label]


def accuracy(x: np.ndarray, t: np.ndarray, U: np.ndarray, a: np.ndarray, W: np.ndarray, b: np.ndarray) -> float:
    """Part of the points whose greatest logit is that of their class."""
    z = np.maximum(x @ U.T + a, 0) @ W.T + b
    return float(np.mean(z.argmax(1) == t.argmax(1)))


def main(steps: int = 2000, width: int = 64, seed: int = 0) -> tuple[float, float]:
    """Train; the last loss and the accuracy on points that were not trained on."""
    mlp = symgrad.derive("mlp", targets=["numpy"]).numpy
    rng = np.random.default_rng(seed)
    x, t = spirals(512, rng)
    weights = {
        "U": rng.standard_normal((width, 2)),
        "a": rng.standard_normal(width),
        "W": rng.standard_normal((2, width)) / np.sqrt(width),
        "b": np.zeros(2),
    }
    first = {name: np.zeros_like(w) for name, w in weights.items()}
    second = {name: np.zeros_like(w) for name, w in weights.items()}
    for step in range(1, steps + 1):
        loss, gradient = mlp.value_and_grad(x=x, t=t, **weights)
        for name, w in weights.items():  # Adam
            g = getattr(gradient, name)
            first[name] = 0.9 * first[name] + 0.1 * g
            second[name] = 0.999 * second[name] + 0.001 * g * g
            scale = 0.01 * np.sqrt(1 - 0.999**step) / (1 - 0.9**step)
            weights[name] = w - scale * first[name] / (np.sqrt(second[name]) + 1e-8)
        if step == 1 or step % max(1, steps // 10) == 0:
            print(f"step {step:5d}   loss {loss:.4f}   accuracy {accuracy(x, t, **weights):.3f}")
    x, t = spirals(500, rng)
    score = accuracy(x, t, **weights)
    print(f"accuracy on 500 new points: {score:.3f}")
    return float(loss), score


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=2000)
    main(parser.parse_args().steps)
