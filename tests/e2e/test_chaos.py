"""Chaos in short: edits of the plan while calls come in. `make chaos` makes a thousand."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.chaos import edits
from tests.e2e.gateway import running_gateway

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]
EDITS = 30


async def test_no_call_is_lost_or_misrouted_by_edits(tmp_path: Path) -> None:
    seed = int(time.time())
    print(f"seed {seed}")
    plans = tmp_path / "plans"
    plans.mkdir()
    (plans / "main.yaml").write_text(edits.plan(0))
    with running_gateway(tmp_path / "state", plans) as stack:
        found = await edits.run(stack, plans, EDITS, pause=0.7, callers=3, seed=seed)
    assert not found.wrong, found.wrong[:5]
    assert not found.lost
    assert found.calls > EDITS, "calls did come in"
