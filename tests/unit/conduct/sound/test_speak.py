"""The speaker: what is heard when, by a clock that jumps."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import cast

import pytest

from gateway.calls.acts.cues import Heard, Unsaid
from gateway.conduct.sound import music, tones
from gateway.conduct.sound.ringback import AMERICA
from gateway.conduct.sound.speak import QUIET, Speaker
from gateway.conduct.sound.words import NOTHING, Audio, Clip, Wording
from gateway.conduct.talk.port import Pcm
from tests.unit.conduct.virtual import RATE, Voice, run

MUSIC = f"wav:{'a' * 64}"
COMFORT = tones.comfort(RATE).data[:1].decode(errors="replace")
NOBODYS = f"wav:{'b' * 64}"
"""A sound that isn't there."""
RINGING = tones.ringing(AMERICA, RATE).data[:1].decode(errors="replace")


@dataclass
class Words:
    """Stands for Wording: a text is heard as its first letter, a second a word, after `late` seconds."""

    late: Mapping[str, float] = field(default_factory=dict)
    fails: bool = False

    async def get(self, text: str) -> Audio:
        if self.fails:
            raise LookupError(text)
        await asyncio.sleep(self.late.get(text, 0.0))
        if text == NOBODYS:
            return NOTHING
        return Clip(Pcm(RATE, text[:1].encode() * 2 * RATE * len(text.split())))

    async def sound(self, address: str) -> Audio | None:
        return Clip(Pcm(RATE, b"m" * 2 * RATE * 3)) if address == MUSIC else None


@dataclass
class Lab:
    voice: Voice
    speaker: Speaker
    heard: list[float]
    """When Heard was told."""
    unsaid: list[float]
    """When Unsaid was."""

    async def until(self, at: float) -> None:
        await asyncio.sleep(at - asyncio.get_running_loop().time())


def play(script: Callable[[Lab], Awaitable[None]], words: Words | None = None) -> Lab:
    async def body() -> Lab:
        voice, heard, unsaid = Voice(), list[float](), list[float]()

        def happened(event: Heard | Unsaid) -> None:
            (heard if isinstance(event, Heard) else unsaid).append(round(asyncio.get_running_loop().time(), 3))

        async with Speaker(voice, cast(Wording, words or Words()), happened, ringing=AMERICA) as speaker:
            lab = Lab(voice, speaker, heard, unsaid)
            await script(lab)
        return lab

    return run(body())


def test_words_follow_each_other_without_a_gap_and_their_end_is_told_once() -> None:
    async def script(lab: Lab) -> None:
        lab.speaker.say("a b c")
        lab.speaker.say("d e")
        await lab.until(10)

    lab = play(script)
    assert lab.voice.runs() == [("a", 0, 3), ("d", 3, 5)]
    assert lab.heard == [5]


def test_words_of_which_nothing_can_be_said_are_told_of_each_time() -> None:
    async def script(lab: Lab) -> None:
        lab.speaker.say("a b c")
        lab.speaker.say(NOBODYS)
        await lab.until(4)
        lab.speaker.say(NOBODYS)
        lab.speaker.say(NOBODYS)
        await lab.until(6)

    lab = play(script)
    assert lab.heard == [3, 4]
    assert lab.unsaid == [4]


def test_words_that_come_while_others_are_said_follow_without_a_gap() -> None:
    async def script(lab: Lab) -> None:
        lab.speaker.say("a b c")
        await lab.until(2.5)
        lab.speaker.say("d e")
        await lab.until(10)

    lab = play(script)
    assert lab.voice.runs() == [("a", 0, 3), ("d", 3, 5)]
    assert lab.heard == [5]


def test_a_hush_is_silence_at_once_and_nothing_is_told() -> None:
    async def script(lab: Lab) -> None:
        lab.speaker.say("a b c")
        lab.speaker.say("d e")
        await lab.until(1.5)
        lab.speaker.hush()
        await lab.until(10)

    lab = play(script)
    assert lab.voice.runs() == [("a", 0, 1.5)]
    assert lab.heard == []


@pytest.mark.parametrize("at", [2.95, 3.0])
def test_a_hush_at_the_very_end_leaves_nothing_to_be_told_twice(at: float) -> None:
    async def script(lab: Lab) -> None:
        lab.speaker.say("a b c")
        await lab.until(at)
        told = len(lab.heard)
        lab.speaker.hush()
        lab.speaker.say("d")
        await lab.until(10)
        assert len(lab.heard) == told + 1

    play(script)


def test_other_words_right_after_a_hush_begin_at_once() -> None:
    async def script(lab: Lab) -> None:
        lab.speaker.say("a b c")
        await lab.until(1.5)
        lab.speaker.hush()
        lab.speaker.say("d e")
        await lab.until(10)

    lab = play(script)
    assert lab.voice.runs() == [("a", 0, 1.5), ("d", 1.5, 3.5)]
    assert lab.heard == [3.5]


