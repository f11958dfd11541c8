"""`python -m tests.fuzz [TARGET …] [--seconds N]`: atheris on each target, one after the other; 1 when one fails.

What failed is written to .offhook/fuzz/, and its bytes make a test (tests/unit/dialplan/test_fuzz.py). The target
`storm` sends mutated messages to a running edge instead (tests/fuzz/storm.py), `--messages` of them.
"""

from __future__ import annotations

import argparse
import subprocess
import sys

from tests.fuzz import targets, wire

STORM = "storm"
STARTS = 300.0
"""Seconds that a target may need to start, on a busy machine, and to end."""
TARGETS = {**targets.TARGETS, **wire.TARGETS}


def main() -> int:
    """Run the targets, each in a process of its own: atheris ends it."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", help=", ".join(TARGETS))
    parser.add_argument("--seconds", type=int, default=120, help="for each target")
    parser.add_argument("--messages", type=int, default=1_000_000, help="for the storm")
    chosen = parser.parse_args()
    failed = []
    for name in chosen.targets or [*TARGETS, STORM]:
        if name == STORM:
            if subprocess.run([sys.executable, "-m", "tests.fuzz.storm", str(chosen.messages)], check=False).returncode:
                failed.append(name)
            continue
        sys.stdout.write(f"{name}: {chosen.seconds} s …\n")
        sys.stdout.flush()
        command = [sys.executable, "-m", "tests.fuzz.here", name, str(chosen.seconds)]
        done = subprocess.run(command, check=False, timeout=chosen.seconds + STARTS)
        if done.returncode:
            failed.append(name)
    sys.stdout.write(f"failed: {', '.join(failed)}\n" if failed else "Every target held.\n")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
