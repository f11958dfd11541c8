"""RTP over UDP: `gateway.rtp` on sockets, and the pacer that sends and hears for every call of a process.

    class Call:                                             # any object with these methods is a MediaHandler
        def on_audio(self, audio: Audio) -> None: ...       # each 20 ms, on the event loop; must not block
        def on_key(self, pressed: KeyPressed) -> None: ...
        def on_timeout(self, timeout: TimedOut) -> None: ...

    async with Media("127.0.0.1", 10000, 20000) as media:   # one a process; 0, 0 lets the system choose ports
        port = media.open(Call())                            # binds now, SetupFault when no port is free
        port.address                                         # ("127.0.0.1", 10000), for the SDP
        port.follow(stream, learn_from="192.0.2.7")          # gateway.sip.sdp.Stream; or start(Format(…), peer, …)
                                                             # from now on: a packet each 20 ms, silence if need be
        port.send(samples)                                   # any length of int16 at 8 kHz
        port.queued                                          # seconds not sent yet
        port.clear()                                         # barge-in: forget what isn't sent yet
        port.press("12#")                                    # keys by RFC 4733, in the audio's place
        await port.sent()                                    # all that was queued, keys included, is on the network
        port.follow(other)                                   # again at any time: re-INVITE, hold
        port.statistics()
        port.close()

All methods belong to the event loop's thread. The callbacks run there too, in the order of what they tell of.

Media is taken from the negotiated peer only. A peer behind a NAT sends from another address than its SDP says: with
`learn_from`, the IP address its signalling came from, the first sender at that address becomes the peer for good,
unless the negotiated one was heard first.
"""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import secrets
import socket
import threading
import time
from collections import deque
from collections.abc import Iterator
from enum import Enum
from typing import Protocol, Self

import structlog

from gateway.errors import OurFault, PeerFault, SetupFault
from gateway.metrics import EDGE_ERRORS
from gateway.net.pacer import Pacer, Tick
from gateway.net.rtp_socket import RtpSocket
from gateway.net.srtp import Srtp
from gateway.rtp import FRAME_SECONDS, Arrival, Audio, KeyPressed, Samples, TimedOut
from gateway.rtp.g711 import Codec
from gateway.rtp.peer import HostPort, Peer
from gateway.rtp.queue import SendQueue
from gateway.rtp.session import Format, Sent, Session, Statistics, Timeouts
from gateway.sip.sdp import Keys, Stream

log = structlog.get_logger(__name__)

LIVE_QUEUE = 0.4
"""Seconds that a live call's send queue holds."""
_BATCH = 64
"""Datagrams taken from one socket in a tick; what a flood brings beyond stays with the kernel, which drops it."""
_TRIES = 32


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


class _Drained(Enum):
    """Told to a port's own waiters: nothing waits to be sent."""

    DRAINED = 0


_DRAINED = _Drained.DRAINED
Told = Audio | KeyPressed | TimedOut | Arrival | Sent | _Drained


class Port:
    """One call's RTP port; `Media.open` makes it. The pacer's thread works on it under `_lock`."""

    def __init__(
        self,
        owner: Media,
        sock: RtpSocket,
        handler: MediaHandler,
        tap: Tap | None,
        queue: SendQueue,
    ) -> None:
        self.address = sock.address
        self.handler = handler
        self._owner, self._socket, self._tap, self._queue = owner, sock, tap, queue
        self._lock = threading.Lock()
        self._session: Session | None = None
        self._srtp: Srtp | None = None
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
    ) -> None:
        """Begin, or carry on as a new offer and answer settled it.

        `peer`: the address of the other side's SDP. `sends`, `receives`: what of the direction is left, so that hold
        is `sends=False` (RFC 3264 section 8.4). `learn_from`: see the module. `keys`: what the media is encrypted with. Raises PeerFault (488) when the
        peer's host is a name: resolve it first.
        """
        now, end = time.monotonic(), Peer(_checked(peer), learn_from)
        with self._lock:
            if self._session is None:
                self._session = self._begin(form, end, now)
            self._srtp = None if keys is None else self._srtp.rekeyed(keys) if self._srtp is not None else Srtp(keys)
            self._session.update(form, end, now=now, sends=sends, receives=receives, shield=self._srtp)
        self._owner.attach()

    def follow(self, stream: Stream, *, learn_from: str = "") -> None:
        """`start` with what `gateway.sip.sdp` negotiated. Raises as `start` does."""
        form = Format(
            Codec(stream.codec.name),
            payload_type=stream.payload,
            event_type=stream.send_events,
            heard_payload_type=-1 if stream.receive_payload is None else stream.receive_payload,
            heard_event_type=stream.receive_events,
        )
        direction = stream.direction
        peer = (stream.host, stream.port)
        sends, receives = direction.sends, direction.receives
        self.start(form, peer, sends=sends, receives=receives, learn_from=learn_from, keys=stream.keys)

    def send(self, samples: Samples) -> None:
        """Queue audio of any length. A full queue drops its oldest audio."""
        with self._lock:
            self._queue.push(samples)

    @property
    def queued(self) -> float:
        """Seconds of audio that wait to be sent."""
        return self._queue.seconds

    def clear(self) -> float:
        """Forget the audio and keys that haven't begun to be sent; returns the seconds of audio forgotten."""
        with self._lock:
            return self._session.clear() if self._session else self._queue.clear()

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

    def statistics(self) -> Statistics:
        """Counts up to now, also after `close`."""
        with self._lock:
            return self._session.statistics() if self._session else Statistics()

    def close(self) -> None:
        """Free the port. No callback comes any more. Closing twice does no harm."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._socket.close()
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
            timeouts=self._owner.timeouts,
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
            for _ in range(tick.frames):
                sent = session.send()
                if sent.datagram is not None:
                    self._socket.write(sent.datagram, session.peer.address)
                if self._tap is not None:
                    told.append(sent)
            if self._waiting and session.idle:
                told.append(_DRAINED)

    def take_in(self, tick: Tick, told: list[Told]) -> None:
        """The pacer's, on its thread: read what came, and hear what is due."""
        with self._lock:
            session = self._session
            if session is None or self._closed:
                return
            for _ in range(_BATCH):
                if (came := self._socket.read()) is None:
                    break
                datagram, source, at = came
                told.extend(session.receive(datagram, source, at))
            told.extend(session.hear(tick.at + index * FRAME_SECONDS) for index in range(tick.frames))
            if timeout := session.timed_out(tick.at):
                told.append(timeout)


