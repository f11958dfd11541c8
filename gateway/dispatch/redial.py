"""Whether somebody who calls goes on with a call that was cut off: within the ten minutes for which what it knew is kept
(`gateway.terms.kept.ENDED_FOR`). Pure."""

from __future__ import annotations

import hashlib
import re

from gateway.terms.act import Talk
from gateway.terms.call import Call, CallId, Phase
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


def key(call: Call) -> str:
    """By what a caller who dials a number again is known: a digest, for both are personal. "" for a call that nobody
    can go on with: its route doesn't say so, its caller withholds their number, no agent talks."""
    if not call.brief.resume or call.caller is None or call.reject or not isinstance(call.act, Talk):
        return ""
    return hashlib.sha256(f"{call.caller.reveal()} {call.dialed.reveal()}".encode()).hexdigest()[:32]


def goes_on(call: Call, last: Call, kept: Kept) -> tuple[CallId, ...]:
    """The calls that a new call goes on with: its caller's last one, and those that one went on with, the oldest first;
    () when it begins anew. `kept`: what is known of the last call's conversation."""
    same = key(call) and key(call) == key(last) and call.brief.agent == last.brief.agent and call.id != last.id
    if not same or not kept.turns or not cut_off(last, kept):
        return ()
    return (*last.resumes, last.id)[-MOST:]


def cut_off(last: Call, kept: Kept) -> bool:
    """Whether the call's line dropped: it ended by a fault, or in the middle of a sentence, or hasn't ended at all
    though its caller calls again. Whoever was hung up on, or hangs up in a pause, has finished; so has who said goodbye,
    or told all that was asked, and doesn't hear the agent's last words to their end."""
    if last.phase is not Phase.ENDED:
        return True
    if kept.hung_up in _OURS:
        return False
    if kept.hung_up is Party.NETWORK or kept.sip_by is Party.NETWORK or kept.sip_status >= _REFUSED:
        return True
    finished = _said_goodbye(kept) or (kept.complete and kept.heard.speaking is Speaker.AGENT)
    return kept.heard.speaking is not None and not finished


def _said_goodbye(kept: Kept) -> bool:
    said = [turn.text.reveal() for turn in kept.turns if turn.speaker is Speaker.CALLER]
    return bool(_GOODBYE.search(kept.unanswered or "".join(said[-1:])))
