"""The jitter buffer: packets in as they come, one frame out each 20 ms, with as little delay as the network allows.

It starts with a delay of a few measured jitters. When nothing is there in time, it makes a frame up and waits for the
late packet, so the delay grows as needed; when packets have lain longer than needed for two seconds, it joins two
frames to one, so the delay shrinks again. It counts in ticks of RTP's clock: packets may hold 10, 20, 30 or 60 ms.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gateway.rtp import FRAME, FRAME_SECONDS, RATE, Audio, Samples
from gateway.rtp.packet import unwrap

MAX_DELAY = 0.24
"""Seconds of audio that may wait; more is cut down to SHORTENED."""
SHORTENED = 0.06
PATIENCE = 0.12
"""Seconds that a missing packet is waited for when nothing else is there; then the source counts as paused."""
MAX_JUMP = RATE
"""Ticks of change in the timestamp that are a new beginning."""

_START_MIN, _START_MAX = 0.005, 0.08
_ENOUGH = FRAME_SECONDS + 0.005
"""Slack (seconds from arrival to playing) with which a whole frame of delay can go."""
_WATCH, _WATCH_LONG = 100, 500
"""Frames over which the packets' slack is watched: 2 s, or 10 s once the delay had to grow."""
_LATE = 2
"""Packets that came too late within a watch before the delay grows."""
_FADING = 3
"""A made-up frame repeats the last one, fading out over 60 ms."""


@dataclass(slots=True, eq=False)
class _Piece:
    start: int
    ticks: int
    sound: Samples | Callable[[], Samples]
    at: float

    @property
    def end(self) -> int:
        return self.start + self.ticks

    def samples(self) -> Samples:
        """Decoded once, when they are first asked for."""
        if not isinstance(self.sound, np.ndarray):
            self.sound = self.sound()
        return self.sound


