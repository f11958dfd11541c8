"""Dial plans on a running gateway: what callers get by number, caller, hours, limits and shares, and how edits,
rollbacks and overrides reach it while calls come in."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from gateway.phone.call import Call, Unmet
from gateway.phone.phone import Phone
from tests.e2e.gateway import Stack, running_gateway
from tests.e2e.servers import free_port, until
from tests.e2e.test_house import talk

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

LIVE_WITHIN = 5.0
"""Seconds from a save, or an apply, until every control routes by it: one where a machine has nothing else to do."""
PLAN = """\
offhook: 1
country: US
timezone: America/New_York
human: callback
numbers:
  (510) 555-0100: edited
  (510) 555-0101: office-line
  (510) 555-0102: one-at-a-time
  (510) 555-0103: shared
  (510) 555-0104: desk
  (510) 555-0105: nobody
  (510) 555-0106: talking
callers:
  - {from: "+1 900 *", route: refuse}
  - {from: anonymous, to: (510) 555-0100, route: no-secrets}
  - {diverted_from: (510) 555-0199, route: came-round}
  - {attestation: C, route: unsure}
hours: {office: 24/7}
routes:
  edited: {reject: 480}
  office-line: {agent: echo, hours: office, closed: shut}
  one-at-a-time: {agent: echo, limits: {calls: 1}, full: busy}
  shared: {split: {50%: left, 50%: right}}
  desk: {team: reception, unanswered: line-check}
  nobody: {message: {otherwise: Please leave a message., notify: reception}}
  line-check: {agent: echo}
  talking: {agent: sales, greeting: What can I do for you?}
  left: {reject: 481}
  right: {reject: 482}
  shut: {reject: 483}
  busy: {reject: 486}
  refuse: {reject: 603}
  no-secrets: {reject: 433}
  came-round: {reject: 436}
  unsure: {reject: 437}
people: {ana: {call: +1 510 555 0111}}
teams: {reception: {members: [ana], notify: ["mailto:desk@acme.example"]}}
tests:
  - {to: +15105550100, expect: edited}
"""


class Line:
    """A gateway whose plan tests may change."""

    def __init__(self, stack: Stack, plans: Path) -> None:
        self.stack, self.plans = stack, plans
        self._applied = 0

    def offhook(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command on the gateway's plans."""
        environment = {**os.environ, "OFFHOOK_STATE": str(self.stack.state), "OFFHOOK_DIALPLANS": str(self.plans),
                       "COLUMNS": "120"}  # fmt: skip
        command = [sys.executable, "-m", "gateway", *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)

    def json(self, *arguments: str) -> Any:
        done = self.offhook(*arguments, "--json")
        assert done.returncode == 0, done.stderr + done.stdout
        return json.loads(done.stdout)

    def save(self, text: str) -> None:
        (self.plans / "main.yaml").write_text(text)

    def live(self, address: str = "") -> dict[str, Any]:
        """What a control says is in force."""
        with urllib.request.urlopen(f"{address or self.stack.run.http['control']}/plan", timeout=5) as answer:
            found: dict[str, Any] = json.load(answer)
            return found

    def metrics(self) -> bytes:
        """What control counts."""
        with urllib.request.urlopen(f"{self.stack.run.http['control']}/metrics", timeout=5) as answer:
            found: bytes = answer.read()
            return found

    async def number(self, number: int, address: str = "", within: float = 20.0) -> float:
        """Seconds until a control routes by that version."""
        started = time.monotonic()
        await until(lambda: self.live(address)["number"] == number, within)
        return time.monotonic() - started

    async def back(self) -> None:
        """The plan as it was at first, in force."""
        live = self.live()
        if (self.plans / "main.yaml").read_text() == PLAN and live["number"] == self._applied and not live["findings"]:
            return
        self.save(PLAN)
        await asyncio.to_thread(self.offhook, "plan", "apply")
        first = await asyncio.to_thread(self.json, "plan", "history", "--limit", "1")
        self._applied = first[0]["number"]
        await self.number(self._applied)


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Line]:
    plans = tmp_path_factory.mktemp("plans")
    (plans / "main.yaml").write_text(PLAN)
    with running_gateway(tmp_path_factory.mktemp("state"), plans) as stack:
        yield Line(stack, plans)


async def status(
    line: Line, number: str, caller: str = "+15105550177", headers: dict[str, str] | None = None
) -> int | None:
    """What a caller who rings is turned away with."""
    async with Phone(line.stack.sip, caller=caller) as phone:
        call = await phone.dial(number, headers=headers)
        await call.ended()
        return call.signalling.status


