"""`symgrad list`: the formulas of the catalogue."""

from __future__ import annotations

import json as json_module

import click

from symgrad import catalogue


@click.command("list")
@click.option("--json", is_flag=True, help="One JSON document on standard output.")
def command(json: bool) -> None:
    """The formulas of the catalogue, by field."""
    fields: dict[str, dict[str, str]] = {}
    for name, path in catalogue.paths().items():
        fields.setdefault(path.parent.name, {})[name] = catalogue.summary(path)
    if json:
        click.echo(json_module.dumps({"catalogue": fields}))
        return
    width = max((len(name) for names in fields.values() for name in names), default=0)
    for field, names in fields.items():
        click.echo(f"{field}")
        for name, summary in names.items():
            click.echo(f"  {name:<{width}}  {summary}".rstrip())
