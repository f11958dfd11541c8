"""One client transaction: the machine, and the messages its table speaks of."""

from __future__ import annotations

import sipmessage
from sipmessage import CSeq

from gateway.sip import Failed, Failure, HostPort, Output, ResponseArrived, Send, TransactionKey, lenient
from gateway.sip.message import encode, tag_of
from gateway.sip.transaction import CLIENT, INVITE_CLIENT, Do, Event, Happened, Machine, State, Timers, table_of


class ClientTransaction:
    """A request of ours under way. The layer owns it; nothing else should."""

    def __init__(
        self,
        key: TransactionKey,
        request: sipmessage.Request,
        destination: HostPort,
        timers: Timers,
        *,
        quiet: bool = False,
    ) -> None:
        self.key = key
        self.request = request
        self.destination = destination
        self.cancel_due = False
        """The table asked for a CANCEL; whoever sends it takes the flag down."""
        self.scheduled: float | None = None
        """When the layer looks at it next; the layer's."""
        self._quiet = quiet
        self._machine = Machine(
            table_of(INVITE_CLIENT if request.method == "INVITE" else CLIENT, reliable=timers.reliable), timers
        )
        self._sent = b""
        self._acks: dict[str, Send] = {}

    @property
    def ended(self) -> bool:
        """Whether it can be forgotten."""
        return self._machine.state is State.TERMINATED

    @property
    def waiting(self) -> bool:
        """Whether a final response is still to come."""
        return self._machine.state not in (State.COMPLETED, State.ACCEPTED, State.TERMINATED)

    def deadline(self) -> float | None:
        """When `expire` has something to do."""
        return self._machine.deadline()

    def start(self, now: float) -> list[Output]:
        """Send the request. What its encoding raises leaves the transaction unused."""
        self._sent = encode(self.request)
        return self._feed(Happened.START, now)

    def response(self, response: sipmessage.Response, source: HostPort, now: float) -> list[Output]:
        """Take a response that matched. A 2xx that was acknowledged before is acknowledged again, and not told."""
        event = (
            Happened.GOT_1XX if response.code < 200 else Happened.GOT_2XX if response.code < 300 else Happened.GOT_ERROR
        )
        if event is Happened.GOT_2XX and (ack := self._acks.get(tag_of(response.to_address))):
            return [ack]
        return self._outputs(self._machine.feed(event, now), (response, source))

    def acknowledge(self, ack: sipmessage.Request, destination: HostPort) -> list[Output]:
        """Send the ACK to a 2xx, and again whenever that 2xx (by its To tag) is repeated."""
        send = Send(encode(ack), destination)
        self._acks[tag_of(ack.to_address)] = send
        return [send]

    def cancel(self, now: float) -> list[Output]:
        """Want an INVITE cancelled; look at `cancel_due` now and after each response."""
        return self._feed(Happened.CANCEL, now)

    def unreachable(self, now: float) -> list[Output]:
        """The destination can't be reached; told only while that matters."""
        return self._feed(Happened.UNREACHABLE, now) if self._machine.accepts(Happened.UNREACHABLE) else []

    def expire(self, now: float) -> list[Output]:
        """Let timers fire."""
        return self._outputs(self._machine.expire(now), None)

    def _feed(self, event: Event, now: float) -> list[Output]:
        return self._outputs(self._machine.feed(event, now), None)

    def _outputs(self, todo: tuple[Do, ...], got: tuple[sipmessage.Response, HostPort] | None) -> list[Output]:
        outputs: list[Output] = []
        for do in todo:
            match do:
                case Do.SEND | Do.RESEND:
                    outputs.append(Send(self._sent, self.destination))
                case Do.SEND_ACK if got is not None:
                    outputs.append(
                        Send(encode(_follow_up(self.request, "ACK", got[0].headers["To"])), self.destination)
                    )
                case Do.SEND_CANCEL:
                    self.cancel_due = True
                case Do.TELL if got is not None and not self._quiet:
                    outputs.append(ResponseArrived(self.key, *got))
                case Do.TIMED_OUT | Do.UNREACHABLE if not self._quiet:
                    why = Failure.TIMEOUT if do is Do.TIMED_OUT else Failure.TRANSPORT
                    outputs.append(Failed(self.key, why))
                case _:
                    pass
        return outputs


def cancel_of(invite: sipmessage.Request) -> sipmessage.Request:
    """The CANCEL of an INVITE that was sent, with its Via (RFC 3261 section 9.1)."""
    return _follow_up(invite, "CANCEL", invite.headers["To"])


def _follow_up(invite: sipmessage.Request, method: str, to: str) -> sipmessage.Request:
    """An ACK to a non-2xx, or a CANCEL: the INVITE's own branch, number, route and identity (17.1.1.3, 9.1)."""
    made = lenient.Request(method, invite.uri)
    made.headers.set("Via", next(lenient.split(invite.headers["Via"])))
    made.headers.set("Max-Forwards", "70")
    made.headers.set("From", invite.headers["From"])
    made.headers.set("To", to)
    made.headers.set("Call-ID", invite.call_id)
    made.headers.set("CSeq", str(CSeq(invite.cseq.sequence, method)))
    if routes := invite.headers.getlist("Route"):
        made.headers.setlist("Route", list(routes))
    return made
