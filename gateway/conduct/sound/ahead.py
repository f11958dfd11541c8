"""Gets a plan ready to be heard: its sentences are asked for, its WAVs are laid where jobs find them."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from gateway.conduct.sound.prompts import PromptBook
from gateway.dialplan.ahead import Own, lines_of, no_own
from gateway.dialplan.plan import Plan
from gateway.dialplan.state import State
from gateway.rtp import wav


async def make_ready(book: PromptBook, plan: Plan, state: State, now: float, own: Own = no_own) -> None:
    """Want the plan's sentences, and put its sounds there that aren't: cheap when nothing has changed, so call it on
    each change of the plan and every minute. `now`: seconds since the epoch. Raises gateway.errors.Unavailable."""
    await book.want(lines_of(plan, state, datetime.fromtimestamp(now, UTC), own), now)
    for sound in plan.sounds.values():
        if not await book.has_sound(sound.address):
            samples = await asyncio.to_thread(wav.telephone, sound.data)
            await book.put_sound(sound.address, samples.astype("<i2").tobytes())
