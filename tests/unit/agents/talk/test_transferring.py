"""The tool by which an agent puts callers through: what a model is offered, and what comes of calling it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from agents.registry import definition
from agents.talk import transferring
from agents.words.lines import Say, line_of
from agents.words.prompting import instructions
from agents.words.tools import transfer
from gateway.terms.call import Brief
from gateway.terms.catalogue import Cue, come_back
from gateway.terms.handoff import NOBODY, PUT_THROUGH, Tried

NAMES = Brief("sales", transfers=("billing", "repairs"))
NUMBERS = Brief("sales", transfers=("billing",), transfers_numbers=True)


def offered(brief: Brief, no: str = "") -> tuple[Any, list[str]]:
    """The tools, and why the conversation was ended."""
    left: list[str] = []

    async def put_through(_: str) -> str:
        return no

    stage = cast(Any, SimpleNamespace(brief=brief, transfer=put_through))
    return transferring.tools(stage, left.append), left


def test_it_is_offered_where_the_route_allows_anybody() -> None:
    assert offered(Brief("sales"))[0] == []
    assert len(offered(NAMES)[0]) == len(offered(NUMBERS)[0]) == 1
    assert "transfer_call" in instructions(definition("sales"), NAMES)
    assert "transfer_call" not in instructions(definition("sales"), Brief("sales"))


def test_a_model_chooses_among_names_unless_numbers_are_allowed() -> None:
    def to(brief: Brief) -> Any:
        return cast(Any, transfer(brief))["parameters"]["properties"]["to"]

    assert to(NAMES)["enum"] == ["billing", "repairs"]
    assert "enum" not in to(NUMBERS)
    assert "billing" in to(NUMBERS)["description"]


async def test_the_agent_lets_go_once_the_caller_is_on_the_way() -> None:
    (tool,), left = offered(NAMES)
    assert await tool(raw_arguments={"to": "billing"}) == f"say: {line_of(Say.PUT_THROUGH, 'en')}"
    assert left == ["the caller is put through"]


@pytest.mark.parametrize(
    "arguments", [{}, {"to": None}, {"to": 911}, {"to": ["a"]}, {"to": {"x": 1}}, {"of": "billing"}]
)
async def test_it_goes_on_where_they_arent(arguments: dict[str, object]) -> None:
    (tool,), left = offered(NAMES, "there is nobody of that name")
    assert (await tool(raw_arguments=arguments)).startswith("error: there is nobody")
    assert left == []


def test_a_caller_who_comes_back_is_told_what_came_of_it() -> None:
    told = {why: come_back(PUT_THROUGH + why) for why in (*(one.value for one in Tried), NOBODY, "")}
    assert told[Tried.BUSY] is Cue.NOT_FREE
    assert told[Tried.NO_ANSWER] is Cue.NOT_ANSWERED
    assert told[Tried.UNREACHABLE] is Cue.NOT_REACHED
    assert told[NOBODY] is Cue.NOT_THERE
    assert all("message" not in line_of(Say(cue.value), "en") for cue in told.values()), "nobody takes one here"
    assert come_back(Tried.BUSY.value) is Cue.AWAY_BUSY, "of a team it is told otherwise"
