"""The performance of an act: what a machine says is done in order, kept before it is done, and taken up by the next."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from gateway.calls.acts.cues import (
    Begun,
    Booked,
    Event,
    Gone,
    Heard,
    Kept,
    Key,
    LegAnswered,
    LegHeard,
    LegKey,
    LegLeft,
    NoCalls,
    Resumed,
)
from gateway.calls.acts.deeds import (
    Announce,
    Book,
    Card,
    Connect,
    Consulted,
    Dial,
    Drop,
    Effect,
    Enter,
    Exit,
    Finish,
    Hush,
    KeepRecording,
    Listen,
    NeverCall,
    Ready,
    Release,
    Remember,
    Say,
    Whisper,
)
from gateway.calls.acts.machine import Machine
from gateway.calls.hearing import (
    ATTENDED,
    CALLER,
    JOB,
    Matrix,
    Party,
    announced,
    bridge,
    consults,
    hears,
    leg,
    track,
    whispering,
)
from gateway.conduct.acts import perform
from gateway.conduct.acts.keeping import KEEP_WITHIN
from gateway.conduct.acts.perform import Part, Performance
from gateway.conduct.acts.tools import Tools
from gateway.errors import Unavailable
from gateway.terms.act import Act, Because, Callee, Choose, Dismiss, Handoff, Onward, Over, Recall, Record, Ring, Wait
from gateway.terms.call import Left
from gateway.terms.event import Kind
from gateway.terms.handoff import Tried
from gateway.terms.hold import SILENT
from tests.e2e.servers import until

ANA = Callee("ana", "+15105550111")
DONE = Finish(Over("done"))
DIALED = Dial("1", ANA, 9.0)


@dataclass(frozen=True)
class Scripted:
    """A machine that answers each event with the effects written for it, and remembers what it was told."""

    answers: tuple[tuple[type, tuple[Effect, ...]], ...]
    due_at: float = float("inf")
    seen: tuple[str, ...] = ()

    @property
    def deadline(self) -> float:
        return self.due_at

    def on(self, event: Event, now: float) -> tuple[Scripted, tuple[Effect, ...]]:
        found = next((effects for kind, effects in self.answers if isinstance(event, kind)), ())
        return replace(self, seen=(*self.seen, type(event).__name__)), found

    def due(self, now: float) -> tuple[Scripted, tuple[Effect, ...]]:
        return replace(self, due_at=float("inf"), seen=(*self.seen, "due")), (DONE,)


@dataclass(frozen=True)
class Watching(Scripted):
    """One that tells the world with what it was resumed."""

    world: World | None = None

    def on(self, event: Event, now: float) -> tuple[Scripted, tuple[Effect, ...]]:
        if isinstance(event, Resumed) and self.world is not None:
            self.world.resumed.append(event)
        return super().on(event, now)


@dataclass(frozen=True)
class Noting(Scripted):
    """One that notes what it is told."""

    events: list[Event] = field(default_factory=list)

    def on(self, event: Event, now: float) -> tuple[Scripted, tuple[Effect, ...]]:
        self.events.append(event)
        return super().on(event, now)


@dataclass
class There:
    leg: str
    answered: bool
    hold: str = ""


@dataclass
class World:
    """Every tool, written down."""

    done: list[object] = field(default_factory=list)
    kept: list[tuple[tuple[str, ...], str]] = field(default_factory=list)
    last_keys: list[int] = field(default_factory=list)
    """What was kept with each of them."""
    there: Sequence[There] = ()
    holds: str = ""
    ours: bool = True
    has_call: bool = True
    resumed: list[Resumed] = field(default_factory=list)
    slow: bool = False
    down: bool = False
    said_goodbye: bool | None = None
    """Whether whoever has left has."""
    understood: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once that is known."""
    deaf: Callable[[], None] = print
    """Tells the act that whoever is remembered needn't be heard for it."""

    # Speaker, Legs, Line and Recorder in one.

    def say(self, text: str) -> None:
        self.done.append(("say", text))

    def sound(self, name: str) -> None:
        self.done.append(("sound", name))

    def hush(self) -> None:
        self.done.append("hush")

    def dial(self, dial: Dial) -> None:
        self.done.append(dial)

    def drop(self, name: str) -> None:
        self.done.append(Drop(name))

    def connect(self, name: str, *, introduced: bool = False, remembered: bool = False) -> None:
        self.done.append(("introduce", name) if introduced else Connect(name))
        self.done += [("heard", name)] if remembered else []

    def remember(self, leg: str) -> None:
        self.done.append(("remember", leg))

    async def goodbye(self) -> bool | None:
        self.done.append("goodbye?")
        await self.understood.wait()
        return self.said_goodbye

    def ready(self, texts: str | Sequence[str]) -> None:
        self.done.append(("ready", texts))

    def whisper(self, leg: str, texts: Sequence[str]) -> None:
        self.done.append(("whisper", leg, texts))

    def listen(self, leg: str) -> None:
        self.done.append(("listen", leg))

    def end(self, leg: str) -> None:
        self.done.append(("end", leg))

    def connected(self) -> None:
        self.done.append("connected")

    def expect(self, anything: bool) -> None:
        self.done += [] if anything else ["expects nothing"]

    def free(self) -> None:
        self.done.append("free")

    @property
    def caller_hold(self) -> str:
        return self.holds

    def present(self) -> Sequence[There]:
        return self.there

    def leave(self) -> None:
        self.done.append("leave")

    def release(self, release: Release) -> None:
        self.done.append(release)

    async def claim(self) -> bool:
        if self.down:
            raise Unavailable("The store doesn't answer.")
        return self.ours

    def tools(self) -> Tools:
        @asynccontextmanager
        async def made(*_: Callable[[Event], None]) -> AsyncIterator[World]:
            try:
                yield self
            finally:
                self.done.append("closed")

        def heard(matrix: Matrix) -> None:
            self.done.append(matrix)

        @asynccontextmanager
        async def holding(name: str, talks: bool) -> AsyncIterator[World]:
            self.done.append(("hold", name, talks))
            try:
                yield self
            finally:
                self.done.append(("held", name))

        def last_words(deaf: Callable[[], None]) -> Any:
            self.deaf = deaf
            return made()

        tools: Any = made  # the World is each of them
        return Tools(
            speaker=tools,
            legs=tools,
            line=tools,
            whispers=tools,
            last_words=last_words,
            answers=tools,
            holding=holding,
            recorder=tools,
            listener=tools,
            overhearer=tools,
            hearing=heard,
        )

    def part(self, act: Act, machine: Machine, *, resumed: bool = False, bridged: str = "", notice: str = "") -> Part:
        async def keep(machine: Machine, bridged: str, last_key: int) -> bool:
            if self.slow:
                await asyncio.sleep(10 * KEEP_WITHIN)
            if self.down:
                raise Unavailable("The store doesn't answer.")
            assert isinstance(machine, Scripted)
            self.kept.append((machine.seen, bridged))
            self.last_keys.append(last_key)
            self.done.append("kept")
            return self.has_call

        async def book(wanted: Book) -> Booked:
            self.done.append(wanted)
            return Booked(True)

        async def never_call() -> NoCalls:
            self.done.append(NeverCall())
            return NoCalls(True)

        return Part(
            act,
            machine,
            bridged,
            resumed,
            keep,
            lambda kind, data, at, own="": self.done.append((kind, data, at, own) if own else (kind, data, at)),
            book,
            never_call,
            card=lambda leg, name: self.done.append(("card", leg, name)),
            notice=notice,
        )


