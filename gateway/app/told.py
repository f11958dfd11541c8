"""What control tells jobs and workers ahead through Redis: which prompts are wanted, who is in the teams,
and whom the plan lets the gateway call."""

from __future__ import annotations

import asyncio
import time

import structlog

from gateway.calls.people.roster import Rosters
from gateway.conduct.sound.ahead import make_ready
from gateway.conduct.sound.prompts import PromptBook
from gateway.dispatch import outbound
from gateway.dispatch.rosters import publish
from gateway.dispatch.said import own
from gateway.errors import Unavailable
from gateway.guard.book import RuleBook
from gateway.operate.keeper import Keeper
from gateway.terms.catalogue import Catalogue

log = structlog.get_logger(__name__)


class Told:
    """Tells it again from time to time. Each method may raise Unavailable; the next look makes up for it."""

    def __init__(
        self,
        prompts: PromptBook,
        rosters: Rosters,
        book: RuleBook,
        keeper: Keeper,
        catalogue: Catalogue,
        forgot: asyncio.Event,
    ) -> None:
        """`forgot` is set when Redis has lost what it was told."""
        self._prompts, self._rosters, self._book = prompts, rosters, book
        self._keeper, self._catalogue = keeper, catalogue
        self._forgot = forgot

    def notices(self) -> dict[str, list[str]]:
        """What callers of each route hear first, by the overrides of now."""
        state = self._keeper.state(time.time())
        return {name: said for name in self._keeper.in_force.routes if (said := state.notes(name))}

    async def publish(self) -> None:
        """Tell who is in the teams, and whom the plan lets us call."""
        now = time.time()
        await outbound.publish(self._book, self._keeper.in_force)
        await publish(self._rosters, self._keeper.in_force, self._keeper.state(now), now)

    async def again(self) -> None:
        """Tell all of it at once where it was lost."""
        if self._forgot.is_set():
            await self.publish()
            await self.want_prompts()
            self._forgot.clear()

    async def want_prompts(self) -> None:
        """Tell what callers may hear, so that it is rendered ahead."""
        briefs = self._keeper.in_force.briefs(self.notices())
        lines = [line for brief in briefs for line in self._catalogue[brief.agent].lines(brief)]
        now, plan = time.time(), self._keeper.in_force
        try:
            await self._prompts.want(lines, now)
        except Unavailable as bad:
            log.warning("control can't do something now", why=str(bad))
        await make_ready(self._prompts, plan, self._keeper.state(now), now, own)
