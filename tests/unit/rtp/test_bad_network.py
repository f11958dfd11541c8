"""Two ends of a call with a bad network between them: 5% of the packets lost, 5% doubled, 5% late, 5% overtaken."""

from __future__ import annotations

import os
import random

import numpy as np

from gateway.rtp import FRAME, FRAME_SECONDS, KeyPressed
from gateway.rtp.g711 import Codec
from gateway.rtp.peer import Peer
from gateway.rtp.queue import SendQueue
from gateway.rtp.session import Format, Session
from gateway.rtp.telephone_event import KEYS
from tests.bad_network import Network

HERE, THERE = ("192.0.2.1", 4000), ("192.0.2.2", 4000)
FORM = Format(Codec.PCMU, event_type=101)


def session(ours: tuple[str, int], ssrc: int) -> Session:
    start = {"ssrc": ssrc, "sequence": 65000, "timestamp": 2**32 - 8000}
    peer = THERE if ours == HERE else HERE
    return Session(FORM, Peer(peer), queue=SendQueue(600.0, live=False), now=0.0, **start)


def test_of_ten_thousand_keys_none_is_missed_or_doubled() -> None:
    seed = int(os.environ.get("NETWORK_SEED", random.randrange(2**32)))
    draw = random.Random(seed)
    network, sender, receiver = Network(draw), session(HERE, 1), session(THERE, 2)
    keys = "".join(draw.choice(KEYS) for _ in range(10_000))
    heard, waiting, now, end = [], list(keys), 0.0, 0.0
    while waiting or not sender.idle or now < end:
        if waiting and sender.idle:
            sender.press(waiting.pop(0))
            end = now + 2.0
        if (datagram := sender.send().datagram) is not None:
            network.carry(datagram, now)
        for data, at in network.arrived(now):
            heard += [told.key for told in receiver.receive(data, HERE, at) if isinstance(told, KeyPressed)]
        now += FRAME_SECONDS
    assert "".join(heard) == keys, f"NETWORK_SEED={seed}"


def test_speech_that_loses_a_twentieth_is_still_like_what_was_said() -> None:
    seed = int(os.environ.get("NETWORK_SEED", random.randrange(2**32)))
    draw = random.Random(seed)
    network, sender, receiver = Network(draw), session(HERE, 1), session(THERE, 2)
    times = np.arange(20 * 8000) / 8000
    tone = (8000 * np.sin(2 * np.pi * 440 * times)).astype(np.int16)
    sender.queue.push(tone)
    out, now = [], 0.0
    for _ in range(len(tone) // FRAME + 20):
        if (datagram := sender.send().datagram) is not None:
            network.carry(datagram, now)
        for data, at in network.arrived(now):
            receiver.receive(data, HERE, at)
        out.append(receiver.hear(now).samples)
        now += FRAME_SECONDS
    silent = sum(float(np.abs(frame).max()) < 200 for frame in out[30:-30]) / len(out[30:-30])
    assert silent < 0.05, f"NETWORK_SEED={seed}: {silent:.1%} of the frames are silent"
    assert receiver.statistics().concealed > 20, "the network wasn't bad"
