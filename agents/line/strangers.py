"""Machines, relays and text telephones on the caller's line: `gateway.calls.talk.stranger` on what a session hears."""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import structlog
from livekit.agents import AgentSession
from livekit.agents.voice import UserInputTranscribedEvent

from agents.line.alarm import Alarm
from gateway.calls.talk.ear import Ear
from gateway.calls.talk.stranger import Stranger, Then

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Means:
    """What is needed of whoever conducts the conversation. All of it is told the reason, but `ask`."""

    start: Callable[[Coroutine[Any, Any, None]], None]
    """Runs a coroutine beside the conversation."""
    ask: Callable[[], Coroutine[Any, Any, None]]
    """Asks whether a person is there."""
    end: Callable[[str], Coroutine[Any, Any, None]]
    """Says goodbye and ends the conversation."""
    wait: Callable[[], None]
    """The caller pauses for long: silence means nothing."""
    person: Callable[[str], Coroutine[Any, Any, None]]
    """Gets the caller a person."""


class Strangers:
    """Listens to one line. `close` it."""

    def __init__(self, session: AgentSession[None], cap: float, means: Means) -> None:
        """`cap`: seconds that a machine is listened to."""
        self._means = means
        self._ear = Ear()
        self._stranger = Stranger(cap)
        self._alarm = Alarm(self._due)
        session.on("user_input_transcribed", self._transcribed)

    def hear(self, pcm: bytes) -> None:
        """The caller's audio: 16-bit samples, `gateway.calls.talk.ear.RATE` a second."""
        for sound in self._ear.feed(pcm):
            self._then(*self._stranger.heard(sound, time.monotonic()))

    def pressed(self) -> None:
        """The caller has pressed a key."""
        self._then(self._stranger.pressed(), None)

    def close(self) -> None:
        """Suspect nobody any more."""
        self._alarm.close()

    def _transcribed(self, event: UserInputTranscribedEvent) -> None:
        if event.is_final and event.transcript:
            self._then(*self._stranger.said(event.transcript, time.monotonic()))

    def _due(self) -> None:
        self._then(*self._stranger.due(time.monotonic()))

    def _then(self, stranger: Stranger, then: Then | None) -> None:
        if stranger.suspected and not self._stranger.suspected:
            log.info("perhaps nobody is there", why=stranger.why)
        self._stranger = stranger
        self._alarm.set(stranger.deadline)
        match then:
            case Then.ASK:
                self._means.start(self._means.ask())
            case Then.END:
                log.info("nobody is there", why=stranger.why)
                self._means.start(self._means.end(stranger.why))
            case Then.PATIENCE:
                self._means.wait()
            case Then.PERSON:
                log.info("a person is to talk with the caller", why=stranger.why)
                self._means.wait()
                self._means.start(self._means.person(stranger.why))
