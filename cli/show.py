"""`symgrad show NAME`: a formula with its closed form."""

from __future__ import annotations

import sys
from contextlib import closing

import click

from symgrad import catalogue
from symgrad.child import Watch
from symgrad.pipeline import is_path

from .arguments import Item, items
from .console import Single, say
from .job import display
from .options import Options, page_width


@click.command("show")
@click.argument("name")
@click.option("--json", is_flag=True, help="The JSON document of the derivation, without kernels and verdict.")
def command(name: str, json: bool) -> int:
    """The formula NAME (of the catalogue, or a file) as it is written, with its closed form."""
    options = Options(json=json, width=page_width(), encoding=sys.stdout.encoding)
    (item,) = items([name]) if is_path(name) else (Item(name, catalogue.find(name)),)
    if item.path is not None and not json:
        say(item.path.read_text("utf-8", errors="replace"), options)
    handler = Single(options)
    with closing(handler):
        Watch(handler, options.time_limit).run([("0", display(item, options))])
    return handler.finish()
