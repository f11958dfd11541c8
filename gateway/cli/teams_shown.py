"""How `offhook status` shows the teams."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.table import Table
from rich.text import Text

from gateway.calls.people.members import Stage
from gateway.cli import shown
from gateway.operate.teams import OnDuty, TeamNow

_STYLES = {Stage.FREE: "green", Stage.RINGING: "cyan", Stage.TALKING: "cyan", Stage.PAUSED: "yellow"}


def as_json(teams: Sequence[TeamNow]) -> Sequence[Mapping[str, object]]:
    """The teams for a script; lengths of time in seconds."""
    return [
        {
            "team": team.name,
            "ring": team.ring,
            "waiting": team.waiting,
            "longest_wait": _whole(team.longest),
            "members": [
                {
                    "name": one.name,
                    "state": one.stage.value,
                    "seconds": _whole(one.seconds),
                    "taken_today": one.taken,
                    "missed_in_a_row": one.missed,
                }
                for one in team.members
            ],
        }
        for team in teams
    ]


def table(teams: Sequence[TeamNow]) -> Table:
    """The teams for a terminal: a row for each member on duty."""
    found = shown.table("TEAM", "WAITING", "ON DUTY", "IS", "FOR", "TODAY")
    for team in teams:
        wait = shown.text("0")
        if team.waiting:  # one column, so that 80 have room for the members
            wait = shown.text(f"{team.waiting} for {shown.length(team.longest)}", "yellow")
        if not team.members:
            found.add_row(shown.text(team.name), wait, shown.text("nobody", "yellow"), "", "", "")
        for n, one in enumerate(team.members):
            head = (shown.text(team.name), wait) if n == 0 else ("", "")
            found.add_row(*head, *_member(one))
    return found


def _member(one: OnDuty) -> tuple[Text, ...]:
    why = f" ({one.missed} missed)" if one.missed else ""
    lasts = shown.length(one.seconds) if one.seconds is not None else ""
    return (
        shown.text(one.name),
        shown.text(one.stage.value + why, _STYLES.get(one.stage, "")),
        shown.text(f"{lasts} more" if lasts and one.stage is not Stage.TALKING else lasts),
        shown.text(one.taken),
    )


def _whole(seconds: float | None) -> int | None:
    return round(seconds) if seconds is not None else None
