"""What a voice is given."""

from __future__ import annotations

from gateway.terms.spoken import is_sound, parts

SOUND = f"wav:{'0af' * 21}0"


def test_lines_and_sounds_are_said_one_by_one() -> None:
    assert is_sound(SOUND)
    assert not is_sound(f"{SOUND} and more")
    assert not is_sound("wav:0af")
    assert parts(f"A notice.\nWe are closed. {SOUND}\n\nGoodbye.") == ["A notice.", "We are closed.", SOUND, "Goodbye."]
    assert parts(SOUND) == [SOUND]
    assert parts(" \n") == []
