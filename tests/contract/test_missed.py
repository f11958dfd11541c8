"""Missed handoffs, on each database: noted with the call's end, told once whichever control, and a digest a day."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.callbacks.missed import SETTLE
from gateway.calls.acts import cues
from gateway.calls.acts.queue import Queue
from gateway.dialplan.plan import Plan
from gateway.dispatch.missing import MissedWatch
from gateway.handoff.state import LEFT
from gateway.records import missed
from gateway.records.missed import MissedHandoffs
from gateway.records.schema import DELIVERIES
from gateway.records.writer import Writer
from gateway.terms.act import Wait
from gateway.terms.call import CallId
from gateway.terms.event import Event, Kind
from tests.contract.test_records import Tape
from tests.unit.dialplan.plans import plan as read_plan

NY = ZoneInfo("America/New_York")
NOON = datetime(2026, 11, 30, 12, tzinfo=NY).timestamp()
CALLER = "+15105550142"
PLAN = """
offhook: 1
timezone: America/New_York
numbers: {+15105550100: sales}
routes: {sales: {team: sales, unanswered: callback}}
people: {ana: {call: +1 510 555 0111}, ben: {call: +1 510 555 0112}}
teams:
  sales:
    members: [ana, ben]
    notify: "mailto:team@x.example"
    escalate: {after: 10m, to: "mailto:boss@x.example"}
    digest: 17:00
