"""What is keyed in on a route that seals digits: it goes to its field alone, neither to the model nor into a turn."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import structlog
from livekit.agents import AgentSession

from agents.definition import Definition
from agents.keys.keypad import Keyed
from agents.words.facts import Facts
from agents.words.history import KEYED_SEALED
from gateway.calls.sealed import Seal
from gateway.conduct.talk.port import Stage
from gateway.errors import Unavailable
from gateway.terms.personal import Digits

log = structlog.get_logger(__name__)


class SealedKeys:
    """One conversation's."""

    def __init__(
        self, definition: Definition, facts: Facts, stage: Stage, seal: Seal, session: AgentSession[None],
        again: Callable[[Digits], Awaitable[None]],
    ) -> None:  # fmt: skip
        """`again` tells the caller to key something in anew."""
        self._definition, self._facts, self._stage = definition, facts, stage
        self._seal, self._session, self._again = seal, session, again

    async def take(self, keyed: Keyed) -> None:
        """An entry has ended."""
        fields = self._definition.digit_fields
        wanted = keyed.asked or (fields[0] if len(fields) == 1 else None)
        if wanted is None:
            self._told("keys that nothing was asked for")
            return
        if Keyed(keyed.digits, wanted).fault:
            await self._again(keyed.digits)
            return
        self._facts.seal(wanted.name, keyed.digits, self._seal.close(keyed.digits, self._stage.call.id, wanted.name))
        try:
            await self._stage.learned(self._definition.kind, self._facts.told, complete=self._facts.complete)
        except Unavailable as bad:
            log.error("sealed digits couldn't be kept", why=str(bad))
            self._told(f"{wanted.noun} couldn't be saved")
            return
        self._told(f"{wanted.noun} entered")

    def _told(self, what: str) -> None:
        self._session.interrupt(force=True)
        self._session.generate_reply(user_input=f"{KEYED_SEALED} {what}]")
