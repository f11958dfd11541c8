"""Keys as RTP events (RFC 4733): each press told once, whatever network and sender do to its packets."""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass
from struct import Struct

from gateway.errors import PeerFault
from gateway.rtp import FRAME
from gateway.rtp.packet import RtpPacket, unwrap

KEYS = "0123456789*#ABCD"
"""Keys by event code (RFC 4733 section 3.2)."""
ON = 8
"""Frames that a key we send is down: 160 ms, so that it passes gateways that want 100."""
GAP = 5
"""Frames of pause after it, the repeated end packets among them: 100 ms."""
ENDS = 3
"""How often the end is sent (section 2.5.1.4)."""
MAX_KEYS = 64
"""Keys that may wait to be sent."""

_LONGEST = 0xFFFF
"""Duration at which an event goes on under a new timestamp (section 2.5.1.3)."""
_REMEMBERED = 32
_BLOCK = Struct("!BBH")


@dataclass(slots=True)
class _Press:
    """One event as far as it was seen. Timestamps and sequence are unwrapped; all but `began` are of its newest packet.

    `began` differs from `timestamp` only for senders that let an event's timestamp move on.
    """

    code: int
    began: int
    timestamp: int
    sequence: int
    duration: int
    marker: bool
    ended: bool


class Receiver:
    """Finds the presses in one source's (SSRC's) event packets.

    A press is known by its timestamp, so neither its first packet (marker) nor its last (end) needs to arrive; repeated
    and reordered packets change nothing. Senders that break the RFC are understood too: several presses under one
    timestamp, and one press whose timestamp moves on with each packet.
    """

    def __init__(self) -> None:
        self._presses: OrderedDict[tuple[int, int], _Press] = OrderedDict()
        self._newest: _Press | None = None

    def receive(self, packet: RtpPacket) -> str | None:
        """Take one event packet; returns the key when a press begins with it. Flash and tones (codes over 15) are none.

        Only the first event of a packet counts. Raises PeerFault when the packet holds none.
        """
        if len(packet.payload) < _BLOCK.size:
            raise PeerFault("a telephone-event packet is too short")
        if packet.payload[0] >= len(KEYS):
            return None
        seen = self._read(packet)
        known = self._presses.get((seen.timestamp, seen.code))
        if known is None and self._newest is not None and _carries_on(self._newest, seen):
            known = self._newest
        if known is None or _pressed_again(known, seen):
            self._remember(seen, seen.timestamp)
            if self._newest is None or seen.sequence > self._newest.sequence:
                self._newest = seen
            return KEYS[seen.code]
        self._remember(known, seen.timestamp)
        if seen.sequence > known.sequence:
            known.sequence, known.timestamp, known.duration = seen.sequence, seen.timestamp, seen.duration
            known.ended = known.ended or seen.ended
        return None

    def _read(self, packet: RtpPacket) -> _Press:
        code, flags, duration = _BLOCK.unpack_from(packet.payload)
        timestamp, sequence = packet.timestamp, packet.sequence
        if self._newest is not None:
            timestamp = unwrap(timestamp, self._newest.timestamp, 32)
            sequence = unwrap(sequence, self._newest.sequence, 16)
        return _Press(code, timestamp, timestamp, sequence, duration, packet.marker, bool(flags & 0x80))

    def _remember(self, press: _Press, timestamp: int) -> None:
        key = (timestamp, press.code)
        self._presses[key] = press
        self._presses.move_to_end(key)
        while len(self._presses) > _REMEMBERED:
            self._presses.popitem(last=False)


def _carries_on(last: _Press, seen: _Press) -> bool:
    """Whether a packet with a timestamp not seen before only continues the newest press."""
    if seen.code != last.code:
        return False
    moved = seen.timestamp - last.timestamp
    if seen.sequence < last.sequence:
        return last.began < seen.timestamp < last.timestamp + last.duration
    if seen.marker:
        return False
    if not last.ended and moved == _LONGEST:
        return True
    within = 0 < moved < last.duration  # no new press can begin before the last one is over
    # Such a sender moves its clock by a packet's time with each; a new press after heavy loss falls behind that.
    paced = moved >= FRAME * (seen.sequence - last.sequence)
    in_step = not last.ended and paced and 0 < moved == seen.duration - last.duration
    return within or in_step


def _pressed_again(known: _Press, seen: _Press) -> bool:
    """A sender that reuses the timestamp: a later packet has the key going down anew, whether or not it was seen to come up. A
    duration that only went over its 16 bits, as some senders let it, is none."""
    shorter = known.duration - seen.duration
    anew = known.ended or seen.marker or shorter < _LONGEST // 2
    return anew and not seen.ended and seen.sequence > known.sequence and shorter > 0


@dataclass(frozen=True, slots=True)
class EventPacket:
    """What to send in the place of this frame's audio."""

    payload: bytes
    timestamp: int
    """RTP timestamp of the press's beginning."""
    marker: bool


class Sender:
    """Turns keys into event packets, one a frame (20 ms), so that they keep the audio's pace and clock."""

    def __init__(self, *, on: int = ON, gap: int = GAP) -> None:
        self._on, self._gap = on, max(gap, ENDS)
        self._codes: deque[int] = deque()
        self._began = 0
        self._frames = 0

    @property
    def busy(self) -> bool:
        """Whether a key is being sent or waits."""
        return bool(self._codes)

    def press(self, keys: str) -> None:
        """Queue keys, in order. Raises PeerFault when one is no key or too many wait; none is queued then."""
        codes = event_codes(keys)
        if len(self._codes) + len(codes) > MAX_KEYS:
            raise PeerFault(f"More than {MAX_KEYS} keys wait to be sent.")
        self._codes.extend(codes)

    def clear(self) -> None:
        """Forget keys that haven't begun; the one that is down is finished."""
        while len(self._codes) > (1 if self._frames else 0):
            self._codes.pop()

    def next(self, timestamp: int) -> EventPacket | None:
        """The packet of the frame that begins at RTP time `timestamp`; None when audio may go out instead."""
        if not self._codes:
            return None
        if self._frames == 0:
            self._began = timestamp
        self._frames += 1
        frame, packet = self._frames, None
        if frame < self._on + ENDS:
            flags = 10 | (0x80 if frame >= self._on else 0)  # volume -10 dBm0
            payload = _BLOCK.pack(self._codes[0], flags, FRAME * min(frame, self._on))
            packet = EventPacket(payload, self._began, marker=frame == 1)
        if frame == self._on + self._gap:
            self._codes.popleft()
            self._frames = 0
        return packet


def event_codes(keys: str) -> list[int]:
    """Event codes of written keys; letters in either case. Raises PeerFault when one is no key."""
    codes = [KEYS.find(key) for key in keys.upper()]
    if -1 in codes:
        raise PeerFault(f"A phone has the keys {KEYS}; another was to be pressed.")
    return codes
