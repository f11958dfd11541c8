"""The port to live calls. `memory` and `redis_store` implement it; tests/contract holds both to one suite.

One call, one owner: control opens a call at epoch 1 and raises the epoch with every new dispatch; a job may act
only while it holds the lease at the epoch its dispatch named.

A call's way is a row of stops: the job at one asks where the call goes on (`ask`), a control hears it (`asked`), decides
and leads the call there (`lead`), and the job learns of it (`led`). Asking again is no harm, so whoever dies in between
is made up for by the next.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from gateway.terms.act import Onward
from gateway.terms.call import Call, CallId, Left, Pool
from gateway.terms.event import Event
from gateway.terms.kept import Kept

FORGET_AFTER = 3600.0
"""Seconds after its end that a call is known."""
PROMISED_FOR = 30.0
"""Seconds for which it is known which worker has taken a call's dispatch: longer than its job may take to come."""


class Full(Exception):
    """A call wasn't opened: `route` has as many calls as it bears."""

    def __init__(self, route: str) -> None:
        super().__init__(route)
        self.route = route


@dataclass(frozen=True, slots=True)
class Asked:
    """A job asks where its call goes on."""

    call: CallId
    epoch: int
    stop: int
    """The one it has come from."""
    onward: Onward
    pool: Pool
    """Whose job asks."""
    age: float = field(default=0.0, compare=False)
    """Seconds since it was asked, as the store says to whom it gives it."""


@dataclass(frozen=True, slots=True)
class Lost:
    """A call that its job gave back, or whose job is gone."""

    call: CallId
    epoch: int
    """The call's, then."""
    silent: bool = False
    """Its job lived, and nothing was heard of it."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What a store says of itself. Another `run` than before: what was kept last may be lost."""

    run: str
    """Of the server's process; "" where it tells none."""
    age: float
    """Seconds for which it has been answering."""
    clock: float = 0.0
    """Its own, by which leases run out, in seconds; 0 where it tells none."""