def machine(*answers: tuple[type, tuple[Effect, ...]], due_at: float = float("inf")) -> Scripted:
    return Scripted(answers, due_at)


async def run(world: World, part: Part, *events: Event) -> Onward | Over:
    performance = Performance(part, world.tools())
    for event in events:
        performance.happened(event)
    async with asyncio.timeout(5):
        return await performance.run()


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


def remembering() -> Noting:
    """One that has the last words of who talks with the caller remembered."""
    return Noting((
        (Begun, (DIALED,)), (LegAnswered, (Remember("1"), Connect("1"))), (LegLeft, (Remember(""), DONE)), (Gone, (DONE,))
    ))  # fmt: skip


async def hung_up(world: World, made: Noting) -> tuple[Performance, asyncio.Task[object]]:
    """Who talked with the caller has hung up, and it is asked whether they had said goodbye."""
    performance = Performance(world.part(HANDOFF, made), world.tools())
    performance.happened(LegAnswered("1"))
    task: asyncio.Task[object] = asyncio.create_task(performance.run())
    await until(lambda: Connect("1") in world.done)
    performance.happened(LegLeft("1"))
    await until(lambda: "goodbye?" in world.done)
    return performance, task


async def test_who_is_remembered_elsewhere_is_heard_by_us_no_more() -> None:
    world = World()
    async with asyncio.timeout(5):
        performance = Performance(world.part(HANDOFF, remembering()), world.tools())
        performance.happened(LegAnswered("1"))
        task = asyncio.create_task(performance.run())
        await until(lambda: ("heard", "1") in world.done)
        world.deaf()
        assert world.done[-1] == bridge("1")
        performance.happened(LegLeft("1"))
        await until(lambda: "goodbye?" in world.done)
        world.understood.set()
        await task


