"""By when a caller is promised to be called back, for whoever does: as the plan says."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gateway.conduct.stage import CallStage
from gateway.terms.call import Brief
from gateway.terms.personal import Number
from tests.unit.dialplan.plans import plan


class Ledger:
    """Remembers what was told."""

    def __init__(self) -> None:
        self.told: list[Mapping[str, object]] = []

    async def once(self, _what: str, _arguments: object, _kind: object, data: Mapping[str, object]) -> None:
        self.told.append(data)


def stage(ledger: Ledger, brief: Brief) -> CallStage:
    call = SimpleNamespace(caller=Number("+15105550177"))
    parts: Any = SimpleNamespace(call=call, ledger=ledger)
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