class CallStore(Protocol):
    """Every method raises `gateway.errors.Unavailable` when the store does not answer."""

    async def open(self, call: Call, told: Event | None = None, limits: Mapping[str, int] | None = None) -> bool:
        """Add a call that isn't known yet and tell `told` of it, in one step; False, changing and telling nothing, when
        its id is known (live or ended within the last hour), so that two hints of one call open it once.

        `limits`: how many live calls routes bear; the call counts towards each of them until it ends, on whichever
        replica. Raises Full, changing and telling nothing, when one has as many already.
        """
        ...

    async def get(self, call: CallId) -> Call | None:
        """The call, live or ended within the last hour; None when it was never opened."""
        ...

    async def live(self) -> Sequence[Call]:
        """Every call that hasn't ended."""
        ...

    async def dispatched(self, call: CallId, epoch: int, dispatch: str, at: float) -> bool:
        """Note the dispatch made for `epoch`, and count it in `tries`; False when the call is at another epoch or has
        ended."""
        ...

    async def raise_epoch(
        self, call: CallId, seen: int, at: float, *, afresh: bool = False, late: int = 0, falls: int = 0
    ) -> Call | None:
        """Make `seen + 1` the call's epoch and end any lease of `seen`, atomically; `at` becomes its `dispatched`
        time so that no other replica does it again, `tries` begins anew when `afresh`;
        `late` and `falls` become the call's.
        None when another replica was first or the call has ended."""
        ...

    async def end(self, call: CallId, told: Event | None = None) -> bool:
        """Mark the call ended and tell `told` of it, in one step; False, telling nothing, when it had ended already."""
        ...

    async def take(self, call: CallId, epoch: int, job: str, ttl: float, stop: int = 0) -> bool:
        """Take, or renew, the call's lease for `ttl` seconds. False when `epoch` isn't the call's, another job
        holds the lease, the call has ended, or the store has it at a stop before `stop`: the job must leave without a
        sound, unless it conducts the call and `restore` says that the store has forgotten it."""
        ...

    async def restore(self, call: Call, job: str, ttl: float) -> bool:
        """Put the call back as the job that conducts it knows it, with its lease for `ttl` seconds, where the store has
        lost what it knew: all of the call, or its last epochs or stops. It counts towards what it was `counted` towards,
        over a limit too, and what was `done` for it stands in its ledger again, also where the store has lost nothing
        else. False, changing nothing, when the store knows it as far or further and another job holds the lease, at a
        later epoch, or ended: it is no loss then.
        """
        ...

    async def standing(self) -> Standing:
        """Which store answers, and since when. One in which nothing can be changed, as it loads or has become a replica, doesn't
        answer: whoever has a lease can't renew it."""
        ...

    async def release(self, call: CallId, epoch: int, job: str, *, silent: bool = False) -> None:
        """Give the call back, and tell control at once (`lost`): end the job's lease, if it has one. For the job itself,
        or for whoever saw it die, or, `silent`, had to end it because nothing was heard of it. Nothing happens when the call is another's, at another epoch, or over."""
        ...

    async def lost(self, wait: float) -> Lost | None:
        """The next call that was given back; each is given to one reader. None when none was within
        `wait` seconds."""
        ...

    async def holder(self, call: CallId) -> str | None:
        """The job that holds the call's lease now."""
        ...

    async def promise(self, call: CallId, epoch: int, worker: str) -> None:
        """Note that the worker has taken the dispatch of `epoch`: one of its jobs comes for the call. Known for
        PROMISED_FOR seconds, and until a later epoch's is."""
        ...

    async def promised(self, call: CallId, epoch: int) -> str | None:
        """The worker that has taken the dispatch of `epoch`; None where none has said so lately."""
        ...

    async def ask(self, asked: Asked) -> None:
        """Ask control where the call goes on."""
        ...

    async def asked(self, wait: float) -> Asked | None:
        """The next that a job asks; each is given to one reader. None when none came within `wait` seconds."""
        ...

    async def lead(self, call: Call, limits: Mapping[str, int] | None = None) -> bool:
        """Put the call at its `stop`, with its route, pool, brief and act, and without a checkpoint; it counts towards
        `limits` (see `open`) instead of those of its last stop. False, changing nothing, when the store has it at another
        stop than the one before, at another epoch, or ended. Raises Full, changing nothing."""
        ...

    async def led(self, call: CallId, stop: int, wait: float) -> Call | None:
        """The call once it is beyond `stop`; None when it isn't after `wait` seconds, or is over."""
        ...

    async def keep(self, call: CallId, epoch: int, stop: int, checkpoint: str, bridged: str, last_key: int = 0) -> bool:
        """Keep how far the act at this stop has come, who talks with the caller ("" for nobody), and the number of the last
        key that has brought it there (0: as before; it never gets less, whatever the stop). False, keeping nothing, when the
        call is at another epoch or stop, or has ended."""
        ...

    async def left(self, call: CallId, left: Left) -> bool:
        """Note how whoever talks with the caller has left: the call's next job has to know. False, noting nothing, when another
        does, or nobody, or the call has ended."""
        ...

    async def tell(self, event: Event) -> None:
        """Append to the stream the record is written from, and note its kind among the call's `told` if jobs alone tell
        it, and of ANSWERED the last epoch that it names (`Call.heard`); what the call's next job has to know
        (`gateway.terms.kept.KEPT`, and the number of the last key in it) is kept in the same step. An event of the kind HEARD is
        only kept. Durable when it returns."""
        ...

    async def once(self, event: Event, epoch: int, key: str, result: str) -> str | None:
        """Tell of an effect and note it in the call's ledger under `key` (`gateway.calls.talk.effects`) with its `result`, in
        one step, so that it counts as done exactly when it is told. One that the ledger has is told no more: the result
        is the first's. None, telling nothing, when the call is at another epoch: who asks must leave. Of a call that has
        ended, what is left is still done; so it is of one that the store has lost, where the event's own id makes it
        one."""
        ...

    async def kept(self, call: CallId) -> Kept:
        """What has been kept of the call's conversation, until some minutes after its end."""
        ...

    async def name_last(self, key: str, call: CallId, within: float) -> CallId | None:
        """Remember the call as the last under `key` (`gateway.dispatch.redial`) for `within` seconds; the one before, as `last`
        tells it, so that of two at the same time one finds the other."""
        ...

    async def last(self, key: str) -> CallId | None:
        """The call that was named last under `key`; None when none was, or it is too long ago."""
        ...

    async def latencies(self, since: float) -> Sequence[float]:
        """The seconds that callers waited for those answers of agents that were told since then, also for those that never
        came (seconds since the epoch; the last minutes are known)."""
        ...

    async def read(self, consumer: str, *, count: int, wait: float) -> Sequence[Event]:
        """The next entries for the one writer group, those never acknowledged first; waits `wait` seconds at most."""
        ...

    async def ack(self, events: Sequence[Event]) -> None:
        """Say that the entries are written; they are not read again."""
        ...