@pytest.mark.parametrize("goodbye", [True, False, None])
async def test_who_hangs_up_is_told_of_with_whether_they_had_said_goodbye(goodbye: bool | None) -> None:
    world, made = World(said_goodbye=goodbye), remembering()
    async with asyncio.timeout(5):
        _, task = await hung_up(world, made)
        assert not any(isinstance(event, LegLeft) for event in made.events)
        world.understood.set()
        await task
    assert isinstance(left := made.events[-1], LegLeft)
    assert (left.leg, left.goodbye) == ("1", goodbye)
    assert world.done.index(("remember", "1")) < world.done.index(Connect("1")) < world.done.index(("heard", "1"))
    assert ("remember", "") in world.done


async def test_the_caller_who_hangs_up_next_is_told_of_after_the_human_who_did_first() -> None:
    """Who has hung up on whom is on the record."""
    world, made = World(said_goodbye=False), remembering()
    async with asyncio.timeout(5):
        performance, task = await hung_up(world, made)
        performance.gone()
        await task
    assert isinstance(left := made.events[-1], LegLeft), "the machine is told of them, and ends"
    assert left.goodbye is None, "and nobody is rung back"


async def test_a_line_that_is_lost_is_told_of_at_once() -> None:
    world, made = World(), remembering()
    performance = Performance(world.part(HANDOFF, made), world.tools())
    performance.happened(LegAnswered("1"))
    async with asyncio.timeout(5):
        task = asyncio.create_task(performance.run())
        await until(lambda: Connect("1") in world.done)
        performance.happened(LegLeft("1", lost=True))
        await task
    assert made.events[-1] == LegLeft("1", lost=True)
    assert "goodbye?" not in world.done


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


@dataclass(frozen=True)
class Held(Scripted):
    """One whose call holds somebody on."""

    held_on: str = "ana"


async def test_who_is_rung_back_is_held_on_without_a_gap_until_they_are_released() -> None:
    world = World()
    made = Held((
        (Begun, (DIALED,)), (LegAnswered, (Connect("1"),)), (LegLeft, (Drop("1"),)),
        (Key, (Release("desk", "ana", took=True), DONE)),
    ))  # fmt: skip
    await run(world, world.part(HANDOFF, made), LegAnswered("1"), LegLeft("1"), Key("1"))
    told = [one for one in world.done if one in (("hold", "ana", True), ("held", "ana")) or isinstance(one, Release)]
    assert told == [("hold", "ana", True), ("held", "ana"), Release("desk", "ana", took=True)]


async def test_who_is_connected_again_is_held_on_once() -> None:
    world = World()
    made = Held(((Begun, ()), (LegAnswered, (Connect("1"),)), (Key, (DONE,))))
    await run(world, world.part(HANDOFF, made), LegAnswered("1"), LegAnswered("1"), Key("1"))
    hold, held = ("hold", "ana", True), ("held", "ana")
    assert [one for one in world.done if one in (hold, held)] == [hold, held, hold, held]


