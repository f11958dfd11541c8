"""`offhook callbacks`: who is called back, and when; another time, or none."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.calls import Json, Limit
from gateway.cli.ids import given

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

    from gateway.callbacks.machine import Booking, Event

command = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="List and show callbacks, agree on another time, cancel them.",
)

Id = Annotated[
    str, typer.Argument(metavar="ID", callback=given, help="Its id or its call's, or the first characters of it.")
]
_STYLE = {"booked": "yellow", "done": "green", "missed": "red", "cancelled": "dim"}


@command.command("list")
def list_callbacks(
    limit: Limit = 20,
    all_: Annotated[bool, typer.Option("--all", help="Those too that are over.")] = False,
    json: Json = False,
) -> None:
    """List the callbacks that are to be made, the next first."""
    from gateway.cli import records, shown
    from gateway.records.bookings import SqlBookings

    async def ask(engine: AsyncEngine) -> list[Booking]:
        return list(await SqlBookings(engine).listed(ended=all_, limit=limit))

    found = records.changed(ask)
    if json:
        shown.print_json([as_row(one) for one in found])
        return
    if not found:
        shown.console().print("No callbacks." if all_ else "Nobody waits for a callback.", markup=False)
        return
    now = time.time()
    table = shown.table("ID", "", "When", "By", "Whom", "Team", "Why", wide="Why")
    for one in found:
        late = one.by < now and not one.ended
        table.add_row(
            shown.text(one.id[:8], "bold"),
            shown.text(one.state.value, _STYLE.get(one.state.value, "cyan")),
            shown.text(shown.moment(one.at, now)),
            shown.text(shown.moment(one.by, now), "red" if late else ""),
            shown.text(shown.number(one.number.reveal())),
            shown.text(f"{one.team or '–'}, by hand" if one.by_hand and not one.ended else one.team or "by hand"),
            shown.text(one.why or one.reason or "–"),
        )
    shown.console().print(table)
    shown.console().print("\noffhook callbacks show ID tells all of one.", style="dim", markup=False)


@command.command("show")
def show_callback(callback: Id, json: Json = False) -> None:
    """Show one callback."""
    from gateway.cli import shown

    one = _found(callback)
    if json:
        shown.print_json(as_row(one))
        return
    console = shown.console()
    console.print(shown.text(f"Callback {one.id}", "bold"))
    lines = {
        "State": one.state.value,
        "Whom": shown.number(one.number.reveal()),
        "When": shown.whole_moment(one.at),
        "By": shown.whole_moment(one.by),
        "Team": one.team or "nobody's in particular: somebody calls by hand",
        "Why": one.reason or "–",
        "Agreed by": one.consent or "–",
        "Calls": f"{one.tries}, by hand now" if one.by_hand else f"{one.tries} of {one.most}",
        **({"Last": one.why} if one.why else {}),
        **({"Talked with": one.member} if one.member else {}),
        "Booked": shown.whole_moment(one.made),
        "In call": one.call,
    }
    grid = shown.grid()
    for name, value in lines.items():
        grid.add_row(shown.text(name, "dim"), shown.text(value))
    console.print(grid)


@command.command("cancel")
def cancel_callback(callback: Id, json: Json = False) -> None:
    """Cancel one: nobody calls, and whoever was told of it is told so."""
    from gateway.callbacks.machine import Cancelled
    from gateway.operate.who import author

    _step(callback, Cancelled(author()), "is cancelled", json=json)


@command.command("done")
def callback_done(callback: Id, json: Json = False) -> None:
    """Tick one off: somebody has called by hand."""
    from gateway.callbacks.machine import Done
    from gateway.operate.who import author

    _step(callback, Done(author()), "is done", json=json)


@command.command("reschedule")
def reschedule_callback(
    callback: Id,
    at: Annotated[
        str, typer.Option("--at", help='"tomorrow 09:00", 15:00, "in 2h", 2027-01-02 10:00: in the plan\'s zone.')
    ],
    json: Json = False,
) -> None:
    """Agree on another time; it must be day where the callee is."""
    from gateway.callbacks.machine import Moved

    one = _found(callback)
    _step(one.id, Moved(_time(one, at)), "is called then", json=json)


def as_row(one: Booking) -> dict[str, object]:
    """As `--json` prints it."""
    from gateway.cli.shown import rfc3339

    return {
        "id": one.id, "state": one.state.value, "at": rfc3339(one.at), "by": rfc3339(one.by),
        "number": one.number.reveal(), "team": one.team or None, "reason": one.reason, "consent": one.consent or None,
        "tries": one.tries, "most": one.most, "why": one.why or None, "member": one.member or None, "call": one.call,
        "made": rfc3339(one.made), "ended": rfc3339(one.ended) if one.ended else None, "sequence": one.sequence,
    }  # fmt: skip


def _time(one: Booking, written: str) -> float:
    """The time that is meant. Raises Refused for one that can't be."""
    from datetime import UTC, datetime

    from gateway.callbacks.times import allowed, earliest, zones_of
    from gateway.cli import shown
    from gateway.dialplan.when import SAID, moment
    from gateway.errors import Refused
    from gateway.terms.callback import Terms

    now = time.time()
    try:
        at = moment(written, one.zone, datetime.fromtimestamp(now, UTC)).timestamp()
    except ValueError as bad:
        raise Refused(str(bad), remedy=SAID) from None
    zones, terms = zones_of(one.number, one.zone), Terms(zone=one.zone)
    if at <= now:
        raise Refused(f"'{written}' is past.", remedy="Write a time to come.")
    if not allowed(terms, zones, at):
        first = earliest(terms, zones, at)
        when = f" The next time is {shown.whole_moment(first)}." if first else ""
        raise Refused("It is night then where the callee is.", remedy=f"Choose a time of the day there.{when}")
    return at


def _step(which: str, event: Event, said: str, *, json: bool) -> None:
    from gateway.cli import records, shown
    from gateway.errors import Refused
    from gateway.records.bookings import SqlBookings

    before = _found(which)
    now = time.time()

    async def step(engine: AsyncEngine) -> Booking | None:
        return await SqlBookings(engine).step(before.id, event, now)

    after = records.changed(step)
    if after is None or after == before:
        raise Refused(f"That can't be done with a callback that is {before.state.value}.",
                      remedy="offhook callbacks show tells how it stands.")  # fmt: skip
    if json:
        shown.print_json(as_row(after))
    else:
        shown.console().print(f"The callback {after.id[:8]} {said}: {shown.number(after.number.reveal())}, "
                              f"{shown.whole_moment(after.at)}.", style="green", markup=False)  # fmt: skip


def _found(written: str) -> Booking:
    """The one callback that is meant. Raises Refused for none, or several."""
    from gateway.cli import records
    from gateway.errors import Refused
    from gateway.records.bookings import SqlBookings

    async def ask(engine: AsyncEngine) -> list[Booking]:
        every = await SqlBookings(engine).listed(ended=True, limit=1000)
        call = written if written.startswith("SCL_") else f"SCL_{written}"
        return [one for one in every if one.id.startswith(written) or one.call.startswith(call)]

    found = records.changed(ask)
    if len(found) != 1:
        what = "There is no callback" if not found else f"{len(found)} callbacks begin with"
        raise Refused(f"{what} '{written}'.", remedy="offhook callbacks list --all lists them.")
    return found[0]
