"""Tests of the machine of a menu: its table, and that it always ends."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.calls.acts.cues import Begun, Event, Heard, Key, LegLeft, NoCalls, Resumed, Spoke, Unsaid, WantsPerson
from gateway.calls.acts.deeds import Effect, Finish, Hush, Say
from gateway.calls.acts.menu import BURST, Menu
from gateway.calls.words import word
from gateway.calls.words.menu import MenuWord
from gateway.terms.act import Because, Choose, Onward
from gateway.terms.spoken import LONGEST_SOUND, said_within

ACT = Choose("For sales press 1.", "12*", speech=True, wait=8.0, tries=2)
PROMPT = Say(ACT.say)
WRONG, KEYS_ONLY = Say(word(MenuWord.WRONG_KEY, "en")), Say(word(MenuWord.KEYS_ONLY, "en"))
NOTED, FAILED = Say(word(MenuWord.NO_CALLS, "en")), Say(word(MenuWord.NO_CALLS_FAILED, "en"))


def asked(act: Choose = ACT, *, heard: bool = False) -> Menu:
    menu, effects = Menu.start(act, "en-US").on(Begun(), 100.0)
    assert effects == (Say(act.say),)
    return menu.on(Heard(), 105.0)[0] if heard else menu


def ends(because: Because, key: str = "") -> tuple[Effect, ...]:
    return (Hush(), Finish(Onward(because, key)))


@pytest.mark.parametrize("heard", [False, True], ids=["while the prompt plays", "after it"])
@pytest.mark.parametrize(
    ("act", "event", "effects"),
    [
        (ACT, Key("2"), ends(Because.KEY, "2")),
        (ACT, Key("*"), ends(Because.KEY, "*")),
        (ACT, Key("0"), ends(Because.HUMAN)),
        (Choose("?", "01", person=True), Key("0"), ends(Because.KEY, "0")),
        (Choose("?", "01", person=False), Key("0"), ends(Because.KEY, "0")),
        (Choose("?", "12", person=False), Key("0"), (Hush(), WRONG, Say("?"))),
        (ACT, Key("7"), (Hush(), WRONG, PROMPT)),
        (ACT, Key("#"), (Hush(), WRONG, PROMPT)),
        (ACT, Spoke(), ends(Because.SPEECH)),
        (Choose("?", "12", speech=False), Spoke(), (Hush(), KEYS_ONLY, Say("?"))),
        (Choose("?", "12"), WantsPerson(), ends(Because.HUMAN)),
        (Choose("?", "01"), WantsPerson(), ends(Because.HUMAN)),
        (Choose("?", "12", person=False), WantsPerson(), ()),
        (ACT, NoCalls(True), (Hush(), NOTED, PROMPT)),
        (ACT, NoCalls(False), (Hush(), FAILED, PROMPT)),
        (ACT, LegLeft("x"), ()),
    ],
)
def test_the_table(act: Choose, event: Event, effects: tuple[Effect, ...], heard: bool) -> None:
    assert asked(act, heard=heard).on(event, 106.0)[1] == effects


def test_a_menu_that_cant_be_said_leads_on_at_once() -> None:
    assert asked().on(Unsaid(), 101.0)[1] == ends(Because.DEAD_AIR)
    assert asked(heard=True).on(Unsaid(), 106.0)[1] == (), "the prompt was heard"


def test_silence_brings_the_prompt_again_and_ends_after_the_last_try() -> None:
    menu = asked(heard=True)
    assert menu.deadline == 105.0 + ACT.wait
    assert menu.due(112.9) == (menu, ())
    menu, effects = menu.due(113.0)
    assert effects == (PROMPT,)
    menu, _ = menu.on(Heard(), 118.0)
    assert menu.due(126.0)[1] == ends(Because.SILENCE)


def test_wrong_keys_and_silence_share_the_tries() -> None:
    menu, _ = asked().on(Key("9"), 101.0)
    assert menu.on(Key("9"), 101.0 + BURST)[1] == ends(Because.SILENCE)


def test_wrong_keys_in_quick_succession_are_one_slip_and_a_right_one_among_them_counts() -> None:
    """Who dials an extension at a menu that has none hears what there is to choose, and isn't sent on unheard."""
    menu, effects = asked().on(Key("9"), 101.0)
    assert effects == (Hush(), WRONG, PROMPT)
    for number in range(1, 10):
        menu, effects = menu.on(Key("9"), 101.0 + number * 0.2)
        assert effects == ()
    assert menu.tried == 1
    assert menu.on(Key("2"), 103.0)[1] == ends(Because.KEY, "2")
    assert menu.on(Key("0"), 103.0)[1] == ends(Because.HUMAN)
    assert menu.due(menu.deadline)[0].due(1e9)[1] == ends(Because.SILENCE), "who goes on for ever isn't kept"


