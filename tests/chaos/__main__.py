"""`python -m tests.chaos`: calls while the gateway's processes are killed, stopped and cut off; with `--edits N`, edits
of the plan while calls come in. 1 when a limit was broken."""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tests.chaos import calls, draw, edits, report
from tests.e2e.gateway import running_gateway

REPORT = Path(__file__).parent / "REPORT.md"


def main() -> int:
    """Run and tell."""
    chosen = _chosen()
    tell(f"seed {chosen.seed}; the same again: python -m tests.chaos {_again(chosen)}")
    if chosen.edits:
        return _edits(chosen)
    with tempfile.TemporaryDirectory(prefix="offhook-chaos-") as made:
        home = Path(chosen.keep or made)
        run = asyncio.run(_calls(chosen, home))
    if chosen.outcomes or not chosen.rounds or chosen.report != str(REPORT):
        Path(chosen.report).write_text(report.text(run))
    tell(report.last_line(run))
    return 1 if report.broken(run) else 0


def tell(what: str) -> None:
    """Say it at once: a run is long."""
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()


def _chosen() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--calls", type=int, default=200)
    parser.add_argument("--at-once", type=int, default=4, help="calls at a time")
    parser.add_argument("--only", default="", help="what is disturbed, such as job,worker.kill; none for nothing")
    parser.add_argument("--rounds", default="", help="these of the run's rounds alone, such as 7 or 1-10,12")
    parser.add_argument(
        "--outcomes", default="", help="file to add what comes of them to: the report tells of all in it"
    )
    parser.add_argument("--note", default="", help="a sentence for the report, such as what else the machine did")
    parser.add_argument("--minutes", type=float, default=55.0, help="after which no further round begins")
    parser.add_argument("--keep", default="", help="directory that is left with the logs and records")
    parser.add_argument("--report", default=str(REPORT), help="file to write the report to")
    parser.add_argument("--edits", type=int, default=0, help="edit the plan so many times, and do nothing else")
    parser.add_argument("--callers", type=int, default=4, help="who dial while the plan is edited")
    parser.add_argument("--pause", type=float, default=0.7, help="seconds between two edits, give or take half")
    return parser.parse_args()


def _again(chosen: argparse.Namespace) -> str:
    if chosen.edits:
        return f"--edits {chosen.edits} --seed {chosen.seed}"
    only = f" --only {chosen.only}" if chosen.only else ""
    return f"--calls {chosen.calls} --at-once {chosen.at_once} --seed {chosen.seed}{only} [--rounds N]"


async def _calls(chosen: argparse.Namespace, home: Path) -> report.Run:
    only = [name for name in chosen.only.split(",") if name]
    rounds = draw.rounds(chosen.seed, chosen.calls, chosen.at_once, only)
    if chosen.rounds:
        rounds = [each for each in rounds if each.number in draw.numbers(chosen.rounds)]
    began = time.monotonic()
    earlier = report.read(Path(chosen.outcomes).read_text()) if _is_file(chosen.outcomes) else None
    run = report.Run(chosen.seed, chosen.calls, chosen.at_once, 0.0, [], [], note=chosen.note)

    def keep(outcomes: Sequence[report.Outcome], left: Sequence[str]) -> None:
        """After each round, so that a run that is broken off isn't lost."""
        nonlocal run
        run = replace(run, seconds=time.monotonic() - began, outcomes=tuple(outcomes), left=tuple(left))
        run = report.together(earlier, run) if earlier is not None else run
        if chosen.outcomes:
            Path(chosen.outcomes).write_text(report.written(run))

    try:
        async with calls.lab(home, by_media=draw.through_media(rounds)) as there:
            tell(f"the gateway runs after {there.stack.ready_after:.0f} s; logs: {there.stack.state / 'logs'}")
            await calls.run(there, rounds, tell, ends=began + chosen.minutes * 60, keep=keep)
    except (AssertionError, subprocess.TimeoutExpired) as bad:
        if not run.outcomes:
            raise
        run = replace(run, left=(*run.left, f"the end: {bad}"))  # processes of the gateway
    return run


def _is_file(name: str) -> bool:
    return bool(name) and Path(name).is_file()


def _edits(chosen: argparse.Namespace) -> int:
    with tempfile.TemporaryDirectory(prefix="offhook-chaos-") as home:
        plans = Path(home, "plans")
        plans.mkdir()
        (plans / "main.yaml").write_text(edits.plan(0))
        with running_gateway(Path(home, "state"), plans) as stack:
            work = edits.run(stack, plans, chosen.edits, pause=chosen.pause, callers=chosen.callers, seed=chosen.seed)
            found = asyncio.run(work)
    for line in found.wrong[:20]:
        tell(f"  {line}")
    tell(f"{found.edits} edits, {found.calls} calls: {len(found.wrong)} misrouted, {found.lost} lost")
    return 1 if found.wrong or found.lost else 0


if __name__ == "__main__":
    raise SystemExit(main())
