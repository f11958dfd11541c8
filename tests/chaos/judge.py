"""What a caller went through, judged by their side of the line: the tape, what they said and pressed when, and the record.

Pure. Times are seconds of one monotonic clock. Somebody at a telephone knows nothing of processes: they hear sound or
silence, are greeted once or twice, are asked again for what they have said, are cut off, and are called back once or
twice.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise
from typing import Any

Span = tuple[float, float]
Record = Mapping[str, Any]

UNTOUCHED = 4.0
"""Seconds for which sound that goes on over a fault shows that the caller noticed nothing of it."""
SETTLED = 2.5
"""Seconds after which words are surely written down, though nobody has answered to them yet."""
PAUSE = 0.3
"""Seconds: who is silent for less has only taken breath."""
ALIKE = 0.5
"""Share of the words said that a turn of the record must have: a recogniser hears one wrong now and then."""
SAME = 0.9
"""The share from which two turns are one that was noted twice."""
LAST_WORDS = 8.0
"""Seconds before a hang-up in which somebody was heard: the caller was told."""
RINGS_AT_MOST = 20.0
"""Seconds of ringing from which it counts as endless."""


class Target(StrEnum):
    """What is disturbed."""

    JOB = "job"
    WORKER = "worker"
    CONTROL = "control"
    REDIS = "redis"
    SPEECH = "speech"
    EDGE = "edge"
    LIVEKIT = "livekit"
    STT = "stt"
    """The provider that hears, as one on the network: the speech server behind it serves as the last link."""
    LLM = "llm"
    TTS = "tts"
    NONE = "none"
    """Nothing: what is normal on this machine."""


class Deed(StrEnum):
    """What is done to it."""

    KILL = "kill"
    STOP = "stop"
    """SIGSTOP, and SIGCONT after a while."""
    CUT = "cut"
    """Its connections are closed; new ones are let through. Of a job: its media alone gets through no more, for good."""
    HOLD = "hold"
    """Its connections stay up for a while, and carry nothing."""
    RESTART = "restart"
    """It is shut down in order, and started again."""
    REFUSE = "refuse"
    """For a while it takes no writes, as a Redis that has become a replica in a fail-over."""
    STALL = "stall"
    """For a while a provider takes requests and says nothing; so with all that follow."""
    HALF_OPEN = "half-open"
    """It neither takes nor says anything, nor ends a connection."""
    DELAY = "delay"
    """It says everything seconds late."""
    LIMIT = "429"
    """It refuses requests for its limit of them."""
    DENY = "401"
    """It knows our key no more."""
    FAIL = "500"
    GARBAGE = "garbage"
    DRIP = "drip"
    """It says everything very slowly."""
    NONE = "none"


MEDIA_PATH = frozenset({Target.EDGE, Target.LIVEKIT})
"""What carries the caller's voice."""
ENDS = frozenset({(Target.EDGE, Deed.KILL), (Target.LIVEKIT, Deed.KILL)})
"""What a call may end with: what carries the caller's voice is dead. With all else it must go on."""
SILENT_AT_MOST: Mapping[tuple[Target, Deed], float] = {
    (Target.EDGE, Deed.CUT): 6.0,
    (Target.EDGE, Deed.STOP): 6.0,
    (Target.LIVEKIT, Deed.CUT): 6.0,
    (Target.LIVEKIT, Deed.STOP): 6.0,
    (Target.SPEECH, Deed.STOP): 6.0,
    (Target.REDIS, Deed.RESTART): 6.0,
    (Target.REDIS, Deed.REFUSE): 6.0,
}
"""Seconds for which a caller may hear nothing, beside those for which what carries their voice stands still. Who is asked what
to do with their message has 5 s to say so, whatever is disturbed."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One disturbance; `until` is when it was over, where that isn't at once."""

    target: Target
    deed: Deed
    at: float
    until: float | None = None


