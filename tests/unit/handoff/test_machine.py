"""A caller who is given to a human: that each event is defined, and what holds whatever happens."""

from __future__ import annotations

from typing import get_args

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from gateway.calls.acts import cues
from gateway.calls.acts.rung import RESUME_WITHIN
from gateway.handoff.browser import browser_leg, rung_leg
from gateway.handoff.cut_off import AT_ONCE
from gateway.handoff.machine import EVENTS, TABLE, Phase
from gateway.terms.act import Handoff
from gateway.terms.handoff import Tried
from gateway.terms.hold import MUSIC, SILENT
from tests.unit.handoff.model import FAY, PROMISE, TEAM, WHO, Desk, begun

ANA = TEAM[0]
TOOK = (Tried.TAKEN, Tried.GAVE_BACK, Tried.CUT_OFF, Tried.CALLER_CUT_OFF, Tried.MACHINE, Tried.ASKED)
"""What comes of somebody who has talked with the caller."""


def test_every_event_is_defined_in_every_phase() -> None:
    assert set(EVENTS) == set(get_args(cues.Event))
    assert TABLE.keys() == {(phase, event) for phase in Phase for event in EVENTS}


class Handoffs(RuleBasedStateMachine):
    """Any events in any order, and jobs that die amid any of them: what each of them hears is never wrong."""

    desk: Desk

    @initialize(
        introduce=st.booleans(),
        promise=st.sampled_from(["", PROMISE]),
        at_most=st.sampled_from([10.0, 120.0]),
        far=st.sampled_from(
            ["waits", "is refused", "is refused", "is asked for", "talks", "talks", "talks with a third"]
        ),
    )
    def begin(self, introduce: bool, promise: str, at_most: float, far: str) -> None:
        """Some begin far on: by chance alone few would come to a talk, and fewer to a third."""
        act = Handoff("desk", introduce=introduce, at_most=at_most, third=FAY)
        self.desk = desk = begun(act, whisper=WHO, promise=promise)
        if far == "waits":
            return
        leg, *_ = desk.offer(ANA)
        if far == "is refused":
            desk.fails(leg, 603)
            return
        desk.answers(leg)
        if far == "is asked for":
            return
        desk.presses(leg, "1")
        if far == "talks with a third":
            desk.presses(leg, "*")
            desk.presses(leg, "8")
            desk.answers(desk.machine.third_leg)

    @precondition(lambda self: self.desk.in_line)
    @rule(data=st.data(), crash=st.none() | st.integers(0, 4))
    def members_are_offered(self, data: st.DataObject, crash: int | None) -> None:
        desk = self.desk
        busy = {desk.whose[leg] for leg in desk.those("rings", "answered", "connected")} | desk.held
        offered = data.draw(
            st.lists(st.sampled_from([one for one in TEAM if one.name not in busy] or [ANA]), unique=True)
        )
        offered = [one for one in offered if one.name not in busy]
        desk.held.update(one.name for one in offered)
        self._happens(cues.Offered(tuple(offered), 20.0), crash)

    @precondition(lambda self: self.desk.in_line)
    @rule(free=st.none() | st.integers(0, 3), staffed=st.booleans())
    def the_line_moves(self, free: int | None, staffed: bool) -> None:
        self._happens(cues.Standing(1, None, staffed, free), None)

    @precondition(lambda self: self.desk.phones("rings"))
    @rule(data=st.data(), crash=st.none() | st.integers(0, 3))
    def somebody_answers(self, data: st.DataObject, crash: int | None) -> None:
        leg = data.draw(st.sampled_from(self.desk.phones("rings")))
        self.desk.legs[leg] = "answered"
        self._happens(cues.LegAnswered(leg), crash)

    @precondition(lambda self: self.desk.those("rings", "answered"))
    @rule(data=st.data(), crash=st.none() | st.integers(0, 6))
    def somebody_comes_by_their_browser(self, data: st.DataObject, crash: int | None) -> None:
        desk = self.desk
        leg = data.draw(st.sampled_from(desk.those("rings", "answered")))
        browser = browser_leg(leg)
        if browser not in desk.legs and not rung_leg(leg):
            desk.legs[browser], desk.whose[browser] = "answered", desk.whose[leg]
            desk.took.add(browser)
            self._happens(cues.LegAnswered(browser), crash)

    @precondition(lambda self: self.desk.phones("rings"))
    @rule(
        data=st.data(),
        status=st.sampled_from([0, 404, 408, 480, 486, 487, 503, 603]),
        crash=st.none() | st.integers(0, 3),
    )
    def somebody_cant_be_had(self, data: st.DataObject, status: int, crash: int | None) -> None:
        leg = data.draw(st.sampled_from(self.desk.phones("rings")))
        self.desk.legs[leg] = "failed"
        self._happens(cues.LegFailed(leg, status), crash)

    @precondition(lambda self: self.desk.those("rings"))
    @rule(data=st.data())
    def a_phone_rings(self, data: st.DataObject) -> None:
        self._happens(cues.LegRings(data.draw(st.sampled_from(self.desk.those("rings")))), None)

    @precondition(lambda self: self.desk.those("answered"))
    @rule(data=st.data(), key=st.sampled_from("123*0"), crash=st.none() | st.integers(0, 6))
    def a_key_is_pressed(self, data: st.DataObject, key: str, crash: int | None) -> None:
        leg = data.draw(st.sampled_from(self.desk.those("answered")))
        if key == "1":
            self.desk.took.add(leg)
        self._happens(cues.LegKey(leg, key), crash)

    @precondition(lambda self: self.desk.those("answered"))
    @rule(
        data=st.data(),
        said=st.sampled_from(["yes", "i'll take it", "no", "again", "please leave a message after the tone"]),
    )
    def something_is_said(self, data: st.DataObject, said: str) -> None:
        leg = data.draw(st.sampled_from(self.desk.those("answered")))
        one = self.desk.machine.named(leg)
        if said in ("yes", "i'll take it") and one is not None and not one.machine:
            self.desk.took.add(leg)
        self._happens(cues.LegSaid(leg, said), None)

    @precondition(lambda self: self.desk.those("answered"))
    @rule(data=st.data(), sound=st.sampled_from(cues.LegSound))
    def something_sounds(self, data: st.DataObject, sound: cues.LegSound) -> None:
        self._happens(cues.LegSounds(data.draw(st.sampled_from(self.desk.those("answered"))), sound), None)

    @precondition(lambda self: self.desk.overheard)
    @rule(
        said=st.sampled_from(["hello", "leave a message after the tone", "please hold"]),
        sound=st.none() | st.sampled_from(cues.LegSound),
    )
    def a_third_is_heard(self, said: str, sound: cues.LegSound | None) -> None:
        leg = self.desk.overheard
        self._happens(cues.LegSaid(leg, said) if sound is None else cues.LegSounds(leg, sound), None)

    @precondition(lambda self: any(self.desk.told.values()))
    @rule(data=st.data(), crash=st.none() | st.integers(0, 2))
    def the_whisper_ends(self, data: st.DataObject, crash: int | None) -> None:
        leg = data.draw(st.sampled_from([leg for leg, texts in self.desk.told.items() if texts]))
        self.desk.told[leg] = ()
        self._happens(cues.LegHeard(leg), crash)

    @precondition(lambda self: self.desk.those("answered", "connected", "aside"))
    @rule(
        data=st.data(),
        lost=st.booleans(),
        goodbye=st.none() | st.booleans(),
        ago=st.sampled_from([0.0, 0.1, 2.2]),
        crash=st.none() | st.integers(0, 8),
    )
    def a_human_hangs_up(
        self, data: st.DataObject, lost: bool, goodbye: bool | None, ago: float, crash: int | None
    ) -> None:
        """Whose last words are remembered is told of once they are understood."""
        leg = data.draw(st.sampled_from(self.desk.those("answered", "connected", "aside")))
        remembered = leg == self.desk.remembered and not lost
        self.desk.legs[leg] = "left"
        self.desk.told.pop(leg, None)
        left = cues.LegLeft(leg, lost)
        if remembered:
            left, before = cues.LegLeft(leg, lost, self.desk.now, goodbye), self.desk.machine
            early = self.desk.now < before.early_until
            self.desk.pass_time(ago)
        self._happens(left, crash)
        if remembered and before.taken + AT_ONCE <= left.at and crash is None:
            back = self.desk.machine.rung_back == before.talks_with
            assert back is (early and goodbye is False), "who has said no goodbye, and nobody else"

    @precondition(lambda self: self.desk.those("connected") and not self.desk.gone)
    @rule(data=st.data(), lost=st.booleans(), told=st.booleans(), crash=st.none() | st.integers(0, 8))
    def a_human_leaves_while_no_job_is_there(
        self, data: st.DataObject, lost: bool, told: bool, crash: int | None
    ) -> None:
        desk = self.desk
        leg = data.draw(st.sampled_from(desk.those("connected")))
        desk.legs[leg] = "left"
        desk.crash(cues.LegKey(leg, "5"), 0)
        if told:
            self._happens(cues.LegLeft(leg, lost, desk.now), crash)
        else:
            desk.pass_time(RESUME_WITHIN)

    @precondition(lambda self: self.desk.those("connected", "aside"))
    @rule(data=st.data(), hold=st.sampled_from(["", MUSIC, SILENT]), crash=st.none() | st.integers(0, 2))
    def somebody_puts_the_caller_on_hold(self, data: st.DataObject, hold: str, crash: int | None) -> None:
        leg = data.draw(st.sampled_from(self.desk.those("connected", "aside")))
        self._happens(cues.LegHold(leg, hold), crash)

    @precondition(lambda self: self.desk.those("connected", "aside"))
    @rule(data=st.data(), keys=st.sampled_from(["*", "2", "*2", "*3", "*8", "*9"]), crash=st.none() | st.integers(0, 5))
    def a_key_is_pressed_in_the_talk(self, data: st.DataObject, keys: str, crash: int | None) -> None:
        leg = data.draw(st.sampled_from(self.desk.those("connected", "aside")))
        for key in keys[:-1]:
            self._happens(cues.LegKey(leg, key), None)
        self._happens(cues.LegKey(leg, keys[-1]), crash)
        if keys == "*9" and self.desk.machine.talking:
            self._happens(cues.NoCalls(True), None)

    @precondition(lambda self: self.desk.legs)
    @rule(data=st.data())
    def a_link_is_used(self, data: st.DataObject) -> None:
        self._happens(cues.Declined(data.draw(st.sampled_from(sorted(self.desk.legs)))), None)

    @precondition(lambda self: not self.desk.gone)
    @rule(often=st.integers(0, 4), lost=st.booleans(), done=st.booleans())
    def the_caller_hangs_up(self, often: int, lost: bool, done: bool) -> None:
        if often == 0:
            self.desk.gone = True
            self._happens(cues.Gone(lost), None)
            if self.desk.booked:
                self._happens(cues.Booked(done), None)

    @rule()
    def all_is_said(self) -> None:
        if self.desk.sound == "words":
            self._happens(cues.Heard(), None)

    @rule(seconds=st.sampled_from([0.1, 1.0, 4.0, 12.0, 31.0]))
    def time_passes(self, seconds: float) -> None:
        self.desk.pass_time(seconds)

    def _happens(self, event: cues.Event, crash: int | None) -> None:
        # A job that dies once the caller has gone has no successor.
        if crash is None or self.desk.gone:
            self.desk.happens(event)
        else:
            self.desk.crash(event, crash)

    @invariant()
    def nobody_is_alone_and_silent(self) -> None:
        if hasattr(self, "desk"):
            self.desk.check()

    def teardown(self) -> None:
        if not hasattr(self, "desk"):
            return
        desk = self.desk
        for _ in range(3):
            for leg in desk.those("connected", "aside"):
                if desk.legs[leg] in ("connected", "aside"):
                    desk.hangs_up(leg)
            desk.pass_time(400.0)
        assert desk.outcome is not None, "it ends in bounded time"
        assert desk.machine.deadline == float("inf")
        assert desk.held == set(), "everybody is free in the end"
        assert desk.talked <= {leg for leg, tried in desk.came.items() if tried in TOOK}, "the record tells who took it"
        assert not desk.in_line
        for leg in desk.those("rings"):  # one that a dead job should have dropped is dropped when it answers
            desk.answers(leg)
            assert desk.legs[leg] == "dropped"


Handoffs.TestCase.settings = settings(max_examples=200, stateful_step_count=30, deadline=None)
TestHandoffs = Handoffs.TestCase
