"""A dispatcher on the memory store, with rooms that only remember what was asked of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from gateway.app.catalogue import load as catalogue
from gateway.bus.callstate import CallState, Status
from gateway.calls.store.memory import MemoryStore
from gateway.dialplan.load import load
from gateway.dispatch.decide import Arrival
from gateway.dispatch.dispatcher import Dispatcher
from gateway.dispatch.redial import Quiet
from gateway.dispatch.rooms import Present, Rooms
from gateway.errors import Unavailable
from gateway.terms.call import CallId
from gateway.terms.ending import Party
from gateway.terms.event import Event, Kind
from gateway.terms.personal import Number
from gateway.terms.times import patience

CALL = CallId("SCL_1")
JOB_WITHIN = patience(0)


@dataclass
class Remembering(Rooms):
    """Rooms whose callers are `there`."""

    there: dict[CallId, Arrival] = field(default_factory=dict)
    done: list[tuple[str, ...]] = field(default_factory=list)
    down: bool = False
    callerless: frozenset[str] = frozenset()
    listed: frozenset[str] = frozenset()
    unreachable: bool = False
    """Whoever is listed was served by a livekit-server that is dead."""
    unlisted: bool = False
    told_quiet: Quiet | None = None
    legs: set[str] = field(default_factory=set)

    async def callers(self) -> Mapping[CallId, Arrival]:
        if self.unlisted:
            raise Unavailable("LiveKit doesn't answer.")
        return dict(self.there)

    async def has(self, room: str, identity: str) -> bool:
        return identity in self.legs or any(one.identity == identity for one in self.there.values())

    async def quiet(self, room: str, identity: str) -> Quiet | None:
        return self.told_quiet

    async def dispatch(self, agent_name: str, room: str, metadata: str) -> str:
        if self.down:
            raise Unavailable("LiveKit doesn't answer.")
        self.done.append(("dispatch", agent_name, metadata))
        return f"AD_{len(self.done)}"

    async def present(self, room: str) -> Present:
        return Present(frozenset({*self.legs, *(one.identity for one in self.there.values())}), ["agent"], ["AD_old"])

    async def withdraw(self, room: str, old: Present) -> None:
        self.done.append(("withdraw", *old.agents, *old.dispatches))

    async def turn_away(self, room: str, identity: str, status: int) -> bool:
        if self.unreachable:
            raise Unavailable("LiveKit doesn't answer.")
        self.done.append(("turn away", str(status)))
        return True

    async def have_heard(self, room: str) -> None:
        self.done.append(("have heard", room))

    async def close(self, room: str) -> None:
        self.done.append(("close",))

    def did(self, what: str) -> int:
        return sum(one[0] == what for one in self.done)


class World:
    """One dispatcher, or two of them, on one store."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.told: list[Event] = []
        self.store, self.rooms = MemoryStore(lambda: self.now), Remembering()
        plan = load(Path(__file__).parents[3] / "dialplans", catalogue(), datetime(2026, 11, 23, 15, tzinfo=UTC)).plan
        assert plan
        self.plan = plan
        self.settled = True
        self.one, self.two = (
            Dispatcher(self.store, self.rooms, lambda: plan, settled=lambda: self.settled, clock=lambda: self.now)
            for _ in range(2)
        )

    async def events(self) -> list[Event]:
        fresh = await self.store.read("test", count=100, wait=0.01)
        await self.store.ack(fresh)
        self.told.extend(fresh)
        return self.told

    async def kinds(self) -> list[Kind]:
        return [event.kind for event in await self.events()]


def arrival(dialed: str = "+15105550100", *, joined: bool = True) -> Arrival:
    return Arrival(CALL, "call-_x", "sip_1", Number(dialed), Number("+15105550177"), "ST_1", joined=joined)


def state(status: Status, room: str = "call-_x", **changes: object) -> CallState:
    told = CallState(str(CALL), room, status, 200, "OK", Party.CALLER, "PCMU/8000", Number("+15105550177"),
                     Number("+15105550100"), 1001.0, "ST_1", "sip_1")  # fmt: skip
    return replace(told, **changes)  # type: ignore[arg-type]  # names of CallState's
