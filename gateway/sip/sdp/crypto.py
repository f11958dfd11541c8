"""Keys for SRTP in session descriptions: the `crypto` attribute of RFC 4568 (SDES)."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from gateway.sip.sdp.model import Attribute


class Suite(StrEnum):
    """How media is encrypted and proven (RFC 4568 section 6.2, RFC 7714 section 14.2); the first is preferred."""

    AES_128_SHA1_80 = "AES_CM_128_HMAC_SHA1_80"
    AES_256_GCM = "AEAD_AES_256_GCM"
    AES_128_GCM = "AEAD_AES_128_GCM"
    AES_128_SHA1_32 = "AES_CM_128_HMAC_SHA1_32"

    @property
    def length(self) -> int:
        """Bytes of master key and salt together."""
        return _LENGTHS[self]


_LENGTHS = {Suite.AES_128_SHA1_80: 30, Suite.AES_128_SHA1_32: 30, Suite.AES_128_GCM: 28, Suite.AES_256_GCM: 44}
MATERIAL = sum(_LENGTHS.values())
"""Bytes of randomness that a description's keys are made of."""
_LINE = re.compile(
    r"([1-9][0-9]{0,8}) +([A-Za-z0-9_]+) +inline:([A-Za-z0-9+/=]+)(?:\|([^| ;]+))?(?:\|([^ ;]+))?(;\S*)?(?: +(.*))?"
)
_LIFETIME = re.compile(r"2\^[0-9]{1,2}|[0-9]{1,15}")


@dataclass(frozen=True, slots=True)
class Crypto:
    """One offered, or chosen, suite with its owner's key: what the owner sends with."""

    tag: int
    suite: Suite
    key: bytes = field(repr=False)
    """Master key and salt, `suite.length` bytes."""

    def attribute(self) -> Attribute:
        """The line of a description."""
        return Attribute("crypto", f"{self.tag} {self.suite} inline:{base64.b64encode(self.key).decode()}")


@dataclass(frozen=True, slots=True)
class Keys:
    """What a stream is encrypted with."""

    suite: Suite
    ours: bytes = field(repr=False)
    """We send with it."""
    theirs: bytes = field(repr=False)


def read(attributes: Sequence[Attribute]) -> tuple[Crypto, ...]:
    """The suites of a stream's attributes that we can use, in the order of their owner's preference.

    Left out, as RFC 4568 section 6 wants what isn't understood: other suites, keys that aren't as long as they should
    be, several keys or key identifiers (MKI), and session parameters, but for WSH, which only advises.
    """
    found = (_read(each.value) for each in attributes if each.name == "crypto" and each.value)
    return tuple(each for each in found if each is not None)


def offered(material: bytes) -> tuple[Crypto, ...]:
    """What we offer, each with a key of its own. `material`: MATERIAL random bytes, which are secret."""
    made, at = [], 0
    for tag, suite in enumerate(Suite, 1):
        made.append(Crypto(tag, suite, material[at : at + suite.length]))
        at += suite.length
    return tuple(made)


def renewed(material: bytes, kept: Keys | None) -> bytes:
    """The material of the next description: `material`, MATERIAL new random bytes, but for the key of ours that is in use. So no key
    comes back once another, or none, has taken its place: its packets are counted from zero then, under the numbers of those that
    it has sealed before (RFC 3711 section 9.1)."""
    keys = (each.key if kept is None or each.suite is not kept.suite else kept.ours for each in offered(material))
    return b"".join(keys)


def chosen(theirs: Sequence[Crypto], material: bytes) -> tuple[Crypto, Keys] | None:
    """Our answer to what the other side offers, with a key of our own; None where nothing fits."""
    if not theirs:
        return None
    first = theirs[0]
    ours = next(each for each in offered(material) if each.suite is first.suite)
    return Crypto(first.tag, first.suite, ours.key), Keys(first.suite, ours.key, first.key)


def agreed(ours: Sequence[Crypto], theirs: Sequence[Crypto]) -> Keys | None:
    """What the other side's answer has chosen of our offer; None where that isn't one thing we offered (section 5.1.3)."""
    if len(theirs) != 1:
        return None
    [answer] = theirs
    for each in ours:
        if (each.tag, each.suite) == (answer.tag, answer.suite):
            return Keys(each.suite, each.key, answer.key)
    return None


def _read(value: str) -> Crypto | None:
    found = _LINE.fullmatch(value.strip())
    if found is None:
        return None
    tag, name, inline, first, second, more, parameters = found.groups()
    if name not in set(Suite) or second or more or (first and not _LIFETIME.fullmatch(first)):
        return None
    if any(not each.upper().startswith("WSH=") for each in (parameters or "").split()):
        return None
    try:
        key = base64.b64decode(inline, validate=True)
    except binascii.Error:
        return None
    suite = Suite(name)
    return Crypto(int(tag), suite, key) if len(key) == suite.length else None
