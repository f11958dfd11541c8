"""Host names and IP addresses of SIP peers."""

from __future__ import annotations

import asyncio
import ipaddress
import socket

from gateway.errors import Unavailable
from gateway.sip import HostPort

_RESOLVING = 5.0
"""Seconds that a host name may take to resolve."""


async def resolve(where: HostPort, version: int = 0) -> HostPort:
    """`where` with an IP address for a host name, in its usual spelling; of IPv4 or IPv6 where `version` says so. Raises
    Unavailable."""
    for found in await resolve_all(where):
        if version in (0, ipaddress.ip_address(found[0]).version):
            return found
    raise Unavailable(
        f"A SIP host has no IPv{version} address.", remedy="Check the address and DNS, or add to OFFHOOK_SIP_HOST."
    )


async def resolve_all(where: HostPort) -> list[HostPort]:
    """`where` with each address of a host name, in the order in which they are to be tried (RFC 6724). Raises
    Unavailable."""
    if literal(where):
        return [(str(ipaddress.ip_address(where[0])), where[1])]
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(_RESOLVING):
            found = await loop.getaddrinfo(*where, type=socket.SOCK_DGRAM)
    except (OSError, TimeoutError) as bad:
        raise Unavailable("A SIP host name can't be resolved.", remedy="Check the address and DNS.") from bad
    return list(dict.fromkeys((str(address[0]), int(address[1])) for *_, address in found))


def literal(where: HostPort) -> bool:
    """Whether `where` holds an IP address, not a name."""
    try:
        ipaddress.ip_address(where[0])
    except ValueError:
        return False
    return True
