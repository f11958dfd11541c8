"""Two layers and a bad network between them: datagrams are lost, doubled and overtake each other.

Time is simulated; hypothesis chooses the fate of each datagram and prints the choice that fails.
"""

from __future__ import annotations

import heapq
from collections import Counter
from dataclasses import dataclass, field
from itertools import count

from hypothesis import given
from hypothesis import strategies as st
from sipmessage import URI, Address, Parameters

from gateway.sip import (
    AckArrived,
    CancelArrived,
    Dropped,
    Failed,
    HostPort,
    Output,
    RequestArrived,
    ResponseArrived,
    Send,
    TransactionKey,
    message,
)
from gateway.sip.dialog import Dialog
from gateway.sip.layer import TransactionLayer

CALLER, CALLEE = ("192.0.2.1", 5060), ("192.0.2.2", 5060)
LOST, PROMPT = -1.0, 0.01
MOST_LOST = 5
"""Every message is sent at least six times, so nothing may fail while no more than five datagrams are lost."""


@dataclass
class Network:
    """Carries datagrams between the two, each as the next fate says; once fates run out, promptly."""

    fates: list[list[float]]
    now: float = 0.0
    flying: list[tuple[float, int, HostPort, HostPort, bytes]] = field(default_factory=list)
    ticket: count[int] = field(default_factory=count)

    def carry(self, source: HostPort, destination: HostPort, data: bytes) -> None:
        for delay in self.fates.pop(0) if self.fates else [PROMPT]:
            heapq.heappush(self.flying, (self.now + delay, next(self.ticket), source, destination, data))


class Phone:
    """A user agent that does what its plan says, and writes down what it is told."""

    def __init__(self, network: Network, address: HostPort, plan: str) -> None:
        token = count()
        self.layer = TransactionLayer(f"{address[0]}:{address[1]}", lambda: f"{address[0]}-{next(token)}")
        self.network, self.address, self.plan = network, address, plan
        self.story: list[str] = []
        self.rung = False
        """Whether it has heard the other side ring."""
        self.dialog: Dialog | None = None
        self.invite = message.request(
            "INVITE",
            URI.parse("sip:b@192.0.2.2"),
            sender=Address(URI.parse("sip:a@192.0.2.1"), parameters=Parameters(tag="a1")),
            to=Address(URI.parse("sip:b@192.0.2.2")),
            call_id="c",
            cseq=1,
            contact="sip:192.0.2.1",
        )

    def call(self) -> None:
        self.key, outputs = self.layer.request(self.invite, CALLEE, self.network.now)
        self.do(outputs)

    def hang_up(self) -> None:
        assert self.dialog is not None
        self.do(self.layer.request(self.dialog.request("BYE"), self.dialog.destination, self.network.now)[1])

    def do(self, outputs: list[Output]) -> None:
        for output in outputs:
            match output:
                case Send(data, destination):
                    self.network.carry(self.address, destination, data)
                case Dropped():
                    pass
                case RequestArrived(key):
                    self.story.append(output.request.method)
                    self.answer(key, output)
                case CancelArrived(key):
                    self.story.append("CANCEL")
                    self.respond(key, self.arrived, 487)
                case AckArrived():
                    self.story.append("ACK")
                case Failed(_, why):
                    self.story.append(why)
                case ResponseArrived():
                    self.hear(output)

    def answer(self, key: TransactionKey, arrived: RequestArrived) -> None:
        if arrived.request.method != "INVITE":
            assert self.dialog is not None
            self.dialog.admit(arrived.request)
            self.respond(key, arrived, 200)
            return
        self.arrived = arrived
        self.respond(key, arrived, 180)
        if self.plan != "cancel":
            self.respond(key, arrived, 200 if self.plan == "answer" else 486)

    def respond(self, key: TransactionKey, arrived: RequestArrived, code: int) -> None:
        response = message.respond(arrived.request, code, to_tag="b1", contact="sip:192.0.2.2")
        if arrived.request.method == "INVITE" and code == 200:
            self.dialog = Dialog.uas(arrived.request, response)
        self.do(self.layer.respond(key, response, self.network.now))

    def hear(self, output: ResponseArrived) -> None:
        response = output.response
        if response.code < 200:
            self.rung = True
            if self.plan == "cancel":
                self.do(self.layer.cancel(output.key, self.network.now))
            return
        self.story.append(f"{response.code} {response.cseq.method}")
        if response.code == 200 and response.cseq.method == "INVITE":
            self.dialog = Dialog.uac(self.invite, response)
            self.do(self.layer.acknowledge(self.key, self.dialog.ack(), self.dialog.destination, self.network.now))
            self.hang_up()


