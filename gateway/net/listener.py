"""The addresses that SIP and RTP are served on: as an operator writes them, and which of them is for whom."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gateway.errors import SetupFault, Unavailable
from gateway.net.hosts import literal, resolve

_WRITE = "Write addresses with commas between them, such as 10.0.0.5=203.0.113.7,2001:db8::5."


@dataclass(frozen=True, slots=True)
class Listener:
    """One address."""

    host: str
    """The IP address that is bound."""
    told: str
    """What peers are told instead: behind a NAT, or where every interface is bound. Else the same."""

    @property
    def family(self) -> int:
        """4 or 6."""
        return family(self.host)


def family(host: str) -> int:
    """4 or 6, for an IP address. Raises ValueError for a name."""
    return ipaddress.ip_address(host).version


async def listeners(written: str, advertise: str = "") -> list[Listener]:
    """What OFFHOOK_SIP_HOST says: addresses with commas between them, each with `=` and what peers are told where that
    differs. `advertise`: the same for a single address, as OFFHOOK_SIP_ADVERTISE says it. A host name becomes its
    first address. Raises SetupFault.
    """
    parts = [part.strip() for part in written.split(",")]
    if advertise and (len(parts) > 1 or "=" in written):
        raise SetupFault("OFFHOOK_SIP_ADVERTISE is for a single OFFHOOK_SIP_HOST.", remedy=_WRITE)
    made = [await _listener(part, advertise) for part in parts]
    if len({one.host for one in made}) < len(made):
        raise SetupFault("OFFHOOK_SIP_HOST names an address twice.", remedy=_WRITE)
    return made


def ranked(among: Iterable[Listener], first: Listener) -> list[Listener]:
    """The listeners as a call should use them for its media: the one that it came or goes by first."""
    return sorted(among, key=lambda one: one != first)


def towards(among: Sequence[Listener], host: str) -> Listener | None:
    """The listener from which the system would reach an IP address; else the first of its family, else None."""
    fitting = [one for one in among if one.family == family(host)]
    if len(fitting) < 2:
        return fitting[0] if fitting else None
    own = _source(host)
    return next((one for one in fitting if one.host == own), fitting[0])


def _source(host: str) -> str:
    """The address of ours that the system would send from; nothing is sent. "" when there is no way."""
    with socket.socket(socket.AF_INET6 if family(host) == 6 else socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((host, 9))
        except OSError:
            return ""
        return str(probe.getsockname()[0])


async def _listener(part: str, advertise: str) -> Listener:
    host, equals, told = (word.strip().strip("[]") for word in part.partition("="))
    told = told or advertise
    if not host or (equals and not told):
        raise SetupFault(f"OFFHOOK_SIP_HOST holds '{part}', which is no address.", remedy=_WRITE)
    try:
        bound, _ = await resolve((host, 0))
    except Unavailable as bad:
        raise SetupFault(f"OFFHOOK_SIP_HOST names {host}, which has no address.", remedy=_WRITE) from bad
    if told and literal((told, 0)) and family(told) != family(bound):
        raise SetupFault(f"OFFHOOK_SIP_HOST tells {told} for {bound}, which is of another family.", remedy=_WRITE)
    return Listener(bound, told or bound)
