"""The pytest fixture `phone`: a telephone lab for tests of any agent that SIP reaches.

    # conftest.py
    pytest_plugins = ["gateway.phone.fixture"]

    # test_mine.py
    async def test_it_answers(phone):
        call = await phone.dial("+15105550100")
        await call.answered(within=5)
        await call.spoken()
        await phone.say(call, "A person, please.")
        await call.heard(within=3)

It dials OFFHOOK_SIP (host:port), else the gateway that `offhook up` runs on OFFHOOK_STATE (.offhook by default);
override the fixture `phone_target` to dial another address. Needs pytest-asyncio.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from gateway.phone.phone import Phone
from gateway.up import runfile


@pytest.fixture(scope="session")
def phone_target() -> str:
    """host:port of the SIP service; the test is skipped when there is none."""
    if given := os.environ.get("OFFHOOK_SIP"):
        return given
    found = runfile.read(Path(os.environ.get("OFFHOOK_STATE", ".offhook")))
    if found is None or not found.sip:
        pytest.skip("no SIP service: set OFFHOOK_SIP, or run 'offhook up'")
    return found.sip


@pytest_asyncio.fixture
async def phone(phone_target: str) -> AsyncIterator[Phone]:
    """A telephone; its calls are hung up when the test ends."""
    async with Phone(phone_target) as made:
        yield made
