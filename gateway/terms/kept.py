"""What is kept of a conversation outside of its job, as it happens, so that another job can go on with it.

It is made of the call's events: the turns, the facts, and what was heard and isn't a turn yet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from gateway.terms.ending import Party
from gateway.terms.event import Event, Kind
from gateway.terms.personal import Words
from gateway.terms.sealed import is_sealed
from gateway.terms.turn import Speaker, Turn, read_turn

KEPT = frozenset({Kind.TURN, Kind.FACTS, Kind.HEARD, Kind.HANGUP, Kind.SIP})
"""The kinds of event that are kept: every turn, the last of the others."""
TURNS = 400
"""Turns that are kept of a call, the latest: no model is told more."""
LIVE_FOR = 6 * 3600.0
"""Seconds that they are kept without another one."""
ENDED_FOR = 600.0
"""Seconds that they are kept after the call's end, for a caller who dials again."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What is going on beside the turns."""

    words: Words = field(default_factory=lambda: Words(""))
    """The caller's, final and not a turn yet."""
    speaking: Speaker | None = None
    """Who is."""
    after: int = 0
    """The last turn's number then."""
    keys: str = field(default="", repr=False)
    """What the caller has keyed in of something that isn't whole yet; sealed where their route seals digits."""
    keyed_for: str | None = None
    """What they are for: a field's name, "" for a number to be called back on, None where nothing was asked for."""
    last_key: int = 0
    """The number of the last key (`terms.gap`) that is in them, or was acted on before; 0 for none. The call has it
    (`terms.call.Call.last_key`), so it isn't kept here."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What a job that takes a call over knows of it."""

    turns: Sequence[Turn] = ()
    facts: Mapping[str, object] = field(default_factory=dict)
    """All that is known for the lead or ticket; sealed values sealed."""
    heard: Heard = field(default_factory=Heard)
    hung_up: Party = Party.UNKNOWN
    """Who ended the call, as its job saw it."""
    sip_by: Party = Party.UNKNOWN
    """The same as the SIP service tells it."""
    sip_status: int = 0
    """The SIP service's last one."""
    complete: bool = False
    """All that was to be found out is known."""

    @property
    def unanswered(self) -> str:
        """The caller's last words, when they became no turn and no turn of theirs came later."""
        later = any(turn.seq > self.heard.after and turn.speaker is not Speaker.AGENT for turn in self.turns)
        return "" if later else self.heard.words.reveal().strip()


def heard_data(heard: Heard) -> dict[str, object]:
    """What an event of the kind HEARD carries."""
    return {
        "words": heard.words.reveal(),
        "speaking": heard.speaking.value if heard.speaking else None,
        "after": heard.after,
        "keys": heard.keys,
        "keyed_for": heard.keyed_for,
        "last_key": heard.last_key,
    }


def kept_of(turns: Sequence[Event], last: Mapping[Kind, Event]) -> Kept:
    """What those events of a call say: its turns in the order they were told, of which the later counts where two have
    one number, and the last of each other kind."""
    facts, heard, hangup, sip = (last.get(kind) for kind in (Kind.FACTS, Kind.HEARD, Kind.HANGUP, Kind.SIP))
    by_number = {turn.seq: turn for event in turns if (turn := _turn(event)) is not None}
    known = facts.data.get("fields") if facts else None
    said = [by_number[seq] for seq in sorted(by_number)]
    return Kept(
        said,
        dict(known) if isinstance(known, Mapping) else {},
        _without_whole(_heard(heard.data), said) if heard else Heard(),
        _party(hangup),
        _party(sip),
        status if sip and isinstance(status := sip.data.get("status"), int) else 0,
        bool(facts and facts.data.get("complete")),
    )


def after(earlier: Sequence[Kept], now: Kept) -> Kept:
    """What a call knows that goes on with others, the oldest first. Seals are another call's: nobody opens them here. Nor
    does anybody go on with half an entry after they have dialed again."""
    facts: dict[str, object] = {}
    for one in earlier:
        facts |= {name: value for name, value in one.facts.items() if not is_sealed(value)}
    turns = {turn.seq: turn for one in (*earlier, now) for turn in one.turns}
    heard = now.heard if now.turns or not earlier else replace(earlier[-1].heard, keys="", keyed_for=None)
    return replace(now, turns=[turns[seq] for seq in sorted(turns)], facts={**facts, **now.facts}, heard=heard)


def _without_whole(heard: Heard, turns: Sequence[Turn]) -> Heard:
    """Without an entry that has become a turn since."""
    whole = any(turn.seq > heard.after and turn.speaker is Speaker.KEYPAD for turn in turns)
    return replace(heard, keys="", keyed_for=None) if whole else heard


def _party(event: Event | None) -> Party:
    by = event.data.get("by") if event else None
    return Party(by) if isinstance(by, str) and by in set(Party) else Party.UNKNOWN


def _turn(event: Event) -> Turn | None:
    try:
        return read_turn(event.data, event.at)
    except (KeyError, ValueError, TypeError, AttributeError):
        return None  # another version's: a caller is better served with the rest


def _heard(data: Mapping[str, object]) -> Heard:
    speaking = data.get("speaking")
    after = data.get("after")
    return Heard(
        Words(str(data.get("words") or "")),
        Speaker(speaking) if isinstance(speaking, str) and speaking in set(Speaker) else None,
        after if isinstance(after, int) else 0,
        str(data.get("keys") or ""),
        keyed_for if isinstance(keyed_for := data.get("keyed_for"), str) else None,
    )
