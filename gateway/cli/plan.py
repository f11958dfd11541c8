"""`offhook plan`: check, try, compare and publish dial plans."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.values import NUMBER, whole

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any

    from gateway.config import Settings

command = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Check, try, compare and publish dial plans. A plan is a file, a directory, a version's number, or live.",
)

Plan = Annotated[str, typer.Argument(help="A file, a directory, a version's number, or live.", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Trunks = Annotated[
    Path | None,
    typer.Option(
        "--trunks", help="The trunk file, for numbers and people that no trunk carries; sip-trunk.yaml if it is there."
    ),
]
Message = Annotated[str, typer.Option("--message", "-m", help="Why, for the history.")]
_TRUNK_FILE = Path("sip-trunk.yaml")


@command.command()
def check(plan: Plan = "", trunks: Trunks = None, json: Json = False) -> None:
    """Tell everything that is wrong with a plan, run its own tests, and list the next year's closures.

    Ends with 0 when the plan can be put in force, 1 when it has errors, 2 when it can't be looked at.
    """
    from gateway.app.plans import desk
    from gateway.cli import plan_shown

    async def work() -> int:
        here = settings()
        file = trunks or (_TRUNK_FILE if _TRUNK_FILE.exists() else None)
        async with desk(here, trunks=file) as at:
            loaded = await at.shelf.loaded(plan or str(here.dialplans))
            return plan_shown.checked(loaded, at.shelf.clock, json=json)

    raise SystemExit(_run(work(), json=json))


@command.command()
def simulate(
    plan: Plan = "",
    to: Annotated[str, typer.Option("--to", help="The number that is dialed, or a SIP user.")] = "",
    caller: Annotated[
        str, typer.Option("--from", help="The caller's number, or anonymous; left out: somebody whom no rule means.")
    ] = "",
    at: Annotated[str, typer.Option("--at", help='When: "2026-12-24 11:30", a zone behind it, "tomorrow 9:00".')] = "",
    calls: Annotated[
        int, typer.Option("--calls", parser=whole(0), metavar=NUMBER, help="Live calls that each route has.")
    ] = 0,
    digits: Annotated[str, typer.Option("--digits", help="Keys that the caller presses in menus.")] = "",
    header: Annotated[list[str] | None, typer.Option("--header", help='A SIP header: "Diversion: <sip:…>".')] = None,
    down: Annotated[bool, typer.Option("--no-agent", help="As if the AI were down.")] = False,
    json: Json = False,
) -> None:
    """Tell what a call would get, each rule that is looked at, and whether the call is answered, and so billed."""
    from gateway.app.plans import desk
    from gateway.cli import plan_shown
    from gateway.cli.asking import asked
    from gateway.dialplan.simulate import simulate as try_call
    from gateway.dialplan.state import state_of

    async def work() -> int:
        here = settings()
        async with desk(here) as found:
            name = plan or str(here.dialplans)
            wanted = await found.shelf.plan(name)
            ask = asked(wanted, to=to, caller=caller, at=at, headers=header or [], now=found.shelf.clock)
            active = await found.overrides.active(found.shelf.now) if found.overrides else []
            state = state_of(active, ask.at.timestamp(), elsewhere=calls, no_agent=down)
            plan_shown.simulated(wanted, ask, try_call(wanted, ask, state, digits=digits), json=json)
            return 0

    raise SystemExit(_run(work(), json=json))


@command.command()
def diff(before: Plan, after: Plan, json: Json = False) -> None:
    """Tell which numbers, at which hours of the coming year, reach something else, and which routes do otherwise."""
    from gateway.app.plans import desk
    from gateway.cli import plan_shown
    from gateway.dialplan.diff import diff as compare

    async def work() -> int:
        async with desk(settings()) as at:
            old, new = await at.shelf.plan(before), await at.shelf.plan(after)
            plan_shown.differs(compare(old, new, at.shelf.clock), json=json)
            return 0

    raise SystemExit(_run(work(), json=json))


@command.command()
def backtest(
    plan: Plan = "",
    since: Annotated[str, typer.Option("--since", help="How far back: 7d, 12h, 2026-11-01.")] = "7d",
    json: Json = False,
) -> None:
    """Route the recorded calls by a plan, and tell those that would go another way."""
    from gateway.app.plans import desk
    from gateway.cli import plan_shown
    from gateway.cli.shown import since as instant
    from gateway.operate.backtest import backtest as run
    from gateway.records.store import reading

    async def work() -> int:
        here = settings()
        async with desk(here) as at, reading(here.database) as records:
            wanted = await at.shelf.plan(plan or str(here.dialplans))
            begin = instant(since, at.shelf.now)
            overrides = await at.overrides.since(begin) if at.overrides else []
            moved = await run(wanted, records, begin, at.shelf.of_content, overrides)
            plan_shown.backtested(moved, since, json=json)
            return 0

    raise SystemExit(_run(work(), json=json))


@command.command()
def apply(
    plan: Plan = "",
    at: Annotated[str, typer.Option("--at", help='From when on: "2026-12-24 18:00", "tomorrow 8:00".')] = "",
    message: Message = "",
    json: Json = False,
) -> None:
    """Check a plan and put it in force on every replica, now or at a time. One with errors changes nothing."""
    from gateway.app.plans import desk
    from gateway.cli import plan_shown
    from gateway.cli.asking import instant
    from gateway.operate.publish import apply as publish
    from gateway.operate.who import author

    async def work() -> int:
        here = settings()
        async with desk(here, writes=True) as found:
            name = plan or str(here.dialplans)
            assert found.plans is not None
            start = None
            if at:
                start = instant(at, (await found.shelf.plan(name)).timezone, found.shelf.clock)
            done = await publish(found.shelf, found.plans, name, author=author(), message=message, effective=start)
            await plan_shown.published(done, here.state, json=json)
            return 0

    raise SystemExit(_run(work(), json=json))


@command.command()
def history(
    limit: Annotated[int, typer.Option("--limit", "-n", parser=whole(1), metavar=NUMBER)] = 20, json: Json = False
) -> None:
    """List the versions: when each came in force, by whom, and why."""
    from gateway.app.plans import desk
    from gateway.cli import plan_shown

    async def work() -> int:
        async with desk(settings()) as at:
            versions = await at.plans.history(limit) if at.plans else []
            live = await at.plans.live(at.shelf.now) if at.plans else None
            plan_shown.versions(versions, live, at.shelf.now, json=json)
            return 0

    raise SystemExit(_run(work(), json=json))


@command.command()
def rollback(
    number: Annotated[int, typer.Argument(parser=whole(1), metavar=NUMBER, help="The version's number.")],
    message: Message = "",
    json: Json = False,
) -> None:
    """Put an earlier version in force again. Saved files don't count from then on, until the next apply."""
    from gateway.app.plans import desk
    from gateway.cli import plan_shown
    from gateway.operate.publish import rollback as go_back
    from gateway.operate.who import author

    async def work() -> int:
        here = settings()
        async with desk(here, writes=True) as at:
            assert at.plans is not None
            done = await go_back(at.shelf, at.plans, number, author=author(), message=message)
            await plan_shown.published(done, here.state, json=json)
            return 0

    raise SystemExit(_run(work(), json=json))


