"""A caller, a team and the job between them, as a handoff's effects meet them, with what must never happen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gateway.calls.acts import cues, deeds
from gateway.calls.acts.cues import Event
from gateway.calls.acts.deeds import Effect
from gateway.handoff.asked import DECIDE_WITHIN
from gateway.handoff.browser import browser_leg, rung_leg
from gateway.handoff.machine import Phase, Transfer
from gateway.handoff.promise import PROMISE_WITHIN
from gateway.handoff.state import Third
from gateway.terms.act import Because, Callee, Handoff, Onward
from gateway.terms.handoff import Tried
from gateway.terms.hold import SILENT
from tests.unit.calls.world import START, World

EVE = Callee("eve", "")
"""She has no phone: she takes calls in her browser."""
TEAM = (*(Callee(name, f"+1510555011{number}") for number, name in enumerate(("ana", "ben", "chi", "dee"))), EVE)
FAY = Callee("fay", "+15105550119")
"""Not of the team: whom its members bring in, or ask."""
WHO = ("Maria of Acme is on the line.", "They need phones.")
CHOOSE = "Press 1 to take it, 2 to decline, 3 to repeat."
PROMISE = "I'll put you through to a colleague."
ACT = Handoff("desk", browsers=("ana", "eve"), third=FAY)


class Desk(World):
    """Carries out what the machine asks for, as World does, and looks after what each of them hears."""

    machine: Transfer

    def __init__(self, machine: Transfer) -> None:
        super().__init__(machine)
        self.told: dict[str, tuple[str, ...]] = {}
        """By leg: what it alone is being told; () once that was played."""
        self.cards: list[str] = []
        self.came: dict[str, Tried] = {}
        """By leg, what the record says of it."""
        self.took: set[str] = set()
        """Legs whose human has said that they take the call."""
        self.gone = False
        """The caller has hung up."""
        self.introduced = ""
        self.booked: list[str] = []
        """Why each callback was booked."""
        self.told_aside: list[tuple[str, tuple[str, ...]]] = []
        """What was said to somebody alone who talks."""
        self.renewing: tuple[str, ...] = ()
        """The legs that were last asked to publish anew."""
        self.never_called = 0
        """Times that the caller's number was to be entered among those that are never called."""
        self.announced: list[str] = []
        """What was said to the caller and whoever talks with them."""
        self.overheard = ""
        """The leg that we hear besides whoever talks with it."""
        self.remembered = ""
        """The leg whose last words are remembered."""
        self.accompanied = False
        """The caller hears us besides whoever talks with them."""
        self.talked: set[str] = set()
        """Legs that have talked with the caller."""
        self.quiet: dict[str, float] = {}
        """By leg of somebody who has answered: since when they hear nothing."""
        self.words = 0
        """Times that something was said to somebody alone."""
        self.last: dict[str, int] = {}
        """By leg: which of them was the last."""
        self.went = 0
        """How many they were as the caller hung up."""
        self.holding: dict[str, str] = {}
        """By leg ("" for the caller): whether they hold the other (one of `gateway.terms.hold`)."""
        self.promised: float | None = None
        """Since when the caller hears that they are put through; None while they don't."""

    def _do(self, effect: Effect) -> None:
        self._check_promise(effect)
        match effect:
            case deeds.Whisper(leg, texts) if self.legs[leg] in ("connected", "aside"):
                self.told_aside.append((leg, texts))
            case deeds.Renew(legs):
                self.renewing = legs
            case deeds.NeverCall():
                self.never_called += 1
            case deeds.Announce(text):
                assert self.those("connected"), "both hear it"
                self.announced.append(text)
            case deeds.Listen(leg, on):
                self.overheard = leg if on else ""
            case deeds.Remember(leg):
                assert leg != self.remembered or self.crashed, "once"
                self.remembered = leg
            case deeds.Whisper(leg, texts):
                assert self.legs[leg] == "answered" or self.crashed, "a phone that rings hears nothing"
                assert texts
                self.words += 1
                self.told[leg], self.last[leg] = texts, self.words
            case deeds.Connect(leg, say):
                assert leg in self.took, "nobody gets the caller who hasn't said that they take the call"
                assert not self.gone
                self.told.pop(leg, None)
                self.introduced, self.accompanied, self.promised = say, False, None
                self.sound = ""  # what connects two makes us silent
                super()._do(effect)
            case deeds.Converse(legs, caller, music):
                self._converse(legs, caller)
                self.accompanied = music
            case deeds.Ready():
                pass
            case deeds.Card(_, name):
                self.cards.append(name)
            case deeds.Consulted(leg, tried):
                again = (self.came.get(leg), tried) in (
                    (Tried.TAKEN, Tried.GAVE_BACK), (Tried.TAKEN, Tried.CUT_OFF), (Tried.ASKED, Tried.TAKEN),
                    (Tried.TAKEN, Tried.CALLER_CUT_OFF), (Tried.ASKED, Tried.MACHINE), (Tried.TAKEN, Tried.MACHINE)
                )  # fmt: skip
                told_anew = self.crashed and self.came.get(leg) == tried
                assert leg not in self.came or again or told_anew, "a leg comes out one way"
                self.came[leg] = tried
                if tried is Tried.CALLER_CUT_OFF:
                    self.legs[leg] = "answered"  # and nobody is there to talk with
            case deeds.Book(_, reason):
                assert self.gone
                self.booked.append(reason)
            case deeds.Drop(leg):
                self.overheard = "" if leg == self.overheard else self.overheard
                self.told.pop(leg, None)
                if self.legs.get(leg) == "aside":
                    self.legs[leg] = "answered"
                if self.legs.get(leg) != "left":  # dropped, of one who was cut off, says that we are heard again
                    super()._do(effect)
            case _:
                super()._do(effect)

    def _check_promise(self, effect: Effect) -> None:
        """The caller hears that they are put through to its end, unless they have gone or somebody takes the call; a job after one that
        died says it once more."""
        if isinstance(effect, deeds.Say | deeds.Sound | deeds.Hush) and self.promised is not None:
            assert self.gone or self.now >= self.promised + PROMISE_WITHIN, f"{effect} cuts off what the caller hears"
            self.promised = None
        if effect == deeds.Say(PROMISE):
            assert not self.talked, "who has talked with somebody is promised nobody"
            assert self.said.count(PROMISE) <= self.crashed, "it is said once, and once more"
            self.promised = self.now

    def _converse(self, legs: tuple[str, ...], caller: bool) -> None:
        assert not self.gone
        for leg in self.those("connected", "aside"):
            if leg not in legs:
                self.legs[leg] = "answered"
        for leg in legs:
            assert leg in self.took or self.whose[leg] == FAY.name, "nobody else hears the caller"
            if self.legs[leg] not in ("rings", "left"):
                self.legs[leg] = "connected" if caller else "aside"

    def happens(self, event: Event, *, effects: int | None = None) -> Sequence[Effect]:
        """See World."""
        if isinstance(event, cues.LegHold):
            self.holding[event.leg] = event.hold
        if isinstance(event, cues.Heard):
            self.promised = None
        if isinstance(event, cues.Gone):
            self.went = self.words
        return super().happens(event, effects=effects)

    def crash(self, event: Event, effects: int, *, back: str | None = None) -> None:
        """See World. Nothing that was whispered goes on. `back`: the leg ("" for the caller) that stops holding the other while
        no job is there."""
        self.crashed = True
        self.happens(event, effects=effects)
        if back is not None:
            self.holding[back] = ""
        self.sound, self.told, self.overheard, self.remembered, self.promised = "", {}, "", "", None
        for leg, state in list(self.legs.items()):
            if state in ("connected", "aside"):
                self.legs[leg] = "answered"
        answered = self.those("answered")
        self.happens(cues.Resumed(frozenset(self.phones("rings", "answered"))))
        for leg in answered:
            if self.legs[leg] in ("answered", "aside", "connected"):
                self.happens(cues.LegAnswered(leg))
                self.happens(cues.LegHold(leg, self.holding.get(leg, "")))
        if not self.gone:
            self.happens(cues.LegHold("", self.holding.get("", "")))
        rung = {self.whose[leg] for leg in self.those("rings", "answered", "connected")}
        if self.in_line and (lost := self.held - rung):
            self.happens(cues.Offered(tuple(one for one in TEAM if one.name in lost), 20.0))

    def check(self) -> None:
        """What holds whenever nothing is going on."""
        if self.machine.phase is Phase.NEW:
            return
        connected = self.those("connected")
        self.talked.update(connected)
        self._check_third(connected)
        screened = self.machine.screening.leg
        # Of one who has hung up nothing is to be heard any more.
        assert self.legs.get(self.overheard, "left") == "left" or self.overheard == screened, (
            "nobody else is listened to"
        )
        self._check_remembered(connected)
        if self.machine.phase is Phase.OFFERING and self.machine.free == 0 and self.machine.tried:
            assert self.promised is not None, (
                "where nobody is left the caller goes on, once they have heard what they are told"
            )
        back = [one for one in self.machine.asked if one.name == self.machine.rung_back]
        assert not back or not self.in_line or self.machine.phase is Phase.PARTING, "who is rung back is rung alone"
        assert all(one.name in self.held for one in back) or self.gone, "and is nobody else's to ring"
        if self.outcome is None and not self.gone:
            assert connected or self.sound, "the caller hears music, words, or the human; never nothing"
        if connected:
            held = self.holding.get(self.machine.talking) == SILENT and self.machine.third in (
                Third.NOBODY,
                Third.RUNG_IN,
            )
            assert self.accompanied is bool(self.sound) is held, "no music for two who talk"
            # Of who has no phone a job that died has left nothing that could ring.
            still = self.phones if self.crashed else self.those
            rung = [self.machine.third_leg] if self.machine.third is Third.RUNG_IN else []
            assert [leg for leg in still("rings", "answered") if leg not in rung] == [], "the others have fallen silent"
        for leg in self.those("answered"):
            one = self.machine.named(leg)
            assert one is not None, "whoever has answered is somebody's whom the machine knows"
            self._check_alone(leg)
            assert one.until - self.now <= 25, "and that ends soon"
        if isinstance(self.outcome, Onward) and self.outcome.because is Because.RETURNED and not self.crashed:
            assert self.sound, "the caller hears music until the agent speaks"
        if self.outcome is not None:
            assert not connected
            assert not self.those("rings", "answered") or self.crashed

    def _check_alone(self, leg: str) -> None:
        """Whoever has answered, and doesn't talk, hears something; or has just heard what they can say, and thinks."""
        if self.told.get(leg):
            self.quiet.pop(leg, None)
        else:
            since = self.quiet.setdefault(leg, self.now)
            assert self.now - since <= DECIDE_WITHIN, "nobody listens into silence"
        if self.gone and self.outcome is None:
            assert self.last.get(leg, 0) > self.went, "whoever is left alone is told that the caller has gone"

    def _check_remembered(self, connected: list[str]) -> None:
        """We hear whoever may be rung back while they talk with the caller alone, and no longer."""
        machine = self.machine
        if self.outcome is not None:
            return
        early = self.now < machine.taken + machine.act.ring_back and not machine.rung_back
        alone = connected == [machine.talking] and machine.third is Third.NOBODY and machine.reach
        quiet = self.holding.get(machine.talking) or self.holding.get("")
        wanted = machine.talking if early and alone and not quiet else ""
        assert self.remembered == wanted, "who may be rung back is heard, and nobody else"

    def _check_third(self, connected: list[str]) -> None:
        """Only the human's own words bring a third in, and whoever is aside talks with somebody, or hears their phone ring."""
        three = self.machine.third is Third.THREE
        assert len(connected) == 2 if three else len(connected) <= 1
        if aside := self.those("aside"):
            assert self.sound, "the caller hears music"
            assert self.machine.third in (Third.ASIDE, Third.RUNG_ASIDE, Third.LEFT)
            alone = len(aside) == 1 and self.machine.third is not Third.LEFT
            assert not alone or self.legs[self.machine.third_leg] == "rings", "nobody is aside alone"

    def phones(self, *states: str) -> list[str]:
        """The legs in the states that are in the room: all but of those who haven't come by their browser."""
        return [leg for leg in self.those(*states) if self.whose[leg] != EVE.name or rung_leg(leg)]

    def comes(self, leg: str) -> str:
        """Whoever the leg rings has taken the call in their browser; its leg."""
        browser = browser_leg(leg)
        self.legs[browser], self.whose[browser] = "answered", self.whose[leg]
        self.took.add(browser)
        self.happens(cues.LegAnswered(browser))
        return browser

    def answers(self, leg: str) -> Sequence[Effect]:
        """Somebody picks up."""
        self.legs[leg] = "answered"
        return self.happens(cues.LegAnswered(leg))

    def hears(self, leg: str) -> Sequence[Effect]:
        """What was whispered has been played."""
        self.told[leg] = ()
        return self.happens(cues.LegHeard(leg))

    def fails(self, leg: str, status: int) -> Sequence[Effect]:
        """Somebody can't be had."""
        self.legs[leg] = "failed"
        return self.happens(cues.LegFailed(leg, status))

    def hangs_up(self, leg: str, *, lost: bool = False, goodbye: bool | None = None) -> Sequence[Effect]:
        """Somebody who had answered hangs up, or is cut off."""
        self.legs[leg] = "left"
        return self.happens(cues.LegLeft(leg, lost, goodbye=goodbye))

    def holds(self, leg: str, hold: str) -> Sequence[Effect]:
        """Somebody puts the caller on hold, or is back."""
        return self.happens(cues.LegHold(leg, hold))

    def presses(self, leg: str, key: str) -> Sequence[Effect]:
        """Somebody who has answered presses a key."""
        if key == "1":
            self.took.add(leg)
        return self.happens(cues.LegKey(leg, key))

    def offer(self, *callees: Callee, ring_for: float = 20.0, free: int = 0) -> list[str]:
        """The line offers members, of whom none but `free` are left then; their legs."""
        before = set(self.legs)
        self.held.update(one.name for one in callees)
        self.happens(cues.Standing(1, None, free=free + len(callees)))
        self.happens(cues.Offered(callees, ring_for))
        if self.in_line:
            self.happens(cues.Standing(1, None, free=free))
        return [leg for leg in self.legs if leg not in before]


def begun(act: Handoff = ACT, **known: Any) -> Desk:
    """A caller who has just been put on hold."""
    desk = Desk(Transfer(act, **known))
    desk.happens(cues.Begun())
    assert desk.now == START
    return desk


def consulted(*callees: Callee) -> tuple[Desk, list[str]]:
    """A team that rings, of which all have answered."""
    desk = begun(whisper=WHO, caller="Maria")
    legs = desk.offer(*callees)
    for leg in legs:
        desk.answers(leg)
    return desk, legs


def unanswered(why: str) -> Onward:
    return Onward(Because.UNANSWERED, why=why)
