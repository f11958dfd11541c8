"""`python -m tests.soak`: calls in bursts of ten a second, and whether all that the gateway holds is back at the start's count
afterwards. 1 when a limit was broken.

In several parts against one gateway: `--serve DIR` runs it, `--with DIR --outcomes FILE` places more calls each time.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway.up import runfile
from tests.e2e.gateway import Stack, running_gateway
from tests.e2e.servers import free_port
from tests.soak import judge
from tests.soak.calls import BURST, rested, soak, tapping
from tests.soak.census import census, cpu
from tests.soak.tapped import TAP

CALLS = 2000
IDLE_JOBS = 2 * BURST
SETTLES = 4.0
"""Seconds after the last call until what is left is counted; tried again for SETTLED_WITHIN while it is too much."""
SETTLED_WITHIN = 20.0
TAP_PORT = "tap"
"""File in the gateway's directory that has the tap's port."""


def main() -> int:
    """Run and tell."""
    chosen = _chosen()
    if chosen.serve:
        with _gateway(Path(chosen.serve)) as (stack, _):
            print(f"the gateway runs after {stack.ready_after:.0f} s", flush=True)
            signal.sigwait({signal.SIGINT, signal.SIGTERM})
        return 0
    file = Path(chosen.outcomes) if chosen.outcomes else None
    earlier = judge.read(file.read_text()) if file is not None and file.is_file() else None
    with _found(chosen.at) if chosen.at else _gateway(None) as (stack, port):
        part = asyncio.run(_part(stack, port, chosen, earlier.before if earlier is not None and chosen.at else None))
    run = judge.together(earlier, part)
    if file is not None:
        file.write_text(judge.written(run))
    for line in judge.lines(run):
        print(line)
    return 1 if judge.broken(run) else 0


def _chosen() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--calls", type=int, default=CALLS)
    parser.add_argument("--minutes", type=float, default=600.0, help="after which no further burst begins")
    parser.add_argument("--outcomes", default="", help="file to add what comes of them to: all in it is told")
    parser.add_argument("--serve", default="", help="run the gateway in this directory, and do nothing else")
    parser.add_argument("--with", dest="at", default="", help="place the calls with the gateway that runs there")
    parser.add_argument("--note", default="", help="a word for the report, such as what else the machine did")
    return parser.parse_args()


async def _part(stack: Stack, port: int, chosen: argparse.Namespace, before: judge.Census | None) -> judge.Soak:
    """`before`: what there was before the first part."""
    ends = time.monotonic() + 60 * chosen.minutes
    async with tapping(port) as tap:
        if before is None:
            await rested()  # what has just begun renders its prompts
            await soak(stack, tap, BURST, time.monotonic() + 60)  # pools of connections and caches fill
            before = await _settled(stack, None)
        begun, spent = time.monotonic(), cpu(stack)
        placed = await soak(stack, tap, chosen.calls, ends)
        seconds, spent = time.monotonic() - begun, cpu(stack) - spent
        return judge.Soak(placed, before, await _settled(stack, before), seconds, cpu=round(spent, 1), note=chosen.note)


async def _settled(stack: Stack, before: judge.Census | None) -> judge.Census:
    """What there is once it isn't more than `before`, or after a while."""
    await asyncio.sleep(SETTLES)
    ends = time.monotonic() + SETTLED_WITHIN
    while True:
        found = await census(stack)
        rests = not found.shared["jobs in rooms"] if before is None else not judge.grown(before, found)
        if rests or time.monotonic() > ends:
            return found
        await asyncio.sleep(1.0)


@contextmanager
def _gateway(state: Path | None) -> Iterator[tuple[Stack, int]]:
    with tempfile.TemporaryDirectory(prefix="offhook-soak-") as made:
        state = state or Path(made)
        state.mkdir(parents=True, exist_ok=True)
        port = free_port()
        (state / TAP_PORT).write_text(str(port))
        more = {"OFFHOOK_IDLE_JOBS": str(IDLE_JOBS), TAP: f"http://127.0.0.1:{port}/"}
        with running_gateway(state, program="tests.soak.tapped", **more) as stack:
            yield stack, port


@contextmanager
def _found(state: str) -> Iterator[tuple[Stack, int]]:
    run = runfile.read(Path(state))
    if run is None:
        sys.exit(f"No gateway runs in {state}.")
    yield Stack(run, Path(state), run.pid, 0.0), int(Path(state, TAP_PORT).read_text())


if __name__ == "__main__":
    raise SystemExit(main())
