"""A DNS server on loopback that answers from a table: real DNS, by dnspython, as the edge's resolver asks it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import cast

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

Zone = Mapping[tuple[str, str], list[str]]
"""Records by name and type, as a zone file writes them."""


class _Answering(asyncio.DatagramProtocol):
    def __init__(self, zone: Zone) -> None:
        self._zone = zone

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, source: tuple[str, int]) -> None:
        query = dns.message.from_wire(data)
        asked = query.question[0]
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.AA
        kind = dns.rdatatype.to_text(asked.rdtype)
        records = self._zone.get((asked.name.to_text(omit_final_dot=True), kind))
        if records:
            answer.answer.append(dns.rrset.from_text_list(asked.name, 60, "IN", kind, records))
        else:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        self._transport.sendto(answer.to_wire(), source)


@asynccontextmanager
async def dns_server(zone: Zone) -> AsyncIterator[str]:
    """Serve the zone; where, as IP:port."""
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: _Answering(zone), local_addr=("127.0.0.1", 0))
    try:
        host, port = transport.get_extra_info("sockname")[:2]
        yield f"{host}:{port}"
    finally:
        transport.close()
