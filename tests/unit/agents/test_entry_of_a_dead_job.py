"""An entry whose job dies in the middle: kept outside key by key, sealed where the route seals, and gone on with."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from livekit.agents.voice import AgentStateChangedEvent

from agents.definition import DigitField
from agents.keys.keying_on import PLACE
from agents.keys.keypad import AGAIN, NUMBER, PAUSE, Keyed, Keypad
from agents.words.lines import Say, line_of
from gateway.calls.acts.digits import Rules
from gateway.calls.sealed import Seal
from gateway.terms.call import Brief
from gateway.terms.event import Event, Kind, last_key
from gateway.terms.kept import Heard, Kept, after, kept_of
from gateway.terms.personal import Digits
from gateway.terms.sealed import HIDDEN, is_sealed
from tests.e2e.servers import until
from tests.unit.agents.runner_scene import BRIEF, CALL, SECRET, Scene, scene

OPEN = replace(BRIEF, sealed=False)
TICKET = DigitField("ticket_number", "ticket number", Rules(most=12))


@asynccontextmanager
async def next_job(
    monkeypatch: pytest.MonkeyPatch, brief: Brief, told: list[Event], missed: str = "", number: int = 0
) -> AsyncIterator[Scene]:
    """The job that comes after one which has told so much. `missed`: the keys that it is told before it talks, and the number of
    the first."""
    turns = [event for event in told if event.kind is Kind.TURN]
    kept = kept_of(turns, {event.kind: event for event in told if event.kind is not Kind.TURN})
    async with scene(monkeypatch, brief, kept=kept) as on:
        await on.press(missed, number)
        talking = asyncio.create_task(on.runner.converse())
        await asyncio.sleep(0)
        await on.settled()
        try:
            yield on
        finally:
            talking.cancel()
            await asyncio.wait({talking})


async def lost(monkeypatch: pytest.MonkeyPatch, brief: Brief, keys: str) -> list[Event]:
    """What a job has told of what it heard that dies after these keys."""
    async with scene(monkeypatch, brief) as on:
        await on.press(keys)
        await on.told(Kind.HEARD)
        return [event for event in on.store.told if event.kind is Kind.HEARD]


async def test_the_next_job_goes_on_after_the_keys_it_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    before = await lost(monkeypatch, OPEN, "41")
    assert [event.data["keys"] for event in before] == ["4", "41"], "each key is kept as it comes"
    async with next_job(monkeypatch, OPEN, before) as on:
        told = "So far I have 4 1. Please key in the rest of your ticket number, then press the hash key."
        assert told in [turn["text"] for turn in await on.told(Kind.TURN)]
        await on.press("72#")
        assert on.session.heard == ["[keypad] 4172"]
        assert (await on.told(Kind.HEARD))[-1]["keys"] == ""


async def test_sealed_keys_are_kept_sealed_and_only_counted_aloud(monkeypatch: pytest.MonkeyPatch) -> None:
    before = await lost(monkeypatch, BRIEF, "7391")
    assert len(before) == 4
    for event, keys in zip(before, ["7", "73", "739", "7391"], strict=True):
        assert is_sealed(event.data["keys"])
        assert Seal(SECRET).open(str(event.data["keys"]), CALL.id, PLACE) == Digits(keys)
    assert len({len(str(event.data["keys"])) for event in before}) == 1, "a seal doesn't tell how many"
    assert "7391" not in json.dumps([dict(event.data) for event in before])
    async with next_job(monkeypatch, BRIEF, before) as on:
        told = "I have the first 4 digits. Please key in the rest of your ticket number, then press the hash key."
        assert told in [turn["text"] for turn in await on.told(Kind.TURN)]
        await on.press("46#")
        (facts,) = await on.told(Kind.FACTS)
        assert Seal(SECRET).open(facts["fields"]["ticket_number"], CALL.id, "ticket_number") == Digits("739146")
        assert "739146" not in json.dumps([dict(event.data) for event in on.store.told])


async def test_a_job_that_dies_before_the_next_key_leaves_what_it_took_over(monkeypatch: pytest.MonkeyPatch) -> None:
    before = await lost(monkeypatch, OPEN, "41")
    async with next_job(monkeypatch, OPEN, before) as on:
        await on.told(Kind.HEARD)
        second = [event for event in on.store.told if event.kind is Kind.HEARD]
    assert second[-1].data["keys"] == "41"
    async with next_job(monkeypatch, OPEN, second) as on:
        await on.press("7#")
        assert on.session.heard == ["[keypad] 417"]


async def test_keys_that_come_before_the_caller_is_told_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    before = await lost(monkeypatch, OPEN, "41")
    kept = kept_of([], {Kind.HEARD: before[-1]})
    async with scene(monkeypatch, OPEN, kept=kept) as on:
        await on.press("2#")  # a 7 before it was heard by nobody
        assert on.session.heard == []
        assert on.runner._keying.entry.keys == "41"
    async with next_job(monkeypatch, OPEN, before, "2#") as on:
        assert on.session.heard == []
        assert on.runner._keying.entry.keys == "41"


SO_FAR = "So far I have {}. Please key in the rest of your ticket number, then press the hash key."


async def test_keys_of_which_none_is_lost_go_on_with_it_and_are_told_too(monkeypatch: pytest.MonkeyPatch) -> None:
    before = await lost(monkeypatch, OPEN, "41")
    async with next_job(monkeypatch, OPEN, before, "72", 3) as on:
        assert SO_FAR.format("4 1 7 2") in [turn["text"] for turn in await on.told(Kind.TURN)]
        assert last_key((await on.heard())[-1]) == 4
        await on.press("#", 5)
        assert on.session.heard == ["[keypad] 4172"]
        (turn,) = await on.keyed()
        assert last_key(turn) == 5


async def test_keys_that_come_until_it_is_heard_are_told_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    before = await lost(monkeypatch, OPEN, "41")
    async with scene(monkeypatch, OPEN, kept=kept_of([], {Kind.HEARD: before[-1]})) as on:
        spoken = on.session.hold()
        talking = asyncio.create_task(on.runner.converse())
        await until(lambda: spoken == [SO_FAR.format("4 1")], 5.0)
        on.runner.digit("7", 3)
        await until(lambda: spoken[1:] == [SO_FAR.format("4 1 7")], 5.0)
        on.runner.digit("9")  # one of which nobody can say what came before
        assert on.runner._keying.entry.keys == "417"
        on.session.emit("agent_state_changed", AgentStateChangedEvent(old_state="listening", new_state="speaking"))
        on.runner.digit("2", 4)
        await on.press("#", 5)
        assert on.session.heard == ["[keypad] 4172"]
        assert len(spoken) == 2
        talking.cancel()
        await asyncio.wait({talking})


async def test_an_entry_that_the_keys_of_the_gap_end_is_answered_and_nothing_asked_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = await lost(monkeypatch, OPEN, "41")
    async with next_job(monkeypatch, OPEN, before, "72#", 3) as on:
        assert on.session.heard == ["[keypad] 4172"]
        assert [turn["speaker"] for turn in await on.told(Kind.TURN)] == ["keypad"]
    async with next_job(monkeypatch, OPEN, before, "*", 3) as on:
        assert [turn["speaker"] for turn in await on.told(Kind.TURN)] == ["agent"], "who begins anew is asked anew"
        await on.press("98#", 4)
        assert on.session.heard == ["[keypad] 98"]


@pytest.mark.parametrize("brief", [OPEN, BRIEF], ids=["open", "sealed"])
async def test_wherever_its_job_dies_each_entry_is_told_once(monkeypatch: pytest.MonkeyPatch, brief: Brief) -> None:
    """A death: what the job has told up to some event is kept, nothing of it later."""
    keys, entries = "41#73#5*20#", ["41", "73", "20"]
    async with scene(monkeypatch, brief) as on:
        await on.press(keys, 1)
        await on.told(Kind.TURN)
        all_told = [event for event in on.store.told if event.kind in (Kind.TURN, Kind.HEARD, Kind.FACTS)]
    assert last_key(all_told[-1]) == len(keys)
    for count in range(1, len(all_told) + 1):
        told = all_told[:count]
        acted = max(last_key(event) for event in told)
        async with next_job(monkeypatch, brief, told, keys[acted:], acted + 1) as on:
            after = await on.keyed()
        whole = [str(event.data["text"]) for event in (*told, *after) if event.data.get("speaker") == "keypad"]
        assert whole == (entries if brief is OPEN else [HIDDEN] * len(entries)), f"after {count} events"


async def test_0_gets_a_person_though_its_job_dies_over_it(monkeypatch: pytest.MonkeyPatch) -> None:
    async with scene(monkeypatch, OPEN) as on:
        on.session.added("assistant", "What is wrong?")
        on.runner.digit("0", 1)
        await asyncio.sleep(0)
        told = [*await on.heard(), *await on.keyed()]
    assert [event.data["text"] for event in told if event.kind is Kind.TURN] == ["0"]
    async with next_job(monkeypatch, OPEN, told) as on:
        said = [turn["text"] for turn in await on.told(Kind.TURN)]
        assert said == [line_of(Say.WHICH_NUMBER, "en-US")], "as the caller's own number isn't known"
        assert not await on.keyed()


async def test_a_callback_is_booked_before_its_number_counts_as_keyed_in(monkeypatch: pytest.MonkeyPatch) -> None:
    async with scene(monkeypatch, OPEN) as on:
        on.session.added("assistant", "What is wrong?")
        await on.press("0", 1)
        await on.press("5105550142#", 2)
        await on.told(Kind.TURN)
        told = list(on.store.told)
    kinds = [event.kind for event in told if event.kind is Kind.CALLBACK or last_key(event) == 12]
    assert kinds[:2] == [Kind.CALLBACK, Kind.TURN]


async def test_a_star_begins_anew_and_silences_the_agent(monkeypatch: pytest.MonkeyPatch) -> None:
    before = await lost(monkeypatch, OPEN, "41")
    async with next_job(monkeypatch, OPEN, before) as on:
        await on.press("*")
        assert on.session.interrupted == 1
        await on.press("98#")
        assert on.session.heard == ["[keypad] 98"]


async def test_who_says_something_instead_isnt_held_to_the_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    before = await lost(monkeypatch, OPEN, "41")
    async with next_job(monkeypatch, OPEN, before) as on:
        on.session.added("user", "I can't find it.")
        assert not on.runner._keying.begun
        assert (await on.told(Kind.HEARD))[-1]["keys"] == ""


async def test_a_number_to_be_called_back_on_goes_on_too(monkeypatch: pytest.MonkeyPatch) -> None:
    async with scene(monkeypatch, OPEN) as on:
        on.session.added("assistant", "What is wrong?")
        await on.press("0")
        await on.press("510555")
        await on.told(Kind.HEARD)
        before = [event for event in on.store.told if event.kind is Kind.HEARD]
    async with next_job(monkeypatch, OPEN, before) as on:
        await on.press("0142#")
        assert [one["number"] for one in await on.told(Kind.CALLBACK)] == ["+15105550142"]


async def test_a_seal_of_another_secret_is_asked_for_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    sealed = Seal("another").close(Digits("41"), CALL.id, PLACE)
    heard = Event(CALL.id, Kind.HEARD, 1.0, {"keys": sealed, "keyed_for": "ticket_number"})
    async with next_job(monkeypatch, BRIEF, [heard]) as on:
        assert not on.runner._keying.begun


def test_who_dials_again_isnt_held_to_half_an_entry() -> None:
    heard = Heard(keys="41", keyed_for="ticket_number")
    assert after([Kept(heard=heard)], Kept()).heard.keys == ""
    assert "41" not in repr(heard)


ASKED = st.sampled_from([None, TICKET, NUMBER])


@given(st.text("0123456789*", min_size=1, max_size=20), st.data(), ASKED)
def test_wherever_its_job_dies_an_entry_is_what_it_would_have_been(
    keys: str, data: st.DataObject, asked: DigitField | None
) -> None:
    """Each job after the first begins with what was kept: the keys and what they are for."""
    deaths = data.draw(st.sets(st.integers(1, len(keys)), max_size=4))
    whole, broken = Keypad(), Keypad()
    ends: list[Keyed | None] = []
    for number, key in enumerate(f"{keys}#"):
        if number in deaths and broken.keys:
            broken = Keypad(broken.keys, asked=broken.asked).waiting(50.0)
            assert broken.due(50.0 + PAUSE) == (broken, None), "whoever was told to go on has more time"
            assert broken.due(50.0 + AGAIN)[1] == Keyed(Digits(broken.keys), broken.asked)
        whole, one = whole.press(key, 1.0, asked)
        broken, other = broken.press(key, 60.0, asked)
        assert one == other
        ends.append(one)
    assert whole.keys == broken.keys == ""
