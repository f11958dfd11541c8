"""Wires the cards that people get whose phones ring: who waits, and to whom it is told."""

from __future__ import annotations

import time

from gateway.conduct.talk.stage import CallStage
from gateway.handoff.card import DECLINE_HERE, LASTS, TAKE_HERE, Caller, card
from gateway.terms.act import Handoff
from gateway.terms.call import Call
from gateway.terms.delivery import Content, Why, asked


class Cards:
    """Tells one call's cards, each once however often it is asked for."""

    def tell(self, stage: CallStage, call: Call, leg: str, name: str) -> None:
        """The leg rings the member of that name."""
        act = call.act
        if not isinstance(act, Handoff):
            return
        number = call.caller.reveal() if call.caller else ""
        caller = Caller(call.id, number, stage.facts, stage.turns, stage.reason)
        own = dict(act.cards).get(name, ())
        if own:
            browser = name in act.browsers
            link = {"take": TAKE_HERE} if browser else {"decline": DECLINE_HERE}
            whose = name if browser and own == act.notify else ""
            self._ask(stage, call, leg, own, card(caller, phone=name not in act.no_phone, whose=whose, **link))
        if act.notify:
            self._ask(stage, call, leg.rpartition("-")[0], act.notify, card(caller))

    def _ask(self, stage: CallStage, call: Call, subject: str, to: tuple[str, ...], content: Content) -> None:
        now = time.time()
        event = asked(
            call.id, now, kind=Why.CARD, subject=subject, to=to, content=content, urgent=True, until=now + LASTS
        )
        stage.teller.note(event.kind, event.data, now, uid=f"card-{call.id}-{subject}")
