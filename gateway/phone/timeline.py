"""The figures of one call: when it rang and was answered, who waited how long for whom, how even the media came.

Pure functions of what was taken down. What the other side did is measured on its packets as they arrived, before the
jitter buffer. Times are seconds; those of the result count from the answer, those of the signalling from the INVITE.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum

import numpy as np

from gateway.phone.tape import Tape
from gateway.rtp import FRAME_SECONDS
from gateway.rtp.statistics import Statistics
from gateway.rtp.telephone_event import GAP, ON
from gateway.rtp.vad import Stretch

Span = tuple[float, float]
KEY_SECONDS = (ON + GAP) * FRAME_SECONDS
"""How long one key takes to send, its pause included."""
DEAD_AIR = 1.0
"""Seconds in which neither side is heard that are worth telling."""


class Kind(StrEnum):
    """What this side did."""

    SAY = "say"
    PLAY = "play"
    PRESS = "press"


@dataclass(frozen=True, slots=True)
class Action:
    """Something this side said, played or pressed; `start` and `end` frame it on the monotonic clock."""

    kind: Kind
    what: str = field(repr=False)
    """The words, the file's name, or the keys: personal."""
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Signalling:
    """When what happened on the monotonic clock, and how the call ended."""

    dialed: str = field(repr=False)
    invited: float
    ringing: float | None = None
    """The first 180 or 183."""
    answered: float | None = None
    ended: float | None = None
    status: int | None = None
    """Final response to the INVITE; None when none came."""
    reason: str = ""
    ended_by: str = ""
    """`us`, `them`, or `network`."""
    codec: str = ""
    call_id: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of this side. `gap` is from its end to the first sound of the other side that began after it."""

    kind: Kind
    what: str = field(repr=False)
    start: float
    end: float
    """When its last sound ended, or its last key went down."""
    gap: float | None
    """Negative when the other side began before this turn's end; None when it said nothing new before the next one."""


@dataclass(frozen=True, slots=True)
class BargeIn:
    """This side began to speak while the other did."""

    at: float
    until_silence: float | None
    """Seconds until the other side was silent; None when it never was."""


@dataclass(frozen=True, slots=True)
class Pacing:
    """How evenly the other side's packets came; milliseconds. Of their sender and the network, not of this phone."""

    packets: int = 0
    p50: float = 0.0
    p99: float = 0.0
    longest: float = 0.0
    lost: int = 0
    jitter: float = 0.0


@dataclass(frozen=True, slots=True)
class Timeline:
    """Everything measured in one call."""

    dialed: str = field(repr=False)
    status: int | None
    reason: str
    invite_to_ringing: float | None
    invite_to_answer: float | None
    answer_to_first_word: float | None
    duration: float | None
    """From answer to end."""
    ended_by: str
    codec: str
    call_id: str = field(repr=False)
    turns: tuple[Turn, ...] = ()
    barge_ins: tuple[BargeIn, ...] = ()
    pacing: Pacing = field(default_factory=Pacing)
    silences: tuple[Span, ...] = ()
    """Start and length of each stretch of dead air: more than a second with neither side heard, also before the end."""
    sent: tuple[Span, ...] = ()
    """Start and end of each stretch of this side's sound."""
    heard: tuple[Span, ...] = ()
    """Start and end of each stretch of the other side's."""
    keys_heard: str = field(default="", repr=False)

    def as_json(self) -> dict[str, object]:
        """For json.dumps: seconds to the tenth of a millisecond."""
        rounded: object = _rounded(asdict(self))
        return dict(rounded) if isinstance(rounded, dict) else {}


