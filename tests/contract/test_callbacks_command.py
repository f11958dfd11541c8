"""`offhook callbacks`: what it lists, and what it agrees on."""

from __future__ import annotations

import asyncio
import json
import time
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner

from gateway.app.records import open_records
from gateway.callbacks.machine import Booking, booked
from gateway.cli.callbacks import command
from gateway.config import from_environment
from gateway.errors import Refused
from gateway.records.bookings import put
from gateway.records.rows import lock_calls
from gateway.terms.call import CallId
from gateway.terms.callback import Terms
from gateway.terms.personal import Number

LA = ZoneInfo("America/Los_Angeles")
TOMORROW = (datetime.fromtimestamp(time.time(), LA) + timedelta(days=1)).date()


def run(*arguments: str) -> str:
    done = CliRunner().invoke(command, list(arguments), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


@pytest.fixture
def one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Booking:
    for name, value in {"OFFHOOK_STATE": str(tmp_path / "state"), "COLUMNS": "140"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    call, now = CallId("SCL_abc"), time.time()
    terms = Terms("sales", "America/New_York")
    made = booked(call, Number("+15105550142"), now + 3600, 3600.0, now, terms)

    async def keep() -> None:
        engine = await open_records(from_environment({"OFFHOOK_STATE": str(tmp_path / "state")}))
        async with engine.begin() as connection:
            await lock_calls(connection, {call: now})
            await put(connection, made)
        await engine.dispose()

    asyncio.run(keep())
    return made


def test_a_callback_is_listed_shown_and_cancelled(one: Booking) -> None:
    assert one.id[:8] in run("list")
    assert "+1 510-555-0142" in run("show", one.id[:6])
    assert json.loads(run("show", "SCL_abc", "--json"))["state"] == "booked"
    assert "is cancelled" in run("cancel", one.id)
    assert "Nobody waits" in run("list")
    assert "cancelled" in run("list", "--all")
    with pytest.raises(Refused, match="is cancelled"):
        run("cancel", one.id)


def test_another_time_is_agreed_on_and_never_at_night_where_the_callee_is(one: Booking) -> None:
    with pytest.raises(Refused, match="night"):
        run("reschedule", one.id, "--at", f"{TOMORROW} 10:30")  # half past seven in California
    with pytest.raises(Refused, match="past"):
        run("reschedule", one.id, "--at", "2020-01-01 12:00")
    with pytest.raises(Refused):
        run("reschedule", one.id, "--at", "when it rains")
    run("reschedule", one.id, "--at", f"{TOMORROW} 11:00")
    found = json.loads(run("show", one.id, "--json"))
    assert (datetime.fromisoformat(found["at"]).astimezone(LA).hour, found["sequence"]) == (8, 1)


def test_one_that_was_made_by_hand_is_ticked_off(one: Booking) -> None:
    assert "is done" in run("done", one.id)
    assert json.loads(run("list", "--all", "--json"))[0]["state"] == "done"
    with pytest.raises(Refused, match="no callback"):
        run("show", "zzz")
