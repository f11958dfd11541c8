"""The one way out: every leg and every REFER of a call passes here, and is judged before LiveKit is asked for it.

    passed = await outward.may("+15105550111", "dial-1")     raises Refused, Unavailable, SetupFault
    await outward.dial(passed, leg)                          or outward.refer(passed, …)

Nothing else in the program asks LiveKit to dial or to refer (tests/unit/conduct/legs/test_outward.py reads the code for it),
and what is dialed is what was judged: `passed` is this object's own, and good for one call.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Protocol

import structlog
from google.protobuf.duration_pb2 import Duration
from livekit import api
from livekit.protocol.sip import SIPCodec, SIPMediaConfig

from gateway.errors import OurFault, Refused, Unavailable
from gateway.guard import judge
from gateway.guard.book import RuleBook
from gateway.guard.judge import Refusal, Why
from gateway.guard.meter import Cap, Meter, caps, of_call
from gateway.metrics import counter
from gateway.terms.act import Because
from gateway.terms.address import Address
from gateway.terms.call import Call
from gateway.terms.number import country_of
from gateway.terms.outbound import Rules
from gateway.terms.personal import Number
from gateway.terms.times import SILENT_FOR
from gateway.terms.tones import ON, TONES
from gateway.trunks.choose import OutboundTrunk, Way, choose

FRESH = 10.0
"""Seconds for which the list of trunks is believed."""
TAKEN_WITHIN = 2.0
"""Seconds for which a call that no SIP service takes is tried again: less than whoever waits for it has to spare."""
AGAIN = 0.5
"""Seconds to wait before each such try."""
REFUSED = counter("dials_refused", "Legs and transfers that the toll-fraud guard didn't let out", "why")

Trunks = Callable[[], Awaitable[Sequence[OutboundTrunk]]]
Barred = Callable[[Number], Awaitable[bool]]
"""Whether a number (E.164) is never to be called again. Raises Unavailable."""

LetsOut = Callable[[Call, str], Awaitable[None]]
"""Whether a call could be connected with an address; raises OffhookError where not."""

_WIDEBAND = (SIPCodec(name="G722", rate=8000),)
"""Offered before the others."""

log = structlog.get_logger(__name__)


async def nobody(_: Call, __: str) -> None:
    """LetsOut that lets nobody out."""
    raise Refused("Nobody may be called from here.")


class SipService(Protocol):
    """The part of LiveKit's API that dials."""

    async def create_sip_participant(
        self, create: api.CreateSIPParticipantRequest, *, timeout: float | None = None
    ) -> object:
        """Dial."""
        ...

    async def transfer_sip_participant(
        self, transfer: api.TransferSIPParticipantRequest, *, timeout: float | None = None
    ) -> object:
        """Refer."""
        ...


@dataclass(frozen=True, slots=True)
class Guard:
    """What decides, beside the trunks."""

    book: RuleBook
    meter: Meter
    barred: Barred


@dataclass(frozen=True, slots=True, eq=False)
class Passed:
    """Somebody who may be called now, once."""

    address: Address
    way: Way | None
    """By which trunk; None for a number that the caller's carrier calls."""
    once: str
    """Its name, as it is counted."""
    counted: tuple[Cap, ...]
    price: float
    """What a minute of it is taken to cost."""


@dataclass(frozen=True, slots=True)
class Leg:
    """A leg as it is to be in the caller's room."""

    room: str
    identity: str
    name: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    ringing: float = 25.0
    """Seconds."""
    waits: bool = True
    """The answer is waited for."""


