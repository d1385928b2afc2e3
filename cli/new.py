"""`symgrad new NAME`: a commented template of a formula file."""

from __future__ import annotations

import keyword
import re
from pathlib import Path

import click

from symgrad.errors import UsageError

TEMPLATE = """\
# A formula of symgrad: what it computes, and what is known of its inputs. Derive it with
#     symgrad derive {name}.yaml
name: {name}
summary: Squared error of x against t, weighted row by row.

# A tensor and its shape. The names in a shape are dimensions; [] is a scalar, a leading ... any number of batch axes.
inputs:
  x: [n, d]
  t: {{shape: [n, d], given: true}}                        # not differentiated
  w: {{shape: [n], given: true, domain: nonnegative}}      # facts shorten the gradient, and are checked

# Scalars with a default: keyword arguments of the generated functions.
parameters:
  scale: {{value: 1, domain: positive}}

# Intermediate values have names, and the gradient is written in these names.
let:
  r[i, j]: x[i, j] - t[i, j]

# The free indices of a loss are its batch (here i): values are averaged over it.
# For a layer write `output:` with `y[i, j]: ...` instead.
loss: w[i]*Sum(r[i, j]**2, j)/scale

# What you believe the gradient to be; `derive` proves it or says where it is wrong.
expect:
  x[i, j]: 2*w[i]*r[i, j]/(n*scale)
"""


@click.command("new")
@click.argument("name")
def command(name: str) -> None:
    """Write NAME.yaml, a commented template. An existing file is never overwritten."""
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,63}", name) or keyword.iskeyword(name):
        raise UsageError(
            f"{name!r} is no name of a formula\n = help: small letters, digits and _, a letter first: my_loss"
        )
    path = Path(f"{name}.yaml")
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(TEMPLATE.format(name=name))
    except FileExistsError:
        raise UsageError(f"{path} exists, and `new` never overwrites\n = help: choose another name") from None
    click.echo(f"wrote {path}\nnow edit it, then: symgrad derive {path}")
