"""Keys as tones (ITU-T Q.23): making them, and finding them in audio (Goertzel; the limits of Q.24)."""

from __future__ import annotations

import numpy as np

from gateway.rtp import FRAME, RATE, Samples
from gateway.rtp.telephone_event import GAP, KEYS, ON, event_codes

LOW = (697.0, 770.0, 852.0, 941.0)
HIGH = (1209.0, 1336.0, 1477.0, 1633.0)
_PAD = ("123A", "456B", "789C", "*0#D")
FREQUENCIES = {key: (LOW[row], HIGH[column]) for row, keys in enumerate(_PAD) for column, key in enumerate(keys)}
"""Low and high tone (Hz) of each key."""
LEVEL = 6000
"""Peak of each of the two tones: −12 dBm0 or so each, as phones send them."""


def tones(keys: str) -> Samples:
    """The keys' tones, 160 ms each and 100 ms of silence after it. Raises PeerFault when one is no key."""
    time = np.arange(ON * FRAME) / RATE
    out = np.zeros((len(keys), (ON + GAP) * FRAME), np.int16)
    for index, code in enumerate(event_codes(keys)):
        low, high = FREQUENCIES[KEYS[code]]
        wave = np.sin(2 * np.pi * low * time) + np.sin(2 * np.pi * high * time)
        out[index, : len(time)] = (LEVEL * wave).astype(np.int16)
    return out.reshape(-1)
