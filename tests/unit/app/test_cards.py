"""Who gets a card when a phone rings for a handoff, and what it asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest

from gateway.app.cards import Cards
from gateway.handoff.card import DECLINE_HERE, TAKE_HERE
from gateway.terms.act import Handoff, Wait
from gateway.terms.event import Kind
from tests.contract.calls import a_call

ACT = Handoff("desk", notify=("https://desk.example/hook",), cards=(("ana", ("sms:+15105550111",)),))
CALL = a_call()


@dataclass
class Stage:
    facts: Mapping[str, object] = field(default_factory=lambda: {"name": "Maria"})
    turns: tuple[()] = ()
    reason: str = ""
    told: list[tuple[Kind, Mapping[str, Any], str]] = field(default_factory=list)

    @property
    def teller(self) -> Stage:
        return self

    def note(self, kind: Kind, data: Mapping[str, Any], _at: float, uid: str = "") -> None:
        self.told.append((kind, data, uid))


def told(name: str, leg: str, act: Handoff | Wait = ACT) -> list[tuple[Kind, Mapping[str, Any], str]]:
    stage = Stage()
    Cards().tell(cast(Any, stage), replace(CALL, act=act), leg, name)
    return stage.told


def test_a_member_gets_one_with_a_link_and_the_team_one_without() -> None:
    own, team = told("ana", "desk-19-1")
    assert own[0] is team[0] is Kind.DELIVER
    assert (own[1]["kind"], own[1]["to"], own[1]["urgent"]) == ("card", ["sms:+15105550111"], True)
    assert DECLINE_HERE in own[1]["content"]["body"]
    assert team[1]["to"] == ["https://desk.example/hook"]
    assert DECLINE_HERE not in team[1]["content"]["body"]
    assert own[1]["subject"] == "desk-19-1"


def test_the_team_is_told_once_whoever_rings_and_a_member_once_a_ring() -> None:
    [(_, first, uid)] = told("ben", "desk-19-2")
    _, (_, second, same) = told("ana", "desk-19-1")
    assert (first["subject"], uid) == (second["subject"], same)


def test_a_line_that_isnt_a_handoff_tells_nobody() -> None:
    assert told("ana", "desk-19-1", Wait("desk")) == []


@pytest.mark.parametrize("no_phone", [(), ("ana",)])
def test_who_may_take_calls_in_a_browser_gets_a_link_that_does(no_phone: tuple[str, ...]) -> None:
    own, team = told("ana", "desk-19-1", replace(ACT, browsers=("ana",), no_phone=no_phone))
    assert TAKE_HERE in own[1]["content"]["body"]
    assert ("Answer your phone" in own[1]["content"]["body"]) is not bool(no_phone)
    assert TAKE_HERE not in team[1]["content"]["body"]


def test_a_link_that_goes_to_the_team_says_whose_it_is() -> None:
    act = replace(ACT, browsers=("ana",), no_phone=("ana",), cards=(("ana", ACT.notify),))
    own, team = told("ana", "desk-19-1", act)
    assert f"For ana, to take it in the browser, or to say that they can't: {TAKE_HERE}" in own[1]["content"]["body"]
    assert "Answer your phone" not in own[1]["content"]["body"]
    assert TAKE_HERE not in team[1]["content"]["body"]


def test_who_is_rung_and_has_the_teams_address_is_told_to_answer() -> None:
    own, _ = told("ana", "desk-19-1", replace(ACT, cards=(("ana", ACT.notify),)))
    assert "Answer your phone and press 1" in own[1]["content"]["body"]
