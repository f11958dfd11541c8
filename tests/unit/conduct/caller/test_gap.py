"""A caller's keys as the call's jobs hear them, by what our SIP service does: each once, in their order."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from livekit import rtc

from gateway.conduct.caller.counting import Pressed
from gateway.conduct.caller.gap import AGAIN, HOLDS_FOR, WITHIN, Gap
from gateway.edge.keys import Keys
from gateway.tasks import cancelled
from gateway.terms.gap import KEPT_FOR, KEYS, NEXT, NOT_YET, TOLD, proof
from tests.unit.conduct import virtual

CALLER = "sip_1"
ROOM = "call-_a"
SECRET = "a secret"
SOON = 0.01


class Line:
    """A caller's line: the SIP service with its room, in which packets come in order. `fails` says how each call of the RPC
    fails, in turn: "lost", "unanswered", "not yet"; "" for one that doesn't."""

    def __init__(self, fails: Iterable[str] = ()) -> None:
        self.keys = Keys("call", SECRET)
        self.jobs: list[Job] = []
        self.kept: list[str] = []
        """What jobs have acted on and kept: the call's checkpoint."""
        self.last_key = 0
        """The number of the last of them."""
        self.epoch = 1
        """Whose job may keep anything."""
        self.fails = iter(fails)
        self.unreached = 0.0
        """Until when the service doesn't reach its room."""
        self.name, self.remote_participants = ROOM, dict[str, Any]()
        self.local_participant = self
        self._sending = asyncio.create_task(self.keys.send(cast(rtc.Room, self)))

    async def publish_dtmf(self, *, code: int, digit: str) -> None:
        if asyncio.get_running_loop().time() < self.unreached:
            raise rtc.participant.PublishDTMFError("The connection is closed.")
        for job in self.jobs:
            job.gap.pressed(digit)

    async def publish_data(self, payload: str, *, destination_identities: list[str], topic: str) -> None:
        if asyncio.get_running_loop().time() < self.unreached:
            raise rtc.participant.PublishDataError("The connection is closed.")
        for job in self.jobs:
            if job.identity in destination_identities:
                job.told(payload, CALLER, topic)

    async def press(self, keys: str) -> None:
        for key in keys:
            self.keys.press(key)
        await asyncio.sleep(SOON)

    async def close(self) -> None:
        await cancelled(self._sending)
        for job in self.jobs:
            await job.close()


class Job:
    """A job in the line's room. It is its own room, and its own participant. `lag`: seconds from its hearing a key until what
    came of it is kept."""

    def __init__(self, line: Line, number: int = 1, secret: str = SECRET, lag: float = 0.0) -> None:
        self.identity, self.name, self.local_participant = f"agent-{number}", ROOM, self
        self.heard: list[str] = []
        self.missed: list[str] = []
        self.asked: list[dict[str, Any]] = []
        self.sure = True
        self._line, self._epoch = line, number
        line.epoch = max(line.epoch, number)
        self._on: dict[str, Callable[..., None]] = {}
        self.gap = Gap(
            cast(Any, self),
            CALLER,
            self._hear,
            follows=number > 1,
            acted=line.last_key,
            prove=partial(proof, secret),
            sure=lambda: self.sure,
        )
        self._lag = lag
        self._acts: asyncio.Queue[Pressed] = asyncio.Queue()
        self._acting = asyncio.create_task(self._act())
        line.jobs.append(self)

    def _hear(self, one: Pressed) -> None:
        self.heard.append(one.key)
        self.missed += [one.key] * one.missed
        if self._lag:
            self._acts.put_nowait(one)
        else:
            self._keep(one)

    async def _act(self) -> None:
        while True:
            one = await self._acts.get()
            await asyncio.sleep(self._lag)
            self._keep(one)

    def _keep(self, one: Pressed) -> None:
        if self._epoch != self._line.epoch:
            return
        self._line.kept.append(one.key)
        self._line.last_key = one.number or self._line.last_key
        self.gap.act(self._line.last_key)

    def on(self, event: str, handler: Callable[..., None]) -> None:
        self._on[event] = handler

    def reconnect(self) -> None:
        self._on["reconnected"]()

    def told(self, payload: str, sender: str, topic: str = KEYS) -> None:
        who = cast(Any, self)
        if sender != self.identity:
            who = type("Sender", (), {"identity": sender})()
        self._on["data_received"](rtc.DataPacket(payload.encode(), 0, who, topic))

    async def perform_rpc(
        self,
        *,
        destination_identity: str,
        method: str,
        payload: str,
        response_timeout: float,
        max_round_trip_latency: float,
    ) -> str:
        assert (destination_identity, method) == (CALLER, KEYS)
        self.asked.append(json.loads(payload))
        how = next(self._line.fails, "")
        if how == "refused":
            raise rtc.RpcError(rtc.RpcError.ErrorCode.UNSUPPORTED_METHOD, "What?")
        if how == "not yet":
            raise rtc.RpcError(NOT_YET, "Who are you?")
        if how == "lost":
            await asyncio.sleep(9 * WITHIN)
        called = rtc.RpcInvocationData("1", self.identity, payload, response_timeout)
        answer = self._line.keys.asked(cast(Any, self._line), called)
        await asyncio.sleep(9 * WITHIN if how else 0.001)
        return answer

    async def close(self) -> None:
        await cancelled(self.gap.asking, self._acting)

    async def die(self) -> None:
        self._line.jobs.remove(self)
        await self.close()


