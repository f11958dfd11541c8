"""Whether a machine has answered, of somebody who is connected at once: whom a callback calls, or a third who is brought in. Pure.

They are heard for a while from their answer on, beside whoever talks with them; nobody waits for that. The words of a mailbox are
one at once. Other recordings, and whoever talks on and on from the beginning, may be: with the tone of a mailbox after that they
are. A tone alone says that another call waits for them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from gateway.calls.acts import cues, deeds
from gateway.calls.acts.deeds import Effect
from gateway.calls.talk.recorded import is_mailbox
from gateway.handoff.choice import is_recording

LISTENS = 30.0
"""Seconds for which they are heard: greetings of mailboxes last up to twenty."""
BEGINS = 6.0
"""Seconds from their answer in which who talks on and on is no person who answers: later it is somebody in a talk."""


@dataclass(frozen=True, slots=True)
class Screening:
    """How it stands with one leg. Times are seconds since the epoch."""

    leg: str = ""
    """Who is heard; "" for nobody."""
    since: float = 0.0
    suspect: bool = False
    """It may be a machine: what isn't said to a person is no talk."""

    @property
    def until(self) -> float:
        """When they are heard no more; infinity where nobody is."""
        return self.since + LISTENS if self.leg else float("inf")

    def on(self, event: cues.LegSaid | cues.LegSounds, now: float) -> tuple[Screening, bool]:
        """How it stands after that, and whether a machine has answered."""
        if event.leg != self.leg:
            return self, False
        suspects = replace(self, suspect=True)
        match event:
            case cues.LegSaid(_, text):
                return (suspects, is_mailbox(text)) if is_recording(text) else (self, False)
            case cues.LegSounds(_, cues.LegSound.BEEP):
                return self, self.suspect
            case cues.LegSounds(_, cues.LegSound.MONOLOGUE) if now > self.since + BEGINS:
                return self, False
        return suspects, False

    def heard(self) -> tuple[Effect, ...]:
        """What has them heard, also by another job that goes on."""
        return (deeds.Listen(self.leg),) if self.leg else ()


NOBODY = Screening()
