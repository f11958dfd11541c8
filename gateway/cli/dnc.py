"""`offhook dnc`: the numbers that are never called again."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from gateway.cli.calls import Json

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

    from gateway.donotcall.port import Entry
    from gateway.donotcall.redis_list import RedisDoNotCall
    from gateway.records.donotcall import SqlDoNotCall
    from gateway.terms.personal import Number

command = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="List, enter and take off the numbers that are never called.",
)

Written = Annotated[
    str, typer.Argument(metavar="NUMBER", help="The number, as +1 510 555 0142 or as the plan's country writes it.")
]
_T = TypeVar("_T")


@command.command("list")
def list_numbers(json: Json = False) -> None:
    """List them, the newest first."""
    from gateway.cli import shown

    async def ask(truth: SqlDoNotCall, _: RedisDoNotCall) -> list[Entry]:
        return list(await truth.listed())

    found = _with_list(ask)
    if json:
        shown.print_json([{"number": one.number.reveal(), "since": shown.rfc3339(one.at), "why": one.why,
                           "call": one.call or None, "by": one.by} for one in found])  # fmt: skip
        return
    if not found:
        shown.console().print("Nobody has asked not to be called.", markup=False)
        return
    table = shown.table("Number", "Since", "By", "Why", wide="Why")
    for one in found:
        number = shown.text(shown.number(one.number.reveal()), "bold")
        table.add_row(number, shown.text(shown.moment(one.at, time.time())), shown.text(one.by), shown.text(one.why))
    shown.console().print(table)


@command.command("add")
def add_number(
    number: Written,
    why: Annotated[str, typer.Option("--why", help="For the record.")] = "entered by hand",
    json: Json = False,
) -> None:
    """Enter a number: no call goes there any more, from this moment on."""
    from gateway.donotcall.port import Entry
    from gateway.operate.who import author

    entry = Entry(_number(number), time.time(), why, by=author())

    async def enter(truth: SqlDoNotCall, copy: RedisDoNotCall) -> bool:
        fresh = await truth.add(entry)
        await _at_once(copy.add(entry))
        return fresh

    _say(entry.number, _with_list(enter), "is never called again", "was on the list already", json=json)


@command.command("remove")
def remove_number(number: Written, json: Json = False) -> None:
    """Take a number off: its owner wants to be called again."""
    from gateway.operate.who import author

    off, now = _number(number), time.time()

    async def remove(truth: SqlDoNotCall, copy: RedisDoNotCall) -> bool:
        there = await truth.remove(off, author(), now)
        await _at_once(copy.remove(off, author(), now))
        return there

    _say(off, _with_list(remove), "may be called again", "wasn't on the list", json=json)


def _say(number: Number, done: bool, yes: str, no: str, *, json: bool) -> None:
    from gateway.cli import shown

    if json:
        shown.print_json({"number": number.reveal(), "changed": done})
    else:
        text = f"{shown.number(number.reveal())} {yes if done else no}."
        shown.console().print(text, style="green" if done else "", markup=False)


async def _at_once(copied: Awaitable[bool]) -> None:
    """The copy that jobs look at; control makes up for it within seconds where it can't be had."""
    from gateway.cli import shown
    from gateway.errors import Unavailable

    try:
        await copied
    except Unavailable:
        shown.console(error=True).print("offhook: Redis doesn't answer: running jobs hear of it from control.",
                                        style="yellow", markup=False)  # fmt: skip


def _number(written: str) -> Number:
    """Raises Refused for what is no number."""
    import asyncio
    import re
    from contextlib import suppress

    from gateway.app.plans import desk
    from gateway.cli.plan import settings
    from gateway.errors import OffhookError, Refused
    from gateway.terms.number import e164
    from gateway.terms.personal import Number

    async def country() -> str:
        with suppress(OffhookError):  # without a plan, numbers are read with their + alone
            async with desk(settings(), writes=False) as at:
                return (await at.shelf.plan("live")).country
        return ""

    compact = re.sub(r"[\s().\-/]", "", written)
    found = e164(compact, "" if compact.startswith("+") else asyncio.run(country()))
    if not found:
        raise Refused(f"'{written}' is no telephone number.", remedy="Write it as +1 510 555 0142.")
    return Number(found)


def _with_list(work: Callable[[SqlDoNotCall, RedisDoNotCall], Awaitable[_T]]) -> _T:
    """Do something with the list and its copy. Raises Unavailable, SetupFault."""
    import os

    from gateway.cli import records
    from gateway.cli.plan import settings
    from gateway.cli.running import redis_address
    from gateway.donotcall.redis_list import RedisDoNotCall
    from gateway.records.donotcall import SqlDoNotCall
    from gateway.redis_client import open_client

    async def both(engine: AsyncEngine) -> _T:
        redis = open_client(redis_address(settings(), os.environ), connect_within=2.0)
        try:
            return await work(SqlDoNotCall(engine), RedisDoNotCall(redis))
        finally:
            await redis.aclose()

    return records.changed(both)
