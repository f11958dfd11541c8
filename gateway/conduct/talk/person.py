"""What a caller gets who asks for a person. Pure."""

from __future__ import annotations

from gateway.conduct.talk.port import Person
from gateway.terms.call import Brief
from gateway.terms.emergency import callable_number
from gateway.terms.personal import Number


def answer(brief: Brief, agent: str, caller: Number | None) -> Person:
    """`agent`: who talks now. The route's human agent takes over, unless it is the one who was asked; else the caller
    is called back, on the number they call from if it isn't withheld."""
    if brief.human and brief.human != agent:
        return Person.AGENT
    return Person.CALLBACK if callable_number(caller) else Person.NUMBER
