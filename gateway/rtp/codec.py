"""How audio is coded in RTP, by table: whatever is added to TABLE can be sent and heard."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from gateway.rtp import FRAME, RATE, Samples, g711, g722
from gateway.rtp.halfband import Down, Up

Encode = Callable[[Samples], bytes]
"""One stream's next frame."""
Decode = Callable[[bytes], Samples]
"""One stream's next payload, in the order in which it is heard."""


@dataclass(frozen=True, slots=True)
class Coding:
    """One codec. All of them have an RTP clock of 8,000 Hz, and one byte a tick of it."""

    payload_type: int
    """The static one (RFC 3551 section 6)."""
    rate: int
    """Samples a second; not RTP's clock (RFC 3551 section 4.5.2)."""
    encoder: Callable[[], Encode]
    """Makes a stream's."""
    decoder: Callable[[], Decode]
    silence: bytes = b""
    """A frame of it; b"" where it depends on what was before."""


def _law(law: g711.Codec) -> Coding:
    def encode(samples: Samples) -> bytes:
        return g711.encode(samples, law)

    def decode(payload: bytes) -> Samples:
        return g711.decode(payload, law)

    return Coding(law.payload_type, RATE, lambda: encode, lambda: decode, g711.silence(law))


TABLE = {
    "PCMU": _law(g711.Codec.PCMU),
    "PCMA": _law(g711.Codec.PCMA),
    "G722": Coding(9, g722.RATE, g722.Encoder, g722.Decoder),
}
"""By their names in SDP."""
WIDE = max(coding.rate for coding in TABLE.values())


class Sender:
    """Codes one stream's frames, which have `rate` samples a second, whatever the codec's rate is."""

    def __init__(self, codec: str, rate: int) -> None:
        coding = TABLE[codec]
        self._encode = coding.encoder()
        self._convert = _between(rate, coding.rate)
        self._silence = coding.silence if coding.rate == rate else b""
        self._nothing: Samples = np.zeros(FRAME * rate // RATE, np.int16)

    def __call__(self, samples: Samples | None) -> bytes:
        """The next frame; None for silence."""
        if samples is None:
            if self._silence:
                return self._silence
            samples = self._nothing
        return self._encode(samples if self._convert is None else self._convert(samples))


class Hearer:
    """Decodes one stream's payloads, in the order in which they are heard, to `rate` samples a second."""

    def __init__(self, codec: str, rate: int) -> None:
        coding = TABLE[codec]
        self._decode = coding.decoder()
        self._convert = _between(coding.rate, rate)

    def __call__(self, payload: bytes) -> Samples:
        """The next payload's samples: `rate` / 8,000 for each of its bytes."""
        samples = self._decode(payload)
        return samples if self._convert is None else self._convert(samples)


def later(hearer: Hearer, payload: bytes) -> Callable[[], Samples]:
    """The payload's samples, decoded when they are asked for."""
    return partial(hearer, payload)


def _between(rate: int, wanted: int) -> Callable[[Samples], Samples] | None:
    """None where nothing is to be done."""
    if rate == wanted:
        return None
    return Up() if rate < wanted else Down()