class Proof(StrEnum):
    """Where it must be found that something was said or pressed."""

    TURN = "turn"
    """A turn of the record."""
    STOP = "stop"
    """A stop of the record, whose act is `value`."""
    SOUND = "sound"
    """A message's sound."""
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Said:
    """Something the caller said or pressed."""

    what: str = field(repr=False)
    """The words, or the keys."""
    start: float
    end: float
    proof: Proof = Proof.TURN
    value: str = ""
    """What proves it, for STOP."""
    fact: str = ""
    """The name of the fact of the lead or ticket that holds it; "" for none."""
    holds: str = ""
    """What the fact must hold."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that is known of one call when it is over."""

    invited: float
    answered: float | None
    ended: float
    ended_by: str
    """`us`, `them`, or `network`."""
    heard: Sequence[Span]
    """When the other side was heard at all, in order."""
    spoken: Sequence[Span] = ()
    """When it was somebody speaking, in order."""
    said: Sequence[Said] = ()
    greetings: Sequence[float] = ()
    """When the greeting began, each time."""
    listening: Sequence[Span] = ()
    """When there should have been sound all the time: music, ringing, a human's tone."""
    finished: bool = False
    """The caller has done all they wanted, or was let go in the end they wanted."""
    fault: Fault = Fault(Target.NONE, Deed.NONE, float("inf"))
    record: Record | None = None
    sounds: Mapping[str, int] = field(default_factory=dict)
    """In how many messages each sentence that was said to a message is heard."""
    callbacks: int = 1
    """How many callbacks may be booked at most."""
    humans: int = 0
    """Humans who picked up for this call."""
    notices: Mapping[str, int] = field(default_factory=dict)
    """Notices by what they tell: how many of each were made or came."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a call. Seconds; None where there was nothing to measure."""

    silence: float
    """The longest in which the caller waited for somebody and heard nothing."""
    sound_again: float | None
    """From the fault, or the end of the sound or of the caller's words over it, to the next sound."""
    speech_again: float | None
    """The same, to the next speech."""
    lost: tuple[str, ...] = ()
    """What was said, and surely understood before the fault, and isn't on the record."""
    again: int = 0
    """Things that the caller had to say once more though they were understood before the fault."""
    doubled: tuple[str, ...] = ()
    greeted: int = 0
    dropped: bool = False
    """It ended, without a word, before the caller wanted, though what carries the voice lived."""
    cut: bool = False
    """It ended so because what carries the voice died."""
    stuck: bool = False
    """The caller gave up because nothing came of what they did, though what carries the voice lived."""
    endless: bool = False
    """It rang for ever, or until the caller gave up. Where the edge has died, the carrier ends it."""
    deserted: bool = False
    """It left the caller in silence for longer than it may."""


def judge(seen: Evidence) -> Verdict:
    """The verdict."""
    broken, kind = _broken_off(seen), (seen.fault.target, seen.fault.deed)
    silent = silences(seen)
    return Verdict(
        silence=max((end - start for start, end in silent), default=0.0),
        sound_again=_again(seen, seen.heard),
        speech_again=_again(seen, seen.spoken),
        lost=tuple(_lost(seen)),
        again=_said_again(seen),
        doubled=tuple(_doubled(seen)),
        greeted=len(seen.greetings),
        dropped=broken and kind not in ENDS,
        cut=broken and kind in ENDS,
        stuck=not seen.finished and seen.ended_by == "us" and kind not in ENDS,
        endless=(seen.answered or seen.ended) - seen.invited > RINGS_AT_MOST and kind != (Target.EDGE, Deed.KILL),
        deserted=max((end - start for start, end in silent if end > seen.fault.at), default=0.0) > _allowed(seen.fault),
    )


def _allowed(fault: Fault) -> float:
    """Seconds for which a caller may hear nothing because of it."""
    stands = fault.until - fault.at if fault.until is not None and fault.target in MEDIA_PATH else 0.0
    return SILENT_AT_MOST.get((fault.target, fault.deed), float("inf")) + stands


def silences(seen: Evidence) -> list[Span]:
    """Each time the caller waited for somebody and heard nothing.

    They wait from the answer, from the end of their own words, and from where a fault left them in silence, until they
    hear something, speak themselves or the call ends; and all the time while there should be sound.
    """
    if seen.answered is None:
        return []
    waits = [seen.answered, *(each.end for each in seen.said)]
    if (left := _left_alone(seen)) is not None:
        waits.append(left)
    found = [(start, _noticed(seen, start)) for start in waits if not _during(seen.heard, start)]
    for begin, end in seen.listening:
        found += gaps(seen.heard, begin, min(end, seen.ended))
    return [(start, end) for start, end in found if end - start > PAUSE]


def gaps(spans: Iterable[Span], start: float, end: float) -> list[Span]:
    """What lies between `start` and `end` and in none of the spans."""
    inside = sorted((begin, over) for begin, over in spans if over > start and begin < end)
    edges = [(start, start), *inside, (end, end)]
    found, until = [], start
    for (_, _), (begin, over) in pairwise(edges):
        if begin > until:
            found.append((until, begin))
        until = max(until, over)
    return found


def understood(seen: Evidence) -> list[Said]:
    """What the caller said whose words were surely written down before the fault: somebody answered to them, or they
    were over for long."""
    at = seen.fault.at
    return [
        each
        for each in seen.said
        if each.end + SETTLED < at or any(each.end < start < at - PAUSE for start, _ in seen.spoken)
    ]


