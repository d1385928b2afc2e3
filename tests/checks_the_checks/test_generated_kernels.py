"""Faults planted in the kernels that symgrad itself emits: certify refuses them, and only them."""

from __future__ import annotations

from functools import cache

import pytest

from symgrad.closing.derivation import Derivation, derive_formula
from symgrad.emit.package import emit_package
from symgrad.formula.reader import read_text
from symgrad.validate.certificate import certify

LOSS = """
name: planted
inputs:
  z: [n, c]
  t: {shape: [n, c], domain: simplex, given: true}
loss: -Sum(t[i, j]*log_softmax(z[i, j], j), j)
"""

LAYER = """
name: planted
inputs: {x: [..., d], W: [m, d], b: [m]}
output:
  "y[..., o]": relu(Sum(x[..., k]*W[o, k], k) + b[o])
"""

KINK = """
name: planted
inputs: {x: [n, c], t: {shape: [n, c], given: true}}
loss: Sum(Abs(x[i, j] - t[i, j]), j) + amax(x[i, j], j)
"""

LOSS_FAULTS = {
    "sign": "-g",
    "factor 2": "2 * g",
    "factor 1 + 1e-8": "(1 + 1e-8) * g",
    "wrong axis": "g * g.shape[0] / g.shape[1]",
    "reduction ignored": "g if k.get('reduction', 'mean') == 'mean' else g / g.shape[0]",
    "missing 1/n": "g * g.shape[0] if k.get('reduction', 'mean') == 'mean' else g",
    "coupling term missing": "g - g.mean(axis=1, keepdims=True) + 1e-3 * a[0]",
    "precision": "g.astype('float32').astype(g.dtype)",
    "the last element": "g * np.where(np.arange(g.size).reshape(g.shape) == g.size - 1, 0, 1)",
    "nan where it is large": "np.where(abs(a[0]).max() > 1e3, np.nan, g)",
    "float64 for float32": "g.astype('float64')",
}
LAYER_FAULTS = {
    "upstream ignored": "g._replace(b=np.ones_like(g.b))",
    "transposed": "g._replace(W=g.W.reshape(g.W.shape[::-1]).T)",
    "sign of one of three": "g._replace(x=-g.x)",
    "batch forgotten": "g._replace(b=g.b / 2)",
}
KINK_FAULTS = {
    "1 at the kink": "g + (a[0] == a[1]) / g.shape[0]",
    "the first of a tie": "g + 0.25 * ((a[0] == a[0].max(1, keepdims=True)).sum(1, keepdims=True) > 1)",
}  # fmt: skip


CONFIDENT = """
name: planted
inputs: {z: [n, c]}
output:
  "y[i, j]": log_softmax(z[i, j], j)
"""


@cache
def derived(text: str) -> tuple[Derivation, dict[str, str]]:
    derivation = derive_formula(read_text(text.lstrip(), "planted.yaml"))
    return derivation, dict(emit_package(derivation))


def certified(text: str, fault: str = "g"):
    """The certificate of the package with its NumPy gradient replaced by `fault`, an expression in g, a and k."""
    derivation, package = derived(text)
    plant = f"""
def _wrong(g, a, k):
    return {fault}
"""
    if derivation.program.is_loss:
        plant += """
_value_and_grad, _grad = value_and_grad, grad
def value_and_grad(*a, **k):
    value, g = _value_and_grad(*a, **k)
    return value, _wrong(g, a, k)
def grad(*a, **k):
    return _wrong(_grad(*a, **k), a, k)
"""
    else:
        plant += """
_backward = backward
def backward(*a):
    return _wrong(_backward(*a), a, {})
"""
    return certify(derivation, {**package, "numpy_kernels.py": package["numpy_kernels.py"] + plant})


@pytest.mark.parametrize("text", [LOSS, LAYER, KINK], ids=["loss", "layer", "kink"])
def test_what_symgrad_emits_passes(text):
    certificate = certified(text)
    assert certificate.passed, certificate.failure


@pytest.mark.parametrize("fault", LOSS_FAULTS)
def test_a_fault_in_the_gradient_of_a_loss_is_refused(fault):
    assert not certified(LOSS, LOSS_FAULTS[fault]).passed


@pytest.mark.parametrize("fault", LAYER_FAULTS)
def test_a_fault_in_the_backward_of_a_layer_is_refused(fault):
    assert not certified(LAYER, LAYER_FAULTS[fault]).passed


@pytest.mark.parametrize("fault", KINK_FAULTS)
def test_another_convention_at_a_kink_is_refused(fault):
    certificate = certified(KINK, KINK_FAULTS[fault])
    assert not certificate.passed
    assert {"autograd"} <= {j.judge for j in certificate.judges if not j.passed}


def test_a_value_that_is_off_by_the_rounding_of_larger_numbers_is_refused():
    """The largest of some logits of 40 has a log_softmax of about -1e-17: 1e-12 is 150 ulps of the logits beside it."""
    derivation, package = derived(CONFIDENT)
    plant = """
_forward = forward
def forward(*a):
    y, saved = _forward(*a)
    return y + 1e-12 * (np.abs(y) < 1e-6), saved
"""
    wrong = certify(derivation, {**package, "numpy_kernels.py": package["numpy_kernels.py"] + plant})
    assert certify(derivation, package).passed
    assert {"multiprecision"} <= {j.judge for j in wrong.judges if not j.passed}
    assert "numpy value y" in str(wrong.failure)