"""


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    return read_plan(tmp_path, PLAN)


def told(call: str, what: Kind, at: float, /, **data: object) -> Event:
    return Event(CallId(call), what, NOON + at, data, f"{call}-{what}-{at}-0")


def waited(call: str, why: str, at: float = 0.0) -> list[Event]:
    """A call that waited for the team, and left its line."""
    return [
        told(call, Kind.OPENED, at, caller=CALLER, dialed="+15105550100"),
        told(
            call,
            Kind.FACTS,
            at + 1,
            kind="lead",
            fields={"name": "Ada", "company": "Acme", "problem": "no tone"},
            complete=False,
        ),
        told(call, Kind.WAITING, at + 2, team="sales", event="entered"),
        told(call, Kind.LEG, at + 3, leg="1", member="ana", number="+15105550111", event="dialed"),
        told(call, Kind.LEG, at + 4, leg="1", member="ana", event="failed", status=486),
        told(call, Kind.LEG, at + 3, leg="2", member="ben", number="+15105550112", event="dialed"),
        told(call, Kind.LEG, at + 5, leg="2", member="ben", event="ringing"),
        told(call, Kind.LEG, at + 25, leg="2", member="ben", event="failed", status=408),
        told(call, Kind.WAITING, at + 26, team="sales", event="left", why=why),
        told(call, Kind.ENDED, at + 30, ending="abandoned"),
    ]


class World:
    def __init__(self, engine: AsyncEngine, plan: Plan) -> None:
        self.engine, self.handoffs, self.plan, self.now = engine, MissedHandoffs(engine), plan, NOON

    async def write(self, *events: Event) -> None:
        await Writer(Tape(events), self.engine, clock=lambda: self.now).drain()

    async def look(self, at: float, controls: int = 3) -> list[tuple[str, str]]:
        """What controls tell at a time, all of them at once: kind, subject and address of all deliveries so far."""
        self.now = NOON + at
        watches = [MissedWatch(self.handoffs, lambda: self.plan, lambda: self.now) for _ in range(controls)]
        for watch in watches[:-1]:
            await watch.look()
        await asyncio.gather(*(watch.look() for watch in watches))
        async with self.engine.connect() as connection:
            rows = (
                await connection.execute(select(DELIVERIES).order_by(DELIVERIES.c.made, DELIVERIES.c.id))
            ).mappings()
            return [(row["subject"], row["address"]) for row in rows if not row["kind"].startswith("lead")]


@pytest.fixture
def world(engine: AsyncEngine, plan: Plan) -> World:
    return World(engine, plan)


TEAM, BOSS = ("missed sales", "mailto:team@x.example"), ("escalated sales", "mailto:boss@x.example")


async def test_the_team_is_told_once_and_then_somebody_else(world: World) -> None:
    await world.write(*waited("SCL_a", "has waited as long as the plan says"))
    assert await world.look(30 + SETTLE - 1) == []
    assert await world.look(30 + SETTLE) == [TEAM]
    (one,) = await world.handoffs.listed(9)
    assert (one.company, one.need) == ("Acme", "no tone")
    assert (one.caller, one.name, dict(one.members)) == (CALLER, "Ada", {"ana": "busy", "ben": "no answer"})
    assert await world.look(30 + 599) == [TEAM]
    assert await world.look(30 + 600) == [TEAM, BOSS]
    assert await world.look(30 + 9999) == [TEAM, BOSS]


async def test_nobody_is_asked_to_call_whoever_wants_no_more_calls(world: World) -> None:
    never = told("SCL_a", Kind.NO_CALLS, 3, number=CALLER, why="said so in a call")
    await world.write(*waited("SCL_a", "has waited as long as the plan says"), never)
    assert await world.look(30 + SETTLE) == [TEAM]
    async with world.engine.connect() as connection:
        content = await connection.scalar(select(DELIVERIES.c.content).where(DELIVERIES.c.subject == TEAM[0]))
    assert "Please don't call: they have asked never to be called." in content["body"]
    assert content["fields"]["never_call"] is True


def test_the_record_knows_why_a_line_is_left_by_the_words_that_machines_note() -> None:
    queue, _ = Queue(Wait("sales", press="1")).on(cues.Begun(), NOON)
    pressed, _ = queue.on(cues.Key("1"), NOON + 1)
    assert (pressed.why, LEFT.reason) == (missed.BY_KEY, missed.HUNG_UP)


@pytest.mark.parametrize(
    ("by", "why", "came"),
    [
        ("caller", None, "the caller hung up first"),
        ("network", None, "the caller's line was lost"),
        (None, None, "the call ended first"),
        ("caller", "the caller has hung up", "the caller hung up first"),
        ("network", "the caller has hung up", "the caller's line was lost"),
        ("caller", "pressed a key", "the caller pressed a key first"),
        ("caller", "has waited as long as the plan says", "no answer"),
    ],
)
async def test_whose_phone_stopped_as_the_caller_left_hasnt_failed_to_answer(
    world: World, by: str | None, why: str | None, came: str
) -> None:
    opened, _, entered, *_ = waited("SCL_a", "")
    ringing = [
        told("SCL_a", Kind.LEG, 3, leg="1", member="ana", number="+15105550111", event="dialed"),
        told("SCL_a", Kind.LEG, 4, leg="1", member="ana", event="ringing"),
        told("SCL_a", Kind.LEG, 8.4, leg="1", member="ana", event="dropped"),
    ]
    left = [told("SCL_a", Kind.WAITING, 8.41, team="sales", event="left", why=why)] if why else []
    hung_up = [told("SCL_a", Kind.HANGUP, 8.39, by=by)] if by else []
    await world.write(opened, entered, *ringing, *left, *hung_up, told("SCL_a", Kind.ENDED, 8.5, ending="abandoned"))
    (one,) = await world.handoffs.listed(9)
    assert dict(one.members) == {"ana": came}


async def test_a_caller_who_was_put_through_was_not_missed(world: World) -> None:
    await world.write(*waited("SCL_a", "was put through"))
    assert await world.look(9999) == []
    assert list(await world.handoffs.listed(9)) == []


async def test_a_caller_who_was_put_through_and_then_waited_in_vain_was_missed(world: World) -> None:
    """The human has given them back to the agent, and nobody took them the second time."""
    *rest, _ = waited("SCL_a", "was put through")
    again = [
        told("SCL_a", Kind.WAITING, 100, team="sales", event="entered"),
        told("SCL_a", Kind.WAITING, 130, team="sales", event="left", why="nobody took the call"),
    ]
    await world.write(*rest, *again, told("SCL_a", Kind.ENDED, 140, ending="abandoned"))
    assert await world.look(140 + SETTLE) == [TEAM]


async def test_a_late_word_that_they_were_put_through_still_counts(world: World) -> None:
    *rest, left, ended = waited("SCL_a", "was put through")
    await world.write(*rest, ended)
    await world.write(left)
    assert await world.look(30 + SETTLE) == []


async def test_what_somebody_has_dealt_with_is_not_escalated(world: World) -> None:
    await world.write(*waited("SCL_a", "nobody of the team takes calls now"))
    await world.look(100)
    assert await world.handoffs.done("SCL_a", "ben", NOON + 200)
    assert not await world.handoffs.done("SCL_a", "ana", NOON + 201)
    assert await world.look(9999) == [TEAM]


async def test_a_caller_who_rang_again_and_got_somebody_is_not_escalated(world: World) -> None:
    await world.write(*waited("SCL_a", "nobody of the team takes calls now"))
    await world.write(*waited("SCL_b", "was put through", 60.0))
    assert await world.look(9999) == [TEAM]


async def test_a_callback_that_is_kept_is_not_escalated_and_one_that_is_not_is(world: World) -> None:
    from gateway.callbacks.machine import Claimed, Ended, Late
    from gateway.records.bookings import SqlBookings

    *rest, ended = waited("SCL_a", "nobody of the team takes calls now")
    terms = {"team": "sales", "zone": "UTC", "tries": 1, "every": 900.0}
    book = told(
        "SCL_a", Kind.CALLBACK, 28, number=None, reason="x", promised=NOON + 3600, agreed=NOON + 900, terms=terms
    )
    await world.write(*rest, book, ended)
    assert await world.look(3000) == [TEAM]
    bookings = SqlBookings(world.engine)
    (one,) = await bookings.listed(ended=True, limit=9)
    assert await bookings.step(one.id, Late(), NOON + 3601)
    assert await world.look(3700) == [TEAM, BOSS]
    run = await bookings.step(one.id, Claimed(), NOON + 3700)
    assert run is not None
    assert await bookings.step(one.id, Ended(run.run, talked=True), NOON + 3800)
    (after,) = await world.handoffs.listed(9)
    assert after.dealt_with


async def test_those_who_wait_for_a_callback_keep_nobody_from_being_looked_at(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many there are: a look takes the oldest."""
    monkeypatch.setattr(missed, "_MANY", 3)
    terms = {"team": "sales", "zone": "America/New_York", "tries": 3, "every": 900.0}
    for number in range(4):
        call = f"SCL_{number}"
        later = {"agreed": NOON + 9999, "promised": NOON + 99_999, "terms": terms}
        await world.write(*waited(call, "nobody", number), told(call, Kind.CALLBACK, number + 20, **later))
        await world.look(number + 30 + SETTLE)
    await world.write(*waited("SCL_z", "nobody", 50))
    assert BOSS not in await world.look(50 + 30 + SETTLE)
    assert (await world.look(50 + 30 + 600)).count(BOSS) == 1


async def test_one_digest_a_day_whichever_control(world: World) -> None:
    await world.write(*waited("SCL_a", "has waited as long as the plan says"))
    before = await world.look(4 * 3600.0)
    after = await world.look(5 * 3600.0)
    assert [one for one in after if one not in before] == [("digest 2026-11-30 sales", "mailto:team@x.example")]
    assert await world.look(5 * 3600.0 + 60) == after
    tomorrow = await world.look(29 * 3600.0)
    assert [one for one in tomorrow if one not in after] == [("digest 2026-12-01 sales", "mailto:team@x.example")]


async def test_of_a_team_that_tells_nobody_else_nothing_is_looked_at_again(world: World, tmp_path: Path) -> None:
    world.plan = read_plan(tmp_path, PLAN.replace('    escalate: {after: 10m, to: "mailto:boss@x.example"}\n', ""))
    await world.write(*waited("SCL_a", "nobody of the team takes calls now"))
    assert await world.look(100) == [TEAM]
    assert list(await world.handoffs.unescalated(NOON - 9999)) == []


async def test_calls_of_callbacks_are_not_missed_handoffs(world: World) -> None:
    await world.write(*waited("CB_0123456789ab-1", "nobody took the call"))
    assert await world.look(9999) == []
