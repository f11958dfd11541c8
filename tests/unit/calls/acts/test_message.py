"""Leaving a message: the way of it by example, and what holds whatever happens by Hypothesis."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from math import inf

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from gateway.calls.acts.cues import Begun, Event, Heard, Kept, Key, RecordingEnded, Resumed, Spoke
from gateway.calls.acts.deeds import (
    DropRecording,
    Effect,
    Finish,
    Hush,
    KeepRecording,
    Say,
    Sound,
    StartRecording,
    StopRecording,
)
from gateway.calls.acts.message import FAILED, KEPT_WITHIN, KEY_WITHIN, LEFT, NOT_LEFT, TAKES, Ended, Leaving, State
from gateway.calls.words.message import Say as Word
from gateway.calls.words.message import line_of
from gateway.terms.act import Because, Onward, Over, Record
from gateway.terms.spoken import LONGEST_SOUND

NOW = 1_800_000_000.0
ACT = Record(say="We are closed. Please speak.", at_most=120.0, because="closed", notify=("mailto:a@b.cd",), team="x")
CHECKPOINT = TypeAdapter(Leaving)
BEEP = Sound("beep")
TO_TONE = (Begun(), Heard())
TO_RECORDING = (*TO_TONE, Heard())
STOPPED = RecordingEnded("stopped")
TO_OFFER = (*TO_RECORDING, Key("#"), STOPPED)
KEPT, NOT_KEPT, EMPTY = Kept(True), Kept(False), Kept(True, there=False)
TO_KEEPING = (*TO_OFFER, Key("#"))
FAILS = (*TO_RECORDING, RecordingEnded("failed"))
FULL = (*TO_RECORDING, RecordingEnded("full"))
DUE = None


def word(which: Word) -> Say:
    return Say(line_of(which, "en-US"))


def play(*events: Event | None, act: Record = ACT) -> tuple[Leaving, list[Effect]]:
    """The machine after the events, and what followed from the last; None stands for the deadline."""
    machine, now, effects = Leaving(act, "en-US"), NOW, ()
    for event in events:
        if event is None:
            now = machine.deadline
            machine, effects = machine.due(now)
        else:
            machine, effects = machine.on(event, now)
    return machine, list(effects)


LEFT_OVER, NOT_LEFT_OVER, FAILED_OVER = Finish(Over(LEFT)), Finish(Over(NOT_LEFT)), Finish(Over(FAILED))


@pytest.mark.parametrize(
    ("events", "state", "effects"),
    [
        ((Begun(),), State.PROMPT, [Say("We are closed. Please speak.")]),
        (TO_TONE, State.TONE, [BEEP]),
        ((Begun(), DUE), State.TONE, [BEEP]),
        ((Begun(), Key("5")), State.TONE, [Hush(), BEEP]),
        ((Begun(), Key("#")), State.TONE, [Hush(), BEEP]),
        ((Begun(), Key("0")), State.OVER, [Hush(), Finish(Onward(Because.HUMAN))]),
        (TO_RECORDING, State.RECORDING, [StartRecording("1")]),
        ((*TO_TONE, DUE), State.RECORDING, [StartRecording("1")]),
        ((*TO_RECORDING, Key("0")), State.RECORDING, []),
        ((*TO_RECORDING, Spoke()), State.RECORDING, []),
        ((*TO_RECORDING, Key("#")), State.ENDING, [StopRecording()]),
        ((*TO_RECORDING, DUE), State.ENDING, [StopRecording()]),
        (TO_OFFER, State.OFFER, [word(Word.AGAIN)]),
        ((*TO_RECORDING, RecordingEnded("silence")), State.OFFER, [word(Word.AGAIN)]),
        ((*TO_RECORDING, Key("#"), DUE), State.OFFER, [word(Word.AGAIN)]),
        ((*TO_OFFER, Key("7")), State.OFFER, []),
        ((*TO_OFFER, Key("1")), State.TONE, [Hush(), DropRecording("1"), BEEP]),
        ((*TO_OFFER, Key("1"), Heard()), State.RECORDING, [StartRecording("2")]),
        (TO_KEEPING, State.KEEPING, [Hush(), KeepRecording("1")]),
        ((*TO_KEEPING, Heard()), State.KEEPING, []),
        ((*TO_KEEPING, Key("1")), State.KEEPING, []),
        ((*TO_KEEPING, KEPT), State.CLOSING, [word(Word.KEPT)]),
        ((*TO_KEEPING, KEPT, Heard()), State.OVER, [LEFT_OVER]),
        ((*TO_KEEPING, KEPT, DUE), State.OVER, [LEFT_OVER]),
        ((*TO_KEEPING, NOT_KEPT), State.CLOSING, [word(Word.FAILED)]),
        ((*TO_KEEPING, NOT_KEPT, Heard()), State.OVER, [FAILED_OVER]),
        ((*TO_KEEPING, EMPTY), State.CLOSING, [word(Word.NOTHING_LEFT)]),
        ((*TO_KEEPING, EMPTY, Heard()), State.OVER, [NOT_LEFT_OVER]),
        ((*TO_KEEPING, DUE), State.CLOSING, [word(Word.FAILED)]),
        ((*TO_KEEPING, DUE, KEPT), State.CLOSING, []),
        ((*TO_KEEPING, DUE, DUE), State.OVER, [FAILED_OVER]),
        ((*TO_OFFER, KEPT), State.OFFER, []),
        ((*TO_OFFER, Heard(), DUE), State.KEEPING, [KeepRecording("1")]),
        ((*TO_RECORDING, RecordingEnded("nothing")), State.PROMPT, [DropRecording("1"), word(Word.NOTHING)]),
        (FAILS, State.KEEPING, [KeepRecording("1")]),
        ((*FAILS, KEPT), State.CLOSING, [word(Word.FAILED)]),
        ((*FAILS, EMPTY), State.CLOSING, [word(Word.FAILED)]),
        ((*FULL, EMPTY), State.CLOSING, [word(Word.NOTHING_LEFT)]),
        ((*FAILS, KEPT, Heard()), State.OVER, [FAILED_OVER]),
        (FULL, State.KEEPING, [KeepRecording("1")]),
        ((*FULL, KEPT), State.CLOSING, [word(Word.CUT_SHORT)]),
        ((*FULL, KEPT, Heard()), State.OVER, [LEFT_OVER]),
        ((*FULL, NOT_KEPT), State.CLOSING, [word(Word.FAILED)]),
        ((*FULL, NOT_KEPT, Heard()), State.OVER, [FAILED_OVER]),
        # Another job goes on.
        ((Begun(), Resumed()), State.PROMPT, [Say("We are closed. Please speak.")]),
        ((*TO_TONE, Resumed()), State.TONE, [BEEP]),
        ((*TO_RECORDING, Resumed()), State.PROMPT, [word(Word.GO_ON)]),
        ((*TO_RECORDING, Resumed(), Resumed()), State.PROMPT, [word(Word.GO_ON)]),
        ((*TO_RECORDING, Resumed(), Heard(), Heard()), State.RECORDING, [StartRecording("2")]),
        ((*TO_OFFER, Resumed()), State.OFFER, [word(Word.AGAIN)]),
        ((*TO_KEEPING, Resumed()), State.KEEPING, [KeepRecording("1")]),
        ((*TO_KEEPING, Resumed(), KEPT), State.CLOSING, [word(Word.KEPT)]),
        ((*TO_KEEPING, Resumed(), EMPTY), State.CLOSING, [word(Word.KEPT)]),
        ((*FULL, Resumed(), KEPT), State.CLOSING, [word(Word.CUT_SHORT)]),
        ((*TO_KEEPING, KEPT, Resumed()), State.CLOSING, [word(Word.KEPT), KeepRecording("1")]),
        ((*TO_KEEPING, KEPT, Resumed(), EMPTY), State.CLOSING, []),
        ((*TO_KEEPING, KEPT, Resumed(), Heard()), State.OVER, [LEFT_OVER]),
        ((*TO_KEEPING, KEPT, Heard(), Resumed()), State.OVER, [KeepRecording("1"), LEFT_OVER]),
        ((*TO_KEEPING, NOT_KEPT, Resumed()), State.CLOSING, [word(Word.FAILED), KeepRecording("1")]),
        ((*TO_KEEPING, EMPTY, Resumed()), State.CLOSING, [word(Word.NOTHING_LEFT), KeepRecording("1")]),
        ((*TO_OFFER, Key("1"), Resumed()), State.TONE, [DropRecording("1"), BEEP]),
        ((Begun(), Key("0"), Resumed()), State.OVER, [Finish(Onward(Because.HUMAN))]),
    ],
)
def test_the_table(events: tuple[Event | None, ...], state: State, effects: list[Effect]) -> None:
    machine, got = play(*events)
    assert (machine.state, got) == (state, effects)


TWO_PARTS = (*TO_RECORDING, Resumed(), Heard(), Heard(), Key("#"), STOPPED, Key("#"))


def test_both_parts_of_an_interrupted_message_are_kept() -> None:
    _, effects = play(*TWO_PARTS)
    assert effects[1:] == [KeepRecording("1"), KeepRecording("2")]
    machine, effects = play(*TWO_PARTS, KEPT)
    assert (machine.state, effects) == (State.KEEPING, [])
    machine, effects = play(*TWO_PARTS, KEPT, KEPT)
    assert (machine.state, effects) == (State.CLOSING, [word(Word.KEPT)])


@pytest.mark.parametrize(
    ("answers", "said"), [((KEPT, EMPTY), Word.KEPT), ((EMPTY, KEPT), Word.KEPT), ((EMPTY, EMPTY), Word.NOTHING_LEFT)]
)
def test_a_message_that_is_said_to_be_kept_is_there(answers: tuple[Event, ...], said: Word) -> None:
    machine, effects = play(*TWO_PARTS, *answers)
    assert (machine.state, effects) == (State.CLOSING, [word(said)])


@pytest.mark.parametrize("answers", [(KEPT, NOT_KEPT), (NOT_KEPT, KEPT)])
def test_a_message_of_which_a_part_is_lost_is_not_said_to_be_kept(answers: tuple[Event, ...]) -> None:
    machine, effects = play(*TWO_PARTS, *answers)
    assert (machine.state, effects) == (State.CLOSING, [word(Word.FAILED)])
    machine, _ = play(*TWO_PARTS, NOT_KEPT)
    assert machine.gone(NOW)[1] == (FAILED_OVER,)
    machine, _ = play(*TWO_PARTS, NOT_KEPT, Resumed(), KEPT, KEPT)
    assert machine.ending == LEFT, "the next job could keep it"


def test_what_was_said_before_an_interruption_is_kept_when_nothing_follows() -> None:
    machine, effects = play(*TO_RECORDING, Resumed(), Heard(), Heard(), RecordingEnded("nothing"))
    assert (machine.state, effects) == (State.OFFER, [DropRecording("2"), word(Word.AGAIN)])


def test_nobody_is_recorded_while_a_wav_of_the_longest_plays() -> None:
    machine, _ = play(Begun(), act=replace(ACT, say=f"We are closed.\nwav:{'0' * 64}"))
    assert machine.due(NOW + LONGEST_SOUND) == (machine, ()), "it plays on"
    assert machine.due(NOW + LONGEST_SOUND + 120)[0].state is State.TONE, "a voice that hangs holds nobody"


def test_the_last_take_is_kept_without_a_question() -> None:
    again = (Key("1"), Heard(), Key("#"), STOPPED)
    machine, effects = play(*TO_OFFER, *again * (TAKES - 1))
    assert (machine.state, effects) == (State.KEEPING, [KeepRecording(str(TAKES))])


def test_a_silent_caller_has_so_many_tries() -> None:
    silent = (Heard(), Heard(), RecordingEnded("nothing"))
    machine, effects = play(Begun(), *silent * TAKES)
    assert (machine.state, effects) == (State.CLOSING, [DropRecording(str(TAKES)), word(Word.NOTHING_LEFT)])
    _, effects = play(Begun(), *silent * TAKES, Heard())
    assert effects == [NOT_LEFT_OVER]


def test_times() -> None:
    assert play()[0].deadline == inf
    assert play(*TO_RECORDING)[0].deadline == NOW + 120
    assert play(*TO_OFFER, Heard())[0].deadline == NOW + KEY_WITHIN
    assert play(*TO_KEEPING)[0].deadline == NOW + KEPT_WITHIN
    machine = play(*TO_RECORDING)[0]
    assert machine.due(NOW + 119.9) == (machine, ())


@pytest.mark.parametrize(
    ("events", "effects"),
    [
        ((Begun(),), [NOT_LEFT_OVER]),
        (TO_TONE, [NOT_LEFT_OVER]),
        (TO_RECORDING, [StopRecording(), KeepRecording("1"), LEFT_OVER]),
        ((*TO_RECORDING, Key("#")), [KeepRecording("1"), LEFT_OVER]),
        (TO_OFFER, [KeepRecording("1"), LEFT_OVER]),
        ((*TO_OFFER, Key("1")), [NOT_LEFT_OVER]),
        (TO_KEEPING, [LEFT_OVER]),
        ((*TO_KEEPING, KEPT), [LEFT_OVER]),
        ((*TO_KEEPING, NOT_KEPT), [FAILED_OVER]),
        ((*TO_RECORDING, Resumed()), [KeepRecording("1"), LEFT_OVER]),
        ((*TO_KEEPING, KEPT, Heard()), []),
    ],
)
def test_a_hang_up_keeps_what_was_recorded(events: tuple[Event, ...], effects: list[Effect]) -> None:
    machine, _ = play(*events)
    assert list(machine.gone(NOW)[1]) == effects


def test_without_words_of_the_plan_the_house_has_some() -> None:
    assert play(Begun(), act=Record(say=""))[1] == [word(Word.PROMPT)]


EVENTS = st.one_of(
    st.builds(Key, st.sampled_from("012#*")),
    st.sampled_from([Heard(), Heard(), Heard(), None, None, Resumed(), Spoke(), Begun(), "gone"]),
    st.sampled_from([KEPT, KEPT, NOT_KEPT]),
    st.builds(RecordingEnded, st.sampled_from([*Ended, "strange"])),
)


class Recordings:
    """What a recorder would have done, and what it may be asked."""

    def __init__(self) -> None:
        self.made: dict[str, str] = {}
        self.running = ""
        self.finished: list[Finish] = []
        self.asked = self.answered = 0
        """Recordings that are to be kept, and those that are, since the last time any were to be."""
        self.repeats = False
        """What was kept is to be kept once more, and nobody waits for it."""

    def hears(self, event: Event | str | None, state: State) -> None:
        """Something happens while the machine is in a state."""
        self.repeats = (
            isinstance(event, Resumed) and state is State.CLOSING
        )  # what was kept before last words stays kept
        if isinstance(event, Resumed) and not self.repeats:
            self.asked = self.answered = 0
        elif isinstance(event, Kept) and state is State.KEEPING:
            self.answered += event.done

    def says(self, text: str) -> None:
        """Nobody is told that a message is kept unless all of it is."""
        if text in {line_of(Word.KEPT, "en-US"), line_of(Word.CUT_SHORT, "en-US")}:
            assert self.asked
            assert self.answered == self.asked

    def do(self, effect: Effect) -> None:
        match effect:
            case StartRecording(name):
                assert not self.running
                assert name not in self.made
                self.made[name], self.running = "made", name
            case StopRecording():
                assert self.running
            case KeepRecording(name):
                assert self.made[name] in {"made", "kept"}
                assert self.running != name
                self.made[name] = "kept"
                self.asked += not self.repeats
            case Say(text):
                self.says(text)
            case DropRecording(name):
                assert self.made[name] in {"made", "dropped"}
                self.made[name] = "dropped"
            case Finish():
                self.finished.append(effect)


@given(st.lists(EVENTS, max_size=40))
@example([*TO_KEEPING[1:], KEPT, Resumed(), Resumed()])
@settings(max_examples=400)
def test_whatever_happens(events: list[Event | str | None]) -> None:
    machine, now, recordings = Leaving(ACT, "en-US"), NOW, Recordings()
    for event in [Begun(), *events]:
        before = machine
        recordings.hears(event, machine.state)
        if isinstance(event, RecordingEnded | Resumed):
            recordings.running = ""
        if event == "gone":
            machine, effects = machine.gone(now)
        elif event is None:
            now = min(machine.deadline, now + 1000)
            machine, effects = machine.due(now)
        else:
            assert not isinstance(event, str)
            machine, effects = machine.on(event, now)
        if any(isinstance(effect, StopRecording) for effect in effects):
            for effect in effects:
                if isinstance(effect, StopRecording):
                    recordings.do(effect)
            recordings.running = ""
        for effect in effects:
            if not isinstance(effect, StopRecording):
                recordings.do(effect)
        assert CHECKPOINT.validate_python(json.loads(json.dumps(asdict(machine)))) == machine
        assert machine.take <= TAKES
        assert all(recordings.made[part] in {"made", "kept"} for part in machine.parts)
        if before.state is State.OVER and not isinstance(event, Resumed):
            assert (machine, effects) == (before, ())
        assert (machine.state is State.OVER) == (machine.deadline == inf)
        assert (machine.state is State.OVER) == bool(recordings.finished)
    if machine.state is State.OVER and recordings.finished[0] == LEFT_OVER:
        assert "kept" in recordings.made.values()
    if machine.state is State.OVER:
        assert "made" not in recordings.made.values()  # kept or dropped: nothing is forgotten


@given(st.lists(EVENTS.filter(lambda event: event != "gone"), max_size=20))
def test_by_deadlines_alone_every_message_ends(events: list[Event | None]) -> None:
    machine, _ = play(Begun(), *events)
    for _ in range(12):
        if machine.state is State.OVER:
            break
        machine, _ = machine.due(machine.deadline)
    assert machine.state is State.OVER