@pytest.mark.parametrize(
    ("number", "caller", "headers", "expected"),
    [
        ("+15105550100", "+15105550177", {}, 480),
        ("+15105550100", "+19005551212", {}, 603),
        ("+15105550100", "anonymous", {}, 433),
        ("+15105550100", "+15105550177", {"Diversion": "<sip:+15105550199@acme.example>;reason=no-answer"}, 436),
        ("+15105550100", "+15105550177", {"X-Twilio-VerStat": "TN-Validation-Passed-C"}, 437),
        ("+15105550999", "+15105550177", {}, 404),
    ],
)
async def test_callers_get_what_the_plan_says_with_its_exact_status(
    line: Line, number: str, caller: str, headers: dict[str, str], expected: int
) -> None:
    await line.back()
    assert await status(line, number, caller, headers) == expected
    said = [part for name, value in headers.items() for part in ("--header", f"{name}: {value}")]
    asked = ["plan", "simulate", "live", "--to", number, *said]
    found = line.json(*asked, "--from", caller)
    assert found["status"] == expected, "simulate says the same"


async def test_a_split_keeps_each_caller_on_one_side(line: Line) -> None:
    await line.back()
    callers = [f"+1415555{n:04}" for n in range(8)]
    first = [await status(line, "+15105550103", caller) for caller in callers]
    again = [await status(line, "+15105550103", caller) for caller in callers]
    assert first == again
    assert set(first) == {481, 482}


async def answered(phone: Phone, number: str) -> Call:
    call = await phone.dial(number)
    await call.answered()
    return call


async def test_a_team_and_a_message_answer(line: Line) -> None:
    await line.back()
    async with Phone(line.stack.sip) as phone:
        for number in ("+15105550104", "+15105550105"):
            call = await answered(phone, number)
            await call.hang_up()


async def test_a_route_bears_its_limit_and_is_free_again(line: Line) -> None:
    await line.back()
    await _bears_one(line)


async def _bears_one(line: Line) -> None:
    """Hold the route's one call while others ring, twice."""
    async with Phone(line.stack.sip) as phone:
        for _ in range(2):
            call = await answered(phone, "+15105550102")
            others = await asyncio.gather(*(status(line, "+15105550102") for _ in range(3)))
            assert others == [486, 486, 486]
            await call.hang_up()
            await call.ended()
            await asyncio.wait_for(_free(line, phone), 10)


async def _free(line: Line, phone: Phone) -> None:
    """Return once the route takes a call again: its end is told by LiveKit a moment later."""
    while (answer := await phone.dial("+15105550102")).signalling.answered is None:
        with suppress(Unmet):
            await answer.answered()
            await answer.hang_up()
            await answer.ended()
            return


async def test_an_edit_at_noon_loses_no_call_and_a_mistake_changes_nothing(line: Line) -> None:
    await line.back()
    before = line.live()["number"]
    async with Phone(line.stack.sip) as phone:
        call = await answered(phone, "+15105550101")
        line.save(PLAN.replace("edited: {reject: 480}", "edited: {reject: 488}"))
        assert await line.number(before + 1) < LIVE_WITHIN
        assert await status(line, "+15105550100") == 488
        line.save(PLAN.replace("edited: {reject: 480}", "edited: {rejct: 480}"))
        await until(lambda: bool(line.live()["findings"]))
        assert await status(line, "+15105550100") == 488
        finding = line.live()["findings"][0]
        assert finding.startswith("main.yaml:20:12: There is no 'rejct' in a route. Did you mean 'reject'?")
        screen = line.stack.state / "screen"
        await until(lambda: finding in screen.read_text())
        assert finding in line.offhook("status").stdout
        assert finding[:12] in line.stack.log("control")
        assert b"offhook_plan_findings 1.0" in line.metrics()
        await call.press("5")
        await call.pressed("5")
        await call.hang_up()
    shown = line.json("calls", "list", "--limit", "9")
    assert all(row["plan"] for row in shown)


async def test_an_edit_leaves_who_waits_in_a_line_alone(line: Line) -> None:
    await line.back()
    before = line.live()["number"]
    async with Phone(line.stack.sip) as phone, Phone("127.0.0.1:9", port=line.stack.callees) as callees:
        call = await answered(phone, "+15105550104")
        ringing = await callees.rung()
        line.save(PLAN.replace("desk: {team: reception, unanswered: line-check}", "desk: {reject: 488}"))
        await line.number(before + 1)
        assert await status(line, "+15105550104") == 488
        human = await ringing.answer()
        await talk(call, human)
        await human.hang_up()
        await call.ended()


@pytest.mark.long
async def test_a_rollback_pins_the_files_until_the_next_apply(line: Line) -> None:
    await line.back()
    first = line.live()["number"]
    line.save(PLAN.replace("edited: {reject: 480}", "edited: {reject: 488}"))
    await line.number(first + 1)
    done = line.json("plan", "rollback", str(first), "-m", "noon was wrong")
    assert (done["number"], done["of"], done["taken"]) == (first + 2, first, True)
    assert await status(line, "+15105550100") == 480
    line.save(PLAN.replace("edited: {reject: 480}", "edited: {reject: 489}"))
    await until(lambda: "don't count since the rollback" in (line.stack.state / "screen").read_text())
    assert line.live()["number"] == first + 2
    assert "don't count since the rollback" in line.offhook("status").stdout
    assert line.json("plan", "apply", "-m", "now it is right")["taken"]
    assert await status(line, "+15105550100") == 489
    newest = line.json("plan", "history", "--limit", "3")
    assert [(row["number"], row["source"], row["live"]) for row in newest] == [
        (first + 3, "apply", True),
        (first + 2, "rollback", False),
        (first + 1, "save", False),
    ]
    assert newest[1]["message"] == "noon was wrong"


