"""What SIP is spoken by: the drivers of all listeners, and which of them a call goes out by."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from gateway.errors import Unavailable
from gateway.net.listener import towards
from gateway.net.sip_driver import SipDriver
from gateway.net.sip_udp import SipUdp
from gateway.net.warden import Warden
from gateway.sip.gate import Gate


class Drivers:
    """In the order in which they are preferred: by transport, then by listener."""

    def __init__(self, drivers: Iterable[SipDriver] = ()) -> None:
        self._all = list(drivers)

    def __iter__(self) -> Iterator[SipDriver]:
        return iter(self._all)

    def __contains__(self, transport: object) -> bool:
        return any(sip.transport == transport for sip in self._all)

    def __getitem__(self, transport: str) -> SipDriver:
        """The first of a transport (UDP, TCP, TLS). Raises KeyError."""
        for sip in self._all:
            if sip.transport == transport:
                return sip
        raise KeyError(transport)

    def add(self, sip: SipDriver) -> None:
        """One more; before the first request."""
        self._all.append(sip)

    def pair(self) -> None:
        """Let each listener's datagrams leave to its TCP what is too large for them; once all are added."""
        streams = {sip.listener: sip for sip in self._all if sip.transport == "TCP"}
        for sip in self._all:
            if isinstance(sip, SipUdp):
                sip.larger = streams.get(sip.listener)

    def guard(self, gate: Gate) -> None:
        """Listen to whom the gate lets in, over streams to whom its twin does; once all are added."""
        datagrams, streams = Warden(gate), Warden(gate.twin())
        for sip in self._all:
            sip.guard(datagrams if sip.transport == "UDP" else streams)

    def only(self, transport: str) -> Drivers:
        """Those of one transport."""
        return Drivers(sip for sip in self._all if sip.transport == transport)

    @property
    def first(self) -> SipDriver:
        """The usual one."""
        return self._all[0]

    @property
    def spoken(self) -> Mapping[str, frozenset[int]]:
        """The transports, the usual first, and the families of addresses (4, 6) that each reaches."""
        found: dict[str, frozenset[int]] = {}
        for sip in self._all:
            found[sip.transport] = found.get(sip.transport, frozenset()) | {sip.listener.family}
        return found

    def towards(self, transport: str, host: str) -> SipDriver:
        """The one by which a call to an IP address goes out. Raises Unavailable when there is none."""
        fitting = {sip.listener: sip for sip in self._all if sip.transport == transport}
        chosen = towards(list(fitting), host)
        if chosen is None:
            raise Unavailable("No listener of ours reaches that address.", remedy="Add one to OFFHOOK_SIP_HOST.")
        return fitting[chosen]
