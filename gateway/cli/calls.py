"""`offhook calls`: what calls there were, and everything of one."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.ids import given
from gateway.cli.values import NUMBER, whole

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.records.store import Record
    from gateway.records.timeline import Moment

command = typer.Typer(
    add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, help="List and show calls."
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON, times in RFC 3339, UTC.")]
Limit = Annotated[
    int, typer.Option("--limit", "-n", parser=whole(1), metavar=NUMBER, help="At most so many, the newest.")
]
Since = Annotated[
    str, typer.Option(help="Only since then: 90m, 2h, 3d, today, yesterday, 2026-11-23, '2026-11-23 14:00'.")
]

_STYLES = {
    "served": "green",
    "message": "yellow",
    "callback": "yellow",
    "lost": "bold red",
    "abandoned": "yellow",
    "rejected": "red",
}
_KEPT = (("L", "lead"), ("T", "ticket"), ("C", "callback"), ("M", "message"))
_WHO = {"caller": "cyan", "agent": "green", "keypad": "magenta", "message": "cyan", "": "dim"}


@command.command("list")
def list_calls(
    limit: Limit = 20,
    since: Since = "",
    callbacks: Annotated[bool, typer.Option("--callbacks", help="The callbacks that were promised.")] = False,
    json: Json = False,
) -> None:
    """List the newest calls, or the callbacks to make."""
    from gateway.cli import records
    from gateway.cli.shown import print_json
    from gateway.records import store

    found = records.listed(store.callbacks if callbacks else store.calls, limit=limit, since=since, now=time.time())
    if json:
        print_json(found if callbacks else [_call_json(row) for row in found])
    elif not found:
        records.nothing("callbacks" if callbacks else "calls", since)
    elif callbacks:
        _print_callbacks(found, time.time())
    else:
        _print_calls(found, time.time())


@command.command("show")
def show_call(
    call: Annotated[str, typer.Argument(metavar="ID", callback=given, help="Its id, or the first characters of it.")],
    json: Json = False,
) -> None:
    """Show one call: who, when, what was said, how long each answer took, how it ended."""
    from gateway.cli import records
    from gateway.cli.shown import print_json

    found = records.one(call)
    if json:
        print_json(record_json(found))
    else:
        _print_record(found, time.time())


def record_json(record: Record) -> dict[str, object]:
    """All of a call, for scripts."""
    from dataclasses import asdict

    from gateway.records.handoffs import handed, held
    from gateway.records.timeline import finished

    return {
        **_call_json(record.call),
        "handoffs": [asdict(one) for one in handed(record.legs, record.waits, record.notes)],
        "caller_held": held(record.notes, None, finished(record.call)),
        "attempts": record.attempts,
        "turns": record.turns,
        "switches": record.switches,
        "lead": record.lead,
        "ticket": record.ticket,
        "callbacks": [{**row, "number": row["number"] or record.call["caller"]} for row in record.callbacks],
        "stops": record.stops,
        "legs": record.legs,
        "waits": record.waits,
        "messages": record.messages,
        "notes": record.notes,
    }


def _call_json(call: Mapping[str, object]) -> dict[str, object]:
    from gateway.records.timeline import finished, outcome, talked

    over = finished(call) is not None
    unknown = {
        "hung_up_by": call["hung_up_by"] or ("unknown" if over else None),
        "sip_text": call["sip_text"] or ("unknown" if over else None),
    }
    return {**call, **unknown, "outcome": outcome(call), "talked_seconds": talked(call)}


def _print_calls(found: Sequence[Mapping[str, object]], now: float) -> None:
    from gateway.cli import shown
    from gateway.records.timeline import outcome, talked

    table = shown.table("ID", "Started", "Dialed", "Caller", "Agent", "Outcome", "Talked")
    for row in found:
        kept = "".join(mark for mark, name in _KEPT if row[name])
        what = outcome(row)
        table.add_row(
            shown.text(shown.short(row["id"]), "bold"),
            shown.text(shown.moment(row["started"], now)),
            shown.text(row["dialed"] or "unknown"),
            shown.text(row["caller"] or shown.nobody(row)),
            shown.text(row["agent"] or "–"),
            shown.text(f"{what} {kept}".strip(), _STYLES.get(what, "")),
            shown.text(shown.length(talked(row))),
        )
    console = shown.console()
    console.print(table)
    if any(row[name] for row in found for _, name in _KEPT):
        console.print("\nL lead  T ticket  C callback  M message", style="dim", markup=False)
    console.print("offhook calls show ID tells all of one.", style="dim", markup=False)


def _print_callbacks(found: Sequence[Mapping[str, object]], now: float) -> None:
    from gateway.cli import shown

    table = shown.table("ID", "Booked", "Call", "Promised", "Reason", wide="Reason")
    for row in found:
        table.add_row(
            shown.text(shown.short(row["call"]), "bold"),
            shown.text(shown.moment(row["at"], now)),
            shown.text(shown.number(row["number"])),
            shown.text(_promised(row, now)),
            shown.text(row["reason"] or "–"),
        )
    shown.console().print(table)


def _promised(row: Mapping[str, object], now: float) -> str:
    from gateway.cli import shown

    return shown.moment(row["promised_at"], now) if row["promised_at"] is not None else str(row["promised"] or "–")


def _print_record(record: Record, now: float) -> None:
    from gateway.cli import shown
    from gateway.cli.records import print_paper
    from gateway.records.timeline import timeline

    console = shown.console()
    _print_head(record)
    moments = timeline(record.call, attempts=record.attempts, turns=record.turns, switches=record.switches,
                       callbacks=record.callbacks, stops=record.stops, legs=record.legs, waits=record.waits,
                       messages=record.messages, notes=record.notes)  # fmt: skip
    console.print()
    _print_moments(moments)
    for title, paper in (("Lead", record.lead), ("Ticket", record.ticket)):
        if paper is not None:
            console.print()
            print_paper(title, paper)
    for row in record.callbacks:
        number = shown.number(row["number"] or record.call["caller"])
        console.print(f"\nCallback to {number}, promised {_promised(row, now)}", style="bold yellow", markup=False)


def _print_head(record: Record) -> None:
    from gateway.cli import shown
    from gateway.records.timeline import outcome, talked

    call, what = record.call, outcome(record.call)
    agents = [call["agent"] or "–", *(row["agent"] for row in record.switches)]
    lines = {
        "Outcome": what,
        "Dialed": shown.number(call["dialed"], none="unknown"),
        "Caller": shown.number(call["caller"], none=shown.nobody(call)),
        **({"Dialed first": shown.number(call["diverted_from"])} if call["diverted_from"] else {}),
        "Agent": " → ".join(map(str, agents)),
        "Route": f"{call['route']} (plan {str(call['plan'])[:12]})" if call["route"] else "–",
        "Trunk": call["trunk"] or "–",
        "Started": shown.whole_moment(call["started"]),
        "Talked": shown.length(talked(call)),
        "Hung up by": call["hung_up_by"] or _unknown(call),
        "SIP": _sip(call),
    }
    console = shown.console()
    console.print(shown.text(f"Call {call['id']}", "bold"))
    grid = shown.grid()
    for name, value in lines.items():
        grid.add_row(shown.text(name, "dim"), shown.text(value, _STYLES.get(what, "") if name == "Outcome" else ""))
    console.print(grid)


def _sip(call: Mapping[str, object]) -> str:
    """The SIP service's last word on the call, else the status we rejected it with."""
    status, why = call["sip_status"], call["sip_text"]
    if status is None and call["reject_status"] is not None:
        status, why = call["reject_status"], call["reject_reason"]
    parts = [f"{status or ''} {why or ''}".strip() or _unknown(call), call["codec"]]
    return ", ".join(str(part) for part in parts if part)


def _unknown(call: Mapping[str, object]) -> str:
    """What stands for a thing nobody told of: it may yet come while the call lasts."""
    from gateway.records.timeline import finished

    return "–" if finished(call) is None else "unknown"


def _print_moments(moments: Sequence[Moment]) -> None:
    from gateway.cli import shown

    grid = shown.grid()
    for moment in moments:
        offset = moment.at - moments[0].at
        minutes, seconds = divmod(max(0.0, offset), 60)
        said = shown.text(moment.text, "" if moment.who else "dim")
        if moment.note:
            said.append(f"  {shown.printable(moment.note)}", style="dim")
        grid.add_row(
            shown.text(f"{int(minutes)}:{seconds:04.1f}", "dim"), shown.text(moment.who, _WHO.get(moment.who, "")), said
        )
    shown.console().print(grid)