@pytest.mark.long
async def test_operators_close_open_and_tell_and_it_ends(line: Line) -> None:
    await line.back()
    assert line.offhook("close", "office", "--until", "in 1h", "--say", "A burst pipe.").returncode == 0
    await asyncio.sleep(0)
    await until(lambda: line.json("status")["overrides"] != [])
    await asyncio.wait_for(_turned(line, 483), LIVE_WITHIN * 3)
    simulated = line.json("plan", "simulate", "live", "--to", "+15105550101")
    assert simulated["route"] == "shut"
    assert "an operator closed 'office'" in json.dumps(simulated["trace"])
    assert line.offhook("open", "office").returncode == 0
    async with Phone(line.stack.sip) as phone:
        await until(lambda: line.json("status")["overrides"] == [])
        call = await answered(phone, "+15105550101")
        await call.hang_up()
    assert line.offhook("open", "office").returncode == 2, "nothing is closed any more"


@pytest.mark.long
@pytest.mark.speech
async def test_callers_hear_a_notice_before_the_greeting_until_it_ends(line: Line) -> None:
    await line.back()
    words, greeting = "Our office moves today.", "What can I do for you?"
    assert line.offhook("notice", "talking", words, "--until", "in 1h").returncode == 0
    async with Phone(line.stack.sip) as phone:
        await until(lambda: line.live()["notices"] == {"talking": [words]})
        call = await answered(phone, "+15105550106")
        assert await call.line(await phone.rendering(words), 25, what="the notice") > 0.5
        assert await call.line(await phone.rendering(greeting), 25, what="the greeting") > 0.5
        await call.hang_up()
        assert line.offhook("notice", "talking", "--off").returncode == 0
        await until(lambda: line.live()["notices"] == {})
        call = await answered(phone, "+15105550106")
        assert await call.line(await phone.rendering(greeting), 25, what="the greeting") > 0.5
        with pytest.raises(Unmet):
            await call.line(await phone.rendering(words), 1)
        await call.hang_up()


async def _turned(line: Line, wanted: int) -> None:
    while await status(line, "+15105550101") != wanted:
        pass


@pytest.mark.long
async def test_every_replica_follows_within_a_second_and_they_bear_one_limit(line: Line, tmp_path: Path) -> None:
    await line.back()
    port, run = free_port(), line.stack.run
    environment = {
        **os.environ,
        "LIVEKIT_URL": run.livekit_url,
        "LIVEKIT_API_KEY": run.livekit_api_key,
        "LIVEKIT_API_SECRET": run.livekit_api_secret,
        "REDIS_URL": run.redis_url,
        "DATABASE_URL": run.database_url,
        "OFFHOOK_STATE": str(tmp_path),
        "OFFHOOK_HTTP_PORT": str(port),
        "OFFHOOK_DIALPLANS": str(line.plans),
    }
    other = f"http://127.0.0.1:{port}"
    with (tmp_path / "log").open("wb") as log:
        command = [sys.executable, "-m", "gateway", "control"]
        process = subprocess.Popen(command, env=environment, stderr=log)  # noqa: ASYNC220 - its end is waited for
        try:
            number = line.live()["number"]
            await until(lambda: _same(line, other, number), 30)
            for status_ in (481, 482, 483):
                number += 1
                line.save(PLAN.replace("edited: {reject: 480}", f"edited: {{reject: {status_}}}"))
                took = await asyncio.gather(line.number(number), line.number(number, other))
                assert max(took) < LIVE_WITHIN
            assert len(line.json("plan", "history", "--limit", "3")) == 3
            await _bears_one(line)
        finally:
            process.terminate()
            assert process.wait(15) == 0


def _same(line: Line, address: str, number: int) -> bool:
    try:
        return bool(line.live(address)["number"] == number)
    except OSError:
        return False


@pytest.mark.long
async def test_recorded_calls_go_through_another_plan(line: Line) -> None:
    await line.back()
    await status(line, "+15105550100", "+19005551213")
    other = line.plans.parent / "other.yaml"
    other.write_text(PLAN.replace("+1 900 *", "+1 976 *"))
    await until(lambda: line.json("plan", "backtest", "live", "--since", "1h")["calls"] > 0)
    moved = line.json("plan", "backtest", str(other), "--since", "1h")
    went = [(one["dialed"], one["before"].split()[0], one["after"].split()[0]) for one in moved["groups"]]
    assert [one for one in went if one[1] == "refuse"] == [("+15105550100", "refuse", "edited")]
