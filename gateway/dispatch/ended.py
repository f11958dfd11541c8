"""How a call has ended: what became of its caller. Pure."""

from __future__ import annotations

from gateway.conduct.acts import machines
from gateway.handoff.machine import Transfer
from gateway.terms.act import Dismiss, Handoff, Ring, Talk, Wait
from gateway.terms.call import Call, Pool
from gateway.terms.ending import Ending
from gateway.terms.event import Kind

_TOLD = ((Kind.CALLBACK, Ending.CALLBACK), (Kind.MESSAGE, Ending.MESSAGE), (Kind.TRANSFERRED, Ending.SERVED))
"""What a caller is left with that outweighs all else, the most first."""


def ending(call: Call) -> Ending:
    """How a call has ended whose caller is gone."""
    if call.reject or (isinstance(call.act, Dismiss) and not call.act.because):
        return Ending.REJECTED
    for kind, ending in _TOLD:
        if kind.value in call.told:
            return ending
    if call.bridged and not _cut_off(call):
        return Ending.SERVED
    if call.ours:
        return Ending.MISSED
    if _waits(call):
        return Ending.ABANDONED  # whoever talked with them before, they waited in vain
    talked = Kind.TURN.value in call.told or _without_engine(call)
    return Ending.SERVED if talked else Ending.ABANDONED


def given_up(call: Call) -> Ending:
    """How a call has ended for which no job came: whoever was hung up on needs none."""
    return Ending.SERVED if call.parted is not None and not call.parted.lost else Ending.LOST


def _waits(call: Call) -> bool:
    """Whether the caller waits for a person, as `gateway.records.missed` has it too: whom somebody of the team has taken waits
    no more, also while that human talks with a third in private, or is rung back."""
    if not isinstance(call.act, Handoff):
        return isinstance(call.act, Wait | Ring)
    machine = machines.restored(machines.start(call, own_number=False), call.checkpoint) if call.checkpoint else None
    return not (isinstance(machine, Transfer) and (machine.talking or machine.rings_back))


def _cut_off(call: Call) -> bool:
    """Whether whoever talked with the caller was lost."""
    return call.parted is not None and call.parted.lost


def _without_engine(call: Call) -> bool:
    """Whether an agent of the house's, which tells no turns, was heard."""
    return isinstance(call.act, Talk) and call.pool is Pool.HOUSE and Kind.ANSWERED.value in call.told
