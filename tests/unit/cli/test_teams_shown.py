"""The teams' table, at the width of a usual terminal."""

from __future__ import annotations

from io import StringIO

from rich.console import Console

from gateway.calls.people.members import Stage
from gateway.cli.teams_shown import table
from gateway.operate.teams import OnDuty, TeamNow


def test_a_busy_team_is_told_whole_in_80_columns() -> None:
    paused = OnDuty(name="alexandra-bones", stage=Stage.PAUSED, seconds=300.0, taken=12, missed=3)
    talking = OnDuty(name="ben", stage=Stage.TALKING, seconds=3721.0, taken=2, missed=0)
    busy = TeamNow(name="support-desk-west", ring="ringall", waiting=12, longest=754.0, members=[paused, talking])
    still = TeamNow(name="night", ring="linear", waiting=0, longest=None, members=[])
    paper = StringIO()
    Console(file=paper, width=80).print(table([busy, still]))
    shown = paper.getvalue()
    assert "…" not in shown
    for whole in ("12 for 12:34", "paused (3 missed)", "5:00 more", "1:02:01", "TODAY", "nobody"):
        assert whole in shown