def talk(plan: str, fates: list[list[float]]) -> tuple[Phone, Phone]:
    network = Network(fates)
    phones = caller, callee = Phone(network, CALLER, plan), Phone(network, CALLEE, plan)
    by_address = {phone.address: phone for phone in phones}
    caller.call()
    while True:
        dues = [due for phone in phones if (due := phone.layer.deadline()) is not None]
        dues += [network.flying[0][0]] if network.flying else []
        if not dues:
            return caller, callee
        network.now = max(network.now, min(dues))
        assert network.now < 300.0
        while network.flying and network.flying[0][0] <= network.now:
            _, _, source, destination, data = heapq.heappop(network.flying)
            phone = by_address[destination]
            phone.do(phone.layer.receive(data, source, network.now))
        for phone in phones:
            phone.do(phone.layer.poll(network.now))


DELAYS = st.sampled_from([0.001, PROMPT, 0.2, 0.7, 1.3, 4.0])
FATES = st.lists(st.lists(DELAYS, max_size=3), max_size=40)
PLANS = st.sampled_from(["answer", "refuse", "cancel"])


def _bounded(fates: list[list[float]]) -> list[list[float]]:
    lost = 0
    bounded = []
    for fate in fates:
        lost += not fate
        bounded.append(fate if fate or lost <= MOST_LOST else [PROMPT])
    return bounded


STORIES = {
    "answer": ({"200 INVITE": 1, "200 BYE": 1}, {"INVITE": 1, "ACK": 1, "BYE": 1}),
    "refuse": ({"486 INVITE": 1}, {"INVITE": 1}),
    "cancel": ({"487 INVITE": 1}, {"INVITE": 1, "CANCEL": 1}),
}


@given(PLANS, FATES)
def test_a_call_survives_loss_repetition_and_disorder(plan: str, fates: list[list[float]]) -> None:
    caller, callee = talk(plan, _bounded(fates))
    ours, theirs = STORIES[plan]
    unacknowledged = theirs | {"hung up": 1}  # the BYE overtook the ACK
    unacknowledged.pop("ACK", None)
    assert Counter(caller.story) == ours
    assert Counter(callee.story) in (theirs, unacknowledged)
    assert (len(caller.layer), len(callee.layer)) == (0, 0)


@given(PLANS, st.lists(st.lists(DELAYS, max_size=2), max_size=200))
def test_on_a_network_that_may_lose_everything_all_ends_and_nothing_is_told_twice(
    plan: str, fates: list[list[float]]
) -> None:
    caller, callee = talk(plan, fates)
    rings_on = plan == "cancel" and "INVITE" in callee.story and "CANCEL" not in callee.story
    # Who has heard ringing waits for its user's patience, not for a timer (section 17.1.1.2).
    waits = caller.rung and plan != "cancel" and not any("INVITE" in word for word in caller.story)
    assert (len(caller.layer), len(callee.layer)) == (int(waits), int(rings_on))
    for story in (caller.story, callee.story):
        assert all(times == 1 for word, times in Counter(story).items() if word not in ("timeout", "no ack"))


def test_a_dead_network_ends_in_a_timeout() -> None:
    caller, callee = talk("answer", [[]] * 100)
    assert (caller.story, callee.story) == (["timeout"], [])


def test_a_perfect_network_needs_no_repetition() -> None:
    caller, callee = talk("answer", [])
    assert (caller.story, callee.story) == (["200 INVITE", "200 BYE"], ["INVITE", "ACK", "BYE"])
