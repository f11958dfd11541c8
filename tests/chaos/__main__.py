"""`python -m tests.chaos`: a thousand edits while calls come in; 1 when a call was lost or went the wrong way."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

from tests.chaos import edits
from tests.e2e.gateway import running_gateway


def main() -> int:
    """Run and tell."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--edits", type=int, default=1000)
    parser.add_argument("--callers", type=int, default=4)
    parser.add_argument("--pause", type=float, default=0.7, help="seconds between two edits, give or take half")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    chosen = parser.parse_args()
    sys.stdout.write(f"seed {chosen.seed}\n")
    with tempfile.TemporaryDirectory(prefix="offhook-chaos-") as home:
        plans = Path(home, "plans")
        plans.mkdir()
        (plans / "main.yaml").write_text(edits.plan(0))
        with running_gateway(Path(home, "state"), plans) as stack:
            work = edits.run(stack, plans, chosen.edits, pause=chosen.pause, callers=chosen.callers, seed=chosen.seed)
            found = asyncio.run(work)
    sys.stdout.write(f"{found.edits} edits, {found.calls} calls: {len(found.wrong)} misrouted, {found.lost} lost\n")
    for line in found.wrong[:20]:
        sys.stdout.write(f"  {line}\n")
    return 1 if found.wrong or found.lost else 0


if __name__ == "__main__":
    raise SystemExit(main())
