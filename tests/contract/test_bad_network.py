"""Speech over a bad network, heard by the local recognizer."""

from __future__ import annotations

import random
import subprocess
import wave
from pathlib import Path

import numpy as np
import pytest

from gateway.rtp import FRAME, FRAME_SECONDS, RATE, Samples
from gateway.rtp.halfband import Down
from gateway.rtp.peer import Peer
from gateway.rtp.queue import SendQueue
from gateway.rtp.session import Format, Session
from gateway.speech import corpus
from gateway.speech.recognizer import DATA, Engine, Recognizer, Told
from tests.bad_network import Network

pytestmark = [pytest.mark.speech, pytest.mark.long]
HERE, THERE = ("192.0.2.1", 4000), ("192.0.2.2", 4000)
VOICES = ("slt", "rms", "kal", "awb")
SENTENCES = 48


def spoken(directory: Path, text: str, voice: str) -> Samples:
    file = directory / "said.wav"
    subprocess.run(["flite", "-voice", voice, "-t", text, "-o", str(file)], check=True, timeout=60)
    with wave.open(str(file)) as read:
        said, rate = np.frombuffer(read.readframes(read.getnframes()), np.int16), read.getframerate()
    return said if rate == RATE else Down()(said[: len(said) // 2 * 2])


def carried(said: Samples, network: Network | None) -> Samples:
    """What the other side hears, by our own sender, receiver and jitter buffer."""
    start = {"ssrc": 1, "sequence": 65000, "timestamp": 2**32 - 8000}
    form = Format("PCMU", event_type=101)
    sender = Session(form, Peer(THERE), queue=SendQueue(600.0, live=False), now=0.0, **start)
    receiver = Session(form, Peer(HERE), queue=SendQueue(1.0, live=False), now=0.0, **start)
    pause = np.zeros(RATE // 2, np.int16)
    sender.queue.push(np.concatenate([pause, said, pause, pause]))
    heard, now = [], 0.0
    while not sender.idle:
        datagram = sender.send().datagram
        assert datagram is not None
        if network is None:
            receiver.receive(datagram, HERE, now)
        else:
            network.carry(datagram, now)
            for data, at in network.arrived(now):
                receiver.receive(data, HERE, at)
        heard.append(receiver.hear(now + 0.006).samples)
        now += FRAME_SECONDS
    return np.concatenate(heard)


def words(engine: Engine, sound: Samples) -> list[str]:
    recognizer = Recognizer(engine, encoding="linear16", rate=RATE, endpointing=0.5)
    try:
        told = [each for frame in sound.reshape(-1, FRAME) for each in recognizer.feed(frame.tobytes())]
        told += recognizer.finish()
    finally:
        recognizer.close()
    return [word.text.lower() for each in told if each.told is Told.FINAL for word in each.words]


def wrong(heard: list[str], said: list[str]) -> int:
    """Words left out, put in or put in another's place."""
    row = list(range(len(said) + 1))
    for number, word in enumerate(heard, 1):
        before, row[0] = row[0], number
        for place, other in enumerate(said, 1):
            before, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, before + (word != other))
    return row[-1]


@pytest.mark.timeout(600)
def test_speech_over_a_bad_network_is_understood_nearly_as_well(tmp_path: Path) -> None:
    draw, engine = random.Random(5), Engine()
    sentences = list(corpus.parse((DATA / "sentences.txt").read_text()).sentences(SENTENCES, draw))
    count, errors = 0, {"clean": 0, "a twentieth is lost": 0, "a twentieth of each": 0}
    for number, text in enumerate(sentences):
        said = spoken(tmp_path, text, VOICES[number % len(VOICES)])
        count += len(text.split())
        networks = {
            "clean": None,
            "a twentieth is lost": Network(draw, 0.0, lost=0.05),
            "a twentieth of each": Network(draw),
        }
        for name, network in networks.items():
            errors[name] += wrong(words(engine, carried(said, network)), text.lower().split())
    rates = {name: found / count for name, found in errors.items()}
    print(f"words wrong of {count}:", {name: f"{rate:.1%}" for name, rate in rates.items()})
    assert rates["a twentieth is lost"] <= rates["clean"] + 0.10
    assert rates["a twentieth of each"] <= rates["clean"] + 0.10
