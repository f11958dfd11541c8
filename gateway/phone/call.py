"""One call of the phone: what a person on the line does, hears and waits for. Every wait is bounded."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import sipmessage

from gateway.errors import PeerFault
from gateway.net.media import Port
from gateway.net.sip_exchange import Incoming, Sending
from gateway.phone import ears
from gateway.phone.referred import Transfers
from gateway.phone.tape import Tape
from gateway.phone.timeline import Action, Kind, Signalling, Timeline, measure
from gateway.rtp import FRAME_SECONDS, RATE, Arrival, Audio, KeyPressed, Samples, TimedOut, dtmf
from gateway.rtp.peer import HostPort
from gateway.rtp.session import Sent
from gateway.rtp.statistics import Statistics
from gateway.sip import sdp
from gateway.sip.dialog import Dialog

ANSWER_WITHIN = 30.0
_KEY_WITHIN = 2.0


class Unmet(PeerFault):
    """The other side didn't do what was expected of it; says what was, and for how long it was waited."""


class Call:
    """A call that `Phone.dial` began. All methods belong to the event loop's task that dialed.

    What waits raises Unmet when it doesn't happen in time, or can't any more because the call has ended.
    """

    def __init__(self, dialed: str, now: float, encryption: sdp.Encryption = sdp.Encryption.DISABLE) -> None:
        """`now`: when it was dialed, monotonic seconds. `encryption`: of its media."""
        self.signalling = Signalling(dialed=dialed, invited=now)
        self.tape = Tape()
        self.keys: list[KeyPressed] = []
        """Keys that the other side pressed, as RFC 4733 events."""
        self.parting: tuple[tuple[str, str], ...] = ()
        """Headers of our BYE."""
        self.there: HostPort | None = None
        """Where the other side's call came from; None for one that we have dialed."""
        self.transfers = Transfers()
        """What it does when the other side sends it elsewhere."""
        self._port: Port | None = None
        self._actions: list[Action] = []
        self._changed = asyncio.Event()
        self._dialog: Dialog | None = None
        self._offer: sdp.Session | None = None
        self._encryption = encryption
        self._in_use: sdp.Keys | None = None
        self._cursor = now
        self._sending: Sending | None = None

    # What the phone and the media tell.

    def attach(self, port: Port, offer: sdp.Session) -> None:
        """The phone's: the media port, and what was offered on it."""
        self._port, self._offer = port, offer

    def secret(self) -> tuple[sdp.Encryption, bytes]:
        """The phone's: whether the next description's media is encrypted, and what its keys are made of: new ones each time
        but for the one in use, so that no two calls, and no two streams of one, are sealed alike (RFC 4568 section 6.1)."""
        return self._encryption, sdp.renewed(secrets.token_bytes(sdp.MATERIAL), self._in_use)

    def accept(self, answered: bytes) -> sdp.Stream:
        """The phone's: the audio that the other side's answer to our offer agrees on. Raises SdpMismatch."""
        return sdp.accept(self._offered(), sdp.parse(answered), self._encryption)

    def follow(self, stream: sdp.Stream) -> None:
        """The phone's: the two sides agree on it."""
        self._in_use = stream.keys
        self.port.follow(stream)

    def on_sending(self, sending: Sending) -> None:
        """The phone's: the INVITE is on its way."""
        self._sending = sending

    async def over(self) -> None:
        """The phone's: return once the call has ended."""
        while self.signalling.ended is None:
            await self._change(60.0)

    def on_response(self, response: sipmessage.Response, at: float) -> None:
        """The phone's: a response to the INVITE."""
        told = self.signalling
        if 180 <= response.code < 200 and told.ringing is None:
            self.signalling = replace(told, ringing=at)
        if response.code >= 200:
            ended = at if response.code >= 300 else None
            by = "them" if ended else ""
            self.signalling = replace(told, status=response.code, reason=response.phrase, ended=ended, ended_by=by)
        self._notice()

    def on_answer(self, dialog: Dialog, stream: sdp.Stream, at: float) -> None:
        """The phone's: the 200 made a dialog, and the two sides agree on audio."""
        self._dialog = dialog
        codec = f"{stream.codec}{f' {stream.keys.suite}' if stream.keys is not None else ''}"
        self.signalling = replace(self.signalling, answered=at, codec=codec, call_id=dialog.id.call_id)
        self._cursor = at
        self.follow(stream)
        self._notice()

    def on_ended(self, by: str, at: float, reason: str = "") -> None:
        """The phone's: the call is over, by `us`, `them` or the `network`."""
        if self.signalling.ended is None:
            reason = reason or self.signalling.reason
            self.signalling = replace(self.signalling, ended=at, ended_by=by, reason=reason)
            if self._port is not None:
                self._port.close()
        self._notice()

    def on_reinvite(self, incoming: Incoming) -> None:
        """The phone's: answer a new offer of the other side's, such as hold, or repeat what we have."""
        if self._offer is None:
            incoming.respond(481)
            return
        if not incoming.request.body:
            incoming.respond(200, body=bytes(self._offer), content_type="application/sdp")
            return
        where = (*self.port.address, *self.secret())
        settled = sdp.answer(sdp.parse(incoming.request.body), *where, session_id=int(self._offer.origin.id))
        self.follow(settled.stream)
        incoming.respond(200, body=bytes(settled.session), content_type="application/sdp")

    def reoffered(self, direction: sdp.Direction) -> sdp.Session:
        """The phone's: a new offer on the same port, another direction than before."""
        offered = self._offered()
        before = offered.origin
        codecs = [codec for codec in offered.media[0].codecs.values() if codec != sdp.EVENTS]
        self._offer = sdp.offer(
            *self.port.address, *self.secret(), session_id=int(before.id), version=int(before.version) + 1,
            codecs=codecs, direction=direction,
        )  # fmt: skip
        return self._offer

    def _offered(self) -> sdp.Session:
        if self._offer is None:
            raise Unmet("The call has no audio yet.")
        return self._offer

    def on_audio(self, audio: Audio) -> None:
        """The media's; the tape takes it by `on_frame`."""

    def on_key(self, pressed: KeyPressed) -> None:
        """The media's."""
        self.keys.append(pressed)
        self._notice()

    def on_timeout(self, timeout: TimedOut) -> None:
        """The media's: nothing comes; a person would go on listening."""

    def on_frame(self, sent: Sent, heard: Audio) -> None:
        """The media's: 20 ms."""
        self.tape.frame(heard.at, sent.samples, heard.samples)
        self._notice()

    def on_arrival(self, arrival: Arrival) -> None:
        """The media's: a packet."""
        self.tape.arrival(arrival)

    # What a person does.

    async def answered(self, within: float = ANSWER_WITHIN) -> None:
        """Wait until the other side answers; fails at once when it refuses."""
        await self._until(lambda: self.signalling.answered is not None, within, "the call to be answered")

    async def say(self, samples: Samples, words: str = "", *, kind: Kind = Kind.SAY) -> None:
        """Speak the samples and return when they are on the network; `words` are for the timeline."""
        self._still_up("to speak")
        started = time.monotonic()
        self.port.send(samples)
        async with asyncio.timeout(len(samples) / RATE + _KEY_WITHIN):
            await self.port.sent()
        self._actions.append(Action(kind, words, started, time.monotonic()))
        self._cursor = time.monotonic()

    async def press(self, keys: str) -> None:
        """Press keys and return when they are on the network. Raises PeerFault when one is no key."""
        self._still_up("to press keys")
        started = time.monotonic()
        self.port.press(keys)
        async with asyncio.timeout(len(keys) * 0.5 + _KEY_WITHIN):
            await self.port.sent()
        self._actions.append(Action(Kind.PRESS, keys, started, time.monotonic()))
        self._cursor = time.monotonic()

    async def wait(self, seconds: float) -> None:
        """Stay on the line, until the other side hangs up at most."""
        end = time.monotonic() + seconds
        while self.signalling.ended is None and (left := end - time.monotonic()) > 0:
            await self._change(left)

    async def hang_up(self, why: str = "") -> None:
        """End the call: CANCEL while it rings, BYE once it is answered; nothing when it is over. `why`: the BYE's Reason
        (RFC 3326), such as `Q.850;cause=41`."""
        if self.signalling.ended is not None:
            return
        if self._dialog is None and self._sending is not None:
            self._sending.cancel()
            await self._until(lambda: self.signalling.ended is not None, 5.0, "the cancelled call to end", up=False)
            return
        self.parting = (("Reason", why),) if why else ()
        self.on_ended("us", time.monotonic())

    # What a person hears.

    async def heard(self, within: float = 10.0) -> None:
        """Wait until something is heard that wasn't before this phone's last words."""
        since = self._cursor
        await self._until(lambda: self._sounds(since), within, "anything to be heard")

    async def quiet(self, seconds: float = 1.0, within: float = 30.0) -> None:
        """Wait until the other side has been quiet for that long."""
        since = self._cursor

        def silent() -> bool:
            return self.tape.now - self.tape.speech_heard.quiet_since(since) >= seconds

        await self._until(silent, within, f"{seconds:g} s of quiet")

    async def spoken(self, within: float = 15.0, pause: float = 0.7) -> None:
        """Wait until the other side has said something and then been quiet for `pause` seconds: its turn is over."""
        end = time.monotonic() + within
        await self.heard(within)
        await self.quiet(pause, max(0.1, end - time.monotonic()))

    async def talking(self, seconds: float, within: float = 15.0) -> None:
        """Wait until the other side has been talking for that long, without a pause."""

        def on() -> bool:
            stretches = self.tape.speech_heard.stretches
            return self.tape.speech_heard.talking and self.tape.now - stretches[-1].start >= seconds

        await self._until(on, within, f"{seconds:g} s of talk")

    async def tone(self, frequencies: Sequence[float], within: float = 15.0, seconds: float = 0.06) -> float:
        """Wait until these frequencies (Hz) sound together; when they began (monotonic seconds)."""
        since, sought = self._cursor, ears.Tone(frequencies, seconds)
        found: list[float] = []

        def there() -> bool:
            hit = sought.look(self._since(since + sought.begin))
            found[:] = [since + hit.start] if hit else []
            return bool(found)

        names = "+".join(f"{each:g}" for each in frequencies)
        await self._until(there, within, f"a tone of {names} Hz", each=0.1)
        return found[0]

    async def line(
        self,
        reference: Samples,
        within: float = 20.0,
        *,
        like: float = ears.LIKE,
        whole: bool = False,
        what: str = "",
    ) -> float:
        """Wait until speech like the reference was heard; the score it had. It is compared by correlation, so the
        reference must be the same voice's rendering of the words. `whole`: its beginning mustn't be cut off."""
        since, sought = self._cursor - 0.2, ears.Words(reference)
        best = [0.0]

        def there() -> bool:
            found = sought.look(self._since(since + sought.begin))
            best[0] = found.score
            return found.score >= like and (not whole or found.beginning >= ears.WHOLE)

        await self._until(there, within, f"the words {what or 'asked for'}", each=0.5)
        return best[0]

    async def pressed(self, keys: str, within: float = 15.0) -> None:
        """Wait until the other side has pressed these keys, as events or as tones."""
        await self._until(lambda: keys in (self.keys_heard(), self.key_tones()), within, "the keys", each=0.1)

    async def ended(self, within: float = 20.0) -> None:
        """Wait until the other side has hung up."""
        await self._until(lambda: self.signalling.ended is not None, within, "the other side to hang up", up=False)

    def keys_heard(self) -> str:
        """Keys that the other side pressed as events."""
        return "".join(key.key for key in self.keys)

    def key_tones(self) -> str:
        """Keys that the other side has played as tones since this phone's last words or keys."""
        return "".join(key.key for key in dtmf.find(self._since(self._cursor - 0.3)))

    def timeline(self) -> Timeline:
        """The call's figures up to now."""
        port = self._port
        counts = port.statistics() if port is not None else None
        return measure(
            self.signalling,
            self.tape,
            self._actions,
            counts or Statistics(),
            now=time.monotonic(),
            keys_heard=self.keys_heard(),
        )

    @property
    def port(self) -> Port:
        """The media port."""
        if self._port is None:
            raise Unmet("The call has no audio yet.")
        return self._port

    @property
    def dialog(self) -> Dialog | None:
        """The dialog; None until the call is answered."""
        return self._dialog

    def _since(self, start: float) -> Samples:
        return self.tape.between(self.tape.heard, start, self.tape.now)

    def _sounds(self, since: float) -> bool:
        return any(each.end is None or each.end > since for each in self.tape.speech_heard.stretches)

    def _still_up(self, what: str) -> None:
        if self.signalling.answered is None or self.signalling.ended is not None:
            raise Unmet(f"The call isn't up {what}.")

    def _notice(self) -> None:
        self._changed.set()

    async def _change(self, within: float) -> None:
        self._changed.clear()
        try:
            async with asyncio.timeout(within):
                await self._changed.wait()
        except TimeoutError:
            pass

    async def _until(
        self, condition: Callable[[], bool], within: float, what: str, *, up: bool = True, each: float = 0.0
    ) -> None:
        """Wait for the condition, looked at when something changes, but not more often than `each` seconds."""
        end = time.monotonic() + within
        while not condition():
            now = time.monotonic()
            if up and self.signalling.ended is not None:
                raise Unmet(f"Expected {what}, but the call ended ({self._how()}).")
            if now >= end:
                raise Unmet(f"Expected {what} within {within:g} s.")
            await self._change(end - now)
            while (left := min(now + each, end) - time.monotonic()) > FRAME_SECONDS:
                await self._change(left)

    def _how(self) -> str:
        told = self.signalling
        refused = told.status is not None and told.status >= 300
        if refused:
            return f"{told.status} {told.reason}"
        return told.reason if told.ended_by == "network" else f"hung up by {told.ended_by}"


def silence(seconds: float) -> Samples:
    """Samples of nothing."""
    return np.zeros(round(seconds * RATE), np.int16)
