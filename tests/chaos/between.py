"""What stands between our processes and their servers, in a process of its own, so that calls and proxies don't wait for
each other: proxies before Redis, livekit-server and the speech server, and a provider that misbehaves as it is told.

Where a run cuts off jobs' media, all media goes through a relay here, too.

`python -m tests.chaos.between CONFIG` serves until its input ends; each line of it is `WHAT TARGET`, with the UDP ports of a job whose
media is cut, answered by a line.
"""

from __future__ import annotations

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from tests.chaos.judge import Deed, Target
from tests.chaos.proxy import proxy
from tests.faults.faults import Does, Fault, Kind, Phase
from tests.faults.server import FaultServer
from tests.udp_relay import udp_relay

PROVIDERS = {Target.STT: Kind.STT, Target.LLM: Kind.LLM, Target.TTS: Kind.TTS}
WRONGS = {
    Deed.STALL: (Fault(Does.STALL, Phase.CONNECT), Fault(Does.STALL, Phase.MIDDLE, after=0)),
    Deed.HALF_OPEN: (Fault(Does.HALF_OPEN, Phase.CONNECT), Fault(Does.HALF_OPEN, Phase.MIDDLE, after=0)),
    Deed.DELAY: (Fault(Does.DELAY, Phase.CONNECT, seconds=4.0), Fault(Does.DELAY, Phase.MIDDLE, after=0, seconds=4.0)),
    Deed.DENY: (Fault(Does.STATUS, Phase.CONNECT, status=401),),
    Deed.GARBAGE: (Fault(Does.GARBAGE, Phase.FIRST), Fault(Does.GARBAGE, Phase.MIDDLE, after=0)),
    Deed.DRIP: (Fault(Does.DRIP, Phase.FIRST, rate=40), Fault(Does.DRIP, Phase.MIDDLE, after=0, rate=40)),
    Deed.LIMIT: (Fault(Does.STATUS, Phase.CONNECT, status=429, retry_after="20"),),
    Deed.FAIL: (Fault(Does.STATUS, Phase.CONNECT, status=500), Fault(Does.STATUS, Phase.MIDDLE, after=0, status=500)),
    Deed.CUT: (Fault(Does.TRUNCATE, Phase.CONNECT), Fault(Does.TRUNCATE, Phase.MIDDLE, after=0)),
}
"""What a provider does, to new requests and to connections that are open."""
MEDIA = "127.0.0.2"
"""Where media goes through the relay."""
RIGHT = "right"
"""Stop what was begun."""
_WITHIN = 10.0


class Between:
    """The process that stands between. Make it by `between`."""

    def __init__(self, process: Process) -> None:
        self._process = process

    async def begin(self, deed: Deed, target: Target) -> None:
        """Do it; what lasts goes on until `end`. Raises TimeoutError when the process doesn't answer."""
        await self._say(f"{deed} {target}")

    async def cut_off(self, ports: Iterable[int]) -> None:
        """Carry nothing more from and to those UDP ports of a job's."""
        await self._say(f"{Deed.CUT} {Target.JOB} {' '.join(map(str, ports))}")

    async def end(self, target: Target) -> None:
        """Let everything through again."""
        await self._say(f"{RIGHT} {target}")

    async def _say(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n".encode())
        await self.answered()

    async def answered(self) -> None:
        """Wait for its next line."""
        assert self._process.stdout is not None
        async with asyncio.timeout(_WITHIN):
            if not await self._process.stdout.readline():
                raise EOFError("The process between has ended.")


@asynccontextmanager
async def between(
    ports: Mapping[Target, Sequence[tuple[int, int]]], provider: int, media: int = 0
) -> AsyncIterator[Between]:
    """Stand between until the block ends. `ports`: by target where its proxies stand, and where each leads; `provider`: where
    the provider stands, before the speech server's proxy; `media`: livekit-server's UDP port, which its clients look for at MEDIA."""
    by_name = {target.value: list(pairs) for target, pairs in ports.items()}
    config = json.dumps({"ports": by_name, "provider": provider, "media": media})
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.chaos.between", config, stdin=PIPE, stdout=PIPE, stderr=None
    )
    try:
        made = Between(process)
        await made.answered()
        yield made
    finally:
        assert process.stdin is not None
        process.stdin.close()
        try:
            async with asyncio.timeout(_WITHIN):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


async def _serve(config: Mapping[str, Any]) -> None:
    loop = asyncio.get_running_loop()
    lines = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    async with AsyncExitStack() as stack:
        proxies = {
            Target(name): [await stack.enter_async_context(proxy(port, upstream)) for port, upstream in pairs]
            for name, pairs in config["ports"].items()
        }
        [(speech, _)] = config["ports"][Target.SPEECH.value]
        provider = await stack.enter_async_context(FaultServer(f"http://127.0.0.1:{speech}", port=config["provider"]))
        at = config["media"]
        media = await stack.enter_async_context(udp_relay((MEDIA, at), ("127.0.0.1", at))) if at else None
        _answer()
        while line := (await lines.readline()).decode():
            deed, name, *cut = line.split()
            target = Target(name)
            if target is Target.JOB:
                assert media is not None, "no media goes through here"
                media.cut(media.carries & frozenset(map(int, cut)))  # others may be another's soon
            elif kind := PROVIDERS.get(target):
                if deed == RIGHT:
                    provider.clear(kind)
                else:
                    provider.set(kind, *WRONGS[Deed(deed)])
            else:
                for each in proxies[target]:
                    {RIGHT: each.go_on, Deed.CUT: each.cut, Deed.HOLD: each.hold}[deed]()
            _answer()


def _answer() -> None:
    sys.stdout.write("done\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(_serve(json.loads(sys.argv[1])))