async def test_another_job_goes_on_holding_who_is_rung_back() -> None:
    world = World()
    await run(world, world.part(HANDOFF, Held(((Resumed, (DONE,)),)), resumed=True))
    assert ("hold", "ana", True) in world.done


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


async def test_the_next_job_finds_who_talks_and_tells_the_machine_who_is_there() -> None:
    world = World(there=[There("1", True), There("2", False)])
    made = Watching(((Resumed, ()), (LegAnswered, (DONE,))), world=world)
    await run(world, world.part(Wait("crew"), made, resumed=True, bridged="1", notice="We move."))
    assert world.done[0] == bridge("1"), "nobody is cut off"
    assert world.resumed == [Resumed(frozenset({"1", "2"}))]
    assert Drop("2") not in world.done, "whether the other still rings is the machine's to say"
    assert ("say", "We move.") not in world.done


@pytest.mark.parametrize("hold", ["", SILENT])
async def test_the_next_job_tells_who_holds_whom_and_who_doesnt_any_more(hold: str) -> None:
    world = World(there=[There("1", True, hold), There("2", False)], holds=hold)
    await run(world, world.part(HANDOFF, machine(due_at=time.time() + 0.1), resumed=True, bridged="1"))
    told = [one[1] for one in world.done if isinstance(one, tuple) and one[0] is Kind.HOLD]
    assert told == [{"leg": "1", "hold": hold or None}, {"leg": None, "hold": hold or None}]


@pytest.mark.parametrize("told_after", [0, 2], ids=["known", "told in a moment"])
async def test_the_next_job_tells_the_machine_how_whoever_talked_has_left(told_after: int) -> None:
    asked, events = [0], list[Event]()

    async def left() -> Left | None:
        asked[0] += 1
        if asked[0] == 1 and told_after:
            raise Unavailable("The store doesn't answer.")
        return Left("1", 900.0, lost=True) if asked[0] > told_after else None

    made = Noting(((LegLeft, (DONE,)),), events=events)
    part = replace(World().part(HANDOFF, made, resumed=True, bridged="1"), leaving=left)
    await run(World(there=[There("2", False)]), part)
    assert [one for one in events if isinstance(one, LegLeft)] == [LegLeft("1", lost=True, at=900.0)]
    assert isinstance(events[0], Resumed), "first"


async def test_nobody_is_asked_how_who_is_there_has_left() -> None:
    async def left() -> Left | None:
        raise AssertionError

    part = replace(World().part(HANDOFF, machine((LegAnswered, (DONE,))), resumed=True, bridged="1"), leaving=left)
    await run(World(there=[There("1", True)]), part)


async def test_a_job_whose_call_is_anothers_does_nothing_more() -> None:
    """As one that hung for seconds and wakes: its deadlines have passed, and another job conducts the call."""
    world = World(has_call=False)
    made = machine((Begun, (DIALED, Say("Press 1."))), (Key, (Drop("1"),)))
    performance = Performance(world.part(Wait("crew"), made), world.tools())
    performance.happened(Key("1"))
    task = asyncio.create_task(performance.run())
    await asyncio.wait({task}, timeout=0.1)
    assert not task.done(), "it waits to be told to leave"
    task.cancel()
    await asyncio.wait({task})
    assert ("say", "Press 1.") not in world.done
    assert not [one for one in world.done if isinstance(one, Dial | Drop)]
    assert "leave" in world.done, "whoever rings is the other job's"


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


async def test_a_person_who_is_rung_directly_is_held_until_they_are_done() -> None:
    world = World()
    made = machine((Begun, (DIALED,)), (LegAnswered, (Connect("1"),)), (LegLeft, (DONE,)))
    await run(world, world.part(Ring(ANA), made), LegAnswered("1"), LegLeft("1"))
    held = [one for one in world.done if one in (("hold", "ana", False), DIALED, Connect("1"), "connected", "free")]
    assert held == [("hold", "ana", False), DIALED, Connect("1"), "connected", "free"]


