"""The trunk file: read, checked, and every mistake told with its line."""

from __future__ import annotations

import difflib
import ipaddress
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import phonenumbers
import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError
from pydantic_core import ErrorDetails

from gateway.errors import SetupFault
from gateway.trunks.choose import CallerId

ROOM_PREFIX = "call-"
"""Control looks after rooms with this prefix only."""

_UNITS = {"s": 1, "m": 60, "h": 3600}


def _seconds(written: object) -> object:
    match = re.fullmatch(r"(\d+)\s*([smh])", str(written).strip())
    if not match:
        raise ValueError("write a time as 60s, 5m or 2h")
    return int(match[1]) * _UNITS[match[2]]


def _network(written: str) -> str:
    try:
        ipaddress.ip_network(written, strict=False)
    except ValueError:
        raise ValueError("write an address such as 203.0.113.7 or a range such as 203.0.113.0/24") from None
    return written


def _e164(written: str) -> str:
    if not re.fullmatch(r"\+[1-9]\d{6,14}", written):
        raise ValueError("write a number in international form, in quotes: '+15105550100'")
    return written


def _prefix(written: str) -> str:
    if not re.fullmatch(r"\+[1-9]\d{0,14}", written):
        raise ValueError("write how numbers begin, in quotes: '+1510'")
    return written


def _country(written: str) -> str:
    if written.upper() not in phonenumbers.SUPPORTED_REGIONS:
        raise ValueError("write a country's code of two letters, such as US or DE")
    return written.upper()


