"""The keys of one call, on the running loop's clock: `agents.keys.keypad` with its timer."""

from __future__ import annotations

import time
from collections.abc import Callable

from agents.definition import DigitField
from agents.keys.keypad import Keyed, Keypad
from agents.line.alarm import Alarm


class Keying:
    """Tells each entry as it ends. `close` it."""

    def __init__(self, keyed: Callable[[Keyed], None], begun: Callable[[bool], None] = lambda _: None) -> None:
        """`begun` is told after each step whether an entry is in progress."""
        self._keyed, self._begun = keyed, begun
        self._keypad = Keypad()
        self._alarm = Alarm(self._due)

    @property
    def begun(self) -> bool:
        """Whether an entry is in progress."""
        return bool(self._keypad.keys)

    def press(self, key: str, asked: DigitField | None) -> None:
        """A key of the caller's, and what is being asked for."""
        self._keypad, ended = self._keypad.press(key, time.monotonic(), asked)
        self._told(ended)

    def close(self) -> None:
        """Forget what was keyed in."""
        self._keypad = Keypad()
        self._alarm.close()

    def _due(self) -> None:
        self._keypad, ended = self._keypad.due(time.monotonic())
        self._told(ended)

    def _told(self, ended: Keyed | None) -> None:
        self._alarm.set(self._keypad.deadline)
        self._begun(self.begun)
        if ended is not None:
            self._keyed(ended)
