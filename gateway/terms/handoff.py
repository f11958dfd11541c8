"""What came of ringing somebody for a caller. Pure."""

from __future__ import annotations

from enum import StrEnum


class Tried(StrEnum):
    """How one who was rung came out of it."""

    TAKEN = "taken"
    """They talked with the caller."""
    HUNG_UP = "hung up"
    """They answered, and hung up before they said whether they take the call."""
    DECLINED = "declined"
    """They didn't want it: by their phone (603, 480 …), by a key, by a word or by the card's link."""
    UNDECIDED = "undecided"
    """They answered, and never said whether they take it."""
    BUSY = "busy"
    """Their phone was (486, 600)."""
    NO_ANSWER = "no answer"
    MACHINE = "machine"
    """A mailbox, or a service that screens calls."""
    UNREACHABLE = "unreachable"
    """Their number isn't there, their network or trunk fails, or they can't be dialed at all."""
    GAVE_BACK = "gave back"
    """They talked with the caller, and gave them back to the agent."""
    ASKED = "asked"
    """Whoever talked with the caller asked them in private, or brought them in."""
    CUT_OFF = "cut off"
    """They talked with the caller, were cut off, and rung back."""
    CALLER_CUT_OFF = "caller cut off"
    """They talked with the caller, whose line was cut, and who is called back."""
    BEATEN = "beaten"
    """Another of the team took the call."""
    CALLER_LEFT = "the caller hung up first"
    CALLER_LOST = "the caller's line was lost"
    LATE = "not reached in time"
    """The caller had waited for as long as the plan says, and their phone didn't ring yet."""
    WITHDRAWN = "withdrawn"
    """One of these three: of calls from before they were told apart."""


PUT_THROUGH = "put through: "
"""Begins what is told of a caller whom the agent had put through to somebody by name, not given to a team."""
NOBODY = "nobody"
"""Why nobody was rung at all: nobody who takes calls was free."""

_SAY_MOST = (
    Tried.HUNG_UP,
    Tried.DECLINED,
    Tried.UNDECIDED,
    Tried.BUSY,
    Tried.NO_ANSWER,
    Tried.MACHINE,
    Tried.UNREACHABLE,
)

UNTAKEN = frozenset({*(one.value for one in _SAY_MOST), NOBODY})
"""All that `told` says."""


def told(tries: tuple[Tried, ...]) -> str:
    """What the caller is told of, where nobody took the call: of all who were tried, what says most; NOBODY where nobody
    was."""
    return next((one.value for one in _SAY_MOST if one in tries), NOBODY)


_BUSY = frozenset({486, 600})
_NO_ANSWER = frozenset({408, 487})
_DECLINED = frozenset({433, 480, 603, 607, 608})


def by_status(status: int) -> Tried:
    """What a SIP status says of who was rung (RFC 3261 section 21; 433: RFC 5079, 607: RFC 8197, 608: RFC 8688).

    403 is a trunk that doesn't let us: an account, a caller's number, a country; no phone's owner says so.
    A phone that we stopped ringing ourselves ends by 487 too, and tells nothing of its owner: such a leg was dropped, and
    this isn't asked of it.
    """
    if status in _BUSY:
        return Tried.BUSY
    if status in _NO_ANSWER:
        return Tried.NO_ANSWER
    return Tried.DECLINED if status in _DECLINED else Tried.UNREACHABLE
