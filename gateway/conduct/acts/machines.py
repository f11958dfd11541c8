"""Which machine performs an act, and its checkpoint as text. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from pydantic import TypeAdapter, ValidationError

from gateway.callbacks.act import Recalling
from gateway.calls.acts.callback import Callback
from gateway.calls.acts.dialing import Dialing
from gateway.calls.acts.dismissal import Dismissal
from gateway.calls.acts.machine import Machine
from gateway.calls.acts.menu import Menu
from gateway.calls.acts.message import Leaving
from gateway.calls.acts.queue import Queue
from gateway.calls.words import word
from gateway.calls.words.handoff import HandoffWord
from gateway.errors import OurFault
from gateway.handoff.machine import Transfer
from gateway.handoff.whisper import name_of, whisper
from gateway.terms.act import Choose, Dismiss, Handoff, Promise, Recall, Record, Ring, Wait
from gateway.terms.call import Call
from gateway.terms.number import country_of


def start(call: Call, *, own_number: bool, facts: Mapping[str, object] | None = None, reason: str = "") -> Machine:
    """The machine of the call's act, before its first event. `own_number`: whether the caller can be called back on the
    number they call from. `facts`: what is known for the lead; `reason`: why the agent gives the caller to a human. Raises
    OurFault for an act that an agent performs."""
    language = call.brief.language
    match call.act:
        case Choose() as act:
            return Menu.start(act, language)
        case Wait() as act:
            return Queue(act, language)
        case Ring() as act:
            return Dialing(act)
        case Record() as act:
            return Leaving(act, language)
        case Promise() as act:
            country = country_of(call.dialed) or call.brief.country
            caller = call.caller.reveal() if call.caller else ""
            return Callback.start(act, language, own=own_number, country=country, caller=caller)
        case Dismiss() as act:
            return Dismissal.start(act, language)
        case Handoff() as act:
            known = facts or {}
            promise = word(HandoffWord.PUT_THROUGH, language)
            return Transfer(act, language, whisper(known, reason, language), name_of(known), promise)
        case Recall() as act:
            return Recalling.start(act, call.caller.reveal() if call.caller else "", language)
    raise OurFault(f"No machine performs {type(call.act).__name__}.")


def written(machine: Machine) -> str:
    """The machine as text."""
    return _adapter(type(machine)).dump_json(machine).decode()


def restored(fresh: Machine, text: str) -> Machine | None:
    """The machine that was written, of the kind of a fresh one; None when it can't be read, as another version's: the
    act begins anew then."""
    try:
        found: Machine = _adapter(type(fresh)).validate_json(text)
    except ValidationError:
        return None
    return found


def warm() -> None:
    """Make now what reads and writes them: at a call's first step it would take tens of milliseconds."""
    for kind in (Menu, Queue, Dialing, Leaving, Callback, Dismissal, Transfer, Recalling):
        _adapter(kind)


@cache
def _adapter(kind: type[Machine]) -> TypeAdapter[Machine]:
    return TypeAdapter(kind)
