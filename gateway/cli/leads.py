"""`offhook leads`: what agents took down: leads, and tickets."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli import leads_out
from gateway.cli.calls import Json, Limit, Since
from gateway.cli.ids import given

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy.ext.asyncio import AsyncConnection

command = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="List and show leads, write them out, deliver them again.",
)
command.command("export")(leads_out.export)
command.command("redeliver")(leads_out.redeliver)
command.command("schema")(leads_out.schema)

Tickets = Annotated[bool, typer.Option("--tickets", help="Tickets instead of leads.")]


@command.command("list")
def list_leads(limit: Limit = 20, since: Since = "", tickets: Tickets = False, json: Json = False) -> None:
    """List the newest leads, or tickets."""
    from gateway.cli import records
    from gateway.cli.shown import print_json
    from gateway.records import store

    found = records.listed(store.tickets if tickets else store.leads, limit=limit, since=since, now=time.time())
    if json:
        print_json(found)
    elif not found:
        records.nothing("tickets" if tickets else "leads", since)
    else:
        _print(found, time.time(), "ticket" if tickets else "lead")


@command.command("show")
def show_lead(
    call: Annotated[
        str, typer.Argument(metavar="ID", callback=given, help="The id of its call, or the first characters of it.")
    ],
    tickets: Tickets = False,
    json: Json = False,
) -> None:
    """Show one lead, or ticket, with every fact."""
    from gateway.cli import records, shown
    from gateway.records.schema import LEADS, TICKETS

    found = records.one(call, having=TICKETS if tickets else LEADS)
    paper = found.ticket if tickets else found.lead
    if paper is None:  # erased since it was found
        raise typer.Exit(1)
    if json:
        shown.print_json({**paper, **{name: found.call[name] for name in ("caller", "dialed", "agent")}})
        return
    records.print_paper("Ticket" if tickets else "Lead", paper)
    grid = shown.grid()
    grid.add_row(shown.text("caller", "dim"), shown.text(shown.number(found.call["caller"])))
    grid.add_row(shown.text("taken", "dim"), shown.text(shown.moment(paper["created"], time.time())))
    grid.add_row(shown.text("agent", "dim"), shown.text(found.call["agent"] or "–"))
    for label, value in () if tickets else _fate(found.call["id"]):
        grid.add_row(shown.text(label, "dim"), shown.text(value))
    shown.console().print(grid)
    if not tickets and (link := records.lead_links(time.time())(found.call["id"])):
        shown.console().print(f"\nWhat was said, and what came of it: {link}", markup=False, soft_wrap=True)
    shown.console().print(f"\noffhook calls show {shown.short(found.call['id'])} tells the conversation.",
                          style="dim", markup=False)  # fmt: skip


def _fate(call: object) -> list[tuple[str, str]]:
    """A lead's score, whom it went to, and what became of it."""
    from gateway.cli import records
    from gateway.operate.apprising import scheme
    from gateway.operate.lead_words import reported
    from gateway.records.outbox import lead_deliveries
    from gateway.records.outcomes import lead_seen

    async def ask(connection: AsyncConnection) -> list[tuple[str, str]]:
        seen = await lead_seen(connection, str(call))
        if seen is None:
            return []
        score = reported(seen[0]).score
        told = [("score", f"{score.points}: {'; '.join(score.reasons)}")]
        if outcome := seen[0]["outcome"]:
            told.append(("outcome", f"{outcome}{f': {why}' if (why := seen[0]['why']) else ''}"))
        for one in await lead_deliveries(connection, [str(call)]):
            stands = "arrived" if one["delivered"] else "on its way" if one["due"] else "given up"
            error = f" ({one['error']})" if one["error"] else ""
            told.append(("told by", f"{scheme(str(one['address']))}: {stands}, {_tries(one['tries'])}{error}"))
        return told

    return records.asked(ask)


def _tries(count: object) -> str:
    return "1 try" if count == 1 else f"{count} tries"


def _print(found: Sequence[Mapping[str, object]], now: float, what: str) -> None:
    from gateway.cli import records, shown

    leads = what == "lead"
    told = any(row.get("outcome") for row in found)
    heads = ["ID", "Taken", "Caller", "", *(["Points"] if leads else []), *(["Outcome"] if told else [])]
    table = shown.table(*heads, what.capitalize(), wide=what.capitalize())
    for row in found:
        facts = ", ".join(f"{name.replace('_', ' ')}: {value}" for name, value in records.facts(row).items())
        table.add_row(
            shown.text(shown.short(row["call"]), "bold"),
            shown.text(shown.moment(row["created"], now)),
            shown.text(row["caller"] or "withheld"),
            shown.text("✓" if row["complete"] else "…", "green" if row["complete"] else "yellow"),
            *([shown.text(_points(row))] if leads else []),
            *([shown.text(row["outcome"] or "–")] if told else []),
            shown.text(facts or "–"),
        )
    console = shown.console()
    console.print(table)
    for text, style in _undelivered(found) if leads else ():
        console.print(f"\n{text}", style=style, markup=False)
    flag = " --tickets" if what == "ticket" else ""
    console.print(f"\n✓ complete  … not complete\noffhook leads show ID{flag} tells all of one.",
                  style="dim", markup=False)  # fmt: skip


def _points(row: Mapping[str, object]) -> int:
    from gateway.operate.lead_words import reported

    return reported(row).score.points


def _undelivered(found: Sequence[Mapping[str, object]]) -> list[tuple[str, str]]:
    """Those of the leads that not everybody has who was to have them, in words and how these look."""
    from gateway.cli import records, shown
    from gateway.records.outbox import WITH_IT, lead_deliveries

    async def ask(connection: AsyncConnection) -> Sequence[Mapping[str, object]]:
        return await lead_deliveries(connection, [str(row["call"]) for row in found])

    waits: dict[str, None] = {}
    given_up: dict[str, None] = {}
    for one in records.asked(ask):
        if one["delivered"] is None and one["error"] != WITH_IT:
            if one["due"] is None:
                given_up[shown.short(one["call"])] = None
            elif one["tries"]:
                waits[shown.short(one["call"])] = None
    again = "offhook leads redeliver ID delivers one again."
    return [
        *([(f"Given up, not everybody has it: {', '.join(given_up)}. {again}", "red")] if given_up else []),
        *([(f"Didn't arrive everywhere yet, and is tried again: {', '.join(waits)}.", "yellow")] if waits else []),
    ]
