"""The call store in Redis (6.2 or newer), shared by every process of a gateway.

| key | holds |
| --- | --- |
| `offhook:call:<id>` | a hash (`gateway.calls.store.wire`); expires an hour after the call's end |
| `offhook:call:<id>:<kind>` | what is kept for the call's next job: events, a list of turns and the last of the other kinds |
| `offhook:last:<key>` | the last call of a caller to a number, while another may go on with it |
| `offhook:live` | the ids of the calls that haven't ended |
| `offhook:route:<name>` | the ids of the live calls that count towards the route's limit |
| `offhook:lease:<id>` | `<epoch> <job>`; expires with the lease |
| `offhook:promised:<id>` | `<epoch> <worker>`: whose job is to come; expires |
| `offhook:lost` | calls whose jobs are gone, as `<epoch> <id>`, then ` silent` where nothing was heard of one that lived |
| `offhook:asks` | what jobs ask of control: where their calls go on |
| `offhook:led:<id>` | wakes the job whose call was led on |
| `offhook:events` | the stream, read by the group `records`; an entry goes when it is acknowledged |
| `offhook:latencies` | how long callers waited for agents' answers, or in vain, by when; of the last minutes |
| `offhook:events:unreadable` | the last thousand entries that could not be read |

What must be atomic is a script: Redis runs one at a time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import structlog
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from gateway.calls.shared.redis_answering import WITHIN, answering, seconds, text
from gateway.calls.shared.redis_scripts import Scripts
from gateway.calls.store import scripts, wire
from gateway.calls.store.port import FORGET_AFTER, PROMISED_FOR, Asked, Full, Lost, Standing
from gateway.errors import OurFault
from gateway.metrics import counter
from gateway.terms.call import Call, CallId, Left, Phase
from gateway.terms.event import Event, Kind, last_key, latency
from gateway.terms.kept import ENDED_FOR, KEPT, LIVE_FOR, TURNS, Kept, kept_of

UNREADABLE = counter("calls_unreadable", "Times that a live call in the store couldn't be read")
UNREADABLE_EVENTS = counter("events_unreadable", "Entries of the stream that couldn't be read")
_CALL, _LIVE, _LEASE, _EVENTS = "offhook:call:", "offhook:live", "offhook:lease:", "offhook:events"
_ASKS, _LED, _LOST = "offhook:asks", "offhook:led:", "offhook:lost"
_LAST, _PROMISED = "offhook:last:", "offhook:promised:"
_SILENT = "silent"
_ASIDE, _ASIDE_MOST = "offhook:events:unreadable", 1000
_LATENCIES = "offhook:latencies"
_NOTHING = "offhook:nothing"
"""A key that there never is."""
_GROUP = "records"
_DEAD_AFTER = 30_000
"""Milliseconds after which what a reader never acknowledged is another's to read."""

_Entry = tuple[Any, Mapping[Any, Any]]
"""An id and its fields, as redis-py gives a stream's entries."""

log = structlog.get_logger(__name__)


