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
        port.send(samples)                                   # any length of int16 at the port's rate, 8 kHz by default
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
unless the negotiated one is heard before, or within five seconds.
"""

from __future__ import annotations

import asyncio
import errno
import random
import socket
from collections.abc import Iterator
from functools import partial
from typing import Self

import structlog

from gateway.errors import SetupFault
from gateway.metrics import EDGE_ERRORS
from gateway.net.pacer import Pacer, Tick
from gateway.net.port import MediaHandler, Port, Sockets, Tap, Told, ration
from gateway.net.rtp_socket import RtpSocket
from gateway.rtp import RATE
from gateway.rtp.queue import SendQueue
from gateway.rtp.session import Timeouts

__all__ = ["LIVE_QUEUE", "Media", "MediaHandler", "Port", "Tap"]

log = structlog.get_logger(__name__)

LIVE_QUEUE = 0.4
"""Seconds that a live call's send queue holds."""
_TRIES = 32


class Media:
    """The media of one process: its pacer and its ports. Use it as a context manager; leaving closes every port.

    `host`: the address that ports bind where `open` isn't told another. `first`, `last`: the range, both ends included, of which the even ports are
    used (RFC 3550 section 11), each not again before all others; 0 and 0 lets the system choose.
    """

    def __init__(self, host: str, first: int = 0, last: int = 0, *, timeouts: Timeouts | None = None) -> None:
        self.timeouts = timeouts or Timeouts()
        self._host = host
        self._range = range(first + first % 2, last + 1, 2) if last else range(0)
        # Not the first: streams of calls that went on there when a process was killed come yet.
        self._chosen = random.randrange(len(self._range) or 1)
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
        timeouts: Timeouts | None = None,
        rate: int = RATE,
    ) -> Port:
        """Bind a port of the IP address `host`. Nothing is sent or told before its `start`.

        `queue`: seconds of audio that may wait to be sent. `live`: whether that audio comes at its own pace and has to
        be kept from piling up; False for files (see `gateway.rtp.queue`). `timeouts`: others than those of all. `rate`:
        samples a second of what is said and heard, 8,000 or 16,000, whatever the codec's is. Raises SetupFault when no
        port is free.
        """
        port = Port(
            self,
            self._bind(host or self._address),
            handler,
            tap,
            SendQueue(queue, live=live, rate=rate),
            timeouts or self.timeouts,
        )
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

    def _bind(self, host: str) -> Sockets:
        for number in self._candidates():
            made = _try(host, number)
            if made is not None and made.address[1] % 2:
                made.close()
                made = _try(host, made.address[1] - 1)
            if made is None:
                continue
            if (reports := _try(host, made.address[1] + 1)) is not None:
                return Sockets(made, reports)
            made.close()
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
        take_in = partial(Port.take_in, most=ration(sum(port.crowded for port, _ in told)))
        for step in (Port.put_out, take_in):
            for port, news in told:
                try:
                    step(port, tick, news)
                except Exception:  # the thread's edge: one call's fault must not silence the others
                    EDGE_ERRORS.labels("media").inc()
                    if not port.broken:  # it may break at each tick: to tell of all would take the others their pace
                        port.broken = True
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
