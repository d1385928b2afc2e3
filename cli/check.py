"""`symgrad check`: is a hand-written gradient right. Its arguments stand; the comparison comes with a later version."""

from __future__ import annotations

import click

from symgrad.errors import UsageError


@click.command("check")
@click.argument("formula")
@click.option(
    "--against", required=True, metavar="MODULE:FUNCTION", help="The hand-written gradient, or file.py:FUNCTION."
)
@click.option(
    "--with", "framework", type=click.Choice(["numpy", "torch"]), default="numpy", help="What the function takes."
)
@click.option("--param", multiple=True, metavar="G=1.5", help="The value of a parameter.")
@click.option("--order", type=int, default=1, help="2 for gradient and Hessian diagonal.")
@click.option("--json", is_flag=True, help="One JSON document on standard output.")
def command(formula: str, **given: object) -> None:
    """Is the gradient that MODULE:FUNCTION computes that of FORMULA, and if not, what is wrong with it."""
    raise UsageError(
        "`check` is not there yet: it comes with a later version\n"
        f" = help: `symgrad derive {formula}` writes kernels to compare with"
    )