class RedisStore:
    """Implements `gateway.calls.store.port.CallStore`.

    The client is the caller's to close; make it with `gateway.redis_client`.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._scripts = Scripts(redis, scripts.ALL)

    async def open(self, call: Call, told: Event | None = None, limits: Mapping[str, int] | None = None) -> bool:
        """See the port."""
        event = _flat(wire.event_fields(told)) if told else []
        fields = _flat(wire.call_fields(call))
        return _not_full(await self._run("open", call.id, *_counting(call, limits), len(event), *event, *fields))

    async def get(self, call: CallId) -> Call | None:
        """See the port."""
        async with answering():
            found = await cast(Any, self._redis.hgetall(_CALL + call))
        return wire.read_call(call, _texts(found)) if found else None

    async def live(self) -> Sequence[Call]:
        """See the port."""
        async with answering():
            ids = [CallId(text(one)) for one in await cast(Any, self._redis.smembers(_LIVE))]
            pipe = self._redis.pipeline(transaction=False)
            for call in ids:
                pipe.hgetall(_CALL + call)
            found = await pipe.execute() if ids else []
        calls = []
        for call, fields in zip(ids, found, strict=True):
            try:
                calls.append(wire.read_call(call, _texts(fields)))
            except OurFault as bad:
                if not fields:
                    await self.end(call)  # what is left of a call that Redis has forgotten
                    continue
                # Another version's, as while a new one is rolled out: it must not hide all the others.
                UNREADABLE.inc()
                log.warning("a call can't be read", call=call, why=bad.what)
        return calls

    async def dispatched(self, call: CallId, epoch: int, dispatch: str, at: float) -> bool:
        """See the port."""
        return bool(await self._run("dispatched", call, epoch, dispatch, repr(at)))

    async def raise_epoch(
        self, call: CallId, seen: int, at: float, *, afresh: bool = False, late: int = 0, falls: int = 0
    ) -> Call | None:
        """See the port."""
        flat = await self._run("raise_epoch", call, seen, repr(at), int(afresh), late, falls)
        if not flat:
            return None
        texts = [text(part) for part in flat]
        return wire.read_call(call, dict(zip(texts[::2], texts[1::2], strict=True)))

    async def end(self, call: CallId, told: Event | None = None) -> bool:
        """See the port."""
        event = _flat(wire.event_fields(told)) if told else []
        return bool(await self._run("end", call, call, int(FORGET_AFTER), int(ENDED_FOR), *event))

    async def take(self, call: CallId, epoch: int, job: str, ttl: float, stop: int = 0) -> bool:
        """See the port."""
        return bool(await self._run("take", call, epoch, job, max(1, round(ttl * 1000)), stop))

    async def restore(self, call: Call, job: str, ttl: float) -> bool:
        """See the port."""
        until, done = max(1, round(ttl * 1000)), _flat(wire.ledger_fields(call))
        given = (call.epoch, call.stop, job, until, len(done))
        known = _flat(wire.lost_fields(call))
        return bool(await self._run("restore", call.id, call.id, *given, *done, *known))

    async def standing(self) -> Standing:
        """See the port."""
        async with answering():
            await self._redis.set(
                _NOTHING, "", xx=True
            )  # refused where no lease can be renewed; else it changes nothing
            try:
                told: Mapping[str, Any] = await cast(Any, self._redis.info("server"))
            except ResponseError:  # a Redis that tells us nothing of itself, such as one whose ACL forbids it
                await cast(Any, self._redis.ping())
                return Standing("", float("inf"))
        age = float(told.get("uptime_in_seconds", 0))
        clock = float(told.get("server_time_usec", age * 1e6)) / 1e6
        return Standing(str(told.get("run_id", "")), age, clock)

    async def release(self, call: CallId, epoch: int, job: str, *, silent: bool = False) -> None:
        """See the port."""
        await self._run("release", call, epoch, job, call, _SILENT if silent else "")

    async def lost(self, wait: float) -> Lost | None:
        """See the port."""
        async with answering(wait + WITHIN):
            found = await cast(Any, self._redis.brpop([_LOST], timeout=max(wait, 0.01)))
        if not found:
            return None
        epoch, _, rest = text(found[1]).partition(" ")
        call, _, how = rest.partition(" ")
        return Lost(CallId(call), int(epoch), silent=how == _SILENT)

    async def holder(self, call: CallId) -> str | None:
        """See the port."""
        async with answering():
            lease = await self._redis.get(_LEASE + call)
        return text(lease).partition(" ")[2] if lease else None

    async def promise(self, call: CallId, epoch: int, worker: str) -> None:
        """See the port."""
        async with answering():
            await self._redis.set(_PROMISED + call, f"{epoch} {worker}", px=round(PROMISED_FOR * 1000))

    async def promised(self, call: CallId, epoch: int) -> str | None:
        """See the port."""
        async with answering():
            found = await self._redis.get(_PROMISED + call)
        taken, _, worker = text(found).partition(" ") if found else ("", "", "")
        return worker if taken == str(epoch) else None

    async def ask(self, asked: Asked) -> None:
        """See the port."""
        async with answering():
            await self._scripts["ask"]([_ASKS], wire.ask_texts(asked))

    async def asked(self, wait: float) -> Asked | None:
        """See the port."""
        async with answering(wait + WITHIN):
            found = await cast(Any, self._redis.brpop([_ASKS], timeout=max(wait, 0.01)))
            now = seconds(await cast(Any, self._redis.time())) if found else 0.0
        return wire.read_ask(text(found[1]), now) if found else None

    async def lead(self, call: Call, limits: Mapping[str, int] | None = None) -> bool:
        """See the port."""
        way = _flat(wire.stop_fields(replace(call, checkpoint="", bridged="", left=None, tries=1, falls=0)))
        return _not_full(await self._run("lead", call.id, *_counting(call, limits), call.epoch, call.stop - 1, *way))

    async def led(self, call: CallId, stop: int, wait: float) -> Call | None:
        """See the port."""
        ends = asyncio.get_running_loop().time() + wait
        while True:
            known = await self.get(call)
            if known is None or known.phase is Phase.ENDED:
                return None
            if known.stop > stop:
                return known
            left = ends - asyncio.get_running_loop().time()
            if left <= 0:
                return None
            async with answering(left + WITHIN):
                await cast(Any, self._redis.brpop([_LED + call], timeout=max(left, 0.01)))

    async def keep(self, call: CallId, epoch: int, stop: int, checkpoint: str, bridged: str, last_key: int = 0) -> bool:
        """See the port."""
        return bool(await self._run("keep", call, epoch, stop, checkpoint, bridged, last_key))

    async def left(self, call: CallId, left: Left) -> bool:
        """See the port."""
        return bool(await self._run("left", call, left.leg, wire.left_text(left)))

    async def tell(self, event: Event) -> None:
        """See the port."""
        took = latency(event)
        lasted = f"{event.call} {event.at!r} {took!r}" if took is not None else ""
        kind = event.kind.value if event.kind in KEPT else ""
        bounds = (TURNS, int(LIVE_FOR), int(ENDED_FOR))
        fields = _flat(wire.event_fields(event))
        about = (lasted, repr(event.at), kind, *bounds, last_key(event))
        await self._run("tell", event.call, *wire.mark(event), *about, *fields)

    async def latencies(self, since: float) -> Sequence[float]:
        """See the port."""
        async with answering():
            found = await cast(Any, self._redis.zrangebyscore(_LATENCIES, since, "+inf"))
        return [float(text(one).rpartition(" ")[2]) for one in found]

    async def once(self, event: Event, epoch: int, key: str, result: str) -> str | None:
        """See the port."""
        mark, _ = wire.mark(event)
        fields = _flat(wire.event_fields(event))
        done = await self._run("once", event.call, epoch, wire.EFFECT + key, result, mark, *fields)
        return text(done) if isinstance(done, str | bytes) else None

    async def kept(self, call: CallId) -> Kept:
        """See the port."""
        async with answering():
            pipe = self._redis.pipeline(transaction=True)
            pipe.lrange(f"{_CALL}{call}:turn", 0, -1)
            kinds = [kind for kind in Kind if kind in KEPT and kind is not Kind.TURN]
            for kind in kinds:
                pipe.get(f"{_CALL}{call}:{kind.value}")
            turns, *others = await pipe.execute()
        said = [event for turn in turns if (event := wire.read_kept(call, text(turn))) is not None]
        found = (wire.read_kept(call, text(one)) for one in others if one)
        return kept_of(said, {event.kind: event for event in found if event is not None})

    async def name_last(self, key: str, call: CallId, within: float) -> CallId | None:
        """See the port."""
        async with answering():
            before = cast(Any, await self._redis.set(_LAST + key, call, ex=max(1, round(within)), get=True))
        return CallId(text(before)) if before else None

    async def last(self, key: str) -> CallId | None:
        """See the port."""
        async with answering():
            found = await self._redis.get(_LAST + key)
        return CallId(text(found)) if found else None

    async def read(self, consumer: str, *, count: int, wait: float) -> Sequence[Event]:
        """See the port."""
        async with answering(wait + WITHIN):
            try:
                return await self._read(consumer, count, wait)
            except ResponseError as bad:
                if not str(bad).startswith("NOGROUP"):
                    raise
                # Redis has forgotten the stream: begin it anew.
                await self._group()
                return await self._read(consumer, count, wait)

    async def ack(self, events: Sequence[Event]) -> None:
        """See the port."""
        if not events:
            return
        ids = [event.id for event in events]
        async with answering():
            pipe = self._redis.pipeline(transaction=True)
            pipe.xack(_EVENTS, _GROUP, *ids)
            pipe.xdel(_EVENTS, *ids)
            await pipe.execute()

    async def _read(self, consumer: str, count: int, wait: float) -> Sequence[Event]:
        if mine := await self._entries(consumer, "0", count, None):
            return mine
        claimed = await self._redis.xautoclaim(_EVENTS, _GROUP, consumer, _DEAD_AFTER, count=count)
        if left := await self._readable(claimed[1]):
            return left
        return await self._entries(consumer, ">", count, max(1, round(wait * 1000)))

    async def _entries(self, consumer: str, after: str, count: int, block: int | None) -> Sequence[Event]:
        streams = cast(Any, {_EVENTS: after})
        answer: Any = await self._redis.xreadgroup(_GROUP, consumer, streams, count=count, block=block)
        if not answer:
            return []
        # RESP3 answers with a map of lists of pages, RESP2 with a list of pairs.
        pages = next(iter(answer.values())) if isinstance(answer, Mapping) else [answer[0][1]]
        return await self._readable([entry for page in pages for entry in page])

    async def _readable(self, entries: Sequence[_Entry]) -> Sequence[Event]:
        """The events of those entries; one that can't be read is put aside, so that it doesn't keep the others out."""
        found: list[Event] = []
        for entry in entries:
            if not entry[1]:
                continue  # deleted while a reader had it
            try:
                found.append(wire.read_event(text(entry[0]), _texts(entry[1])))
            except OurFault as bad:
                await self._put_aside(entry)
                UNREADABLE_EVENTS.inc()
                log.error("an event can't be read; it is put aside", entry=text(entry[0]), why=bad.what)
        return found

    async def _put_aside(self, entry: _Entry) -> None:
        pipe = self._redis.pipeline(transaction=True)
        pipe.xadd(_ASIDE, dict(entry[1]), maxlen=_ASIDE_MOST)
        pipe.xack(_EVENTS, _GROUP, entry[0])
        pipe.xdel(_EVENTS, entry[0])
        await pipe.execute()

    async def _group(self) -> None:
        try:
            await self._redis.xgroup_create(_EVENTS, _GROUP, id="0", mkstream=True)
        except ResponseError as bad:
            if not str(bad).startswith("BUSYGROUP"):
                raise

    async def _run(self, script: str, call: CallId, *arguments: str | int) -> Any:
        async with answering():
            return await self._scripts[script]([_CALL + call, _LEASE + call, _LIVE, _EVENTS], arguments)


def _counting(call: Call, limits: Mapping[str, int] | None) -> list[str | int]:
    """The call and what it counts towards, as the scripts take it."""
    bounds = [part for route, limit in (limits or {}).items() for part in (route, limit)]
    return [call.id, len(bounds), *bounds]


def _not_full(done: object) -> bool:
    """What a script that counts has answered. Raises Full."""
    if isinstance(done, str | bytes):
        raise Full(text(done))
    return bool(done)


def _flat(fields: Mapping[str, str]) -> list[str]:
    return [part for field in fields.items() for part in field]


def _texts(fields: Mapping[Any, Any]) -> dict[str, str]:
    return {text(name): text(value) for name, value in fields.items()}
