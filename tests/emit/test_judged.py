"""Classes of formulas whose kernels once were wrong, judged by autograd of the independent evaluation."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.emit.cases import kernels
from tests.fuzz.judge import judge_text

JUDGED = {
    "a name of the derivation that is not live is no name for a part": """
inputs: {A: [c, c], M: [c, d], g: {shape: [n, c], outside: 0}}
let:
  b[s]: A[s, s]
  u[r, p]: Sum(amin(g[p, 2]*b[k], k) + b[i], i)*M[r, 0]
output:
  o[q, i]: Min(1, log_softmax(tanh(i + 1)*u[0, i], i))*M[0, q]
""",
    "a hoisted product beside a product of arrays": """
inputs: {x: [n, c], M: [c, d], s0: []}
output:
  o[s]: Abs(Product(s0*x[i, 0], i))*M[0, s]
""",
    "dimensions and inputs named as parts are": """
inputs: {x: [total, product], mask: [product], ratio: []}
let:
  difference[i, j]: x[i, j]*mask[j] - x[i, j]**2/ratio
  power[i, j]: tanh(x[i, j]*mask[j])**3
loss: Product(x[i, j]*mask[j], j) + logsumexp(difference[i, j], j) + Sum(where(x[i, j] < 1, power[i, j], 0), j)
""",
    "a dimension beside an int parameter": """
inputs: {x: [n, "h*e"], w: [e]}
parameters: {h: {value: 2, dtype: int}}
ranges: {a: h, u: e}
output:
  y[n, a, u]: x[n, a*e + u]*w[u]
""",
    "a dimension that stands bare in a later input": """
inputs: {x: [n, "2*m"], w: [m]}
output:
  y[n, j]: x[n, 2*j]*w[j]
""",
    "a dimension that stands bare nowhere": """
inputs: {x: [n, "g*r"]}
parameters: {g: {value: 2, dtype: int}}
ranges: {a: g, b: r}
loss: Sum(x[i, a*r + b]**2, a, b)/r
""",
    "a batched contraction whose shared axes are in another order": """
inputs: {q: [b, h, t, e], k: [b, h, t, e]}
output:
  y[a, i, p, r]: tanh(Sum(k[i, a, p, c]*q[i, a, r, c], c))
""",
    "functions of numbers, parameters and dimensions": """
inputs: {x: [n]}
parameters: {gam: 0.7}
loss: >-
  gelu(1)*x[i] + sigmoid(gam)*x[i]**2 + softplus(0.5) + log(cosh(gam))*x[i] + digamma(gam)*x[i] + erf(gam)
  + relu(gam)*silu(gam)*x[i] + clip(gam, 0, n) + Max(1, gam, n)*x[i] + sign(gam)*logit(gam)*x[i]
  + x[i]*Sum(tanh(n), (j, 0, n)) + Heaviside(gam, 1/2) + polygamma(2, gam)*x[i] + polygamma(1, 3)
""",
    "reductions of numbers": """
inputs: {x: [n]}
parameters: {gam: 0.7}
loss: >-
  x[i]*(Product(gam, (j, 0, n)) + amax(gam, (j, 0, n)) + tanh(Product(2, (j, 0, 2)) + logsumexp(gam, (j, 0, n))))
  + where(x[i] > 0, tanh(mean(gam, (j, 0, n))), 1)*x[i]
""",
    "choices between numbers": """
inputs: {g: {shape: [n, c], outside: 0}}
let:
  b[s, q]: where(g[s, q] > 1, Sum(Sum(1/2, (p, 0, n)), (j, 0, n)), 1)
loss: b[q, s]*g[q, s] + Piecewise((1, g[q, s] > 0), (0.1, True))
""",
    "constant subscripts outside of a padded input": """
inputs: {g: {shape: [n, c], outside: 0}}
loss: g[p, 2]*g[p, 0] + g[p, c] + g[p, 17]*3 + Sum(g[-1, j]*g[p, j]*g[p, c - 1] + g[n + 1, j] + g[p, j], j)
""",
    "a scatter through a gather with batch": """
inputs: {x: [n, c], v: [..., n], t: {shape: [n], dtype: int, domain: "integer(0, c - 1)"}}
let:
  u[..., p]: v[..., 0] + x[0, p]
output:
  y[..., i, j]: mean(u[..., t[i]] - u[..., j] + u[..., p], p)
""",
    "a scatter through two gathers with batch": """
inputs: {x: [..., c, m, d], t: {shape: [n], dtype: int, domain: "integer(0, c - 1)"},
         s: {shape: [n], dtype: int, domain: "integer(0, m - 1)"}}
output:
  y[..., i, j]: tanh(x[..., t[i], s[i], j])
""",
    "a scatter to one computed axis": """
inputs: {x: [c, l], k: {shape: [c, o, r], outside: 0}}
parameters: {s: {value: 2, dtype: int, domain: positive}}
ranges: {p: "(l - 1)*s + r"}
output:
  y[m, p]: Sum(x[q, a]*k[q, m, p - s*a], q, a)
""",
}


@pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning")
@pytest.mark.parametrize("name", JUDGED)
def test_kernels_are_those_of_the_independent_evaluation(name):
    finding = judge_text(f"name: judged\n{JUDGED[name].strip()}\n", 3)
    assert finding is None or finding.stage in ("closed", "printed"), finding


@pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning")
@pytest.mark.parametrize("name", ["choices between numbers", "reductions of numbers"])
def test_numbers_promote_neither_float32_nor_float64(name):
    k = kernels(f"name: judged\n{JUDGED[name].strip()}\n")
    for dtype in (np.float32, np.float64):
        x = np.linspace(-2, 2, 6).astype(dtype)
        x = x.reshape(2, 3) if "g" in k.wrt else x
        value, g = k.numpy.value_and_grad(x)
        assert value.dtype == g.dtype == dtype
        t = torch.tensor(x, requires_grad=True)
        y = k.function(t)
        y.backward()
        assert y.dtype == t.grad.dtype == t.dtype
        assert np.allclose(y.item(), value, rtol=4 * np.finfo(dtype).eps, atol=0)


def test_a_size_that_does_not_divide_is_named():
    k = kernels(f"name: judged\n{JUDGED['a dimension that stands bare nowhere'].strip()}\n")
    for f, x in (
        (k.numpy.loss, np.ones((4, 7))),
        (k.numpy.check_inputs, np.ones((4, 7))),
        (k.function, torch.ones(4, 7)),
    ):
        with pytest.raises(ValueError, match=r"x must have shape \[n, g\*r\]"):
            f(x)
