"""One gateway for the tests that place calls."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.gateway import Stack, running_gateway

PATIENT = "8"
"""Seconds until a caller is told to hold on: a busy machine is slow, and callers of tests take what they hear for the
answer. tests/e2e/test_providers.py has it as it is."""


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The gateway; when the tests are over nothing of it may be left."""
    more = {"OFFHOOK_LOG_LEVEL": "debug", "OFFHOOK_HOLD_SECONDS": PATIENT}
    with running_gateway(tmp_path_factory.mktemp("state"), **more) as found:
        yield found


@pytest.fixture(scope="session")
def phone_target(stack: Stack) -> str:
    """Where the tests' phone dials."""
    return stack.sip
