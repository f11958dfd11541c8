"""`offhook leads export`, `redeliver` and `schema`: leads on their way out of the house."""

from __future__ import annotations

import csv
import io
import re
import time
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.calls import Since
from gateway.cli.ids import given
from gateway.cli.values import one_of

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

MOST = 1_000_000
COLUMNS = (
    "call", "started", "agent", "route", "dialed", "caller", "complete", "name", "company", "number", "email", "need",
    "budget", "timeline", "consent", "promises", "confirmed", "points", "reasons", "outcome", "why", "facts",
    "transcript",
)  # fmt: skip
_RISKY = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


class Format(StrEnum):
    """What an export is written as."""

    CSV = "csv"
    JSON = "json"


def export(
    form: Annotated[
        Format, typer.Option("--format", "-f", parser=one_of(Format), metavar="FORMAT", help="csv or json.")
    ] = Format.CSV,
    since: Since = "",
    to: Annotated[Path | None, typer.Option("--to", help="Write this file; else what is printed.")] = None,
) -> None:
    """Write leads out, with score and outcome, the oldest first: as CSV, or as JSON by the published schema."""
    from gateway.cli import records, shown
    from gateway.errors import SetupFault
    from gateway.records import store

    now = time.time()
    link = records.lead_links(now)
    found = reversed(records.listed(store.leads, limit=MOST, since=since, now=now))
    rows = [{**row, "link": link(row["call"])} for row in found]
    text = as_csv(rows) if form is Format.CSV else as_json(rows)
    if to is None:
        typer.echo(text, nl=False)
        return
    try:
        to.write_text(text, encoding="utf-8")
    except OSError as bad:
        raise SetupFault(f"{to} can't be written: {bad.strerror}.", remedy="Name another file with --to.") from None
    typer.echo(f"{shown.several(len(rows), 'lead')} written to {to}.", err=True)


def as_json(rows: Sequence[Mapping[str, object]]) -> str:
    """Leads as JSON: each as a webhook has it, its outcome beside it."""
    import json

    from gateway.operate.lead_words import reported

    told = [
        {**reported(row, _link(row)).model_dump(mode="json"), "outcome": row.get("outcome"), "why": row.get("why")}
        for row in rows
    ]
    return json.dumps(told, ensure_ascii=False, indent=2) + "\n"


def as_csv(rows: Sequence[Mapping[str, object]]) -> str:
    """Leads as CSV (RFC 4180), one a line. What a spreadsheet would take for a formula is quoted as text: callers say
    these words."""
    import json

    from gateway.operate.lead_words import reported

    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS)
    writer.writeheader()
    for row in rows:
        lead = reported(row, _link(row))
        told: dict[str, object] = {
            **lead.model_dump(mode="json", exclude={"contact", "score", "facts"}),
            **lead.contact.model_dump(),
            "promises": "; ".join(lead.promises), "confirmed": "; ".join(lead.confirmed),
            "points": lead.score.points, "reasons": "; ".join(lead.score.reasons),
            "outcome": row.get("outcome"), "why": row.get("why"),
            "facts": json.dumps(lead.facts, ensure_ascii=False, default=str),
        }  # fmt: skip
        writer.writerow({name: _cell(name, value) for name, value in told.items()})
    return out.getvalue()


def _link(row: Mapping[str, object]) -> str:
    return str(row.get("link") or "")


_NUMBER = re.compile(r"\+[0-9]+", re.ASCII)


def _cell(name: str, value: object) -> str:
    text = "" if value is None else str(value)
    if _NUMBER.fullmatch(text) or name == "reasons":  # these are ours: "+25 they say what they need"
        return text
    return f"'{text}" if text.startswith(_RISKY) else text


def redeliver(
    call: Annotated[
        str, typer.Argument(metavar="ID", callback=given, help="The id of its call, or the first characters of it.")
    ],
    to: Annotated[
        list[str] | None, typer.Option("--to", help="Only there, be it a new address: mailto:, https:, sms:+1…")
    ] = None,
) -> None:
    """Deliver a lead again, to all whom it was for: each gets it under the id that it had."""
    from gateway.cli import records
    from gateway.dialplan.reading.addresses import is_address, remedy
    from gateway.records.outbox import lead_again
    from gateway.records.schema import LEADS

    for address in to or ():
        if not is_address(address):
            typer.echo(f"offhook: '{address}' is no address. {remedy(address)}", err=True)
            raise typer.Exit(2)
    found = str(records.one(call, having=LEADS).call["id"])

    async def again(engine: AsyncEngine) -> int:
        async with engine.begin() as connection:
            return await lead_again(connection, found, time.time(), to or ())

    count = records.changed(again)
    if not count:
        typer.echo("Nobody was to be told of this lead. Name an address by --to.", err=True)
        raise typer.Exit(1)
    typer.echo(f"It goes to {count} {'address' if count == 1 else 'addresses'} again, as soon as control runs.")


def schema(
    agent: Annotated[
        str, typer.Argument(metavar="AGENT", help="Whose facts are told too; sales when left out.")
    ] = "sales",
) -> None:
    """Print the JSON Schema of a lead, as webhooks and exports have it, with the facts of an agent's record."""
    from gateway.app.catalogue import load
    from gateway.cli.shown import print_json
    from gateway.terms.lead import LeadReport

    card = load().get(agent)
    if card is None or not card.record_schema:
        typer.echo(f"offhook: there is no agent '{agent}' that writes leads.", err=True)
        raise typer.Exit(2)
    described = LeadReport.model_json_schema()
    described["properties"]["facts"] = dict(card.record_schema)
    print_json(described)
