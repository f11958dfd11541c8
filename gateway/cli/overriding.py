"""What `offhook close`, `open`, `away` and `notice` share."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from typing import Annotated

import typer

from gateway.dialplan.state import EVERYWHERE

Until = Annotated[
    str, typer.Option("--until", help='"tomorrow 09:00", 18:00, "in 2h", 2027-01-02: in the plan\'s zone.')
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def add(kind: str, subject: str, until: str, say: str = "", *, json: bool) -> None:
    """Override something in the plan that is in force, and say what now counts. Raises Refused, SetupFault."""
    from gateway.app.plans import desk
    from gateway.cli.plan import settings
    from gateway.operate.overriding import override
    from gateway.operate.who import author

    async def work() -> None:
        async with desk(settings(), writes=True) as at:
            plan = await at.shelf.plan("live")
            assert at.overrides is not None
            now = datetime.fromtimestamp(at.shelf.later, UTC)
            made = await override(
                plan, at.overrides, kind=kind, subject=subject, end=until, say=say, author=author(), now=now
            )
            show(kind, subject, made.until, plan.zone, json=json)

    asyncio.run(work())


def end(kinds: Sequence[str], subject: str, *, json: bool) -> None:
    """End an override before its time. Raises Refused when there is none."""
    from gateway.app.plans import desk
    from gateway.cli import shown
    from gateway.cli.plan import settings
    from gateway.errors import Refused
    from gateway.operate.who import author

    async def work() -> None:
        async with desk(settings(), writes=True) as at:
            assert at.overrides is not None
            if not await at.overrides.end(kinds, subject, author(), at.shelf.later):
                raise Refused(f"Nothing of that kind counts for '{subject}'.", remedy="offhook status lists what does.")
            if json:
                shown.print_json({"kind": kinds[0], "subject": subject, "ended": True})
            else:
                shown.console().print(f"The plan counts for '{subject}' again.", style="green", markup=False)

    asyncio.run(work())


_DONE = {
    "close": "'{subject}' is closed",
    "open": "'{subject}' is open",
    "away": "'{subject}' is away",
    "notice": "Callers of '{subject}' hear it first",
}


def show(kind: str, subject: str, until: float, zone: tzinfo, *, json: bool) -> None:
    """What counts now."""
    from gateway.cli import shown

    if json:
        shown.print_json({"kind": kind, "subject": subject, "until": shown.rfc3339(until)})
        return
    what = _DONE[kind].format(subject=subject) if subject != EVERYWHERE else "All callers hear it first"
    text = f"{what} until {shown.moment_in(until, zone)}, from the next call on."
    shown.console().print(text, style="green", markup=False, soft_wrap=True)
