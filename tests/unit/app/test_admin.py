"""Every process's HTTP endpoint."""

from __future__ import annotations

import socket

import aiohttp
import pytest

from gateway.app.admin import admin
from gateway.config import Settings, from_environment
from gateway.errors import SetupFault


def _settings(port: int) -> Settings:
    return from_environment({"OFFHOOK_HTTP_PORT": str(port)})


@pytest.fixture
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def test_health_readiness_and_metrics(free_port: int) -> None:
    reasons = ["Redis does not answer"]
    async with (
        admin(_settings(free_port), lambda: reasons[0] if reasons else ""),
        aiohttp.ClientSession(f"http://127.0.0.1:{free_port}") as client,
    ):
        async with client.get("/healthz") as answer:
            assert answer.status == 200
        async with client.get("/readyz") as answer:
            assert (answer.status, await answer.text()) == (503, "Redis does not answer\n")
        reasons.clear()
        async with client.get("/readyz") as answer:
            assert answer.status == 200
        async with client.get("/metrics") as answer:
            assert "offhook_unexpected_errors" in await answer.text()


async def test_a_port_in_use_is_one_sentence_with_its_remedy(free_port: int) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", free_port))
        taken.listen()
        with pytest.raises(SetupFault, match="in use") as caught:
            async with admin(_settings(free_port), lambda: ""):
                pass
    assert "OFFHOOK_HTTP_PORT" in caught.value.remedy
