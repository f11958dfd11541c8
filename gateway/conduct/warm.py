"""Imported once, in the process that jobs are forked from: what every call plays is made there, and shared.

Made in each job it would cost six megabytes of memory and a third of a second. Starts no thread, loop or socket.
"""

from __future__ import annotations

import numpy as np
from livekit import api
from livekit.agents.utils import http_context

from gateway.conduct.acts import machines
from gateway.conduct.sound import house_voice, music, speak, tones, words
from gateway.conduct.sound.ringback import AMERICA, EUROPE
from gateway.redis_client import open_client
from gateway.rtp import RATE, level
from gateway.terms.emergency import callable_number
from gateway.terms.personal import Number

LOADED = (speak, words, house_voice)


def make(rate: int) -> None:
    """Make what calls play at that many samples a second; it is kept for whoever plays it."""
    music.default(rate)
    tones.beep(rate)
    tones.comfort(rate)
    for cadence in (AMERICA, EUROPE):
        tones.ringing(cadence, rate)


machines.warm()
http_context._create_ssl_context()  # the authorities for HTTPS: a fifth of a second, and a megabyte
api.AccessToken("none", "none" * 8).to_jwt()
open_client("redis://127.0.0.1")  # connects when it is first asked for something
callable_number(Number("+12125550100"))  # North America's numbering plan; another's is read when its first caller comes
level.levelled(np.frombuffer(tones.comfort(RATE).data, "<i2") / 32768)
make(RATE)
