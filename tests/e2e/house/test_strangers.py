"""SIPp, which nobody here wrote, as somebody of a team and as the caller of a menu."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from gateway.phone.phone import Phone
from tests.e2e import sipp_steps as steps
from tests.e2e.gateway import Stack
from tests.e2e.house.conftest import Places
from tests.e2e.rtp_probe import rtp_probe
from tests.e2e.servers import until
from tests.e2e.sipp import CALLER, callee, sipp
from tests.e2e.test_calls import latest, record, sip_id
from tests.e2e.test_house import OURS, THEIRS, tone

pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.timeout(120)]

TEAM, MENU = "+15105550781", "+15105550782"


async def test_sipp_takes_a_teams_call(stack: Stack, caller: Phone, places: Places, tmp_path: Path) -> None:
    async with (
        rtp_probe() as human,
        callee(tmp_path, "callee_hung_up_on", rtp=human.port, fill={"ring": "500"}, port=places.sipp) as (stranger, _),
    ):
        call = await caller.dial(TEAM)
        await call.answered()
        human.tone = THEIRS
        await call.tone([THEIRS], 15, 0.5)
        saying = asyncio.create_task(call.say(tone(OURS, 3.0)))
        await human.hears(OURS)
        await saying
        await call.hang_up()
        await stranger.ended()
        found = await record(stack, sip_id(call), ending="served")
        assert [leg["member"] for leg in found["legs"]] == ["sipp"]


async def test_sipp_chooses_in_a_menu_by_keys_of_its_own(stack: Stack, callees: Phone, tmp_path: Path) -> None:
    host, _, port = stack.sip.partition(":")
    ringing = steps.expect(180, dialog=True)
    scenario = steps.scenario(
        steps.invite(), ringing, steps.expect(200), steps.ack(), steps.until_told(), steps.respond(200),
        steps.request("BYE"), steps.expect(200, dialog=False),
    )  # fmt: skip
    async with (
        rtp_probe() as media,
        sipp(tmp_path, scenario, (host, int(port)), MENU, rtp=media.port, pause=20) as stranger,
    ):
        await until(lambda: len(media.heard) > 40, 15)  # the menu speaks
        media.press(2)
        rung = await callees.rung()
        assert rung.caller == CALLER
        human = await rung.answer()
        media.tone = OURS
        await human.tone([OURS], 15, 0.5)
        saying = asyncio.create_task(human.say(tone(THEIRS, 3.0)))
        await media.hears(THEIRS)
        await saying
        stranger.go_on()
        await human.ended()
        await stranger.ended()
    found = await latest(stack, MENU)
    assert (found["ending"], found["hung_up_by"]) == ("served", "caller")
