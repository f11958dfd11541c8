"""WAVs in plans, variables in sentences, and what can be rendered before anybody calls."""

from __future__ import annotations

import io
import wave
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.dialplan.actions import Action, Queue
from gateway.dialplan.ahead import lines_of
from gateway.dialplan.overrides import Override
from gateway.dialplan.plan import Plan
from gateway.dialplan.route import ANYBODY, Ask, decide
from gateway.dialplan.state import State, state_of
from gateway.dialplan.wording import music_of, prompt_of, reopening
from gateway.operate.shelf import unpacked
from gateway.terms.spoken import is_sound
from tests.unit.dialplan.plans import CATALOGUE, NOON, loaded, plan

PLAN = """
offhook: 1
country: US
timezone: America/New_York
hours: {office: Mon-Fri 9-17}
numbers: {(510) 555-0100: front, (510) 555-0200: desk, (510) 555-0300: music}
people: {ana: {call: +1 510 555 0111}}
teams: {all: {members: ana, notify: "mailto:a@b.example", unanswered: box}}
routes:
  front: {menu: {say: "%s", 1: desk, silence: box}, human: desk}
  desk: {team: all, hours: office, closed: box}
  music: {team: all, wait: {music: %s}}
  box: {message: {closed: "We open {reopens}. Please leave a message.", otherwise: Please leave a message., notify: all}}
"""


