"""Who hears whom while somebody of those who talk is told something."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.calls.hearing import JOB, Matrix, announced, bridge, conversation, hears, leg, track, whispering
from gateway.conduct.acts.parties import Parties
from gateway.terms.act import Handoff
from tests.unit.dispatch.test_handoffs import DESK

TOLD = hears(leg("1"), track(JOB, whispering("1")))


class Whispers:
    def whisper(self, name: str, texts: Sequence[str]) -> None:
        pass

    def listen(self, name: str) -> None:
        pass

    def end(self, name: str) -> None:
        pass


def parties(act: Handoff = DESK) -> tuple[Parties, list[Matrix]]:
    seen: list[Matrix] = []
    made = Parties(act, "1", seen.append)
    made.whispers = Whispers()
    return made, seen


def test_who_talks_with_a_third_while_the_caller_waits_hears_them_on_as_they_are_told_something() -> None:
    one, seen = parties()
    one.converse(("1", "2"), caller=False, music=True)
    one.bridged = ""  # as the act has it: nobody talks with the caller
    aside = conversation(("1", "2"), caller=False, music=True)
    one.whisper("1", ("Noted.",))
    assert seen[-1] == aside | TOLD
    one.heard("1")
    assert seen[-1] == aside


def test_who_talks_with_the_caller_again_is_told_so_beside_them() -> None:
    one, seen = parties()
    one.converse(("1", "2"), caller=False, music=True)
    one.converse(("1",), caller=True, music=False)
    one.bridged = "1"
    one.whisper("1", ("Noted.",))
    assert seen[-1] == bridge("1") | TOLD


def test_whose_last_words_are_remembered_is_heard_by_us_whatever_else_goes_on() -> None:
    one, seen = parties()
    heard = bridge("1") | hears(JOB, leg("1"))
    one.remember("1")
    assert seen[-1] == heard
    one.whisper("1", ("Noted.",))
    assert seen[-1] == heard | TOLD
    one.remember("")
    assert seen[-1] == bridge("1") | TOLD, "they are told on"
    one.remember("1")
    assert seen[-1] == heard | TOLD
    one.heard("1")
    assert seen[-1] == heard
    one.announce()
    assert seen[-1] == heard | announced("1")
    one.remember("")
    assert seen[-1] == bridge("1") | announced("1"), "both are told on"
    one.all_said()
    assert seen[-1] == bridge("1")


def test_who_is_about_to_be_connected_is_heard_once_they_are() -> None:
    one, seen = parties()
    one.remember("2")
    assert seen == []
    one.connect("2", introduced=True)
    one.bridged = "2"
    one.all_said()
    assert seen == [bridge("2") | hears(JOB, leg("2"))]


def test_who_is_remembered_elsewhere_is_heard_by_us_no_more_and_told_on() -> None:
    one, seen = parties()
    one.remember("1")
    one.whisper("1", ("Noted.",))
    one.heard_elsewhere()
    assert seen[-1] == bridge("1") | TOLD
    one.remember("")
    assert seen[-1] == bridge("1") | TOLD
