"""Putting a plan in force: checked first, whole or not at all."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.dialplan.diff import Difference, diff
from gateway.dialplan.load import Loaded
from gateway.dialplan.plan import Plan
from gateway.dialplan.version import Source, Version
from gateway.errors import Refused
from gateway.operate.shelf import BadPlan, Shelf, unpacked
from gateway.records.plans import Plans


@dataclass(frozen=True, slots=True)
class Published:
    """What came of it."""

    version: Version
    loaded: Loaded
    difference: Difference | None
    """What callers meet otherwise than before; None for the first plan."""
    fresh: bool
    """False when that plan was in force already."""


async def apply(
    shelf: Shelf, plans: Plans, name: str, *, author: str, message: str, effective: float | None
) -> Published:
    """Make the plan a version, in force now or from `effective` (seconds since the epoch) on.

    Raises BadPlan, and changes nothing, when it has errors; Refused when there is no such plan or the time is past.
    """
    if effective is not None and effective <= shelf.now:
        raise Refused("The time to apply it at is past.", remedy="Leave --at out to apply it now.")
    loaded = await shelf.loaded(name)
    if loaded.plan is None:
        raise BadPlan("Nothing was changed: the plan has errors.", loaded, remedy="Correct them and apply it again.")
    again = unpacked(loaded.files, shelf.catalogue, shelf.clock, loaded.plan).plan
    if again is None or again.version != loaded.plan.version:
        what = f"Nothing was changed: '{name}' can't be kept as a version, its files would be read otherwise."
        raise Refused(what, remedy="Call the plan's own files .yaml, and no others.")
    live = await plans.live(shelf.now)
    before = await _plan_of(shelf, live)
    made = await plans.apply(
        loaded.files,
        content=loaded.plan.version,
        author=author,
        now=shelf.later,
        effective=effective,
        message=message,
    )
    told = diff(before, loaded.plan, shelf.clock) if before is not None else None
    version = made or live
    assert version is not None
    return Published(version, loaded, told, made is not None)


async def rollback(shelf: Shelf, plans: Plans, number: int, *, author: str, message: str) -> Published:
    """Put an earlier version in force again; files that are saved don't count until the next apply.

    Raises Refused when there is none of that number, BadPlan when it can't be used by this offhook any more.
    """
    wanted = await plans.get(number)
    files = await plans.files(number)
    loaded = await shelf.of_version(wanted)
    if loaded.plan is None:
        raise BadPlan(f"Nothing was changed: version {number} has errors.", loaded, remedy="Choose another.")
    live = await plans.live(shelf.now)
    before = await _plan_of(shelf, live)
    made = await plans.apply(
        files,
        content=wanted.content,
        author=author,
        now=shelf.later,
        message=message or f"back to version {number}",
        source=Source.ROLLBACK,
        of=number,
    )
    if made is None:
        raise Refused(f"Version {number} says what is in force already.", remedy="offhook plan history lists them.")
    return Published(made, loaded, diff(before, loaded.plan, shelf.clock) if before is not None else None, fresh=True)


async def _plan_of(shelf: Shelf, version: Version | None) -> Plan | None:
    return (await shelf.of_version(version)).plan if version is not None else None
