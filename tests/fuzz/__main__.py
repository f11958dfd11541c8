"""`python -m tests.fuzz [TARGET …] [--seconds N]`: atheris on each target, one after the other; 1 when one fails.

What failed is written to .offhook/fuzz/, and its bytes make a test (tests/unit/dialplan/test_fuzz.py). The target
`storm` sends mutated messages to a running edge instead (tests/fuzz/storm.py), `--messages` of them.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from tests.fuzz import targets, wire

KEPT = Path(".offhook/fuzz")
STORM = "storm"
LONGEST = 20
"""Seconds that one input may take: more is a hang."""
PLAN = Path(__file__).parents[1] / "unit" / "dialplan" / "plan.yaml"
TARGETS = {**targets.TARGETS, **wire.TARGETS}


def main() -> int:
    """Run the targets, each in a process of its own: atheris ends it."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", help=", ".join(TARGETS))
    parser.add_argument("--seconds", type=int, default=120, help="for each target")
    parser.add_argument("--messages", type=int, default=1_000_000, help="for the storm")
    parser.add_argument("--here", default="", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.here:
        return _here(chosen.here, chosen.seconds)
    failed = []
    for name in chosen.targets or [*TARGETS, STORM]:
        if name == STORM:
            if subprocess.run([sys.executable, "-m", "tests.fuzz.storm", str(chosen.messages)], check=False).returncode:
                failed.append(name)
            continue
        sys.stdout.write(f"{name}: {chosen.seconds} s …\n")
        sys.stdout.flush()
        command = [sys.executable, "-m", "tests.fuzz", "--here", name, "--seconds", str(chosen.seconds)]
        done = subprocess.run(command, check=False, timeout=chosen.seconds + 120)
        if done.returncode:
            failed.append(name)
    sys.stdout.write(f"failed: {', '.join(failed)}\n" if failed else "Every target held.\n")
    return 1 if failed else 0


def _here(name: str, seconds: int) -> int:
    import atheris

    corpus = KEPT / name
    corpus.mkdir(parents=True, exist_ok=True)
    plain = [PLAN.read_bytes() if name == "plan" else b"+15105550100,sales\n"]
    for number, seed in enumerate(wire.SEEDS.get(name, plain)):
        (corpus / f"seed-{number}").write_bytes(seed)
    arguments = [
        "fuzz",
        str(corpus),
        f"-max_total_time={seconds}",
        f"-timeout={LONGEST}",
        "-rss_limit_mb=2048",
        "-max_len=8192",
        f"-artifact_prefix={KEPT}/{name}-",
        "-print_final_stats=1",
        "-verbosity=0",
    ]
    atheris.instrument_all()
    atheris.Setup(arguments, TARGETS[name])
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
