"""`offhook call`: a SIP softphone for scripts."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

command = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

_STEPS = ("say", "wav", "press", "wait", "expect", "barge-in")


@command.command()
def call(
    number: Annotated[str, typer.Argument(help="Number or SIP user to dial, e.g. +15105550100 or echo.")],
    script: Annotated[Path | None, typer.Argument(help="A YAML file of steps.")] = None,
    to: Annotated[str, typer.Option(help="host:port of the SIP service; the gateway that runs here by default.")] = "",
    caller: Annotated[str, typer.Option("--from", help="Our number; 'anonymous' withholds it.")] = "+15105550177",
    say: Annotated[list[str] | None, typer.Option(help="Speak this text.")] = None,
    wav: Annotated[list[str] | None, typer.Option(help="Play this WAV file.")] = None,
    press: Annotated[list[str] | None, typer.Option("--press", "--digits", help="Press these keys.")] = None,
    wait: Annotated[list[str] | None, typer.Option(help="Stay on the line for so many seconds.")] = None,
    expect: Annotated[
        list[str] | None,
        typer.Option(help="audio:3, silence:1, tone:440, like:Hello, keys:5, ended:10, answer:5, or status:486."),
    ] = None,
    barge_in: Annotated[list[str] | None, typer.Option(help="Speak this while the other side is talking.")] = None,
    voice: Annotated[str, typer.Option(help="flite's voice.")] = "rms",
    codec: Annotated[str, typer.Option(help="pcmu, pcma or g722; the first two are offered by default.")] = "",
    srtp: Annotated[str, typer.Option(help="Encrypted media: disable, allow or require.")] = "disable",
    record: Annotated[Path | None, typer.Option(help="Write a stereo WAV: left we, right the other side.")] = None,
    report: Annotated[Path | None, typer.Option("--json", help="Write the timeline as JSON.")] = None,
    state: Annotated[Path, typer.Option(envvar="OFFHOOK_STATE", help="The gateway's directory.")] = Path(".offhook"),
) -> None:
    """Place a call, do the steps in the order in which they are given, and tell how it went.

    Before each of --say, --wav and --press the phone waits until the other side has finished speaking. Without steps it
    listens until the other side hangs up, or Ctrl-C. Exit status: 0, or 1 when something that was expected didn't come.
    """
    from gateway.app.call import Wanted, run
    from gateway.errors import SetupFault
    from gateway.phone import script as scripts
    from gateway.phone import told

    del say, wav, press, wait, expect, barge_in  # their order counts, which only the arguments themselves tell
    try:
        steps = scripts.read(script.read_text(encoding="utf-8")) if script else []
    except OSError as bad:
        raise SetupFault(f"{script} can't be read: {bad.strerror}.") from bad
    steps += [scripts.step(kind, value) for kind, value in _in_order(sys.argv[1:])]
    console = Console(highlight=False, soft_wrap=True)
    wanted = Wanted(
        number=number,
        to=to or os.environ.get("OFFHOOK_SIP", ""),
        state=state,
        caller=caller,
        voice=voice,
        codec=codec,
        srtp=srtp,
        steps=scripts.spoken_in_turn(steps) or [scripts.ExpectAnswer(), scripts.Wait(scripts.MAX_SECONDS)],
        record=record,
        report=report,
    )
    done = asyncio.run(run(wanted, lambda line: console.print(line, markup=False)))
    for line in told.lines(done.timeline):
        console.print(line, markup=False)
    if done.unmet:
        Console(stderr=True, highlight=False).print(f"offhook: {done.unmet}", style="red", markup=False)
        raise SystemExit(1)


def _in_order(arguments: list[str]) -> list[tuple[str, str]]:
    """The steps among the arguments, as (option, value)."""
    found = []
    for place, argument in enumerate(arguments):
        name, equals, value = argument.removeprefix("--").partition("=")
        name = "press" if name == "digits" else name
        if argument.startswith("--") and name in _STEPS:
            following = arguments[place + 1] if place + 1 < len(arguments) else ""
            found.append((name, value if equals else following))
    return found
