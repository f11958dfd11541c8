"""SIPp scenarios put together from steps, for tests whose calls differ in a header or two.

    scenario = steps.scenario(steps.invite("Require: 100rel"), steps.expect(180, "RSeq: "), …)

A caller's requests are numbered by themselves, in the order of the steps; {fill} marks nothing here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from xml.sax.saxutils import quoteattr

AUDIO = "0 8 101"
_LINES = ("a=rtpmap:0 PCMU/8000", "a=rtpmap:8 PCMA/8000", "a=rtpmap:101 telephone-event/8000", "a=fmtp:101 0-16")
_VIA = "Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]"
Step = Callable[["_Numbers"], str]


class _Numbers:
    """CSeq, and names of what is looked for."""

    def __init__(self) -> None:
        self.sequence = self.invite = 0
        self.found = 0
        self.kept: list[str] = []
        self.callee = False
        """The edge makes the call."""

    @property
    def to(self) -> str:
        """The To of what we ask: as the edge wrote it last, since its own requests name us there."""
        if self.callee:
            return "To:[$From]"
        return "To:[$To]" if "To" in self.kept else "[last_To:]"

    @property
    def sender(self) -> str:
        """The From of what we ask."""
        ours = "From: <sip:[caller]@[local_ip]:[local_port]>;tag=[pid]SIPpTag[call_number]"
        return "From:[$To];tag=callee" if self.callee else ours


def scenario(*steps: Step) -> str:
    """The whole scenario's text."""
    numbers = _Numbers()
    body = "\n".join(step(numbers) for step in steps)
    found = ",".join([f"look{number + 1}" for number in range(numbers.found)] + numbers.kept)
    reference = f'<Reference variables="{found}"/>' if found else ""
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<scenario name="steps">\n{body}\n{reference}\n</scenario>\n'


def sdp(
    *,
    formats: str = AUDIO,
    direction: str = "sendrecv",
    version: int = 1,
    media: Sequence[str] = (),
    host: str = "",
    port: int = 0,
) -> str:
    """A description of one stream of audio at the test's RTP port, or of the lines in `media`. `host`, `port`: where else
    it is."""
    lines = media or (f"m=audio {port or '[rtp]'} RTP/AVP {formats}", *_LINES, f"a={direction}")
    at = f"IN IP{6 if ':' in host else 4} {host or '[local_ip]'}"
    head = ("v=0", f"o=sipp 1 {version} IN IP[media_ip_type] [media_ip]", "s=-", f"c={at}", "t=0 0")
    return "\n".join((*head, *lines))


def invite(*headers: str, body: str | None = None) -> Step:
    """The caller's first INVITE; with audio unless `body` is "" or something else."""
    return _request("INVITE", headers, sdp() if body is None else body, first=True)


def request(method: str, *headers: str, body: str = "") -> Step:
    """A request within the dialog."""
    return _request(method, headers, body, first=False)


def refused(code: int, *patterns: str) -> Step:
    """A final response that isn't a 2xx to our INVITE, and its ACK."""

    def write(numbers: _Numbers) -> str:
        where = "ACK sip:[service]@[remote_ip]:[remote_port]" if numbers.sequence == 1 else "ACK [next_url]"
        text = _written(where, numbers, numbers.sequence, "ACK", (), "", to="[last_To:]")
        came = expect(code, *patterns)(numbers)
        return f"{came}\n{_send(text.replace(_VIA, '[last_Via:]'), again=False)}"

    return write


def ack(body: str = "") -> Step:
    """The ACK to the last 2xx."""

    def write(numbers: _Numbers) -> str:
        text = _written("ACK [next_url]", numbers, numbers.invite, "ACK", (), body, to=numbers.to)
        return _send(text, again=False)

    return write


def expect(code: int, *patterns: str, dialog: bool | None = None, keep: str = "") -> Step:
    """A response that holds what all these regular expressions look for. 100 may come before it. `keep`: a header
    whose value `[$keep]` stands for from then on."""

    def write(numbers: _Numbers) -> str:
        makes = code // 100 == 2 if dialog is None else dialog
        inside = _looks(numbers, patterns, keep, "To" if 100 < code < 300 else "")
        rrs = ' rrs="true"' if makes else ""
        return f'<recv response="100" optional="true"/>\n<recv response="{code}"{rrs}>{inside}</recv>'

    return write


