"""`offhook`: finds the command, runs it, and turns our errors into one sentence and an exit status.

0: fine. 1: findings. 2: could not run.
"""

from __future__ import annotations

import importlib
import sys

import click
import typer
from rich.console import Console

from gateway.errors import OffhookError

COMMANDS = {
    "demo": "Place one sales and one support call and show what happened.",
    "up": "Run the whole gateway on this machine.",
    "call": "Place a call with the built-in SIP softphone.",
    "calls": "List and show calls.",
    "leads": "List and show leads.",
    "control": "Run the process that routes and supervises calls.",
    "worker": "Run a pool of jobs that conduct calls.",
    "edge": "Run the embedded SIP service.",
    "speech": "Run the local speech server.",
}
"""Every command and its line of help. `gateway.cli.<name>` holds `command`, a typer.Typer."""


class _Lazy(click.Group):
    """Imports a command's module only when it is asked for: `offhook --help` answers at once."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        if not sys.argv[1:] or sys.argv[1] in {"--help", "-h"}:
            return click.Command(cmd_name, help=COMMANDS[cmd_name])
        module = importlib.import_module(f"gateway.cli.{cmd_name}")
        return typer.main.get_command(module.command)


def run() -> None:
    """The console script."""
    group = _Lazy(name="offhook", help="A telephony gateway on LiveKit.", no_args_is_help=True,
                  context_settings={"help_option_names": ["-h", "--help"]})
    try:
        group(prog_name="offhook")
    except OffhookError as error:
        Console(stderr=True, highlight=False).print(f"offhook: {error}", style="red", markup=False)
        sys.exit(2)
