"""How `offhook plan` shows findings, decisions, differences and versions, to people and to scripts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from gateway.app.plans import in_force
from gateway.cli import shown
from gateway.dialplan.actions import Agent
from gateway.dialplan.diff import Difference
from gateway.dialplan.load import Loaded
from gateway.dialplan.model import Finding, Severity
from gateway.dialplan.plan import Plan
from gateway.dialplan.route import ANYBODY, Ask, Step
from gateway.dialplan.simulate import Simulated
from gateway.dialplan.version import Version
from gateway.dialplan.wording import said_of
from gateway.operate.backtest import Moved
from gateway.operate.publish import Published
from gateway.operate.shelf import BadPlan

_STYLE = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTE: "dim"}
_NUMBERS = 4
"""Numbers that a change is told for by name; the rest is counted."""
_HOURS = 6


def refused(bad: BadPlan, *, json: bool) -> None:
    """A plan that can't be used, and why."""
    if json:
        shown.print_json({"ok": False, "findings": [_finding(one) for one in bad.loaded.findings]})
        return
    findings(bad.loaded, error=True)
    shown.console(error=True).print(f"offhook: {bad}", style="red", markup=False, soft_wrap=True)


def findings(loaded: Loaded, *, error: bool = False) -> None:
    """Every finding, one a line."""
    console = shown.console(error=error)
    for finding in loaded.findings:
        console.print(str(finding), style=_STYLE[finding.severity], markup=False, soft_wrap=True)


def checked(loaded: Loaded, now: datetime, *, json: bool) -> int:
    """The outcome of a check; its exit status."""
    plan = loaded.plan
    closures = _closures(plan, now) if plan is not None else []
    if json:
        shown.print_json(
            {
                "ok": plan is not None,
                "version": plan.version if plan else None,
                "numbers": plan.size if plan else None,
                "routes": len(plan.routes) if plan else None,
                "tests": len(plan.tests) if plan else None,
                "findings": [_finding(one) for one in loaded.findings],
                "closures": [{"hours": name, "date": day, "name": why} for day, name, why in closures],
            }
        )
        return 0 if plan is not None else 1
    findings(loaded)
    console = shown.console()
    if plan is None:
        errors = len(loaded.errors)
        console.print(f"{shown.several(errors, 'error')}. Such a plan is never put in force.", markup=False)
        return 1
    if closures:
        console.print("\nClosed, or open at other hours, in the next year:", markup=False)
        grid = shown.grid()
        for day, name, why in closures:
            grid.add_row(shown.text(f"  {day}"), shown.text(name, "dim"), shown.text(why))
        console.print(grid)
        console.print()
    passed = f", {shown.several(len(plan.tests), 'test')} passed" if plan.tests else ""
    warned = sum(one.severity is Severity.WARNING for one in loaded.findings)
    warning = f", {shown.several(warned, 'warning')}" if warned else ""
    size = f"{shown.several(plan.size, 'number')}, {shown.several(len(plan.routes), 'route')}"
    what = f"The plan is right: {size}{passed}{warning}. Content {plan.version}."
    console.print(what, style="green", markup=False)
    return 0


def _closures(plan: Plan, now: datetime) -> list[tuple[str, str, str]]:
    first = now.astimezone(plan.zone).date()
    last = first + timedelta(days=365)
    found = [
        (one.day.isoformat(), name, one.name)
        for name, hours in plan.hours.items()
        for one in hours.closures(first, last)
    ]
    return sorted(found)


def _finding(one: Finding) -> dict[str, object]:
    return {
        "file": one.place.file,
        "line": one.place.line,
        "column": one.place.column,
        "severity": one.severity.value,
        "what": one.what,
        "remedy": one.remedy,
    }


def simulated(plan: Plan, ask: Ask, found: Simulated, *, json: bool) -> None:
    """What a call would get."""
    decision = found.decision
    if json:
        shown.print_json(
            {
                "route": found.route,
                "action": found.action,
                "answers": found.answers,
                "status": getattr(decision.action, "status", None),
                "agent": decision.action.name if isinstance(decision.action, Agent) else None,
                "because": decision.because or None,
                "notices": list(decision.notices),
                "said": said_of(plan, decision, ask.at),
                "time": ask.at.isoformat(),
                "trace": [_step(step) for step in found.trace],
            }
        )
        return
    console = shown.console()
    caller = "anybody" if ask.caller == ANYBODY else shown.number(ask.caller.reveal() if ask.caller else "")
    console.print(
        f"{shown.number(ask.dialed)}, from {caller}, {ask.at:%a %Y-%m-%d %H:%M %Z}", style="bold", markup=False
    )
    grid = shown.grid()
    for step in found.trace:
        place = f"{step.place.file}:{step.place.line}" if step.place else ""
        style = "" if step.matched else "dim"
        mark = shown.text("✓" if step.matched else "·", "green" if step.matched else "dim")
        grid.add_row(mark, shown.text(step.rule, style), shown.text(place, "dim"), shown.text(step.why, style))
    console.print(grid)
    console.print(_end(plan, ask, found), style="bold", markup=False)


def _end(plan: Plan, ask: Ask, found: Simulated) -> str:
    decision = found.decision
    status = getattr(decision.action, "status", None)
    if status is not None:
        what = f"turned away with {status}" + (f" by '{found.route}'" if found.route else ": no line is for the number")
    else:
        what = f"route '{found.route}' ({found.action})"
    heard = " ".join(said_of(plan, decision, ask.at))
    bills = "It is answered, and bills." if found.answers else "It isn't answered, and doesn't bill."
    return f"→ {what}. {bills}" + (f'\n  "{heard}"' if heard else "")


