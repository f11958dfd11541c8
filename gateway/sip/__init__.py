"""SIP without I/O: bytes and the time go in, outputs come out. `gateway.net.sip_driver` puts it on a socket.

Most callers need only the driver, `gateway.net.sip_driver`, and of this package:

- `gateway.sip.message`: `parse(data)`, `respond(request, code, …)`, `request(method, uri, …)`, `encode(message)`.
  Messages are `sipmessage.Request` and `sipmessage.Response`; those that `parse` returns also read host names
  and display names that sipmessage's own accessors refuse (`sip:100@pbx1`, `sip_server`).
- `gateway.sip.dialog`: `Dialog.uas(request, response)`, `Dialog.uac(request, response)`; `.id`, `.request(method)`,
  `.ack(…)`, `.admit(request)` (raises DialogFault: 481 not its dialog, 500 out of order), `.destination`.
  `DialogId.of(request)` names the dialog an incoming request belongs to: keep your calls in a dict by it.
- `gateway.sip.sdp`: `parse`, `offer(…)`, `answer(their_offer, …) -> Negotiated`, `accept(our_offer, their_answer)
  -> Stream`; `Stream` is what the media side needs. SdpMismatch carries sip_status 488.
- `gateway.sip.layer.TransactionLayer`: RFC 3261 section 17 and 18 for many transactions; what the driver drives.
- `gateway.sip.transaction`: the four machines and their tables.

The layer's contract:

    layer = TransactionLayer("192.0.2.1:5060", token)       # token() returns a new random word each time
    outputs = layer.receive(data, source, now)               # a datagram came from `source`
    key, outputs = layer.request(message, destination, now)  # start a client transaction
    outputs = layer.respond(key, response, now)              # answer a server transaction
    outputs = layer.cancel(key, now)                         # CANCEL an INVITE, now or once that is allowed
    outputs = layer.acknowledge(key, ack, destination, now)  # ACK a 2xx; repeated whenever the 2xx is
    outputs = layer.unreachable(destination, now)            # the network said that nobody is there
    outputs = layer.poll(now)                                # at or after layer.deadline()
    when = layer.deadline()                                  # None: nothing is waiting for time to pass

Carry out the outputs of one call, in order, before the next. Times are seconds of any monotonic clock.

What the layer does by itself: 100 Trying to an INVITE; retransmission both ways, that of a 2xx until its ACK
included (13.3.1.4); ACK to a non-2xx; 200 or 481 to a CANCEL; 482 to a merged request; 400, 416 and 505 to what can't
be read; 503 when it holds too many transactions. What it leaves to its user: every other response, the 487 to an
INVITE after CancelArrived, the ACK to a 2xx, and a BYE after NO_ACK.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sipmessage import Request, Response

HostPort = tuple[str, int]
"""An IP address in text, without brackets, and a UDP port."""


class Side(StrEnum):
    """Which end of a transaction we are."""

    CLIENT = "client"
    SERVER = "server"


@dataclass(frozen=True, slots=True)
class TransactionKey:
    """What tells transactions apart (RFC 3261 section 17.1.3, 17.2.3). An ACK's `method` is INVITE."""

    side: Side
    method: str
    branch: str
    sent_by: str = ""
    """Host and port of the top Via, server side only: branches of two clients may collide."""
    turn: int = 0
    """Server side only: which of those that came by one name, since the same may come anew once the first has failed. 0
    is the name itself."""


class Failure(StrEnum):
    """Why a transaction ended without what it waited for."""

    TIMEOUT = "timeout"
    """No response, or no ACK to a non-2xx response, in 64*T1 (timers B, F, H, and the one after a CANCEL)."""
    TRANSPORT = "transport"
    """The network reported that the message can't be delivered."""
    NO_ACK = "no ack"
    """A 2xx to an INVITE was repeated for 64*T1 and never acknowledged: end the dialog with a BYE (13.3.1.4)."""
    HUNG_UP = "hung up"
    """A BYE came before the ACK to the 2xx: the call is over, and no ACK to be expected."""


@dataclass(frozen=True, slots=True)
class Send:
    """Put these bytes on the network."""

    data: bytes
    destination: HostPort


@dataclass(frozen=True, slots=True)
class RequestArrived:
    """A new request, neither ACK nor CANCEL: respond to `key`. Its top Via already says where it came from."""

    key: TransactionKey
    request: Request
    source: HostPort


@dataclass(frozen=True, slots=True)
class CancelArrived:
    """The INVITE of `key`, not answered finally yet, was cancelled: respond 487 to `key` (RFC 3261 section 9.2).

    The CANCEL itself has been answered.
    """

    key: TransactionKey
    request: Request
    """The CANCEL; its Reason header may say that the call was answered elsewhere."""


@dataclass(frozen=True, slots=True)
class AckArrived:
    """The 2xx that was sent to INVITE `key` is acknowledged. Told once; the ACK may carry the SDP answer."""

    key: TransactionKey
    request: Request
    source: HostPort


@dataclass(frozen=True, slots=True)
class ResponseArrived:
    """A response to the request of `key`: provisional ones each, a final one once.

    A forked INVITE gets several 2xx with different To tags: each must be acknowledged, all but one ended by BYE.
    """

    key: TransactionKey
    response: Response
    source: HostPort


@dataclass(frozen=True, slots=True)
class Failed:
    """The transaction ended badly; nothing more is told of it."""

    key: TransactionKey
    why: Failure


@dataclass(frozen=True, slots=True)
class Dropped:
    """A datagram was ignored. `why` is one of a few fixed words, fit for a metric's label."""

    why: str


Output = Send | RequestArrived | CancelArrived | AckArrived | ResponseArrived | Failed | Dropped
