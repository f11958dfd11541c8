"""Tests of the collector of digits: its table, a model of it, and that it always ends."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from gateway.calls.acts.cues import Begun, Event, Heard, Key, Resumed, Spoke
from gateway.calls.acts.deeds import Hush, Say
from gateway.calls.acts.digits import (
    CLEARS,
    Collector,
    Failure,
    Fault,
    Gathered,
    Missed,
    Rules,
    Step,
    luhn,
)
from gateway.calls.words import word
from gateway.calls.words.menu import MenuWord
from gateway.errors import OurFault
from gateway.terms.personal import Digits
from gateway.terms.spoken import said_within

PROMPT = Say("Your account number, please.")


FOUR = Rules(4, 4)


def begun(rules: Rules = FOUR, **more: object) -> Collector:
    collector, steps = Collector(PROMPT.text, "en-US", rules, **more).on(Begun(), 100.0)  # type: ignore[arg-type]
    assert steps == (PROMPT,)
    return collector


def press(collector: Collector, keys: str, now: float = 101.0) -> tuple[Collector, tuple[Step, ...]]:
    steps: list[Step] = []
    for key in keys:
        collector, more = collector.on(Key(key), now)
        steps += more
    return collector, tuple(steps)


def told(which: MenuWord) -> tuple[Step, ...]:
    return (Hush(), Say(word(which, "en")), PROMPT)


def test_the_first_digit_silences_the_prompt_and_the_last_ends_the_entry_at_once() -> None:
    collector, steps = begun().on(Key("4"), 101.0)
    assert steps == (Hush(),)
    collector, steps = press(collector, "172")
    assert steps == (Hush(), Gathered(Digits("4172")))
    assert collector.deadline == float("inf")


@pytest.mark.parametrize(
    ("rules", "keys", "steps"),
    [
        (Rules(2, 8), "417#", (Gathered(Digits("417")),)),
        (Rules(2, 8), "4#", told(MenuWord.TOO_SHORT)[1:]),
        (Rules(2, 8), "#", told(MenuWord.NO_DIGITS)[1:]),
        (Rules(1, 2, lowest=10, highest=31), "32", told(MenuWord.NOT_VALID)[1:]),
        (Rules(1, 2, lowest=10, highest=31), "9#", told(MenuWord.NOT_VALID)[1:]),
        (Rules(1, 2, lowest=10, highest=31), "31", (Gathered(Digits("31")),)),
        (Rules(16, 16, luhn=True), "4111111111111111", (Gathered(Digits("4111111111111111")),)),
        (Rules(16, 16, luhn=True), "4111111111111112", told(MenuWord.NOT_VALID)[1:]),
        (Rules(4, 4), "41*4172", (Gathered(Digits("4172")),)),
        (Rules(4, 4), "4A1B72", (Gathered(Digits("4172")),)),
    ],
)
def test_an_entry(rules: Rules, keys: str, steps: tuple[Step, ...]) -> None:
    heard, _ = begun(rules).on(Heard(), 101.0)
    assert press(heard, keys)[1][-len(steps) :] == steps
    assert heard.deadline == 101.0 + heard.first


def test_a_pause_ends_an_entry() -> None:
    collector, _ = press(begun(Rules(2, 8)), "417", 103.0)
    assert collector.due(103.0 + collector.between - 0.01) == (collector, ())
    assert collector.due(103.0 + collector.between)[1] == (Hush(), Gathered(Digits("417")))


def test_silence_asks_again_until_the_tries_are_used_up() -> None:
    collector = begun(tries=2)
    collector, _ = collector.on(Heard(), 103.0)
    collector, steps = collector.due(103.0 + collector.first)
    assert steps == (PROMPT,)
    collector, _ = collector.on(Heard(), 115.0)
    assert collector.due(200.0)[1] == (Hush(), Missed(Failure.SILENCE))


def test_wrong_entries_use_up_the_tries() -> None:
    collector, steps = press(begun(Rules(2, 2, lowest=50), tries=2), "1112")
    assert steps[-1] == Missed(Failure.WRONG)
    assert collector.keys == "", "nothing of it is left"


def test_speech_interrupts_where_it_leads_somewhere_and_nothing_is_keyed_in() -> None:
    assert begun(speech=True).on(Spoke(), 101.0)[1] == (Hush(), Missed(Failure.SPEECH))
    assert begun().on(Spoke(), 101.0) == (begun(), ())
    entering, _ = press(begun(speech=True), "41")
    assert entering.on(Spoke(), 102.0) == (entering, ())


def test_clearing_for_ever_uses_a_try_up() -> None:
    collector, steps = press(begun(tries=1), "1*" * CLEARS)
    assert steps == (Hush(),)
    assert press(collector, "*")[1] == (Hush(), Missed(Failure.WRONG))
    assert press(begun(tries=2), "1*" * CLEARS + "*")[1][-2:] == (Say(word(MenuWord.BEGIN_ANEW, "en")), PROMPT)


def kept(collector: Collector) -> Collector:
    """As another job finds it in the call's checkpoint."""
    adapter = TypeAdapter(Collector)
    return adapter.validate_json(adapter.dump_json(collector))


def test_another_job_goes_on_in_the_middle_of_an_entry() -> None:
    entering, _ = press(begun(), "41")
    restored = kept(entering)
    resumed, steps = restored.on(Resumed(), 110.0)
    told = word(MenuWord.FIRST_DIGITS, "en-US", count=2)
    assert steps == (Say(told),), "of those that came since, nobody knows"
    assert press(resumed, "72")[1][-1] == Gathered(Digits("4172"))
    waiting, _ = resumed.on(Heard(), 115.0)
    assert waiting.deadline == 115.0 + waiting.first
    assert press(waiting, "*9811")[1][-1] == Gathered(Digits("9811"))
    assert begun().on(Resumed(), 110.0)[1] == (PROMPT,)
    over, _ = press(resumed, "72")
    assert over.on(Resumed(), 111.0)[1] == (Gathered(Digits("4172")),)


