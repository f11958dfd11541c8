"""An INVITE as LiveKit wants to hear of it: its addresses and headers. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import sipmessage

from gateway.bus.ioinfo import Leg, RuleAnswer, Uri
from gateway.sip.message import tag_of
from gateway.terms.legs import EDGE, UNNAMED
from gateway.terms.personal import Number

CALL_STATUS = "sip.callStatus"
REJECT = "offhook.reject"
"""Set on a ringing participant, it names the status its caller gets when the participant is removed."""
_HEADER = "sip.h."
_X_HEADERS, _ALL_HEADERS = 1, 2
_CARRIER_HEADERS = {
    "x-twilio-accountsid": "sip.twilio.accountSid",
    "x-twilio-callsid": "sip.twilio.callSid",
    "x-call_leg_id": "sip.telnyx.callLegID",
    "x-call_session_id": "sip.telnyx.callSessionID",
    "x-amzn-connectcontactid": "sip.amazon.contactId",
    "x-amzn-connectinitialcontactid": "sip.amazon.initialContactId",
    "x-amzn-sourceaccount": "sip.amazon.sourceAccount",
    "x-amzn-sourcearn": "sip.amazon.sourceArn",
    "x-amzn-targetarn": "sip.amazon.targetArn",
    "x-lk-test-id": "lktest.id",
}
"""Headers of carriers that LiveKit names as attributes whatever the trunk says (docs: SIP participant attributes)."""
_PROTOCOL = frozenset(
    {"route", "record-route", "via", "supported", "accept", "allow", "allow-events", "content-type", "content-length",
     "content-encoding", "content-disposition", "cseq", "event", "expires", "session-expires", "min-se", "max-forwards",
     "authorization", "proxy-authorization"}
)  # fmt: skip
"""Headers that nobody in a room is told of."""
_LISTS = frozenset({"diversion", "history-info", "identity", "p-asserted-identity"})
_SEPARATORS = str.maketrans("", "", "-.()")
_TRANSPORT = ("via", "from", "to", "call-id", "cseq", "contact", "content-length", "content-type", "max-forwards")


def leg_of(invite: sipmessage.Request, call_id: str, source: str, transport: str = "UDP") -> Leg:
    """The call's two ends. `call_id`: ours (`SCL_…`); `source`: the IP address the INVITE came from."""
    return Leg(
        id=call_id,
        sip_call_id=invite.call_id,
        source=source,
        target=_uri(invite.uri),
        caller=_uri(invite.from_address.uri),
        dialed=_uri(invite.to_address.uri),
        via=tuple(Uri(Number(""), hop.host, hop.port or 0) for hop in invite.via),
        transport=transport,
    )


def attributes(invite: sipmessage.Request, rule: RuleAnswer) -> dict[str, str]:
    """What the SIP participant joins with: the rule's attributes, the headers the trunk asks for, and its status."""
    found = dict(rule.attributes) | header_attributes(invite, rule.headers_to_attributes, rule.include_headers)
    if tag := tag_of(invite.from_address):
        found["sip.callTag"] = tag
    return found | {"sip.callIDFull": invite.call_id, CALL_STATUS: "ringing", EDGE: UNNAMED}


def header_attributes(message: sipmessage.Message, wanted: Mapping[str, str], include: int) -> dict[str, str]:
    """Attributes made of a message's headers: those a trunk asks for by name, or by `include`, and carriers' own."""
    given, found = headers(message), dict[str, str]()
    if include in (_X_HEADERS, _ALL_HEADERS):
        everything = include == _ALL_HEADERS
        found |= {_HEADER + name: value for name, value in given.items() if everything or name.startswith("x-")}
    for names in (_CARRIER_HEADERS, wanted):
        found |= {attribute: given[name.lower()] for name, attribute in names.items() if name.lower() in given}
    return found


def headers(message: sipmessage.Message) -> dict[str, str]:
    """Header names in lower case, and the last value of each; all values of those that are lists (RFC 3261 section 7.3.1),
    as a plan reads who diverted a call first, and what any of its identities says."""
    names = message.headers.keys()
    lines = {name.lower(): message.headers.getlist(name) for name in names}
    return {name: ", ".join(values) if name in _LISTS else values[-1] for name, values in lines.items()}


def fixed_headers(
    fixed: Mapping[str, str], from_attributes: Mapping[str, str], present: Mapping[str, str]
) -> list[tuple[str, str]]:
    """What a trunk wants in our messages: fixed headers, and those made of the attributes `present`.

    Names and values that would break the message, or that the protocol itself uses, are left out.
    """
    wanted = dict(fixed)
    wanted |= {name: present[attribute] for attribute, name in from_attributes.items() if attribute in present}
    return harmless(wanted.items())


def harmless(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Those headers that neither break a message nor are the protocol's own."""
    return [(name, value) for name, value in headers if _harmless(name, value)]


def written(message: sipmessage.Message) -> dict[str, str]:
    """Header names as they were written, and the last value of each."""
    names = message.headers.keys()
    return {name: message.headers.getlist(name)[-1] for name in names}


def chosen(given: Mapping[str, str], include: object, exclude: object) -> dict[str, str]:
    """What `lk.sip.GetRemoteHeaders` answers: the headers of `include`, or all, without those of `exclude` and those
    that are the protocol's own."""
    wanted = {str(name).lower() for name in include} if isinstance(include, list) and include else None
    skipped = {str(name).lower() for name in exclude} if isinstance(exclude, list) else set()
    hidden = skipped | _PROTOCOL
    return {
        name: value
        for name, value in given.items()
        if name.lower() not in hidden and (wanted is None or name.lower() in wanted)
    }


def _harmless(name: str, value: str) -> bool:
    token = name.isascii() and all(char.isalnum() or char in "-_.!%*+`'~" for char in name)
    return bool(name) and token and name.lower() not in _TRANSPORT and value.isprintable()


def _uri(uri: sipmessage.URI) -> Uri:
    """Parameters within the user part (`+1510…;npdi`) and what is put between a number's digits (RFC 3966) are left out: trunks and
    rules match whole numbers."""
    user = (uri.user or "").partition(";")[0]
    number = user.translate(_SEPARATORS)
    written = (
        number.isascii() and number.removeprefix("+").isdigit() and (uri.scheme == "tel" or number.startswith("+"))
    )
    return Uri(Number(number if written else user), uri.host, uri.port or 0)
