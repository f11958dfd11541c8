"""Something that a caller was keying in when their job died: how its keys are kept meanwhile, and how another goes on."""

from __future__ import annotations

import structlog

from agents.definition import Definition
from agents.keys.keypad import NUMBER, Keypad
from agents.words.lines import Say, line_of
from gateway.calls.sealed import Seal
from gateway.conduct.talk.port import Stage
from gateway.errors import OurFault
from gateway.terms.call import Brief
from gateway.terms.personal import Digits

PLACE = "an entry in progress"
"""What its seal is bound to."""

log = structlog.get_logger(__name__)


def as_kept(stage: Stage, seal: Seal | None, keys: str) -> str:
    """The keys as they leave the job: sealed where the route seals digits."""
    return seal.close(Digits(keys), stage.call.id, PLACE) if seal is not None else keys


def begun_before(stage: Stage, seal: Seal | None, definition: Definition) -> Keypad | None:
    """What another job has heard of an entry; None when there is none, or it can't be opened."""
    heard = stage.kept.heard
    if not (stage.resumed and heard.keys):
        return None
    keys = heard.keys
    if seal is not None:
        try:
            keys = seal.open(keys, stage.call.id, PLACE).reveal()
        except OurFault as bad:
            log.error("what was being keyed in can't be opened", why=bad.what)
            return None
    fields = {NUMBER.name: NUMBER, **{one.name: one for one in definition.digit_fields}}
    return Keypad(keys, asked=fields.get(heard.keyed_for) if heard.keyed_for is not None else None)


def so_far(entry: Keypad, brief: Brief) -> str:
    """What the caller is told of it: the digits, or only how many they are where they are sealed."""
    count = len(entry.keys)
    say = Say.KEY_ON if not brief.sealed else Say.KEY_ON_FIRST if count > 1 else Say.KEY_ON_FIRST_ONE
    noun = entry.asked.noun if entry.asked else "number"
    return line_of(say, brief.language).format(digits=" ".join(entry.keys), count=count, noun=noun)
