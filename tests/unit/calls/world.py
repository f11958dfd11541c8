"""Phones, members and jobs as a machine's effects meet them, with what must never happen."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from pydantic import TypeAdapter

from gateway.calls.acts import cues, deeds
from gateway.calls.acts.cues import Event
from gateway.calls.acts.deeds import Effect
from gateway.terms.act import Callee, Onward, Over

START = 1764000000.25


class World:
    """Carries out what a machine asks for. A crash is a job's death after the checkpoint, amid the effects."""

    def __init__(self, machine: Any) -> None:
        self.machine = machine
        self.now = START
        self.legs: dict[str, str] = {}
        """By leg: rings, answered, connected; or how it ended: dropped, failed, left."""
        self.whose: dict[str, str] = {}
        self.held: set[str] = set()
        self.released: list[deeds.Release] = []
        self.in_line = False
        self.sound = ""
        self.said: list[str] = []
        self.outcome: Onward | Over | None = None
        self.crashed = False
        self.transferred = False

    def happens(self, event: Event, *, effects: int | None = None) -> Sequence[Effect]:
        """An event; of what follows only the first `effects` are carried out, where the job dies then."""
        machine, found = self.machine.on(event, self.now)
        self._keep(machine)
        self.do(found if effects is None else found[:effects])
        return tuple(found)

    def pass_time(self, seconds: float) -> None:
        """Let time pass, with all deadlines in it."""
        end, turns = self.now + seconds, 0
        while self.machine.deadline <= end:
            self.now = max(self.now, self.machine.deadline)
            before = self.machine
            machine, found = before.due(self.now)
            self._keep(machine)
            self.do(found)
            turns += 1
            assert turns < 20 + 2 * seconds, "deadlines go by"
        self.now = end
        assert self.machine.due(end) == (self.machine, ()), "nothing is due before the deadline"

    def crash(self, event: Event, effects: int) -> None:
        """The job dies amid an event's effects, and another takes over."""
        self.crashed = True
        self.happens(event, effects=effects)
        self.sound = ""
        self.happens(cues.Resumed(frozenset(self.those("rings", "answered", "connected"))))
        for leg, state in list(self.legs.items()):
            if state in ("answered", "connected"):
                self.legs[leg] = "answered"
                self.happens(cues.LegAnswered(leg))
        if self.in_line and self.held:  # a line offers whom the call holds when it is entered
            self.happens(cues.Offered(tuple(Callee(name, "+15105550110") for name in sorted(self.held)), 20.0))

    def _keep(self, machine: Any) -> None:
        adapter = _adapter(type(machine))
        assert adapter.validate_json(adapter.dump_json(machine)) == machine, "a checkpoint is the machine"
        self.machine = machine

    def do(self, effects: Sequence[Effect]) -> None:
        """Carry the effects out."""
        for effect in effects:
            assert self.outcome is None or self.crashed, f"{effect} after the end"
            self._do(effect)

    def _do(self, effect: Effect) -> None:
        match effect:
            case deeds.Dial(leg, callee, ring_for):
                assert leg not in self.legs, "a leg's name is used once"
                assert ring_for > 0
                self.legs[leg], self.whose[leg] = "rings", callee.name
            case deeds.Refer(leg, callee, ring_for):
                assert leg not in self.legs, "a leg's name is used once"
                assert ring_for > 0
                assert self.sound == "", "the SIP service plays the ringing"
                self.legs[leg], self.whose[leg] = "referring", callee.name
            case deeds.Transferred():
                self.transferred = True
            case deeds.Drop(leg):
                assert self.legs.get(leg) in ("rings", "answered", "connected") or self.crashed
                if self.legs.get(leg) in ("rings", "answered", "connected"):
                    self.legs[leg] = "dropped"
            case deeds.Connect(leg):
                assert self.legs[leg] == "answered"
                self.legs[leg] = "connected"
                assert list(self.legs.values()).count("connected") == 1
                assert self.sound == "", "who talks hears no music"
            case deeds.Enter():
                self.in_line = True
            case deeds.Exit():
                self.in_line = False
            case deeds.Release():
                assert effect.name in self.held or self.crashed, "a member is released once"
                assert not (effect.took and effect.missed)
                if effect.name in self.held:
                    self.held.remove(effect.name)
                    self.released.append(effect)
            case deeds.Sound(name):
                self.sound = name
            case deeds.Say(text):
                self.sound = "words"
                self.said.append(text)
            case deeds.Hush():
                self.sound = ""
            case deeds.Finish(outcome):
                assert self.outcome in (None, outcome), "it ends one way"
                self.outcome = outcome
            case _:
                raise AssertionError(f"{effect} isn't this machine's to ask for")

    def those(self, *states: str) -> list[str]:
        """The legs in the states."""
        return [leg for leg, state in self.legs.items() if state in states]


@cache
def _adapter(kind: type) -> TypeAdapter[Any]:
    """To make one takes tens of milliseconds, and a machine is kept at each step."""
    return TypeAdapter(kind)
