"""A condition at one place of a softmax is none for the places that its sum counts: each is computed."""

from __future__ import annotations

import numpy as np

import symgrad

FORMULA = {
    "name": "clipped",
    "inputs": {"x": ["n", "c"], "w": ["c"], "M": ["c", "d"]},
    "let": {
        "a[j]": "softmax(sin(M[0, j]), j)/(1 + exp(-2)/4) + M[0, j]",
        "b[p]": "softmax(clip(log(sigmoid(a[p])), -1, 1) + M[0, p], p)",
        "u[s]": "b[s]",
    },
    "output": {
        "y[i, p]": "logsumexp(1/(2 + u[i]**2) + x[j, 0], j)*sin(M[0, i])*sin(x[p, 0])",
        "o[i, k]": "amax(logsumexp(a[k] + x[0, r], r)*sin(a[q]), q, ties=first)*sin(w[i])/2",
    },
}


def test_gradients_where_some_places_are_clipped_and_others_are_not() -> None:
    kernels = symgrad.derive(FORMULA).numpy
    for seed in range(120):
        rng = np.random.default_rng(seed)
        x, w, M = (6 * rng.standard_normal(s) for s in ((3, 4), (4,), (4, 3)))
        (y, o), saved = kernels.forward(x, w, M)
        dy = rng.standard_normal(y.shape)
        got = kernels.backward(dy, np.zeros_like(o), saved).M
        step = 1e-6
        for k in range(3):
            moved = [M + sign * step * np.eye(4, 3, k) * (np.arange(4) == 0)[:, None] for sign in (1, -1)]
            above, below = (kernels.forward(x, w, m)[0][0] for m in moved)
            slope = ((above - below) * dy).sum() / (2 * step)
            assert abs(got[0, k] - slope) < 1e-6, seed
