"""How a process of ours learns that it should stop."""

from __future__ import annotations

import asyncio
import signal

STOPPING = (signal.SIGTERM, signal.SIGINT)


async def until_stopped() -> None:
    """Return once SIGTERM or SIGINT arrives; a second signal while the process cleans up changes nothing.

    Call it once a process, from the main thread's loop. The handlers stay, so that an impatient second Ctrl-C can't
    break the clean-up off half way; whoever started the process bounds how long that may take.
    """
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in STOPPING:
        loop.add_signal_handler(number, stopped.set)
    await stopped.wait()
