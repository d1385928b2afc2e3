"""Programs built by hand, with kernels written by hand, so that the judges are tested without the pipeline."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from types import ModuleType

from symgrad.algebra.build import add, compare, exp, fn, mul, neg, power, reduce, sub
from symgrad.algebra.terms import HALF, MINUS_ONE, ONE, TWO, Term, dim, get, get0, idx, par
from symgrad.formula.program import Domain, Fact, Input, Parameter, Program, Statement
from symgrad.validate.certificate import Trial
from symgrad.validate.kernels import NumpyKernels, TorchKernels

n, c = dim("n"), dim("c")
i, j, k = idx("i", n), idx("j", c), idx("k", c)


@dataclass
class ClosedForm:
    input: str
    indices: tuple[Term, ...]
    closed: Term
    where: tuple = ()


def fact(condition: Term, text: str = "", source: str = "assume") -> Fact:
    return Fact(condition, source, text)


def cross_entropy() -> Program:
    z, t = get("z", (i, j)), get("t", (i, j))
    y = Statement("y", (i, j), exp(sub(z, reduce("lse", get("z", (i, k)), [k]))))
    loss = Statement("loss", (i,), neg(reduce("sum", mul(t, fn("log", get("y", (i, j)))), [j])), "loss")
    one = fact(compare("==", reduce("sum", t, [j]), ONE), "Sum(t[i, j], j) == 1", "domain simplex of t")
    inputs = (Input("z", (n, c)), Input("t", (n, c), given=True, domain=Domain("simplex")))
    return Program("ce", inputs, (), (y, loss), (one,), ("z",))


CROSS_ENTROPY_NUMPY = """
import numpy as np
def _parts(z, t):
    m = z.max(1, keepdims=True)
    e = np.exp(z - m)
    s = e.sum(1, keepdims=True)
    return e / s, z - m - np.log(s)
def loss(z, t, *, reduction="mean"):
    y, l = _parts(z, t)
    v = -(t * l).sum(1)
    return {"mean": np.mean, "sum": np.sum, "none": lambda a: a}[reduction](v)
def grad(z, t, *, reduction="mean"):
    y, l = _parts(z, t)
    g = y - t
    return g / np.asarray(len(z), z.dtype) if reduction == "mean" else g
def value_and_grad(z, t, *, reduction="mean"):
    return loss(z, t, reduction=reduction), grad(z, t, reduction=reduction)
def check_inputs(z, t):
    if np.any(abs(t.sum(1) - 1) > 1e-6):
        raise ValueError("t")
"""

CROSS_ENTROPY_TORCH = """
import torch
def ce(z, t, *, reduction="mean"):
    v = -(t * torch.log_softmax(z, 1)).sum(1)
    return {"mean": torch.mean, "sum": torch.sum, "none": lambda a: a}[reduction](v)
"""


def cross_entropy_closed() -> ClosedForm:
    return ClosedForm("z", (i, j), mul(power(n, MINUS_ONE), sub(get("y", (i, j)), get("t", (i, j)))))


def norm_layer() -> Program:
    """y[i, j] = g[j]*(x[i, j] - mean)/sqrt(var + eps), a matrix product and a relu behind it: h[i, a] = relu(y @ W)."""
    d = dim("d")
    a = idx("a", d)
    x = get("x", (i, j))
    mean = Statement("m", (i,), mul(power(c, MINUS_ONE), reduce("sum", x, [j])))
    off = sub(x, get("m", (i,)))
    var = Statement("v", (i,), mul(power(c, MINUS_ONE), reduce("sum", power(off, TWO), [j])))
    scaled = mul(off, power(add(get("v", (i,)), par("eps")), neg(HALF)))
    y = Statement("y", (i, j), mul(get("g", (j,)), scaled))
    h = Statement("h", (i, a), fn("relu", reduce("sum", mul(get("y", (i, j)), get("W", (j, a))), [j])), "output")
    inputs = (Input("x", (n, c)), Input("g", (c,)), Input("W", (c, d)))
    eps = Parameter("eps", Fraction(1, 100), domain=Domain("positive"))
    return Program("normed", inputs, (eps,), (mean, var, y, h), (), ("x", "g", "W"))


NORM_NUMPY = """
from typing import NamedTuple
import numpy as np
class Gradients(NamedTuple):
    x: np.ndarray
    g: np.ndarray
    W: np.ndarray
