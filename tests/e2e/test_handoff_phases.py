"""Who leaves a handoff at which phase, or takes it then: the phases in which `test_handoff` doesn't have them do it."""

from __future__ import annotations

import pytest

from agents.words.lines import Say
from gateway.calls.words import word
from gateway.calls.words.handoff import HandoffWord
from gateway.phone.call import Call, Unmet
from gateway.phone.phone import Phone
from gateway.terms.act import Handoff
from tests.e2e.gateway import Stack
from tests.e2e.records import record, sip_id
from tests.e2e.test_handoff import (
    ALL,
    CHOOSE,
    KILLED,
    PROMISE,
    WARM,
    callees,
    caller,
    came,
    heard,
    told,
    wants_a_person,
)
from tests.e2e.test_handoff_kills import no_roster, until_act
from tests.e2e.test_house import OURS, said, talk

__all__ = ["callees", "caller"]

pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.timeout(120)]

LOST = "Q.850;cause=41"
"""Why a BYE comes of a line that was lost."""
LEAVES = {"hangs up": "", "is cut off": LOST}


async def hears(phase: str, callees: Phone, human: Call) -> None:
    """Somebody who has answered is as far as that."""
    if phase == "whispering":
        await human.talking(0.5)
    else:
        await said(callees, human, CHOOSE)
        await human.wait(0.5)  # its end was heard just now


@pytest.mark.parametrize("phase", ["promised", "whispering"])
async def test_who_has_heard_enough_takes_the_call_amid_the_whisper(
    stack: Stack, caller: Phone, callees: Phone, phase: str
) -> None:
    """`promised`: and before the caller has heard that they are put through, of which they hear no more."""
    call = await wants_a_person(caller, WARM)
    human = await (await callees.rung()).answer()
    await hears("whispering", callees, human)
    if phase == "whispering":
        await said(caller, call, PROMISE)
    await human.press("1")
    await talk(call, human)
    await human.hang_up()
    await call.ended()
    assert came(await record(stack, sip_id(call), ending="served", hung_up_by="human")) == ["taken"]


@pytest.mark.parametrize("phase", ["promised", "whispering"])
async def test_who_has_heard_enough_declines_amid_the_whisper(
    stack: Stack, caller: Phone, callees: Phone, phase: str
) -> None:
    """`promised`: and before the caller has heard that they are put through, all of which they hear."""
    call = await wants_a_person(caller, WARM)
    human = await (await callees.rung()).answer()
    await hears("whispering", callees, human)
    if phase == "whispering":
        await said(caller, call, PROMISE)
    await human.press("2")
    await human.ended()
    if phase == "promised":
        await said(caller, call, PROMISE)
    await told(caller, call, Say.AWAY_DECLINED)
    await call.hang_up()
    assert came(await record(stack, sip_id(call))) == ["declined"]


@pytest.mark.parametrize("leaves", LEAVES)
@pytest.mark.parametrize("phase", ["whispering", "deciding"])
async def test_who_leaves_before_they_take_it_hasnt_taken_it(
    stack: Stack, caller: Phone, callees: Phone, phase: str, leaves: str
) -> None:
    call = await wants_a_person(caller, WARM)
    human = await (await callees.rung()).answer()
    await hears(phase, callees, human)
    await human.hang_up(LEAVES[leaves])
    if phase == "whispering":
        await said(caller, call, PROMISE)
    await told(caller, call, Say.AWAY_HUNG_UP)
    await call.hang_up()
    assert came(await record(stack, sip_id(call))) == ["hung up"]


@pytest.mark.parametrize("leaves", LEAVES)
async def test_a_caller_who_leaves_before_anybody_is_rung_has_nobody_rung(
    stack: Stack, caller: Phone, callees: Phone, leaves: str
) -> None:
    """Who is in the team is lost from Redis until they have gone."""
    async with no_roster(stack):
        call = await wants_a_person(caller, KILLED)
        await until_act(stack, sip_id(call), Handoff)
        await call.hang_up(LEAVES[leaves])
        found = await record(stack, sip_id(call), hung_up_by="network" if LEAVES[leaves] else "caller")
    assert (came(found), found["legs"]) == ([], [])
    with pytest.raises(Unmet):
        await callees.rung(3.0)


@pytest.mark.parametrize("leaves", LEAVES)
@pytest.mark.parametrize("phase", ["promised", "ringing", "whispering", "deciding"])
async def test_a_caller_who_leaves_is_nobodys_any_more(
    stack: Stack, caller: Phone, callees: Phone, phase: str, leaves: str
) -> None:
    """What rings stops, and who has answered is told."""
    call = await wants_a_person(caller, WARM)
    ringing = await callees.rung()
    if phase in ("promised", "ringing"):
        if phase == "ringing":
            await said(caller, call, PROMISE)
        await call.hang_up(LEAVES[leaves])
        await ringing.given_up(5.0)
    else:
        human = await ringing.answer()
        await hears(phase, callees, human)
        await call.hang_up(LEAVES[leaves])
        await said(callees, human, word(HandoffWord.CALLER_LEFT, "en-US"))
        await human.ended()
    left = "the caller's line was lost" if LEAVES[leaves] else "the caller hung up first"
    assert came(await record(stack, sip_id(call))) == [left]


async def test_a_human_whose_line_is_lost_as_they_are_told_is_missed_by_nobody(
    stack: Stack, caller: Phone, callees: Phone
) -> None:
    call = await wants_a_person(caller, WARM)
    human = await (await callees.rung()).answer()
    await hears("deciding", callees, human)
    await call.hang_up()
    await human.wait(1.0)  # in the midst of those words
    await human.hang_up(LOST)
    assert came(await record(stack, sip_id(call))) == ["the caller hung up first"]


@pytest.mark.parametrize("phase", ["ringing", "whispering"])
async def test_whoever_is_behind_falls_silent_once_another_takes_it(
    stack: Stack, caller: Phone, callees: Phone, phase: str
) -> None:
    call = await wants_a_person(caller, ALL)
    slow, quick = await callees.rung(), await (await callees.rung()).answer()
    # A phone rings for a few seconds only: less than a whisper takes.
    late = await slow.answer() if phase == "whispering" else None
    await hears("whispering", callees, quick)
    if late is not None:
        await hears("whispering", callees, late)
    await quick.press("1")
    if late is None:
        await slow.given_up(3.0)
    else:
        await late.ended(5.0)
        assert not heard(late, OURS)
    await talk(call, quick)
    await quick.hang_up()
    await call.ended()
    assert sorted(came(await record(stack, sip_id(call), ending="served"))) == ["beaten", "taken"]
