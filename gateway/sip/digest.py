"""Digest authentication (RFC 7616, RFC 8760; RFC 3261 section 22), for who is asked. No I/O, no clock, no chance.

    challenge = choose(response.headers.getlist("WWW-Authenticate"))   # None: nothing we can answer
    header = challenge.answer(method, uri, user, password, cnonce)     # for Authorization
    proof = Credentials(user, password).proof(request, response, cnonce)  # with the header's name; None: don't try again

Who asks has `gateway.sip.sign_in`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

import sipmessage

_PARAMETER = re.compile(r'\s*([A-Za-z0-9_.-]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^\s,"]+)\s*(?:,|$)')
_ALGORITHMS: dict[str, Callable[[bytes], str]] = {
    "SHA-512-256": lambda data: hashlib.new("sha512_256", data).hexdigest(),
    "SHA-256": lambda data: hashlib.sha256(data).hexdigest(),
    "MD5": lambda data: hashlib.md5(data, usedforsecurity=False).hexdigest(),
}
"""The strongest first."""
_CHALLENGES = {401: ("WWW-Authenticate", "Authorization"), 407: ("Proxy-Authenticate", "Proxy-Authorization")}


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a server wants to be proven."""

    realm: str
    nonce: str
    algorithm: str = "MD5"
    """As it was written, `-sess` included."""
    opaque: str | None = None
    qop: tuple[str, ...] = ()
    stale: bool = False
    """The password was right and the nonce too old."""

    def answer(self, method: str, uri: str, user: str, password: str, cnonce: str, *, count: int = 1) -> str:
        """The value of Authorization or Proxy-Authorization. `uri`: the Request-URI as sent; `cnonce`: a new random
        word; `count`: how often the nonce has been used, this time included."""
        qop = "auth" if self.qop else ""
        proved = response(self, method, uri, user, password, cnonce, f"{count:08x}", qop)
        said = [f"username={quoted(user)}", f"realm={quoted(self.realm)}", f"nonce={quoted(self.nonce)}"]
        said += [f"uri={quoted(uri)}", f'response="{proved}"', f"algorithm={self.algorithm}"]
        if self.opaque is not None:
            said.append(f"opaque={quoted(self.opaque)}")
        if qop:
            said += [f"qop={qop}", f"nc={count:08x}"]
        if qop or self._session:
            said.append(f'cnonce="{cnonce}"')
        return f"Digest {', '.join(said)}"

    @property
    def _session(self) -> bool:
        return self.algorithm.upper().endswith("-SESS")


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who we are, for whom a request of ours is asked."""

    user: str = ""
    """"" for nobody."""
    password: str = field(default="", repr=False)
    realm: str = ""
    """Of whom alone they are shown to; "" for whoever asks."""

    def proof(
        self, request: sipmessage.Request, response: sipmessage.Response, cnonce: str, *, had: bool = False
    ) -> tuple[str, str] | None:
        """The header with which a request that was refused is to be sent again; None where it wasn't for want of a password that we
        have, or the one that it `had` was wrong (RFC 3261 section 22.3). `cnonce`: a new random word."""
        if response.code not in _CHALLENGES or not self.user:
            return None
        asked, name = _CHALLENGES[response.code]
        challenge = choose(response.headers.getlist(asked), self.realm)
        if challenge is None or (had and not challenge.stale):
            return None
        return name, challenge.answer(request.method, str(request.uri), self.user, self.password, cnonce)

    def proven(self, proof: tuple[str, str]) -> Credentials:
        """The same, for the realm that a proof was for; NOBODY for one without a name, by which nobody is told from others."""
        realm = parameters(proof[1])["realm"]
        return replace(self, realm=realm) if realm else NOBODY


NOBODY = Credentials()


def choose(values: Iterable[str], realm: str = "") -> Challenge | None:
    """The strongest challenge that we can answer, of the values of one kind of header, and of one realm where it is given; None for
    none."""
    read = [challenge for value in values if (challenge := _challenge(value)) is not None]
    found = [challenge for challenge in read if realm in ("", challenge.realm)]
    order = list(_ALGORITHMS)
    return min(found, key=lambda one: order.index(_name(one.algorithm)), default=None)


def _challenge(value: str) -> Challenge | None:
    said = parameters(value)
    qop = tuple(word.strip().lower() for word in said.get("qop", "").split(",") if word.strip())
    algorithm = said.get("algorithm", "MD5")
    if "realm" not in said or "nonce" not in said or not known(algorithm) or (qop and "auth" not in qop):
        return None
    stale = said.get("stale", "").lower() == "true"
    return Challenge(said["realm"], said["nonce"], algorithm, said.get("opaque"), qop, stale)


def parameters(value: str) -> dict[str, str]:
    """What stands behind `Digest`, names in lower case, quotes taken off; {} for another scheme or what can't be
    read."""
    scheme, _, rest = value.strip().partition(" ")
    if scheme.lower() != "digest":
        return {}
    found: dict[str, str] = {}
    at = 0
    while match := _PARAMETER.match(rest, at):
        text = match[2]
        found[match[1].lower()] = re.sub(r"\\(.)", r"\1", text[1:-1]) if text.startswith('"') else text
        at = match.end()
    return found if at >= len(rest.rstrip()) else {}


def response(
    challenge: Challenge, method: str, uri: str, user: str, password: str, cnonce: str, count: str, qop: str
) -> str:
    """What proves the password (RFC 7616 section 3.4.1). `count`, `qop`: as written; a `qop` of "" is RFC 2069's form."""
    hashed = _ALGORITHMS[_name(challenge.algorithm)]
    first = hashed(f"{user}:{challenge.realm}:{password}".encode())
    if challenge._session:
        first = hashed(f"{first}:{challenge.nonce}:{cnonce}".encode())
    second = hashed(f"{method}:{uri}".encode())
    middle = f"{challenge.nonce}:{count}:{cnonce}:{qop}" if qop else challenge.nonce
    return hashed(f"{first}:{middle}:{second}".encode())


def known(algorithm: str) -> bool:
    """Whether an algorithm is one of ours, as it is written in a header."""
    return _name(algorithm) in _ALGORITHMS


def quoted(text: str) -> str:
    """Text as the value of a parameter."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _name(algorithm: str) -> str:
    return algorithm.upper().removesuffix("-SESS")
