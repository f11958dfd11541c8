"""Dialogs: what two user agents remember of each other between an INVITE and a BYE (RFC 3261 section 12)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import sipmessage
from sipmessage import CSeq

from gateway.errors import OurFault, PeerFault
from gateway.sip import HostPort, lenient
from gateway.sip.message import complete, host_port, tag_of
from gateway.sip.secure import is_sips

_REFRESHING = ("INVITE", "UPDATE")
"""Requests whose Contact replaces the remote target (section 12.2.1.1, RFC 3311)."""


class DialogFault(PeerFault):
    """A request or response doesn't fit its dialog; answer a request with `sip_status`."""


@dataclass(frozen=True, slots=True)
class DialogId:
    """Call-ID and both tags, as this side sees them."""

    call_id: str
    local_tag: str
    remote_tag: str

    @classmethod
    def of(cls, request: sipmessage.Request) -> DialogId:
        """The dialog that an incoming request names; `local_tag` is "" when the request is outside any dialog."""
        return cls(request.call_id, tag_of(request.to_address), tag_of(request.from_address))


class Dialog:
    """One dialog. Make it with `uas` or `uac`, send what `request` builds, and `admit` each request that arrives."""

    def __init__(
        self,
        identity: DialogId,
        *,
        local: str,
        remote: str,
        target: sipmessage.URI,
        routes: Iterable[str],
        local_seq: int,
        remote_seq: int | None,
        contact: str = "",
    ) -> None:
        self.id = identity
        self.target = target
        """The remote target: what the Request-URI of our requests is."""
        self._local = local
        self._remote = remote
        self._routes = tuple(routes)
        self._local_seq = local_seq
        self._remote_seq = remote_seq
        self._contact = contact
        self._invite_seq = local_seq

    @classmethod
    def uas(cls, request: sipmessage.Request, response: sipmessage.Response) -> Dialog:
        """The dialog that our 101–299 `response` to an INVITE makes (section 12.1.1).

        Raises DialogFault (400) as `check` does.
        """
        return cls(
            DialogId(request.call_id, tag_of(response.to_address), tag_of(request.from_address)),
            local=response.headers["To"],
            remote=request.headers["From"],
            target=_contact_of(request),
            routes=_routes_of(request),
            local_seq=0,
            remote_seq=request.cseq.sequence,
            contact=response.headers.get("Contact") or "",
        )

    @classmethod
    def uac(cls, request: sipmessage.Request, response: sipmessage.Response) -> Dialog:
        """The dialog that a 101–299 `response` to our INVITE makes (section 12.1.2).

        Raises DialogFault when the response names no tag, routes that can't be read, or, being a 2xx, no Contact. A dialog made of
        a provisional response is early: make a new one of the 2xx.
        """
        remote_tag = tag_of(response.to_address)
        if not remote_tag:
            raise DialogFault("A response that should make a dialog has no To tag.")
        early = response.code < 200 and not response.headers.get("Contact")
        return cls(
            DialogId(request.call_id, tag_of(request.from_address), remote_tag),
            local=request.headers["From"],
            remote=response.headers["To"],
            target=request.uri if early else _contact_of(response),
            routes=_routes_of(response, backwards=True),
            local_seq=request.cseq.sequence,
            remote_seq=None,
            contact=request.headers.get("Contact") or "",
        )

    @property
    def secure(self) -> bool:
        """Whether it was made with sips: addresses, and has to keep to them (RFC 5630 section 5.1.1.2)."""
        return bool(self._contact) and is_sips(lenient.address(self._contact).uri)

    @property
    def local(self) -> sipmessage.URI:
        """Our own address: the URI of our From."""
        return lenient.address(self._local).uri

    @property
    def destination(self) -> HostPort:
        """Where requests go: the first route, else the remote target. Raises PeerFault when that names no place.

        The host may be a name, or an address that only the other side can reach: to a peer behind NAT, send to the
        address its requests come from instead.
        """
        return host_port(lenient.address(self._routes[0]).uri if self._routes else self.target)

    def request(
        self, method: str, *, headers: Iterable[tuple[str, str]] = (), body: bytes = b"", content_type: str = ""
    ) -> sipmessage.Request:
        """The next request within the dialog (section 12.2.1.1). For ACK use `ack`; a CANCEL is the layer's."""
        if method in ("ACK", "CANCEL"):
            raise OurFault(f"{method} doesn't take a dialog's next number.")
        self._local_seq += 1
        if method == "INVITE":
            self._invite_seq = self._local_seq
        return self._build(method, self._local_seq, headers, body, content_type)

    def ack(
        self, *, headers: Iterable[tuple[str, str]] = (), body: bytes = b"", content_type: str = ""
    ) -> sipmessage.Request:
        """The ACK to a 2xx to our latest INVITE (section 13.2.2.4), with the SDP answer if the 2xx held the offer."""
        return self._build("ACK", self._invite_seq, headers, body, content_type)

    def admit(self, request: sipmessage.Request) -> None:
        """Take note of an incoming request, or of the ACK to our 2xx (section 12.2.2).

        Raises DialogFault, changing nothing: 481 when it is of another dialog, 500 when a later one overtook it.
        """
        if DialogId.of(request) != self.id:
            raise DialogFault("A SIP request names a dialog that isn't.", sip_status=481)
        sequence = request.cseq.sequence
        if request.method == "ACK":
            return
        if self._remote_seq is not None and sequence <= self._remote_seq:
            raise DialogFault("A SIP request came out of order.", sip_status=500)
        if request.method in _REFRESHING and request.headers.get("Contact"):
            self.target = _contact_of(request)
        self._remote_seq = sequence

    def carry_on(self, early: Dialog) -> None:
        """Go on with the numbers of the early dialog that a provisional response had made (section 12.1.2)."""
        self._local_seq = max(self._local_seq, early._local_seq)
        self._remote_seq = early._remote_seq

    def confirm(self, response: sipmessage.Response) -> None:
        """Take note of a 2xx to a re-INVITE of ours: its Contact is the new target."""
        if response.code // 100 == 2 and response.headers.get("Contact"):
            self.target = _contact_of(response)

    def _build(
        self, method: str, sequence: int, headers: Iterable[tuple[str, str]], body: bytes, content_type: str
    ) -> sipmessage.Request:
        made = lenient.Request(method, self.target, body)
        routes = list(self._routes)
        if routes and not _loose(routes[0]):
            # A strict router (RFC 2543) wants itself as the Request-URI and the target last (section 12.2.1.1).
            made.uri = lenient.address(routes[0]).uri
            routes = [*routes[1:], f"<{self.target}>"]
        if routes:
            made.headers.setlist("Route", routes)
        made.headers.set("Max-Forwards", "70")
        made.headers.set("From", self._local)
        made.headers.set("To", self._remote)
        made.headers.set("Call-ID", self.id.call_id)
        made.headers.set("CSeq", str(CSeq(sequence, method)))
        if self._contact and method not in ("ACK", "BYE"):
            made.headers.set("Contact", self._contact)
        complete(made, "", headers, content_type)
        return made


def check(invite: sipmessage.Request) -> None:
    """Raise DialogFault (400) for an INVITE that no dialog can be made of: nobody could be sent a BYE by it, as its Contact or a
    Record-Route can't be read, or is no place."""
    _contact_of(invite)
    _routes_of(invite)


def _loose(route: str) -> bool:
    return "lr" in {name.lower() for name in lenient.address(route).uri.parameters}


def _routes_of(message: sipmessage.Message, *, backwards: bool = False) -> list[str]:
    """The route set as it was written, the way that we go first."""
    routes = lenient.values(message, "Record-Route")
    ordered = routes[::-1] if backwards else routes
    try:
        read = [lenient.address(route).uri for route in ordered]
        if read:
            host_port(read[0])
    except (ValueError, PeerFault) as bad:
        raise DialogFault("A SIP message that makes a dialog names routes that can't be read.") from bad
    return ordered


def _contact_of(message: sipmessage.Message) -> sipmessage.URI:
    try:
        contact = message.contact[0].uri
        host_port(contact)
    except (ValueError, IndexError, PeerFault) as bad:
        raise DialogFault("A SIP message that makes a dialog names no Contact that can be read.") from bad
    return contact
