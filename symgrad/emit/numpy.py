"""The target NumPy: `loss`, `grad`, `value_and_grad`, or `forward` and `backward`, and `check_inputs`."""

from __future__ import annotations

from symgrad.closing.derivation import Derivation
from symgrad.emit.axis_helpers import AXIS_HELPERS
from symgrad.emit.checks import check_function
from symgrad.emit.dialect import NumpyDialect
from symgrad.emit.inputs import inputs_function
from symgrad.emit.module import Module
from symgrad.emit.number_helpers import NUMBER_HELPERS
from symgrad.emit.numpy_helpers import HELPERS
from symgrad.emit.numpy_layer import LayerWriter
from symgrad.emit.numpy_loss import LossWriter
from symgrad.emit.numpy_matrices import MATRIX_HELPERS
from symgrad.emit.numpy_second import SecondWriter, argument
from symgrad.emit.signature import module_docstring

LOSS = ("loss", "grad", "value_and_grad", "check_inputs")
SECOND = ("grad_and_hess", "hvp")
LAYER = ("forward", "backward", "check_inputs")


def numpy_kernels(d: Derivation) -> str:
    """The source of numpy_kernels.py."""
    p = d.program
    arguments = [i.name for i in p.inputs] + [q.name for q in p.parameters]
    own = list(LOSS if p.is_loss else LAYER)
    if d.second is not None:
        own += SECOND
    module = Module(
        [*arguments, "saved", "reduction", *own],
        "np",
        NumpyDialect(),
        AXIS_HELPERS | HELPERS | MATRIX_HELPERS | NUMBER_HELPERS,
    )
    if d.second is not None:
        module.names.taken.add(argument(p))
    for s in d.forward:
        if s.kind in ("let", "output"):
            module.names.bind(s.name)
    checked, call = inputs_function(p, module)
    module.reserve(d)
    writer = LossWriter(d, module, call) if p.is_loss else LayerWriter(d, module, call)
    writer.write()
    if d.second is not None and isinstance(writer, LossWriter):
        SecondWriter(writer, d.second).write()
    module.blocks += [check_function(d, module, call), checked]
    return module.source(module_docstring(d, "NumPy"))
