"""The `nuages` command: which commands there are, and how an error ends one.

Commands are imported when they run: `nuages --help` loads click and this table, nothing else.
"""

from __future__ import annotations

import importlib
import sys
from typing import NoReturn

import click

from nuages import __version__
from nuages.errors import NuagesError

# command -> module below nuages.cli that holds it, and its line in --help
COMMANDS = {
    "init": ("init", "Read a Django project and write its nuages.yaml."),
    "check": ("check", "Check nuages.yaml; every finding at once, nothing touched."),
    "build": ("build", "Build the project's image."),
    "render": ("render", "Print the Kubernetes objects that a release would apply."),
    "deploy": ("deploy", "Bring the project live: build, migrate, roll out, verify."),
    "rollback": ("rollback", "Bring an earlier release back, where that is safe."),
    "status": ("status", "What runs, in which release, and what is wrong."),
    "destroy": ("destroy", "Remove an environment; its data only when named."),
    "cluster": ("cluster", "A real Kubernetes on this machine: up, down, status, load, kubeconfig."),
}


class LazyGroup(click.Group):
    """A group that imports a command's module when the command is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, in the order of the table: the order in which a newcomer meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one command."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"nuages.cli.{COMMANDS[cmd_name][0]}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Say "did you mean" for a name that is not there."""
        if args and not args[0].startswith("-") and args[0] not in COMMANDS:
            import difflib

            close = difflib.get_close_matches(args[0], COMMANDS, n=1)
            raise click.UsageError(
                f"no command {args[0]!r}" + (f"; did you mean {close[0]}?" if close else "; see nuages --help"), ctx
            )
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table without importing what it names."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="nuages")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def nuages(debug: bool) -> None:
    """From manage.py to production Kubernetes, and every release one you can trust."""


def main() -> NoReturn:
    """Run the command line and end with the exit code that the error, if any, stands for.

    0 done, 1 failed, 2 usage, 3 refused by a check, 4 rolled back, 130 interrupted.
    """
    try:
        sys.exit(nuages.main(standalone_mode=False) or 0)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (NuagesError, click.Abort) as error:  # click makes an Abort of a KeyboardInterrupt
        if "--debug" in sys.argv[1:2]:
            raise
        from nuages.cli.console import console

        sys.exit(console.error(error))
    except BrokenPipeError:
        # The reader of our output left (`nuages render | head`); that is its right. Python would complain at exit.
        sys.stdout = None
        sys.exit(141)
