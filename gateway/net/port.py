"""One call's RTP port on the network: what `gateway.net.media` hands out.

A port is two sockets, as RFC 3550 section 11 wants it: media by the even number, reports (RTCP) by the next one.
"""

from __future__ import annotations

import asyncio
import ipaddress
import secrets
import threading
import time
from collections import deque
from enum import Enum
from typing import NamedTuple, Protocol

from gateway.errors import OurFault, PeerFault
from gateway.net.pacer import Tick
from gateway.net.rtp_socket import RtpSocket
from gateway.net.srtp import Srtp
from gateway.rtp import FRAME_SECONDS, Arrival, Audio, KeyPressed, Samples, TimedOut
from gateway.rtp.peer import HostPort, Peer
from gateway.rtp.queue import SendQueue
from gateway.rtp.session import Format, Sent, Session, Timeouts
from gateway.rtp.statistics import Statistics
from gateway.sip.sdp import Keys, Stream

_MOST, _LEAST, _OF_ALL = 64, 4, 256
"""Datagrams taken from one socket in a tick: a second of a caller's that was held up, at most; four times what a caller
sends, at least; and of all sockets that bring more, so that a flood of many calls doesn't take the others their pace:
with 40 flooded calls it took 56 of a tick's 20 ms, and takes 5. What comes beyond waits with the kernel, which drops it
when its queue is full."""
_LAST_PORT = 65535
_REPORTS = 4
"""Reports taken in a tick."""
_LOOK = 25
"""Ticks (half a second) between two looks for reports: a look costs as much as one for media."""


