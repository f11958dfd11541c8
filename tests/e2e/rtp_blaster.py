"""`python -m tests.e2e.rtp_blaster FROM HOST PORT PACKETS`: forged media at a port of a call that goes on; prints how many answers
came to it.

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
    sys.stdout.write(f"{main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))}\n")
