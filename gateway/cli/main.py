"""`offhook`: finds the command, runs it, and turns our errors into one sentence and an exit status.

0: fine. 1: findings. 2: could not run.
"""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import sys
import textwrap
from collections.abc import Sequence
from importlib.metadata import version

from rich.console import Console

from gateway.errors import OffhookError

COMMANDS = {
    "demo": "Place one sales and one support call and show what happened.",
    "up": "Run the whole gateway on this machine.",
    "status": "Tell what runs, which plan is in force, what is overridden, and how the teams stand.",
    "missed": "List callers whom nobody of a team took, and tick them off.",
    "plan": "Check, try, compare and publish dial plans.",
    "close": "Close hours or a route until a time, whatever the plan says.",
    "open": "Open them again, or until a time.",
    "away": "Take a person out of their teams until a time.",
    "notice": "Tell callers something first, until a time.",
    "call": "Place a call with the built-in SIP softphone.",
    "calls": "List and show calls.",
    "leads": "List and show leads.",
    "callbacks": "List and show callbacks, agree on another time, cancel them.",
    "dnc": "List, enter and take off the numbers that are never called.",
    "messages": "List, play and tick off the messages that callers left.",
    "control": "Run the process that routes and supervises calls.",
    "worker": "Run a pool of jobs that conduct calls.",
    "edge": "Run the embedded SIP service.",
    "speech": "Run the local speech server.",
}
"""Every command and its line of help. `gateway.cli.<name>` holds `command`, a typer.Typer."""


_COLUMNS = 80


def available() -> dict[str, str]:
    """The commands whose module is there, with their lines of help."""
    return {name: text for name, text in COMMANDS.items() if importlib.util.find_spec(f"gateway.cli.{name}")}


def main(arguments: Sequence[str]) -> int:
    """Run one command; its module is imported only now, so that `offhook --help` answers at once.

    Returns the exit status; a command may also raise SystemExit itself.
    """
    if arguments and arguments[0] == "help":
        arguments = [*arguments[1:], "--help"]
    if not arguments or arguments[0] in {"-h", "--help"}:
        Console(highlight=False).print(_help(), markup=False)
        return 0
    if arguments[0] in {"-V", "--version"}:
        Console(highlight=False).print(f"offhook {version('offhook')}", markup=False)
        return 0
    name, *rest = arguments
    if name not in available():
        Console(stderr=True, highlight=False).print(_unknown(name), style="red", markup=False)
        return 2
    module = importlib.import_module(f"gateway.cli.{name}")
    try:
        module.command(args=rest, prog_name=f"offhook {name}")
    except OffhookError as error:
        Console(stderr=True, highlight=False, soft_wrap=True).print(f"offhook: {error}", style="red", markup=False)
        return 2
    return 0


def run() -> None:
    """The console script."""
    sys.exit(main(sys.argv[1:]))


def _help() -> str:
    lines = [
        textwrap.fill(text, _COLUMNS, initial_indent=f"  {name:<10}", subsequent_indent=" " * 12)
        for name, text in available().items()
    ]
    return "\n".join(
        [
            "offhook: a telephony gateway on LiveKit.",
            "",
            *lines,
            "",
            "offhook COMMAND --help tells its options; offhook --version, which one this is.",
        ]
    )


def _unknown(name: str) -> str:
    near = difflib.get_close_matches(name, available(), n=1)
    hint = f"Did you mean '{near[0]}'?" if near else "offhook --help lists the commands."
    return f"offhook: there is no command '{name}'. {hint}"
