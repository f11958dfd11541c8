"""Provisional responses that are acknowledged (100rel, PRACK: RFC 3262). Pure."""

from __future__ import annotations

import re

import sipmessage

OPTION = "100rel"
_RACK = re.compile(r"\s*([0-9]{1,10})\s+([0-9]{1,10})\s+(\S+)\s*")


def demanded(message: sipmessage.Message) -> bool:
    """Whether a message's Require names 100rel: an INVITE that wants it, or a response that is so."""
    return any(tag.strip().lower() == OPTION for line in message.headers.getlist("Require") for tag in line.split(","))


def number_of(response: sipmessage.Response) -> int | None:
    """The RSeq of a provisional response that is to be acknowledged; None for one that isn't."""
    written = (response.headers.get("RSeq") or "").strip()
    if not demanded(response) or not re.fullmatch("[0-9]{1,10}", written):
        return None
    return int(written)


def acknowledging(invite: sipmessage.Request, number: int) -> tuple[str, str]:
    """The RAck header of a PRACK (section 7.2)."""
    return "RAck", f"{number} {invite.cseq.sequence} INVITE"


def acknowledges(prack: sipmessage.Request, invite: sipmessage.Request, number: int) -> bool:
    """Whether a PRACK is for the response with this RSeq to this INVITE (section 3)."""
    found = _RACK.fullmatch(prack.headers.get("RAck") or "")
    return found is not None and (int(found[1]), int(found[2]), found[3]) == (number, invite.cseq.sequence, "INVITE")


class Order:
    """Which of one dialog's reliable responses are heard: each once, and none before its predecessor (section 4)."""

    def __init__(self) -> None:
        self._last: int | None = None

    def takes(self, number: int) -> bool:
        """Whether the response with this RSeq is the next one."""
        if self._last is not None and number != self._last + 1:
            return False
        self._last = number
        return True
