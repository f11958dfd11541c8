"""One gateway for the tests that place calls."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.gateway import Stack, running_gateway


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The gateway; when the tests are over nothing of it may be left."""
    with running_gateway(tmp_path_factory.mktemp("state"), OFFHOOK_LOG_LEVEL="debug") as found:
        yield found


@pytest.fixture(scope="session")
def phone_target(stack: Stack) -> str:
    """Where the tests' phone dials."""
    return stack.sip
