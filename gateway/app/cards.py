"""Wires the cards that people get whose phones ring: who waits, to whom it is told, and the link to decline."""

from __future__ import annotations

import time

from gateway.conduct.stage import CallStage
from gateway.config import Settings
from gateway.handoff.card import LASTS, Caller, card
from gateway.operate.handoff_page import decline_link
from gateway.operate.links import Links
from gateway.terms.act import Handoff
from gateway.terms.call import Call
from gateway.terms.delivery import Content, Why, asked


class Cards:
    """Tells one call's cards, each once however often it is asked for."""

    def __init__(self, settings: Settings) -> None:
        self._links = Links(settings)

    def tell(self, stage: CallStage, call: Call, leg: str, name: str) -> None:
        """The leg rings the member of that name."""
        act = call.act
        if not isinstance(act, Handoff):
            return
        number = call.caller.reveal() if call.caller else ""
        caller = Caller(call.id, number, stage.facts, stage.turns, stage.reason)
        own = dict(act.cards).get(name, ())
        if own:
            link = decline_link(self._links, call.id, leg, time.time())
            self._ask(stage, call, leg, own, card(caller, decline=link))
        if act.notify:
            self._ask(stage, call, leg.rpartition("-")[0], act.notify, card(caller))

    def _ask(self, stage: CallStage, call: Call, subject: str, to: tuple[str, ...], content: Content) -> None:
        now = time.time()
        event = asked(
            call.id, now, kind=Why.CARD, subject=subject, to=to, content=content, urgent=True, until=now + LASTS
        )
        stage.teller.note(event.kind, event.data, now, uid=f"card-{call.id}-{subject}")
