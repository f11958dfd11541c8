"""How a process of ours learns that it should stop."""

from __future__ import annotations

import asyncio
import signal

STOPPING = (signal.SIGTERM, signal.SIGINT)


async def until_stopped() -> asyncio.Event:
    """Return once SIGTERM or SIGINT arrives, with an event that a second one sets: for who waits on before the clean-up.

    Call it once a process, from the main thread's loop. The handlers stay, so that an impatient second Ctrl-C can't
    break the clean-up off half way; whoever started the process bounds how long that may take.
    """
    stopped, hurry = asyncio.Event(), asyncio.Event()

    def arrived() -> None:
        (hurry if stopped.is_set() else stopped).set()

    loop = asyncio.get_running_loop()
    for number in STOPPING:
        loop.add_signal_handler(number, arrived)
    await stopped.wait()
    return hurry