def recording(seconds: float = 1.0, rate: int = 8000) -> bytes:
    with wave.open(held := io.BytesIO(), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(b"\x10\x20" * round(seconds * rate))
    return held.getvalue()


def at(text: str) -> datetime:
    return datetime.fromisoformat(text + "-05:00")


def prompt(found: Plan, dialed: str, when: datetime, state: State | None = None) -> str:
    return prompt_of(found, decide(found, Ask(dialed, ANYBODY, when), state), when)


def test_a_wav_stands_in_place_of_words_by_its_content(tmp_path: Path) -> None:
    found = plan(tmp_path, PLAN % ("welcome.wav", "waiting.wav"), welcome__wav=recording(), waiting__wav=recording(2))
    told = prompt(found, "5105550100", at("2026-11-27 10:00"))
    assert is_sound(told)
    queue = found.routes["music"].action
    assert isinstance(queue, Queue)
    assert is_sound(music_of(found, queue))
    assert music_of(found, queue) != told
    again = plan(tmp_path, PLAN % ("welcome.wav", "default"), welcome__wav=recording(3))
    assert prompt(again, "5105550100", at("2026-11-27 10:00")) != told
    assert again.version != found.version


def test_a_version_keeps_its_wavs(tmp_path: Path) -> None:
    text = PLAN % ("welcome.wav", "default")
    whole = loaded(tmp_path, text, welcome__wav=recording())
    assert whole.plan
    again = unpacked(whole.files, CATALOGUE, NOON).plan
    assert again
    assert (again.version, again.sounds) == (whole.plan.version, whole.plan.sounds)


def test_a_changed_wav_alone_is_another_version(tmp_path: Path) -> None:
    text = PLAN % ("welcome.wav", "default")
    assert (
        plan(tmp_path, text, welcome__wav=recording(1)).version
        != plan(tmp_path, text, welcome__wav=recording(2)).version
    )


@pytest.mark.parametrize(
    ("say", "music", "content", "told"),
    [
        ("gone.wav", "default", None, "'gone.wav' can't be read: No such file or directory."),
        (
            "x.wav",
            "default",
            b"ID3",
            "'x.wav' can't be played: it is no WAV file. Save it as a PCM WAV file, mono or stereo.",
        ),
        ("x.wav", "default", recording(660, 4000), "'x.wav' lasts 11 minutes; at most 10 are played. Cut it shorter."),
        ("../x.wav", "default", None, "'../x.wav' lies outside the dial plans' directory. Put it beside the plan."),
        ("Hi {name}.", "default", None, "'{name}' stands for nothing in say. Take the braces out."),
        ("Hi.", "jazz", None, "There is no music 'jazz'. Write default, or name a WAV file beside the plan."),
    ],
)
def test_what_cant_be_said_is_told_with_its_line(
    tmp_path: Path, say: str, music: str, content: bytes | None, told: str
) -> None:
    found = loaded(tmp_path, PLAN % (say, music), **({"x__wav": content} if content else {}))
    assert len(found.errors) == 1
    assert told in str(found.errors[0])
    assert found.errors[0].place.line == (10 if music == "default" else 12)


def test_a_variable_that_is_misspelt_is_told(tmp_path: Path) -> None:
    found = loaded(tmp_path, PLAN.replace("{reopens}", "{reopen}") % ("Hi.", "default"))
    assert [str(one.what) for one in found.errors] == ["'{reopen}' stands for nothing in closed."]
    assert found.errors[0].remedy == "Did you mean 'reopens'?"


def test_an_agents_greeting_cant_be_a_wav(tmp_path: Path) -> None:
    text = "offhook: 1\ncountry: US\nhuman: callback\nnumbers: {(510) 555-0100: a}\nroutes: {a: {agent: sales, greeting: x.wav}}"
    found = loaded(tmp_path, text, x__wav=recording())
    assert [one.remedy for one in found.errors] == ["Write the words."]


@pytest.mark.parametrize(
    ("when", "said"),
    [
        ("2026-11-26 18:00", "We open tomorrow at nine. Please leave a message."),
        ("2026-11-27 08:00", "We open at nine. Please leave a message."),
        ("2026-11-27 18:00", "We open on Monday at nine. Please leave a message."),
    ],
)
def test_a_message_tells_when_the_hours_begin_again(tmp_path: Path, when: str, said: str) -> None:
    assert prompt(plan(tmp_path, PLAN % ("Hi.", "default")), "5105550200", at(when)) == said


def closing(until: datetime, subject: str = "office") -> State:
    made = at("2026-11-27 09:00").timestamp()
    one = Override(1, "close", subject, until.timestamp(), "We have a fire drill.", "me", made)
    notice = Override(2, "notice", "all", until.timestamp(), "Lines are down.", "me", made)
    return state_of([one, notice], made)


def test_an_operators_words_come_before_the_plans_and_the_end_of_the_closing_is_told(tmp_path: Path) -> None:
    found = plan(tmp_path, PLAN % ("Hi.", "default"))
    told = prompt(found, "5105550200", at("2026-11-27 10:00"), closing(at("2026-11-27 11:30"))).split("\n")
    assert told == [
        "Lines are down.", "We have a fire drill.", "We open at eleven thirty. Please leave a message."
    ]  # fmt: skip
    late = prompt(found, "5105550200", at("2026-11-27 10:00"), closing(at("2026-11-27 20:00"))).split("\n")
    assert late[-1] == "We open on Monday at nine. Please leave a message.", "the closing ends outside the hours"
    route = prompt(found, "5105550200", at("2026-11-27 10:00"), closing(at("2026-11-27 12:00"), "desk"))
    assert "We open at noon." in route


def test_nobody_knows_without_hours(tmp_path: Path) -> None:
    found = plan(tmp_path, PLAN % ("Hi.", "default"))
    assert reopening(found, "", 0.0, at("2026-11-27 10:00")) is None
    assert reopening(found, "office", 0.0, at("2026-11-27 10:00")) is None, "they are open"


def own(action: Action, language: str) -> Iterable[str]:
    return (f"You are next ({language}).",) if isinstance(action, Queue) else ()


def said(found: Plan, when: datetime, state: State | None = None) -> list[str]:
    return [line.spoken for line in lines_of(found, state or State(), when, own)]


def test_every_sentence_of_the_plan_is_rendered_ahead(tmp_path: Path) -> None:
    found = plan(tmp_path, PLAN % ("Welcome. For the desk, press 1.", "default"))
    assert said(found, at("2026-11-27 10:00")) == [
        "Welcome. For the desk, press 1.",
        "For the desk, press 1.",
        "You are next (en-US).",
        "We open on Monday at nine. Please leave a message.",
        "Please leave a message.",
    ]
    closed = said(found, at("2026-11-29 18:00"))
    assert "We open tomorrow at nine. Please leave a message." in closed
    assert "We open at nine. Please leave a message." in closed, "what is said after midnight"
    during = said(found, at("2026-11-27 10:00"), closing(at("2026-11-27 11:30")))
    assert {"Lines are down.", "We have a fire drill.", "We open at eleven thirty. Please leave a message."} <= {
        *during
    }


def test_what_a_caller_hears_was_always_listed_a_minute_before(tmp_path: Path) -> None:
    found = plan(tmp_path, PLAN % ("Hi.", "default"))
    start = datetime(2026, 11, 27, 21, 50, tzinfo=UTC).timestamp()
    for minute in range(0, 4 * 24 * 60, 7):
        now = datetime.fromtimestamp(start + minute * 60, UTC)
        before = datetime.fromtimestamp(start + minute * 60 - 60, UTC)
        if not found.hours["office"].is_open(now):
            assert prompt(found, "5105550200", now) in said(found, before)


def test_a_wav_is_no_line_to_render(tmp_path: Path) -> None:
    found = plan(tmp_path, PLAN % ("welcome.wav", "default"), welcome__wav=recording())
    assert not [text for text in said(found, at("2026-11-27 10:00")) if "wav" in text]
