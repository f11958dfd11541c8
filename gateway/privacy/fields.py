"""What a field's name says of its value: a person's words, a secret, or a plain measurement. Pure.

Names are compared by their segments, so that `lk.pii.user_transcript`, `userTranscript` and `user-transcript` are
one name. livekit-agents marks what a person said with a segment `pii`.
"""

from __future__ import annotations

import re
from enum import Enum
from functools import lru_cache


class Field(Enum):
    """What a field's value is; the value of the first three is what is shown instead of it."""

    WORDS = "<words>"
    """Somebody's words, or facts taken from them; masked whole."""
    DIGITS = "<digits>"
    """Keys somebody pressed; masked whole, a single digit too."""
    SECRET = "<secret>"
    """A key, token or password; masked whole."""
    MEASURE = "measure"
    """A count, size, port or time; long digit strings in it are nobody's number."""
    TEXT = "text"
    """Anything else: searched for what looks personal."""


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_WORDS = _names(
    """transcript usertranscript interimtranscript finaltranscript text texts words word utterance utterances
    content contents arguments rawarguments functionarguments toolarguments userinput inputvalue inputtext
    outputtext instructions messages chatctx chatcontext prompt systemprompt said spoken sentence answertext facts
    displayname callername fromname toname ssml"""
)
_DIGITS = _names("digit digits dtmf dtmfinputs dtmfdigits keypad pin")
_SECRET = _names(
    """authorization proxyauthorization password passwd secret apisecret apikey xapikey token accesstoken bearer
    cookie setcookie credential credentials jwt clientsecret connecttoken reconnecttoken icepwd icepassword
    turnpassword refreshtoken"""
)
_MEASURE = _names(
    """ms us ns sec secs seconds bytes byte count size length len port ports pid tid ssrc seq sequence sn timestamp
    ts time times at duration elapsed latency delay rtt jitter rate bitrate bps packets samples frames offset limit
    memory nanos version uptime rss clock deadline expiry expires rtp epoch lineno hz range since until"""
)
_NOT_MEASURED = _names("number phone ticket account order")
_SEGMENT = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


@lru_cache(maxsize=4096)
def field(name: str) -> Field:
    """What a value under `name` is."""
    segments = [segment.lower() for segment in _SEGMENT.findall(name)]
    compact = "".join(segments)
    if "pii" in segments or compact in _WORDS or (segments and segments[-1] == "transcript"):
        return Field.WORDS
    if compact in _DIGITS:
        return Field.DIGITS
    if compact in _SECRET:
        return Field.SECRET
    if not _NOT_MEASURED.isdisjoint(segments):
        return Field.TEXT
    return Field.TEXT if _MEASURE.isdisjoint(segments) else Field.MEASURE
