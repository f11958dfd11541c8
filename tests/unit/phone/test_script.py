"""Tests of the phone's scripts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.phone.script import (
    BargeIn,
    ExpectAudio,
    ExpectLike,
    ExpectStatus,
    ExpectTone,
    ExpectTurn,
    HangUp,
    Press,
    Say,
    ScriptFault,
    Wait,
    read,
    spoken_in_turn,
    step,
)


def test_a_script_is_read_step_by_step() -> None:
    text = """
- expect: {audio: 3}
- say: I'd like a quote
- barge_in: {say: Stop, after: 0.5}
- press: "12#"
- expect: {tone: [697, 1209]}
- expect: {like: Hello, within: 4, threshold: 0.6}
- expect: turn
- wait: 2.5
- hang_up
"""
    assert read(text) == [
        ExpectAudio(3.0),
        Say("I'd like a quote"),
        BargeIn("Stop", 0.5),
        Press("12#"),
        ExpectTone((697.0, 1209.0)),
        ExpectLike("Hello", within=4.0, threshold=0.6),
        ExpectTurn(),
        Wait(2.5),
        HangUp(),
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "isn't a list"),
        ("say: x", "isn't a list"),
        ("- sing: x", "there is no 'sing'"),
        ("- say: ''", "needs a text"),
        ("- press: 12x", "has the keys"),
        ("- wait: soon", "'soon' isn't a number of seconds from 0 to 3600"),
        ("- wait: -5", "'-5' isn't a number of seconds from 0 to 3600"),
        ("- wait: nan", "isn't a number of seconds"),
        ("- expect: {tone: 9}", "carries tones"),
        ("- expect: {status: 100}", "final SIP status"),
        ("- [", "no YAML"),
    ],
)
def test_a_script_that_cannot_be_says_which_step(text: str, says: str) -> None:
    with pytest.raises(ScriptFault, match=says):
        read(text)


def test_the_command_lines_steps_are_the_same() -> None:
    assert step("say", "Hello") == Say("Hello")
    assert step("expect", "status:486") == ExpectStatus(486)
    assert step("expect", "tone:697+1209") == ExpectTone((697.0, 1209.0))
    with pytest.raises(ScriptFault, match="--press 1x"):
        step("press", "1x")


def test_people_speak_when_the_other_side_has_finished() -> None:
    assert spoken_in_turn([Say("a"), Wait(1), Press("1"), HangUp()]) == [
        ExpectTurn(),
        Say("a"),
        Wait(1),
        Press("1"),
        HangUp(),
    ]


@given(st.text(max_size=80))
def test_any_text_is_a_script_or_told_off(text: str) -> None:
    try:
        steps = read(text)
    except ScriptFault as fault:
        assert str(fault)
    else:
        assert steps
