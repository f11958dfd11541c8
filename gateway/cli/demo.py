"""`offhook demo`: see the gateway work."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

command = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

_NEXT = """
What to try next
  offhook up                              runs the gateway until Ctrl-C and shows the address to dial with any softphone
  offhook call +15105550100               calls the sales agent from a terminal (beside a running gateway)
  offhook calls list, offhook leads list  show what the demo has left in the records
  dialplans/main.yaml                     says who answers which number: change it while the gateway runs
  DEEPGRAM_API_KEY, OPENAI_API_KEY        set, let the same agents hear, think and speak in the cloud
"""


@command.command()
def demo(
    state: Annotated[Path, typer.Option(envvar="OFFHOOK_STATE", help="Directory of logs and records.")] = Path(
        ".offhook"
    ),
) -> None:
    """Start a gateway, place one sales and one support call on it by SIP and speech, and tell what happens.

    It takes about two and a half minutes, needs no key and no network, and leaves nothing running, also
    where it is stopped or killed.
    """
    from gateway.app.demo import run

    console = Console(highlight=False, soft_wrap=True)
    if not asyncio.run(run(state, lambda line: console.print(line, markup=False))):
        raise SystemExit(1)
    console.print(_NEXT, markup=False)