def test_what_was_pressed_meanwhile_comes_first_and_nothing_twice() -> None:
    async def scene() -> tuple[Job, Job]:
        line = Line()
        first = Job(line)
        first.gap.close()
        await line.press("12")
        await first.die()
        await line.press("34")
        second = Job(line, 2)
        await line.press("5")  # by its own packet: the job is in the room already
        assert second.heard == [], "what came before isn't known yet"
        second.gap.close()
        await asyncio.sleep(SOON)
        await line.press("6")
        second.gap.close()
        await line.close()
        return first, second

    first, second = virtual.run(scene())
    assert (first.heard, second.heard, second.missed) == ([*"12"], [*"3456"], [*"345"])


@pytest.mark.parametrize("fails", ["lost", "unanswered", "not yet"])
def test_a_job_asks_until_it_is_answered(fails: str) -> None:
    async def scene() -> Job:
        line = Line([fails] * 3)
        await line.press("1")
        job = Job(line, 2)
        job.gap.close()
        await asyncio.sleep(4 * (WITHIN + AGAIN))
        await line.press("2")
        await line.close()
        return job

    assert virtual.run(scene()).heard == ["1", "2"]


@pytest.mark.parametrize(("fails", "within"), [("refused", SOON), ("lost", HOLDS_FOR)])
def test_a_service_that_keeps_none_or_isnt_reached_costs_no_key_that_was_heard(fails: str, within: float) -> None:
    async def scene() -> Job:
        line = Line([fails] * 99)
        job = Job(line, 2)
        job.gap.close()
        await line.press("5")
        await asyncio.sleep(within)
        job.told(json.dumps({TOLD: [*"15"], NEXT: 3}), CALLER)  # too late to be told from what has come
        await line.press("6")
        await line.close()
        return job

    assert virtual.run(scene()).heard == ["5", "6"]


def test_nobody_else_tells_keys_and_no_job_of_another_secret_is_told_any() -> None:
    async def scene() -> tuple[Job, Job]:
        line = Line()
        await line.press("2")
        stranger, job = Job(line, 2, "another secret"), Job(line, 3)
        stranger.gap.close()
        await asyncio.sleep(SOON)
        said = json.dumps({TOLD: ["1"], NEXT: 2})
        job.told(said, "human")
        job.told(said, CALLER, "chat")
        job.told("[]", CALLER)
        job.gap.close()
        await asyncio.sleep(SOON)
        stranger_heard, stranger.heard = stranger.heard, []
        assert stranger_heard == []
        await line.close()
        return stranger, job

    assert virtual.run(scene())[1].heard == ["2"]


def test_a_job_that_has_slept_leaves_its_keys_to_the_next_and_doesnt_tell_what_the_next_hears() -> None:
    async def scene() -> Job:
        line = Line()
        sleeper = Job(line)
        sleeper.gap.close()
        await line.press("1")
        sleeper.sure = False
        line.epoch = 2
        await line.press("23")
        second = Job(line, 2)
        second.gap.close()
        await asyncio.sleep(SOON)
        sleeper.sure = True  # not in time
        await asyncio.sleep(AGAIN)
        line.jobs.remove(second)
        await line.press("4")  # which the sleeper hears, and nobody else
        await sleeper.die()
        third = Job(line, 3)
        third.gap.close()
        await asyncio.sleep(SOON)
        await line.close()
        await second.close()
        assert second.heard == ["2", "3"]
        return third

    assert virtual.run(scene()).heard == ["4"]


