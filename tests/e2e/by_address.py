"""`python -m tests.e2e.by_address [what pytest takes]`: real calls through a SIP service that the gateway of the tests doesn't
start, but is told of by its address: here an edge beside a Redis and a livekit-server, in the place of a livekit-sip.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from pathlib import Path

from tests.e2e.edge_process import edge_process
from tests.e2e.servers import livekit_server, redis_server


async def main(arguments: list[str]) -> int:
    """Run them; pytest's exit status."""
    with tempfile.TemporaryDirectory(prefix="offhook-by-address-") as directory:
        where = Path(directory)
        with redis_server(where) as redis_url, livekit_server(where, redis_url) as livekit:
            quiet = os.environ.get("OFFHOOK_LOG_LEVEL", "error")  # pytest's output is beside it
            async with edge_process(redis_url, livekit, OFFHOOK_DRAIN_SECONDS="0", OFFHOOK_LOG_LEVEL=quiet) as edge:
                environment = {
                    **os.environ,
                    "OFFHOOK_SIP": f"{edge.address[0]}:{edge.address[1]}",
                    "OFFHOOK_SIP_SERVICE": "offhook",
                    "REDIS_URL": redis_url,
                    "LIVEKIT_URL": livekit.url,
                    "LIVEKIT_API_KEY": livekit.key,
                    "LIVEKIT_API_SECRET": livekit.secret,
                }
                tests = await asyncio.create_subprocess_exec(
                    sys.executable, "-m", "pytest", *arguments, env=environment
                )
                return await tests.wait()


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:])))
