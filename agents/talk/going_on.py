"""Takes a conversation up where another job has lost it."""

from __future__ import annotations

from collections.abc import Callable

import structlog
from livekit.agents import AgentSession

from agents.definition import Definition, greeting, notices
from agents.talk.resuming import Answer, Ask, GetPerson, conversation, pick_up
from agents.words.lines import Say, line_of
from gateway.calls.sealed import Seal
from gateway.conduct.talk.port import Stage
from gateway.errors import OurFault
from gateway.terms.act import Talk
from gateway.terms.catalogue import come_back
from gateway.terms.personal import Digits
from gateway.terms.turn import Speaker

log = structlog.get_logger(__name__)


def go_on(
    stage: Stage, definition: Definition, session: AgentSession[None], say: Callable[[str], object],
    get_person: Callable[[], object],
) -> None:  # fmt: skip
    """The caller has been told that they were lost for a moment: ask again, answer, or get them a person."""
    brief = stage.brief
    match pick_up(stage.kept, brief.language, notice=notices(brief), greeting=greeting(definition, brief)):
        case GetPerson():
            get_person()
        case Ask(text):
            say(text)
        case Answer(""):
            session.generate_reply()
        case Answer(words):
            session.generate_reply(user_input=words)


def returned(stage: Stage) -> str:
    """What the caller is told first who comes back from a handoff or a transfer that nobody took; "" for any other, and for one whom
    another job has told so."""
    act = stage.call.act
    if not isinstance(act, Talk) or not act.back or stage.resumed:
        return ""
    return act.words or line_of(Say(come_back(act.back).value), stage.brief.language)


def unheard(stage: Stage) -> bool:
    """Whether the caller has heard nothing of the agent's to its end yet, but that they were lost for a moment."""
    return not conversation(stage.turns, stage.brief.language)


def wanted_number(stage: Stage) -> bool:
    """Whether the caller was asked last for a number to be called back on."""
    language = stage.brief.language
    said = [turn.text.reveal() for turn in conversation(stage.turns, language) if turn.speaker is Speaker.AGENT]
    return said[-1:] == [line_of(Say.WHICH_NUMBER, language)]


def opened(stage: Stage, seal: Seal | None, name: str, sealed: str) -> Digits | None:
    """What another job has sealed; None when we can't open it."""
    if seal is None:
        return None
    try:
        return seal.open(sealed, stage.call.id, name)
    except OurFault as bad:
        log.error("a seal of this call can't be opened", field=name, why=bad.what)
        return None