@command.command()
def withdraw(
    number: Annotated[int, typer.Argument(parser=whole(1), metavar=NUMBER, help="The version's number.")],
) -> None:
    """Take back a version that was applied for a later time."""
    from gateway.app.plans import desk
    from gateway.cli import shown
    from gateway.errors import Refused

    async def work() -> int:
        async with desk(settings(), writes=True) as at:
            if at.plans is None or not await at.plans.withdraw(number, at.shelf.now):
                raise Refused(
                    f"Version {number} isn't waiting for its time.", remedy="offhook plan history lists them."
                )
            shown.console().print(f"Version {number} is withdrawn.", markup=False)
            return 0

    raise SystemExit(_run(work()))


@command.command()
def schema() -> None:
    """Print the JSON Schema of a plan's files, for editors."""
    from gateway.app.catalogue import load
    from gateway.cli import shown
    from gateway.dialplan.schema import schema as described

    shown.print_json(described(load()))


def settings() -> Settings:
    """The environment's, with the database of the gateway that runs on its state. Raises SetupFault."""
    from gateway.cli import shown
    from gateway.config import from_environment

    address = shown.database(from_environment(os.environ))
    return from_environment({**os.environ, "DATABASE_URL": address})


def _run(work: Coroutine[Any, Any, int], *, json: bool = False) -> int:
    """Do the work; a plan with errors is shown, and ends with 1."""
    from gateway.cli import plan_shown
    from gateway.operate.shelf import BadPlan

    try:
        return asyncio.run(work)
    except BadPlan as bad:
        plan_shown.refused(bad, json=json)
        return 1
