"""`python -m tests.bench [plans] [edge] [flood] [house] [handoff] [unanswered] [ringall] [taken] [talk] [lanes] [dispatch] [calls]`: measures, prints each
subject's table and writes JSON as far as it has come; exit 1 when a limit is missed."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench import (
    against_plain,
    dispatch,
    edge,
    figures,
    flood,
    handoff,
    handoff_ends,
    handoff_lanes,
    house,
    numbers,
    plans,
    taken,
    talk,
)
from tests.bench.figures import Figure

SUBJECTS = (
    "plans",
    "edge",
    "flood",
    "house",
    "handoff",
    "unanswered",
    "ringall",
    "taken",
    "talk",
    "lanes",
    "dispatch",
    "calls",
)


def show(found: list[Figure]) -> None:
    """The table."""
    table = Table("figure", "offhook", "beside it", "limit", "", "n", box=None, pad_edge=False)
    for one in found:
        mark = {True: "ok", False: "MISSED", None: ""}[one.met]
        plain = "" if one.plain is None else f"{one.beside}: {one.plain:g} {one.unit}"
        limit = "" if one.limit is None else f"≤ {one.limit:g}"
        table.add_row(one.name, f"{one.value:g} {one.unit}", plain, limit, mark, str(one.samples))
    Console(width=150).print(table)


def _measured(subject: str, chosen: argparse.Namespace) -> list[Figure]:
    """The subject's figures."""
    match subject:
        case "plans":
            return [*numbers.measure(chosen.numbers), *plans.measure(chosen.numbers)]
        case "edge":
            return edge.measure()
        case "flood":
            return flood.measure()
        case "house":
            return house.measure(chosen.presses, chosen.answers, 10.0)
        case "handoff":
            return handoff.measure(chosen.handoffs)
        case "unanswered":
            return handoff_ends.unanswered()
        case "ringall":
            return handoff_ends.ringall()
        case "taken":
            return taken.measure(chosen.handoffs)
        case "talk":
            return talk.measure(chosen.talks)
        case "lanes":
            return handoff_lanes.measure(chosen.handoffs, chosen.lanes, chosen.outcomes, chosen.seconds)
        case "dispatch":
            return dispatch.measure(chosen.dispatches)
        case "calls":
            return against_plain.measure(chosen.calls, chosen.talks)
    raise AssertionError(subject)


def main() -> int:
    """Measure and tell."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("subjects", nargs="*", help=f"{', '.join(SUBJECTS)}; all without it")
    parser.add_argument("--calls", type=int, default=20, help="calls that are only set up, of each agent")
    parser.add_argument("--talks", type=int, default=3, help="conversations, with each agent, or of two in each way")
    parser.add_argument("--presses", type=int, default=15, help="keys at each of two menus of the house")
    parser.add_argument("--answers", type=int, default=20, help="calls that somebody who is rung answers")
    parser.add_argument("--handoffs", type=int, default=20, help="calls that an agent gives to a human")
    parser.add_argument("--seconds", type=float, default=3600.0, help="in which handoffs of lanes begin")
    parser.add_argument("--lanes", type=int, default=4, help="of which as many go on at once")
    parser.add_argument(
        "--outcomes", type=Path, help="a file to which what came of them is added, and whose all are told"
    )
    parser.add_argument(
        "--dispatches", type=int, default=200, help="calls that are sent a job, in bursts of ten a second"
    )
    parser.add_argument("--numbers", type=int, default=1_000_000, help="numbers in the CSV file")
    parser.add_argument("--json", type=Path, default=Path(".offhook/bench.json"))
    chosen = parser.parse_args()
    if unknown := set(chosen.subjects) - set(SUBJECTS):
        parser.error(f"no such subject: {', '.join(sorted(unknown))}. Known: {', '.join(SUBJECTS)}")
    found: list[Figure] = []
    for subject in chosen.subjects or SUBJECTS:
        fresh = _measured(subject, chosen)
        show(fresh)
        found += fresh
        chosen.json.parent.mkdir(parents=True, exist_ok=True)
        chosen.json.write_text(json.dumps(figures.as_json(found), indent=2) + "\n", encoding="utf-8")
    return 0 if all(one.met is not False for one in found) else 1


if __name__ == "__main__":
    sys.exit(main())