def test_who_wants_no_more_calls_is_told_and_no_try_is_lost() -> None:
    menu, _ = asked().on(Key("9"), 101.0)
    again, _ = menu.on(NoCalls(True), 110.0)
    assert again.tried == 1
    assert again.deadline == 110.0 + said_within(word(MenuWord.NO_CALLS, "en")) + said_within(ACT.say)
    assert again.on(Key("1"), 111.0)[1] == ends(Because.KEY, "1")


def test_a_prompt_whose_end_is_never_told_counts_as_heard() -> None:
    menu = asked()
    assert menu.deadline == 100.0 + said_within(ACT.say)
    menu, effects = menu.due(menu.deadline)
    assert effects == ()
    assert menu.deadline == 100.0 + said_within(ACT.say) + ACT.wait


def test_another_job_says_the_prompt_again_and_no_try_is_lost() -> None:
    menu, _ = asked().on(Key("9"), 101.0)
    again, effects = menu.on(Resumed(), 110.0)
    assert effects == (PROMPT,)
    assert again.tried == 1
    assert again.on(Key("1"), 111.0)[1] == ends(Because.KEY, "1")


def test_another_job_greets_nobody_again() -> None:
    say, again = "A notice.\nWelcome to Acme. For Ana, press 1.", "For Ana, press 1."
    menu = Menu.start(replace(ACT, say=say), "en-US")
    began, effects = menu.on(Begun(), 0.0)
    assert effects == (Say(say),)
    resumed, effects = began.on(Resumed(), 1.0)
    assert effects == (Say(again),)
    assert resumed.deadline == 1.0 + said_within(again)
    heard, _ = resumed.on(Heard(), 2.0)
    assert heard.due(heard.deadline)[1] == (Say(say),), "who is silent hears it all"


def test_a_job_that_resumes_an_ended_menu_is_told_its_outcome_again() -> None:
    over, _ = asked().on(Key("2"), 101.0)
    assert over.on(Resumed(), 102.0) == (over, (Finish(Onward(Because.KEY, "2")),))
    assert over.on(Key("1"), 102.0) == (over, ())
    assert over.due(1e9) == (over, ())


KEYS = st.sampled_from("0123456789*#ABCD").map(Key)
EVENTS = st.one_of(
    KEYS, st.sampled_from([Spoke(), WantsPerson(), Heard(), Unsaid(), LegLeft("x"), Resumed()]), st.none()
)
ACTS = st.builds(
    Choose,
    say=st.just("Choose."),
    keys=st.lists(st.sampled_from("0123456789*#"), unique=True, max_size=12).map("".join),
    speech=st.booleans(),
    wait=st.floats(0.5, 30),
    tries=st.integers(0, 5),
    person=st.booleans(),
)


def test_a_wav_of_the_longest_is_played_to_its_end() -> None:
    menu, _ = Menu.start(Choose(f"wav:{'0' * 64}", "1"), "en-US").on(Begun(), 100.0)
    assert menu.due(100.0 + LONGEST_SOUND) == (menu, ()), "it plays on"


@given(ACTS, st.lists(st.tuples(EVENTS, st.floats(0, 40)), max_size=40))
def test_it_ends_once_in_time_and_from_every_checkpoint(act: Choose, script: list[tuple[Event | None, float]]) -> None:
    now = 1_000.0
    menu, effects = Menu.start(act, "en-US").on(Begun(), now)
    finishes, last = [one for one in effects if isinstance(one, Finish)], effects
    prompts = max(1, act.tries) + sum(isinstance(event, Resumed) for event, _ in script)
    limit = now + prompts * (said_within(act.say) + act.wait)
    for event, seconds in [*script, *[(None, 1e6)] * 20]:
        for _ in range(2 * prompts + 3):  # all that is due until then
            if menu.deadline > now + seconds:
                break
            at = menu.deadline
            assert at <= limit + 1e-6, "it hangs"
            menu, last = menu.due(at)
            finishes += [one for one in last if isinstance(one, Finish)]
        now += seconds if seconds < 1e6 else 0
        if event is not None and not (finishes and isinstance(event, Resumed)):
            menu, last = menu.on(event, now)
            finishes += [one for one in last if isinstance(one, Finish)]
        assert Menu(**json.loads(json.dumps(asdict(menu), allow_nan=False))) == menu
        for one in last:
            assert isinstance(one, Say | Hush | Finish)
    assert len(finishes) == 1
    outcome = finishes[0].outcome
    assert isinstance(outcome, Onward)
    assert (outcome.because is Because.KEY) == bool(outcome.key)
    assert outcome.key == "" or outcome.key in act.keys
    asked_for_one = any(isinstance(event, WantsPerson) for event, _ in script)
    assert outcome.because is not Because.HUMAN or (act.person and ("0" not in act.keys or asked_for_one))
    assert outcome.because is not Because.SPEECH or act.speech
    assert menu.deadline == float("inf")
