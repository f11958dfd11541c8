"""The figures of a run, by what was done: the report and its last line. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace

from tests.chaos.judge import SILENT_AT_MOST, Deed, Target, Verdict

SPEECH_AGAIN = 2.0
"""Seconds within which somebody speaks again after a job's death, 99 times in a hundred."""
HANGS = 3.0
"""Seconds for which a job must stand still until it counts as hung (`gateway.terms.times.patience`), and in which one that is cut off
from LiveKit finds it (`gateway.conduct.sfu.staying`): from then on the limit is the same as after a death."""
HUNG = frozenset({Deed.STOP, Deed.CUT})
"""What isn't known at once of who spoke."""
SPEAKERS = frozenset({Target.JOB, Target.WORKER})
"""Whose death silences who speaks: the limit of SPEECH_AGAIN is theirs."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One call of a run."""

    call: str
    """Round and place, such as 7.2: what `--rounds 7` places again."""
    scenario: str
    target: Target
    deed: Deed
    verdict: Verdict
    ending: str = ""
    """By the record."""
    why: str = ""
    """How the caller tells what went wrong."""

    @property
    def kind(self) -> str:
        """What was done, in words."""
        return "nothing" if self.target is Target.NONE else f"{self.target} {self.deed}"


@dataclass(frozen=True, slots=True)
class Run:
    """A run's outcomes and what it was."""

    seed: int
    calls: int
    """Calls that the seed drew; the run may be a part of them."""
    at_once: int
    seconds: float
    outcomes: Sequence[Outcome]
    left: Sequence[str] = field(default_factory=tuple)
    """What was left over after rounds, with the round."""
    limit: float = SPEECH_AGAIN
    note: str = ""
    """What else is to be known of it."""


def written(run: Run) -> str:
    """The run as JSON."""
    return json.dumps(asdict(run), indent=1)


def read(text: str) -> Run:
    """What `written` wrote."""
    told = json.loads(text)
    outcomes = [
        Outcome(**{
            **each,
            "target": Target(each["target"]),
            "deed": Deed(each["deed"]),
            "verdict": Verdict(**{
                **each["verdict"], "lost": tuple(each["verdict"]["lost"]), "doubled": tuple(each["verdict"]["doubled"])
            }),
        })
        for each in told["outcomes"]
    ]  # fmt: skip
    return Run(**{**told, "outcomes": outcomes, "left": tuple(told["left"])})


def together(earlier: Run, later: Run) -> Run:
    """Two parts of one run; a call that is in both counts as it was in the later one, and so does what its round left."""
    again = {each.call for each in later.outcomes}
    rounds = tuple(f"round {call.partition('.')[0]}:" for call in again)
    kept = [each for each in earlier.outcomes if each.call not in again]
    left = [each for each in earlier.left if not each.startswith(rounds)]
    return replace(
        later,
        outcomes=[*kept, *later.outcomes],
        left=(*left, *later.left),
        seconds=earlier.seconds + later.seconds,
    )


def broken(run: Run) -> list[str]:
    """The limits that were broken, in words."""
    counts = {
        "turns lost": sum(len(each.verdict.lost) for each in run.outcomes),
        "effects doubled": sum(len(each.verdict.doubled) for each in run.outcomes),
        "calls dropped": sum(each.verdict.dropped for each in run.outcomes),
        "callers stuck": sum(each.verdict.stuck for each in run.outcomes),
        "greeted twice": sum(each.verdict.greeted > 1 for each in run.outcomes),
        "rang for ever": sum(each.verdict.endless for each in run.outcomes),
        "left in silence": sum(each.verdict.deserted for each in run.outcomes),
        "left over": len(run.left),
    }
    found = [f"{count} {what}" for what, count in counts.items() if count]
    for hung, after, allowed in ((False, "a death", run.limit), (True, "a stop or a cut", run.limit + HANGS)):
        again = speech_again(run.outcomes, hung)
        if again and percentile(again, 99) > allowed:
            found.append(f"speech again {percentile(again, 99):.1f} s after {after} (p99; {allowed:g} s allowed)")
    return found