def forward(x, g, W, eps=0.01):
    d = x - x.mean(1, keepdims=True)
    s = 1 / np.sqrt((d * d).mean(1, keepdims=True) + np.asarray(eps, x.dtype))
    u = d * s
    y = g * u
    a = y @ W
    return np.maximum(a, 0), (u, s, y, a, g, W)
def backward(dh, saved):
    u, s, y, a, g, W = saved
    da = dh * (a > 0)
    dW = y.T @ da
    dy = da @ W.T
    dg = (dy * u).sum(0)
    du = dy * g
    dx = s * (du - du.mean(1, keepdims=True) - u * (du * u).mean(1, keepdims=True))
    return Gradients(dx, dg, dW)
def check_inputs(x, g, W, eps=0.01):
    pass
"""

NORM_TORCH = """
import torch
def normed(x, g, W, eps=0.01):
    d = x - x.mean(1, keepdim=True)
    y = g * d / torch.sqrt((d * d).mean(1, keepdim=True) + eps)
    return torch.relu(y @ W)
"""


def kinked() -> Program:
    """loss[i] = max_j x[i, j] + Sum_j |x[i, j] - t[i, j]|."""
    x, t = get("x", (i, j)), get("t", (i, j))
    body = add(reduce("max", x, [j]), reduce("sum", fn("Abs", sub(x, t)), [j]))
    loss = Statement("loss", (i,), body, "loss")
    return Program("kinked", (Input("x", (n, c)), Input("t", (n, c), given=True)), (), (loss,), (), ("x",))


KINKED_NUMPY = """
import numpy as np
def _reduce(v, reduction):
    return {"mean": np.mean, "sum": np.sum, "none": lambda a: a}[reduction](v)
def loss(x, t, *, reduction="mean"):
    return _reduce(x.max(1) + abs(x - t).sum(1), reduction)
def grad(x, t, *, reduction="mean"):
    top = (x == x.max(1, keepdims=True)).astype(x.dtype)
    g = top / top.sum(1, keepdims=True) + np.sign(x - t)
    return g / np.asarray(len(x), x.dtype) if reduction == "mean" else g
def value_and_grad(x, t, *, reduction="mean"):
    return loss(x, t, reduction=reduction), grad(x, t, reduction=reduction)
def check_inputs(x, t):
    pass
"""

KINKED_TORCH = """
import torch
def kinked(x, t, *, reduction="mean"):
    v = x.amax(1) + (x - t).abs().sum(1)
    return {"mean": torch.mean, "sum": torch.sum, "none": lambda a: a}[reduction](v)
"""


def strided_window() -> Program:
    """y[o] = Sum_u x[s*o + u - pad]*k[u] with zero padding; the range of o is an expression."""
    h, r, s, pad = dim("h"), dim("r"), par("s"), par("pad")
    extent = add(fn("floordiv", sub(add(h, mul(TWO, pad)), r), s), ONE)
    o, u = idx("o", extent), idx("u", r)
    body = reduce("sum", mul(get0("x", (add(mul(s, o), u, neg(pad)),)), get("k", (u,))), [u])
    inputs = (Input("x", (h,), padded=True), Input("k", (r,)))
    parameters = (Parameter("s", Fraction(2), "int"), Parameter("pad", Fraction(1), "int"))
    return Program("window", inputs, parameters, (Statement("y", (o,), body, "output"),), (), ("x", "k"))


def module(source: str, name: str = "kernels") -> ModuleType:
    """A module from source written in this folder."""
    made = ModuleType(name)
    exec(compile(source, name, "exec"), made.__dict__)
    return made


def trial(
    program: Program, numpy: str, torch: str, closed: tuple = (), assumed: tuple = (), kinks: tuple = ()
) -> Trial:
    """Hand-written kernels on trial."""
    wrt = program.wrt
    kernels = NumpyKernels(module(numpy), program, wrt), TorchKernels(module(torch), program, wrt)
    return Trial(program, wrt, *kernels, closed, assumed, kinks)