class Media:
    """The media of one process: its pacer and its ports. Use it as a context manager; leaving closes every port.

    `host`: the address that ports bind where `open` isn't told another. `first`, `last`: the range, both ends included, of which the even ports are
    used (RFC 3550 section 11), each not again before all others; 0 and 0 lets the system choose.
    """

    def __init__(self, host: str, first: int = 0, last: int = 0, *, timeouts: Timeouts | None = None) -> None:
        self.timeouts = timeouts or Timeouts()
        self._host = host
        self._range = range(first + first % 2, last + 1, 2) if last else range(0)
        self._chosen = 0
        self._pacer = Pacer(self._beat)
        self._ports: tuple[Port, ...] = ()

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        try:
            found = await self._loop.getaddrinfo(self._host, 0, type=socket.SOCK_DGRAM, flags=socket.AI_PASSIVE)
        except OSError as bad:
            raise SetupFault(f"RTP can't use {self._host}: {bad.strerror}.", remedy="Set OFFHOOK_SIP_HOST.") from bad
        self._address = str(found[0][4][0])
        self._pacer.start()
        return self

    @property
    def precedence(self) -> str:
        """How the pacer has precedence over other processes: "real time", "nice" or "none"."""
        return self._pacer.precedence

    async def __aexit__(self, *_: object) -> None:
        for port in self._ports:
            port.close()
        await asyncio.to_thread(self._pacer.stop)

    def open(
        self,
        handler: MediaHandler,
        *,
        host: str = "",
        tap: Tap | None = None,
        queue: float = LIVE_QUEUE,
        live: bool = True,
    ) -> Port:
        """Bind a port of the IP address `host`. Nothing is sent or told before its `start`.

        `queue`: seconds of audio that may wait to be sent. `live`: whether that audio comes at its own pace and has to
        be kept from piling up; False for files (see `gateway.rtp.queue`). Raises SetupFault when no port is free.
        """
        port = Port(self, self._bind(host or self._address), handler, tap, SendQueue(queue, live=live))
        self._ports = (*self._ports, port)
        return port

    def attach(self) -> None:
        """A port's: it has something to do from now on."""
        self._pacer.resume()

    def detach(self, port: Port) -> None:
        """A port's: it is closed."""
        self._ports = tuple(each for each in self._ports if each is not port)
        if not self._ports:
            self._pacer.pause()

    def _bind(self, host: str) -> RtpSocket:
        for number in self._candidates():
            made = _try(host, number)
            if made is not None and made.address[1] % 2:
                made.close()
                made = _try(host, made.address[1] - 1)
            if made is not None:
                return made
        raise SetupFault("No RTP port is free.", remedy="Widen OFFHOOK_RTP_FIRST … OFFHOOK_RTP_LAST.")

    def _candidates(self) -> Iterator[int]:
        if not self._range:
            yield from [0] * _TRIES
        for _ in self._range:
            number = self._range[self._chosen]
            self._chosen = (self._chosen + 1) % len(self._range)
            yield number

    def _beat(self, tick: Tick) -> None:
        """Send for every call first, so that they share one pace, and then hear. On the pacer's thread."""
        told: list[tuple[Port, list[Told]]] = [(port, []) for port in self._ports]
        for step in (Port.put_out, Port.take_in):
            for port, news in told:
                try:
                    step(port, tick, news)
                except Exception:  # the thread's edge: one call's fault must not silence the others
                    EDGE_ERRORS.labels("media").inc()
                    log.exception("media.port_broke")
        if any(news for _, news in told):
            self._loop.call_soon_threadsafe(self._deliver, told)

    def _deliver(self, told: list[tuple[Port, list[Told]]]) -> None:
        for port, news in told:
            if news:
                self._loop.call_soon(port.tell, news)  # each on its own, so that a handler's fault stays its call's


def _try(host: str, number: int) -> RtpSocket | None:
    try:
        return RtpSocket(host, number)
    except OSError as bad:
        if bad.errno == errno.EADDRINUSE:
            return None
        raise SetupFault(f"RTP can't use {host} ({bad.strerror}).", remedy="Correct OFFHOOK_SIP_HOST.") from bad


def _checked(peer: HostPort) -> HostPort:
    """The address as the system spells the senders of datagrams. Raises PeerFault."""
    try:
        host = str(ipaddress.ip_address(peer[0]))
    except ValueError:
        raise PeerFault("The address for media isn't an IP address.", sip_status=488) from None
    if not 0 < peer[1] < 65536:
        raise PeerFault("The address for media has no port that can be.", sip_status=488)
    return host, peer[1]
