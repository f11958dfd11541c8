"""Digest authentication (RFC 7616, RFC 8760; RFC 3261 section 22), both sides. No I/O, no clock, no chance.

Who is asked:

    challenge = choose(response.headers.getlist("WWW-Authenticate"))   # None: nothing we can answer
    header = challenge.answer(method, uri, user, password, cnonce)     # for Authorization

Who asks:

    guard = Guard(key)                                                 # one a process, of a random key
    values = guard.challenges(realm, call_id, word, now)               # for Proxy-Authenticate
    proof = guard.judge(values, method, user, password, call_id, now)  # of Proxy-Authorization
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

_PARAMETER = re.compile(r'\s*([A-Za-z0-9_.-]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^\s,"]+)\s*(?:,|$)')
_ALGORITHMS: dict[str, Callable[[bytes], str]] = {
    "SHA-512-256": lambda data: hashlib.new("sha512_256", data).hexdigest(),
    "SHA-256": lambda data: hashlib.sha256(data).hexdigest(),
    "MD5": lambda data: hashlib.md5(data, usedforsecurity=False).hexdigest(),
}
"""The strongest first."""


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
        proof = _proof(self, method, uri, user, password, cnonce, f"{count:08x}", qop)
        said = [f"username={_quoted(user)}", f"realm={_quoted(self.realm)}", f"nonce={_quoted(self.nonce)}"]
        said += [f"uri={_quoted(uri)}", f'response="{proof}"', f"algorithm={self.algorithm}"]
        if self.opaque is not None:
            said.append(f"opaque={_quoted(self.opaque)}")
        if qop:
            said += [f"qop={qop}", f"nc={count:08x}"]
        if qop or self._session:
            said.append(f'cnonce="{cnonce}"')
        return f"Digest {', '.join(said)}"

    @property
    def _session(self) -> bool:
        return self.algorithm.upper().endswith("-SESS")


def choose(values: Iterable[str]) -> Challenge | None:
    """The strongest challenge that we can answer, of the values of one kind of header; None for none."""
    found = [challenge for value in values if (challenge := _challenge(value)) is not None]
    order = list(_ALGORITHMS)
    return min(found, key=lambda one: order.index(_name(one.algorithm)), default=None)


def _challenge(value: str) -> Challenge | None:
    said = parameters(value)
    qop = tuple(word.strip().lower() for word in said.get("qop", "").split(",") if word.strip())
    algorithm = said.get("algorithm", "MD5")
    if "realm" not in said or "nonce" not in said or _name(algorithm) not in _ALGORITHMS or (qop and "auth" not in qop):
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


class Proof(StrEnum):
    """What a request's credentials are worth."""

    NONE = "none"
    """There are none that we could judge: ask for them."""
    WRONG = "wrong"
    STALE = "stale"
    """Right, for a nonce that is too old or somebody else's: ask again, and say so."""
    GOOD = "good"


@dataclass(frozen=True, slots=True)
class Guard:
    """Asks for passwords and judges the proofs. It keeps nothing: its nonces say by themselves, sealed with `key`,
    when and for which call they were made."""

    key: bytes = field(repr=False)
    lasts: float = 60.0
    """Seconds that a nonce is good for."""

    def challenges(self, realm: str, call_id: str, word: str, now: float, *, stale: bool = False) -> list[str]:
        """Values of WWW-Authenticate or Proxy-Authenticate. `word`: a new random one; `now`: seconds of the clock by
        which `judge` is asked.

        MD5 stands first, though RFC 8760 section 2.3 wants the strongest there: many phones, and SIPp, read only the
        first, and give up when they don't know it.
        """
        stamp = f"{int(now)}.{word}"
        nonce = f"{stamp}.{self._seal(stamp, call_id)}"
        end = ", stale=true" if stale else ""
        return [
            f'Digest realm={_quoted(realm)}, nonce="{nonce}", algorithm={name}, qop="auth"{end}'
            for name in ("MD5", "SHA-256")
        ]

    def judge(self, values: Iterable[str], method: str, user: str, password: str, call_id: str, now: float) -> Proof:
        """What the values of Authorization or Proxy-Authorization prove; the best of them counts."""
        found = [self._judged(said, method, user, password, call_id, now) for said in map(parameters, values) if said]
        return max(found, key=list(Proof).index, default=Proof.NONE)

    def _judged(
        self, said: Mapping[str, str], method: str, user: str, password: str, call_id: str, now: float
    ) -> Proof:
        algorithm, qop = said.get("algorithm", "MD5"), said.get("qop", "")
        needed = {"username", "realm", "nonce", "uri", "response", *(("cnonce", "nc") if qop else ())}
        if not needed <= said.keys() or _name(algorithm) not in _ALGORITHMS or qop not in ("", "auth"):
            return Proof.NONE
        challenge = Challenge(said["realm"], said["nonce"], algorithm)
        right = _proof(challenge, method, said["uri"], user, password, said.get("cnonce", ""), said.get("nc", ""), qop)
        if said["username"] != user or not hmac.compare_digest(right.encode(), said["response"].lower().encode()):
            return Proof.WRONG
        stamp, _, seal = said["nonce"].rpartition(".")
        made = stamp.partition(".")[0]
        ours = hmac.compare_digest(seal.encode(), self._seal(stamp, call_id).encode())
        return Proof.GOOD if ours and 0 <= now - int(made) <= self.lasts else Proof.STALE

    def _seal(self, stamp: str, call_id: str) -> str:
        return hmac.new(self.key, f"{stamp}\0{call_id}".encode(), "sha256").hexdigest()[:32]


def _proof(
    challenge: Challenge, method: str, uri: str, user: str, password: str, cnonce: str, count: str, qop: str
) -> str:
    """RFC 7616 section 3.4.1."""
    hashed = _ALGORITHMS[_name(challenge.algorithm)]
    first = hashed(f"{user}:{challenge.realm}:{password}".encode())
    if challenge._session:
        first = hashed(f"{first}:{challenge.nonce}:{cnonce}".encode())
    second = hashed(f"{method}:{uri}".encode())
    middle = f"{challenge.nonce}:{count}:{cnonce}:{qop}" if qop else challenge.nonce
    return hashed(f"{first}:{middle}:{second}".encode())


def _name(algorithm: str) -> str:
    return algorithm.upper().removesuffix("-SESS")


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
