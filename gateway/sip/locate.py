"""Where a SIP URI's requests go (RFC 3263), given what DNS says. Pure: the look-ups are `gateway.net.locator`'s."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

TRANSPORTS = {"SIP+D2U": "UDP", "SIP+D2T": "TCP", "SIPS+D2T": "TLS"}
"""By the services of NAPTR records."""
SRV = {"UDP": "_sip._udp", "TCP": "_sip._tcp", "TLS": "_sips._tcp"}
"""What stands before a domain in the names of SRV records."""
PORTS = {"UDP": 5060, "TCP": 5060, "TLS": 5061}


@dataclass(frozen=True, slots=True)
class Naptr:
    """One NAPTR record (RFC 3403)."""

    order: int
    preference: int
    flags: str
    service: str
    replacement: str


@dataclass(frozen=True, slots=True)
class Srv:
    """One SRV record (RFC 2782)."""

    priority: int
    weight: int
    port: int
    target: str


@dataclass(frozen=True, slots=True)
class Target:
    """A place to try, before its host is looked up."""

    transport: str
    host: str
    port: int


def services(records: Iterable[Naptr], spoken: Sequence[str]) -> list[tuple[str, str]]:
    """The transports among `spoken` that NAPTR records offer, the preferred first, with the names of their SRV
    records."""
    usable = [
        (one.order, one.preference, TRANSPORTS[one.service.upper()], one.replacement.rstrip("."))
        for one in records
        if one.flags.lower() == "s" and one.service.upper() in TRANSPORTS
    ]
    return [(transport, name) for _, _, transport, name in sorted(usable) if transport in spoken]


def ordered(records: Iterable[Srv], draw: Callable[[float], float]) -> list[Srv]:
    """SRV records in the order in which they are to be tried: by priority, then by chance as their weights say. `draw`
    gives a number from 0 to its argument, each as likely as the others.
    A target of `.` says that there is no such service."""
    left = [one for one in records if one.target.rstrip(".")]
    found: list[Srv] = []
    for priority in sorted({one.priority for one in left}):
        among = sorted((one for one in left if one.priority == priority), key=lambda one: one.weight)
        while among:
            drawn = draw(sum(one.weight for one in among))
            total = 0.0
            for one in among:
                total += one.weight
                if drawn <= total:
                    break
            among.remove(one)
            found.append(one)
    return found
