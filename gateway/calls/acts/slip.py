"""Which of a caller's keys is still the press that has led them on: a double press, or a finger that has touched two keys. Pure.

| a key within SLIP of the one that has led on | |
| --- | --- |
| `0` at a menu, unless `0` has led there | counts: who wants a person gets one at any moment |
| any other, the same or not, whatever it has led to | nobody heeds it |

What it led to can't be heard yet, so that no key answers it: it would choose in a menu, end a message or agree to a callback that
the caller knows nothing of. Who keys a way from memory presses again what isn't followed. Talking agents have `agents.keys.opening`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from gateway.terms.act import Act, Because, Choose, Onward, Talk
from gateway.terms.keys import PERSON

SLIP = 1.0
"""Seconds: what follows begins to be heard half a second after the key, and takes as long again to be understood."""


@dataclass(frozen=True, slots=True)
class Presses:
    """A caller's, as far as it matters; times are of the clock that `now` is taken from."""

    last: float = float("-inf")
    """When a key was pressed last."""
    led: float = float("-inf")
    """When the one was that has led on to what is done now."""
    led_by: str = field(default="", repr=False)

    def pressed(self, now: float) -> Presses:
        """A key."""
        return replace(self, last=now)

    def led_on(self, act: Act, onward: Onward) -> Presses:
        """The act has ended so. Who has *said* that they want a person has pressed no key of late, or it counts as this one."""
        by_key = onward.because is Because.KEY or (onward.because is Because.HUMAN and not isinstance(act, Talk))
        return replace(self, led=self.last, led_by=onward.key or PERSON) if by_key else Presses(self.last)

    def slips(self, key: str, act: Act, now: float) -> bool:
        """Whether the key isn't to be heeded by the act that is done now."""
        if now >= self.led + SLIP:
            return False
        return key != PERSON or self.led_by == PERSON or not isinstance(act, Choose)
