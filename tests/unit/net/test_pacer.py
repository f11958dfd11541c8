from __future__ import annotations

import asyncio
import os
import queue
import subprocess
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.net.pacer import CATCH_UP, Pacer, Tick, plan
from gateway.rtp import FRAME_SECONDS


def test_on_time_one_frame_is_due() -> None:
    assert plan(10.0, 10.0) == Tick(10.0, 1, 0)
    assert plan(10.0, 10.019) == Tick(10.0, 1, 0)
    assert plan(10.0, 9.999) == Tick(10.0, 1, 0), "a clock that reads early changes nothing"


def test_a_short_stall_is_caught_up_with() -> None:
    assert plan(10.0, 10.045) == Tick(10.0, 3, 0)


def test_after_a_long_stall_time_is_skipped_instead_of_a_burst() -> None:
    tick = plan(10.0, 10.5)
    assert (tick.frames, tick.skipped) == (1, 24 if tick.skipped == 24 else 25)
    assert tick.at == 10.0 + tick.skipped * FRAME_SECONDS


@given(st.floats(0, 1e6), st.floats(-0.01, 3600))
def test_no_time_is_lost_or_made_up(due: float, late: float) -> None:
    tick = plan(due, due + late)
    assert 1 <= tick.frames <= 1 + CATCH_UP
    following = due + (tick.frames + tick.skipped) * FRAME_SECONDS
    assert following > due + late - 1e-6, "the next tick isn't overdue already"
    assert following - (due + late) <= FRAME_SECONDS + max(0.0, -late) + 1e-6


async def test_it_ticks_while_running_and_ends() -> None:
    ticks: list[Tick] = []
    enough = threading.Event()

    def beat(tick: Tick) -> None:
        ticks.append(tick)
        if len(ticks) >= 10:
            enough.set()

    pacer = Pacer(beat)
    pacer.start()
    assert ticks == [], "nothing before resume"
    pacer.resume()
    assert await asyncio.to_thread(enough.wait, 20)
    await asyncio.to_thread(pacer.stop)
    count = len(ticks)
    due = [tick.at for tick in ticks]
    steps = [tick.frames for tick in ticks[:-1]]
    skipped = [tick.skipped for tick in ticks[1:]]
    for before, after, frames, gap in zip(due, due[1:], steps, skipped, strict=False):
        assert round((after - before) / FRAME_SECONDS - frames - gap, 6) == 0, "deadlines are absolute"
    assert len(ticks) == count


@pytest.fixture
def permitted() -> bool:
    """Whether this process may have real time."""
    return subprocess.run(["chrt", "-r", "1", "true"], capture_output=True, check=False).returncode == 0


async def test_its_thread_has_real_time_where_that_is_permitted_and_others_have_not(permitted: bool) -> None:
    found: queue.SimpleQueue[int] = queue.SimpleQueue()
    pacer = Pacer(lambda _: found.put(os.sched_getscheduler(threading.get_native_id())))
    pacer.start()
    pacer.resume()
    policy = await asyncio.to_thread(found.get, True, 5)
    await asyncio.to_thread(pacer.stop)
    assert (policy & ~os.SCHED_RESET_ON_FORK == os.SCHED_RR) == permitted
    assert (pacer.precedence == "real time") == permitted
    assert os.sched_getscheduler(threading.get_native_id()) == os.SCHED_OTHER


async def test_one_that_never_ran_can_be_stopped() -> None:
    pacer = Pacer(lambda _: None)
    pacer.start()
    await asyncio.to_thread(pacer.stop)
    Pacer(lambda _: None).stop()
