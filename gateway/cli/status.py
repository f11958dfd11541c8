"""`offhook status`: what runs, which plan is in force, what is overridden, which providers fail, and how the teams
stand."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from gateway.cli.values import NUMBER, whole

if TYPE_CHECKING:
    from gateway.app.plans import Desk
    from gateway.dialplan.overrides import Override
    from gateway.dialplan.version import Version

command = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@command.command()
def status(
    past: Annotated[
        int, typer.Option("--past", parser=whole(0), metavar=NUMBER, help="List so many overrides that are over.")
    ] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Tell what runs, which plan is in force, what is wrong with its files, what operators have overridden, which
    providers of the agents fail, and how the teams stand."""
    from gateway.app.plans import asked, desk
    from gateway.app.providers import providers_out
    from gateway.app.teams import teams_now
    from gateway.cli import providers_shown, shown, teams_shown
    from gateway.cli.plan import settings

    async def work() -> None:
        found = settings()
        async with desk(found) as at:
            live = await at.plans.live(at.shelf.now) if at.plans else None
            active = await at.overrides.active(at.shelf.now) if at.overrides else []
            over = await at.overrides.past(at.shelf.now, past) if at.overrides and past else []
            control = await asked(found.state)
            teams = await teams_now(found, at.shelf.now)
            out = await providers_out(found)
            if json:
                told = {"past": [_over(one) for one in over], "teams": teams_shown.as_json(teams or [])}
                told["providers"] = providers_shown.as_json(out, at.shelf.now)
                shown.print_json({**_told(control, live, active), **told})
                return
            _show(control, live, active, at.shelf.now)
            for text, style in providers_shown.lines(out, at.shelf.now):
                shown.console().print(text, style=style, markup=False)
            for text in _active(active, await _zone(at, control, live) if active else None):
                shown.console().print(text, style="yellow", markup=False)
            for one in over:
                shown.console().print(_was(one, at.shelf.now), style="dim", markup=False)
            if teams:
                shown.console().print(teams_shown.table(teams))

    asyncio.run(work())


def _told(
    control: Mapping[str, object] | None, live: Version | None, active: Sequence[Override]
) -> Mapping[str, object]:

    return {
        "running": control is not None,
        "plan": {"number": live.number, "content": live.content, "author": live.author} if live else None,
        "in_force": control.get("number") if control else None,
        "pinned": bool(control and control.get("pinned")),
        "differs": bool(control and control.get("differs")),
        "findings": control.get("findings", []) if control else [],
        "unusable": control.get("unusable", []) if control else [],
        "overrides": [_counts(one) for one in active],
        "pools": control.get("pools", {}) if control else {},
    }


_WRONG = {
    "findings": "The plan's files are wrong; the version before stays in force:",
    "unusable": "The newest version can't be used by this offhook; an older one is in force:",
}


def _counts(one: Override) -> dict[str, object]:
    from gateway.cli import shown

    return {
        "kind": one.kind,
        "subject": one.subject,
        "until": shown.rfc3339(one.until),
        "say": one.say or None,
        "author": one.author,
        "made": shown.rfc3339(one.made),
    }


def _over(one: Override) -> dict[str, object]:
    from gateway.cli import shown

    ended = shown.rfc3339(one.until if one.ended is None else one.ended)
    return {**_counts(one), "ended": ended, "ended_by": one.ended_by or None}


def _was(one: Override, now: float) -> str:
    from gateway.cli import shown

    end = shown.moment(one.until if one.ended is None else one.ended, now)
    by = f", ended by {one.ended_by}" if one.ended_by else ""
    said = f': "{one.say}"' if one.say else ""
    return f"was: {one.kind} {one.subject}, {shown.moment(one.made, now)} to {end}, by {one.author}{by}{said}"


def _show(control: Mapping[str, object] | None, live: Version | None, active: Sequence[Override], now: float) -> None:
    from gateway.cli import shown

    console = shown.console()
    grid = shown.grid()
    grid.add_row(shown.text("Gateway", "dim"), shown.text("runs" if control else "doesn't run here"))
    plan = f"version {live.number} by {live.author}, {shown.moment(live.effective, now)}" if live else "none yet"
    if control is not None and live is not None and control.get("number") != live.number:
        plan += f"; the running gateway has version {control.get('number')}"
    grid.add_row(shown.text("Plan", "dim"), shown.text(plan))
    if control is not None and control.get("differs"):
        why = "don't count since the rollback" if control.get("pinned") else "say something else than what is in force"
        text = f"{why}; offhook plan apply puts them in force"
        grid.add_row(shown.text("Files", "dim"), shown.text(text, "yellow"))
    pools = control.get("pools") if control is not None else None
    for name, how, style in _pools(pools) if isinstance(pools, Mapping) else ():
        grid.add_row(shown.text(name, "dim"), shown.text(how, style))
    console.print(grid)
    for name, what in _WRONG.items():
        findings = control.get(name, []) if control is not None else []
        if isinstance(findings, list) and findings:
            console.print(what, style="red", markup=False)
            for finding in findings:
                console.print(f"  {finding}", style="red", markup=False, soft_wrap=True)


def _pools(told: Mapping[str, object]) -> Iterator[tuple[str, str, str]]:
    """How the workers stand: a name, what is said of it, and its style."""
    for pool in ("agents", "house"):
        found = told.get(pool)
        if isinstance(found, Mapping):
            calls, slots, workers = (int(found.get(name, 0)) for name in ("calls", "slots", "workers"))
            how = f"{calls} of {slots} calls, {workers} worker{'s' * (workers != 1)}" if workers else "no worker"
            p90 = told.get("p90")
            if pool == "agents" and isinstance(p90, float) and p90:
                how += f"; nine of ten answers within {p90:.1f} s"
            yield pool.capitalize(), how, "" if calls < slots else "yellow"
    if told.get("slow"):
        yield "Overload", f"{told['slow']}: new calls go where the plan says 'full'", "yellow"


async def _zone(at: Desk, control: Mapping[str, object] | None, live: Version | None) -> ZoneInfo | None:
    """The zone of the plan in force; None when it can't be read."""
    if control is not None and control.get("timezone"):
        return ZoneInfo(str(control["timezone"]))
    plan = (await at.shelf.loaded(str(live.number))).plan if live is not None else None
    return plan.zone if plan is not None else None


def _active(active: Sequence[Override], zone: ZoneInfo | None) -> Iterator[str]:
    from gateway.cli import shown

    for one in active:
        said = f': "{one.say}"' if one.say else ""
        yield f"{one.kind} {one.subject} until {shown.moment_in(one.until, zone)}, by {one.author}{said}"
