"""Who is put on hold by a phone, and who is cut off: what both hear, and what the record says."""

from __future__ import annotations

import numpy as np
import pytest

from gateway.calls.words import word
from gateway.calls.words.handoff import HandoffWord
from gateway.edge.hold import LISTENS
from gateway.phone.call import Call
from gateway.phone.phone import Phone
from gateway.rtp import RATE
from gateway.rtp.session import Timeouts
from gateway.sip.sdp import Direction
from tests.contract.sip.differences import differs
from tests.e2e.gateway import Stack
from tests.e2e.records import record, sip_id
from tests.e2e.test_callbacks import comes_to, takes, where_it_is_day
from tests.e2e.test_handoff import LOST, WARM, callees, caller, came, rung_back
from tests.e2e.test_house import THEIRS, said, talk, tone
from tests.e2e.test_third import taken

__all__ = ["callees", "caller"]

pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.timeout(120)]

SOMEBODY = where_it_is_day()
HOLD = differs("hold")
LEFT_ALONE = "+15105550647"
"""Whose plan rings nobody back."""
LONGER = Timeouts().later + 2.0
"""Seconds after which a caller who sends nothing would have been hung up on."""
MUSIC_PAUSES = 2.0
"""Seconds of which the caller hears something at least once while music plays."""


def seconds_heard(call: Call, since: float) -> list[bool]:
    """Of each MUSIC_PAUSES since then, whether anything was to be heard."""
    heard = call.tape.between(call.tape.heard, since, call.tape.now)
    size = round(MUSIC_PAUSES * RATE)
    return [bool(np.abs(heard[at : at + size].astype(int)).max() > 300) for at in range(0, len(heard) - size, size)]


async def music(call: Call) -> None:
    """The caller hears music, without a pause that is longer than its own."""
    since = call.tape.now
    await call.wait(MUSIC_PAUSES * 2 + 0.5)
    assert all(seconds_heard(call, since))


@HOLD
async def test_a_phone_that_holds_is_waited_for_and_the_caller_hears_music(
    stack: Stack, caller: Phone, callees: Phone
) -> None:
    """For longer than an ordinary line may be silent; then both hear each other again."""
    call, human = await taken(caller, callees)
    await callees.hold(human, Direction.INACTIVE)
    await call.wait(1.0)
    since, quiet = call.tape.now, human.tape.now
    await call.wait(LONGER)
    assert all(seconds_heard(call, since))
    assert not any(seconds_heard(human, quiet)), "who holds hears nobody"
    await callees.hold(human, Direction.SENDRECV)
    await talk(call, human)
    await human.hang_up()
    await call.ended()
    found = await record(stack, sip_id(call), ending="served", hung_up_by="human")
    [eve] = found["handoffs"]
    assert LONGER <= eve["held"] <= min(LONGER + 4.0, eve["talk"])
    assert came(found) == ["taken"]


@HOLD
async def test_who_plays_music_of_their_own_is_heard_and_ours_isnt(stack: Stack, caller: Phone, callees: Phone) -> None:
    call, human = await taken(caller, callees)
    await callees.hold(human, Direction.SENDONLY)
    since = call.tape.now
    await human.say(tone(THEIRS, LISTENS * 2))
    heard = call.tape.between(call.tape.heard, since, call.tape.now)[round(0.4 * RATE) : round(LISTENS * RATE)]
    spectrum = np.abs(np.fft.rfft(heard.astype(float)))
    at = round(THEIRS * len(heard) / RATE)
    assert spectrum[at - 3 : at + 4].max() ** 2 > 0.5 * (spectrum[5:] ** 2).sum() / 2, "the tone alone"
    await call.wait(LISTENS + 1.5)
    await music(call)  # they play nothing any more: we do
    await callees.hold(human, Direction.SENDRECV)
    await talk(call, human)
    await call.hang_up()
    await human.ended()
    found = await record(stack, sip_id(call))
    assert [note["about"]["hold"] for note in found["notes"] if note["kind"] == "hold"] == ["music", "silent", None]


@HOLD
async def test_who_is_gone_just_after_they_put_the_caller_on_hold_is_rung_back(
    stack: Stack, caller: Phone, callees: Phone
) -> None:
    call, human = await taken(caller, callees)
    await call.wait(2.5)  # a BYE in the first second is no goodbye anyway
    await callees.hold(human, Direction.INACTIVE)
    await human.hang_up()
    await rung_back(stack, caller, call, callees)


@LOST
@pytest.mark.parametrize("number", [LEFT_ALONE, WARM])
async def test_the_plan_says_whether_a_lost_line_is_rung_back(
    stack: Stack, caller: Phone, callees: Phone, number: str
) -> None:
    call, human = await taken(caller, callees, number)
    await human.hang_up("Q.850;cause=41")
    if number == WARM:
        await (await callees.rung()).given_up(40.0)
        await call.hang_up()
    else:
        await call.ended()
        assert came(await record(stack, sip_id(call), ending="served", hung_up_by="human")) == ["taken"]


@LOST
async def test_a_caller_whose_line_is_lost_is_called_back(stack: Stack, phone_target: str, callees: Phone) -> None:
    """The human they talked with hears so, and is rung first."""
    async with Phone(phone_target, caller=SOMEBODY) as caller:
        call, human = await taken(caller, callees)
        await call.hang_up("Q.850;cause=41")
        await said(callees, human, word(HandoffWord.CALLER_CUT_OFF, "en-US"))
        await human.ended()
        found = await record(stack, sip_id(call), hung_up_by="network")
        assert came(found) == ["taken", "caller cut off"]
        again = await takes(callees, 40.0)
        ringing = await callees.rung()
        assert ringing.dialed == SOMEBODY
        theirs = await ringing.answer()
        await talk(theirs, again)
        await theirs.hang_up()
        await again.ended()
        booked = await comes_to(stack, call, "done")
        assert (booked["number"], booked["tries"], booked["team"]) == (SOMEBODY, 1, "one")
