"""`offhook missed`: the callers whom nobody of a team took."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.calls import Json, Limit
from gateway.cli.ids import given

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

    from gateway.callbacks.missed import Missed

command = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="List callers whom nobody of a team took, and tick them off.",
)


@command.command("list")
def list_missed(limit: Limit = 20, json: Json = False) -> None:
    """List the newest: who rang, for whom, and why nobody took the call."""
    from gateway.callbacks.missed import why
    from gateway.cli import records, shown
    from gateway.records.missed import MissedHandoffs

    async def ask(engine: AsyncEngine) -> list[Missed]:
        return list(await MissedHandoffs(engine).listed(limit))

    found = records.changed(ask)
    if json:
        shown.print_json([{"call": one.call, "team": one.team, "at": shown.rfc3339(one.at), "caller": one.caller or None,
                           "name": one.name or None, "ending": one.ending, "members": dict(one.members),
                           "dealt_with": one.dealt_with, "by": one.dealt_by or None} for one in found])  # fmt: skip
        return
    if not found:
        shown.console().print("Nobody was missed.", markup=False)
        return
    table = shown.table("Call", "", "When", "Caller", "Team", "Why", wide="Why")
    for one in found:
        open_ = not one.dealt_with
        table.add_row(
            shown.text(shown.short(one.call), "bold" if open_ else "dim"),
            shown.text("●" if open_ else "✓", "yellow" if open_ else "green"),
            shown.text(shown.moment(one.at, time.time())),
            shown.text(one.name or shown.number(one.caller or None)),
            shown.text(one.team),
            shown.text(why(one.members)),
        )
    shown.console().print(table)
    shown.console().print("\n● open  ✓ dealt with\noffhook missed done CALL ticks one off.", style="dim", markup=False)


@command.command("done")
def missed_done(
    call: Annotated[
        str, typer.Argument(metavar="CALL", callback=given, help="The call's id, or the first characters of it.")
    ],
    json: Json = False,
) -> None:
    """Tick one off: somebody has dealt with the caller."""
    from gateway.cli import records, shown
    from gateway.errors import Refused
    from gateway.operate.who import author
    from gateway.records.missed import MissedHandoffs

    async def do(engine: AsyncEngine) -> str:
        missed = MissedHandoffs(engine)
        begins = call if call.startswith("SCL_") else f"SCL_{call}"
        found = [one for one in await missed.listed(1000) if one.call.startswith(begins)]
        if len(found) != 1:
            what = "No missed call begins" if not found else f"{len(found)} missed calls begin"
            raise Refused(f"{what} with '{call}'.", remedy="offhook missed list lists them.")
        await missed.done(found[0].call, author(), time.time())
        return found[0].call

    done = records.changed(do)
    if json:
        shown.print_json({"call": done, "by": author()})
    else:
        shown.console().print(f"{shown.short(done)} is dealt with.", style="green", markup=False)
