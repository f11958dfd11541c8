"""How well two people hear each other, estimated from what was measured: the E-model (ITU-T G.107), for G.711.

A call in G.722 is put on the same scale, where it can't be better than G.711: most of them cross a telephone network on their way."""

from __future__ import annotations

from gateway.rtp.statistics import Statistics

LEAST, MOST = 1.0, 4.41
"""Of the scale; MOST is what G.711 can have."""
_BEST = 93.2
"""R of a call without delay and loss (G.107 section 7.1, default values)."""
_ROBUST = 25.1
"""How well G.711 with concealment bears random loss, in percent (G.113 appendix I: Bpl)."""
_BUFFERED = 0.04
"""Seconds that packets and our buffers take without any jitter."""
_KNEE = 0.1773
"""Seconds of one-way delay from which talkers notice."""


def mos(loss: float, delay: float) -> float:
    """The mean opinion score, 1 (bad) to 4.4 (excellent). `loss`: share of the packets that weren't heard, 0 to 1;
    `delay`: seconds from mouth to ear."""
    percent = 100 * min(max(loss, 0.0), 1.0)
    heard = 95 * percent / (percent + _ROBUST)
    late = max(delay, 0.0)
    waited = 24 * late + (110 * (late - _KNEE) if late > _KNEE else 0.0)
    return round(min(max(scored(_BEST - heard - waited), LEAST), MOST), 2)


def scored(rating: float) -> float:
    """The opinion score of a rating R (G.107 annex B)."""
    held = min(max(rating, 0.0), 100.0)
    return 1 + 0.035 * held + held * (held - 60) * (100 - held) * 7e-6


def of(counts: Statistics) -> dict[str, float]:
    """What a record keeps of a call's line: `lost`, the share of the peer's packets that never came, or too late to be heard;
    `lost_there`, that of ours which never came, as the peer reports; `jitter`, `round_trip` in seconds (0 where the peer
    reports nothing), and the `mos` estimated of it. {} for a call on which nothing was heard."""
    if not counts.received:
        return {}
    # Not of what was made up: a peer that sends keys, or nothing while nobody speaks, sends no audio then.
    lost = min(1.0, (counts.lost + counts.late) / (counts.received + counts.lost))
    delay = counts.round_trip / 2 + _BUFFERED + 2 * counts.jitter
    return {
        "lost": round(lost, 4),
        "lost_there": round(min(1.0, counts.lost_there / max(1, counts.sent)), 4),
        "jitter": round(counts.jitter, 4),
        "round_trip": round(counts.round_trip, 4),
        "mos": mos(lost, delay),
    }
