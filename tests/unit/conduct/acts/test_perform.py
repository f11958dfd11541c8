"""The performance of an act: what a machine says is done in order, kept before it is done, and taken up by the next."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest

from gateway.calls.acts.cues import (
    Begun,
    Booked,
    Event,
    Heard,
    Kept,
    Key,
    LegAnswered,
    LegKey,
    LegLeft,
)
from gateway.calls.acts.deeds import (
    Book,
    Connect,
    Consulted,
    Drop,
    Effect,
    Enter,
    Exit,
    Finish,
    Hush,
    KeepRecording,
    Say,
)
from gateway.calls.hearing import (
    ATTENDED,
    CALLER,
    JOB,
    Matrix,
    consults,
    hears,
)
from gateway.conduct.acts import perform
from gateway.conduct.acts.keeping import KEEP_WITHIN
from gateway.conduct.acts.perform import Performance
from gateway.errors import Unavailable
from gateway.terms.act import Act, Because, Choose, Dismiss, Onward, Over, Record, Ring, Wait
from gateway.terms.event import Kind
from gateway.terms.handoff import Tried
from tests.e2e.servers import until
from tests.unit.conduct.acts.world import ANA, DIALED, DONE, HANDOFF, Scripted, There, World, machine, run


async def test_a_step_is_kept_before_it_is_done_and_in_the_machines_order() -> None:
    world = World()
    made = machine((Begun, (Hush(), Say("Press 1."))), (Key, (Finish(Onward(Because.KEY, "1")),)))
    found = await run(world, world.part(Choose("", "1"), made, notice="We move."), Key("1"), Key("1"))
    assert found == Onward(Because.KEY, "1")
    assert world.done[:2] == [ATTENDED, ("say", "We move.")]
    assert "kept" in world.done
    kept = [seen for seen, _ in world.kept]
    assert kept == [("Begun",), ("Begun", "Key")], "a key that came before the machine began is told it all the same"


async def test_silence_comes_before_its_step_was_kept_and_once() -> None:
    world = World()
    made = machine((Begun, (Say("Press 1."),)), (Key, (Hush(), DONE)))
    await run(world, world.part(Choose("", "1"), made), Key("1"))
    assert world.done.count("hush") == 1
    assert world.done.index("hush") < len(world.done) - 1 - world.done[::-1].index("kept")
    assert [seen for seen, _ in world.kept][-1] == ("Begun", "Key")


async def test_the_words_come_after_their_step_was_kept() -> None:
    world = World()
    made = machine((Begun, (Say("Press 1."), DONE)))
    await run(world, world.part(Choose("", "1"), made))
    assert world.done.index("kept") < world.done.index(("say", "Press 1."))
    assert world.done[-1] == "closed"


@pytest.mark.parametrize(
    ("act", "matrix"),
    [
        (Choose("", "1", person=False), hears(CALLER, JOB)),
        (Choose("", "1", speech=True), ATTENDED),
        (Choose("", "1", person=True), ATTENDED),
        (Record("Speak."), ATTENDED),
        (Wait("crew"), hears(CALLER, JOB)),
        (Dismiss("x"), hears(CALLER, JOB)),
    ],
)
async def test_the_job_hears_the_caller_only_where_it_listens(act: Act, matrix: Matrix) -> None:
    world = World()
    await run(world, world.part(act, machine((Begun, (DONE,)))))
    assert world.done[0] == matrix


async def test_a_slow_store_does_not_make_the_caller_wait_and_the_newest_step_is_kept_last() -> None:
    world = World(slow=True)
    keys = 6
    made = machine((Begun, (Say("one"),)), (Key, (Say("key"),)), (Heard, (DONE,)))
    performance = Performance(world.part(Choose("", "1"), made), world.tools())
    for event in (*[Key("1")] * keys, Heard()):
        performance.happened(event)
    started = time.monotonic()
    task = asyncio.create_task(performance.run())
    await until(lambda: world.done.count(("say", "key")) == keys, 10)
    slow = 10 * KEEP_WITHIN
    assert time.monotonic() - started < (keys + 2) * slow / 2, "each step waits a moment, not for those before"
    async with asyncio.timeout(10):
        await task
    assert len(world.kept[-1][0]) == keys + 2, "all that happened is in what was kept last"
    assert len(world.kept) < keys, "a step that a newer one has outdone needn't be kept"


async def test_a_store_that_is_down_stops_nobody() -> None:
    world = World(down=True)
    made = machine((Begun, (DIALED,)), (LegAnswered, (Connect("1"), DONE)))
    await run(world, world.part(Wait("crew"), made), LegAnswered("1"))
    assert Connect("1") in world.done


async def test_the_deadline_is_told() -> None:
    world = World()
    assert await run(world, world.part(Choose("", "1"), machine(due_at=1.0))) == Over("done")


async def test_a_leg_that_is_connected_is_kept_as_the_one_who_talks() -> None:
    world = World()
    made = machine((Begun, (DIALED,)), (LegAnswered, (Connect("1"),)), (LegLeft, (DONE,)))
    await run(world, world.part(Ring(ANA), made), LegAnswered("1"), LegLeft("1"))
    assert [bridged for _, bridged in world.kept][-1] == "1"


async def test_who_was_cut_off_talks_with_nobody_for_the_job_that_goes_on() -> None:
    world = World()
    made = machine(
        (Begun, (DIALED,)), (LegAnswered, (Connect("1"),)), (LegLeft, (Drop("1"), Consulted("1", Tried.CUT_OFF))), (Key, (DONE,))
    )  # fmt: skip
    alarms: list[tuple[str, str]] = []
    part = replace(world.part(HANDOFF, made), cut_off=lambda *about: alarms.append(about))
    await run(world, part, LegAnswered("1"), LegLeft("1"), Key("1"))
    assert [bridged for _, bridged in world.kept][-2:] == ["", ""]
    assert world.done.count(consults(())) == 2, "the caller hears us again"
    assert [leg for leg, _ in alarms] == ["1"]


async def test_what_came_of_a_key_is_kept_with_its_number_also_where_that_is_nothing() -> None:
    world = World()
    made = Deaf(((Begun, (Say("Press 1."),)), (Heard, (DONE,))))
    part = replace(world.part(Choose("", "1"), made), last_key=3)
    await run(world, part, Key("1", number=4), Key("2"), LegKey("ana", "1"), Key("1", number=5), Heard())
    assert [seen[-1] for seen, _ in world.kept] == ["Begun", "Begun", "Begun", "Heard"]
    assert world.last_keys == [3, 4, 5, 5], "a key without a number changes nothing, nor does another's"


@dataclass(frozen=True)
class Deaf(Scripted):
    """One that minds no keys."""

    def on(self, event: Event, now: float) -> tuple[Scripted, tuple[Effect, ...]]:
        return (self, ()) if isinstance(event, Key | LegKey) else super().on(event, now)


async def test_who_is_hung_up_on_at_the_end_has_talked() -> None:
    world = World()
    made = machine((Begun, (DIALED,)), (LegAnswered, (Connect("1"),)), (LegLeft, (Drop("1"), DONE)))
    await run(world, world.part(HANDOFF, made), LegAnswered("1"), LegLeft("2"))
    assert [bridged for _, bridged in world.kept][-1] == "1", "as the record's end tells"


async def test_who_answers_as_the_caller_hangs_up_is_hung_up_on_too() -> None:
    """Nobody else would, before control has closed the room."""
    world = World()
    performance = Performance(world.part(Wait("crew"), machine((Begun, (DIALED,)))), world.tools())
    running = asyncio.create_task(performance.run())
    await until(lambda: DIALED in world.done, 5.0)
    world.there = [There("1", True)]
    assert not performance.gone()
    assert Drop("1") in world.done
    running.cancel()
    await asyncio.wait({running})


async def test_a_callback_is_booked_and_the_machine_hears_of_it() -> None:
    world = World()
    made = machine((Begun, (Book("+15105550123", "why"),)), (Booked, (DONE,)))
    await run(world, world.part(Dismiss("x"), made))
    assert Book("+15105550123", "why") in world.done


@pytest.mark.parametrize(
    ("answer", "kept"),
    [
        (True, Kept(True)),
        (False, Kept(True, there=False)),
        (Unavailable("The disk is full."), Kept(False)),
        (None, Kept(False)),
    ],
)
async def test_a_machine_hears_whether_a_message_is_kept(
    answer: bool | Unavailable | None, kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Recording(World):
        async def keep(self, name: str, because: str, team: str, notify: Sequence[str]) -> bool:
            self.done.append((name, because, team, notify))
            if answer is None:
                await asyncio.Event().wait()
            if not isinstance(answer, bool):
                raise answer or AssertionError
            return answer

    monkeypatch.setattr("gateway.conduct.acts.perform.MESSAGE_WITHIN", 0.05)
    heard: list[Event] = []

    @dataclass(frozen=True)
    class Listening(Scripted):
        def on(self, event: Event, now: float) -> tuple[Scripted, tuple[Effect, ...]]:
            heard.append(event)
            return super().on(event, now)

    world, made = Recording(), Listening(((Begun, (KeepRecording("1"),)), (Kept, (DONE,))))
    await run(world, world.part(Record("Speak.", because="closed", team="crew", notify=("mailto:a@b.cd",)), made))
    assert ("1", "closed", "crew", ("mailto:a@b.cd",)) in world.done
    assert heard == [Begun(), kept]


async def test_a_caller_who_leaves_ends_it_and_the_tools_are_closed() -> None:
    world = World()
    performance = Performance(world.part(Wait("crew"), machine()), world.tools())
    task = asyncio.create_task(performance.run())
    await asyncio.wait({task}, timeout=0.05)
    performance.leave()
    task.cancel()
    await asyncio.wait({task})
    assert world.done[-1] == "closed"
    assert "leave" in world.done


async def test_the_line_is_told_to_the_record() -> None:
    class Lined(World):
        def enter(self, enter: Enter) -> None:
            self.done.append(enter)

        def exit(self, team: str) -> None:
            self.done.append(Exit(team))

    world = Lined()
    made = machine((Begun, (Enter("crew", 1.0),)), (Heard, (Exit("crew"), DONE)))
    await run(world, world.part(Wait("crew"), made), Heard())
    told = [one for one in world.done if isinstance(one, tuple) and one[0] is Kind.WAITING]
    assert [(kind, data) for kind, data, _ in told] == [
        (Kind.WAITING, {"team": "crew", "event": "entered"}),
        (Kind.WAITING, {"team": "crew", "event": "left", "why": ""}),
    ]
    assert told[0][2] == 1.0, "since when the caller waits, whichever job tells it"


async def test_what_came_of_a_leg_is_one_in_the_record_whichever_job_tells_it() -> None:
    """A job that goes on tells it again: the one before may have died first."""
    told = []
    for _ in range(2):
        world = World()
        made = machine((LegKey, (Consulted("1", Tried.TAKEN), Consulted("2", Tried.BEATEN), DONE)))
        await run(world, world.part(HANDOFF, made), LegKey("1", "1"))
        told.append([one[3] for one in world.done if isinstance(one, tuple) and one[0] is Kind.HANDOFF])
    assert told[0] == told[1] == ["1 taken", "2 beaten"]


async def test_nobody_looks_for_answers_to_cards_while_none_can_come(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    made = machine((LegKey, (Connect("1"),)), (LegLeft, (DONE,)))
    monkeypatch.setattr(perform, "may_say_elsewhere", lambda machine: machine.seen[-1] != "LegKey")
    await run(world, world.part(HANDOFF, made), LegAnswered("1"), LegKey("1", "1"), LegLeft("1"))
    assert world.done.count("expects nothing") == 1
    assert world.done.index("expects nothing") < world.done.index(Connect("1"))
