"""`symgrad derive`: closed form, kernels, certificate and report of formulas."""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path

import click

from symgrad import staging
from symgrad.child import Watch

from .arguments import is_many, items
from .console import Many, Single
from .job import derivation
from .options import Options, memory, page_width, seconds, words


@click.command("derive")
@click.argument("formulas", nargs=-1, required=True)
@click.option("--wrt", callback=words, metavar="z,W", help="Inputs to differentiate, instead of the formula's choice.")
@click.option("--target", callback=words, metavar="numpy,torch", help="Kernels to write (all).")
@click.option("--report", callback=words, metavar="tex,html,pdf|none", help="Reports to write (all that can be made).")
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path(), metavar="DIR", help="Write DIR/NAME/ (./NAME/)."
)
@click.option("--force", is_flag=True, help="Replace NAME/ whatever it holds.")
@click.option("--order", type=int, default=1, metavar="1|2", help="2: Hessian diagonal and Hessian-vector product too.")
@click.option("--inline", is_flag=True, help="Write closed forms through used formulas, not in their names.")
@click.option("--no-validate", "validate", flag_value=False, default=True, help="Do not ask the judges.")
@click.option("--seed", type=click.IntRange(0), default=0, help="Seed of the points at which the judges look.")
@click.option(
    "--exhaustive", is_flag=True, help="Try every float32 number (elementwise formulas of one input; minutes)."
)
@click.option("--explain", is_flag=True, help="Print each rewrite as it fires.")
@click.option("--json", is_flag=True, help="One JSON document on standard output, all else on standard error.")
@click.option("--quiet", is_flag=True, help="Print errors only.")
@click.option(
    "--keep-failed", type=click.Path(path_type=Path), metavar="DIR", help="Where to write what the judges refuse."
)
@click.option("--time-limit", callback=seconds, default="60", metavar="SECONDS", help="For reading and deriving (60).")
@click.option(
    "--memory-limit", callback=memory, default="2GiB", metavar="AMOUNT", help="For that, such as 512MiB (2GiB)."
)
@click.option("--jobs", type=click.IntRange(1), default=1, metavar="N", help="Formulas to derive at once.")
def command(formulas: tuple[str, ...], **given: object) -> int:
    """Closed form, kernels, certificate and report of FORMULAS.

    A formula is a file (loss.yaml), a name of the catalogue, a folder with formula files, or - for standard input.
    """
    known = {key: value for key, value in given.items() if value is not None}
    options = Options(**known, width=page_width(), encoding=sys.stdout.encoding)  # type: ignore[arg-type]
    staging.refuse_out(options.out)
    found = items(formulas)
    handler = Many(found, options) if is_many(formulas) else Single(options)
    with staging.guarded(options.out), closing(handler):
        work = [(str(k), derivation(item, options)) for k, item in enumerate(found)]
        Watch(handler, options.time_limit).run(work, options.jobs)
    return handler.finish()