def _step(step: Step) -> dict[str, object]:
    place = step.place
    return {
        "rule": step.rule,
        "matched": step.matched,
        "why": step.why,
        "file": place.file if place else None,
        "line": place.line if place else None,
    }


def differs(found: Difference, *, json: bool = False) -> None:
    """What callers meet otherwise."""
    if json:
        shown.print_json(
            {
                "changes": [
                    {
                        "numbers": list(one.numbers),
                        "callers": one.caller or None,
                        "before": one.before,
                        "after": one.after,
                        "hours": list(one.hours),
                    }
                    for one in found.changes
                ],
                "routes": [{"route": one.route, "changes": list(one.what)} for one in found.altered],
            }
        )
        return
    console = shown.console()
    if not found:
        console.print("No call reaches anything else.", markup=False)
    for one in found.changes:
        who = f", {one.caller}" if one.caller else ""
        console.print(f"{_few(one.numbers, _NUMBERS)}{who}", style="bold", markup=False)
        console.print(f"  {one.before or 'nothing'} → {one.after or 'nothing'}", markup=False)
        console.print(f"  {_few(one.hours, _HOURS)}", style="dim", markup=False)
    for altered in found.altered:
        console.print(altered.route, style="bold", markup=False)
        for line in altered.what:
            console.print(f"  {line}", markup=False)


def _few(texts: Sequence[str], most: int) -> str:
    more = f" and {len(texts) - most} more" if len(texts) > most else ""
    return ", ".join(texts[:most]) + more


async def published(done: Published, state: Path, *, json: bool) -> None:
    """What came of putting a plan in force."""
    version = done.version
    waits = version.effective > version.made and done.fresh
    taken = not waits and await in_force(state, version.number)
    warned = [one for one in done.loaded.findings if one.severity is Severity.WARNING] if done.fresh else []
    if json:
        told = {"fresh": done.fresh, "taken": taken, "warnings": [_finding(one) for one in warned]}
        shown.print_json({**_version(version), **told})
        return
    for one in warned:
        shown.console().print(str(one), style=_STYLE[one.severity], markup=False, soft_wrap=True)
    if done.difference is not None and done.fresh:
        differs(done.difference)
    console = shown.console()
    if not done.fresh:
        text = f"Nothing to do: version {version.number} is in force and says the same."
    elif waits:
        zone = done.loaded.plan.zone if done.loaded.plan else None
        text = f"Version {version.number} comes in force on {shown.moment_in(version.effective, zone)}."
    else:
        where = "the running gateway has it" if taken else "a gateway takes it up within a second, or when it starts"
        text = f"Version {version.number} is in force: {where}. Calls that are under way go on as they began."
    console.print(text, style="green", markup=False)
    if version.source.value == "rollback":
        console.print("Saved files don't count from now on, until the next offhook plan apply.", markup=False)


def versions(found: Sequence[Version], live: Version | None, now: float, *, json: bool) -> None:
    """The history."""
    if json:
        shown.print_json([{**_version(one), "live": live is not None and one.number == live.number} for one in found])
        return
    console = shown.console()
    if not found:
        console.print("There are no versions yet. offhook up, or offhook plan apply, makes the first.", markup=False)
        return
    table = shown.table("", "Nr", f"In force ({shown.zone(now)})", "By", "Content", "Why", wide="Why")
    for one in found:
        mark = "●" if live is not None and one.number == live.number else _mark(one, now)
        table.add_row(
            shown.text(mark, "green"),
            shown.text(one.number),
            shown.text(shown.moment(one.effective, now)),
            shown.text(one.author),
            shown.text(one.content, "dim"),
            shown.text(one.message or one.source.value),
        )
    console.print(table)


def _mark(one: Version, now: float) -> str:
    if one.withdrawn is not None:
        return "withdrawn"
    return "waits" if one.effective > now else ""


def _version(one: Version) -> dict[str, object]:
    return {
        "number": one.number,
        "content": one.content,
        "author": one.author,
        "made": shown.rfc3339(one.made),
        "effective": shown.rfc3339(one.effective),
        "message": one.message,
        "source": one.source.value,
        "of": one.of or None,
        "withdrawn": one.withdrawn is not None,
    }


def backtested(moved: Moved, since: str, *, json: bool) -> None:
    """The recorded calls that would go another way."""
    if json:
        shown.print_json(
            {
                "calls": moved.looked_at,
                "moved": sum(one.count for one in moved.groups),
                "groups": [
                    {
                        "dialed": one.dialed,
                        "before": one.before,
                        "after": one.after,
                        "count": one.count,
                        "calls": list(one.calls),
                    }
                    for one in moved.groups
                ],
            }
        )
        return
    console = shown.console()
    if not moved.looked_at:
        console.print(f"There are no recorded calls since {since}.", markup=False)
        return
    if not moved.groups:
        console.print(f"All {moved.looked_at} calls since {since} would go the same way.", style="green", markup=False)
        return
    count = sum(one.count for one in moved.groups)
    console.print(f"{count} of {moved.looked_at} calls since {since} would go another way:", markup=False)
    table = shown.table("Calls", "Dialed", "Went to", "Would go to", "Such as", wide="Such as")
    for group in moved.groups:
        such = ", ".join(shown.short(call) for call in group.calls[:3])
        cells: Iterable[object] = (
            group.count,
            shown.number(group.dialed, none="unknown"),
            group.before,
            group.after,
            such,
        )
        table.add_row(*(shown.text(cell) for cell in cells))
    console.print(table)
