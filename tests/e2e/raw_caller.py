"""A caller who writes his SIP by hand, over UDP, for what no phone does."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

from tests.e2e.sipp import hostport


class RawCaller(asyncio.DatagramProtocol):
    """One call's. `requests` are told by their method and a number each: nothing of what comes is judged here."""

    def __init__(self, there: tuple[str, int], dialed: str, rtp: int) -> None:
        self.there, self.dialed, self.rtp = there, dialed, rtp
        self.finals: Counter[tuple[str, int]] = Counter()
        """Final responses, by method and status."""
        self.asked: Counter[str] = Counter()
        """Requests that came."""
        self.tag = ""
        """The other side's, once it has answered."""
        self.answered = asyncio.Event()
        self._sequence = 1

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)
        self.here: tuple[str, int] = transport.get_extra_info("sockname")[:2]

    def datagram_received(self, data: bytes, source: tuple[str, int]) -> None:
        del source
        if not (found := re.match(rb"SIP/2.0 ([1-6][0-9]{2}) ", data)):
            self.asked[data.split(b" ", 1)[0].decode()] += 1
            self._agree(data)
            return
        method = re.search(rb"^CSeq: *[0-9]+ *([A-Z]+)", data, re.MULTILINE)
        if method and (code := int(found[1])) >= 200:
            self.finals[method[1].decode(), code] += 1
            if method[1] == b"INVITE" and code == 200 and not self.tag:
                told = re.search(rb"^To:.*;tag=([^;\s]+)", data, re.MULTILINE)
                self.tag = told[1].decode() if told else ""
                self.send("ACK", sequence=1)
                self.answered.set()

    def invite(self) -> None:
        """Call."""
        self._write("INVITE", 1, self._sdp())

    def send(self, method: str, *, sequence: int = 0, body: str = "", headers: str = "", branch: str = "") -> None:
        """A request within the dialog; by default with the next number."""
        if not sequence:
            self._sequence += 1
        self._write(method, sequence or self._sequence, body, headers, branch)

    def again(self, method: str = "INVITE") -> None:
        """A re-INVITE or UPDATE that changes nothing."""
        self.send(method, body=self._sdp())

    def _agree(self, request: bytes) -> None:
        head = request.partition(b"\r\n\r\n")[0].split(b"\r\n")[1:]
        names = (b"via:", b"from:", b"to:", b"call-id:", b"cseq:")
        kept = [line for line in head if line.lower().startswith(names)]
        self._transport.sendto(b"\r\n".join([b"SIP/2.0 200 OK", *kept, b"Content-Length: 0", b"", b""]), self.there)

    def _sdp(self) -> str:
        host = self.here[0]
        return (
            f"v=0\r\no=- 1 1 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\n"
            f"m=audio {self.rtp} RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\n"
        )

    def _write(self, method: str, sequence: int, body: str = "", headers: str = "", branch: str = "") -> None:
        us, to = hostport(self.here), hostport(self.there)
        tagged = f";tag={self.tag}" if self.tag else ""
        typed = "Content-Type: application/sdp\r\n" if body.startswith("v=0") else ""
        self._transport.sendto(
            (
                f"{method} sip:{self.dialed}@{to} SIP/2.0\r\n"
                f"Via: SIP/2.0/UDP {us};branch=z9hG4bK{branch or f'raw{method}{sequence}'};rport\r\n"
                f"Max-Forwards: 70\r\nFrom: <sip:+15105550123@{us}>;tag=raw\r\nTo: <sip:{self.dialed}@{to}>{tagged}\r\n"
                f"Call-ID: raw-{us}\r\nCSeq: {sequence} {method}\r\nContact: <sip:raw@{us}>\r\n"
                f"{headers}{typed}Content-Length: {len(body)}\r\n\r\n{body}"
            ).encode(),
            self.there,
        )


@asynccontextmanager
async def raw_caller(there: tuple[str, int], dialed: str, rtp: int, local: str) -> AsyncIterator[RawCaller]:
    """One at an address of ours."""
    loop = asyncio.get_running_loop()
    transport, made = await loop.create_datagram_endpoint(lambda: RawCaller(there, dialed, rtp), local_addr=(local, 0))
    try:
        yield made
    finally:
        transport.close()