async def test_who_talks_already_is_held_by_the_next_job_as_one_who_talks() -> None:
    world = World()
    await run(world, world.part(Ring(ANA), machine((Resumed, (DONE,))), resumed=True, bridged="1"))
    assert ("hold", "ana", True) in world.done


async def test_a_number_of_nobodys_is_nobody_to_hold() -> None:
    world = World()
    await run(world, world.part(Ring(Callee("", "+15105550199")), machine((Begun, (DONE,)))))
    assert not [one for one in world.done if isinstance(one, tuple) and one[0] == "hold"]


@dataclass(frozen=True)
class Talking(Scripted):
    """A team's machine whose caller talks with somebody."""

    talks_with: str = ""


@pytest.mark.parametrize("resumed", [False, True])
async def test_who_takes_a_teams_call_is_held_until_they_are_released(resumed: bool) -> None:
    """A store that has come back empty would have the team ring them while they talk."""
    world = World()
    release = Release("crew", "ana", took=True)
    made = Talking(((Begun, (Connect("1"),)), (Resumed, ()), (LegLeft, (release, DONE))), talks_with="ana")
    await run(world, world.part(Wait("crew"), made, resumed=resumed, bridged="1" if resumed else ""), LegLeft("1"))
    held = [one for one in world.done if one in (("hold", "ana", True), ("held", "ana"), release)]
    assert held == [("hold", "ana", True), ("held", "ana"), release]


HANDOFF = Handoff("desk")


async def test_whoever_answers_hears_what_nobody_else_does_until_they_take_the_call() -> None:
    world = World()
    made = machine(
        (Begun, (Ready(("Call from Maria.",)), Card("1", "ana"))),
        (LegAnswered, (Whisper("1", ("Call from Maria.",)), Whisper("1", ("Press 1.",)))),
        (LegKey, (Drop("2"), Connect("1", "Maria, I have Ana for you."), Consulted("1", Tried.TAKEN))),
        (Heard, ()),
        (LegLeft, (DONE,)),
    )
    await run(world, world.part(HANDOFF, made), LegAnswered("1"), LegKey("1", "1"), Heard(), LegLeft("1"))
    done = [
        one
        for one in world.done
        if one not in ("kept", "closed") and not (isinstance(one, tuple) and one[0] is Kind.HANDOFF)
    ]
    assert done == [
        consults(()),
        ("ready", ("Call from Maria.",)),
        ("card", "1", "ana"),
        consults(("1",)),
        ("whisper", "1", ("Call from Maria.",)),
        ("whisper", "1", ("Press 1.",)),
        Drop("2"),
        ("end", "1"),
        ("introduce", "1"),
        "hush",
        ("say", "Maria, I have Ana for you."),
        bridge("1"),
    ]
    [noted] = [one for one in world.done if isinstance(one, tuple) and one[0] is Kind.HANDOFF]
    assert noted[1] == {"leg": "1", "tried": "taken"}


async def test_what_came_of_a_leg_is_one_in_the_record_whichever_job_tells_it() -> None:
    """A job that goes on tells it again: the one before may have died first."""
    told = []
    for _ in range(2):
        world = World()
        made = machine((LegKey, (Consulted("1", Tried.TAKEN), Consulted("2", Tried.BEATEN), DONE)))
        await run(world, world.part(HANDOFF, made), LegKey("1", "1"))
        told.append([one[3] for one in world.done if isinstance(one, tuple) and one[0] is Kind.HANDOFF])
    assert told[0] == told[1] == ["1 taken", "2 beaten"]


async def test_whoever_declines_hears_us_no_more_and_the_caller_is_heard_by_nobody() -> None:
    world = World()
    made = machine((LegAnswered, (Whisper("1", ("Press 1.",)),)), (LegKey, (Drop("1"), DONE)))
    await run(world, world.part(HANDOFF, made), LegAnswered("1"), LegKey("1", "2"))
    ended = world.done.index(("end", "1"))
    assert world.done[ended + 1 : ended + 3] == [consults(()), Drop("1")]
    assert not any(isinstance(one, Matrix) and one.allows(CALLER, JOB, "whisper-1") for one in world.done)