def _trunk_name(written: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", written):
        raise ValueError("write a name of letters, digits, '-', '_' and '.', as sip:USER@NAME needs it")
    return written


def _host(written: str) -> str:
    if not re.fullmatch(r"([A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?", written):
        raise ValueError("write a host, or host:port, without sip: and parameters")
    return written


def _ours(prefix: str) -> str:
    if not prefix.startswith(ROOM_PREFIX):
        raise ValueError(f"must start with '{ROOM_PREFIX}', by which offhook knows the rooms of calls")
    return prefix


Seconds = Annotated[int, BeforeValidator(_seconds), Field(gt=0, le=86_400)]


Encryption = Literal["disable", "allow", "require"]
"""Whether a trunk's media may, or must, be encrypted (SRTP with keys in SDP, RFC 4568)."""

Attestation = Literal["none", "verdict", "passport"]
"""What of STIR/SHAKEN a trunk is believed: nothing, its verdict, or also the passport that it passes on."""


class InboundTrunk(BaseModel):
    """LiveKit's inbound trunk. Times are seconds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = "offhook-inbound"
    numbers: list[Annotated[str, AfterValidator(_e164)]] = Field(default_factory=list)
    """E.164; none: every number."""
    allowed_addresses: list[Annotated[str, AfterValidator(_network)]] = Field(default_factory=list)
    auth_username: str = ""
    auth_password: SecretStr = SecretStr("")
    media_encryption: Encryption = "disable"
    attestation: Attestation = "verdict"
    tones: bool = False
    """Whether keys may come as tones in the audio."""
    max_call_duration: Seconds = 7200
    ringing_timeout: Seconds = 60

    @property
    def open(self) -> bool:
        """Whether anybody may send it calls."""
        everywhere = any(ipaddress.ip_network(one, strict=False).prefixlen == 0 for one in self.allowed_addresses)
        return not self.auth_username and (everywhere or not self.allowed_addresses)

    @property
    def believed(self) -> Attestation:
        """What of STIR/SHAKEN it is believed: nothing where anybody may send it calls."""
        return "none" if self.open else self.attestation


class OutboundTrunk(BaseModel):
    """An outbound trunk of LiveKit's, and the rule by which we use it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, AfterValidator(_trunk_name)]
    """By it the plan names the trunk: sip:USER@NAME."""
    address: Annotated[str, AfterValidator(_host)]
    """Host, or host:port."""
    transport: Literal["auto", "udp", "tcp", "tls"] = "auto"
    numbers: Annotated[list[Annotated[str, AfterValidator(_e164)]], Field(min_length=1)]
    """E.164: those that the carrier lets us show; the first is the trunk's own."""
    auth_username: str = ""
    auth_password: SecretStr = SecretStr("")
    media_encryption: Encryption = "disable"
    tones: bool = False
    """As for the inbound trunk."""
    wideband: bool = False
    """Whether G.722 is offered first."""
    caller_id: CallerId = CallerId.OWN
    """Whose number the callee sees."""
    calls_per_second: Annotated[float, Field(ge=0, le=1000)] = 0.0
    """New calls a second that the carrier takes; 0 for no limit."""
    countries: list[Annotated[str, AfterValidator(_country)]] = Field(default_factory=list)
    """ISO 3166 codes that may be called; with no `prefixes` either: all."""
    prefixes: list[Annotated[str, AfterValidator(_prefix)]] = Field(default_factory=list)
    default: bool = False
    """Whether plain numbers are called by it."""


class DispatchRule(BaseModel):
    """LiveKit's dispatch rule: by callee, each call a room with a random ending."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = "offhook-calls"
    room_prefix: Annotated[str, AfterValidator(_ours)] = ROOM_PREFIX


class LiveKitPart(BaseModel):
    """The `livekit` part of the file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    inbound_trunk: InboundTrunk
    dispatch_rule: DispatchRule
    outbound_trunks: list[OutboundTrunk] = Field(default_factory=list)


class TrunkFile(BaseModel):
    """The whole file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    livekit: LiveKitPart


_KNOWN = {
    name for one in (InboundTrunk, OutboundTrunk, DispatchRule, LiveKitPart, TrunkFile) for name in one.model_fields
}


def read(path: Path) -> TrunkFile:
    """The file at `path`. Raises SetupFault."""
    try:
        return parse(path.read_text(encoding="utf-8"), str(path))
    except OSError as bad:
        raise SetupFault(f"The trunk file {path} can't be read: {bad.strerror}.", remedy="Correct --trunks.") from bad
    except UnicodeDecodeError:
        raise SetupFault(f"The trunk file {path} isn't UTF-8 text.", remedy="Save it anew, as UTF-8.") from None


def parse(text: str, name: str) -> TrunkFile:
    """Read the file's text. Raises SetupFault that lists every mistake as `name:line: what`."""
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        parsed = TrunkFile.model_validate(yaml.safe_load(text) or {})
    except yaml.YAMLError as bad:
        mark = getattr(bad, "problem_mark", None)
        where = f"{name}:{mark.line + 1}" if mark else name
        raise SetupFault(f"{where}: this isn't YAML: {getattr(bad, 'problem', bad)}.", remedy="Correct it.") from None
    except ValidationError as bad:
        found = [f"{name}:{_line(node, e['loc'])}: {_path(e['loc'])}: {_words(e)}" for e in bad.errors()]
        raise SetupFault("; ".join(found) + ".", remedy="Correct the file; nothing was changed.") from None
    trunk = parsed.livekit.inbound_trunk
    if not (trunk.numbers or trunk.allowed_addresses or trunk.auth_username):
        line = _line(node, ("livekit", "inbound_trunk"))
        raise SetupFault(
            f"{name}:{line}: this trunk takes every number from everywhere.",
            remedy="List numbers, allowed_addresses or a sign-in.",
        )
    if trunk.open and "attestation" in trunk.model_fields_set and trunk.attestation != "none":
        line = _line(node, ("livekit", "inbound_trunk", "attestation"))
        raise SetupFault(
            f"{name}:{line}: anybody may send calls to this trunk, and vouch for them.",
            remedy="Write attestation: none, or list allowed_addresses or a sign-in.",
        )
    if doubled := _doubled(parsed.livekit.outbound_trunks):
        place, what, remedy = doubled
        line = _line(node, ("livekit", "outbound_trunks", place))
        raise SetupFault(f"{name}:{line}: {what}", remedy=remedy)
    return parsed


def _doubled(trunks: Sequence[OutboundTrunk]) -> tuple[int, str, str] | None:
    """The first trunk that another one leaves no room for, by its place; what is wrong, and the remedy."""
    names, default = set[str](), ""
    for place, trunk in enumerate(trunks):
        if trunk.name.casefold() in names:
            return place, f"two outbound trunks are named '{trunk.name}'.", "Name one of them otherwise."
        if trunk.default and default:
            return place, f"'{default}' is the default already.", "Mark only one with default: true."
        names.add(trunk.name.casefold())
        default = trunk.name if trunk.default else default
    return None


def _words(said: ErrorDetails) -> str:
    """What pydantic says, for an operator."""
    match said["type"]:
        case "value_error":  # ours
            return said["msg"].removeprefix("Value error, ")
        case "extra_forbidden":
            near = difflib.get_close_matches(str(said["loc"][-1]), _KNOWN, n=1)
            return f"is not known here; did you mean '{near[0]}'?" if near else "is not known here"
        case "missing":
            return "is missing"
        case "string_type":  # +1510…, 0123 and no are no text to YAML
            return "must be text: put quotes around it"
        case "model_type" | "dict_type" | "model_attributes_type":
            return "must be 'key: value' lines"
        case "list_type":
            return "must be a list: [a, b]"
    return said["msg"].lower()


def _path(location: tuple[int | str, ...]) -> str:
    return ".".join(map(str, location)) or "file"


def _line(node: yaml.Node | None, location: tuple[int | str, ...]) -> int:
    """The line (from 1) of the deepest part of `location` that the text has."""
    line = 1
    for step in location:
        if isinstance(node, yaml.MappingNode):
            pair = next(((k, v) for k, v in node.value if k.value == step), None)
            if pair is None:
                break
            line, node = pair[0].start_mark.line + 1, pair[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
            line = node.start_mark.line + 1
    return line
