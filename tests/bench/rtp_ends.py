"""The far end of many calls' media, and a bare sender beside it, each in a process of its own.

python -m tests.bench.rtp_ends receive PORT,PORT… SECONDS SETTLE
python -m tests.bench.rtp_ends send PORT,PORT… SECONDS        # one stream to each, as evenly as Python sends alone
"""

from __future__ import annotations

import json
import select
import sys
import time
from itertools import pairwise
from struct import pack, unpack_from

from gateway.net.rtp_socket import RtpSocket

FRAME = 0.02
_SILENCE = b"\xd5\x55" * 80


def receive(ports: list[int], seconds: float, settle: float) -> list[list[float]]:
    """For each port how far its packets' distances are off 20 ms, in seconds, by the kernel's own time of arrival, from
    `settle` seconds on; sends silence back to whoever sends."""
    sockets = [RtpSocket("127.0.0.1", port) for port in ports]
    arrivals: list[list[tuple[int, float]]] = [[] for _ in ports]
    peers: dict[int, tuple[str, int]] = {}
    due, sequence, until = time.monotonic(), 0, time.monotonic() + seconds
    counted = due + settle
    while time.monotonic() < until:
        wait = max(0.0, due - time.monotonic())
        select.select([one._socket for one in sockets], [], [], wait)
        for place, one in enumerate(sockets):
            while (got := one.read()) is not None:
                datagram, source, at = got
                if at >= counted:
                    arrivals[place].append((unpack_from("!H", datagram, 2)[0], at))
                peers[place] = (source[0], source[1])
        if time.monotonic() >= due:
            due, sequence = due + FRAME, sequence + 1
            for place, peer in peers.items():
                sockets[place].write(_packet(sequence, place), peer)
    for one in sockets:
        one.close()
    return [_off(each) for each in arrivals]


def send(ports: list[int], seconds: float) -> None:
    """A stream to each port."""
    out = RtpSocket("127.0.0.1", 0)
    due, sequence, until = time.monotonic(), 0, time.monotonic() + seconds
    while time.monotonic() < until:
        sequence, due = sequence + 1, due + FRAME
        for place, port in enumerate(ports):
            out.write(_packet(sequence, place), ("127.0.0.1", port))
        time.sleep(max(0.0, due - time.monotonic()))


def _packet(sequence: int, place: int) -> bytes:
    return pack("!BBHII", 0x80, 8, sequence & 0xFFFF, sequence * 160 & 0xFFFFFFFF, place + 1) + _SILENCE


def _off(arrivals: list[tuple[int, float]]) -> list[float]:
    """How far the distance of neighbours is from what their numbers say."""
    pairs = pairwise(arrivals)
    return [abs(b - a - FRAME * ((there - here) & 0xFFFF)) for (here, a), (there, b) in pairs]


def main() -> None:
    """See the module."""
    what, ports, seconds = sys.argv[1], [int(port) for port in sys.argv[2].split(",")], float(sys.argv[3])
    if what == "send":
        send(ports, seconds)
    else:
        json.dump(receive(ports, seconds, float(sys.argv[4])), sys.stdout)


if __name__ == "__main__":
    main()
