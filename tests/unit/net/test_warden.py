"""What an operator is told of strangers who are shut out."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from gateway.net import warden
from gateway.net.warden import LINES, Warden
from gateway.sip.gate import STRIKES, Gate

pytestmark = pytest.mark.timeout(20)


async def test_each_is_told_of_and_of_a_crowd_the_number(monkeypatch: pytest.MonkeyPatch) -> None:
    later = asyncio.Event()
    with capture_logs() as logs:
        one = Warden(Gate())
        monkeypatch.setattr(warden, "SUMMED_UP", 0.05)
        for number in range(LINES + 300):
            for _ in range(round(STRIKES) + 1):
                one.disturbed((f"10.0.{number >> 8}.{number & 255}", 5060))
        told = len(logs)
        assert told in range(LINES, LINES + 3), "a line more comes due each three seconds"
        asyncio.get_running_loop().call_later(0.1, later.set)
        await later.wait()
    assert {line["event"] for line in logs[:-1]} == {"sip.shut_out"}
    assert logs[-1]["sources"] == LINES + 300 - told


async def test_without_a_gate_everybody_is_known_and_heard() -> None:
    one = Warden()
    assert one.knows(("192.0.2.1", 5060))
    assert not one.shuts_out(("192.0.2.1", 5060))
    assert not one.refuses(b"User-Agent: friendly-scanner", ("192.0.2.1", 5060))
