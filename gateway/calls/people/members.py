"""The port to the people who take calls, and the lines of those who wait for them; shared by every replica and team.
`memory_members` and `redis_members` implement it; tests/contract holds both to one suite.

A member is one person, whatever teams they are in. What holds one, and what frees them again:

- A call that rings the member holds them for TTL seconds after its last `beat`: a job that dies blocks nobody for ever,
  and the job that takes its place finds the phone still ringing.
- A call that talks with the member (it has left its line and not released them) holds them as long as it lives in the
  call store, whether or not a job beats: the connection outlives our processes, and control, which watches the rooms,
  is who knows when the caller has gone.

Times are seconds since the epoch, by the asker's clock: the gateway's machines must agree to within a second or so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from gateway.terms.call import CallId

TTL = 10.0
"""Seconds that a place in a line and a reservation outlive the last beat."""
REST = 3.0
"""Seconds that a member isn't rung again whose phone was busy, declined or wasn't answered, while the call waits on."""
MISSES = 3
"""Calls missed in a row after which a member is paused."""
PAUSE = 300.0
"""Seconds of that pause."""


class Stage(StrEnum):
    """What a member is doing."""

    FREE = "free"
    RINGING = "ringing"
    TALKING = "talking"
    WRAP_UP = "wrap-up"
    """Left in peace for a while."""
    PAUSED = "paused"
    """Has missed too many calls in a row."""


@dataclass(frozen=True, slots=True)
class Member:
    """One person, as every process sees them."""

    name: str
    call: str = ""
    """Which call holds them now; "" for none."""
    since: float = 0.0
    """When they began to talk with it; 0 while they are rung."""
    rest: float = 0.0
    """Until when they are left in peace."""
    paused: float = 0.0
    """Until when they are paused."""
    ended: float = 0.0
    """When their last call ended; 0 for never."""
    taken: int = 0
    """Calls that they took on `day`."""
    day: str = ""
    missed: int = 0
    """Calls missed in a row."""

    def stage(self, now: float) -> Stage:
        """What they are doing at a time."""
        if self.call:
            return Stage.TALKING if self.since else Stage.RINGING
        if self.paused > now:
            return Stage.PAUSED
        return Stage.WRAP_UP if self.rest > now else Stage.FREE

    def taken_on(self, day: str) -> int:
        """Calls that they took on a day."""
        return self.taken if self.day == day else 0


@dataclass(frozen=True, slots=True)
class Place:
    """A call's place in a team's line, and what its turn depends on."""

    position: int
    """1 for the next."""
    members: Sequence[Member]
    """Those who were asked for, in that order."""
    mine: frozenset[str] = frozenset()
    """Whom this call holds."""
    tried: Mapping[str, int] = field(default_factory=dict)
    """How often this call has rung whom of the team."""
    last: str = ""
    """Whom the team's calls have rung last."""
    talk: float | None = None
    """The team's average talk time in seconds; None before the first talk has ended."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A team's line from outside."""

    calls: int
    since: float | None
    """Since when the first of it waits."""


class Members(Protocol):
    """Every method raises `gateway.errors.Unavailable` when the store does not answer. What a job asks at an epoch
    below the highest that has asked for the same call changes nothing: another job has the call."""

    async def beat(
        self, call: CallId, epoch: int, team: str, since: float, names: Sequence[str], now: float
    ) -> Place | None:
        """Enter the team's line with the time since which the caller waits, or stay in it, and keep what the call
        holds, or held and nobody has taken since, for TTL seconds. `names`: the members to tell of. None when another job has the call, or it has ended.

        First come, first served: by `since`, and by the call's id where two came at once."""
        ...

    async def reserve(
        self,
        call: CallId,
        epoch: int,
        team: str,
        order: Sequence[str],
        now: float,
        *,
        everyone: bool,
        wrap_up: float,
        day: str,
    ) -> tuple[str, ...]:
        """Take who is free for the call, in `order`, if it is its turn; whom it has got, in one step for all replicas.

        With `everyone`: all who are free, unless a call ahead in the line rings nobody yet. Else: the first who is free,
        unless the call rings somebody already, or the calls ahead that ring nobody need all who are free. Nobody for a
        call that isn't in the line. `wrap_up`: seconds of peace that a talk is followed by. `day`: the talk counts on.
        """
        ...

    async def hold(self, call: CallId, epoch: int, name: str, now: float, *, talks: bool) -> bool:
        """Hold a person whom the call rings by itself, not for a team: for TTL seconds, or with `talks`, as they have been
        connected, as long as the call lives. False when another call holds them; they are rung all the same, as their
        phone knows best. `release` for the team "" frees them: such a talk counts for no team, and no peace follows it.
        """
        ...

    async def claim(self, call: CallId, epoch: int) -> bool:
        """Whether the call is the asker's, who is to connect somebody with the caller, and not another job's: which of those who
        take it gets the caller is for the call's own job to say. From now on those before are refused."""
        ...

    async def leave(self, call: CallId, epoch: int, team: str, now: float) -> None:
        """Leave the line. Whom the call holds of the team, it talks with from now on, until they are released; also who
        could have been taken by another call in the meantime, and wasn't."""
        ...

    async def release(
        self, call: CallId, epoch: int, team: str, name: str, now: float, *, took: bool, missed: bool
    ) -> None:
        """Free a member; nothing happens when the call doesn't hold them. `took`: the talk has ended; it counts, and
        its wrap-up begins. `missed`: nobody answered; MISSES of them in a row pause the member. Neither: free at once,
        or after REST seconds when the call waits on in the line, because then the phone was busy or declined."""
        ...

    async def forget(self, call: CallId, now: float) -> None:
        """The call has ended: its places go, whom it rang is free, and with whom it talked has ended a talk."""
        ...

    async def look(self, names: Sequence[str], now: float) -> Sequence[Member]:
        """Those members, in that order; one that nobody has heard of is free."""
        ...

    async def waiting(self, team: str, now: float) -> Waiting:
        """Who waits for a team."""
        ...
