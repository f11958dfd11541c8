"""What was said and heard in a call: both sides on one clock, in memory, without I/O.

Audio counts from when its packet was sent or, for the other side, from when a person with this phone would hear it:
after the jitter buffer. For measurements the packets themselves are kept too, as they arrived.
"""

from __future__ import annotations

import io
import wave
from dataclasses import dataclass, field

import numpy as np

from gateway.rtp import FRAME, FRAME_SECONDS, RATE, Arrival, Samples
from gateway.rtp.vad import Activity


class Track:
    """Samples of one side, gap-free: time for which nothing was written is silence."""

    def __init__(self) -> None:
        self._samples: Samples = np.zeros(RATE * 30, np.int16)
        self._end = 0

    def __len__(self) -> int:
        return self._end

    def write(self, place: int, samples: Samples) -> None:
        """Put samples at `place`, counted from the beginning."""
        end = place + len(samples)
        if end > len(self._samples):
            self._samples = np.concatenate([self._samples, np.zeros(max(end, len(self._samples)), np.int16)])
        self._samples[place:end] = samples
        self._end = max(self._end, end)

    def read(self, start: int, end: int) -> Samples:
        """A copy of the samples from `start` to `end`, as far as there are any."""
        return self._samples[max(0, start) : max(0, min(end, self._end))].copy()


@dataclass
class Tape:
    """One call's recording. All times are seconds of the monotonic clock that its frames and arrivals carry."""

    sent: Track = field(default_factory=Track)
    heard: Track = field(default_factory=Track)
    speech_sent: Activity = field(default_factory=Activity)
    speech_heard: Activity = field(default_factory=Activity)
    steps: list[float] = field(default_factory=list)
    """Seconds between the arrivals of packets that follow each other."""
    begun: float | None = None
    """When the first frame was; None before."""
    now: float = 0.0
    """When the last frame was."""
    _sequence: int = -1
    _arrived: float = 0.0

    def frame(self, at: float, sent: Samples, heard: Samples) -> None:
        """Take down 20 ms of both sides."""
        if self.begun is None:
            self.begun = at
        place = round((at - self.begun) / FRAME_SECONDS) * FRAME
        self.sent.write(place, sent)
        self.heard.write(place, heard)
        self.speech_sent.hear(sent, at)
        self.speech_heard.pass_time(at)
        self.now = at + FRAME_SECONDS

    def arrival(self, arrival: Arrival) -> None:
        """Take down a packet. One that was overtaken counts for the pace of none."""
        if arrival.sequence == (self._sequence + 1) & 0xFFFF:
            self.steps.append(arrival.at - self._arrived)
        self._sequence, self._arrived = arrival.sequence, arrival.at
        self.speech_heard.hear(arrival.samples, arrival.at)

    def between(self, track: Track, start: float, end: float) -> Samples:
        """The samples of a track from `start` to `end`; what lies before the beginning or after the end is left out."""
        if self.begun is None:
            return np.zeros(0, np.int16)
        return track.read(round((start - self.begun) * RATE), round((end - self.begun) * RATE))

    def wav(self) -> bytes:
        """A stereo WAV file: left what was sent, right what was heard."""
        length = max(len(self.sent), len(self.heard))
        both = np.stack([track.read(0, length) for track in (self.sent, self.heard)], axis=1)
        out = io.BytesIO()
        with wave.open(out, "wb") as file:
            file.setnchannels(2)
            file.setsampwidth(2)
            file.setframerate(RATE)
            file.writeframes(both.astype("<i2").tobytes())
        return out.getvalue()