def test_digits_that_came_while_no_job_listened_count_and_are_told_with_the_others() -> None:
    resumed, _ = kept(press(begun(), "4")[0]).on(Resumed(), 110.0)
    resumed, steps = resumed.on(Key("1", missed=True), 110.1)
    assert steps == (Hush(), Say(word(MenuWord.FIRST_DIGITS, "en-US", count=2)))
    assert press(resumed, "72")[1][-1] == Gathered(Digits("4172"))
    last, _ = resumed.on(Key("7", missed=True), 110.2)
    assert last.on(Key("2", missed=True), 110.3)[1][-1] == Gathered(Digits("4172")), "the last ends it"
    nothing, _ = begun().on(Resumed(), 110.0)
    assert nothing.on(Key("4", missed=True), 110.1)[1] == (Hush(),), "who has begun in the gap needs no telling"


def test_nothing_shows_the_digits() -> None:
    entering, _ = press(begun(), "417")
    over, steps = press(entering, "2")
    assert "417" not in f"{entering} {entering!r} {over!r} {steps}"


@pytest.mark.parametrize("bad", [(0, 4), (5, 4)])
def test_lengths_that_cant_be_are_refused(bad: tuple[int, int]) -> None:
    with pytest.raises(OurFault):
        Rules(*bad)
    with pytest.raises(OurFault):
        Rules(lowest=2, highest=1)


@given(st.text("0123456789", min_size=1, max_size=18), st.data())
def test_luhn_finds_every_single_wrong_digit(digits: str, data: st.DataObject) -> None:
    whole = next(digits + check for check in "0123456789" if luhn(digits + check))
    place = data.draw(st.integers(0, len(whole) - 1))
    other = data.draw(st.sampled_from([digit for digit in "0123456789" if digit != whole[place]]))
    assert not luhn(whole[:place] + other + whole[place + 1 :])


RULES = st.tuples(st.integers(1, 6), st.integers(0, 6), st.booleans(), st.integers(0, 40)).map(
    lambda one: Rules(one[0], one[0] + one[1], luhn=one[2], lowest=one[3] if one[3] < 20 else None)
)


def reference(rules: Rules, keys: str) -> str | None:
    """The digits that the keys make in one try, written as a sentence would: after the last *, up to # or the most."""
    digits = ""
    for key in keys:
        if key == "*":
            digits = ""
        elif key == "#":
            break
        else:
            digits += key
            if len(digits) == rules.most:
                break
    return digits if rules.fault(digits) is None else None


@given(RULES, st.text("0123456789*#", max_size=20))
def test_one_try_gathers_what_the_model_does(rules: Rules, keys: str) -> None:
    if keys.count("*") > CLEARS:
        return
    collector, steps = press(begun(rules, tries=1), keys)
    if not any(isinstance(one, Gathered | Missed) for one in steps):
        collector, _ = collector.on(Heard(), 102.0)
        _, steps = collector.due(collector.deadline)
    outcome = steps[-1]
    expected = reference(rules, keys)
    assert outcome == (Gathered(Digits(expected)) if expected is not None else outcome)
    assert isinstance(outcome, Gathered) == (expected is not None)


EVENTS = st.one_of(
    st.builds(Key, st.sampled_from("0123456789*#AB"), st.booleans()),
    st.just(Spoke()),
    st.just(Heard()),
    st.just(Resumed()),
    st.none(),
)


@given(RULES, st.integers(1, 4), st.booleans(), st.lists(st.tuples(EVENTS, st.floats(0, 20)), max_size=60))
def test_it_ends_once_in_time_and_from_every_checkpoint(
    rules: Rules, tries: int, speech: bool, script: list[tuple[Event | None, float]]
) -> None:
    collector, _ = Collector(PROMPT.text, "en-US", rules, tries=tries, speech=speech).on(Begun(), 0.0)
    resumed = word(MenuWord.FIRST_DIGITS, "en-US", count=rules.most)
    longest = max(said_within(text) for text in (collector.say, resumed))
    per_prompt = longest + (CLEARS + 1) * (collector.first + rules.most * collector.between)
    told_again = sum(isinstance(event, Resumed) or (isinstance(event, Key) and event.missed) for event, _ in script)
    limit = per_prompt * (tries + told_again)
    now, outcomes = 0.0, []
    for event, seconds in [*script, *[(None, 1e6)] * 30]:
        while collector.deadline <= now + seconds:
            assert collector.deadline <= limit + 1e-6, "it hangs"
            collector, steps = collector.due(collector.deadline)
            outcomes += [one for one in steps if isinstance(one, Gathered | Missed)]
        now += seconds if seconds < 1e6 else 0
        if event is not None and not (outcomes and isinstance(event, Resumed)):
            collector, steps = collector.on(event, now)
            outcomes += [one for one in steps if isinstance(one, Gathered | Missed)]
        assert kept(collector) == collector
    assert len(outcomes) == 1
    if isinstance(outcomes[0], Gathered):
        assert rules.fault(outcomes[0].digits.reveal()) is None


def test_every_fault_has_its_words() -> None:
    assert [Rules(2).fault(keys) for keys in ("", "1", "12")] == [Fault.NONE, Fault.SHORT, None]
