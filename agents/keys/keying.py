"""The keys of one call, on the running loop's clock: `agents.keys.keypad` with its timer."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from agents.definition import DigitField
from agents.keys.keypad import Keyed, Keypad
from agents.line.alarm import Alarm


class Keying:
    """Tells each entry as it ends. `close` it."""

    def __init__(self, keyed: Callable[[Keyed], None], on: Callable[[Keypad], None] = lambda _: None) -> None:
        """`on` is told after each step of the entry in progress."""
        self._keyed, self._on = keyed, on
        self._keypad = Keypad()
        self._alarm = Alarm(self._due)
        self._deaf = False
        self._untouched = False
        """The entry was begun before another job, and no key has come since."""

    @property
    def begun(self) -> bool:
        """Whether an entry is in progress."""
        return bool(self._keypad.keys)

    @property
    def entry(self) -> Keypad:
        """The one in progress."""
        return self._keypad

    def press(self, key: str, asked: DigitField | None, *, sure: bool = False, silences: bool = True) -> bool:
        """A key of the caller's, and what is being asked for; whether the agent is to fall silent for it. `sure`: none before
        it is lost. `silences`: whether the first of an entry does that."""
        if self._deaf:
            return sure and self._press_unheard(key, asked)
        untouched, self._untouched = self._untouched, False
        first = untouched or not self.begun
        self._keypad, ended = self._keypad.press(key, time.monotonic(), asked)
        self._told(ended)
        return first and (self.begun and (silences or untouched) or (untouched and key == "*"))

    @property
    def untouched(self) -> bool:
        """Whether the entry is one that was taken up, and no key has come since the caller was told of it."""
        return self._untouched

    def take_up(self, entry: Keypad) -> None:
        """Go on with what another job has heard the beginning of. Keys of which some may be lost count again from `listen`
        on: before, the caller can't know which of them were heard."""
        self._keypad, self._deaf, self._untouched = entry, True, True
        self._told(None)

    def listen(self, now: bool = True) -> None:
        """The caller is being told how far we are, if `now`."""
        self._deaf = self._deaf and not now

    def wait(self) -> None:
        """The caller was told so."""
        self.listen()
        if self._untouched:
            self._keypad = self._keypad.waiting(time.monotonic())
            self._told(None)

    def spoke(self) -> None:
        """The caller says something instead of going on."""
        if self._untouched and not self._deaf:
            self._keypad, self._untouched = Keypad(), False
            self._told(None)

    def close(self) -> None:
        """Forget what was keyed in."""
        self._keypad = Keypad()
        self._alarm.close()

    def _press_unheard(self, key: str, asked: DigitField | None) -> bool:
        """The caller isn't told yet how far we are: the entry grows, and waits for that."""
        pressed, ended = self._keypad.press(key, time.monotonic(), asked)
        self._keypad = replace(pressed, deadline=float("inf"))
        self._deaf = self._untouched = self.begun
        self._told(ended)
        return True

    def _due(self) -> None:
        self._keypad, ended = self._keypad.due(time.monotonic())
        self._told(ended)

    def _told(self, ended: Keyed | None) -> None:
        self._alarm.set(self._keypad.deadline)
        if ended is not None:  # before it is told that nothing is in progress: what was keyed in must be somewhere
            self._untouched = False
            self._keyed(ended)
        self._on(self._keypad)
