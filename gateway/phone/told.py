"""A call's figures, as lines that a newcomer understands. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.phone.timeline import Kind, Timeline

_VERBS = {Kind.SAY: "said", Kind.PLAY: "played", Kind.PRESS: "pressed"}
_ENDED = {
    "us": "this phone hung up",
    "them": "the other side hung up",
    "network": "the line was lost",
    "": "it goes on",
}


def lines(timeline: Timeline) -> Iterator[str]:
    """The call, line by line."""
    if timeline.invite_to_ringing is not None:
        yield f"  rang            after {_ms(timeline.invite_to_ringing)}"
    if timeline.invite_to_answer is None:
        status = f"{timeline.status or ''} {timeline.reason}".strip() or "no answer"
        yield f"  not answered    {status}"
        return
    yield f"  answered        after {_ms(timeline.invite_to_answer)} ({timeline.codec})"
    if timeline.answer_to_first_word is not None:
        yield f"  first heard     {_ms(timeline.answer_to_first_word)} after the answer"
    for turn in timeline.turns:
        gap = "no reply before the next turn" if turn.gap is None else f"reply after {_ms(turn.gap)}"
        yield f"  {_clock(turn.start)}  {_VERBS[turn.kind]} '{turn.what}' – {gap}"
    for barge in timeline.barge_ins:
        silent = "never" if barge.until_silence is None else f"after {_ms(barge.until_silence)}"
        yield f"  {_clock(barge.at)}  spoke over the other side, which fell silent {silent}"
    for at, length in timeline.silences:
        yield f"  {_clock(at)}  nobody was heard for {length:.1f} s"
    if timeline.keys_heard:
        yield f"  keys heard      {timeline.keys_heard}"
    pacing = timeline.pacing
    yield (
        f"  audio           {pacing.packets} packets, {pacing.lost} lost, one each {pacing.p50:.1f} ms "
        f"(99%: {pacing.p99:.1f}, longest {pacing.longest:.1f})"
    )
    yield f"  ended           after {timeline.duration or 0:.1f} s: {_ENDED.get(timeline.ended_by, timeline.ended_by)}"


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{seconds % 60:04.1f}"
