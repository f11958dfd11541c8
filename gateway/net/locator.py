"""Finds where a SIP URI's requests go: NAPTR, SRV and addresses from DNS (RFC 3263)."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import dns.asyncresolver
import dns.exception
import dns.rdatatype
import dns.resolver
import structlog

from gateway.errors import Unavailable
from gateway.net.hosts import literal, resolve_all
from gateway.net.listener import family
from gateway.sip import HostPort
from gateway.sip.locate import PORTS, SRV, Naptr, Srv, Target, ordered, services

WITHIN = 3.0
"""Seconds that one look-up may take."""
MOST = 6
"""Places that are tried for one request."""

Spoken = Mapping[str, Collection[int]]
"""The transports that a request may go by, the usual first, and the families of addresses (4, 6) that each reaches."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a request can go."""

    transport: str
    where: HostPort
    """An IP address and a port."""
    name: str
    """The URI's host: over TLS the certificate there must be for it (RFC 5922 section 4)."""


class Locator:
    """Asks the system's DNS servers, or the one at `server`. Addresses are the system's to find, its hosts file too."""

    def __init__(self, server: HostPort | None = None) -> None:
        try:
            self._resolver = dns.asyncresolver.Resolver(configure=server is None)
        except dns.resolver.NoResolverConfiguration:
            self._resolver = dns.asyncresolver.Resolver(configure=False)
        if server is not None:
            self._resolver.nameservers, self._resolver.port = [server[0]], server[1]
        self._resolver.lifetime = WITHIN
        self._resolver.cache = dns.resolver.Cache()

    async def find(self, host: str, port: int | None, transport: str, spoken: Spoken) -> list[Place]:
        """The places to try, in order. `transport`: the one that is asked for; "" for any of `spoken`. `port`: None for
        none. Raises Unavailable when there is none."""
        chosen = transport or next(iter(spoken))
        if port is not None or literal((host, 0)):
            return await _placed([Target(chosen, host, port or PORTS[chosen])], host, spoken)
        services = [(transport, f"{SRV[transport]}.{host}")] if transport else await self._services(host, list(spoken))
        targets = [target for offered, name in services for target in await self._srv(offered, name)]
        # Without SRV records the host itself is asked, as ever (section 4.2).
        return await _placed(targets or [Target(chosen, host, PORTS[chosen])], host, spoken)

    async def _services(self, host: str, spoken: Sequence[str]) -> list[tuple[str, str]]:
        found = services(await self._naptr(host), spoken)
        return found or [(transport, f"{SRV[transport]}.{host}") for transport in spoken]

    async def _naptr(self, host: str) -> list[Naptr]:
        return [
            Naptr(one.order, one.preference, _text(one.flags), _text(one.service), str(one.replacement))
            for one in await self._records(host, dns.rdatatype.NAPTR)
        ]

    async def _srv(self, transport: str, name: str) -> list[Target]:
        records = [
            Srv(one.priority, one.weight, one.port, str(one.target))
            for one in await self._records(name, dns.rdatatype.SRV)
        ]
        ranked = ordered(records, lambda total: random.uniform(0, total))
        return [Target(transport, one.target.rstrip("."), one.port) for one in ranked]

    async def _records(self, name: str, kind: dns.rdatatype.RdataType) -> list[Any]:
        try:
            async with asyncio.timeout(WITHIN + 1):
                return list(await self._resolver.resolve(name, kind, search=False))
        except (dns.exception.DNSException, OSError, TimeoutError) as bad:
            if not isinstance(bad, dns.resolver.NXDOMAIN | dns.resolver.NoAnswer):
                log.info("dns not answered", kind=kind.name, why=type(bad).__name__)
            return []


def _text(said: bytes) -> str:
    return said.decode("ascii", "replace")


async def _placed(targets: Sequence[Target], name: str, spoken: Spoken) -> list[Place]:
    """The targets with each of their addresses that is of a family we reach; those without are left out, when any has
    one."""
    found: list[Place] = []
    what, remedy = (
        "The SIP host has no address of a family (IPv4, IPv6) that is served here.",
        "Add a listener to OFFHOOK_SIP_HOST.",
    )
    for target in targets[:MOST]:
        try:
            addresses = await resolve_all((target.host, target.port))
        except Unavailable as bad:
            what, remedy = bad.what, bad.remedy
            continue
        reached = spoken[target.transport]
        found += [Place(target.transport, where, name) for where in addresses if family(where[0]) in reached]
    if not found:
        raise Unavailable(what, remedy=remedy)
    return found[:MOST]
