"""`symgrad check`: is a hand-written gradient right, and if not, what is wrong with it."""

from __future__ import annotations

from contextlib import closing

import click

from symgrad.child import Send, Watch, Work
from symgrad.errors import UsageError
from symgrad.pipeline import check

from .arguments import Item, items
from .console import Single
from .options import Options, page_width, seconds, words


def pairs(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    """Names and numbers of `--param g=1.5`."""
    found = {}
    for value in values:
        name, sign, number = value.partition("=")
        if not sign or not name.strip():
            raise click.BadParameter(f"{value!r} is not of the form NAME=NUMBER")
        found[name.strip()] = number.strip()
    return found


@click.command("check")
@click.argument("formula")
@click.option(
    "--against", required=True, metavar="MODULE:FUNCTION", help="The hand-written gradient, or file.py:FUNCTION."
)
@click.option(
    "--with",
    "framework",
    type=click.Choice(["numpy", "torch"]),
    default="numpy",
    help="What the function takes (numpy).",
)
@click.option("--wrt", callback=words, metavar="z,W", help="Inputs whose gradients it returns (the formula's choice).")
@click.option("--param", "parameters", multiple=True, callback=pairs, metavar="G=1.5", help="The value of a parameter.")
@click.option("--order", type=click.IntRange(1, 2), default=1, help="2: it returns gradient and Hessian diagonal.")
@click.option(
    "--reduction",
    type=click.Choice(["mean", "sum"]),
    default="mean",
    help="What its gradient is of: the mean loss (mean).",
)
@click.option("--args", metavar="t,z", help="Its arguments in their order; label(t) for an object with get_label().")
@click.option("--seed", type=click.IntRange(0), default=0, help="Seed of the points that are looked at.")
@click.option("--time-limit", callback=seconds, default="180", metavar="SECONDS", help="For all of it (180).")
@click.option("--json", is_flag=True, help="One JSON document on standard output, all else on standard error.")
def command(formula: str, json: bool, **given: object) -> int:
    """Is the gradient that MODULE:FUNCTION computes that of FORMULA, and if not, what is wrong with it.

    The function takes the formula's inputs in their order, for a layer the cotangents after them, and parameters by
    keyword where it has an argument of that name. It returns the gradient of the mean loss (a tuple for several
    inputs), or (value, gradient); with --order 2 (gradient, Hessian diagonal). An autograd.Function or a Module is
    differentiated by torch. It runs in a process of its own; what it prints goes to standard error.
    """
    found = items((formula,))
    if len(found) != 1:
        raise UsageError(f"{formula} holds {len(found)} formulas\n = help: check one at a time")
    options = Options(json=json, width=page_width(), seed=int(str(given["seed"])))
    handler = Single(options)
    with closing(handler):
        Watch(handler, float(str(given["time_limit"])), "the check").run([("0", _work(found[0], options, given))])
    return handler.finish()


def _work(item: Item, options: Options, given: dict[str, object]) -> Work:
    def work(send: Send) -> None:
        from symgrad.pipeline import read, read_bytes

        source = read(item.path) if item.path is not None else read_bytes(item.text or b"", item.label)
        result = check(source, label=item.label, **given)  # type: ignore[arg-type]
        send({"text": result.text(options.width, options.encoding)})
        send({"code": 0 if result.passed else 1, "document": result.document()})

    return work
