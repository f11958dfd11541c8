"""Words by which a caller is known who is none: a mailbox, a menu, a line that puts us on hold; and those of people whose
calls sound like it, as somebody else passes on what they type or sign. Pure; English, and recordings of other languages
(`gateway.calls.talk.recordings`)."""

from __future__ import annotations

import re
from enum import Enum, auto

from gateway.calls.talk import recordings


class Kind(Enum):
    """Who says something."""

    RECORDED = auto()
    """A recording."""
    RELAY = auto()
    """Somebody who passes on what a caller who doesn't hear or speak types or signs."""
    GO_AHEAD = auto()
    """Whoever ends what they say by "go ahead", as is the custom of relays and text telephones."""
    ANSWER = auto()
    """A person, to the question whether one is there."""
    OTHER = auto()


_RELAY = re.compile(
    r"""\b(?:
      communications?\sassistants? | relay\s(?:operator|call|user|customer|interpreter)
    | (?:telecommunications?|video|captioned|ip|calling\s(?:through|from|via|with)|using|this\sis|from)\s(?:\w+\s){0,2}relay
    | video\sinterpreter | sign\slanguage | captioned\s(?:tele)?phone | captioned\scall
    | text\stelephone | t\s?t\s?y\b | teletypewriter
    | deaf\sor\shard\sof\shearing | hard\sof\shearing\s(?:person|caller|customer|user) | (?:i\sam|i\sm)\sdeaf\b
    | speech\sto\sspeech\s(?:call|relay|operator)
    )""",
    re.VERBOSE,
)
_MAILBOX = r"""
      (?:leave|record)\s(?:a|your|us\sa|me\sa)\s(?:\w+\s){0,2}message\b .{0,60}?\b(?:tone|beep)
    | (?:at|after)\sthe\s(?:tone|beep) | please\sleave\s(?:a|your|me\sa|us\sa)\s(?:\w+\s){0,2}message
    | (?:reached|this\sis)\sthe\s(?:voice\s?mail|voicemail|mail\s?box|answering\smachine)
    | voice\s?mail\s?box | mailbox\s(?:is\sfull|belonging) | forwarded\sto\s(?:an?\s)?(?:automated\s)?voice
"""
_RECORDED = re.compile(
    r"\b(?:"
    + _MAILBOX
    + r"""
    | (?:is|are)\snot\savailable\s(?:to\stake|right\snow|at\sthe\smoment) | can\s?(?:t|not)\scome\sto\sthe\sphone
    | please\s(?:continue\sto\s)?hold\b | please\sstay\son\sthe\sline | remain\son\sthe\sline
    | your\scall\s(?:is|may\sbe|will\sbe)\s(?:very\s)?(?:important|recorded|monitored|answered)
    | calls?\s(?:may|will)\sbe\s(?:recorded|monitored)
    | (?:all|all\sof)\s(?:our|of\sour)\s(?:\w+\s){0,3}(?:agents|representatives|operators|lines)\sare\s(?:currently\s)?busy
    | (?:next|first)\savailable\s(?:agent|representative|operator|associate)
    | (?:for|to)\s[\w\s]{1,40}\s(?:press|dial)\s(?:\d|one|two|three|four|five|six|seven|eight|nine|zero|star|pound|the)\b
    | press\s(?:\d|one|two|three|four|five|six|seven|eight|nine|zero|star|pound)\s(?:for|to|now)\b
    | (?:thank\syou|thanks)\sfor\s(?:calling|holding)\b(?!\s(?:me|us|back|so)\b) | our\s(?:office|business)\shours\sare | listen\scarefully
    | menu\soptions\shave\schanged | the\s(?:number|person|party|subscriber)\syou\s(?:have\s|are\s|ve\s)?(?:dialed|called|calling|trying)
    )""",
    re.VERBOSE,
)
_MAILBOXES = re.compile(rf"\b(?:{_MAILBOX})", re.VERBOSE)
_OWN_WISH = re.compile(
    r"\b(?:i|we|you|can|could|may|let me|should)\b(?: \w+){0,3} (?:leave|record)\b|\bhow (?:do|can) i\b"
)
"""Whoever wishes to leave a message is no mailbox."""
_ANSWER = re.compile(
    r"^(?:\w+ )?(?:yes|yeah|yep|yup|hello|hi|hey|here|speaking|sorry|what|who|why|no|of course|sure|i m|i am|it s me|present)\b"
)
_ANSWERS_AT_MOST = 8
_AHEAD_LEAST = 5
"""Words of a sentence that "go ahead" ends by custom; of a shorter one it is what is said."""


def words_of(text: str) -> str:
    """The words alone, in lower case and without accents."""
    return recordings.plain(text)


def is_mailbox(text: str) -> bool:
    """Whether these are the words of a mailbox: other recordings may end with a person."""
    plain = words_of(text)
    return (bool(_MAILBOXES.search(plain)) and not _OWN_WISH.search(plain)) or recordings.is_mailbox(plain)


def kind_of(text: str) -> Kind:
    """Who says this."""
    plain = words_of(text)
    if _RELAY.search(plain):
        return Kind.RELAY
    if plain.count(" ") + 1 >= _AHEAD_LEAST and plain.endswith(("go ahead", " ga")):
        return Kind.GO_AHEAD
    if (_RECORDED.search(plain) and not _OWN_WISH.search(plain)) or recordings.is_recorded(plain):
        return Kind.RECORDED
    if plain.count(" ") < _ANSWERS_AT_MOST and _ANSWER.search(plain):
        return Kind.ANSWER
    return Kind.OTHER
