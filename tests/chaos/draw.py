"""Which calls a run places and what is done to the gateway meanwhile, all drawn from one seed. Pure."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle, islice

from tests.chaos.judge import Deed, Target

KINDS: tuple[tuple[Target, Deed], ...] = (
    (Target.JOB, Deed.KILL),
    (Target.JOB, Deed.STOP),
    (Target.WORKER, Deed.KILL),
    (Target.WORKER, Deed.STOP),
    (Target.CONTROL, Deed.KILL),
    (Target.CONTROL, Deed.STOP),
    (Target.REDIS, Deed.KILL),
    (Target.REDIS, Deed.STOP),
    (Target.REDIS, Deed.CUT),
    (Target.REDIS, Deed.HOLD),
    (Target.REDIS, Deed.RESTART),
    (Target.REDIS, Deed.REFUSE),
    (Target.SPEECH, Deed.KILL),
    (Target.SPEECH, Deed.STOP),
    (Target.SPEECH, Deed.HOLD),
    (Target.SPEECH, Deed.CUT),
    (Target.EDGE, Deed.KILL),
    (Target.EDGE, Deed.STOP),
    (Target.EDGE, Deed.CUT),
    (Target.LIVEKIT, Deed.KILL),
    (Target.LIVEKIT, Deed.STOP),
    (Target.LIVEKIT, Deed.CUT),
)
"""What can be done to what, but for providers."""
BY_MEDIA = ((Target.JOB, Deed.CUT),)
"""What is done to media: a run that names it has all its media go through the test, which costs calls a part of the machine."""
WRONGS = (
    Deed.STALL, Deed.HALF_OPEN, Deed.DELAY, Deed.LIMIT, Deed.DENY, Deed.FAIL, Deed.CUT, Deed.GARBAGE, Deed.DRIP
)  # fmt: skip
"""What a provider does."""
PROVIDERS = (Target.STT, Target.LLM, Target.TTS)
ILLS = 4
"""So many of them each provider does in a run that names none."""
OFTEN = {Target.JOB: 4, Target.WORKER: 2}
"""How many times as often as another it is disturbed: a job is what dies most."""
TALKS = ("sales", "support", "callback")
"""Calls with an agent."""
OTHERS = ("menu", "desk", "direct", "message")
"""Calls without: each needs a human of its own, so that no two of a kind go on at once."""
FIRST, LAST = 0.2, 18.0
"""Seconds of a call, from its first ring, between which it is disturbed."""
LASTS = (3.5, 6.0)
"""Seconds for which something stands still or is held: longer than a lease."""
OUTAGE = 15.0
"""Seconds for which a provider misbehaves: a turn or more."""
APART = 1.5
"""Seconds at most between two calls of a round."""


@dataclass(frozen=True, slots=True)
class Planned:
    """One call."""

    scenario: str
    begins: float
    """Seconds after the round's begin."""
    fault_after: float
    """Seconds after its first ring at which its own job is disturbed, where the round disturbs jobs."""


@dataclass(frozen=True, slots=True)
class Round:
    """Calls that go on at the same time, and one kind of fault for all."""

    number: int
    target: Target
    deed: Deed
    fault_after: float
    """Seconds after the round's begin at which what all calls share is disturbed."""
    lasts: float
    pool: str
    """Whose worker is disturbed, where a worker is."""
    calls: tuple[Planned, ...]


def chosen(only: Sequence[str]) -> list[tuple[Target, Deed]]:
    """The kinds that are named, all if none is: `job` for all that is done to jobs, `job.kill` for one. Raises
    ValueError."""
    every = [*KINDS, *BY_MEDIA, *((provider, deed) for provider in PROVIDERS for deed in WRONGS)]
    named = [(target, deed) for target, deed in every if f"{target}.{deed}" in only]
    whole = [kind for kind in every if (not only or kind[0].value in only) and kind not in BY_MEDIA]
    found = [kind for kind in every if kind in named or kind in whole]
    known = {name for target, deed in every for name in (target.value, f"{target}.{deed}")}
    if unknown := set(only) - known - {Target.NONE.value}:
        raise ValueError(f"There is no {', '.join(sorted(unknown))}; there are {', '.join(sorted(known))}.")
    return found or [(Target.NONE, Deed.NONE)]


def through_media(rounds: Sequence[Round]) -> bool:
    """Whether media must go through the test."""
    return any((each.target, each.deed) in BY_MEDIA for each in rounds)


def numbers(words: str) -> frozenset[int]:
    """The rounds that `1-10,12` names. Raises ValueError."""
    found = set[int]()
    for part in words.split(","):
        first, _, last = part.partition("-")
        found.update(range(int(first), int(last or first) + 1))
    return frozenset(found)


def rounds(seed: int, calls: int, at_once: int, only: Sequence[str] = ()) -> list[Round]:
    """The rounds of a run: `calls` calls in all, `at_once` at a time. Each depends on the seed and its number alone, so
    that one can be done again by itself."""
    rng = random.Random(seed)
    kinds = chosen(only) if only else [*KINDS, *((each, ill) for each in PROVIDERS for ill in rng.sample(WRONGS, ILLS))]
    order = [kind for kind in kinds for _ in range(OFTEN.get(kind[0], 1))]
    rng.shuffle(order)
    sizes = [min(at_once, calls - begun) for begun in range(0, calls, at_once)]
    drawn = zip(islice(cycle(order), len(sizes)), sizes, strict=True)
    return [_round(seed, number, kind, size) for number, (kind, size) in enumerate(drawn, 1)]


def _round(seed: int, number: int, kind: tuple[Target, Deed], size: int) -> Round:
    rng = random.Random(f"{seed}/{number}")
    talks = min(size, rng.randint(1, 2))
    scenarios = [rng.choice(TALKS) for _ in range(talks)]
    scenarios += rng.sample(OTHERS, min(size - talks, len(OTHERS)))
    scenarios += [rng.choice(TALKS) for _ in range(size - len(scenarios))]
    rng.shuffle(scenarios)
    calls = tuple(Planned(name, rng.uniform(0, APART), rng.uniform(FIRST, LAST)) for name in scenarios)
    after, lasts, pool = rng.uniform(FIRST, LAST), rng.uniform(*LASTS), rng.choice(("agents", "house"))
    return Round(number, *kind, after, OUTAGE if kind[0] in PROVIDERS else lasts, pool, calls)
