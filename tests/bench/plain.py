"""Runs the plain agent beside the gateway: its own number, trunk and rule on the same LiveKit, the same engines."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from livekit import api

from tests.bench.plain_agent import NAME
from tests.e2e.gateway import Stack

NUMBER = "+15105559900"
REGISTERED_WITHIN = 40.0


@asynccontextmanager
async def plain_agent(stack: Stack, directory: Path) -> AsyncIterator[Path]:
    """The agent, registered; yields the file that its turns' metrics go to."""
    turns, log = directory / "plain-turns.jsonl", directory / "plain.log"
    run = stack.run
    environment = {
        **os.environ,
        "LIVEKIT_URL": run.livekit_url,
        "LIVEKIT_API_KEY": run.livekit_api_key,
        "LIVEKIT_API_SECRET": run.livekit_api_secret,
        "OFFHOOK_SPEECH_URL": run.http["speech"],
        "PLAIN_TURNS": str(turns),
    }
    await _trunk(stack)
    with log.open("wb") as out:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.bench.plain_agent", "start", env=environment, stdout=out, stderr=out
        )
        try:
            async with asyncio.timeout(REGISTERED_WITHIN):
                while "registered worker" not in log.read_text(errors="replace"):
                    assert process.returncode is None, log.read_text(errors="replace")
                    await asyncio.sleep(0.1)
            yield turns
        finally:
            if process.returncode is None:
                process.terminate()
                try:
                    await asyncio.wait_for(process.wait(), 10)
                except TimeoutError:
                    process.kill()
                    await process.wait()


def delays(turns: Path) -> list[float]:
    """What the engines took in each of the plain agent's turns, seconds: transcript, first token, first audio."""
    told = [json.loads(line) for line in turns.read_text().splitlines()]
    return engine_delays([(one["role"] == "assistant", one) for one in told])


def engine_delays(turns: list[tuple[bool, dict[str, float]]]) -> list[float]:
    """The same of (is the agent's, latencies) in order: a caller's turn and the answer to it."""
    found, heard = [], None
    for is_agent, latencies in turns:
        if not is_agent:
            heard = latencies.get("transcription_delay")
        elif heard is not None and "tts_node_ttfb" in latencies:
            found.append(heard + latencies.get("llm_node_ttft", 0.0) + latencies["tts_node_ttfb"])
            heard = None
    return found


async def _trunk(stack: Stack) -> None:
    run = stack.run
    lk = api.LiveKitAPI(run.livekit_url, run.livekit_api_key, run.livekit_api_secret)
    try:
        trunk = api.SIPInboundTrunkInfo(name="plain", numbers=[NUMBER])
        made = await lk.sip.create_inbound_trunk(api.CreateSIPInboundTrunkRequest(trunk=trunk))
        rule = api.SIPDispatchRuleInfo(name="plain", trunk_ids=[made.sip_trunk_id])
        rule.rule.dispatch_rule_callee.room_prefix = "plain-"
        rule.rule.dispatch_rule_callee.randomize = True
        rule.room_config.agents.append(api.RoomAgentDispatch(agent_name=NAME))
        await lk.sip.create_dispatch_rule(api.CreateSIPDispatchRuleRequest(dispatch_rule=rule))
    finally:
        await lk.aclose()
