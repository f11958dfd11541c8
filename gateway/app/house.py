"""Wires what a job performs acts with: speaking, ringing, waiting and recording, on its room and its Redis."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from functools import partial

from livekit import api, rtc
from redis.asyncio import Redis

from gateway.app import recording
from gateway.app.cards import Cards
from gateway.calls.acts.cues import Event, LegSaid, LegSounds
from gateway.calls.people.redis_members import RedisMembers
from gateway.calls.people.redis_owners import RedisOwners
from gateway.calls.people.redis_roster import RedisRosters
from gateway.calls.shared.pacing import Pacer
from gateway.calls.shared.redis_pacing import RedisPacer
from gateway.calls.shared.redis_spoken import RedisSpoken
from gateway.calls.store.port import CallStore
from gateway.conduct.acts.house import House
from gateway.conduct.acts.tools import Tools
from gateway.conduct.caller.ear import Ear
from gateway.conduct.caller.overhear import overhearing
from gateway.conduct.legs.answers import answering
from gateway.conduct.legs.holding import Holding
from gateway.conduct.legs.kept_words import KeptWords
from gateway.conduct.legs.last_words import LastWords
from gateway.conduct.legs.leg_audio import leg_audio
from gateway.conduct.legs.leg_ear import LegEar
from gateway.conduct.legs.legs import Legs
from gateway.conduct.legs.outward import Guard, Outward
from gateway.conduct.legs.waiting import Line
from gateway.conduct.legs.whispers import Whispers
from gateway.conduct.messages.record import Recorder
from gateway.conduct.sfu.hearing import Hearing
from gateway.conduct.sfu.mouth import Mouth
from gateway.conduct.sound import ringback
from gateway.conduct.sound.house_voice import HouseVoice
from gateway.conduct.sound.prompts import PromptBook
from gateway.conduct.sound.speak import Speaker
from gateway.conduct.sound.words import Wording
from gateway.conduct.talk.port import Overhearer, Transcriber
from gateway.conduct.talk.stage import CallStage
from gateway.config import Settings
from gateway.donotcall.redis_list import RedisDoNotCall
from gateway.guard.redis_book import RedisRuleBook
from gateway.guard.redis_meter import RedisMeter
from gateway.handoff.redis_answers import RedisAnswers
from gateway.rtp import RATE
from gateway.terms.act import Record
from gateway.terms.call import Call
from gateway.terms.event import Kind
from gateway.trunks.choose import OutboundTrunk
from gateway.trunks.outbound import reader


class HouseTools:
    """Makes the tools of one job. `hearing` is the room's; `mouth` what the caller hears; `prompts` a book on a client that
    doesn't decode."""

    def __init__(
        self,
        settings: Settings,
        redis: Redis,
        store: CallStore,
        prompts: PromptBook,
        *,
        room: rtc.Room,
        lk: api.LiveKitAPI,
        hearing: Hearing,
        mouth: Mouth,
        overhearer: Overhearer,
        rendered_in: str,
        transcriber: Transcriber,
        prove: Callable[[str, str], str],
    ) -> None:
        """`transcriber`: writes down what people say who are rung. `prove`: `gateway.terms.gap.proof` by a room's name and an
        identity."""
        self._settings, self._redis, self._store, self._prompts = settings, redis, store, prompts
        self._room, self._lk, self._hearing, self._rendered_in = room, lk, hearing, rendered_in
        self._transcriber, self._prove = transcriber, prove
        self._pacer: Pacer = RedisPacer(redis, time.time)
        self._guard = Guard(RedisRuleBook(redis), RedisMeter(redis, time.time), RedisDoNotCall(redis).has)
        self._mouth, self._overhearer = mouth, overhearer
        self._ear = Ear(RedisSpoken(redis), mouth.recent)

    def house(self) -> House:
        """What performs the acts."""
        return House(self._store, self._tools, self._ear, Cards().tell)

    def _tools(self, stage: CallStage, call: Call) -> Tools:
        return Tools(
            speaker=partial(self._speaker, stage, call),
            legs=partial(self._legs, stage, call),
            line=partial(self._line, call),
            whispers=partial(self._whispers, call),
            last_words=partial(self._last_words, call),
            answers=partial(answering, RedisAnswers(self._redis), call.id),
            holding=partial(self._holding, call),
            recorder=partial(self._recorder, stage, call),
            listener=partial(self._ear.listening, stage.hear, call),
            overhearer=partial(
                overhearing, stage.hear, self._mouth.recent, self._overhearer, call.brief.language, stage.no_more_calls
            ),
            hearing=self._hearing.set,
        )

    def _speaker(
        self, stage: CallStage, call: Call, happened: Callable[[Event], None]
    ) -> AbstractAsyncContextManager[Speaker]:
        ringing = ringback.of_number(call.dialed.reveal())
        return Speaker(stage.voice, self._wording(call, stage.voice.rate), happened, ringing=ringing)

    def _wording(self, call: Call, rate: int) -> Wording:
        voice = HouseVoice(self._settings.voice)
        return Wording(self._prompts, voice, self._rendered_in, call.brief.language, rate)

    def _whispers(self, call: Call, happened: Callable[[Event], None]) -> AbstractAsyncContextManager[Whispers]:
        def listen(leg: str, told: Callable[[LegSaid | LegSounds], None]) -> LegEar:
            return LegEar(self._room, leg, told, self._transcriber, call.brief.language)

        return Whispers(self._room, self._wording(call, RATE), listen, happened)

    def _last_words(self, call: Call, deaf: Callable[[], None]) -> AbstractAsyncContextManager[LastWords]:
        keeps = KeptWords(self._room, call.sip_identity, self._prove)
        return LastWords(partial(leg_audio, self._room), keeps, self._overhearer, call.brief.language, deaf)

    def _legs(
        self, stage: CallStage, call: Call, happened: Callable[[Event], None]
    ) -> AbstractAsyncContextManager[Legs]:
        return Legs(
            self._room,
            self._lk,
            call,
            self._outward(call),
            happened,
            hearing=self._hearing,
            pace=self._pace,
            note=partial(stage.note, Kind.LEG),
        )

    async def lets_out(self, call: Call, address: str) -> None:
        """Whether the call could be connected with the address. Raises OffhookError."""
        await self._outward(call).look(address)

    def _outward(self, call: Call) -> Outward:
        default, silent_for = self._settings.sip_outbound_trunk, self._settings.human_silent
        trunks = reader(self._lk.sip)
        return Outward(self._lk.sip, call, trunks, self._guard, default=default, silent_for=silent_for)

    async def _pace(self, trunk: OutboundTrunk) -> None:
        await asyncio.sleep(await self._pacer.slot(trunk.id, trunk.calls_per_second))

    def _line(self, call: Call, happened: Callable[[Event], None]) -> AbstractAsyncContextManager[Line]:
        owner = partial(RedisOwners(self._redis).of, call.caller) if call.caller else None
        return Line(RedisMembers(self._redis), RedisRosters(self._redis), call.id, call.epoch, happened, owner=owner)

    def _holding(self, call: Call, name: str, talks: bool) -> AbstractAsyncContextManager[Holding]:
        members = RedisMembers(self._redis)
        if call.caller is None:
            return Holding(members, call.id, call.epoch, name, talks=talks)
        remember = partial(RedisOwners(self._redis).talked, call.caller, name)
        return Holding(members, call.id, call.epoch, name, talks=talks, remember=remember)

    def _recorder(
        self, stage: CallStage, call: Call, happened: Callable[[Event], None]
    ) -> AbstractAsyncContextManager[Recorder]:
        act = call.act if isinstance(call.act, Record) else Record("")
        return recording.recorder(self._settings, self._redis, call, stage.teller, stage.hear, happened, act)
