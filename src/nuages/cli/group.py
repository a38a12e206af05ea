"""The group of all commands for click, and what an error looks like."""

from __future__ import annotations

import difflib
import importlib
import shutil
import sys

import click

from nuages import __version__
from nuages.cli.helping import Folding
from nuages.cli.main import COMMANDS, called, overview

click.Context.formatter_class = Folding  # of every command, also of those in groups


class LazyGroup(click.Group):
    """A group that imports a command's module when the command is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one command."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"nuages.cli.{cmd_name.replace('-', '_')}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Say "did you mean" for a name that is not there."""
        if args and not args[0].startswith("-") and args[0] not in COMMANDS:
            close = difflib.get_close_matches(args[0], COMMANDS, n=1)
            raise click.UsageError(f"no command {args[0]!r}" + (f"; did you mean {close[0]}?" if close else ""), ctx)
        return super().resolve_command(ctx, args)

    def get_help(self, ctx: click.Context) -> str:
        """The page that is printed without click as well."""
        return overview(shutil.get_terminal_size().columns)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="nuages")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def nuages(debug: bool) -> None:
    """From manage.py to production Kubernetes, and every release one you can trust."""


def run() -> int:
    """Run the command that the arguments name; answers the exit code."""
    try:
        return nuages.main(prog_name=called(), standalone_mode=False) or 0
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return error.exit_code
    except BrokenPipeError:
        raise
    except click.ClickException as error:
        from nuages.cli.misuse import misused

        return _told(misused(error))
    except click.Abort as error:  # click makes one of a KeyboardInterrupt
        return _told(error)
    except Exception as error:
        from nuages.cli.misuse import failed

        return _told(failed(error), error)


def _told(said: BaseException, error: BaseException | None = None) -> int:
    """Show an error; with --debug where it came from, too."""
    from nuages.cli.console import console

    if "--debug" in sys.argv[1:2]:
        import traceback

        traceback.print_exception(error or said)
    return console.error(said)
