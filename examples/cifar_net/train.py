"""cifar_net learns handwritten digits: generated NumPy kernels on one side, torch's autograd on the other.

Both start from the same weights, see the same batches and take the same steps; their loss curves must agree.
"""
# ruff: noqa: T201

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

import symgrad

Arrays = dict[str, np.ndarray]
HERE = Path(__file__).parent
CLASSES, HIDDEN = 10, 64


def digits() -> tuple[np.ndarray, np.ndarray, str]:
    """x[n, 3, 32, 32], t[n]: the digits of scikit-learn, else digits that are drawn here; and which of the two."""
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        small, t = drawn(1500, np.random.default_rng(7))
        source = "drawn digits"
    else:
        small, t = load_digits(return_X_y=True)
        small, source = small.reshape(-1, 8, 8) / 16, "scikit-learn's digits"
    large = np.pad(np.kron(small - small.mean(), np.ones((3, 3))), ((0, 0), (4, 4), (4, 4)))
    return np.repeat(large[:, None], 3, axis=1), t, source


def drawn(count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """count -> images[n, 8, 8], t[n]: the segments of a pocket calculator, moved, with noise."""
    lit = ["abcdef", "bc", "abged", "abgcd", "fgbc", "afgcd", "afgedc", "abc", "abcdefg", "abcdfg"]
    where = {"a": (0, slice(0, 4)), "g": (3, slice(0, 4)), "d": (6, slice(0, 4))}
    where |= {"f": (slice(0, 4), 0), "b": (slice(0, 4), 3), "e": (slice(3, 7), 0), "c": (slice(3, 7), 3)}
    t = rng.integers(0, CLASSES, count)
    images = 0.15 * rng.random((count, 8, 8))
    for image, label, row, column in zip(images, t, rng.integers(0, 2, count), rng.integers(0, 5, count), strict=True):
        for segment in lit[label]:
            image[row : row + 7, column : column + 4][where[segment]] += 0.8
    return images, t


def initial(channels: tuple[int, int, int], rng: np.random.Generator) -> Arrays:
    """Weights in the names of the formula, uniform as torch initializes them."""
    sizes = (3, *channels)
    shapes: dict[str, tuple[int, ...]] = {f"W{k}": (sizes[k], sizes[k - 1], 5, 5) for k in (1, 2, 3)}
    shapes |= {"W4": (HIDDEN, sizes[3] * 16), "W5": (CLASSES, HIDDEN)}
    weights = {}
    for name, shape in shapes.items():
        bound = 1 / np.sqrt(np.prod(shape[1:]))
        weights[name] = rng.uniform(-bound, bound, shape)
        weights["b" + name[1:]] = rng.uniform(-bound, bound, shape[0])
    return weights


class ByTorch:
    """The network written with torch's own layers, and its autograd."""

    def value_and_grad(self, x: np.ndarray, t: np.ndarray, **weights: np.ndarray) -> tuple[float, Arrays]:
        """The mean loss and the gradient of every weight."""
        import torch
        from torch.nn import functional

        w = {name: torch.tensor(a, requires_grad=True) for name, a in weights.items()}
        h = torch.tensor(x)
        for k in "123":
            h = functional.max_pool2d(functional.conv2d(h, w["W" + k], w["b" + k], padding=2), 2)
        h = functional.linear(h.flatten(1), w["W4"], w["b4"])
        loss = functional.cross_entropy(functional.linear(h, w["W5"], w["b5"]), torch.tensor(t))
        loss.backward()
        return loss.item(), {name: a.grad.numpy() for name, a in w.items()}


class BySymgrad:
    """The kernels that symgrad wrote from formulas/networks/cifar_net.yaml."""

    def __init__(self) -> None:
        self.kernels = symgrad.derive("cifar_net", targets=["numpy"]).numpy

    def value_and_grad(self, x: np.ndarray, t: np.ndarray, **weights: np.ndarray) -> tuple[float, Arrays]:
        """The mean loss and the gradient of every weight."""
        loss, gradient = self.kernels.value_and_grad(x=x, t=t, **weights)
        return float(loss), gradient._asdict()


def train(side: ByTorch | BySymgrad, weights: Arrays, steps: int, batch: int) -> list[float]:
    """Stochastic gradient descent with momentum; the loss of every step."""
    x, t, _ = digits()
    rng = np.random.default_rng(1)
    speed = {name: np.zeros_like(w) for name, w in weights.items()}
    losses = []
    for step in range(steps):
        chosen = rng.integers(0, len(t), batch)
        loss, gradient = side.value_and_grad(x[chosen], t[chosen], **weights)
        speed = {name: 0.9 * v - 0.02 * gradient[name] for name, v in speed.items()}
        weights = {name: w + speed[name] for name, w in weights.items()}
        losses.append(loss)
        if step % max(1, steps // 10) == 0 or step == steps - 1:
            print(f"  step {step:3d}   loss {loss:.6f}")
    return losses


def plot(curves: dict[str, list[float]], path: Path) -> None:
    """Both loss curves in one picture."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(6, 3.5), dpi=100)
    for (name, losses), style in zip(curves.items(), ("-", "--"), strict=True):
        axes.plot(losses, style, label=name, linewidth=2)
    axes.set(xlabel="step", ylabel="cross-entropy", title="cifar_net on handwritten digits")
    axes.legend()
    figure.tight_layout()
    figure.savefig(path, metadata={"Software": None})
    print(f"wrote {path}")


def main(steps: int = 50, batch: int = 16, channels: tuple[int, int, int] = (32, 32, 64)) -> dict[str, list[float]]:
    """Both loss curves; says how far they are apart."""
    print(f"{digits()[2]}, 32x32, three channels")
    weights, curves = initial(channels, np.random.default_rng(0)), {}
    for name, side in (("symgrad, NumPy kernels", BySymgrad()), ("torch autograd", ByTorch())):
        print(name)
        curves[name] = train(side, weights, steps, batch)
    ours, theirs = map(np.array, curves.values())
    print(f"largest difference of the two curves: {np.abs(ours - theirs).max():.1e}")
    return curves


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw the curves, e.g. loss.png (needs matplotlib)")
    given = parser.parse_args()
    found = main(given.steps, given.batch)
    if given.plot:
        plot(found, given.plot)
