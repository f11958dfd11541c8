"""Conducts one call: feeds the script with what happens, and does what it says. Every wait in it is bounded."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import replace
from typing import Any

import structlog

from gateway.calls.acts.cues import Key
from gateway.calls.acts.slip import Presses
from gateway.calls.hearing import ATTENDED
from gateway.calls.store.port import Asked
from gateway.conduct.bounded import bounded
from gateway.conduct.caller.counting import Pressed
from gateway.conduct.caller.gap import Gap
from gateway.conduct.events import (
    Apologise,
    Apologised,
    Converse,
    Effect,
    Ended,
    Failed,
    Finished,
    HangUp,
    Input,
    KeepCompany,
    LeadOn,
    LeaseLost,
    Leave,
    Led,
    Listening,
    Out,
    Stopping,
    TellAnswered,
    TellHangup,
    TellSwitched,
)
from gateway.conduct.lease import Lease
from gateway.conduct.ledger import Ledger
from gateway.conduct.means import Means
from gateway.conduct.script import Script, State
from gateway.conduct.sfu.mouth import Mouth
from gateway.conduct.sfu.room import CallRoom
from gateway.conduct.sound import play
from gateway.conduct.talk.apology import apologise
from gateway.conduct.talk.attention import attended
from gateway.conduct.talk.cast import Cast
from gateway.conduct.talk.pickup import PickUp
from gateway.conduct.talk.stage import CallStage, Parts
from gateway.conduct.tell import Teller
from gateway.errors import OffhookError, OurFault, Unavailable
from gateway.metrics import EDGE_ERRORS
from gateway.tasks import Tasks, cancelled
from gateway.terms.act import Because, Handoff, Onward, Over, Talk
from gateway.terms.call import Call, Phase
from gateway.terms.catalogue import Cue, come_back
from gateway.terms.event import Kind, last_key
from gateway.terms.kept import Kept
from gateway.terms.times import THERE_WITHIN

log = structlog.get_logger(__name__)

PLAY_OUT_WITHIN = 30.0
"""Seconds that the last words may take to be played."""
FLIGHT = 0.35
"""Seconds from our queue to the caller's ear that nobody tells the end of: the room, the SIP service's buffer, the
network and the phone's. Hanging up earlier cuts the last word off."""
LEAVE_WITHIN = 1.0
"""Seconds that leaving the room may take; LiveKit finds out by itself in the end."""
QUIET_WITHIN = 0.3
"""Seconds that whoever takes the call over waits for us to fall silent and to tell what we know; it takes longer to come."""
BEGUN_WITHIN = 0.3
"""Seconds that the caller may wait for the store to keep which agent talks."""
KEYS_WITHIN = 1.0
"""Seconds that an agent who goes on with what a caller was keying in waits for the keys that no job has acted on; the caller
hears meanwhile that they were lost for a moment."""
ASK_AGAIN = 1.0
"""Seconds until control is asked once more where the call goes on."""


