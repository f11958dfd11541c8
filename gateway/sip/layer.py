"""The transaction layer: every transaction of one transport (RFC 3261 sections 8.1, 8.2, 9, 17, 18). No I/O.

The contract stands in `gateway.sip`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import count

import sipmessage

from gateway.errors import OurFault, Unavailable
from gateway.sip import CancelArrived, Dropped, HostPort, Output, Send, TransactionKey
from gateway.sip.client_side import ClientTransaction, cancel_of
from gateway.sip.message import MAGIC, SipSyntaxError, encode, parse, respond, steady_tag, tag_of
from gateway.sip.routing import arrived, client_key, server_key
from gateway.sip.schedule import Schedule
from gateway.sip.server_side import Identity, ServerTransaction, dialog_identity
from gateway.sip.transaction import Timers

LARGEST_DATAGRAM = 1300
"""Bytes of a request beyond which it should go by a stream: a larger one may be cut up on its way, and be lost (RFC 3261
section 18.1.1)."""
_TOKEN_LENGTH = 20
"""Of the words that drivers give, for telling a request's size before it has one."""
_SHARE = 16
"""Of how many transactions one may be of those that only absorb the repetitions of what was refused."""
_Transaction = ClientTransaction | ServerTransaction


class TransactionLayer:
    """Many transactions over one `transport` (UDP, TCP, TLS). `sent_by` is the host:port that our Vias name; `token()` returns a new random word each time.

    Beyond `limit` transactions, new calls are refused (503 to the other side, Unavailable to ours); those of running
    dialogs only beyond twice as many, so that calls can still be ended. Of requests that were refused, and of questions
    that were answered, a sixteenth of `limit` is remembered: a flood of them fills no memory, nor takes a call's place.
    """

    def __init__(
        self,
        sent_by: str,
        token: Callable[[], str],
        *,
        timers: Timers | None = None,
        limit: int = 8192,
        transport: str = "UDP",
    ) -> None:
        self._sent_by, self._transport = sent_by, transport
        self._token = token
        self._timers = replace(timers or Timers(), reliable=transport != "UDP")
        self._limit = limit
        self._turns = count(1)
        self._servers: dict[TransactionKey, ServerTransaction] = {}
        """By their names: the keys without a turn."""
        self._dispensable: dict[TransactionKey, ServerTransaction] = {}
        """Those that may be forgotten, the oldest first, by their names."""
        self._clients: dict[TransactionKey, ClientTransaction] = {}
        self._merging: dict[Identity, ServerTransaction] = {}
        self._answered: dict[Identity, ServerTransaction] = {}
        self._schedule: Schedule[_Transaction] = Schedule()

    def __len__(self) -> int:
        return len(self._servers) + len(self._clients)

    @property
    def waiting(self) -> int:
        """How many transactions still wait for a final response or an ACK; the rest only absorb repetitions."""
        return sum(each.waiting for each in self._all())

    def receive(self, data: bytes, source: HostPort, now: float) -> list[Output]:
        """Take a datagram. Never raises for what the other side sent."""
        try:
            message = parse(data)
            if message is None:
                return []
            if isinstance(message, sipmessage.Response):
                return self._response(message, source, now)
            return self._request(message, source, now)
        except SipSyntaxError as bad:
            if bad.request is None:
                return [Dropped("malformed")]
            destination = self._arrived(bad.request, source)
            return [*_stateless(bad.request, bad.sip_status or 400, destination), Dropped("malformed")]

    def request(
        self, request: sipmessage.Request, destination: HostPort, now: float
    ) -> tuple[TransactionKey, list[Output]]:
        """Start a client transaction; the layer puts the Via on top. For an ACK use `acknowledge`, else `cancel`.

        Raises Unavailable when there are too many transactions.
        """
        if request.method in ("ACK", "CANCEL"):
            raise OurFault(f"{request.method} isn't a request of its own.")
        if self._full(in_dialog=bool(tag_of(request.to_address))):
            raise Unavailable("Too many SIP requests are under way.")
        self._add_via(request)
        return self._start_client(request, destination, now, quiet=False)

    def oversized(self, request: sipmessage.Request) -> bool:
        """Whether a request that isn't sent yet is too large for a datagram."""
        return len(encode(request)) + len(f"Via: {self._via('-' * _TOKEN_LENGTH)}\r\n") > LARGEST_DATAGRAM

    def respond(self, key: TransactionKey, response: sipmessage.Response, now: float) -> list[Output]:
        """Send a response to a request that arrived; the layer repeats it as needed.

        Nothing happens when the transaction is gone (it failed, and that was told).
        Raises OurFault when a final response was given before.
        """
        server = self._servers.get(_name(key))
        if server is None or server.key != key:
            return []
        outputs = server.respond(response, now)
        if server.answered is not None:
            self._answered[server.answered] = server
        return self._settled(server, outputs, now)

    def acknowledge(
        self, key: TransactionKey, ack: sipmessage.Request, destination: HostPort, now: float
    ) -> list[Output]:
        """Send the ACK to a 2xx that arrived for `key`; repetitions of that 2xx are then answered by the layer."""
        self._add_via(ack)
        client = self._clients.get(key)
        return [Send(encode(ack), destination)] if client is None else client.acknowledge(ack, destination)

    def cancel(self, key: TransactionKey, now: float) -> list[Output]:
        """Cancel an INVITE: at once, or when its first provisional response allows it (section 9.1).

        Its final response still arrives; a 2xx that crossed the CANCEL must be acknowledged and ended by BYE. Nothing
        happens once a final response has arrived.
        """
        client = self._clients.get(key)
        if client is None:
            return []
        if key.method != "INVITE":
            raise OurFault("Only an INVITE can be cancelled.")
        return self._settled(client, client.cancel(now), now)

    def unreachable(self, destination: HostPort, now: float) -> list[Output]:
        """The network reported that nothing listens there (section 18.4): fail what waits for it."""
        outputs: list[Output] = []
        for each in self._all():
            if each.destination == destination:
                outputs += self._settled(each, each.unreachable(now), now)
        return outputs

    def deadline(self) -> float | None:
        """When to call `poll` next; None while no time is awaited."""
        return self._schedule.deadline()

    def poll(self, now: float) -> list[Output]:
        """Let the timers that are due fire."""
        outputs: list[Output] = []
        for each in self._schedule.due(now):
            outputs += self._settled(each, each.expire(now), now)
        return outputs

    def _response(self, response: sipmessage.Response, source: HostPort, now: float) -> list[Output]:
        if len(response.via) != 1:
            return [Dropped("misrouted response")]
        client = self._clients.get(client_key(response))
        if client is None:
            return [Dropped("stray response")]
        return self._settled(client, client.response(response, source, now), now)

    def _request(self, request: sipmessage.Request, source: HostPort, now: float) -> list[Output]:
        name = server_key(request)
        destination = self._arrived(request, source)
        server = self._servers.get(name)
        if request.method == "ACK":
            return self._ack(server, request, source, now)
        if server is not None:
            return self._settled(server, server.again(now), now)
        in_dialog = bool(tag_of(request.to_address))
        if self._full(in_dialog=in_dialog):
            busy = _stateless(request, 503, destination, headers=[("Retry-After", "5")])
            return [*busy, Dropped("too many transactions")]
        key = replace(name, turn=next(self._turns))
        server = ServerTransaction(key, request, source, destination, self._timers)
        if request.method == "CANCEL":
            return self._cancelled(server, request, now)
        if not in_dialog and server.merging in self._merging:
            return self._refuse(server, 482, now)
        self._servers[name] = server
        if not in_dialog:
            self._merging[server.merging] = server
        outputs = self._settled(server, server.start(now), now)
        if request.method == "BYE" and (answered := self._answered.get(dialog_identity(request))):
            outputs += self._settled(answered, answered.hung_up(now), now)
        return outputs

    def _ack(
        self, server: ServerTransaction | None, ack: sipmessage.Request, source: HostPort, now: float
    ) -> list[Output]:
        if server is not None and not server.absorb(now):
            return self._settled(server, [], now)
        server = self._answered.get(dialog_identity(ack))
        if server is None:
            return [Dropped("stray ack")]
        return self._settled(server, server.acknowledged(ack, source, now), now)

    def _cancelled(self, cancel: ServerTransaction, request: sipmessage.Request, now: float) -> list[Output]:
        """Answer a new CANCEL, and tell of it when its INVITE still rings (section 9.2)."""
        invite = self._servers.get(replace(cancel.key, method="INVITE", turn=0))
        if invite is None:
            return self._refuse(cancel, 481, now)
        outputs = self._refuse(cancel, 200, now, tag=invite.tag)
        if invite.unanswered:
            outputs.append(CancelArrived(invite.key, request))
        return outputs

    def _refuse(self, server: ServerTransaction, code: int, now: float, tag: str = "") -> list[Output]:
        """Answer a request that the user needn't hear of, and absorb its repetitions."""
        self._servers[_name(server.key)] = server
        server.start(now)
        response = respond(server.request, code, to_tag=tag or steady_tag(server.request))
        return self.respond(server.key, response, now)

    def _start_client(
        self, request: sipmessage.Request, destination: HostPort, now: float, *, quiet: bool
    ) -> tuple[TransactionKey, list[Output]]:
        key = client_key(request)
        client = ClientTransaction(key, request, destination, self._timers, quiet=quiet)
        outputs = client.start(now)
        self._clients[key] = client
        return key, self._settled(client, outputs, now)

    def _settled(self, transaction: _Transaction, outputs: list[Output], now: float) -> list[Output]:
        """After anything that happened to a transaction: send its CANCEL, forget it if it ended, note its deadline."""
        if isinstance(transaction, ClientTransaction) and transaction.cancel_due:
            transaction.cancel_due = False
            cancel = cancel_of(transaction.request)
            outputs = outputs + self._start_client(cancel, transaction.destination, now, quiet=True)[1]
        if transaction.ended:
            self._forget(transaction)
        self._schedule.note(transaction)
        if isinstance(transaction, ServerTransaction) and transaction.dispensable and not transaction.ended:
            self._dispensable[_name(transaction.key)] = transaction
            if len(self._dispensable) > max(1, self._limit // _SHARE):
                oldest = next(iter(self._dispensable.values()))
                self._forget(oldest)
                self._schedule.drop(oldest)
        return outputs

    def _forget(self, transaction: _Transaction) -> None:
        if isinstance(transaction, ClientTransaction):
            self._clients.pop(transaction.key, None)
            return
        name = _name(transaction.key)
        self._dispensable.pop(name, None)
        self._servers.pop(name, None)
        _drop(self._merging, transaction.merging, transaction)
        if transaction.answered is not None:
            _drop(self._answered, transaction.answered, transaction)

    def _all(self) -> list[_Transaction]:
        return [*self._servers.values(), *self._clients.values()]

    def _full(self, *, in_dialog: bool) -> bool:
        return len(self) >= (2 * self._limit if in_dialog else self._limit)

    def _arrived(self, request: sipmessage.Request, source: HostPort) -> HostPort:
        """Note where a request came from; where its responses go: over a stream, back on its connection."""
        destination = arrived(request, source)
        return source if self._timers.reliable else destination

    def _add_via(self, request: sipmessage.Request) -> None:
        request.headers.setlist("Via", [self._via(self._token())])

    def _via(self, word: str) -> str:
        return f"SIP/2.0/{self._transport} {self._sent_by};rport;branch={MAGIC}{word}"


def _name(key: TransactionKey) -> TransactionKey:
    """What requests of one server transaction have in common on the wire."""
    return replace(key, turn=0)


def _drop(index: dict[Identity, ServerTransaction], identity: Identity, server: ServerTransaction) -> None:
    if index.get(identity) is server:
        del index[identity]


def _stateless(
    request: sipmessage.Request,
    code: int,
    destination: HostPort,
    headers: Iterable[tuple[str, str]] = (),
) -> list[Output]:
    response = respond(request, code, to_tag=steady_tag(request), headers=headers)
    return [Send(encode(response), destination)]
