"""Chaos in short: calls whose jobs are killed, and edits of the plan while calls come in. `make chaos`
places 200 calls, `make edits` makes a thousand edits."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.chaos import calls, draw, edits
from tests.chaos.report import Run as Report
from tests.chaos.report import last_line, line
from tests.e2e.gateway import running_gateway

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]
CALLS, EDITS = 4, 30


async def test_no_caller_is_lost_when_their_job_dies(tmp_path: Path) -> None:
    """Nothing lost, nothing doubled, nobody dropped. How long it takes is no matter here: the machine is a busy one."""
    seed = int(time.time())
    print(f"seed {seed}")
    rounds = draw.rounds(seed, CALLS, CALLS, ["job.kill"])
    async with calls.lab(tmp_path) as there:
        outcomes, left = await calls.run(there, rounds, print)
    print(last_line(Report(seed, CALLS, CALLS, 0.0, outcomes, left)))
    bad = [line(each) for each in outcomes if each.verdict.lost or each.verdict.doubled or each.verdict.dropped]
    assert not bad, "\n".join(bad)
    assert len(outcomes) == CALLS


@pytest.mark.long
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
