"""`python -m tests.e2e.rtp_blaster FROM HOST PORT PACKETS`: forged media at a port of a call that goes on; prints how many answers
came to it. FROM: an address of ours; or one with a port, of which each packet pretends to be (that takes root's rights).

A loud tone and the key 5, with the caller's source (SSRC) and with others', as audio, keys and types that nobody negotiated,
with numbers in a row, all the same, and at random: also what is no RTP, and reports that say goodbye.
"""

from __future__ import annotations

import os
import random
import socket
import struct
import sys
import time

import numpy as np

from gateway.rtp.g711 import Codec, encode

TONE = 1500.0
CALLERS = 4711
"""The probe's own source."""
RATE = 20_000
"""Packets a second: four hundred times what a call has."""
PRETENDED = 200
"""The same of those that the kernel takes for the caller's: above some thousands a second they would take its place in the socket."""
_AT_ONCE = 100
_HEADER = struct.Struct("!BBHII")


def forged(number: int, draw: random.Random) -> bytes:
    """One datagram."""
    times = (np.arange(160) + number * 160) / 8000
    loud = encode((16000 * np.sin(2 * np.pi * TONE * times)).astype(np.int16), Codec.PCMU)
    ssrc = (CALLERS, CALLERS, number, draw.randrange(2**32))[number % 4]
    match draw.randrange(8):
        case 0:
            return _HEADER.pack(0x80, 101, number & 0xFFFF, number * 160, ssrc) + bytes((5, 0x8A, 3, 32))
        case 1:
            return _HEADER.pack(0x80, draw.choice((8, 9, 18, 96, 127)), number & 0xFFFF, number * 160, ssrc) + loud
        case 2:
            return draw.randbytes(draw.randint(1, 300))
        case 3:
            return struct.pack("!BBHI", 0x81, 203, 1, ssrc)
        case 4:
            return _HEADER.pack(0x80, 0x80, 7, 7, ssrc) + loud
        case _:
            return _HEADER.pack(0x80, 0, number & 0xFFFF, (number * 160) & 0xFFFFFFFF, ssrc) + loud


def second_stream(number: int) -> bytes:
    """A tone with numbers in a row, as a phone sends it: of a source that is none of the call's."""
    times = (np.arange(160) + number * 160) / 8000
    loud = encode((16000 * np.sin(2 * np.pi * TONE * times)).astype(np.int16), Codec.PCMU)
    return _HEADER.pack(0x80, 0, number & 0xFFFF, (number * 160) & 0xFFFFFFFF, 815) + loud


def pretend(source: tuple[str, int], there: tuple[str, int], packets: int) -> None:
    """Send a second stream in the caller's own name."""
    raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    os.nice(19)
    due = time.monotonic()
    for number in range(packets):
        due += 1 / PRETENDED
        time.sleep(max(0.0, due - time.monotonic()))
        body = second_stream(number)
        udp = struct.pack("!HHHH", source[1], there[1], 8 + len(body), 0) + body  # a checksum of 0 is none
        addresses = socket.inet_aton(source[0]), socket.inet_aton(there[0])
        ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, socket.IPPROTO_UDP, 0, *addresses)
        raw.sendto(ip + udp, (there[0], 0))


def main(source: str, host: str, port: int, packets: int) -> int:
    """Send them, and count what comes back until a second after the last."""
    draw = random.Random(4)
    stranger = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    stranger.bind((source, 0))
    made = [forged(number, draw) for number in range(5000)]
    os.nice(19)  # what is judged is what the edge makes of it, not who of all on this machine gets the processor
    due = time.monotonic()
    for number in range(packets):
        if number % _AT_ONCE == 0:
            due = max(due + _AT_ONCE / RATE, time.monotonic())
            time.sleep(max(0.0, due - time.monotonic()))
        stranger.sendto(made[number % len(made)], (host, port + (number % 50 == 0)))
    time.sleep(1.0)
    stranger.setblocking(False)
    answers = 0
    while True:
        try:
            stranger.recv(2048)
        except BlockingIOError:
            return answers
        answers += 1


if __name__ == "__main__":
    if ":" in sys.argv[1]:
        address, _, port = sys.argv[1].partition(":")
        pretend((address, int(port)), (sys.argv[2], int(sys.argv[3])), int(sys.argv[4]))
        sys.stdout.write("0\n")
        raise SystemExit
    sys.stdout.write(f"{main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))}\n")