@pytest.mark.parametrize("whose", ["service", "job"])
def test_keys_that_never_reached_the_job_are_not_taken_for_its_next(whose: str) -> None:
    """Who counts on would say it has heard one less than it has, and the next job would hear that one twice."""

    async def scene() -> Job:
        line = Line()
        job = Job(line)
        job.gap.close()
        await line.press("1")
        if whose == "service":
            line.unreached = asyncio.get_running_loop().time() + 9.0
            await line.press("2")
            await asyncio.sleep(10.0)
        else:
            line.jobs.remove(job)
            await line.press("2")
            line.jobs.append(job)
            job.reconnect()
            await asyncio.sleep(SOON)
        await line.press("3")
        await asyncio.sleep(SOON)
        await job.die()
        second = Job(line, 2)
        second.gap.close()
        await line.press("4")
        await line.close()
        assert job.heard == ["1", "3"]
        return second

    assert virtual.run(scene()).heard == ["4"]


def test_a_key_of_long_ago_is_told_to_nobody() -> None:
    async def scene() -> Job:
        line = Line()
        await line.press("1")
        await asyncio.sleep(KEPT_FOR)
        await line.press("2")
        job = Job(line, 2)
        job.gap.close()
        await asyncio.sleep(SOON)
        await line.close()
        return job

    assert virtual.run(scene()).heard == ["2"]


async def died_amid(lag: float) -> tuple[Line, Job]:
    """Two keys were pressed when a job died that needs so long for each: its line, and the job that follows."""
    line = Line()
    first = Job(line, lag=lag)
    first.gap.close()
    await asyncio.sleep(SOON)
    await line.press("1")
    await line.press("2")
    await first.die()
    second = Job(line, 2)
    second.gap.close()
    await line.press("3")
    await line.close()
    return line, second


def test_a_key_that_was_heard_and_not_acted_on_is_the_next_jobs() -> None:
    line, second = virtual.run(died_amid(9.0))
    assert (second.heard, line.kept) == ([*"123"], [*"123"])


def test_a_key_of_which_it_was_kept_what_came_isnt_heard_again() -> None:
    """Whoever dies before they could tell the service so."""
    line, second = virtual.run(died_amid(SOON))
    assert (second.heard, line.kept) == ([*"23"], [*"123"])

    async def scene() -> Job:
        line = Line(["", *["lost"] * 9])
        first = Job(line)
        first.gap.close()
        await asyncio.sleep(SOON)
        await line.press("12")
        await first.die()
        line.fails = iter(())
        second = Job(line, 2)
        second.gap.close()
        await line.press("3")
        await line.close()
        return second

    assert virtual.run(scene()).heard == ["3"]


def test_whoever_goes_on_with_an_entry_waits_for_the_keys_of_the_gap_but_not_for_ever() -> None:
    async def scene(fails: list[str]) -> tuple[list[str], float]:
        line = Line(fails)
        await line.press("1")
        job = Job(line, 2)
        job.gap.close()
        began = asyncio.get_running_loop().time()
        await job.gap.closed(WITHIN)
        heard, took = list(job.heard), asyncio.get_running_loop().time() - began
        await line.close()
        return heard, took

    heard, took = virtual.run(scene([]))
    assert heard == ["1"]
    assert took < SOON
    assert virtual.run(scene(["refused"])) == ([], 0.0), "another service tells none"
    assert virtual.run(scene(["lost"] * 9)) == ([], WITHIN)


_FAILS = st.sampled_from(["", "lost", "unanswered", "not yet"])
_PART = st.text("0123456789*#", max_size=3)
_LAGS = st.sampled_from([0.0, SOON, WITHIN, 99.0])
_LIVES = st.tuples(_PART, _PART, _PART, st.booleans(), st.lists(_FAILS, max_size=4), _LAGS)
"""A job's life: keys before it comes, before it listens, and after; whether it dies before it is answered; how what it asks
and tells fails; and how long it takes for a key."""


@given(st.lists(_LIVES, min_size=1, max_size=4))
def test_each_key_is_acted_on_once_by_whichever_job_through_any_deaths(lives: list[tuple[Any, ...]]) -> None:
    async def scene() -> tuple[list[str], list[str]]:
        line, pressed = Line(), list[str]()
        last = ("", "", "", False, [], 0.0)
        for number, life in enumerate([last, *lives, last], 1):
            gone, came, there, early, fails, lag = life
            line.fails = iter(fails)
            await line.press(gone)
            job = Job(line, number, lag=lag)
            await line.press(came)
            pressed += gone + came
            if not early:
                job.gap.close()
                for key in there:
                    await line.press(key)
                    await asyncio.sleep(WITHIN / 2)
                pressed += there
                await asyncio.sleep((len(fails) + 2) * (WITHIN + AGAIN) if life is last else SOON)
            await job.die()
        await line.close()
        return pressed, line.kept

    pressed, kept = virtual.run(scene())
    assert kept == pressed
