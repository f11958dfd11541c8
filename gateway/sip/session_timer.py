"""Session timers: both sides find out that the other is gone, also while nobody talks (RFC 4028). Pure.

timer, headers = answer(invite)                 # as UAS: for the 2xx; IntervalTooSmall is a 422
asked(INTERVAL)                                 # as UAC: headers of an INVITE or UPDATE
timer = settled(response)                       # … and what its 2xx agreed on
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import sipmessage

from gateway.errors import PeerFault

OPTION = "timer"
INTERVAL = 1800
"""Seconds that we ask for: what RFC 4028 section 4 recommends."""
LEAST = 90
"""The smallest interval that we take, seconds: the smallest that RFC 4028 section 5 allows to anyone."""
_LONGEST = 7 * 24 * 3600
_SE = re.compile(r"\s*([0-9]{1,10})\s*(;.*)?")
_REFRESHER = re.compile(r";\s*refresher\s*=\s*\"?(uac|uas)\b", re.IGNORECASE)


class IntervalTooSmall(PeerFault):
    """Whoever asks wants to be refreshed too often: respond with its status and `headers`."""

    sip_status = 422

    def __init__(self) -> None:
        super().__init__(f"A session must last for {LEAST} s at least.")
        self.headers = (("Min-SE", str(LEAST)),)


@dataclass(frozen=True, slots=True)
class SessionTimer:
    """What both sides agreed on."""

    interval: int
    """Seconds that the session lasts without a refresh."""
    refreshing: bool
    """We refresh; else the other side does."""

    @property
    def refresh_after(self) -> float:
        """Seconds until our refresh is due (section 10)."""
        return self.interval / 2

    @property
    def ends_after(self) -> float:
        """Seconds until the session has ended for want of the other side's refresh: a little before the interval is
        over (section 10)."""
        return self.interval - min(32.0, self.interval / 3)


def answer(request: sipmessage.Request) -> tuple[SessionTimer | None, list[tuple[str, str]]]:
    """What an INVITE or UPDATE that arrived agrees on, and the headers of its 2xx (section 9). Raises
    IntervalTooSmall (422)."""
    wish, refresher = _expires(request)
    knows = _knows(request)
    least = _seconds(request.headers.get("Min-SE"))
    if wish is None:
        if not knows:
            return None, []
        interval, refresher = max(INTERVAL, least), "uas"
    else:
        if wish < LEAST:
            if knows:
                raise IntervalTooSmall
            return None, []  # a proxy's, of whom the caller knows nothing: a 422 would help nobody
        interval = wish
        if not knows:
            refresher = "uas"  # it came from a proxy: its UAC can't refresh
    refresher = refresher or "uac"
    headers = [("Session-Expires", f"{interval};refresher={refresher}")]
    if refresher == "uac":
        headers.append(("Require", OPTION))
    return SessionTimer(interval, refreshing=refresher == "uas"), headers


def asked(interval: int = INTERVAL, *, refresher: str = "") -> list[tuple[str, str]]:
    """Headers of an INVITE, re-INVITE or UPDATE of ours (section 7.1); `refresher` in a refresh: uac for us."""
    role = f";refresher={refresher}" if refresher else ""
    least = [("Min-SE", str(interval))] if interval > INTERVAL else []
    return [("Session-Expires", f"{interval}{role}"), *least]


def settled(response: sipmessage.Response) -> SessionTimer | None:
    """What a 2xx to our request agrees on (section 7.2); None when the other side wants no timer."""
    interval, refresher = _expires(response)
    if interval is None:
        return None
    return SessionTimer(max(interval, LEAST), refreshing=refresher != "uas")


def demanded(response: sipmessage.Response) -> int:
    """The interval that a 422 asks for (section 7.3); 0 when it names none."""
    return min(_seconds(response.headers.get("Min-SE")), _LONGEST) if response.code == 422 else 0


def _expires(message: sipmessage.Message) -> tuple[int | None, str]:
    found = _SE.fullmatch(message.headers.get("Session-Expires") or "")
    if found is None:
        return None, ""
    role = _REFRESHER.match(found[2] or "") or _REFRESHER.search(found[2] or "")
    return min(int(found[1]), _LONGEST), role[1].lower() if role else ""


def _seconds(text: str | None) -> int:
    found = _SE.fullmatch(text or "")
    return min(int(found[1]), _LONGEST) if found else 0


def _knows(message: sipmessage.Message) -> bool:
    named = [*message.headers.getlist("Supported"), *message.headers.getlist("Require")]
    return any(tag.strip().lower() == OPTION for line in named for tag in line.split(","))
