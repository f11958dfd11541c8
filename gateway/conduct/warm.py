"""Imported once, in the process that jobs are forked from: what every call plays is made there, and shared.

Made in each job it would cost six megabytes of memory and a third of a second. Starts no thread, loop or socket.
"""

from __future__ import annotations

from gateway.conduct import house_voice, music, speak, tones, words
from gateway.conduct.ringback import AMERICA, EUROPE
from gateway.rtp import RATE

LOADED = (speak, words, house_voice)

music.default(RATE)
tones.beep(RATE)
tones.comfort(RATE)
for _cadence in (AMERICA, EUROPE):
    tones.ringing(_cadence, RATE)
