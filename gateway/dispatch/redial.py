"""Whether somebody who calls goes on with a call that was cut off: within the ten minutes for which what it knew is kept
(`gateway.terms.kept.ENDED_FOR`). Pure.

Nobody goes on with what another says: behind an office's switchboard many callers have one number. So a call that somebody may
still talk in isn't gone on with. Who dials again before their carrier has told that their line dropped does where our SIP service
sees that it brings nothing any more; where it sees nothing of that, as where a carrier sends noise instead, or with another
service, they begin anew.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from enum import Enum, auto

from gateway.terms.act import Talk
from gateway.terms.call import Call, CallId
from gateway.terms.ending import Party
from gateway.terms.kept import Kept
from gateway.terms.turn import Speaker

MOST = 4
"""Calls that one goes on with, each cut off in its turn."""
_OURS = frozenset({Party.AGENT, Party.GATEWAY, Party.HUMAN})
_GOODBYE = re.compile(r"\b(?:good)?bye\b|\bthat's (?:all|it)\b|\bthat is (?:all|it)\b", re.IGNORECASE)
"""English: who hangs up on a goodbye in another language, and calls again within minutes, goes on where they were."""
_REFUSED = 300
"""SIP statuses from here on are no ordinary end of an answered call (RFC 3261 section 21)."""
STALLS = 0.06
"""Seconds without a packet, which come each 20 ms, after which a line may have died, and is looked at again."""
SILENT_AFTER = 1.0
"""Seconds without one after which it has; twice its longest pause, where that is more."""
SHARED = CallId("shared")
"""Named in place of a number's last call: several call by it at once, and nobody knows which of them calls again."""
SHARED_FOR = 3600.0
"""Seconds for which that counts: as long as such a call may well last, and ten minutes more."""


class Line(Enum):
    """What is known of the line of a caller's last call."""

    GONE = auto()
    """The call has ended, or its caller isn't in the room any more."""
    SILENT = auto()
    """Nothing comes over it any more."""
    LIVE = auto()
    """Something comes, or nobody knows."""


@dataclass(frozen=True, slots=True)
class Quiet:
    """How long nothing has come over a line, in seconds (see `gateway.terms.line`)."""

    seconds: float
    paused: float


def silent_in(quiet: Quiet | None) -> float:
    """Seconds until a line is SILENT if nothing comes; infinity for one that isn't about to be."""
    if quiet is None or quiet.seconds < STALLS:
        return float("inf")
    return max(0.0, max(SILENT_AFTER, 2 * quiet.paused) - quiet.seconds)


def key(call: Call) -> str:
    """By what a caller who dials a number again is known: a digest, for both are personal. "" for a call that nobody
    can go on with: its route doesn't say so, its caller withholds their number, no agent talks."""
    if not call.brief.resume or call.caller is None or call.reject or not isinstance(call.act, Talk):
        return ""
    return hashlib.sha256(f"{call.caller.reveal()} {call.dialed.reveal()}".encode()).hexdigest()[:32]


def goes_on(call: Call, last: Call, kept: Kept, line: Line) -> tuple[CallId, ...]:
    """The calls that a new call goes on with: its caller's last one, and those that one went on with, the oldest first;
    () when it begins anew. `kept`: what is known of the last call's conversation; `line`: of its line."""
    same = key(call) and key(call) == key(last) and call.brief.agent == last.brief.agent and call.id != last.id
    if not same or not kept.turns or not cut_off(kept, line):
        return ()
    return (*last.resumes, last.id)[-MOST:]


def cut_off(kept: Kept, line: Line) -> bool:
    """Whether a call's line dropped: it ended by a fault, or in the middle of a sentence, or brings nothing any more. Whoever was
    hung up on, or hangs up in a pause, has finished; so has who said goodbye, or told all that was asked, and doesn't hear
    the agent's last words to their end."""
    if line is Line.LIVE or kept.hung_up in _OURS:
        return False
    if (
        line is Line.SILENT
        or kept.hung_up is Party.NETWORK
        or kept.sip_by is Party.NETWORK
        or kept.sip_status >= _REFUSED
    ):
        return True
    finished = _said_goodbye(kept) or (kept.complete and kept.heard.speaking is Speaker.AGENT)
    return kept.heard.speaking is not None and not finished


def _said_goodbye(kept: Kept) -> bool:
    said = [turn.text.reveal() for turn in kept.turns if turn.speaker is Speaker.CALLER]
    return bool(_GOODBYE.search(kept.unanswered or "".join(said[-1:])))