def test_a_sound_goes_on_until_words_are_ready_and_they_end_in_silence() -> None:
    async def script(lab: Lab) -> None:
        lab.speaker.sound(f"music:{MUSIC}")
        await lab.until(5)
        lab.speaker.say("d e")
        await lab.until(20)

    lab = play(script, Words(late={"d e": 1.2}))
    assert lab.voice.runs() == [("m", 0, 6.2), ("d", 6.2, 8.2)]
    assert lab.heard == [8.2]
    assert lab.voice.most < 5, "a sound is fed bit by bit"


def test_a_sound_begins_once_words_are_said_and_their_end_is_told() -> None:
    async def script(lab: Lab) -> None:
        lab.speaker.say("a b c")
        lab.speaker.sound(f"music:{MUSIC}")
        await lab.until(9)
        lab.speaker.hush()

    lab = play(script)
    assert lab.voice.runs() == [("a", 0, 3), ("m", 3, 9)]
    assert lab.heard == [3]


def test_another_sound_takes_the_place_of_one_and_the_same_goes_on() -> None:
    async def script(lab: Lab) -> None:
        lab.speaker.sound("ringback")
        await lab.until(3)
        lab.speaker.sound("ringback")
        await lab.until(7)
        lab.speaker.sound(f"music:{MUSIC}")
        await lab.until(9)

    lab = play(script)
    assert [(what, start, end) for what, start, end in lab.voice.runs() if what == "m"] == [("m", 7, 9)]
    assert lab.voice.runs()[0][0] == RINGING
    assert lab.heard == []


def test_words_that_take_their_time_leave_no_long_silence() -> None:
    async def script(lab: Lab) -> None:
        lab.speaker.say("a b")
        lab.speaker.say("d e")
        await lab.until(10)

    lab = play(script, Words(late={"d e": 4.0}))
    assert lab.voice.runs() == [("a", 0, 2), (COMFORT, 2 + QUIET, 4), ("d", 4, 6)]
    assert lab.heard == [6]


def test_the_beep_is_played_once_and_its_end_is_told() -> None:
    async def script(lab: Lab) -> None:
        lab.speaker.sound("beep")
        await lab.until(10)

    lab = play(script)
    assert lab.heard == [0.4]
    assert lab.voice.heard[0][1] - lab.voice.heard[0][0] == pytest.approx(0.4)


def test_music_that_isnt_there_is_the_default() -> None:
    default = music.default(RATE).data  # made now: the lab's time doesn't wait for threads

    async def script(lab: Lab) -> None:
        lab.speaker.sound(f"music:wav:{'b' * 64}")
        await lab.until(120)

    lab = play(script)
    assert lab.voice.heard[0][2] == default[:8]
    assert lab.voice.heard[-1][1] >= 120, "it goes on and on"


def test_a_text_may_hold_sounds_of_the_plan_and_lines() -> None:
    async def script(lab: Lab) -> None:
        lab.speaker.say("a\nd e")
        await lab.until(10)

    lab = play(script)
    assert lab.voice.runs() == [("a", 0, 1), ("d", 1, 3)]
    assert lab.heard == [3]


def test_words_that_fail_are_told_as_said_and_the_next_are_heard() -> None:
    words = Words(fails=True)

    async def script(lab: Lab) -> None:
        lab.speaker.say("a")
        await lab.until(1)
        words.fails = False
        lab.speaker.say("d")
        await lab.until(10)

    lab = play(script, words)
    assert lab.voice.runs() == [("d", 1, 2)]
    assert len(lab.heard) == 2


def test_nothing_to_say_is_said_at_once() -> None:
    async def script(lab: Lab) -> None:
        lab.speaker.say("  ")
        await lab.until(1)

    assert play(script).heard == [0]


def test_whoever_is_told_may_go_on_at_once() -> None:
    async def body() -> list[tuple[str, float, float]]:
        voice, told = Voice(), list[Heard]()

        def happened(event: Heard) -> None:
            told.append(event)
            if len(told) == 1:
                speaker.hush()
                speaker.say("d e")

        async with Speaker(voice, cast(Wording, Words()), happened) as speaker:
            speaker.say("a")
            await asyncio.sleep(10)
        assert len(told) == 2
        return voice.runs()

    assert run(body()) == [("a", 0, 1), ("d", 1, 3)]


def test_leaving_ends_the_sound_and_its_tasks() -> None:
    async def body() -> int:
        voice = Voice()
        async with Speaker(voice, cast(Wording, Words(late={"a": 9.0})), lambda _: None) as speaker:
            speaker.sound("ringback")
            speaker.say("a")
            await asyncio.sleep(1)
        assert voice.queued == 0
        return len(asyncio.all_tasks()) - 1

    assert run(body()) == 0
