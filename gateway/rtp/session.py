"""One call's RTP, both directions, without I/O."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gateway.errors import PeerFault
from gateway.rtp import FRAME, RATE, Arrival, Audio, KeyPressed, Samples, TimedOut, codec, dtmf
from gateway.rtp.continuity import Continuity
from gateway.rtp.jitter import JitterBuffer
from gateway.rtp.packet import RtpPacket, RtpSyntaxError, is_rtcp, parse, write
from gateway.rtp.peer import HostPort, Peer
from gateway.rtp.queue import SendQueue
from gateway.rtp.rtcp import Control, Sending
from gateway.rtp.shield import NotGenuine, Shield
from gateway.rtp.statistics import Reception, Statistics
from gateway.rtp.telephone_event import Receiver, Sender

MAX_PAYLOAD = 8 * FRAME
"""Bytes of one packet: 160 ms; no sender packs more."""
SPARED = 50
"""Packets (one second) that a peer who may not be where it says gets at once; see `Session.sparing`."""
_STATIC = {coding.payload_type: name for name, coding in codec.TABLE.items()}
_COMFORT_NOISE = 13
"""Payload type of RFC 3389. Nobody is told that we take it, and some gateways send it all the same while nobody speaks."""
_SOURCES = 4
"""Sources (SSRC) of keys that are remembered; some gateways send keys from one of their own."""


@dataclass(frozen=True, slots=True)
class Format:
    """What SDP settled on. What we speak is understood at its static types whatever stands here: a peer may have answered several."""

    codec: str
    """By its name in SDP, which `gateway.rtp.codec.TABLE` has."""
    payload_type: int = -1
    """RTP payload type that we send `codec` with; -1 for the codec's static one."""
    event_type: int | None = None
    """Payload type that we send telephone-event/8000 with; None: the other side doesn't take it, keys go as tones."""
    heard_payload_type: int = -1
    """Payload type that `codec` arrives with; -1 for that it is sent with."""
    heard_event_type: int | None = None
    """Payload type that telephone-event arrives with; None for that it is sent with."""

    @property
    def audio_type(self) -> int:
        """The payload type audio is sent with."""
        return self.payload_type if self.payload_type >= 0 else codec.TABLE[self.codec].payload_type

    def understood(self) -> dict[int, str]:
        """The codec of each audio payload type."""
        heard = self.heard_payload_type if self.heard_payload_type >= 0 else self.audio_type
        return {**_STATIC, self.audio_type: self.codec, heard: self.codec}

    def is_event(self, payload_type: int) -> bool:
        """Whether packets of a type are keys."""
        return payload_type in (self.event_type, self.heard_event_type)


@dataclass(frozen=True, slots=True, eq=False)
class Sent:
    """What went out in one frame."""

    datagram: bytes | None
    """None while the other side must not be sent media."""
    samples: Samples
    """What the other side hears by it; silence while a key is sent as an event."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds without RTP that are reported; livekit-sip's values."""

    initial: float = 30.0
    later: float = 15.0


