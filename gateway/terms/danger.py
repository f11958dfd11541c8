"""Whether somebody is in danger, by a caller's words, and what they must dial then. Pure. English.

The words come from a recognizer, a word wrong now and then, or from one that punctuates. A few clear phrases count, and
rather one too many: who isn't in danger hears a sentence more, and who is may not be asked for their name.
"""

from __future__ import annotations

import re

_DIGIT = r"(?:\d|oh|zero|one|two|three|four|five|six|seven|eight|nine|double)"
"""Goes on with a longer number."""
_HELP = r"(?:ambulance|paramedics?|police|cops|fire (?:department|brigade|fighters?|truck)|firefighters?|coast guard)"
_WEAPON = r"(?:gun|knife|weapon|rifle|pistol|bomb)"
_SOMEBODY = r"(?:i|he|she|they|we|somebody|someone|(?:a|the) (?:man|woman|child)|my \w+)"
_HOME = r"(?:house|home|kitchen|apartment|flat|building|office|room|garage|roof|car)"
_IS = r"(?:'s| is|'m| am|'re| are| was| were| got)(?: \w+)?"
_EMERGENCY = r"emergency\b(?! (?:exit|light|sign|door|stair|number|contact|call|phone|button|kit|plan|drill|maintenance|support|repair|line))"
_DANGER = (
    rf"\b(?:is|it's|that's|have|got|there's|am in) (?:a |an )(?:real |medical |life )?{_EMERGENCY}|^(?:an )?{_EMERGENCY}",
    rf"\b(?:call|send|get|need|want|fetch|dial)\b(?: \w+){{0,2}}? {_HELP}\b|^{_HELP}(?: please| now)*$",
    rf"\b(?:call|dial|need) (?:for )?(?:9 ?1 ?1|nine one one|nine eleven|1 ?1 ?2|one one two|9 ?9 ?9|nine nine nine)\b(?! {_DIGIT})",
    r"\bneeds? a doctor (?:right now|now|quickly|immediately|at once)\b|\bin danger\b",
    r"\b(?:on fire|there's a fire|there is a fire)\b|^(?:help )*fire(?: fire| help)*$",
    rf"\b{_HOME}(?:'s| is) (?:burning|full of smoke)\b|\bthere(?:'s| is) smoke\b|\bsmell(?:s|ing)?(?: of)? (?:gas|smoke)\b",
    r"\bgas leak\b|\bcarbon monoxide\b",
    r"\b(?:heart attack|having a stroke|had a stroke|overdosed?|seizure|unconscious|bleeding(?! edge)|choking|drowning)\b",
    r"\b(?:chest pains?|been shot|been stabbed|going to die)\b|\b(?:he|she|i)(?:'s| is|'m| am) dying\b",
    r"\b(?:isn't|not|stopped|stops|can't|cannot|barely|trouble) breath(?:e|ing)\b",
    rf"\b{_SOMEBODY}(?: has| have| just)* (?:collapsed|passed out|fainted)\b",
    r"\b(?:took|taken|swallowed) (?:too many|all (?:my|his|her|the)) (?:pills|tablets)\b",
    rf"\b{_SOMEBODY}{_IS}? (?:hurt|injured|trapped)$|\b{_SOMEBODY}(?:'s|'m| is| am| are) (?:badly |seriously )(?:hurt|injured)\b",
    r"\b(?:in|had|was|been|see|saw) (?:a|an)(?: (?:bad|terrible|car|traffic))* (?:accident|car crash)\b",
    rf"\b{_SOMEBODY}(?:'s| has| have| is| are|'ve)?(?: got| pulled| pointing| with)?(?: a| the)? {_WEAPON}\b",
    r"\b(?:kill (?:myself|me|him|her|them|himself|herself|us)|hurt myself|end my life|suicidal|commit suicide)\b",
    r"\bwants? to die\b|\b(?:don't|do not) want to live\b",
    r"\b(?:being|been) (?:attacked|beaten|followed(?! up)|threatened|robbed|kidnapped)\b",
    rf"\b{_SOMEBODY}(?:'s| is| are) (?:attacking|hitting|hurting|beating|following|threatening) (?:me|us|him|her|them)\b",
    rf"\b(?:break|breaking|broken?) into (?:my|our|the) {_HOME}\b|\b(?:a|an|the) (?:burglar|intruder) in\b",
    rf"\b(?:somebody|someone) (?:is )?in my {_HOME}\b",
)
_CALLS = re.compile("|".join(_DANGER))
_NONE = re.compile(r"\b(?:not|n't|isn't|no|nobody|nobody's)(?: \w+){0,2} (?:emergency|danger)\b")
_NOISE = re.compile(r"[^a-z0-9' ]+")
_HUSH = re.compile(r"\b(?:um+|uh+|er+|ah+|oh my god|oh god|please|hello)\b")
_SENTENCES = re.compile(r"[.!?;]+(?=\s|$)")

_NUMBERS = {
    **dict.fromkeys(["US", "CA", "PR", "VI", "GU", "MX"], "911"),
    **dict.fromkeys(
        [
            "AT",
            "BE",
            "BG",
            "CH",
            "CY",
            "CZ",
            "DE",
            "DK",
            "EE",
            "ES",
            "FI",
            "FR",
            "GR",
            "HR",
            "HU",
            "IE",
            "IN",
            "IS",
            "IT",
            "LI",
            "LT",
            "LU",
            "LV",
            "MT",
            "NL",
            "NO",
            "PL",
            "PT",
            "RO",
            "SE",
            "SI",
            "SK",
            "TR",
            "UA",
        ],
        "112",
    ),
    "GB": "999",
    "AU": "000",
    "NZ": "111",
}


def in_danger(words: str) -> bool:
    """Whether the words say that somebody needs the police, the fire brigade or a doctor now, or means to die."""
    return any(_says_so(sentence) for sentence in [*_SENTENCES.split(words), words])


def emergency_number(country: str) -> str:
    """What to dial there (ISO 3166 code); "" where it isn't known."""
    return _NUMBERS.get(country, "")


def _says_so(words: str) -> bool:
    plain = _NOISE.sub(" ", words.lower().replace("\u2019", "'"))
    plain = " ".join(_HUSH.sub(" ", plain).split())
    return _CALLS.search(plain) is not None and _NONE.search(plain) is None
