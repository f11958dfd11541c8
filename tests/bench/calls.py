"""The calls that are measured, by the phone: what the caller's own packets say."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from gateway.phone.phone import Phone
from gateway.phone.timeline import Timeline

SALES = "+15105550100"
LINES = ("We need a new phone system.", "My name is John Smith.", "I work for Acme Software.")
PLAIN_LINES = ("My name is John Smith.", "I work for Acme Software.", "Yes.")
ANSWER_WITHIN = 40.0


@dataclass
class Setups:
    """Of calls that only were set up, seconds each."""

    ringing: list[float] = field(default_factory=list)
    answer: list[float] = field(default_factory=list)
    first_word: list[float] = field(default_factory=list)

    def add(self, timeline: Timeline) -> None:
        """Take a call's figures."""
        assert timeline.invite_to_ringing is not None
        assert timeline.invite_to_answer is not None
        assert timeline.answer_to_first_word is not None
        self.ringing.append(timeline.invite_to_ringing)
        self.answer.append(timeline.invite_to_answer)
        self.first_word.append(timeline.answer_to_first_word)


async def set_up(phone: Phone, number: str, settle: float) -> Timeline:
    """Dial, hear the first word, hang up, and leave the workers `settle` seconds to be warm again."""
    call = await phone.dial(number)
    await call.answered(ANSWER_WITHIN)
    await call.heard(10)
    await call.hang_up()
    timeline = call.timeline()
    await asyncio.sleep(settle)
    return timeline


async def converse(phone: Phone, number: str, lines: tuple[str, ...]) -> tuple[str, list[float]]:
    """Say the lines in turn; the call's id in the records and each turn's gap, seconds."""
    call = await phone.dial(number)
    await call.answered(ANSWER_WITHIN)
    for line in lines:
        await call.spoken(25, 0.8)
        await phone.say(call, line)
    await call.heard(10)
    await call.hang_up()
    gaps = [turn.gap for turn in call.timeline().turns if turn.gap is not None]
    return call.dialog.id.remote_tag if call.dialog else "", gaps


async def at_once(phone: Phone, number: str, count: int) -> Setups:
    """That many calls in the same moment; each must be answered and hear something."""
    calls = [await phone.dial(number) for _ in range(count)]
    for call in calls:
        await call.answered(ANSWER_WITHIN)
    for call in calls:
        await call.heard(20)
    setups = Setups()
    for call in calls:
        await call.hang_up()
        setups.add(call.timeline())
    return setups
