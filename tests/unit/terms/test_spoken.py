"""What a voice is given."""

from __future__ import annotations

import pytest

from gateway.terms.spoken import choices, is_sound, parts

SOUND = f"wav:{'0af' * 21}0"


def test_lines_and_sounds_are_said_one_by_one() -> None:
    assert is_sound(SOUND)
    assert not is_sound(f"{SOUND} and more")
    assert not is_sound("wav:0af")
    assert parts(f"A notice.\nWe are closed. {SOUND}\n\nGoodbye.") == ["A notice.", "We are closed.", SOUND, "Goodbye."]
    assert parts(SOUND) == [SOUND]
    assert parts(" \n") == []


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Thanks for calling. For sales, press 1. Else talk.", "For sales, press 1. Else talk."),
        ("It snows.\nWelcome! Press 1.\nPress 2.", "Press 1.\nPress 2."),
        (f"Welcome.\n{SOUND}\nPress 1.", f"{SOUND}\nPress 1."),
        ("Open from 3 to 7. Press 1.", "Press 1."),
        ("Welcome. For sales, press one.", "Welcome. For sales, press one."),
        (SOUND, SOUND),
        ("", ""),
    ],
)
def test_a_menus_choices_are_its_prompt_without_what_comes_before(text: str, left: str) -> None:
    assert choices(text, "12") == left