def measure(
    signalling: Signalling,
    tape: Tape,
    actions: Sequence[Action],
    statistics: Statistics,
    *,
    now: float,
    keys_heard: str = "",
) -> Timeline:
    """The timeline at `now`; an ended call's doesn't change any more."""
    zero = signalling.answered
    end = signalling.ended or now
    timeline = Timeline(
        dialed=signalling.dialed,
        status=signalling.status,
        reason=signalling.reason,
        invite_to_ringing=_after(signalling.ringing, signalling.invited),
        invite_to_answer=_after(zero, signalling.invited),
        answer_to_first_word=None,
        duration=_after(end, zero),
        ended_by=signalling.ended_by,
        codec=signalling.codec,
        call_id=signalling.call_id,
        keys_heard=keys_heard,
    )
    if zero is None:
        return timeline
    sent, heard = (closed(activity.stretches, end) for activity in (tape.speech_sent, tape.speech_heard))
    first = next((max(start, zero) for start, finish in heard if finish > zero), None)
    return replace(
        timeline,
        answer_to_first_word=_after(first, zero),
        turns=tuple(_moved(turn, zero) for turn in turns(actions, sent, heard)),
        barge_ins=tuple(replace(each, at=each.at - zero) for each in barge_ins(sent, heard, end)),
        pacing=pacing(tape.steps, statistics),
        silences=tuple((start - zero, length) for start, length in silences([*sent, *heard], zero, end)),
        sent=_from(sent, zero),
        heard=_from(heard, zero),
    )


def closed(stretches: Iterable[Stretch], end: float) -> list[Span]:
    """The stretches as start and end; one that goes on ends at `end`."""
    return [(each.start, end if each.end is None else each.end) for each in stretches]


def turns(actions: Sequence[Action], sent: Sequence[Span], heard: Sequence[Span]) -> list[Turn]:
    """What this side did, with when the other side answered it."""
    spans = [_sounding(action, sent) for action in actions]
    limits = [*(start for start, _ in spans[1:]), float("inf")][: len(spans)]
    return [
        Turn(action.kind, action.what, start, end, _gap(start, end, limit, heard))
        for action, (start, end), limit in zip(actions, spans, limits, strict=True)
    ]


def barge_ins(sent: Sequence[Span], heard: Sequence[Span], end: float) -> list[BargeIn]:
    """Each time this side began to speak while the other did; `end` is the call's."""
    found = []
    for start, _ in sent:
        over = next((span for span in heard if span[0] < start < span[1]), None)
        if over is not None:
            found.append(BargeIn(start, over[1] - start if over[1] < end else None))
    return found


def silences(spans: Iterable[Span], start: float, end: float) -> list[Span]:
    """Start and length of each stretch of more than DEAD_AIR between `start` and `end` that no span covers."""
    found, until = [], start
    for begin, finish in [*sorted(spans), (end, end)]:
        if min(begin, end) - until > DEAD_AIR:
            found.append((until, min(begin, end) - until))
        until = max(until, finish)
    return found


def pacing(steps: Sequence[float], statistics: Statistics) -> Pacing:
    """The distances between packets, and the receiver's counts."""
    counted = Pacing(lost=statistics.lost, jitter=statistics.jitter * 1000, packets=statistics.received)
    if not steps:
        return counted
    p50, p99, longest = (np.percentile(steps, [50, 99, 100]) * 1000).tolist()
    return replace(counted, p50=p50, p99=p99, longest=longest)


def _sounding(action: Action, sent: Sequence[Span]) -> Span:
    if action.kind is Kind.PRESS:
        return action.start, max(action.start, action.end - KEY_SECONDS)
    inside = [span for span in sent if span[1] > action.start and span[0] < action.end]
    if not inside:
        return action.start, action.end
    return max(action.start, inside[0][0]), min(action.end, inside[-1][1])


def _gap(start: float, end: float, limit: float, heard: Sequence[Span]) -> float | None:
    for begin, finish in heard:
        if begin >= limit:
            return None
        if begin >= end or (begin > start and finish > end):
            return begin - end
    return None


def _after(when: float | None, start: float | None) -> float | None:
    return None if when is None or start is None else when - start


def _from(spans: Iterable[Span], zero: float) -> tuple[Span, ...]:
    return tuple((start - zero, end - zero) for start, end in spans)


def _moved(turn: Turn, zero: float) -> Turn:
    return replace(turn, start=turn.start - zero, end=turn.end - zero)


def _rounded(value: object) -> object:
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, dict):
        return {key: _rounded(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(each) for each in value]
    return value
