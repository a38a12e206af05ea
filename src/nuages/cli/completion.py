"""`nuages completion`: what a shell needs to complete commands, options and names."""

from __future__ import annotations

from pathlib import Path

import click

from nuages.cli.completing import SHELLS
from nuages.cli.console import console

SCRIPTS = Path(__file__).with_name("completions")


@click.command(short_help="What a shell needs to complete commands and names.")
@click.argument("shell", type=click.Choice(SHELLS))
def command(shell: str) -> None:
    """Print what bash, zsh or fish needs to complete commands, options and names, for nuages and for nua.

    \b
    bash   in ~/.bashrc:                 source <(nuages completion bash)
    zsh    in ~/.zshrc, after compinit:  source <(nuages completion zsh)
    fish   once:  nuages completion fish > ~/.config/fish/conf.d/nuages.fish
    """
    console.print((SCRIPTS / shell).read_text().rstrip())