class Session:
    """One call's RTP. `receive` each datagram, `send` and `hear` every 20 ms.

    `ssrc`, `sequence` and `timestamp`: random numbers of 32, 16 and 32 bits (RFC 3550 section 5.1); no randomness here.
    `queue`: what is to be said; what is heard has its rate, whatever the codec's is. `now`: when the session begins, for
    the time-outs. `tapped`: somebody listens to the packets as they arrive.
    """

    def __init__(
        self,
        form: Format,
        peer: Peer,
        *,
        ssrc: int,
        sequence: int,
        timestamp: int,
        queue: SendQueue,
        now: float,
        timeouts: Timeouts | None = None,
        tapped: bool = True,
    ) -> None:
        self.queue = queue
        self._rate, self._tapped = queue.rate, tapped
        self._nothing: Samples = np.zeros(FRAME * self._rate // RATE, np.int16)
        self.peer = peer
        self._timeouts = timeouts or Timeouts()
        self._ssrc, self._sequence, self._timestamp = ssrc, sequence, timestamp
        self._keys = Sender()
        self._tones: deque[Samples] = deque()
        self._marker = True
        self._sounding = False
        self._reception = Reception()
        self._buffer = JitterBuffer(self._rate)
        self._encode = codec.Sender(form.codec, self._rate)
        self._hearers: dict[str, codec.Hearer] = {}
        """What decodes this source, in the order of hearing."""
        self._arrivals: dict[str, codec.Hearer] = {}
        """The same, in the order of arrival."""
        self._format = form
        self._source: int | None = None
        self._continuity = Continuity()
        self._shield: Shield | None = None
        self._receivers: OrderedDict[int, Receiver] = OrderedDict()
        self._keys_with_audio = False
        self._control = Control(ssrc, f"{ssrc:08x}", now)
        self._octets = 0
        self._heard_from = now
        self._paused = 0.0
        """The longest that nothing came, before more did."""
        self._timed_out = False
        self._sent = self._received = self._malformed = self._foreign = self._forged = self._underruns = 0
        self.sends = self.receives = True
        self.sparing = False
        """Nothing proves yet that the peer wants what is sent: it gets SPARED packets, and beyond them as many as come from there, so
        that nobody can have us send to another much more than they send themselves."""
        self.update(form, peer, now=now)

    def update(
        self,
        form: Format,
        peer: Peer,
        *,
        now: float,
        sends: bool = True,
        receives: bool = True,
        shield: Shield | None = None,
    ) -> None:
        """Take on what a new offer and answer settled: another format or address, encryption, or hold. Time-outs start
        anew.

        A learned address stays when the negotiated one is the same again, until the peer is heard from another: see `Peer.reopen`.
        """
        self._shield = shield
        if form.codec != self._format.codec:
            self._encode = codec.Sender(form.codec, self._rate)
        self._format, self._codecs = form, form.understood()
        if peer.negotiated != self.peer.negotiated:
            self.peer, self._continuity = peer, Continuity()
        elif peer is not self.peer:
            self.peer.reopen(peer.learn_from, now)
        self._marker = self._marker or not self.sends
        self.sends, self.receives = sends, receives
        self._heard_from, self._timed_out = now, False

    def receive(self, datagram: bytes, source: HostPort, at: float) -> list[Arrival | KeyPressed]:
        """Take a datagram that came from `source` at `at`. RTCP and what others than the peer send is passed over."""
        moved = not self.peer.admits(source, at)
        if moved and not self.peer.may_have_moved(source, at):
            self._foreign += 1
            return []
        if is_rtcp(datagram):
            self.receive_report(datagram, source, at)
            return []
        if self.peer.replaced(source, at):
            self._continuity = Continuity()
        try:
            packet = parse(datagram if self._shield is None else self._shield.open(datagram))
            if moved and self._shield is None and not self._continuity.goes_on(packet.ssrc, packet.sequence):
                raise NotGenuine("it isn't the peer's stream that goes on at another port")
            told = self._event(packet, at) if self._format.is_event(packet.payload_type) else self._audio(packet, at)
        except PeerFault as bad:
            self._passed_over(bad, moved=moved)
            return []
        self.peer.heard(source, at)
        self._paused = max(self._paused, at - self._heard_from) if self._received else 0.0
        self._received += 1
        self._heard_from, self._timed_out = at, False
        return told

    def _passed_over(self, why: PeerFault, *, moved: bool) -> None:
        """Count a datagram that isn't heard. `moved`: it came from where the peer may be now."""
        if moved:
            self._foreign += 1
        elif isinstance(why, NotGenuine):
            self._forged += 1
        else:
            self._malformed += 1

    def receive_report(self, datagram: bytes, source: HostPort, at: float) -> None:
        """Take a report (RTCP) that came from `source`, by whichever port."""
        if source[0] != self.peer.address[0]:
            self._foreign += 1
            return
        try:
            self._control.receive(datagram if self._shield is None else self._shield.open_report(datagram), at)
        except NotGenuine:
            self._forged += 1

    def report(self, now: float, wall: float) -> bytes | None:
        """Our report that is due, or None; asked at every tick. `wall`: seconds since 1970."""
        return self._reported(self._control.due, now, wall)

    def bye(self, now: float, wall: float) -> bytes | None:
        """Our last report, which tells that we leave; None where none was sent before."""
        return self._reported(self._control.bye, now, wall)

    def _reported(self, make: Callable[..., bytes | None], now: float, wall: float) -> bytes | None:
        if self._spares:
            return None
        sending = Sending(self._sent, self._octets, self._timestamp)
        made = make(now, wall, sending, self._source, self._reception)
        return made if made is None or self._shield is None else self._shield.seal_report(made)

    def hear(self, now: float) -> Audio:
        """The frame of received audio that is due now; call it every 20 ms."""
        return self._buffer.take(now)

    def send(self, now: float = 0.0) -> Sent:
        """What is due now; call it every 20 ms. `now`: by the clock that the queue's samples came by."""
        timestamp = self._timestamp
        self._timestamp += FRAME
        event = self._keys.next(timestamp)
        audio = self._next_audio(now, pressing=event is not None)
        if not self.sends or self._spares:
            self._marker = self._marker or self._spares
            return Sent(None, self._nothing)
        if event is not None and self._format.event_type is not None:
            packet = self._packet(self._format.event_type, event.timestamp, event.payload, marker=event.marker)
        else:
            packet = self._packet(self._format.audio_type, timestamp, self._encode(audio), marker=self._marker)
            self._marker = False
        self._sent += 1
        return Sent(packet, self._nothing if audio is None or event is not None else audio)

    def skip(self, frames: int) -> None:
        """Let time pass without sending: the pacer was held up for longer than it may catch up."""
        self._timestamp += frames * FRAME
        self._marker = True

    def press(self, keys: str) -> None:
        """Send keys, as events or, when those weren't negotiated, as tones. Raises PeerFault when one is no key."""
        if self._format.event_type is not None:
            self._keys.press(keys)
        else:
            for frame in dtmf.tones(keys, self._rate).reshape(-1, len(self._nothing)):
                self._tones.append(frame)

    def clear(self) -> float:
        """Barge-in: forget audio and keys that haven't begun; returns the seconds of audio forgotten."""
        self._keys.clear()
        return self.queue.clear()

    @property
    def idle(self) -> bool:
        """Whether nothing waits to be sent."""
        return not (self._keys.busy or self._tones or self.queue.seconds)

    def timed_out(self, now: float) -> TimedOut | None:
        """Whether the other side has just been silent for too long; asked at every tick. Never while on hold."""
        if not self.receives or self._timed_out:
            return None
        limit = self._timeouts.later if self._received else self._timeouts.initial
        silent = now - self._heard_from
        if silent < limit:
            return None
        self._timed_out = True
        return TimedOut(initial=not self._received, seconds=silent)

    def quiet(self, now: float) -> tuple[float, float]:
        """Seconds since anything came from the peer, and in the longest pause of theirs before. The first is 0 where nothing
        need come, as on hold, or nothing has come yet."""
        return (now - self._heard_from if self.receives and self._received else 0.0), self._paused

    def statistics(self) -> Statistics:
        """The counts up to now."""
        return Statistics(
            sent=self._sent,
            received=self._received,
            lost=self._reception.lost,
            jitter=self._reception.jitter,
            late=self._buffer.late,
            concealed=self._buffer.concealed,
            foreign=self._foreign,
            malformed=self._malformed,
            forged=self._forged,
            dropped=self.queue.dropped,
            underruns=self._underruns,
            round_trip=self._control.round_trip,
            lost_there=self._control.their_lost,
            reports=self._control.reports,
        )

    @property
    def _spares(self) -> bool:
        return self.sparing and self._sent >= self._received + SPARED

    def _packet(self, payload_type: int, timestamp: int, payload: bytes, *, marker: bool) -> bytes:
        packet = RtpPacket(payload_type, self._sequence & 0xFFFF, timestamp, self._ssrc, payload, marker)
        self._sequence += 1
        self._octets += len(payload)
        written = write(packet)
        return written if self._shield is None else self._shield.seal(written)

    def _next_audio(self, now: float, *, pressing: bool) -> Samples | None:
        if self._tones:
            return self._tones.popleft()
        if pressing and not self.queue.live:
            return None
        samples = self.queue.take(now)
        if samples is None and self._sounding:
            self._underruns += 1
        self._sounding = samples is not None and bool(samples[-1])
        return samples

    def _audio(self, packet: RtpPacket, at: float) -> list[Arrival | KeyPressed]:
        name = self._codecs.get(packet.payload_type)
        quiet = packet.payload_type == _COMFORT_NOISE or (name is not None and not packet.payload)
        if (name is None and not quiet) or len(packet.payload) > MAX_PAYLOAD:
            raise RtpSyntaxError("the packet's payload isn't what was negotiated")
        if self._shield is None and not self._continuity.admits(packet.ssrc, packet.sequence, at):
            raise NotGenuine("a second stream comes beside the peer's")
        if packet.ssrc != self._source:
            if self._source is not None:
                self._reception.restart()
                self._buffer.restart()
                self._hearers, self._arrivals = {}, {}
            self._source = packet.ssrc
        self._reception.packet(packet.sequence)
        if name is None or quiet:  # nothing is to be heard, or only that the peer is there (RFC 6263 section 4.4)
            return []
        self._reception.timing(packet.timestamp, at)
        if not self.receives:
            return []
        sound = codec.later(self._hearer(self._hearers, name), packet.payload)
        self._buffer.put_coded(packet.timestamp, len(packet.payload), sound, at)
        if not self._tapped:
            return []
        samples = self._hearer(self._arrivals, name)(packet.payload)
        return [Arrival(samples, at, packet.sequence, packet.timestamp)]

    def _hearer(self, known: dict[str, codec.Hearer], name: str) -> codec.Hearer:
        if (found := known.get(name)) is None:
            found = known[name] = codec.Hearer(name, self._rate)
        return found

    def _event(self, packet: RtpPacket, at: float) -> list[Arrival | KeyPressed]:
        self._know_keys(packet.ssrc)
        receiver = self._receivers.setdefault(packet.ssrc, Receiver())
        self._receivers.move_to_end(packet.ssrc)
        if len(self._receivers) > _SOURCES:
            self._receivers.popitem(last=False)
        key = receiver.receive(packet)
        if packet.ssrc == self._source:
            self._reception.packet(packet.sequence)
        return [KeyPressed(key, at)] if key is not None else []

    def _know_keys(self, ssrc: int) -> None:
        """Raise NotGenuine for keys of another source, once the audio's has sent some: gateways that send keys by a source of their
        own send all of them so."""
        if ssrc == self._source:
            self._keys_with_audio = True
        elif self._keys_with_audio and self._shield is None:
            raise NotGenuine("keys come from another source than the peer's")
