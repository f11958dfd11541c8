"""One server transaction: the machine, the responses its table speaks of, and a 2xx's wait for its ACK."""

from __future__ import annotations

import sipmessage

from gateway.errors import OurFault
from gateway.sip import (
    AckArrived,
    Dropped,
    Failed,
    Failure,
    HostPort,
    Output,
    RequestArrived,
    Send,
    TransactionKey,
    accepted,
)
from gateway.sip.message import encode, respond, tag_of
from gateway.sip.transaction import INVITE_SERVER, SERVER, Do, Event, Happened, Machine, State, Timers, table_of

Identity = tuple[str, ...]
_WHY = {Do.TIMED_OUT: Failure.TIMEOUT, Do.UNREACHABLE: Failure.TRANSPORT, Do.HUNG_UP: Failure.HUNG_UP}


class ServerTransaction:
    """A request of the other side. The layer owns it; nothing else should.

    Once it has its final response the request itself is let go of: what absorbs repetitions is its bytes.
    """

    __slots__ = (
        "_accepted",
        "_last",
        "_machine",
        "_request",
        "_sequence",
        "_timers",
        "answered",
        "destination",
        "in_dialog",
        "key",
        "merging",
        "scheduled",
        "source",
        "tag",
    )

    def __init__(
        self,
        key: TransactionKey,
        request: sipmessage.Request,
        source: HostPort,
        destination: HostPort,
        timers: Timers,
    ) -> None:
        self.key = key
        self.merging = merge_identity(request)
        """What two copies of the request share."""
        self.in_dialog = bool(tag_of(request.to_address))
        self.source = source
        self.destination = destination
        """Where responses go."""
        self.tag = ""
        """Our To tag, once a response carried one."""
        self.answered: Identity | None = None
        """The dialog that a 2xx to an INVITE made, once it was sent."""
        self.scheduled: float | None = None
        """When the layer looks at it next; the layer's."""
        self._request: sipmessage.Request | None = request
        self._sequence = request.cseq.sequence
        self._timers = timers
        self._machine = Machine(
            table_of(INVITE_SERVER if request.method == "INVITE" else SERVER, reliable=timers.reliable), timers
        )
        self._accepted: Machine | None = None
        self._last = b""

    @property
    def request(self) -> sipmessage.Request:
        """What came. Raises OurFault once it has its final response."""
        if self._request is None:
            raise OurFault("A SIP request that was answered isn't kept.")
        return self._request

    @property
    def dispensable(self) -> bool:
        """Whether little is lost by forgetting it now: it has its answer, and made no dialog and ended none, so that a
        repetition may as well be answered anew."""
        return not self.unanswered and self.answered is None and not (self.in_dialog and self._last[8:9] == b"2")

    @property
    def ended(self) -> bool:
        """Whether it can be forgotten."""
        return self._machine.state is State.TERMINATED

    @property
    def waiting(self) -> bool:
        """Whether a final response, or the ACK to a 2xx, is still to come."""
        answered = self._accepted is None or self._accepted.state is not State.ACCEPTED
        return self.unanswered or not answered

    @property
    def unanswered(self) -> bool:
        """Whether a final response is still ours to give."""
        return self._machine.state in (State.INITIAL, State.TRYING, State.PROCEEDING)

    def deadline(self) -> float | None:
        """When `expire` has something to do."""
        machines = [self._machine] if self._accepted is None else [self._machine, self._accepted]
        return min((due for machine in machines if (due := machine.deadline()) is not None), default=None)

    def start(self, now: float) -> list[Output]:
        """Tell of the request; an INVITE gets its 100."""
        return self._feed(Happened.START, now)

    def again(self, now: float) -> list[Output]:
        """The request came once more."""
        return self._feed(Happened.REQUEST, now)

    def respond(self, response: sipmessage.Response, now: float) -> list[Output]:
        """Send a response. Raises OurFault (IllegalEvent is one), changing nothing, when a final one was sent."""
        if not self.unanswered:
            raise OurFault("A SIP request that has its final response can't be answered again.")
        data = encode(response)
        if response.code < 200:
            event = Happened.SENT_1XX
        elif response.code < 300:
            event = Happened.SENT_2XX
        else:
            event = Happened.SENT_ERROR
        self.tag = tag_of(response.to_address) or self.tag
        self._last = data
        outputs = self._feed(event, now)
        if event is not Happened.SENT_1XX:
            self._request = None
        if event is Happened.SENT_2XX and self.key.method == "INVITE":
            self.answered = dialog_identity(response)
            self._accepted = Machine(accepted.TABLE, self._timers)
            self._accepted.feed(Happened.START, now)
        return outputs

    def absorb(self, now: float) -> bool:
        """An ACK with the INVITE's branch came; True if it may be that of a 2xx (RFC 2543)."""
        return Do.TELL in self._machine.feed(Happened.ACK, now)

    def acknowledged(self, ack: sipmessage.Request, source: HostPort, now: float) -> list[Output]:
        """The ACK to the 2xx came; told once."""
        if self._accepted is None or ack.cseq.sequence != self._sequence:
            return [Dropped("stray ack")]
        told = Do.TELL in self._accepted.feed(Happened.ACK, now)
        return [AckArrived(self.key, ack, source)] if told else []

    def hung_up(self, now: float) -> list[Output]:
        """A BYE came for the dialog that the 2xx made."""
        return [] if self._accepted is None else self._outputs(self._accepted.feed(Happened.BYE, now))

    def unreachable(self, now: float) -> list[Output]:
        """The destination can't be reached; told only while that matters."""
        machine = self._accepted or self._machine
        return self._outputs(machine.feed(Happened.UNREACHABLE, now)) if machine.accepts(Happened.UNREACHABLE) else []

    def expire(self, now: float) -> list[Output]:
        """Let timers fire."""
        outputs: list[Output] = []
        if self._accepted is not None:
            for do in self._accepted.expire(now):
                if do is Do.RESEND:
                    outputs += self._feed(Happened.SENT_2XX, now)
                else:
                    outputs.append(Failed(self.key, Failure.NO_ACK))
        return outputs + self._outputs(self._machine.expire(now))

    def _feed(self, event: Event, now: float) -> list[Output]:
        return self._outputs(self._machine.feed(event, now))

    def _outputs(self, todo: tuple[Do, ...]) -> list[Output]:
        outputs: list[Output] = []
        for do in todo:
            match do:
                case Do.SEND_TRYING:
                    self._last = encode(respond(self.request, 100))
                    outputs.append(Send(self._last, self.destination))
                case Do.SEND | Do.RESEND:
                    outputs.append(Send(self._last, self.destination))
                case Do.TELL:
                    outputs.append(RequestArrived(self.key, self.request, self.source))
                case Do.TIMED_OUT | Do.UNREACHABLE | Do.HUNG_UP:
                    outputs.append(Failed(self.key, _WHY[do]))
                case _:
                    pass
        return outputs


def merge_identity(request: sipmessage.Request) -> Identity:
    """What two copies of a request that came by different ways share (section 8.2.2.2)."""
    cseq = request.cseq
    return request.call_id, tag_of(request.from_address), str(cseq.sequence), cseq.method


def dialog_identity(message: sipmessage.Message) -> Identity:
    """What a 2xx to INVITE shares with its ACK, and with the BYE that ends its dialog."""
    return message.call_id, tag_of(message.from_address), tag_of(message.to_address)
