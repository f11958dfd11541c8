"""A call that is taken in a browser: how it stands for whoever has the link, the lead, and the token by which they join.

The token lets a browser into the caller's room as the browser of one member: it may send its microphone, and nothing else.
Whether it gets the call, and hears anybody, is for the call's job to say, as of a phone (`gateway.conduct.sfu.browsers`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from livekit import api

from gateway.calls.hearing import leg as identity_of
from gateway.calls.store.port import CallStore
from gateway.conduct.acts import machines
from gateway.conduct.legs.legs import MEMBER
from gateway.conduct.sfu.browsers import BROWSER
from gateway.config import Settings
from gateway.handoff.answers import Answers
from gateway.handoff.browser import HOLDS, Standing, Stands, browser_leg, stands
from gateway.handoff.machine import Transfer
from gateway.handoff.state import Feature, Third
from gateway.handoff.talking import code
from gateway.terms.act import Handoff
from gateway.terms.call import Call, CallId, Phase
from gateway.terms.legs import LEG

JOINS_WITHIN = 60
"""Seconds for which a token lets its browser in."""

ALONE = (Feature.BACK, Feature.NO_CALLS)
"""What is asked for without a third."""
Lead = Callable[[str, str], Awaitable[Mapping[str, object] | None]]
"""What the card of a call and a leg says, in parts; None where there is none any more."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a browser needs to join."""

    url: str
    """LiveKit's."""
    token: str


class Taking:
    """Methods raise Unavailable when the stores don't answer; `lead` what the records raise."""

    def __init__(self, settings: Settings, store: CallStore, answers: Answers, lead: Lead) -> None:
        self._settings, self._store, self._answers, self.lead = settings, store, answers, lead

    @property
    def livekit(self) -> str:
        """LiveKit's address, as browsers reach it."""
        return self._settings.livekit_public_url or self._settings.livekit_url

    async def stands(self, call: CallId, leg: str) -> Stands:
        """How the call stands for whom the leg rings."""
        return _stands(await self._store.get(call), leg)

    async def decline(self, call: CallId, leg: str) -> Stands:
        """They can't take it."""
        found = await self.stands(call, leg)
        if found.standing is Standing.WAITS:
            await self._answers.decline(call, leg)
            return Stands(Standing.OVER)
        return found

    async def take(self, call: CallId, leg: str, tab: str) -> tuple[Stands, Ticket | None]:
        """They take it, in that tab of their browser: how the call stands, and what it joins with, where it may. The link is
        used then: OVER, where another tab has used it."""
        known = await self._store.get(call)
        found = _stands(known, leg)
        if known is None or found.standing is not Standing.WAITS:
            return found, None
        if not await self._answers.take(call, leg, tab):
            return Stands(Standing.USED), None
        return found, self._ticket(known, browser_leg(leg), found.name)

    async def ask(self, call: CallId, leg: str, feature: Feature, to: Third | None) -> tuple[Stands, bool]:
        """They, who have the call, ask for what a code of keys asks for on a phone: how it stood then, and whether that was
        told to the job. `to`: what is to come of it with a third; it isn't asked for where it would come to something else, as
        on a page that is a moment behind."""
        found = await self.stands(call, leg)
        offered = feature in ALONE or found.offers.get(feature, "") == to
        asks = found.standing is Standing.YOURS and offered
        if asks:
            await self._answers.press(call, browser_leg(leg), code(feature))
        return found, asks

    async def hold(self, call: CallId, leg: str, on: bool) -> tuple[Stands, bool]:
        """They, who have the call, put the caller on hold, or are back: how it stood then, and whether that was told to the job.
        It may be told again and again, as to a job that has taken the call over."""
        found = await self.stands(call, leg)
        asks = found.standing is Standing.YOURS
        if asks:
            await self._answers.press(
                call, browser_leg(leg), next(one for one, hold in HOLDS.items() if bool(hold) is on)
            )
        return found, asks

    def _ticket(self, call: Call, leg: str, member: str) -> Ticket:
        grants = api.VideoGrants(
            room_join=True,
            room=call.room,
            can_publish=True,
            can_publish_sources=["microphone"],
            can_subscribe=False,
            can_publish_data=False,
            can_update_own_metadata=False,
        )
        settings = self._settings
        token = (
            api.AccessToken(settings.livekit_api_key, settings.livekit_api_secret.get_secret_value())
            .with_identity(identity_of(leg))
            .with_name(member)
            .with_attributes({LEG: leg, MEMBER: member, BROWSER: leg})
            .with_grants(grants)
            .with_ttl(timedelta(seconds=JOINS_WITHIN))
        )
        return Ticket(self.livekit, token.to_jwt())


def _stands(call: Call | None, leg: str) -> Stands:
    if call is None or call.phase is Phase.ENDED:
        return Stands(Standing.LEFT)
    if not isinstance(call.act, Handoff) or not call.checkpoint:
        return Stands(Standing.OVER)
    machine = machines.restored(machines.start(call, own_number=False), call.checkpoint)
    return stands(machine, leg) if isinstance(machine, Transfer) else Stands(Standing.OVER)
