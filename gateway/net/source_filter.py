"""A UDP socket that hears one sender: whatever else comes to its port is dropped by the kernel, before it takes the room
of what is wanted, or our time (Linux's socket filters, a program of classic BPF)."""

from __future__ import annotations

import contextlib
import ctypes
import ipaddress
import socket
import struct
import sys

from gateway.rtp.peer import ANY_PORT, HostPort

_ATTACH, _DETACH = 26, 27  # SO_ATTACH_FILTER, SO_DETACH_FILTER: Python's socket module doesn't name them
_WORD, _HALF, _EQUAL, _RETURN = 0x20, 0x28, 0x15, 0x06
_NETWORK = 0xFFF00000
"""SKF_NET_OFF: offsets from here on count from the IP header; others from the UDP header."""
_ALL = 0xFFFFFFFF
_STEP = struct.Struct("=HBBI")
"""A struct sock_filter."""


def hear_only(bound: socket.socket, source: HostPort | None) -> None:
    """Let only what comes from there in from now on, by any port with ANY_PORT; None: from anywhere. What waits already is left, and where the
    kernel has no filters nothing changes: look at each datagram's source all the same."""
    if sys.platform != "linux":
        return
    with contextlib.suppress(OSError):
        if source is None:
            bound.setsockopt(socket.SOL_SOCKET, _DETACH, 0)
            return
        steps = program(source)
        held = ctypes.c_char.from_buffer(bytearray(steps))  # an array's type would be a cycle of garbage
        bound.setsockopt(
            socket.SOL_SOCKET, _ATTACH, struct.pack("@HP", len(steps) // _STEP.size, ctypes.addressof(held))
        )


def program(source: HostPort) -> bytes:
    """The filter: whether a datagram's port, but for ANY_PORT, and IP address are those."""
    address = ipaddress.ip_address(source[0]).packed
    start = _NETWORK + (12 if len(address) == 4 else 8)
    wanted = [] if source[1] == ANY_PORT else [(_HALF, 0, source[1])]
    wanted += [(_WORD, start + at, int.from_bytes(address[at : at + 4], "big")) for at in range(0, len(address), 4)]
    steps = []
    for number, (load, offset, value) in enumerate(wanted):
        steps.append(_STEP.pack(load, 0, 0, offset))
        steps.append(_STEP.pack(_EQUAL, 0, 2 * (len(wanted) - number) - 1, value))
    return b"".join([*steps, _STEP.pack(_RETURN, 0, 0, _ALL), _STEP.pack(_RETURN, 0, 0, 0)])