class Conductor:
    """One call in one job. `run` returns when the job has nothing more to do in the call's room; `stop` ends it."""

    def __init__(
        self,
        call: Call,
        job: str,
        lease: Lease,
        teller: Teller,
        means: Means,
        kept: Kept | None = None,
    ) -> None:
        """`kept`: what is known of the call's conversation."""
        self._call, self._job, self._lease, self._teller, self._means = call, job, lease, teller, means
        self._kept = kept or Kept()
        self._done = dict(call.done)
        self._pick_up: PickUp | None = None
        self._inputs: asyncio.Queue[Input] = asyncio.Queue()
        self._script = self._begun(call.brief.agent)
        self._gap = Gap(
            means.room, call.sip_identity, self._pressed,
            follows=call.epoch > 1, acted=call.last_key, prove=means.prove, sure=lambda: lease.sure,
        )  # fmt: skip
        self._past = 0
        """The number of the last key that came before what is done now began."""
        self._presses = Presses()
        teller.stored = lambda event: self._gap.act(last_key(event))
        self._room = CallRoom(means.room, call.sip_identity, self._inputs.put_nowait, self._gap.pressed, means.doubt)
        self._cast = Cast(means.runner)
        self._act: asyncio.Task[None] | None = None
        """What is done for the caller."""
        self._leading: asyncio.Task[None] | None = None
        self._give_back = False

    def stop(self) -> None:
        """The process ends: leave, so that another job takes the call over."""
        self._inputs.put_nowait(Stopping())

    async def run(self) -> None:
        """Conduct the call to its end. The lease must have been taken."""
        means = self._means
        async with self._teller, means.mouth as mouth, play.Track(mouth, mouth.rate) as voice:
            ledger = Ledger(means.store, self._teller, self._call, self._lost, self._done)
            prompts, rendered_in = means.prompts, means.rendered_in
            parts = Parts(
                self._call, voice, self._room, self._teller, ledger, prompts, rendered_in, means.spoken,
                means.do_not_call, means.health, means.look, means.lets_out,
            )  # fmt: skip
            stage = CallStage(parts, self._call.brief, ends=self._call.ends)
            cue = self._taken_up(stage)
            if cue is not None:
                self._script = self._begun(stage.brief.agent)
                await self._first_words(stage, cue)
            self._teller.note(Kind.TAKEN, {"epoch": self._call.epoch, "job": self._job}, time.time())
            renewing = self._lease.keep(self._lost, self._known, self._teller.again)
            keep = asyncio.create_task(renewing, name="lease")
            join = asyncio.create_task(self._join(mouth), name="join")
            try:
                if isinstance(self._call.act, Talk):
                    self._cast.ready(stage)
                await self._follow(stage)
            except asyncio.CancelledError:
                self._give_back = True
                raise
            finally:
                await self._end(join, keep)

    async def _end(self, join: asyncio.Task[None], keep: asyncio.Task[None]) -> None:
        """Let go of all there is; a call that goes on isn't kept waiting for it."""
        async with Tasks("conductor") as tasks:
            quiet = tasks.start(self._let_go(join), "let go")
            if self._give_back:
                await asyncio.wait({quiet}, timeout=QUIET_WITHIN)
                await cancelled(keep)
                await self._lease.release()
            await asyncio.wait({quiet})
            await cancelled(keep)

    async def _let_go(self, join: asyncio.Task[None]) -> None:
        await cancelled(join, self._act, self._leading, self._gap.asking)
        await self._means.house.hear_no_more()
        await self._leave()
        await self._cast.close()
        if self._pick_up is not None:
            await self._pick_up.close()

    async def _follow(self, stage: CallStage) -> None:
        while self._script.state is not State.OVER:
            given = await self._next()
            if self._pick_up is not None and isinstance(given, Listening):
                self._pick_up.listening()
            try:
                now = time.monotonic()
                self._script, effects = self._script.due(now) if given is None else self._script.on(given, now)
            except OurFault as fault:
                EDGE_ERRORS.labels("conductor").inc()
                log.exception("the call's script was broken", why=str(fault))
                continue
            for effect in effects:
                await self._do(effect, stage)

    async def _next(self) -> Input | None:
        with suppress(TimeoutError):
            async with asyncio.timeout_at(_loop_time(self._script.deadline)):
                return await self._inputs.get()
        return None

    async def _do(self, effect: Effect, stage: CallStage) -> None:
        match effect:
            case Converse():
                await self._start(self._serve(stage), "serve")
                self._gap.close()
            case LeadOn(onward):
                self._leading = asyncio.create_task(self._lead(onward, stage), name="lead")
            case KeepCompany():
                await self._start(self._means.house.keep_company(stage, self._call), "company")
            case Apologise(reason):
                log.error("the call's act can't go on", agent=self._script.agent, why=reason)
                await cancelled(self._leading)
                await self._start(self._apologise(stage, reason), "apologise")
            case TellAnswered():
                self._teller.note(Kind.ANSWERED, {"epoch": self._call.epoch}, time.time())
            case TellSwitched(agent, reason):
                self._teller.note(Kind.SWITCHED, {"agent": agent, "reason": reason}, time.time())
            case TellHangup(by, reason):
                self._teller.note(Kind.HANGUP, {"by": by.value, "reason": reason}, time.time())
            case HangUp(at_once):
                if not at_once:
                    await self._played(stage)
                await self._hang_up()
            case Leave(reason, give_back, goes_on, lost):
                log.info("leaving the room", why=reason)
                self._give_back = give_back
                if give_back:
                    self._teller.note(Kind.LEFT, {"epoch": self._call.epoch, "why": reason}, time.time())
                if goes_on and not await self._ended():
                    self._means.house.leave()
                elif (within := self._means.house.gone(lost=lost)) and self._act is not None:
                    await asyncio.wait({self._act}, timeout=within)
                    if isinstance(self._call.act, Handoff):  # control leaves the room to us while somebody is told
                        await self._hang_up()

    async def _join(self, mouth: Mouth) -> None:
        try:
            await self._room.join(self._means.connect, mouth.open)
            if isinstance(self._call.act, Talk):
                self._means.hearing(ATTENDED)
            await self._room.stay()
        except Unavailable as bad:
            self._inputs.put_nowait(Out(str(bad)))

    async def _start(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """One thing at a time is done for the caller."""
        await cancelled(self._act)
        self._act = asyncio.create_task(work, name=name)

    async def _serve(self, stage: CallStage) -> None:
        """Do what the call's stop says."""
        try:
            if isinstance(self._call.act, Talk):
                self._means.mouth.sounds = stage.attention.sounds
                await self._means.house.hear_no_more()
                self._means.hearing(ATTENDED)
                if not await self._begin(stage):
                    self._inputs.put_nowait(LeaseLost())
                    return
                given: Finished | Ended | Onward | Over = await bounded(self._call, self._converse(stage))
            else:
                house, gap = self._means.house, self._gap
                given = await bounded(self._call, house.perform(stage, self._call, self._past, gap.act))
            self._inputs.put_nowait(given if isinstance(given, Finished | Ended) else Ended(given))
        except OffhookError as bad:
            self._failed(str(bad))
        except Exception as bug:  # an act's code ends here: the caller mustn't suffer its faults
            EDGE_ERRORS.labels("agent").inc()
            log.exception("the act failed", act=type(self._call.act).__name__, agent=self._script.agent)
            self._failed(type(bug).__name__)

    async def _begin(self, stage: CallStage) -> bool:
        """Keep which agent talks from now on; False when the call is another job's. A store that doesn't answer keeps
        nobody from talking."""
        call = self._call = replace(self._call, checkpoint=stage.brief.agent)
        with suppress(Unavailable, TimeoutError):
            async with asyncio.timeout(BEGUN_WITHIN):
                return await self._means.store.keep(call.id, call.epoch, call.stop, call.checkpoint, "", self._past)
        return True

    async def _converse(self, stage: CallStage) -> Finished | Ended:
        if self._pick_up is not None and (stage.resumed or _back(self._call)):
            stage.opened = await self._pick_up.speak()
        if stage.kept.heard.keys:
            await self._gap.closed(KEYS_WITHIN)
        reason = await attended(stage, self._cast.converse(stage))
        switch = stage.switched()
        if switch or stage.onward is not None:
            await self._cast.close()
        if stage.onward is not None:
            return Ended(stage.onward)
        return Finished(stage.switch_reason if switch else reason, switch)

    def _failed(self, why: str) -> None:
        if self._call.ours:
            log.error("a callback can't go on", why=why)
            self._inputs.put_nowait(Ended(Over(f"the callback failed: {why}")))
            return
        if isinstance(self._call.act, Talk) and self._call.brief.leads_without_agent:
            log.error("the agent can't go on; the plan says what comes instead", agent=self._script.agent, why=why)
            self._inputs.put_nowait(Ended(Onward(Because.NO_AGENT)))
        else:
            self._inputs.put_nowait(Failed(why))

    async def _lead(self, onward: Onward, stage: CallStage) -> None:
        """Ask control until it has put the call at its next stop; the script's deadline bounds it."""
        store, call = self._means.store, self._call
        self._past = self._gap.last
        self._presses = self._presses.led_on(call.act, onward)
        await self._cast.close()
        while True:
            started = time.monotonic()
            with suppress(Unavailable):
                await store.ask(Asked(call.id, call.epoch, call.stop, onward, self._means.pool))
                if (led := await store.led(call.id, call.stop, ASK_AGAIN)) is not None:
                    break
            await asyncio.sleep(max(0.0, started + ASK_AGAIN - time.monotonic()))
            if self._act is None or self._act.done():  # it takes long: the line isn't dead
                await self._start(self._means.house.keep_company(stage, call), "company")
        self._call = led
        stage.led(led)
        ours = not led.needs_another(self._means.pool)
        if ours and (back := _back(led)):
            await self._first_words(stage, back)
            self._cast.ready(stage)
        self._inputs.put_nowait(Led(led.brief.agent, ours=ours))

    async def _apologise(self, stage: CallStage, reason: str) -> None:
        means = self._means
        await apologise(stage, self._call, reason, cast=self._cast, house=means.house, lines=means.lines)
        self._inputs.put_nowait(Apologised())

    async def _played(self, stage: CallStage) -> None:
        """Return once the caller has heard what was said."""
        with suppress(TimeoutError):
            async with asyncio.timeout(PLAY_OUT_WITHIN):
                await stage.voice.finish()
                await asyncio.sleep(FLIGHT)

    async def _hang_up(self) -> None:
        try:
            await self._means.end_call()
        except Unavailable as bad:
            log.warning("the call couldn't be ended; the caller is left in its room", why=str(bad))

    def _taken_up(self, stage: CallStage) -> Cue | None:
        """Give the stage what is kept of the conversation; how the caller is told that it goes on, None when it
        begins."""
        call, talks = self._call, isinstance(self._call.act, Talk)
        dialed_again = bool(call.resumes) and call.stop == 1 and not call.checkpoint
        stage.resume(self._kept, (call.brief.agent if dialed_again else call.checkpoint) if talks else "")
        if not stage.resumed:
            return _back(call)
        return Cue.BACK if dialed_again else Cue.AGAIN

    async def _first_words(self, stage: CallStage, cue: Cue) -> None:
        """Have the words ready that the caller hears before the agent is."""
        if self._pick_up is not None:
            await self._pick_up.close()
        self._pick_up = PickUp(stage, self._means.lines(stage.brief), cue)
        if self._call.stop > 1 and not stage.resumed and self._script.state is not State.JOINING:
            self._pick_up.listening()  # it is our voice that the caller has heard all along

    def _begun(self, agent: str) -> Script:
        answered = Kind.ANSWERED.value in self._call.told
        overdue = answered or time.time() - self._call.started >= THERE_WITHIN
        return Script.start(agent, time.monotonic(), overdue=overdue, ours=self._call.ours)

    def _known(self) -> Call:
        """The call as it stands, for a store that has lost it."""
        kept = self._means.house.kept or (self._call.checkpoint, self._call.bridged, self._gap.acted)
        checkpoint, bridged, last_key = kept
        done = dict(self._done)
        return replace(self._call, checkpoint=checkpoint, bridged=bridged, last_key=last_key, done=done)

    def _lost(self) -> None:
        """The call is another job's."""
        self._inputs.put_nowait(LeaseLost())

    async def _ended(self) -> bool:
        """Whether the call is over: control may have ended it before the room tells us that the caller is gone."""
        try:
            known = await self._means.store.get(self._call.id)
        except Unavailable:
            return False
        return known is None or known.phase is Phase.ENDED

    async def _leave(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(LEAVE_WITHIN):
                await self._means.leave()

    def _pressed(self, one: Pressed) -> None:
        now = time.monotonic()
        key = Key(one.key, one.missed, one.number, self._presses.slips(one.key, self._call.act, now))
        self._presses = self._presses.pressed(now)
        if not (self._cast.digit(one.key, one.number) or self._means.house.happened(key)):
            self._past = one.number


def _back(call: Call) -> Cue | None:
    """How a caller is told who comes back from a handoff or a transfer; None for any other, and where the plan has words for it,
    which the agent says itself."""
    back = call.act.back if isinstance(call.act, Talk) and not call.act.words else ""
    return come_back(back) if back else None


def _loop_time(deadline: float) -> float | None:
    loop = asyncio.get_running_loop()
    return None if deadline == float("inf") else loop.time() + deadline - time.monotonic()