def serve(method: str, *headers: str, code: int = 200, patterns: Sequence[str] = ()) -> Step:
    """A request of the edge's within the dialog, and our answer to it."""

    def write(numbers: _Numbers) -> str:
        return f'<recv request="{method}">{_looks(numbers, patterns)}</recv>\n{respond(code, *headers)(numbers)}'

    return write


def respond(code: int, *headers: str, body: str = "", invite: bool = False) -> Step:
    """A response to the last request of the edge's; with `invite` to its first INVITE, whatever came since."""

    def write(numbers: _Numbers) -> str:
        if invite:
            lines = ["Via:[$Via]", "[last_From:]", "To:[$To];tag=callee", "[last_Call-ID:]", "CSeq: 1 INVITE"]
        else:
            lines = ["[last_Via:]", "[last_From:]", "[last_To:]", "[last_Call-ID:]", "[last_CSeq:]"]
        lines = [f"SIP/2.0 {code} Reply", *lines, "Contact: <sip:[local_ip]:[local_port];transport=[transport]>"]
        return _send("\n".join([*lines, *headers, *_content(body)]), again=code >= 200 and bool(body))

    return write


def called(*patterns: str) -> Step:
    """The edge's INVITE, which makes the call."""

    def write(numbers: _Numbers) -> str:
        numbers.callee = True
        return f'<recv request="INVITE" rrs="true">{_looks(numbers, patterns, "Via", "To", "From")}</recv>'

    return write


def receive(method: str, *patterns: str) -> Step:
    """A request of the edge's that is answered later, or not at all."""
    return lambda numbers: f'<recv request="{method}">{_looks(numbers, patterns)}</recv>'


def pause(seconds: float | None = None) -> Step:
    """Wait; by default as long as the test says."""
    return lambda _: "<pause/>" if seconds is None else f'<pause milliseconds="{round(seconds * 1000)}"/>'


def until_told() -> Step:
    """Wait for `Sipp.go_on`, 20 s at most."""
    return lambda _: '<recv request="OPTIONS" timeout="20000"/>'


def _request(method: str, headers: Sequence[str], body: str, *, first: bool) -> Step:
    def write(numbers: _Numbers) -> str:
        numbers.sequence += 1
        numbers.invite = numbers.sequence if method == "INVITE" else numbers.invite
        where = f"{method} sip:[service]@[remote_ip]:[remote_port]" if first else f"{method} [next_url]"
        to = "To: <sip:[service]@[remote_ip]:[remote_port]>" if first else numbers.to
        return _send(_written(where, numbers, numbers.sequence, method, headers, body, to=to), again=True)

    return write


def _written(
    line: str, numbers: _Numbers, sequence: int, method: str, headers: Sequence[str], body: str, *, to: str
) -> str:
    lines = [
        f"{line} SIP/2.0",
        _VIA,
        numbers.sender,
        to,
        "Call-ID: [call_id]",
        f"CSeq: {sequence} {method}",
        "Contact: <sip:[caller]@[local_ip]:[local_port];transport=[transport]>",
        "Max-Forwards: 70",
        *headers,
        *_content(body),
    ]
    return "\n".join(lines)


def _content(body: str) -> list[str]:
    return ["Content-Type: application/sdp", "Content-Length: [len]", "", body] if body else ["Content-Length: 0", ""]


def _looks(numbers: _Numbers, patterns: Sequence[str], *keep: str) -> str:
    looks = [f'<ereg regexp=".*" search_in="hdr" header="{name}:" assign_to="{name}"/>' for name in keep if name]
    numbers.kept += [name for name in keep if name and name not in numbers.kept]
    for pattern in patterns:
        numbers.found += 1
        place = f'search_in="msg" check_it="true" assign_to="look{numbers.found}"'
        looks.append(f"<ereg regexp={quoteattr(pattern)} {place}/>")
    return f"<action>{''.join(looks)}</action>" if looks else ""


def _send(text: str, *, again: bool) -> str:
    retrans = ' retrans="500"' if again else ""
    return f"<send{retrans}><![CDATA[\n{text}\n]]></send>"
