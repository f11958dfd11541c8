"""How long a caller will wait in a team's line. Pure."""

from __future__ import annotations

from gateway.calls.words.queue import place_sentence, wait_sentence

WEIGHT = 0.2
"""How much the last talk counts in a team's average."""


def averaged(before: float | None, talk: float) -> float:
    """A team's average talk time, in seconds, once another talk has ended. None: it was the first."""
    return talk if before is None else before + WEIGHT * (talk - before)


def expected(position: int, talk: float | None, serving: int, free: int = 0) -> float | None:
    """Seconds until the caller at `position` (1 for the next) is somebody's turn; None where nobody can know yet.

    `talk`: how long a call takes a member, on the team's average. `serving`: members who take calls now, busy or not.
    `free`: those of them who aren't busy. One member becomes free every `talk / serving` seconds.
    """
    if position <= free:
        return 0.0
    if talk is None or serving <= 0:
        return None
    return (position - free) * talk / serving


def words(position: int, wait: float | None, language: str) -> tuple[str, ...]:
    """What to tell a caller of the place in the line, sentence by sentence."""
    place = place_sentence(position, language)
    return (place,) if wait is None or wait <= 0 else (place, wait_sentence(wait, language))
