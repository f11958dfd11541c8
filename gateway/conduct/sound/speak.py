"""Says and plays what machines of acts ask for (gateway.calls.acts.deeds: Say, Sound, Hush), on the call's voice.

Words are said one after the other without a gap; a sound begins once they are said and goes on until other words are
ready to be heard, so that a caller is never left in silence while those are made.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol, Self

import structlog

from gateway.calls.acts.cues import Heard, Unsaid
from gateway.conduct.sound import music, tones
from gateway.conduct.sound.ringback import EUROPE, Cadence
from gateway.conduct.sound.words import NOTHING, Audio, Clip
from gateway.conduct.talk.port import Pcm, Voice
from gateway.metrics import EDGE_ERRORS
from gateway.tasks import Tasks
from gateway.terms.spoken import is_sound, parts

AHEAD = 1.0
"""Seconds that the voice's queue holds: a wake-up a second is enough to keep it filled."""
TAIL = 0.1
"""Seconds before the end of words at which the voice is asked to tell that end."""
QUIET = 0.3
"""Seconds of silence that a caller hears at most while words are made; then it is comfort noise."""
_LEAST = 0.001
"""Seconds that are worth waiting for."""
BEEP, RINGBACK, MUSIC = "beep", "ringback", "music:"

log = structlog.get_logger(__name__)


class Words(Protocol):
    """Finds what is said: `gateway.conduct.sound.words.Wording`."""

    async def get(self, text: str) -> Audio:
        """A sentence."""
        ...

    async def sound(self, address: str) -> Audio | None:
        """A sound of the plan; None when it isn't there."""
        ...


@dataclass(eq=False, slots=True)
class _Item:
    """Something to be heard: words and beeps once, sounds again and again."""

    audio: asyncio.Future[Audio]
    sound: str = ""
    """Its name; "" for words."""

    @property
    def once(self) -> bool:
        return self.sound in ("", BEEP)


@dataclass(eq=False, slots=True)
class _Row:
    """What is being heard, and then to be heard, up to the next hush."""

    items: deque[_Item] = field(default_factory=deque)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    """Something was added, or has become ready."""
    performing: bool = False
    said: bool = False
    """Something of the words since the last Heard could be said."""