class JitterBuffer:
    """One source's audio, put in order. `put` each packet, `take` every 20 ms. `rate`: samples a second of the audio, a
    multiple of RTP's clock."""

    def __init__(self, rate: int = RATE) -> None:
        self._spread = rate // RATE
        """Samples in a tick."""
        self._size = FRAME * self._spread
        self._fade = np.linspace(1.0, 0.0, _FADING * self._size, dtype=np.float32).reshape(_FADING, self._size)
        self._rise = np.linspace(0.0, 1.0, self._size, dtype=np.float32)
        self.late = 0
        """Packets that came after their time."""
        self.concealed = 0
        """Frames made up while the source was sending."""
        self._pieces: deque[_Piece] = deque()
        self._playing = False
        self._position = 0
        """RTP time of the next sample to be heard, while playing."""
        self._newest = 0
        self._held = 0
        """Ticks made up without moving on, because the packet might still come."""
        self._jitter = 0.0
        self._transit: float | None = None
        self._last: Samples | None = None
        self._faded = 0
        self._slacks: list[float] = []
        self._watch = _WATCH
        self._late_lately = 0

    @property
    def delay(self) -> float:
        """Seconds from the next sample to be heard to the newest that came."""
        if not self._pieces:
            return 0.0
        start = self._position if self._playing else self._pieces[0].start
        return max(0, self._pieces[-1].end - start) / RATE

    def put(self, timestamp: int, samples: Samples, at: float) -> None:
        """Take in a packet that arrived at `at`; `timestamp` is RTP's, 32 bits. Duplicates change nothing."""
        self.put_coded(timestamp, len(samples) // self._spread, samples, at)

    def put_coded(self, timestamp: int, ticks: int, sound: Samples | Callable[[], Samples], at: float) -> None:
        """The same for a packet that isn't decoded yet: `sound` is asked for its samples when they are to be heard, in
        the order of hearing, and never if they aren't."""
        start = unwrap(timestamp, self._newest, 32)
        if abs(start - self._newest) > MAX_JUMP:
            self.restart()
        self._measure(start, at)
        self._newest = start
        if self._playing and start + ticks <= self._position:
            self.late += 1
            self._late_lately += 1
            return
        self._insert(_Piece(start, ticks, sound, at))
        self._bound()

    def take(self, now: float) -> Audio:
        """The frame to be heard at `now`. Call it every 20 ms, also while nothing comes."""
        if not self._playing and not self._begin(now):
            return self._conceal(now)
        self._skip_what_was_waited_for()
        if self._late_lately >= _LATE:
            self._grow()
            return self._conceal(now)
        if not self._pieces or self._pieces[-1].end < self._position + FRAME:
            return self._wait(now)
        shorten = self._has_slack(now)
        samples, missing = self._cut()
        if missing == FRAME:
            return self._conceal(now)
        if shorten and self._pieces and self._pieces[0].start == self._position:
            samples = (samples * (1 - self._rise) + self._cut()[0] * self._rise).astype(np.int16)
        if self._held:
            self._grow()
        self._last, self._faded = samples, 0
        return Audio(samples, now, concealed=missing > 0)

    def restart(self) -> None:
        """Forget everything that waits: another source, or a jump in its clock."""
        self._pieces.clear()
        self._playing = False
        self._transit = None

    def _measure(self, start: int, at: float) -> None:
        transit = at - start / RATE
        if self._transit is not None:
            self._jitter += (min(abs(transit - self._transit), MAX_DELAY) - self._jitter) / 16
        self._transit = transit

    def _insert(self, piece: _Piece) -> None:
        later: list[_Piece] = []
        while self._pieces and self._pieces[-1].start > piece.start:
            later.append(self._pieces.pop())
        if piece.ticks and not (self._pieces and self._pieces[-1].start == piece.start):
            self._pieces.append(piece)
        self._pieces.extend(reversed(later))

    def _bound(self) -> None:
        if self.delay <= MAX_DELAY:
            return
        keep = self._pieces[-1].end - round(SHORTENED * RATE)
        while len(self._pieces) > 1 and self._pieces[0].start < keep:
            self._pieces.popleft()
        self._position = self._pieces[0].start

    def _begin(self, now: float) -> bool:
        """Start to play once the first packet has waited for a few jitters."""
        wanted = min(max(3 * self._jitter, _START_MIN), _START_MAX)
        if not self._pieces or now - self._pieces[0].at < wanted or self.delay < FRAME_SECONDS:
            return False
        self._playing, self._position = True, self._pieces[0].start
        self._held = self._late_lately = 0
        self._slacks.clear()
        return True

    def _skip_what_was_waited_for(self) -> None:
        """When a later packet shows that the missing one is lost, the frames made up meanwhile stood for it."""
        gap = self._pieces[0].start - self._position if self._pieces else 0
        if self._held and gap > 0:
            self._position += min(gap, self._held)
            self._held = 0

    def _grow(self) -> None:
        """The packets are late: stay a frame behind, and be slow to catch up."""
        self._held = self._late_lately = 0
        self._watch = _WATCH_LONG
        self._slacks.clear()

    def _wait(self, now: float) -> Audio:
        self._held += FRAME
        if self._held > PATIENCE * RATE:
            self._playing = False
            self._pieces.clear()  # the last part of a frame, if anything
        return self._conceal(now)

    def _has_slack(self, now: float) -> bool:
        """Whether all packets but a few came so early, for long enough, that a frame of delay can go."""
        if self._pieces[0].start >= self._position:
            self._slacks.append(now - self._pieces[0].at)
        if len(self._slacks) < self._watch:
            return False
        enough = sorted(self._slacks)[len(self._slacks) // 50] > _ENOUGH
        self._slacks.clear()
        self._late_lately = 0
        self._watch = _WATCH
        return enough

    def _cut(self) -> tuple[Samples, int]:
        """The frame at the position, and how many of its ticks are missing; moves on past it."""
        begin, end, spread = self._position, self._position + FRAME, self._spread
        self._position = end
        first = self._pieces[0]
        if first.start == begin and first.ticks == FRAME:
            self._pieces.popleft()
            return first.samples(), 0
        out, missing, low = np.zeros(self._size, np.int16), FRAME, begin
        while self._pieces and self._pieces[0].start < end:
            piece = self._pieces[0]
            low, high = max(piece.start, low), min(piece.end, end)
            if high > low:
                part = piece.samples()[spread * (low - piece.start) : spread * (high - piece.start)]
                out[spread * (low - begin) : spread * (high - begin)] = part
                missing, low = missing - (high - low), high
            if piece.end > end:
                break
            self._pieces.popleft()
        return out, missing

    def _conceal(self, now: float) -> Audio:
        if self._playing:
            self.concealed += 1
        if self._last is None or self._faded >= _FADING:
            return Audio(np.zeros(self._size, np.int16), now, concealed=self._playing)
        samples = (self._last * self._fade[self._faded]).astype(np.int16)
        self._faded += 1
        return Audio(samples, now, concealed=True)