def alike(said: str, noted: str) -> float:
    """The share of the words said that were noted."""
    wanted, there = _words(said), set(_words(noted))
    return sum(word in there for word in wanted) / len(wanted) if wanted else 1.0


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9']+", text.lower())


def _left_alone(seen: Evidence) -> float | None:
    """From when on the caller heard nothing because of the fault; None if it was no matter to them: they went on
    hearing somebody, spoke themselves next, or the call was over."""
    at = seen.fault.at
    if seen.answered is None or at >= seen.ended:
        return None
    start = max(at, seen.answered)
    if over := next((span for span in seen.heard if span[0] <= start < span[1]), None):
        if over[1] - start > UNTOUCHED:
            return None
        start = over[1]
    for each in seen.said:  # whoever speaks next waits from their last word on
        if each.end > start and each.start < _next(seen.heard, start, seen.ended):
            start = each.end
    return start if start < seen.ended else None


def _again(seen: Evidence, spans: Sequence[Span]) -> float | None:
    """Seconds from where the fault left the caller to the next of these spans; the call's end bounds it."""
    left = _left_alone(seen)
    if left is None:
        return None
    if _during(spans, left):
        return 0.0
    found = next((start for start, _ in spans if start >= left), None)
    if found is None:
        # Who has said all they wanted waits for nobody any more.
        return None if seen.finished else seen.ended - left
    return found - left


def _noticed(seen: Evidence, start: float) -> float:
    """When a wait that begins at `start` ends."""
    own = min((each.start for each in seen.said if each.start > start), default=seen.ended)
    return min(_next(seen.heard, start, seen.ended), own, seen.ended)


def _next(spans: Sequence[Span], start: float, otherwise: float) -> float:
    return next((begin for begin, _ in spans if begin >= start), otherwise)


def _during(spans: Sequence[Span], at: float) -> bool:
    return any(start <= at < end for start, end in spans)


def _lost(seen: Evidence) -> Iterable[str]:
    """In words that hold nobody's words."""
    record = seen.record or {}
    turns = _turns(record)
    stops = {stop["act"] for stop in record.get("stops", ())}
    for number, each in enumerate(seen.said, 1):
        if each not in understood(seen):
            continue
        match each.proof:
            case Proof.TURN:
                kept = max((alike(each.what, turn) for turn in turns), default=0.0) >= ALIKE
            case Proof.STOP:
                kept = each.value in stops
            case Proof.SOUND:
                kept = seen.sounds.get(each.what, 0) > 0
            case Proof.NONE:
                kept = True
        if not kept:
            yield f"{each.proof} {number}"
        elif each.fact and each.holds.lower() not in _fact(record, each.fact):
            yield f"fact {each.fact}"


def _fact(record: Record, name: str) -> str:
    for paper in ("lead", "ticket"):
        fields = (record.get(paper) or {}).get("fields", {})
        if name in fields:
            return str(fields[name]).lower()
    return ""


def _said_again(seen: Evidence) -> int:
    known = {each.what for each in understood(seen) if each.proof is not Proof.NONE}
    return sum(each.what in known and each.start > seen.fault.at for each in seen.said)


def _doubled(seen: Evidence) -> Iterable[str]:
    record = seen.record or {}
    if len(record.get("callbacks", ())) > seen.callbacks:
        yield f"{len(record['callbacks'])} callbacks"
    for count in seen.sounds.values():
        if count > 1:
            yield f"a sentence in {count} messages"
    for what, count in seen.notices.items():
        if count > 1:
            yield f"{count} notices of a {what}"
    if seen.humans > 1:
        yield f"{seen.humans} humans picked up"
    times = Counter(each.what for each in seen.said if each.proof is Proof.TURN)
    for said, often in times.items():
        noted = sum(alike(said, turn) >= SAME and alike(turn, said) >= SAME for turn in _turns(record))
        if noted > often:
            yield f"a turn noted {noted} times"


def _turns(record: Record) -> list[str]:
    """What the caller said or keyed in, by the record."""
    return [str(turn["text"]) for turn in record.get("turns", ()) if turn["speaker"] != "agent"]


def _broken_off(seen: Evidence) -> bool:
    """The call ended before the caller wanted, and nobody told them why."""
    if seen.finished or seen.ended_by == "us":
        return False
    told = any(end > max(seen.ended - LAST_WORDS, seen.fault.at) for _, end in seen.spoken)
    kept = (seen.record or {}).get("ending") in {"callback", "message"}
    return not (told and kept)
