"""What the chains of engines go by: whose turn it is, and whom they tell what came of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import structlog
from livekit.agents import APIConnectOptions, llm, stt, tts

from agents.engines.failures import reason_of, retry_after
from agents.engines.links import Link, chosen
from agents.engines.standstill import Pulse
from gateway.health.board import Board
from gateway.health.circuit import Reason, State
from gateway.health.store import MemoryHealth
from gateway.metrics import counter
from gateway.terms.engine import Engine

FAILURES = counter("engine_failures", "Requests that a provider failed", "engine", "provider", "reason")

TRY = APIConnectOptions(max_retry=0, timeout=2.0)
"""How one provider is tried: the chain knows better than a plugin whom to try next."""
ALONE = APIConnectOptions(max_retry=0, timeout=5.0)
"""How the only one is tried, or the last to hear: slowly is better than not at all."""
TWICE = 2
"""Times that the only provider is tried: a connection may be lost by chance."""
LATE, BACK = "late", "back"
"""Why another serves, besides the reasons of a circuit: it was faster than the one whose turn it was; it is back."""

_PASSES = {Reason.TIMEOUT, Reason.FAULT}
"""Reasons that may be gone at any moment."""

Tell = Callable[[Engine, str, str, str], None]
"""Notes that another provider serves: the engine, by whom before, by whom now ("" for nobody), why."""

log = structlog.get_logger(__name__)


def _cause(error: BaseException) -> str:
    """What an error came of: the names of types alone, as words may hold what callers said."""
    cause = error.__cause__
    return type(cause).__name__ if cause is not None else ""


def nobody(_engine: Engine, _before: str, _now: str, _why: str) -> None:
    """Tells nobody."""


class Guide:
    """The guide of one process. It knows only what it sees itself until it follows a call's `Board`."""

    def __init__(self) -> None:
        self._pulse = Pulse()
        self._alone()

    def follow(self, board: Board, tell: Tell, route: Mapping[str, object] | None = None) -> None:
        """From now on, in the loop that runs, go by what all calls know and by what the route's settings choose, and tell of
        switches; until `leave` of the same board."""
        self._go_by(board, tell, route)
        self._pulse.start()

    def _alone(self) -> None:
        self._go_by(Board(MemoryHealth(), "", time.time), nobody, None)

    def _go_by(self, board: Board, tell: Tell, route: Mapping[str, object] | None) -> None:
        self._board, self._tell, self._route = board, tell, route or {}
        self._serving: dict[Engine, str] = {}
        self._why: dict[str, str] = {}
        self._heard: dict[str, tuple[Reason, float | None]] = {}

    def listen(self, link: Link, engine: llm.LLM[Any] | stt.STT[Any] | tts.TTS[Any]) -> None:
        """Hear of the link's errors as they are made: where they arrive, what they came of is lost, and with it how long
        a provider asks to wait, and whether it answered at all."""

        def overheard(event: llm.LLMError | stt.STTError | tts.TTSError) -> None:
            self._heard[link.known_as] = reason_of(event.error), retry_after(event.error)

        engine.on("error", overheard)

    async def leave(self, board: Board) -> None:
        """The conversation is over: let what it has met be known to the others."""
        if self._board is board:
            self._pulse.stop()
            self._alone()
        await board.close()

    def chosen(self, links: Sequence[Link]) -> Sequence[Link]:
        """Those of the links that the route has."""
        return chosen(links, self._route)

    async def order(self, links: Sequence[Link]) -> list[Link]:
        """The links to try, the first first: those that calls may use now, then the others, as a try is better than
        silence. The only one there is stands there twice."""
        links = self.chosen(links)
        usable = set(await self._board.usable([link.known_as for link in links]))
        if len(links) == 1:  # it is looked for all the same: its circuit is closed by calls that know that it was open
            return [*links] * TWICE
        return sorted(links, key=lambda link: link.known_as not in usable)

    def trusted(self, link: Link) -> bool:
        """Whether nothing bad is known of the link."""
        return self._board.circuit(link.known_as).state is State.CLOSED

    def may_help(self, link: Link) -> bool:
        """Whether there is any use in asking it where another tells nothing. Nobody but who asks so may ever find out that
        it is back: who is behind one that serves isn't probed."""
        circuit = self._board.circuit(link.known_as)
        return circuit.reason in _PASSES or self._board.may_use(link.known_as)

    def failed(self, link: Link, error: BaseException, *, excused: bool = False) -> None:
        """The link has failed a request. It isn't blamed for what may have come of our own standing still, which is no
        matter of other calls. `excused`: the sound stood still."""
        log.debug("a request failed", provider=link.name, error=type(error).__name__, of=_cause(error))
        reason = reason_of(error)
        heard, wait = self._heard.pop(link.known_as, (reason, None))
        if (excused or self._pulse.excuses) and reason in _PASSES:
            log.info("a provider isn't blamed", engine=link.engine.value, provider=link.name, reason=reason.value)
            return
        self.judged(link, heard if reason is Reason.REFUSED else reason, wait)

    def judged(self, link: Link, reason: Reason, wait: float | None = None) -> None:
        """The link has failed a request, for this reason."""
        FAILURES.labels(link.engine.value, link.name, reason.value).inc()
        if reason is Reason.AUTH:
            log.error("a provider doesn't take our key: see to it", engine=link.engine.value, provider=link.name)
        else:
            log.warning("a provider fails", engine=link.engine.value, provider=link.name, reason=reason.value)
        self._why[link.known_as] = reason.value
        self._board.failed(link.known_as, reason, wait)

    def served(self, links: Sequence[Link], link: Link, why: str = "") -> None:
        """The link serves a request. `why`: why it and not the one before, where that isn't known by its failure."""
        self._board.worked(link.known_as)
        self._switched(links, link, why)

    def back(self, link: Link) -> None:
        """The link would have served: it may be the first again."""
        self._board.worked(link.known_as)

    def gave_up(self, links: Sequence[Link]) -> None:
        """Nobody of the chain serves the request."""
        self._switched(links, None, "")

    def _switched(self, links: Sequence[Link], link: Link | None, why: str) -> None:
        links = self.chosen(links)
        engine = links[0].engine
        before, now = self._serving.get(engine, links[0].name), link.name if link is not None else ""
        self._serving[engine] = now or before
        if now == before:
            return
        self._tell(engine, before, now, why or self._reason(links, before, now))

    def _reason(self, links: Sequence[Link], before: str, now: str) -> str:
        names = [link.name for link in links]
        if now and before in names and names.index(now) < names.index(before):
            return BACK
        known = f"{links[0].engine.value} {before}"
        circuit = self._board.circuit(known)
        return circuit.reason.value if circuit.reason is not None else self._why.get(known, LATE)
