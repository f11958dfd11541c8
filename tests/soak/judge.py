"""What came of the calls of a soak, and what they have left in the processes. Pure."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from tests.bench.figures import percentile

JOINED_WITHIN = 0.6
"""Seconds from a dispatch until 99 of a hundred jobs are in the room."""
FILES_MORE = 8
"""File descriptors that a process may have more of afterwards: a pool of connections is as large as its busiest moment."""
MEGABYTES_MORE = 10.0
"""Megabytes that a process of ours may have grown by."""
OURS = ("edge", "control", "speech", "worker-agents", "worker-house")
"""Whose memory is judged: the others' is their own affair, and told."""
EXACT = ("udp ports", "tasks", "jobs")
"""What must be back where it was."""


@dataclass(frozen=True, slots=True)
class Placed:
    """One call."""

    number: int
    kind: str
    answered: float | None = None
    """Seconds from the INVITE to the 200; None when it wasn't answered."""
    joined: float | None = None
    """Seconds from control's dispatch until the job was in the room; None where that isn't known."""
    jobs: int = 0
    """That were sent for it."""
    ending: str = ""
    """The record's; "" when there is none, or it isn't ended."""
    why: str = ""
    """What the caller says went wrong; "" for nothing."""

    @property
    def lost(self) -> bool:
        """Nobody came, or nobody wrote it down."""
        return self.answered is None or not self.ending


@dataclass(frozen=True, slots=True)
class Census:
    """What there is when nobody calls: of each process, and of what all share."""

    processes: Mapping[str, Mapping[str, float]]
    shared: Mapping[str, float]
    """Rooms, live calls, and keys of Redis by their kind."""


@dataclass(frozen=True, slots=True)
class Soak:
    """A run, in one part or several against the same gateway."""

    calls: Sequence[Placed]
    before: Census
    """Once a first burst had filled what stays filled."""
    after: Census
    seconds: float
    """In which calls were placed."""
    parts: int = 1
    cpu: float = 0.0
    """Seconds of CPU that the gateway's processes took meanwhile."""
    note: str = field(default="")


def grown(before: Census, after: Census) -> list[str]:
    """What is left of the calls, in words; nothing when all is back at the start's count."""
    found = [
        f"{name}: {what} {old.get(what, 0.0):g} → {count:g}"
        for name, now in after.processes.items()
        if (old := before.processes.get(name)) is not None
        for what, count in now.items()
        if count > old.get(what, 0.0) + _allowed(name, what)
    ]
    gone = [f"{name} is another process, or none" for name in before.processes if name not in after.processes]
    shared = [
        f"{what}: {before.shared.get(what, 0.0):g} → {count:g}"
        for what, count in after.shared.items()
        if count > before.shared.get(what, 0.0)
    ]
    return found + gone + shared


def _allowed(name: str, what: str) -> float:
    if what in EXACT:
        return 0.0
    if what == "files":
        return FILES_MORE
    return MEGABYTES_MORE if what == "megabytes" and name in OURS else float("inf")


def broken(soak: Soak) -> list[str]:
    """Each limit that was broken, in words."""
    found = [f"{len(lost)} calls lost" for lost in [[one for one in soak.calls if one.lost]] if lost]
    joined = [one.joined for one in soak.calls if one.joined is not None]
    if joined and (p99 := percentile(joined, 0.99)) > JOINED_WITHIN:
        found.append(f"dispatch → job in the room p99 {1000 * p99:.0f} ms > {1000 * JOINED_WITHIN:.0f}")
    return found + grown(soak.before, soak.after)


def lines(soak: Soak) -> Iterable[str]:
    """The report, line by line; the last one sums it up."""
    yield f"{len(soak.calls)} calls in {soak.seconds / 60:.1f} minutes, {soak.parts} parts; {soak.note}".rstrip("; ")
    yield f"  CPU a call, all of the gateway's processes: {soak.cpu / max(len(soak.calls), 1):.2f} s"
    for what, times in (
        ("dispatch → job in the room", [one.joined for one in soak.calls if one.joined is not None]),
        ("INVITE → 200", [one.answered for one in soak.calls if one.answered is not None]),
    ):
        if times:
            told = ", ".join(
                f"p{share:g} {1000 * percentile(times, share / 100):.0f} ms" for share in (50, 90, 99, 100)
            )
            yield f"  {what}: {told} ({len(times)})"
    again = sum(one.jobs > 1 for one in soak.calls)
    yield f"  calls that another job was sent for: {again}"
    for why, count in sorted(Counter(one.why for one in soak.calls if one.why).items()):
        yield f"  {count} × {why}"
    for name, now in soak.after.processes.items():
        old = soak.before.processes.get(name, {})
        yield f"  {name}: " + ", ".join(f"{what} {old.get(what, 0):g} → {count:g}" for what, count in now.items())
    yield "  shared: " + ", ".join(
        f"{what} {soak.before.shared.get(what, 0):g} → {count:g}" for what, count in soak.after.shared.items()
    )
    wrong = broken(soak)
    lost = sum(one.lost for one in soak.calls)
    yield f"soak: {len(soak.calls)} calls, {lost} lost" + (f" – FAILED: {'; '.join(wrong)}" if wrong else " – ok")


def together(earlier: Soak | None, part: Soak) -> Soak:
    """The run so far and a further part of it: what was there first and what is there now."""
    if earlier is None:
        return part
    return Soak(
        calls=[*earlier.calls, *part.calls],
        before=earlier.before,
        after=part.after,
        seconds=earlier.seconds + part.seconds,
        parts=earlier.parts + 1,
        cpu=earlier.cpu + part.cpu,
        note=part.note or earlier.note,
    )


def written(soak: Soak) -> str:
    """As a file keeps it."""
    return json.dumps(asdict(soak))


def read(text: str) -> Soak:
    """What `written` wrote."""
    found: dict[str, Any] = json.loads(text)
    return Soak(
        **{
            **found,
            "calls": [Placed(**one) for one in found["calls"]],
            "before": Census(**found["before"]),
            "after": Census(**found["after"]),
        }
    )
