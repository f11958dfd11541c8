"""The yardstick: a telephony agent as LiveKit's own guides build one, on the engines that offhook uses.

python -m tests.bench.plain_agent start – settings from LIVEKIT_* and OFFHOOK_SPEECH_URL.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from livekit.agents import Agent, AgentServer, AgentSession, JobContext, RunContext, cli, function_tool, inference
from livekit.agents.voice import ConversationItemAddedEvent
from livekit.plugins import deepgram, openai

NAME = "plain"
"""The agent's name in LiveKit's dispatch."""
GREETING = "Hello, this is the plain agent, an automated assistant. What is your name?"
SPEECH = os.environ.get("OFFHOOK_SPEECH_URL", "http://127.0.0.1:7890")
TURNS = os.environ.get("PLAIN_TURNS", "")
"""File that gets each turn's metrics, one JSON object a line."""

server = AgentServer(num_idle_processes=int(os.environ.get("OFFHOOK_IDLE_JOBS", "4")), load_threshold=1e9)


class Plain(Agent):
    """Asks what offhook's sales agent asks first, and writes it down."""

    def __init__(self) -> None:
        super().__init__(instructions="Ask the caller for the name and the company, one at a time.")

    async def on_enter(self) -> None:
        """Greet."""
        self.session.say(GREETING)

    @function_tool
    async def save_lead(self, context: RunContext, name: str, company: str) -> str:
        """Save what the caller said.

        Args:
            name: your name
            company: the name of your company
        """
        return "saved"


@server.rtc_session(agent_name=NAME)
async def entrypoint(context: JobContext) -> None:
    """One call."""
    session: AgentSession = AgentSession(
        stt=deepgram.STT(base_url=SPEECH.replace("http", "ws", 1) + "/v1/listen", api_key="local", model="nova-3"),
        llm=openai.LLM(base_url=f"{SPEECH}/v1", api_key="local", model="offhook-form-1"),
        tts=openai.TTS(voice="nova", base_url=f"{SPEECH}/v1", api_key="local", response_format="pcm"),
        # Named, because the default asks a cloud that isn't there.
        turn_handling={"turn_detection": inference.TurnDetector(version="v1-mini"), "interruption": {"mode": "vad"}},
    )
    if TURNS:
        session.on("conversation_item_added", _note)
    await session.start(Plain(), room=context.room)


def _note(added: ConversationItemAddedEvent) -> None:
    metrics = getattr(added.item, "metrics", None)
    if metrics:
        with Path(TURNS).open("a", encoding="utf-8") as out:
            out.write(json.dumps({"role": getattr(added.item, "role", ""), **metrics}, default=str) + "\n")


if __name__ == "__main__":
    sys.argv = sys.argv if len(sys.argv) > 1 else [*sys.argv, "start"]
    cli.run_app(server)
