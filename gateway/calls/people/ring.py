"""Whom of a team to ring next, by Asterisk's strategies (app_queue). Pure.

Whatever the strategy, whom a call has tried least comes first: a call goes through the whole team before it rings
somebody again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Candidate:
    """A member on duty, and what the strategies ask of them."""

    name: str
    ended: float = 0.0
    """When their last call ended (seconds since the epoch); 0 for never."""
    taken: int = 0
    """Calls that they took today."""


def all_at_once(strategy: str) -> bool:
    """Whether a call rings everybody who is free, or one after the other."""
    return strategy == "ringall"


def order(
    strategy: str, team: Sequence[Candidate], *, last: str = "", tried: Mapping[str, int] | None = None, draw: str = ""
) -> tuple[str, ...]:
    """The names of the team in the order to ring them, each once, busy or not.

    `team`: in the plan's order. `last`: whom the team's calls have rung last. `tried`: how often this call has rung
    whom. `draw`: what chance goes by; another text for another order. Raises KeyError for an unknown strategy.
    """
    ranked = _RANKS[strategy](team, last, draw)
    times = tried or {}
    return tuple(dict.fromkeys(one.name for one in sorted(ranked, key=lambda one: times.get(one.name, 0))))


_Rank = Callable[[Sequence[Candidate], str, str], Sequence[Candidate]]


def _as_listed(team: Sequence[Candidate], _last: str, _draw: str) -> Sequence[Candidate]:
    return team


def _on_from_the_last(team: Sequence[Candidate], last: str, _draw: str) -> Sequence[Candidate]:
    names = [one.name for one in team]
    begin = names.index(last) + 1 if last in names else 0
    return [*team[begin:], *team[:begin]]


def _longest_idle(team: Sequence[Candidate], _last: str, _draw: str) -> Sequence[Candidate]:
    return sorted(team, key=lambda one: one.ended)


def _fewest_calls(team: Sequence[Candidate], _last: str, _draw: str) -> Sequence[Candidate]:
    return sorted(team, key=lambda one: (one.taken, one.ended))


def _by_chance(team: Sequence[Candidate], _last: str, draw: str) -> Sequence[Candidate]:
    return sorted(team, key=lambda one: hashlib.sha256(f"{draw}\0{one.name}".encode()).digest())


_RANKS: Mapping[str, _Rank] = {
    "ringall": _as_listed,
    "linear": _as_listed,
    "rrmemory": _on_from_the_last,
    "leastrecent": _longest_idle,
    "fewestcalls": _fewest_calls,
    "random": _by_chance,
}
"""By the names of `gateway.dialplan.people.RINGS`."""
