"""What a caller hears while a phone rings elsewhere, as it sounds in the caller's country (ITU-T E.180, Suppl. 2). Pure.

People know their own country's ringing: another one sounds like a fault.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cadence:
    """Tones that come and go."""

    frequencies: tuple[float, ...]
    """Hz, all at once."""
    beat: tuple[float, ...]
    """Seconds on, off, on, off …; then from the beginning."""


_ONE, _TWO = (1.0, 4.0), (0.4, 0.2, 0.4, 2.0)
EUROPE = Cadence((425.0,), _ONE)
"""What E.180 recommends, and most countries have."""
AMERICA = Cadence((440.0, 480.0), (2.0, 4.0))
_BRITAIN = Cadence((400.0, 450.0), _TWO)

BY_CODE: Mapping[str, Cadence] = {
    "1": AMERICA,
    "7": Cadence((425.0,), (0.8, 3.2)),
    "27": Cadence((400.0,), _TWO),
    "32": Cadence((425.0,), (1.0, 3.0)),
    "33": Cadence((440.0,), (1.5, 3.5)),
    "34": Cadence((425.0,), (1.5, 3.0)),
    "36": Cadence((425.0,), (1.25, 3.75)),
    "43": Cadence((420.0,), (1.0, 5.0)),
    "44": _BRITAIN,
    "46": Cadence((425.0,), (1.0, 5.0)),
    "54": Cadence((425.0,), (1.0, 4.5)),
    "56": Cadence((400.0,), (1.0, 3.0)),
    "60": Cadence((425.0,), _TWO),
    "61": Cadence((413.0, 438.0), _TWO),
    "63": Cadence((425.0, 480.0), _ONE),
    "64": _BRITAIN,
    "65": Cadence((425.0,), _TWO),
    "66": Cadence((400.0,), _ONE),
    "81": Cadence((384.0, 416.0), (1.0, 2.0)),
    "82": Cadence((440.0, 480.0), (1.0, 2.0)),
    "86": Cadence((450.0,), _ONE),
    "90": Cadence((450.0,), (2.0, 4.0)),
    "91": Cadence((400.0,), _TWO),
    "351": Cadence((425.0,), (1.0, 5.0)),
    "353": _BRITAIN,
    "852": Cadence((440.0, 480.0), (0.4, 0.2, 0.4, 3.0)),
    "886": Cadence((440.0, 480.0), (1.0, 2.0)),
    "971": _BRITAIN,
    "972": Cadence((400.0,), (1.0, 3.0)),
}
"""By the country's calling code (ITU-T E.164); every other country is EUROPE's."""


def of_number(e164: str) -> Cadence:
    """The ringing of a number's country; EUROPE for what is no international number."""
    digits = e164.removeprefix("+") if e164.startswith("+") else ""
    return next((BY_CODE[digits[:size]] for size in (3, 2, 1) if digits[:size] in BY_CODE), EUROPE)
