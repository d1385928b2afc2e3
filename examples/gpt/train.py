"""A small GPT learns to sort, with the gradients that symgrad derived and NumPy kernels; no autograd in the loop.

A sequence is a few digits, which the model echoes, and then the same digits in order, which it says one by one.
"""
# ruff: noqa: T201

from __future__ import annotations

import argparse
import math
from collections.abc import Mapping

import numpy as np

import symgrad

Arrays = dict[str, np.ndarray]
VOCABULARY, LENGTH, HEADS, WIDTH, HIDDEN = 6, 5, 2, 32, 64


def sorting(count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """count -> s[n, t], y[n, t]: digits and then the same in order, and what follows each of them."""
    digits = rng.integers(0, VOCABULARY, (count, LENGTH))
    ordered = np.sort(digits, axis=1)
    s = np.concatenate([digits, ordered[:, :-1]], axis=1)
    return s, np.concatenate([digits[:, :-1], ordered], axis=1)


def initial(rng: np.random.Generator) -> Arrays:
    """Weights of a GPT of two blocks, in the names of the formula."""
    shapes: dict[str, tuple[int, ...]] = {"E0": (VOCABULARY, WIDTH), "P0": (2 * LENGTH - 1, WIDTH)}
    for k in "12":
        shapes |= {f"{name}{k}": (WIDTH, WIDTH) for name in ("Wq", "Wk", "Wv", "Wo")}
        shapes |= {f"U{k}": (HIDDEN, WIDTH), f"a{k}": (HIDDEN,), f"V{k}": (WIDTH, HIDDEN)}
        shapes |= {f"{name}{k}": (WIDTH,) for name in ("ga", "ba", "gm", "bm", "b")}
    shapes |= {"g": (WIDTH,), "c": (WIDTH,)}
    gains = {"ga1", "gm1", "ga2", "gm2", "g"}
    weights = {n: 0.2 * rng.standard_normal(s) if len(s) > 1 else np.zeros(s) for n, s in shapes.items()}
    return {n: np.ones_like(w) if n in gains else w for n, w in weights.items()}


class Adam:
    """Adam in its own few lines."""

    def __init__(self, weights: Mapping[str, np.ndarray]) -> None:
        self.step = 0
        self.first = {name: np.zeros_like(w) for name, w in weights.items()}
        self.second = {name: np.zeros_like(w) for name, w in weights.items()}

    def update(self, weights: Arrays, gradient: object, rate: float) -> None:
        """One step: new weights in place of the old ones."""
        self.step += 1
        scale = rate * math.sqrt(1 - 0.99**self.step) / (1 - 0.9**self.step)
        for name, w in weights.items():
            g = getattr(gradient, name)
            self.first[name] = 0.9 * self.first[name] + 0.1 * g
            self.second[name] = 0.99 * self.second[name] + 0.01 * g * g
            weights[name] = w - scale * self.first[name] / (np.sqrt(self.second[name]) + 1e-8)


def torch_gradients(s: np.ndarray, y: np.ndarray, weights: Arrays) -> tuple[float, Arrays]:
    """The same GPT written with torch's own layers, and what its autograd says."""
    import torch
    from torch.nn import functional

    w = {name: torch.tensor(a, requires_grad=True) for name, a in weights.items()}
    x = w["E0"][torch.tensor(s)] + w["P0"]
    for k in "12":
        u = functional.layer_norm(x, (WIDTH,), w["ga" + k], w["ba" + k])
        q, key, v = ((u @ w[n + k].T).unflatten(-1, (HEADS, -1)).transpose(1, 2) for n in ("Wq", "Wk", "Wv"))
        o = functional.scaled_dot_product_attention(q, key, v, is_causal=True).transpose(1, 2).flatten(2)
        x = x + o @ w["Wo" + k].T
        u = functional.layer_norm(x, (WIDTH,), w["gm" + k], w["bm" + k])
        x = x + functional.gelu(u @ w["U" + k].T + w["a" + k]) @ w["V" + k].T + w["b" + k]
    z = functional.layer_norm(x, (WIDTH,), w["g"], w["c"]) @ w["E0"].T
    loss = functional.cross_entropy(z.flatten(0, 1), torch.tensor(y).flatten())
    loss.backward()
    return loss.item(), {name: a.grad.numpy() for name, a in w.items()}


def compare(loss: float, gradient: object, reference: tuple[float, Arrays]) -> float:
    """The largest difference between generated gradients and autograd's, relative to the largest entry of each."""
    worst = abs(loss - reference[0]) / abs(reference[0])
    for name, expected in reference[1].items():
        difference = np.abs(getattr(gradient, name) - expected).max()
        worst = max(worst, float(difference / np.abs(expected).max()))
    return worst


def main(steps: int = 500, batch: int = 32, seed: int = 0, check: bool = True) -> tuple[list[float], float]:
    """Train; the loss of every step, and the largest difference from autograd that was seen."""
    gpt = symgrad.derive("gpt", targets=["numpy"]).numpy
    rng = np.random.default_rng(seed)
    weights = initial(rng)
    adam, losses, worst = Adam(weights), [], 0.0
    for step in range(steps):
        s, y = sorting(batch, rng)
        loss, gradient = gpt.value_and_grad(s=s, y=y, h=HEADS, **weights)
        if check and step in (0, steps // 2, steps - 1):
            worst = max(worst, compare(loss, gradient, torch_gradients(s, y, weights)))
        adam.update(weights, gradient, 0.003 * min(1.0, (step + 1) / 50) * (1 - 0.9 * step / steps))
        losses.append(float(loss))
        if step % max(1, steps // 10) == 0 or step == steps - 1:
            print(f"step {step:4d}   loss {loss:.4f}")
    if check:
        print(f"largest difference from torch's autograd: {worst:.1e}")
    return losses, worst


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--no-check", action="store_true", help="do not compare with torch")
    given = parser.parse_args()
    main(given.steps, check=not given.no_check)