class Outward:
    """What a call may be connected with outside. One per job."""

    def __init__(
        self,
        sip: SipService,
        call: Call,
        trunks: Trunks,
        guard: Guard,
        *,
        default: str = "",
        silent_for: float = SILENT_FOR,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`sip`: LiveKitAPI.sip. `trunks`: reads the outbound trunks (`gateway.trunks.outbound.reader`). `default`:
        Settings.sip_outbound_trunk. `silent_for`: Settings.human_silent. `clock`: seconds since the epoch."""
        self._sip, self._call, self._read, self._guard = sip, call, trunks, guard
        self._default, self._silent_for, self._clock = default, silent_for, clock
        self._known: tuple[float, Sequence[OutboundTrunk]] = (-math.inf, ())
        self._passed: set[Passed] = set()
        """Those that weren't used yet."""

    async def look(self, address: str) -> None:
        """Whether an address could be let out as it is written, before anything is done for it: nothing is counted. Raises
        as `may` does."""
        await self._judged(address, await self._trunks())

    async def may(self, address: str, name: str, *, refer: bool = False) -> Passed:
        """Let an address out, as it is written.

        `name`: the leg's, or any other that this call uses once. `refer`: the caller's carrier is to call it. Raises
        Refused, and Unavailable or SetupFault where nobody can tell.
        """
        call = self._call
        trunks = await self._trunks()
        rules, judged = await self._judged(address, trunks)
        way = None
        if not refer or judged.address.trunk:
            way = choose(str(judged.address), trunks, dialed=call.dialed, caller=call.caller, default=self._default)
        number = judged.address.e164
        # Not of whom the operator names: anybody can say in a salesperson's name that they want no more calls.
        if number and not judged.named and await self._guard.barred(Number(number)):
            raise self._refused(Refusal(Why.DO_NOT_CALL, "That number is on the do-not-call list."))
        asked = refer or call.because == Because.TRANSFER.value
        # A transfer counts once, also where the caller's carrier can't and it is dialed.
        once = f"{call.id}:{call.stop if asked else name}"
        counted = caps(rules, judged, self._clock(), of_call(call, asked=asked))
        passed = Passed(judged.address, way, once, counted, judged.price)
        try:
            full = await self._guard.meter.take(once, counted)
        except asyncio.CancelledError:  # it may have been counted, and nobody is called
            with suppress(Unavailable):
                await self.came_to(passed, 0.0)
            raise
        if full:
            raise self._refused(_full(next(cap for cap in counted if cap.key == full)))
        self._passed.add(passed)
        return passed

    async def dial(self, passed: Passed, leg: Leg, within: float) -> None:
        """Dial somebody who has passed. `within`: seconds that LiveKit may take. Raises what LiveKit's API raises, and
        TimeoutError."""
        way = self._use(passed).way
        if way is None:
            raise OurFault("Somebody is to be dialed who was let out for the caller's carrier.")
        request = api.CreateSIPParticipantRequest(
            sip_trunk_id=way.trunk.id,
            sip_call_to=way.to.reveal(),
            sip_number=way.shown.reveal(),
            headers=dict(way.headers),
            room_name=leg.room,
            participant_identity=leg.identity,
            participant_name=leg.name,
            participant_attributes=dict(leg.attributes) | ({TONES: ON} if way.trunk.tones else {}),
            wait_until_answered=leg.waits,
            ringing_timeout=_duration(leg.ringing),
            media=SIPMediaConfig(
                media_timeout=_duration(self._silent_for), codecs=_WIDEBAND if way.trunk.wideband else ()
            ),
        )
        loop = asyncio.get_running_loop()
        again_until = loop.time() + TAKEN_WITHIN
        async with asyncio.timeout(within):
            while True:
                try:
                    await self._sip.create_sip_participant(request, timeout=within)
                    return
                except api.TwirpError as bad:
                    if not nobody_took(bad) or loop.time() >= again_until:
                        raise
                    log.warning("no SIP service takes a call now", why=bad.message)
                await asyncio.sleep(AGAIN)

    async def refer(self, passed: Passed, ringing: float, within: float) -> None:
        """Send the call's caller to somebody who has passed: their carrier calls whom the REFER names. `ringing`:
        seconds that it may take. Raises as `dial` does."""
        way, address = self._use(passed).way, passed.address
        to = f"tel:{address.user}" if way is None else f"{address.scheme}:{address.user}@{way.trunk.address}"
        request = api.TransferSIPParticipantRequest(
            room_name=self._call.room,
            participant_identity=self._call.sip_identity,
            transfer_to=to,
            play_dialtone=True,
            ringing_timeout=_duration(ringing),
        )
        async with asyncio.timeout(within):
            await self._sip.transfer_sip_participant(request, timeout=within)

    async def came_to(self, passed: Passed, seconds: float) -> None:
        """What it came to: seconds of talk, 0 where nobody answered. A call that was made counts as often as it was made;
        the money is what it took. Raises Unavailable."""
        cost = passed.price * math.ceil(seconds / 60)
        money = [replace(cap, amount=cost) for cap in passed.counted if cap.money]
        await self._guard.meter.settle(passed.once, money)

    def _use(self, passed: Passed) -> Passed:
        """The same. Raises OurFault for what was never let out, or has been used."""
        if passed not in self._passed:
            raise OurFault("Something is to be called that wasn't let out.")
        self._passed.remove(passed)
        return passed

    async def _judged(self, address: str, trunks: Sequence[OutboundTrunk]) -> tuple[Rules, judge.Passed]:
        """What counts, and the address as it has passed; lists and caps come behind."""
        call = self._call
        rules = await self._guard.book.of(call.plan)
        if rules is None:
            raise Unavailable("Nobody knows yet what may be called.", remedy="Start offhook control.")
        here = [country_of(call.dialed), *(country_of(Number(one)) for trunk in trunks for one in trunk.numbers[:1])]
        judged = judge.judge(address, rules, here)
        if isinstance(judged, Refusal):
            raise self._refused(judged)
        return rules, judged

    def _refused(self, no: Refusal) -> Refused:
        REFUSED.labels(no.why.value).inc()
        log.warning("the guard refuses a call", call=self._call.id, why=no.why.value)
        return Refused(no.what, remedy=no.remedy)

    async def _trunks(self) -> Sequence[OutboundTrunk]:
        now = asyncio.get_running_loop().time()
        if now - self._known[0] > FRESH:
            self._known = (now, await self._read())
        return self._known[1]


def _full(cap: Cap) -> Refusal:
    if cap.money:
        return Refusal(
            Why.SPENT, "The day's cap on what calls may cost is reached.", "Raise outbound: {spend: {a_day: …}}."
        )
    what = cap.key.partition(":")[0]
    return Refusal(
        Why.OFTEN, f"The cap on calls out of one {what} is reached.", f"Raise outbound: {{caps: {{{what}: …}}}}."
    )


def _duration(seconds: float) -> Duration:
    return Duration(seconds=int(seconds), nanos=int(seconds % 1 * 1e9))


def nobody_took(bad: api.TwirpError) -> bool:
    """Whether a SIP call was refused before any service had begun it, so that nobody rings: none answered LiveKit's bus, as
    while Redis is away, or the one that did takes no calls now (github.com/livekit/psrpc: ErrNoResponse is `unavailable`).
    What a callee's SIP status refused was begun."""
    return bad.code == api.TwirpErrorCode.UNAVAILABLE and "sip_status_code" not in bad.metadata
