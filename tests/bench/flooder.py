"""`python -m tests.bench.flooder FROM KINDS RATE SECONDS HOST PORT`: a flood at a SIP service; prints a line as it begins, and at its
end, in JSON, what was sent, what was answered, and the CPU seconds that it took here.

FROM: `one` address, `many` (250 of them), or `forged`: each message has one of its own, as UDP lets anybody do. KINDS, with
commas between them: `real` (INVITEs to a number that there is), `unknown` (to none), `register`, `options`, `garbage`.
"""

from __future__ import annotations

import json
import os
import random
import re
import socket
import struct
import sys
import time
from collections import Counter

from tests.e2e.edge_lab import DIALED, UNKNOWN
from tests.fuzz.wire import SEEDS, mutated

NICE = 5
"""The flood's own precedence: who is flooded has a machine of its own, elsewhere."""
MANY = 250
_PORT_OF_OURS = 5060
_SDP = "v=0\r\no=- 1 1 IN IP4 {us}\r\ns=-\r\nc=IN IP4 {us}\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0 8\r\n"
_AS_IF = struct.Struct("=I4s4s")
"""A struct in_pktinfo: by which interface, and from which of its addresses, a datagram goes."""
_IP_PKTINFO = 8  # Linux; Python's socket module doesn't name it
_GARBAGE = [mutated(_random.choice(SEEDS["sip"]), _random) for _random in [random.Random(8)] for _ in range(2000)]
_AT_A_TIME = 0.02
"""Seconds between two bursts."""


def source(kind: str, number: int, draw: random.Random) -> str:
    """Where a message comes from."""
    match kind:
        case "one":
            return "127.0.1.1"
        case "many":
            return f"127.0.1.{2 + number % MANY}"
        case _:
            return f"127.{draw.randint(2, 250)}.{draw.randint(1, 250)}.{draw.randint(1, 250)}"


def message(kind: str, us: str, there: str, number: int, draw: random.Random) -> bytes:
    """One that no other is a repetition of."""
    if kind == "garbage":
        return _GARBAGE[number % len(_GARBAGE)]
    method = {"register": "REGISTER", "options": "OPTIONS"}.get(kind, "INVITE")
    user = {"real": DIALED, "unknown": UNKNOWN}.get(kind, "x")
    word, body = f"{draw.getrandbits(64):x}", _SDP.format(us=us) if method == "INVITE" else ""
    typed = "Content-Type: application/sdp\r\n" if body else ""
    return (
        f"{method} sip:{user}@{there} SIP/2.0\r\nVia: SIP/2.0/UDP {us}:{_PORT_OF_OURS};branch=z9hG4bK{word}\r\n"
        f"Max-Forwards: 70\r\nFrom: <sip:flood@{us}>;tag={word}\r\nTo: <sip:{user}@{there}>\r\n"
        f"Call-ID: {word}@flood\r\nCSeq: {number} {method}\r\nContact: <sip:flood@{us}>\r\n"
        f"{typed}Content-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


def main(origin: str, kinds: list[str], rate: float, seconds: float, to: tuple[str, int]) -> dict[str, object]:
    """Send them at an even pace."""
    os.nice(NICE)
    draw, there, answers = random.Random(9), "{}:{}".format(*to), Counter[str]()
    flood = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    flood.bind(("0.0.0.0", _PORT_OF_OURS))
    flood.setblocking(False)
    sys.stdout.write("begun\n")
    sys.stdout.flush()
    took = time.process_time()
    began, sent = time.monotonic(), 0
    while (now := time.monotonic()) < began + seconds:
        while sent < rate * (now - began):
            us = source(origin, sent, draw)
            data = message(kinds[sent % len(kinds)], us, there, sent + 1, draw)
            as_if = _AS_IF.pack(0, socket.inet_aton(us), bytes(4))
            flood.sendmsg([data], [(socket.IPPROTO_IP, _IP_PKTINFO, as_if)], 0, to)
            sent += 1
        _read(flood, answers)
        time.sleep(_AT_A_TIME)
    _read(flood, answers)
    return {"sent": sent, "cpu": round(time.process_time() - took, 2), "answers": dict(sorted(answers.items()))}


def _read(flood: socket.socket, answers: Counter[str]) -> None:
    while True:
        try:
            data = flood.recv(4096)
        except BlockingIOError:
            return
        found = re.match(rb"SIP/2.0 ([1-6][0-9]{2}) ", data)
        answers[found[1].decode() if found else "request"] += 1


if __name__ == "__main__":
    chosen = sys.argv
    told = main(chosen[1], chosen[2].split(","), float(chosen[3]), float(chosen[4]), (chosen[5], int(chosen[6])))
    sys.stdout.write(json.dumps(told) + "\n")
