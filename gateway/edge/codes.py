"""What the caller's phone is told of the keys of a human who talks with them: all but their codes. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.terms.codes import HELD, KEYS


@dataclass(slots=True)
class Codes:
    """One human's keys. What is held is due at `until`: ask `due` then."""

    until: float = 0.0
    """When a `*` that is held is no code; 0 while none is. Seconds of the clock of `now`."""

    def pressed(self, key: str, now: float) -> str:
        """The keys to tell of now that this one was pressed."""
        before = self.due(now)
        held, self.until = bool(self.until), 0.0
        if key == "*":
            self.until = now + HELD
            return before + "*" * held
        if held:
            return "" if key in KEYS else "*" + key
        return before + key

    def due(self, now: float) -> str:
        """The keys to tell of now that time has passed."""
        if not self.until or now < self.until:
            return ""
        self.until = 0.0
        return "*"
