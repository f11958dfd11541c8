"""Hears one stream: finds where somebody speaks, and what they say. Runs in the recognizers' processes.

pocketsphinx with a language model of telephone conversations and a transform that fits its acoustic model to
telephone audio; it hears English.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
import pocketsphinx
from numpy.typing import NDArray

from gateway.rtp import FRAME, FRAME_SECONDS, RATE
from gateway.speech.audio import Narrow, doubled
from gateway.speech.digits import is_digits

DATA = Path(__file__).parent / "data"
BEGINS = 4
"""Frames (20 ms) of voice in a row that begin an utterance."""
BEFORE = 15
"""Frames before its beginning that belong to it."""
INTERIM = 15
"""Frames between two interim results."""
LONGEST = 1000
"""Frames (20 s) after which an utterance is cut."""
QUIETEST = 0.2
"""Seconds of silence below which no utterance ends, whatever the client asks: the gaps within words."""
_VAD_MODE = 2


class Told(StrEnum):
    """What a recognizer tells."""

    STARTED = "started"
    INTERIM = "interim"
    FINAL = "final"
    """With `ended`, the speaker has paused; else the utterance was cut, or asked for."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word; times are seconds of the stream."""

    text: str
    start: float
    end: float
    confidence: float


@dataclass(frozen=True, slots=True)
class Heard:
    """What was heard."""

    told: Told
    start: float
    """Seconds of the stream."""
    end: float
    words: tuple[Word, ...] = ()
    ended: bool = False


class Engine:
    """The decoders of one process. They cost 20 ms and 10 MB each, so that they are used again."""

    def __init__(self) -> None:
        self._free: list[pocketsphinx.Decoder] = []
        self._digits = _decoder("dig.lm")
        self.give(self.take())

    def take(self) -> pocketsphinx.Decoder:
        """A decoder for one stream."""
        return self._free.pop() if self._free else _decoder("call.lm")

    def give(self, decoder: pocketsphinx.Decoder) -> None:
        """The stream is over."""
        self._free.append(decoder)

    def digits(self, sound: NDArray[np.int16]) -> list[tuple[str, int, int, float]]:
        """An utterance heard as digits alone: words with the first and last frame (10 ms) and the confidence."""
        self._digits.start_utt()
        self._digits.process_raw(sound.tobytes(), False, True)
        self._digits.end_utt()
        return _segments(self._digits)


class Recognizer:
    """One stream. `feed` it what came; `finish` ends an utterance under way; `close` it."""

    def __init__(self, engine: Engine, *, encoding: str, rate: int, endpointing: float) -> None:
        """`endpointing`: seconds of silence that end an utterance."""
        self._engine, self._decoder = engine, engine.take()
        self._narrow = Narrow(encoding, rate)
        self._vad = pocketsphinx.Vad(mode=_VAD_MODE, sample_rate=RATE, frame_length=FRAME_SECONDS)
        self._need = max(1, round(max(endpointing, QUIETEST) / FRAME_SECONDS))
        self._rest: NDArray[np.int16] = np.zeros(0, np.int16)
        self._before: deque[NDArray[np.int16]] = deque(maxlen=BEFORE)
        self._frames = 0
        self._voiced = self._silent = self._length = 0
        self._speaking = False
        self._start = 0.0
        self._last_sample = 0
        self._sound: list[NDArray[np.int16]] = []
        self._interim = ""

    def feed(self, data: bytes) -> list[Heard]:
        """Take in audio as the client sent it."""
        sound = np.concatenate([self._rest, self._narrow.feed(data)])
        whole = len(sound) // FRAME * FRAME
        self._rest = sound[whole:]
        heard: list[Heard] = []
        for frame in sound[:whole].reshape(-1, FRAME):
            self._frames += 1
            heard += self._in_speech(frame) if self._speaking else self._in_silence(frame)
        return heard

    def finish(self) -> list[Heard]:
        """End the utterance under way, if there is one."""
        return [self._final(ended=False)] if self._speaking else []

    def close(self) -> None:
        """The stream is over."""
        if self._speaking:
            self._decoder.end_utt()
        self._engine.give(self._decoder)

    @property
    def _now(self) -> float:
        return self._frames * FRAME_SECONDS

    def _in_silence(self, frame: NDArray[np.int16]) -> list[Heard]:
        self._before.append(frame)
        self._voiced = self._voiced + 1 if self._vad.is_speech(frame.tobytes()) else 0
        if self._voiced < BEGINS:
            return []
        self._speaking, self._voiced, self._silent, self._length = True, 0, 0, len(self._before)
        self._start, self._interim, self._last_sample = self._now - len(self._before) * FRAME_SECONDS, "", 0
        self._decoder.start_utt()
        for each in self._before:
            self._decode(each)
        self._before.clear()
        return [Heard(Told.STARTED, self._start, self._now)]

    def _in_speech(self, frame: NDArray[np.int16]) -> list[Heard]:
        self._decode(frame)
        self._length += 1
        self._silent = 0 if self._vad.is_speech(frame.tobytes()) else self._silent + 1
        if self._silent >= self._need:
            return [self._final(ended=True)]
        if self._length >= LONGEST:
            return [self._final(ended=False)]
        return self._interims() if self._length % INTERIM == 0 else []

    def _decode(self, frame: NDArray[np.int16]) -> None:
        wide = doubled(frame, self._last_sample)
        self._last_sample = int(frame[-1])
        self._sound.append(wide)
        self._decoder.process_raw(wide.tobytes(), False, False)

    def _interims(self) -> list[Heard]:
        hypothesis = self._decoder.hyp()
        text = hypothesis.hypstr if hypothesis else ""
        if not text or text == self._interim:
            return []
        self._interim = text
        words = tuple(Word(each, self._start, self._now, 0.5) for each in text.split())
        return [Heard(Told.INTERIM, self._start, self._now, words)]

    def _final(self, *, ended: bool) -> Heard:
        self._decoder.end_utt()
        segments = _segments(self._decoder)
        if is_digits([text for text, *_ in segments]):
            segments = self._engine.digits(np.concatenate(self._sound)) or segments
        self._speaking = False
        self._sound.clear()
        words = tuple(
            Word(text, self._start + first / 100, self._start + (last + 1) / 100, confidence)
            for text, first, last, confidence in segments
        )
        return Heard(Told.FINAL, self._start, self._now, words, ended)


def _decoder(model: str) -> pocketsphinx.Decoder:
    return pocketsphinx.Decoder(
        lm=str(DATA / model),
        dict=str(DATA / "call.dict"),
        mllr=str(DATA / "tel_l.mllr"),
        cmninit=(DATA / "cmn_l.txt").read_text().strip(),
        # The second pass over the whole utterance costs 50 ms and wins two words in a hundred.
        fwdflat=False,
        loglevel="FATAL",
    )


def _segments(decoder: pocketsphinx.Decoder) -> list[tuple[str, int, int, float]]:
    found = []
    for segment in decoder.seg() or ():
        text = segment.word.partition("(")[0]
        if text and text[0] not in "<[+":
            confidence = min(1.0, float(decoder.get_logmath().exp(segment.prob)))
            found.append((text, segment.start_frame, segment.end_frame, confidence))
    return found