async def test_a_caller_who_hangs_up_leaves_time_to_tell_whoever_has_answered() -> None:
    world = World(there=[There("1", answered=True)])
    performance = Performance(world.part(HANDOFF, machine()), world.tools())
    assert performance.gone() > 0
    assert Drop("1") not in world.done


async def test_a_caller_whose_human_is_dropped_hears_us_again() -> None:
    world = World()
    made = machine((LegAnswered, (Connect("1"),)), (LegKey, (Drop("1"), Say("Back."), DONE)))
    await run(world, world.part(HANDOFF, made), LegAnswered("1"), LegKey("1", "2"))
    dropped = world.done.index(Drop("1"))
    assert world.done[dropped + 1 : dropped + 3] == [consults(()), ("say", "Back.")]


async def test_nobody_looks_for_answers_to_cards_while_none_can_come(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    made = machine((LegKey, (Connect("1"),)), (LegLeft, (DONE,)))
    monkeypatch.setattr(perform, "may_say_elsewhere", lambda machine: machine.seen[-1] != "LegKey")
    await run(world, world.part(HANDOFF, made), LegAnswered("1"), LegKey("1", "1"), LegLeft("1"))
    assert world.done.count("expects nothing") == 1
    assert world.done.index("expects nothing") < world.done.index(Connect("1"))


@pytest.mark.parametrize(
    ("act", "party"), [(HANDOFF, leg("2")), (Recall("cb", "desk"), CALLER)], ids=["a third", "a callee"]
)
@pytest.mark.parametrize("ends", [Listen("2", on=False), Drop("2")], ids=["is known", "is dropped"])
async def test_whoever_may_be_a_machine_is_heard_besides(act: Act, party: Party, ends: Effect) -> None:
    world = World()
    made = machine((Begun, (Connect("1"), Listen("2"))), (LegHeard, ()), (Key, (Whisper("1", ("Hm.",)), ends, DONE)))
    await run(world, world.part(act, made), Key("1"))
    heard = bridge("1") | hears(JOB, party)
    aside = heard | hears(leg("1"), track(JOB, whispering("1")))
    told = [one for one in world.done if isinstance(one, Matrix) or one in (("listen", "2"), ("end", "2"))]
    assert told[-5:] == [("listen", "2"), heard, aside, ("end", "2"), bridge("1")]


@pytest.mark.parametrize("act", [Wait("crew"), HANDOFF, Recall("cb", "crew")], ids=["wait", "handoff", "recall"])
async def test_a_call_that_another_job_has_is_left_to_it_with_all_who_are_there(act: Act) -> None:
    world = World(ours=False)
    made = machine(
        (Begun, (DIALED,)), (LegAnswered, (Connect("1"), Exit("crew"), Consulted("1", Tried.TAKEN))), (LegLeft, (DONE,))
    )
    performance = Performance(world.part(act, made), world.tools())
    running = asyncio.create_task(performance.run())
    performance.happened(LegAnswered("1"))
    await until(lambda: "leave" in world.done, 5.0)
    performance.happened(Key("1"))
    await until(lambda: performance._events.empty(), 5.0)
    running.cancel()
    await asyncio.wait({running})
    assert not [one for one in world.done if one in (Connect("1"), Drop("1"), Exit("crew"), DONE)]
    assert not [one for one in world.done if isinstance(one, tuple) and one[0] is Kind.HANDOFF]
    assert [seen for seen, _ in world.kept][-1][-1] == "Key", "it is told no leg that has gone"


async def test_what_is_said_to_both_leaves_them_together() -> None:
    world = World()
    made = machine((Begun, (Connect("1"), NeverCall())), (NoCalls, (Announce("Noted."),)), (Heard, (DONE,)))
    performance = Performance(world.part(HANDOFF, made), world.tools())
    running = asyncio.create_task(performance.run())
    await until(lambda: ("say", "Noted.") in world.done, 5.0)
    performance.happened(Heard())
    await running
    both = bridge("1") | announced("1")
    told = [one for one in world.done if one in (NeverCall(), ("say", "Noted."), both, bridge("1"))]
    assert told == [NeverCall(), both, ("say", "Noted."), bridge("1")]
