"""What an edge logs of calls, at its most talkative: nobody's number, no key, no password nor what proves one."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.e2e.edge_lab import NUMBERS
from tests.e2e.edge_process import edge_process
from tests.e2e.rtp_probe import rtp_probe
from tests.e2e.servers import LiveKit, until
from tests.e2e.sip_lab import SipLab, listening

pytestmark = pytest.mark.e2e
GUESS = "purple-giraffe"
POUND, STAR = 11, 10
PERSONAL = re.compile(r"5105550\d{3}|1234|acct-42|" + GUESS + r"|[0-9a-f]{32}|nonce=|Digest |inline:", re.IGNORECASE)
"""Numbers that call and are called, the PIN, a header of the caller's, the password, proofs and keys of media."""


async def test_no_number_key_or_secret_is_in_the_log(servers: tuple[str, LiveKit], tmp_path: Path) -> None:
    redis_url, livekit = servers
    logs, lk = tmp_path / "edge.log", livekit.api()
    try:
        async with edge_process(
            redis_url, livekit, logs=logs, OFFHOOK_LOG_LEVEL="debug", OFFHOOK_LOG_FORMAT="json"
        ) as edge:
            made = SipLab(tmp_path, livekit, lk, {"UDP": edge.address}, NUMBERS)
            async with listening(made, redis_url, lambda _: True):
                await _talks(made)
                await _guesses(made)
                await _keys_a_pin(made)
    finally:
        await lk.aclose()
    lines = [json.loads(line) for line in logs.read_text().splitlines() if line.startswith("{")]
    assert {"call came in", "call answered", "call ended"} <= {line["event"] for line in lines}
    assert not [line for line in lines if PERSONAL.search(json.dumps(line))]
    assert not [line for line in lines if any(str(value) in ("#", "*") for value in line.values())]


async def _talks(made: SipLab) -> None:
    async with (
        rtp_probe() as phone,
        made.caller("keys_by_info", rtp=phone.port, pause=9) as caller,
        made.agent() as agent,
    ):
        await phone.hears(600)
        phone.press(STAR)
        phone.press(POUND)
        await until(lambda: agent.keys == ["*", "#"])
        caller.go_on()
        await caller.ended()


async def _guesses(made: SipLab) -> None:
    refused = made.caller("signs_in_refused", NUMBERS.guarded, password=GUESS, status="403")
    async with refused as caller:
        await caller.ended()


async def _keys_a_pin(made: SipLab) -> None:
    async with rtp_probe() as phone, made.caller("call", NUMBERS.pin, rtp=phone.port, pause=9) as caller:
        await until(lambda: len(phone.heard) > 15)
        for code in (1, 2, 3, 4, POUND):
            phone.press(code)
        async with made.agent(1):
            await phone.hears(600)
            caller.go_on()
            await caller.ended()
