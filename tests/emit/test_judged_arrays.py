"""Constructs of array notation, domains, int parameters, masks and several outputs, judged end to end.

The closed forms that are in array notation are held against the oracle, which shares no code with symgrad.
"""

from __future__ import annotations

import pytest

from tests.fuzz.judge import judge_text

JUDGED = {
    "argmax of two indices, as a number and as a gather": """
inputs: {x: [n, m], z: {shape: ["n*m"]}}
let:
  a: argmax(x[i, j], i, j)
loss: z[a]**2 + Sum(x[i, j]*where(a == i*m + j, 3, 1), i, j)
""",
    "argmax over axes of an array": """
inputs: {x: [n, m, h]}
let:
  a: argmax(x, axis=(1, 2))
  c: argmax(x, axis=(0, -1))
output:
  y: amax(x, axis=(0, 2), ties=first)*where(c > 1, 1, 2)
  z: Sum(x, axis=(1, 2))*a
""",
    "a gather through an argmax of two indices, and a product over them, with batch axes": """
inputs: {x: [..., m, h], w: {shape: ["m*h"]}}
output:
  y[...]: w[argmax(x[..., i, j], i, j)]*Product(x[..., i, j], i, j)
""",
    "products over several axes, kept and not": """
inputs: {x: [n, m, h, l]}
output:
  y: Product(x, axis=(1, 3), keepdims=True)*x
  z: Product(x, axis=(0, 2))
  s: Product(x)
""",
    "a power whose exponent is data": """
inputs: {x: [n], k: {shape: [n], dtype: int, domain: "integer(0, 4)"}}
output:
  y: x**k + k*x
""",
    "two softmaxes of one array along different axes": """
inputs: {x: [a, b, c]}
output:
  y: softmax(x, axis=-2)
  z: logsumexp(x, axis=(-3, -1))
""",
    "means over tuples of axes, negative ones among them": """
inputs: {x: [n, c, h, w], g: [c, 1, 1]}
parameters: {eps: 0.1}
let:
  m: mean(x, axis=(0, 2, 3), keepdims=True)
output:
  y: g*(x - m)/sqrt(mean((x - m)**2, axis=(0, -2, -1), keepdims=True) + eps)
""",
    "axes of size 1": """
inputs: {x: [n, d], c: [n, 1], r: [1, d], o: [1]}
output:
  y: x*c + r - o
""",
    "new axes": """
inputs: {x: [n], y: [m], b: [..., d]}
output:
  z: exp(-(x[:, None] - y[None])**2)
  u: b/Sum(b**2 + 1, axis=-1)[..., None]
""",
    "outer, diag and eye": """
inputs: {a: [n], b: [m], X: [n, m], S: [n, n]}
loss: Sum(outer(a, b)*X) + Sum(diag(a) @ X) + norm(S.T @ S - eye(n))**2 + Sum(diag(S)**3)
""",
    "sums over the batch axes alone": """
inputs: {x: [..., d], w: [d]}
loss: Sum(Sum(tanh(x*w), axis=...)**2)
""",
    "transposes of more than two axes": """
inputs: {x: [a, b, c], w: [a], y: [a, b, c]}
output:
  u: x.T*w
  v: transpose(x) @ y
""",
    "where, Max and masks over arrays": """
inputs: {x: [n, m], y: [m], k: {shape: [n, m], dtype: bool}}
output:
  z: where(k, Max(x, y), Min(x, 0.5)) + where(x > y, x*y, 0)
  s: Sum(where(k, x**2, 0), axis=-1)
""",
    "a loss whose free axes are its batch": """
inputs: {z: [n, c], t: {shape: [n, c], domain: simplex, given: true}}
loss: -Sum(t*log_softmax(z, axis=-1), axis=-1)
""",
    "int parameters in shapes and subscripts": """
inputs: {x: [n, "g*r"], w: [g, r], p: {shape: [n], outside: 0}}
parameters: {g: {value: 2, dtype: int, domain: positive}, s: {value: 2, dtype: int, domain: positive}}
output:
  y[i, k]: x[i, k]*w[k//r, k % r] + p[i + s] - p[i - s]
""",
    "matrices of every domain": """
inputs: {Q: {shape: [d, d], domain: orthogonal}, L: {shape: [d, d], domain: lower_triangular},
         P: {shape: [d, d], domain: positive_definite}, A: {shape: [d, d], domain: symmetric}, x: [n, d],
         u: {shape: [n, d], domain: sphere}}
loss: Sum((x @ Q @ L.T + u)*(x @ inv(P))) + logdet(P) + Sum(u*(x @ A))
""",
    "vectors of every domain": """
inputs: {a: {shape: [n], domain: greater_than(q)}, b: {shape: [n], domain: "interval(-1, 1)"},
         c: {shape: [n], domain: unit_interval}, d: {shape: [n, m], domain: one_hot, given: true},
         e: {shape: [n, m], domain: simplex}, f: {shape: [n], domain: nonnegative}, g: {shape: [n], domain: boolean}}
parameters: {q: 2}
loss: sqrt(a[i] - q) + atanh(b[i])*g[i] - log(c[i]) - Sum(d[i, j]*log(e[i, j]), j) + sqrt(f[i] + 1)
""",
}

NEWER = ("new axes", "outer, diag and eye", "sums over the batch axes alone")
"""What the language has beyond SPEC's first words, and the oracle has not: judged by autograd alone."""


@pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning")
@pytest.mark.parametrize("name", JUDGED)
def test_constructs_are_read_derived_printed_and_computed(name):
    found = judge_text(f"name: judged\n{JUDGED[name].strip()}\n", 3)
    if name in NEWER and found is not None and found.detail.startswith("the oracle cannot evaluate it"):
        found = None
    assert found is None
