"""What the commands ask of the records and change in them, and how they say that there is nothing."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol, TypeVar

import typer
from pydantic import SecretStr
from sqlalchemy import Table
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gateway.app.records import open_records
from gateway.cli import shown
from gateway.cli.plan import settings
from gateway.config import from_environment
from gateway.operate.links import LEAD_LASTS, Links, lead_path
from gateway.records import store
from gateway.terms.sealed import SHOWN, is_sealed
from gateway.up import runfile

Row = Mapping[str, object]
_T = TypeVar("_T")


class Question(Protocol):
    """One of the lists of `gateway.records.store`."""

    def __call__(
        self, connection: AsyncConnection, *, limit: int, since: float | None = None
    ) -> Awaitable[Sequence[Row]]:
        """The newest rows, newest first."""
        ...


def listed(question: Question, *, limit: int, since: str, now: float) -> Sequence[Row]:
    """What `question` finds; nothing when nothing was ever recorded. Raises SetupFault."""
    begin = shown.since(since, now) if since else None

    async def ask() -> Sequence[Row]:
        async with store.reading(_address()) as connection:
            return [] if connection is None else await question(connection, limit=limit, since=begin)

    return asyncio.run(ask())


def one(written: str, *, having: Table | None = None) -> store.Record:
    """The record that `written` names; says why and exits with 1 when there is none, or more than one."""

    async def find(connection: AsyncConnection) -> store.Record:
        return await store.record(connection, await store.find(connection, written, having=having))

    return asked(find)


def asked(question: Callable[[AsyncConnection], Awaitable[_T]]) -> _T:
    """What `question` finds; says why and exits with 1 when it raises NotFound. Raises SetupFault."""

    async def ask() -> _T:
        async with store.reading(_address()) as connection:
            if connection is None:
                raise store.NotFound("There are no records yet.", remedy="Run offhook up and place a call.")
            return await question(connection)

    try:
        return asyncio.run(ask())
    except store.NotFound as missing:
        shown.console(error=True).print(f"offhook: {missing}", style="red", markup=False)
        raise typer.Exit(1) from None


def changed(work: Callable[[AsyncEngine], Awaitable[_T]]) -> _T:
    """What comes of `work` on the records, which are brought up to date first, or made. Raises SetupFault, and what `work`
    raises."""

    async def do() -> _T:
        engine = await open_records(settings())
        try:
            return await work(engine)
        finally:
            await engine.dispose()

    return asyncio.run(do())


def lead_links(now: float) -> Callable[[object], str]:
    """Links to leads' pages by their calls, as whoever is told of a lead has one; "" where neither a gateway runs here nor the
    settings have its secret. `now`: seconds since the epoch."""
    found, running = settings(), runfile.read(settings().state)
    if running is not None:
        there = {"livekit_api_secret": SecretStr(running.livekit_api_secret)}
        found = found.model_copy(update={"public_url": found.public_url or running.http.get("control", ""), **there})
    links = Links(found) if found.livekit_api_secret.get_secret_value() else None
    return lambda call: links.page(lead_path(str(call)), now, LEAD_LASTS) if links else ""


def nothing(what: str, since: str) -> None:
    """Say that a list is empty, and what fills it where no gateway runs."""
    console = shown.console()
    if since:
        console.print(f"No {what} since {since}. Leave --since out to see older ones.", markup=False)
        return
    console.print(f"No {what} yet.", markup=False)
    if runfile.read(settings().state) is not None:
        return
    console.print("Start the gateway with `offhook up`, then dial the address it shows, with any softphone "
                  "or with `offhook call`; `offhook demo` does both.", style="dim", markup=False)  # fmt: skip


def print_paper(title: str, paper: Row) -> None:
    """A lead or ticket, fact by fact."""
    console = shown.console()
    state = "complete" if paper["complete"] else "not complete"
    console.print(f"{title} ({state})", style="bold", markup=False)
    grid = shown.grid()
    for name, value in facts(paper).items():
        grid.add_row(shown.text(name.replace("_", " "), "dim"), shown.text(value))
    console.print(grid)


def facts(paper: Row) -> dict[str, str]:
    """The facts of a lead or ticket as text."""
    fields = paper["fields"]
    found = fields.items() if isinstance(fields, Mapping) else ()
    return {str(name): _fact(value) for name, value in found}


def _fact(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(_fact, value))
    return SHOWN if is_sealed(value) else str(value)


def _address() -> str:
    return shown.database(from_environment(os.environ))
