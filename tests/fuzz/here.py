"""`python -m tests.fuzz.here TARGET SECONDS`: atheris on one target, in this process, which it ends.

Only what is ours, and what reads SIP for us, is instrumented: to instrument all that it imports takes minutes.
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["gateway", "sipmessage"]):
    from tests.fuzz import targets, wire

KEPT = Path(".offhook/fuzz")
LONGEST = 20
"""Seconds that one input may take: more is a hang."""
PLAN = Path(__file__).parents[1] / "unit" / "dialplan" / "plan.yaml"


def main(name: str, seconds: int) -> None:
    """Run it."""
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
    atheris.Setup(arguments, {**targets.TARGETS, **wire.TARGETS}[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
