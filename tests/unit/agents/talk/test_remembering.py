"""What is kept of a conversation beside its turns: what was keyed in stays until it is a turn."""

from __future__ import annotations

from typing import Any, cast

from agents.keys.keypad import Keypad
from agents.talk.remembering import Remembering
from gateway.terms.kept import Heard
from tests.unit.agents.telling_session import TellingSession


class Stage:
    """Keeps all that is heard."""

    def __init__(self) -> None:
        self.heard: list[Heard] = []
        self.turns: list[object] = []

    def hearing(self, heard: Heard) -> None:
        self.heard.append(heard)


def test_an_entry_stays_as_it_was_before_its_last_key_until_it_is_a_turn() -> None:
    stage, session = Stage(), TellingSession()
    one = Remembering(cast(Any, session), cast(Any, stage), lambda keys: keys)

    def kept() -> tuple[str, int]:
        return stage.heard[-1].keys, stage.heard[-1].last_key

    one.keying(Keypad("41"), 2)
    one.whole(3)
    one.keying(Keypad(), 3)
    assert kept() == ("41", 2)
    one.keying(Keypad("7"), 4)
    one.whole(5)
    session.heard("hello")
    assert kept() == ("41", 2), "the next entry is told with it"
    assert one.keyed() == 3
    one.turned()
    assert kept() == ("", 3)
    one.keying(Keypad("9"), 6)
    session.heard("hello again")
    assert one.keyed() == 5
    one.turned()
    assert kept() == ("9", 6)
    one.whole(7)
    session.heard("and")
    assert one.keyed() == 7
    one.turned()
    assert kept() == ("", 7), "also where that isn't told yet"
