"""One gateway for what needs people, trunks, hours and sounds of its own; it overrides the other tests' gateway."""

from __future__ import annotations

import wave
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.e2e.gateway import Stack, running_gateway
from tests.e2e.servers import free_port
from tests.e2e.test_house import callees, caller, tone

__all__ = ["callees", "caller"]

OWN, SHOWN = "+15105550190", "+15105550763"
"""Numbers of the trunks: the first of each, and one that callers dial."""
CHOOSE, WAITING = 700.0, 500.0
"""Hz: what the plan's WAVs hold."""
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
"""What webhooks are signed with."""


@dataclass(frozen=True)
class Places:
    """Where the gateway finds what a test serves itself."""

    hook: int
    """HTTP port at which people are told of messages."""
    sipp: int
    """UDP port of the trunk `sipp`."""
    later: str
    """The day of the week, three days from now, at which the hours `in-three-days` open."""


@pytest.fixture(scope="session")
def places() -> Places:
    """See the class."""
    return Places(free_port(), free_port(), f"{_now() + timedelta(days=3):%A}")


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory, places: Places) -> Iterator[Stack]:
    """The gateway; when the tests are over nothing of it may be left."""
    trunks = [
        {"name": "slow", "calls_per_second": 1, "caller_id": "own"},
        {"name": "own", "numbers": [OWN], "caller_id": "own"},
        {"name": "dialed", "numbers": [OWN, SHOWN], "caller_id": "dialed"},
        {"name": "sipp", "address": f"127.0.0.1:{places.sipp}"},
    ]
    plans = _plans(tmp_path_factory.mktemp("plans"), places)
    settings = {"OFFHOOK_LOG_LEVEL": "debug", "OFFHOOK_WEBHOOK_SECRET": SECRET}
    with running_gateway(tmp_path_factory.mktemp("state"), plans, trunks, **settings) as found:
        yield found


@pytest.fixture(scope="session")
def phone_target(stack: Stack) -> str:
    """Where the tests' phone dials."""
    return stack.sip


def _now() -> datetime:
    """Now in the plan's zone."""
    return datetime.now(UTC) + timedelta(hours=_ahead())


def _ahead() -> int:
    """Hours by which a zone is ahead of UTC where it is about noon, so that no test sees a day end."""
    return 12 - datetime.now(UTC).hour


def _plans(directory: Path, places: Places) -> Path:
    today = _now().date()
    fill = {
        "{zone}": f"Etc/GMT{-_ahead():+d}",  # POSIX's sign: Etc/GMT-3 is ahead
        "{tomorrow}": f"{today + timedelta(days=1):%Y %b %d}",
        "{later}": f"{today + timedelta(days=3):%Y %b %d}",
        "{hook}": f"http://127.0.0.1:{places.hook}/hook",
    }
    text = (Path(__file__).parent / "plan.yaml").read_text()
    for name, value in fill.items():
        text = text.replace(name, value)
    (directory / "main.yaml").write_text(text)
    for name, frequency, seconds in (("choose", CHOOSE, 2.0), ("waiting", WAITING, 4.0)):
        with wave.open(str(directory / f"{name}.wav"), "wb") as out:
            out.setnchannels(1)
            out.setsampwidth(2)
            out.setframerate(8000)
            out.writeframes(tone(frequency, seconds).tobytes())
    return directory
