"""`symgrad`: reads the arguments, loads the one command that is asked for, and turns failures into exit codes.

0: done; 1: a negative verdict; 2: wrong usage or a wrong formula; 3: not derived within the limits; 130: interrupted.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from io import TextIOWrapper
from typing import TYPE_CHECKING, Any

import click

from symgrad import __version__
from symgrad.interrupts import Interrupted

if TYPE_CHECKING:
    from symgrad.failures import Failure

COMMANDS = {
    "derive": "closed form, kernels, certificate and report of formulas",
    "check": "is this hand-written gradient right, and if not, what is wrong with it",
    "list": "the formulas of the catalogue",
    "show": "a formula of the catalogue with its closed form",
    "new": "a commented template of a formula file",
}
_FACE = "symgrad: the closed-form gradient of a loss or layer, with kernels, a certificate and a report."


class Commands(click.Group):
    """Commands that are imported when they are used, so that `--help` is quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of the commands, in the order of their use."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, loaded now."""
        if cmd_name not in COMMANDS:
            return None
        from symgrad import settings

        settings.current()
        command: click.Command = import_module(f".{cmd_name}", __package__).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The table of commands of `--help`, without loading any."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command of the first argument; an unknown one names the nearest."""
        if args[0] not in COMMANDS and not args[0].startswith("-"):
            from symgrad.errors import nearest

            close = nearest(args[0], COMMANDS)
            hint = f"did you mean {close}?" if close else "symgrad --help shows the commands"
            ctx.fail(f"no command {args[0]!r}\n = help: {hint}")
        return super().resolve_command(ctx, args)


@click.group(
    cls=Commands, help=_FACE, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, "--version", message="symgrad %(version)s")
def root() -> None:
    """Only a holder of the commands."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if isinstance(sys.stdout, TextIOWrapper):  # a name that the terminal cannot show is no reason to fail
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        result: Any = root.main(words, prog_name="symgrad", standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as error:
        return _fail(_usage(error), words)
    except (click.Abort, KeyboardInterrupt):
        return _interrupted(2)
    except Interrupted as error:
        return _interrupted(error.number)
    except BrokenPipeError:
        sys.stdout = None
        return 1
    except Exception as error:  # noqa: BLE001  the boundary: nobody gets a traceback
        from symgrad.failures import describe

        return _fail(describe(error), words)
    return int(result or 0)


def _usage(error: click.ClickException) -> Failure:
    from symgrad.failures import failure

    message = error.format_message().rstrip(".")
    text, _, help = message.partition("\n = help: ")
    return failure("usage", 2, text[:1].lower() + text[1:] if text[1:2].islower() else text, help)


def _fail(told: Failure, words: Sequence[str]) -> int:
    if "--json" in words:
        import json

        click.echo(json.dumps(told.document))
    click.echo(f"error: {told.text}", err=True)
    return told.code


def _interrupted(number: int) -> int:
    click.echo("interrupted; nothing was written", err=True)
    return 128 + number


if __name__ == "__main__":
    sys.exit(main())