class Speaker:
    """One call's speaker. Use it as a context: it owns its tasks. `happened` gets Heard on the loop's thread, and Unsaid
    before it when nothing of the words can be said."""

    def __init__(
        self, voice: Voice, wording: Words, happened: Callable[[Heard | Unsaid], None], *, ringing: Cadence = EUROPE
    ) -> None:
        """`ringing`: what `ringback` sounds like (gateway.conduct.sound.ringback.of_number)."""
        self._voice, self._wording, self._happened, self._ringing = voice, wording, happened, ringing
        self._tasks = Tasks("speaker")
        self._made: dict[str, asyncio.Future[Audio]] = {}
        """Words that are made already, or soon."""
        self._row = _Row()
        self._row_tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        self.hush()
        await self._tasks.__aexit__(None, None, None)

    def say(self, text: str) -> None:
        """Say words and sounds of the plan (`wav:…` among them, or alone), after what is being said; Heard follows."""
        for part in parts(text) or [""]:
            self._add(self._found(self._words(part)) if part else _ready(NOTHING))

    def sound(self, name: str) -> None:
        """Play `ringback`, `music:default` or `music:wav:…` until words, another sound or a hush; `beep` once, Heard
        follows. Music that isn't there is the default. What is being said is said to its end before."""
        last = self._row.items[-1] if self._row.items else None
        if last is not None and last.sound == name and not last.once:
            return
        rate = self._voice.rate
        if name == BEEP:
            self._add(_ready(Clip(tones.beep(rate))), name)
        elif name == RINGBACK:
            self._add(self._found(_made(partial(tones.ringing, self._ringing, rate))), name)
        elif is_sound(address := name.removeprefix(MUSIC)):
            self._add(self._found(self._music(address)), name)
        else:
            self._add(self._found(self._default_music()), name)

    def ready(self, text: str) -> None:
        """Have words made that are said soon, so that nobody waits for them then."""
        for part in parts(text):
            if part not in self._made:
                made = self._made[part] = asyncio.get_running_loop().create_future()
                self._tasks.start(self._make(part, made), "words that are said soon")

    async def _make(self, part: str, made: asyncio.Future[Audio]) -> None:
        audio: Audio = NOTHING
        try:
            audio = await self._wording.get(part)
        finally:
            made.set_result(audio)

    async def _words(self, part: str) -> Audio:
        made = self._made.get(part)
        return await (asyncio.shield(made) if made is not None else self._wording.get(part))

    def hush(self) -> None:
        """Fall silent at once and forget everything; no Heard follows for it."""
        self._row = _Row()
        for task in self._row_tasks:
            task.cancel()
        self._row_tasks.clear()
        self._voice.clear()

    async def _music(self, address: str) -> Audio:
        return await self._wording.sound(address) or await self._default_music()

    async def _default_music(self) -> Audio:
        return await _made(partial(music.default, self._voice.rate))

    def _found(self, work: Coroutine[Any, Any, Audio]) -> asyncio.Future[Audio]:
        """The audio that the work will find, from now on; nothing when it fails."""
        row = self._row
        found: asyncio.Future[Audio] = asyncio.get_running_loop().create_future()

        async def find() -> None:
            audio: Audio = NOTHING
            try:
                audio = await work
            except Exception:  # the call's edge: a caller must get on whatever is wrong with one sentence
                EDGE_ERRORS.labels("speaker").inc()
                log.exception("words can't be said")
            found.set_result(audio)
            row.news.set()

        self._start(find())
        return found

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        self._row_tasks = [task for task in self._row_tasks if not task.done()]
        self._row_tasks.append(self._tasks.start(work))

    def _add(self, audio: asyncio.Future[Audio], sound: str = "") -> None:
        row = self._row
        if len(row.items) > 1 and not row.items[-1].once:
            row.items.pop()  # a sound that nobody will hear
        row.items.append(_Item(audio, sound))
        row.news.set()
        if not row.performing:
            row.performing = True
            self._start(self._perform(row))

    async def _perform(self, row: _Row) -> None:
        """Play the row to its end."""
        try:
            await self._voice.finish()  # what a hush cut off is a segment of its own
            while row.items:
                item = row.items[0]
                await (self._once(row, item) if item.once else self._again(row, item))
        finally:
            row.performing = False

    async def _once(self, row: _Row, item: _Item) -> None:
        await self._fill(row, item)
        async for piece in item.audio.result().pieces():
            self._voice.send(piece)
            row.said = True
            await self._until(row, AHEAD)
        row.items.popleft()
        await self._until(row, TAIL, or_words=True)
        if not _words_next(row):
            await self._voice.finish()
        if not _words_next(row):
            if not row.said:
                self._happened(Unsaid())
            row.said = False
            self._happened(Heard())

    async def _again(self, row: _Row, item: _Item) -> None:
        """Play a sound until what follows it is ready."""
        await self._fill(row, item)
        audio = item.audio.result()
        while not _overtaken(row):
            played = False
            async for piece in audio.pieces():
                self._voice.send(piece)
                played = True
                await self._until(row, AHEAD, or_overtaken=True)
                if _overtaken(row):
                    break
            if not played:  # the sound isn't there any more
                audio = await self._default_music()
        row.items.popleft()
        await self._cut()

    async def _fill(self, row: _Row, item: _Item) -> None:
        """Return once the item is ready; a caller who waits for it hears that the line isn't dead."""
        filled = False
        while not item.audio.done():
            await asyncio.wait({item.audio}, timeout=max(0.0, self._voice.queued + (-QUIET if filled else QUIET)))
            if not item.audio.done():
                filled = True
                self._voice.send(tones.comfort(self._voice.rate).data)
        if filled:
            await self._cut()

    async def _cut(self) -> None:
        self._voice.clear()
        await self._voice.finish()

    async def _until(self, row: _Row, left: float, *, or_words: bool = False, or_overtaken: bool = False) -> None:
        """Return once no more than `left` seconds are queued, or what is waited for is there."""
        while (over := self._voice.queued - left) > _LEAST:
            if (or_words and _words_next(row)) or (or_overtaken and _overtaken(row)):
                return
            row.news.clear()
            try:
                async with asyncio.timeout(over):
                    await row.news.wait()
            except TimeoutError:
                pass


def _words_next(row: _Row) -> bool:
    return bool(row.items) and row.items[0].once


def _overtaken(row: _Row) -> bool:
    return len(row.items) > 1 and row.items[1].audio.done()


async def _made(make: Callable[[], Pcm]) -> Audio:
    """A sound of ours, made in a thread: at a rate that nobody has warmed up it takes a second."""
    return Clip(await asyncio.to_thread(make))


def _ready(audio: Audio) -> asyncio.Future[Audio]:
    found: asyncio.Future[Audio] = asyncio.get_running_loop().create_future()
    found.set_result(audio)
    return found
