"""RTP telephone audio without I/O: datagrams, samples and the time go in, datagrams, samples and events come out.

Most callers need only the driver, `gateway.net.media`, and of this package:

- `gateway.rtp.codec`: `TABLE` of all codecs; `gateway.rtp.g711`: `Codec.PCMU | PCMA`, `decode(payload, codec) -> Samples`,
  `encode(samples, codec) -> bytes`; `gateway.rtp.g722`.
- `gateway.rtp.session`: `Format`, what SDP settled on; `Session`, one call's RTP in both directions; `gateway.rtp.statistics`: `Statistics`.
- `gateway.rtp.packet`: `RtpPacket`, `parse(datagram)`, `write(packet)`.
- `gateway.rtp.telephone_event`: keys as RFC 4733 events, `Receiver` and `Sender`.
- `gateway.rtp.jitter`: `JitterBuffer`, which turns late, lost and reordered packets into one frame each 20 ms.
- `gateway.rtp.queue`: `SendQueue`, the bounded queue of what is to be sent.

Audio is mono, 16 bit, and 8 kHz, or 16 kHz where a session is made for that. One frame is 20 ms: 160 ticks of RTP's
clock, which all codecs here have. Times are seconds of any monotonic clock.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

RATE = 8000
"""Samples a second; also the RTP clock of PCMU, PCMA and telephone-event (RFC 3551, RFC 4733)."""
FRAME = 160
"""Samples of one frame at RATE, and ticks of RTP's clock in any."""
FRAME_SECONDS = FRAME / RATE

Samples = NDArray[np.int16]
"""Mono audio; at RATE where nothing else is said."""


@dataclass(frozen=True, slots=True, eq=False)
class Audio:
    """One frame of received audio, in order and gap-free: exactly one each 20 ms once media has begun."""

    samples: Samples
    """20 ms at the session's rate; read-only for whoever gets it."""
    at: float
    """When the frame is due to be heard: the pacer's tick."""
    concealed: bool = False
    """Made up, wholly or in part, because packets are missing."""


@dataclass(frozen=True, slots=True, eq=False)
class Arrival:
    """One audio packet as it came off the network, before the jitter buffer: what measurements are made on."""

    samples: Samples
    at: float
    """When it arrived, by the kernel's clock where it tells."""
    sequence: int
    timestamp: int


@dataclass(frozen=True, slots=True)
class KeyPressed:
    """The other side pressed a key; told once a press, at its first packet."""

    key: str = field(repr=False)
    """One of `0123456789*#ABCD`: personal, never for a log."""
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class TimedOut:
    """No RTP came for too long. Told once, and again only after media had come back."""

    initial: bool
    """True when nothing ever came."""
    seconds: float
    """How long nothing came."""
