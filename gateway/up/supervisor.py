"""Runs the children: in order, each gated on its health, started again when one dies, ended in reverse order."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from gateway.errors import SetupFault
from gateway.up.children import STEADY, Child, restart_delay, stop_order
from gateway.up.probe import until_serving
from gateway.up.process import SENTENCE, Process

Tell = Callable[[str, str], None]
"""Called with a child's name and what is to be said of it."""


class Supervisor:
    """Owns every child from `start` to `stop`.

    `logs`: directory of their logs. `tell`: hears what an operator should see. `clean`: applied to each log line.
    `returned`: hears the name of each child that died and serves again.
    """

    def __init__(
        self,
        children: Sequence[Child],
        *,
        logs: Path,
        tell: Tell,
        clean: Callable[[str], str],
        returned: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._children = list(children)
        self._logs = logs
        self._tell = tell
        self._clean = clean
        self._returned = returned
        self._running: dict[str, Process] = {}
        self._serving = {child.name: asyncio.Event() for child in children}

    def pids(self) -> dict[str, int]:
        """The process id of each child that runs."""
        return {name: process.pid for name, process in self._running.items()}

    async def start(self, names: Sequence[str]) -> None:
        """Start these children, each once those it leans on serve, and return when all serve.

        Raises SetupFault, with the child's own last words, for one that ends or doesn't serve in time.
        """
        try:
            async with asyncio.TaskGroup() as group:
                for child in self._children:
                    if child.name in names:
                        group.create_task(self._first_start(child), name=f"start {child.name}")
        except ExceptionGroup as failed:
            faults = [one for one in failed.exceptions if isinstance(one, SetupFault)]
            if not faults:
                raise
            raise faults[0] from None

    async def watch(self) -> None:
        """Start children that die again, until cancelled. Run it after `start`."""
        async with asyncio.TaskGroup() as group:
            for child in self._children:
                group.create_task(self._keep(child), name=f"keep {child.name}")

    async def stop(self) -> None:
        """End every child, those that lean on others first; each within its grace. Leaves no process behind."""
        for child in stop_order(self._children):
            if process := self._running.pop(child.name, None):
                await process.stop()

    async def _first_start(self, child: Child) -> None:
        for name in child.after:
            if name in self._serving:
                await self._serving[name].wait()
        started = time.monotonic()
        await self._launch(child)
        await self._until_serving(child)
        self._tell(child.name, f"ready in {time.monotonic() - started:.1f} s")

    async def _launch(self, child: Child) -> Process:
        try:
            process = await Process.start(
                child.command, child.environment, self._logs / f"{child.name}.log", self._clean
            )
        except OSError as bad:
            raise SetupFault(
                f"{child.name} can't be started: {child.command[0]}: {(bad.strerror or '').lower()}.",
                remedy="Run 'make up', which installs what is missing.",
            ) from bad
        self._running[child.name] = process
        return process

    async def _until_serving(self, child: Child) -> None:
        """Wait for its health; its end, or the end of patience, is a SetupFault."""
        process = self._running[child.name]
        health = asyncio.create_task(until_serving(child), name=f"health of {child.name}")
        end = asyncio.create_task(process.ended(), name=f"end of {child.name}")
        try:
            await asyncio.wait({health, end}, timeout=child.patience, return_when=asyncio.FIRST_COMPLETED)
            if end.done():
                raise _ended(child, *end.result(), self._logs)
            if not health.done():
                raise SetupFault(
                    f"{child.name} did not serve within {child.patience:.0f} s.",
                    remedy=f"Its log is {self._logs / child.name}.log. A slow machine needs longer: --patience 180.",
                )
            self._serving[child.name].set()
        finally:
            for task in (health, end):
                task.cancel()
            await asyncio.wait({health, end})

    async def _keep(self, child: Child) -> None:
        deaths = 0
        while True:
            born = time.monotonic()
            status, _ = await self._running[child.name].ended()
            deaths = 1 if time.monotonic() - born > STEADY else deaths + 1
            delay = restart_delay(deaths)
            self._tell(child.name, f"ended ({_how(status)}); starting it again in {delay:.1f} s")
            await asyncio.sleep(delay)  # the backoff itself: nothing is waited for
            try:
                await self._launch(child)
                await self._until_serving(child)
            except SetupFault as failed:
                self._tell(child.name, f"did not come back: {failed.what}")
                await self._running[child.name].stop()
            else:
                self._tell(child.name, "is back")
                self._returned(child.name)


def _how(status: int) -> str:
    return f"signal {-status}" if status < 0 else f"status {status}"


def _ended(child: Child, status: int, last: Sequence[str], logs: Path) -> SetupFault:
    if status == 2 and last and last[0].startswith(SENTENCE):
        told = "\n".join(last).removeprefix(SENTENCE)
        return SetupFault(f"{child.name}: {told}")
    tail = "\n".join("    " + line[:300] for line in last[-4:])
    return SetupFault(
        f"{child.name} ended at once ({_how(status)}). Its last words:\n{tail}\n",
        remedy=f"All of them are in {logs / child.name}.log.",
    )
