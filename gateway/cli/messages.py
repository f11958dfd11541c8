"""`offhook messages`: what callers left to be heard."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.calls import Json, Limit, Since
from gateway.cli.ids import given

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.config import Settings

command = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="List, play and tick off the messages that callers left.",
)

Id = Annotated[
    str, typer.Argument(metavar="ID", callback=given, help="Its id or its call's, or the first characters of it.")
]
_SHORT = 8


@command.command("list")
def list_messages(
    limit: Limit = 20,
    since: Since = "",
    undone: Annotated[bool, typer.Option("--open", help="Only those that nobody has ticked off.")] = False,
    json: Json = False,
) -> None:
    """List the newest messages: who, when, why, how long, and what was said."""
    from functools import partial

    from gateway.cli import records
    from gateway.cli.shown import print_json
    from gateway.records import store

    found = records.listed(partial(store.messages, undone=undone), limit=limit, since=since, now=time.time())
    if json:
        print_json(found)
    elif not found:
        records.nothing("open messages" if undone else "messages", since)
    else:
        _print(found, time.time())


@command.command("play")
def play_message(
    message: Id,
    save: Annotated[
        Path | None, typer.Option("--save", help="Write it to a file instead: .wav for WAV, else Ogg/Opus.")
    ] = None,
    json: Json = False,
) -> None:
    """Play one message, or say where its file is when this machine has no player."""
    from gateway.cli import playing, shown

    row = _one(message)
    file = _settings().messages / str(row["file"])
    if not row["file"] or not file.is_file():
        shown.console(error=True).print(
            f"offhook: {file} isn't there. OFFHOOK_MESSAGES or OFFHOOK_STATE names the directory of messages.",
            style="red", markup=False,
        )  # fmt: skip
        raise typer.Exit(1)
    if save is not None:
        playing.save(file, save)
    if json:
        shown.print_json({**row, "path": str(file), "saved": str(save) if save else None})
        return
    _print_one(row)
    if save is not None:
        shown.console().print(f"\nWritten to {save}.", style="green", markup=False, soft_wrap=True)
    elif not playing.play(file):
        shown.console().print(f"\nNo player is installed here (ffplay, mpv, ogg123, aplay). The file is {file}",
                              markup=False, soft_wrap=True)  # fmt: skip


@command.command("done")
def message_done(
    message: Id,
    by: Annotated[str, typer.Option("--by", help="Who has dealt with it; you by default.")] = "",
    json: Json = False,
) -> None:
    """Tick a message off: somebody has dealt with it."""
    import asyncio

    from gateway.cli import shown
    from gateway.operate.who import author

    row, who = _one(message), by or author()
    if row["done"] is None:
        asyncio.run(_tick_off(row, who))
    if json:
        shown.print_json({"id": row["id"], "call": row["call"], "by": row["done_by"] or who})
    elif row["done"] is None:
        shown.console().print(f"The message {shown.printable(row['id'])[:_SHORT]} is done, by {who}.",
                              style="green", markup=False)  # fmt: skip
    else:
        shown.console().print(f"It was done already, by {row['done_by'] or 'somebody'}.", markup=False)


async def _tick_off(row: Mapping[str, object], by: str) -> None:
    """Tell it to the stream that records are written from; control's writer makes it a row."""
    import os

    from gateway.calls.store.redis_store import RedisStore
    from gateway.cli.running import redis_address
    from gateway.redis_client import open_client
    from gateway.terms.call import CallId
    from gateway.terms.event import Event, Kind

    redis = open_client(redis_address(_settings(), os.environ), connect_within=2.0)
    try:
        data = {"id": str(row["id"]), "by": by}
        await RedisStore(redis).tell(Event(CallId(str(row["call"])), Kind.MESSAGE_DONE, time.time(), data))
    finally:
        await redis.aclose()


def _one(written: str) -> Mapping[str, object]:
    from gateway.cli import records
    from gateway.records import store

    return records.asked(lambda connection: store.message(connection, written))


def _settings() -> Settings:
    import os

    from gateway.config import from_environment

    return from_environment(os.environ)


def _print(found: Sequence[Mapping[str, object]], now: float) -> None:
    from gateway.cli import shown

    table = shown.table("ID", "", "Left", "Caller", "Why", "Long", "Words", wide="Words")
    for row in found:
        done = row["done"] is not None
        table.add_row(
            shown.text(shown.printable(row["id"])[:_SHORT], "dim" if done else "bold"),
            shown.text("✓" if done else "●", "green" if done else "yellow"),
            shown.text(shown.moment(row["left"] or row["at"], now)),
            shown.text(row["caller"] or shown.nobody(row)),
            shown.text(row["because"] or "–"),
            shown.text(shown.length(_seconds(row))),
            shown.text(_words(row), "" if row["transcript"] else "dim"),
        )
    console = shown.console()
    console.print(table)
    console.print("\n● open  ✓ done\noffhook messages play ID plays one, messages done ID ticks it off.",
                  style="dim", markup=False)  # fmt: skip


def _print_one(row: Mapping[str, object]) -> None:
    from gateway.cli import shown

    lines = {
        "Caller": shown.number(row["caller"], none=shown.nobody(row)),
        "Dialed": shown.number(row["dialed"], none="unknown"),
        "Left": shown.whole_moment(row["left"] or row["at"]),
        "Long": shown.length(_seconds(row)),
        "Why": row["because"] or "–",
        **({"For": row["team"]} if row["team"] else {}),
        "Words": _words(row),
        "Done": f"by {row['done_by'] or 'somebody'}" if row["done"] is not None else "no",
        "Call": row["call"],
    }
    shown.console().print(shown.text(f"Message {row['id']}", "bold"))
    grid = shown.grid()
    for name, value in lines.items():
        grid.add_row(shown.text(name, "dim"), shown.text(value))
    shown.console().print(grid)


def _words(row: Mapping[str, object]) -> str:
    if row["transcript"]:
        return str(row["transcript"])
    return "not written down yet" if row["transcribed"] is None else "no words were heard"


def _seconds(row: Mapping[str, object]) -> float | None:
    seconds = row["seconds"]
    return float(seconds) if isinstance(seconds, int | float) else None
