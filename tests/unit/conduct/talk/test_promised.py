"""By when a caller is promised to be called back, for whoever does: as the plan says."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from gateway.callbacks.booking import Chosen
from gateway.conduct.talk.stage import CallStage
from gateway.donotcall.port import Entry, MemoryDoNotCall, Unwanted
from gateway.terms.call import Brief
from gateway.terms.callback import Terms
from gateway.terms.personal import Number
from tests.unit.dialplan.plans import plan


class Ledger:
    """Remembers what was told."""

    def __init__(self) -> None:
        self.told: list[Mapping[str, object]] = []

    async def once(self, _what: str, _arguments: object, _kind: object, data: Mapping[str, object]) -> None:
        self.told.append(data)


class Teller:
    def __init__(self) -> None:
        self.told_: list[tuple[Mapping[str, object], str]] = []

    async def told(self, _kind: object, data: Mapping[str, object], _at: float, uid: str) -> None:
        self.told_.append((data, uid))


def stage(ledger: Ledger, brief: Brief) -> CallStage:
    call = SimpleNamespace(caller=Number("+15105550177"))
    parts: Any = SimpleNamespace(call=call, ledger=ledger, do_not_call=MemoryDoNotCall(), teller=Teller())
    return CallStage(parts, brief)


@pytest.mark.parametrize(("human", "within"), [("callback", 3600.0), ("{callback: {within: 30m}}", 1800.0)])
async def test_an_agents_callback_is_promised_as_the_plan_says(human: str, within: float, tmp_path: Path) -> None:
    text = f"offhook: 1\ntimezone: UTC\nnumbers: {{+15105550100: sales}}\nroutes: {{sales: {{agent: sales, human: {human}}}}}"
    ledger = Ledger()
    await stage(ledger, plan(tmp_path, text).brief("sales")).ask_for_person("asked")
    (told,) = ledger.told
    assert told["promised"] == pytest.approx(time.time() + within, abs=30)


async def test_the_houses_callback_is_promised_as_its_act_says() -> None:
    ledger = Ledger()
    await stage(ledger, Brief(agent="")).book_for(None, "nobody took the call", 600.0)
    (told,) = ledger.told
    assert told["promised"] == pytest.approx(time.time() + 600, abs=30)


async def test_who_has_asked_not_to_be_called_gets_none() -> None:
    ledger = Ledger()
    one = stage(ledger, Brief(agent=""))
    await one.parts.do_not_call.add(Entry(Number("+15105550177"), 1.0))
    with pytest.raises(Unwanted):
        await one.book_for(None, "nobody took the call", 600.0)
    assert not ledger.told


async def test_a_chosen_time_is_kept_and_as_soon_as_can_be_is_never_at_night() -> None:
    eight = datetime(2027, 1, 5, 8, tzinfo=ZoneInfo("America/Los_Angeles")).timestamp()
    brief = Brief(agent="", callback=Terms("sales", "America/Los_Angeles", ((eight, eight + 3600),)))
    for at in (eight + 1800, eight - 3600):
        ledger = Ledger()
        await stage(ledger, brief).book_for(None, "", 600.0, Chosen(at, "Press 1 [1]"))
        (told,) = ledger.told
        assert (told["agreed"], told["promised"]) == (max(at, eight), max(at, eight) + 600)
        assert told["consent"] == "Press 1 [1]"
        assert told["terms"] == {"team": "sales", "zone": "America/Los_Angeles", "tries": 3, "every": 900.0}


async def test_a_caller_chooses_another_time_in_their_own_words() -> None:
    ledger = Ledger()
    terms = Terms("sales", "America/Los_Angeles")
    one = stage(ledger, Brief(agent="", callback=terms))
    one.parts.call.id = "SCL_a"
    assert one.callback_times() is None
    await one.ask_for_person("asked")
    times = one.callback_times()
    assert times is not None
    assert times.others
    assert times.theirs
    assert all(times.booked < at for at in times.others)
    assert await one.choose_callback(times.others[-1], "tomorrow at nine") == times.others[-1]
    teller: Any = one.parts.teller
    ((data, uid),) = teller.told_
    assert (data["agreed"], data["consent"], data["number"]) == (times.others[-1], "tomorrow at nine", None)
    assert uid.startswith("SCL_a callback at ")
    after = one.callback_times()
    assert after is not None
    assert after.booked == times.others[-1]


async def test_without_a_team_there_are_no_times_to_choose() -> None:
    ledger = Ledger()
    one = stage(ledger, Brief(agent=""))
    await one.ask_for_person("asked")
    assert one.callback_times() is None
