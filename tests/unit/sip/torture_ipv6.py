"""The torture tests of RFC 5118: its messages, by their files' names there, and what becomes of each here.

A body is as long as its message says, which some of the RFC's aren't, and each branch is another: they are no repetitions of
each other here. PCMU is offered beside the RFC's codecs, so that more than the addresses is looked at.
"""

from __future__ import annotations

from tests.unit.sip.torture import Torture

TORTURES: dict[str, Torture] = {}
_VIA = "SIP/2.0/UDP [2001:db8::9:1];branch=z9hG4bKas3-111"
_MEDIA = "t=3338481189 3370017201\nm=audio 6000 RTP/AVP {0}\na=rtpmap:2 G726-32/8000\n"
_VIDEO = "m=video 6024 RTP/AVP 107\na=rtpmap:107 H263-1998/90000\n"


def _add(
    name: str,
    section: str,
    method: str,
    uri: str,
    *vias: str,
    to: str = "sip:user@example.com",
    contact: str = "",
    body: str = "",
    answer: int = 0,
    reads: int = 200,
) -> None:
    lines = [f"{method} {uri} SIP/2.0", f"To: {to}", "From: sip:user@east.example.com;tag=81x2"]
    lines += [f"Via: {via.replace('as3', name)}" for via in vias or (_VIA,)]
    lines += [f"Contact: {contact}"] if contact else []
    lines += ["Content-Type: application/sdp"] if body else []
    described = body.replace("\n", "\r\n")
    lines += [f"Call-ID: {name}.55099@hlau_4100", "Max-Forwards: 70", f"CSeq: 8612 {method}"]
    lines += [f"Content-Length: {len(described)}"]
    TORTURES[name] = Torture(section, ("\r\n".join(lines) + "\r\n\r\n" + described).encode(), reads, answer)


def _described(origin: str, session: str, audio: str = "", video: str = "", *, formats: str = "0 2") -> str:
    """A description; `session`, `audio` and `video` are addresses of their own."""
    head = f"v=0\no=assistant 971731711378798081 0 IN {_network(origin)}\ns=Live video feed for today's meeting\n"
    at = [f"c=IN {_network(host)}\n" if host else "" for host in (session, audio, video)]
    media = _MEDIA.format(formats).replace("a=rtpmap", at[1] + "a=rtpmap")
    return head + at[0] + media + _VIDEO.replace("a=rtpmap", at[2] + "a=rtpmap")


def _network(host: str) -> str:
    return f"IP6 {host}" if ":" in host else f"IP4 {host}"


_CALLER = '"Caller" <sip:caller@[2001:db8::1]>'
_add("ipv6-good", "4.1", "REGISTER", "sip:[2001:db8::10]", contact=_CALLER, answer=405)
_add("ipv6-bad", "4.2", "REGISTER", "sip:2001:db8::10", contact=_CALLER, answer=400, reads=400)
_add("port-ambiguous", "4.3", "REGISTER", "sip:[2001:db8::10:5070]", contact=_CALLER, answer=405)
_add("port-unambiguous", "4.4", "REGISTER", "sip:[2001:db8::10]:5070", contact=_CALLER, answer=405)
_RECEIVED = "SIP/2.0/UDP [2001:db8::9:1];received={0};branch=z9hG4bKas3"
_add("via-received-param-with-delim", "4.5", "BYE", "sip:[2001:db8::10]", _RECEIVED.format("[2001:db8::9:255]"),
     to="sip:user@example.com;tag=bd76ya", answer=481)  # fmt: skip
_add("via-received-param-no-delim", "4.5", "BYE", "sip:[2001:db8::10]", _RECEIVED.format("2001:db8::9:255"),
     to="sip:user@example.com;tag=bd76ya", answer=481)  # fmt: skip
_add("ipv6-in-sdp", "4.6", "INVITE", "sip:user@[2001:db8::10]", "SIP/2.0/UDP [2001:db8::20];branch=z9hG4bKas3-111",
     to="sip:user@[2001:db8::10]", contact='"Caller" <sip:caller@[2001:db8::20]>',
     body=_described("2001:db8::20", "2001:db8::20"), answer=404)  # fmt: skip
_add("mult-ip-in-header", "4.7", "BYE", "sip:user@host.example.net", "SIP/2.0/UDP [2001:db8::9:1]:6050;branch=z9hG4bKas3-111",
     "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKjhja8781hjuaij65144",
     "SIP/2.0/TCP [2001:db8::9:255];branch=z9hG4bK451jj;received=192.0.2.200",
     to="sip:user@example.net;tag=bd76ya", answer=481)  # fmt: skip
_add("mult-ip-in-sdp", "4.8", "INVITE", "sip:user@[2001:db8::10]", to="sip:user@[2001:db8::10]",
     contact='"Caller" <sip:caller@[2001:db8::9:1]>',
     body=_described("host.example.com", "", "192.0.2.1", "2001:db8::1"), answer=404)  # fmt: skip
_add("ipv4-mapped-ipv6", "4.9", "INVITE", "sip:user@example.com", "SIP/2.0/UDP [::ffff:192.0.2.10]:19823;branch=z9hG4bKas3-19",
     "SIP/2.0/UDP [::ffff:192.0.2.2];branch=z9hG4bKas3-111", contact='"T. desk phone" <sip:ted@[::ffff:192.0.2.2]>',
     body=_described("::ffff:192.0.2.2", "::ffff:192.0.2.2"), answer=404)  # fmt: skip
_LAB = "SIP/2.0/UDP lab1.east.example.com;branch=z9hG4bKas3-111"
_add("ipv6-bug-abnf-3-colons", "4.10", "OPTIONS", "sip:user@[2001:db8:::192.0.2.1]", _LAB,
     to="sip:user@[2001:db8:::192.0.2.1]", answer=200)  # fmt: skip
_add("ipv6-correct-abnf-2-colons", "4.10", "OPTIONS", "sip:user@[2001:db8::192.0.2.1]", _LAB,
     to="sip:user@[2001:db8::192.0.2.1]", answer=200)  # fmt: skip
