"""How `offhook status` shows the providers that calls keep away from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from gateway.health.circuit import Circuit, Reason
from gateway.records.timeline import ENGINES, WHYS


def as_json(out: Mapping[str, Circuit], now: float) -> Sequence[Mapping[str, object]]:
    """For a script; `seconds` until one call tries it again."""
    return [
        {"engine": engine, "provider": provider, "reason": reason, "seconds": round(max(0.0, circuit.until - now))}
        for engine, provider, reason, circuit in _told(out)
    ]


def lines(out: Mapping[str, Circuit], now: float) -> Iterator[tuple[str, str]]:
    """Each in words, and its style."""
    for engine, provider, reason, circuit in _told(out):
        left = circuit.until - now
        again = f"tried again in {left:.0f} s" if left > 0 else "the next call tries it again"
        why = WHYS.get(reason, reason).format(before=provider)
        yield f"{ENGINES.get(engine, engine)}: {why}; {again}", "red" if reason == Reason.AUTH else "yellow"


def _told(out: Mapping[str, Circuit]) -> Iterator[tuple[str, str, str, Circuit]]:
    for name, circuit in sorted(out.items()):
        engine, _, provider = name.partition(" ")
        yield engine, provider, circuit.reason.value if circuit.reason else "", circuit