def ration(crowded: int) -> int:
    """Datagrams that each port may take in a tick, when so many had more than that in the last one."""
    return max(_LEAST, min(_MOST, _OF_ALL // max(1, crowded)))


class MediaHandler(Protocol):
    """What a call does with its media; called on the event loop, must not block."""

    def on_audio(self, audio: Audio) -> None:
        """The next frame, one each 20 ms from `start` on: silence before anything came."""

    def on_key(self, pressed: KeyPressed) -> None:
        """The other side pressed a key."""

    def on_timeout(self, timeout: TimedOut) -> None:
        """Nothing came for too long; the call is the handler's to end."""


class Tap(Protocol):
    """Hears everything, for measuring; called on the event loop, must not block."""

    def on_frame(self, sent: Sent, heard: Audio) -> None:
        """One tick: what went out and what was heard, both at `heard.at`."""

    def on_arrival(self, arrival: Arrival) -> None:
        """One audio packet came."""


class Owner(Protocol):
    """Whose ports they are."""

    def attach(self) -> None:
        """A port has something to do from now on."""

    def detach(self, port: Port) -> None:
        """A port is closed."""


class Sockets(NamedTuple):
    """What a port is bound to."""

    media: RtpSocket
    reports: RtpSocket

    def close(self) -> None:
        """Free both."""
        self.media.close()
        self.reports.close()


class _Drained(Enum):
    """Told to a port's own waiters: nothing waits to be sent."""

    DRAINED = 0


_DRAINED = _Drained.DRAINED
Told = Audio | KeyPressed | TimedOut | Arrival | Sent | _Drained


class Port:
    """One call's RTP port; `Media.open` makes it. The pacer's thread works on it under `_lock`."""

    def __init__(
        self,
        owner: Owner,
        sockets: Sockets,
        handler: MediaHandler,
        tap: Tap | None,
        queue: SendQueue,
        timeouts: Timeouts,
    ) -> None:
        self.address = sockets.media.address
        self.handler = handler
        self._owner, self._sockets, self._tap, self._queue, self._timeouts = owner, sockets, tap, queue, timeouts
        self._lock = threading.Lock()
        self._session: Session | None = None
        self._srtp: Srtp | None = None
        self._their_reports = 0
        """The port where the peer wants reports; 0 for the one above its media's."""
        self._ticks = 0
        self.crowded = False
        """Whether more waited in the last tick than it might take; the pacer's."""
        self.broken = False
        """Whether a fault of ours came up at it; the pacer's."""
        self._waiting: list[asyncio.Future[None]] = []
        self._closed = False

    def start(
        self,
        form: Format,
        peer: HostPort,
        *,
        sends: bool = True,
        receives: bool = True,
        learn_from: str = "",
        keys: Keys | None = None,
        reports: int = 0,
        sparing: bool = False,
    ) -> None:
        """Begin, or carry on as a new offer and answer settled it.

        `peer`: the address of the other side's SDP. `sends`, `receives`: what of the direction is left, so that hold
        is `sends=False` (RFC 3264 section 8.4). `learn_from`: see `gateway.net.media`. `keys`: what the media
        is encrypted with. `reports`: the peer's port for RTCP, where it isn't the next one. `sparing`: send little until
        `confide`, as nothing proves that the peer is there. Raises PeerFault (488) when
        the peer's host is a name: resolve it first.
        """
        now, end = time.monotonic(), Peer(_checked(peer), learn_from)
        with self._lock:
            if self._session is None:
                self._session = self._begin(form, end, now)
            self._srtp = None if keys is None else self._srtp.rekeyed(keys) if self._srtp is not None else Srtp(keys)
            self._session.update(form, end, now=now, sends=sends, receives=receives, shield=self._srtp)
            self._session.sparing = sparing
            self._their_reports = reports
        self._owner.attach()

    def confide(self) -> None:
        """The peer has proven to be there: it gets all that is sent from now on."""
        with self._lock:
            if self._session is not None:
                self._session.sparing = False

    def follow(self, stream: Stream, *, learn_from: str = "", sparing: bool = False) -> None:
        """`start` with what `gateway.sip.sdp` negotiated. Raises as `start` does."""
        form = Format(
            stream.codec.name,
            payload_type=stream.payload,
            event_type=stream.send_events,
            heard_payload_type=-1 if stream.receive_payload is None else stream.receive_payload,
            heard_event_type=stream.receive_events,
        )
        direction = stream.direction
        peer = (stream.host, stream.port)
        self.start(
            form,
            peer,
            sends=direction.sends,
            receives=direction.receives,
            learn_from=learn_from,
            keys=stream.keys,
            reports=stream.reports,
            sparing=sparing,
        )

    def send(self, samples: Samples) -> None:
        """Queue audio of any length. A full queue drops its oldest audio."""
        with self._lock:
            self._queue.push(samples, time.monotonic())

    @property
    def queued(self) -> float:
        """Seconds of audio that wait to be sent."""
        return self._queue.seconds

    def clear(self) -> float:
        """Forget the audio and keys that haven't begun to be sent; returns the seconds of audio forgotten."""
        with self._lock:
            return self._session.clear() if self._session else self._queue.clear()

    def catch_up(self) -> None:
        """Leave out what waits and is quiet, so that what is sent next is heard sooner (see `SendQueue.catch_up`)."""
        with self._lock:
            self._queue.catch_up(time.monotonic())

    def press(self, keys: str) -> None:
        """Queue keys, 260 ms each. Raises PeerFault when one is no key or too many wait; start the port first."""
        with self._lock:
            self._started().press(keys)

    async def sent(self) -> None:
        """Return once nothing waits to be sent, or the port is closed; start the port first. Bound the wait."""
        with self._lock:
            if self._closed or self._started().idle:
                return
            waiter = asyncio.get_running_loop().create_future()
            self._waiting.append(waiter)
        await waiter

    def quiet(self) -> tuple[float, float]:
        """See `gateway.rtp.session.Session.quiet`."""
        with self._lock:
            return self._session.quiet(time.monotonic()) if self._session else (0.0, 0.0)

    def statistics(self) -> Statistics:
        """Counts up to now, also after `close`."""
        with self._lock:
            return self._session.statistics() if self._session else Statistics()

    def close(self) -> None:
        """Free the port, and tell the peer, where it was sent reports. No callback comes any more. Closing twice does no harm."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            if self._session is not None:
                self._tell_peer(self._session, self._session.bye(time.monotonic(), time.time()))
            self._sockets.close()
        del self.handler  # it has us: both would stay until Python looks for garbage
        self._release()
        self._owner.detach(self)

    def _started(self) -> Session:
        if self._session is None:
            raise OurFault("The media port isn't started yet.")
        return self._session

    def _begin(self, form: Format, peer: Peer, now: float) -> Session:
        return Session(
            form,
            peer,
            ssrc=secrets.randbits(32),
            sequence=secrets.randbits(15),
            timestamp=secrets.randbits(31),
            queue=self._queue,
            now=now,
            timeouts=self._timeouts,
            tapped=self._tap is not None,
        )

    def _release(self) -> None:
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_result(None)
        self._waiting.clear()

    def tell(self, told: list[Told]) -> None:
        """The pacer's, on the loop: pass on what its thread found."""
        sent: deque[Sent] = deque()
        for each in told:
            if self._closed:
                return
            match each:
                case Audio():
                    self.handler.on_audio(each)
                    if self._tap is not None and sent:
                        self._tap.on_frame(sent.popleft(), each)
                case KeyPressed():
                    self.handler.on_key(each)
                case TimedOut():
                    self.handler.on_timeout(each)
                case Arrival():
                    if self._tap is not None:
                        self._tap.on_arrival(each)
                case Sent():
                    sent.append(each)
                case _:
                    self._release()

    def put_out(self, tick: Tick, told: list[Told]) -> None:
        """The pacer's, on its thread: send what is due."""
        with self._lock:
            session = self._session
            if session is None or self._closed:
                return
            if tick.skipped:
                session.skip(tick.skipped)
            for index in range(tick.frames):
                sent = session.send(tick.at + index * FRAME_SECONDS)
                if sent.datagram is not None:
                    self._sockets.media.write(sent.datagram, session.peer.address)
                if self._tap is not None:
                    told.append(sent)
            if self._waiting and session.idle:
                told.append(_DRAINED)

    def take_in(self, tick: Tick, told: list[Told], most: int) -> None:
        """The pacer's, on its thread: read what came, `most` datagrams (see `ration`), and hear what is due."""
        with self._lock:
            session = self._session
            if session is None or self._closed:
                return
            self.crowded = True
            for _ in range(most):
                if (came := self._sockets.media.read()) is None:
                    self.crowded = False
                    break
                datagram, source, at = came
                told.extend(session.receive(datagram, source, at))
            self._sockets.media.hear_only(session.peer.only(tick.at))
            told.extend(session.hear(tick.at + index * FRAME_SECONDS) for index in range(tick.frames))
            if timeout := session.timed_out(tick.at):
                told.append(timeout)
            self._ticks += 1
            if self._ticks % _LOOK == 0:
                self._report(session, tick.at)

    def _report(self, session: Session, now: float) -> None:
        """Take the peer's reports, and send ours if one is due."""
        for _ in range(_REPORTS):
            if (came := self._sockets.reports.read()) is None:
                break
            session.receive_report(*came)
        self._tell_peer(session, session.report(now, time.time()))

    def _tell_peer(self, session: Session, datagram: bytes | None) -> None:
        host, port = session.peer.address
        there = self._their_reports if session.peer.address == session.peer.negotiated else 0
        there = there or port + 1
        if datagram is not None and there <= _LAST_PORT:  # media at the last port of all has none above it
            self._sockets.reports.write(datagram, (host, there))


def _checked(peer: HostPort) -> HostPort:
    """The address as the system spells the senders of datagrams. Raises PeerFault."""
    try:
        host = str(ipaddress.ip_address(peer[0]))
    except ValueError:
        raise PeerFault("The address for media isn't an IP address.", sip_status=488) from None
    if not 0 < peer[1] <= _LAST_PORT:
        raise PeerFault("The address for media has no port that can be.", sip_status=488)
    return host, peer[1]