def speech_again(outcomes: Iterable[Outcome], hung: bool) -> list[float]:
    """Seconds from the death of who spoke, or from where they were stopped or cut off (`hung`), to new speech, where there was
    somebody to speak."""
    return [
        each.verdict.speech_again
        for each in outcomes
        if each.target in SPEAKERS and each.verdict.speech_again is not None and each.scenario in TALKS
        if (each.deed in HUNG) is hung
    ]


TALKS = frozenset({"sales", "support", "callback"})


def percentile(values: Sequence[float], share: float) -> float:
    """The nearest rank: of few values the highest ones count for the last percents."""
    ordered = sorted(values)
    rank = max(1, -(-len(ordered) * share // 100))
    return ordered[int(rank) - 1]


def last_line(run: Run) -> str:
    """The run in one line."""
    silence = max((each.verdict.silence for each in run.outcomes), default=0.0)
    bad = broken(run)
    told = (
        (speech_again(run.outcomes, hung), after) for hung, after in ((False, "a death"), (True, "a stop or a cut"))
    )
    spoken = "".join(
        f"speech again p99 {percentile(again, 99):.1f} s after {after}, " for again, after in told if again
    )
    said = (
        f"chaos, seed {run.seed}: {len(run.outcomes)} calls; "
        f"{sum(len(each.verdict.lost) for each in run.outcomes)} turns lost, "
        f"{sum(len(each.verdict.doubled) for each in run.outcomes)} effects doubled, "
        f"{sum(each.verdict.dropped for each in run.outcomes)} calls dropped, "
        f"{spoken}longest silence {silence:.1f} s"
    )
    return f"{said} – {'FAILED: ' + '; '.join(bad) if bad else 'all within the limits'}"


def line(outcome: Outcome) -> str:
    """One call in one line, as it is shown while a run goes on."""
    verdict = outcome.verdict
    marks = [f"lost {'/'.join(verdict.lost)}"] if verdict.lost else []
    marks += list(verdict.doubled)
    marks += [name for name in ("dropped", "cut", "stuck", "endless", "deserted") if getattr(verdict, name)]
    marks += [f"greeted {verdict.greeted} times"] if verdict.greeted > 1 else []
    marks += [f"{verdict.again} said again"] if verdict.again else []
    again = "" if verdict.speech_again is None else f"speech again {verdict.speech_again:.1f} s  "
    sound = "" if verdict.sound_again is None else f"sound again {verdict.sound_again:.1f} s  "
    told = "; ".join(marks) or "ok"
    why = f" ({outcome.why})" if outcome.why else ""
    return (
        f"  {outcome.call:<6} {outcome.scenario:<9} {outcome.kind:<14} silence {verdict.silence:4.1f} s  {sound}{again}"
        f"{outcome.ending or 'no record'}: {told}{why}"
    )


def text(run: Run) -> str:
    """The report in Markdown."""
    return "\n".join(_text(run)) + "\n"


DESERTED = ", ".join(f"{seconds:g} s ({target} {deed})" for (target, deed), seconds in SILENT_AT_MOST.items())
"""The longest silences allowed, in words."""


def _text(run: Run) -> Iterator[str]:
    yield "# Calls under faults"
    yield ""
    yield (
        "Written by `make chaos`. Scripted callers telephone the whole gateway, and what runs is killed, stopped, cut off "
        "and held at random moments of their calls; what each caller heard is judged on their side of the line "
        "([the judge](judge.py))."
    )
    yield ""
    yield (
        f"{len(run.outcomes)} calls of {run.calls}, {run.at_once} at a time, in {run.seconds / 60:.0f} minutes, seed "
        f"{run.seed}. Again: `python -m tests.chaos --calls {run.calls} --at-once {run.at_once} --seed {run.seed}`; one round "
        "of it with `--rounds N`."
    )
    if run.note:
        yield ""
        yield run.note
    yield ""
    yield f"**{last_line(run)}**"
    yield ""
    yield from _table(run)
    yield ""
    yield (
        "Silence: the longest in which a caller waited for somebody and heard nothing, seconds; speech again: from the "
        "fault, or the end of what was still heard then, to new speech, of calls with an agent; p50 / p99 / longest; it may be "
        f"{SPEECH_AGAIN:g} s after a death, and {HANGS:g} s more after a stop or a cut, as who stands still for less doesn't "
        "hang. "
        "Said again: what callers had to say once more though it was understood before. Cut: calls that ended because "
        "what carries the voice died, the edge or livekit-server; with all else they must go on. Left in silence: for longer than "
        f"{DESERTED}, and as long as what carries the voice stood still. Nothing: calls that went on while another's job was "
        "disturbed, or that were over before the fault."
    )
    odd = [each for each in run.outcomes if not in_order(each)]
    if odd or run.left:
        yield ""
        yield "## What went wrong"
        yield ""
        yield from (f"- `{line(each).strip()}`" for each in odd)
        yield from (f"- left over after {each}" for each in run.left)


def in_order(outcome: Outcome) -> bool:
    """Whether nothing went wrong that a limit is about."""
    verdict = outcome.verdict
    allowed = SPEECH_AGAIN + (HANGS if outcome.deed in HUNG else 0.0)
    late = outcome.target in SPEAKERS and (verdict.speech_again or 0.0) > allowed and outcome.scenario in TALKS
    wrong = verdict.lost or verdict.doubled or verdict.dropped or verdict.stuck or verdict.endless or verdict.deserted
    return not (wrong or late or verdict.greeted > 1)


_COLUMNS: tuple[tuple[str, Callable[[Sequence[Outcome]], str]], ...] = (
    ("n", lambda rows: str(len(rows))),
    ("silence", lambda rows: _spread([each.verdict.silence for each in rows])),
    ("sound again", lambda rows: _spread([each.verdict.sound_again for each in rows])),
    (
        "speech again",
        lambda rows: _spread([each.verdict.speech_again for each in rows if each.scenario in TALKS]),
    ),
    ("turns lost", lambda rows: str(sum(len(each.verdict.lost) for each in rows))),
    ("said again", lambda rows: str(sum(each.verdict.again for each in rows))),
    ("doubled", lambda rows: str(sum(len(each.verdict.doubled) for each in rows))),
    ("greeted twice", lambda rows: str(sum(each.verdict.greeted > 1 for each in rows))),
    ("dropped", lambda rows: str(sum(each.verdict.dropped for each in rows))),
    ("stuck", lambda rows: str(sum(each.verdict.stuck for each in rows))),
    ("cut", lambda rows: str(sum(each.verdict.cut for each in rows))),
    ("rang for ever", lambda rows: str(sum(each.verdict.endless for each in rows))),
    ("left in silence", lambda rows: str(sum(each.verdict.deserted for each in rows))),
)


def _table(run: Run) -> Iterator[str]:
    yield "| what was done | " + " | ".join(name for name, _ in _COLUMNS) + " |"
    yield "| --- |" + " ---: |" * len(_COLUMNS)
    for kind in sorted({each.kind for each in run.outcomes}):
        rows = [each for each in run.outcomes if each.kind == kind]
        yield f"| {kind} | " + " | ".join(told(rows) for _, told in _COLUMNS) + " |"
    yield "| **all** | " + " | ".join(told(run.outcomes) for _, told in _COLUMNS) + " |"


def _spread(values: Iterable[float | None]) -> str:
    there = [value for value in values if value is not None]
    return " / ".join(f"{percentile(there, share):.1f}" for share in (50, 99, 100)) if there else "–"
