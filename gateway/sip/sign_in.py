"""Who signs in: callers are asked for a password, and the proof is judged (RFC 3261 section 22, RFC 7616, RFC 8760). No I/O, no
clock, no chance.

    guard = Guard(key)                                          # one a process, of a random key
    values = guard.challenges(realm, call_id, word, now)        # for Proxy-Authenticate
    proof = guard.judge(invite, realm, user, password, now)     # of its Proxy-Authorization or Authorization
"""

from __future__ import annotations

import hmac
import re
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2s

import sipmessage

from gateway.sip import lenient
from gateway.sip.digest import Challenge, known, parameters, quoted, response

MOST = 16384
"""Nonces that are remembered as used: as many as callers sign in within a minute at most. Beyond it the oldest is forgotten."""
_CREDENTIALS = ("Proxy-Authorization", "Authorization")
_COUNT = re.compile("[0-9A-Fa-f]{1,8}")
_SEPARATORS = str.maketrans("", "", "-.()")


def credentials(request: sipmessage.Request) -> list[str]:
    """Those of a request, one a line, as they were written."""
    return [value for name in _CREDENTIALS for value in request.headers.getlist(name)]


class Proof(StrEnum):
    """What a request's credentials are worth."""

    NONE = "none"
    """There are none that we could judge: ask for them."""
    WRONG = "wrong"
    ELSEWHERE = "elsewhere"
    """Right, for a request to somebody else."""
    STALE = "stale"
    """For a nonce that is too old or somebody else's, and not looked at any further, so that nobody guesses without having asked; or
    right, for one that has served another request: ask again, and say so."""
    GOOD = "good"


@dataclass(frozen=True, slots=True)
class _Use:
    """The latest use of a nonce."""

    count: int
    request: bytes
    until: float


class Guard:
    """Asks for passwords and judges the proofs. Its nonces say by themselves, sealed with `key`, when and for which call they were
    made; what is kept is which of them have proven something, for the `lasts` seconds that they are good for."""

    def __init__(self, key: bytes, lasts: float = 60.0) -> None:
        self._key, self._lasts = key, lasts
        self._used: OrderedDict[str, _Use] = OrderedDict()

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
            f'Digest realm={quoted(realm)}, nonce="{nonce}", algorithm={name}, qop="auth"{end}'
            for name in ("MD5", "SHA-256")
        ]

    def judge(self, request: sipmessage.Request, realm: str, user: str, password: str, now: float) -> Proof:
        """What a request's credentials prove. Of those for `realm` one counts, with a nonce that was made for this call before
        any other, so that each guess takes a request. Of two such none does: RFC 3261 section 22.3 has one a realm."""
        found = [said for said in map(parameters, dict.fromkeys(credentials(request))) if said.get("realm") == realm]
        ours = [said for said in found if self._made(said.get("nonce", ""), request.call_id) is not None]
        if len(ours) > 1:
            return Proof.WRONG
        return next((self._judged(said, request, user, password, now) for said in ours or found), Proof.NONE)

    def vouches(self, nonce: str, call_id: str, now: float) -> bool:
        """Whether a nonce was made here, for that call, and is good still: whoever has it got our challenge."""
        made = self._made(nonce, call_id)
        return made is not None and 0 <= now - made <= self._lasts

    def _judged(
        self, said: Mapping[str, str], request: sipmessage.Request, user: str, password: str, now: float
    ) -> Proof:
        algorithm, qop, count = said.get("algorithm", "MD5"), said.get("qop", ""), said.get("nc", "")
        needed = {"username", "nonce", "uri", "response", *(("cnonce", "nc") if qop else ())}
        if not needed <= said.keys() or not known(algorithm) or qop not in ("", "auth"):
            return Proof.NONE
        if qop and not _COUNT.fullmatch(count):
            return Proof.NONE
        made = self._made(said["nonce"], request.call_id)
        if made is None or not 0 <= now - made <= self._lasts:
            return Proof.STALE
        challenge = Challenge(said["realm"], said["nonce"], algorithm)
        right = response(challenge, request.method, said["uri"], user, password, said.get("cnonce", ""), count, qop)
        if said["username"] != user or not hmac.compare_digest(right.encode(), said["response"].lower().encode()):
            return Proof.WRONG
        if not _meant(said["uri"], request):
            return Proof.ELSEWHERE
        fresh = self._use(said["nonce"], _Use(int(count, 16) if qop else 0, _print(request), made + self._lasts), now)
        return Proof.GOOD if fresh else Proof.STALE

    def _use(self, nonce: str, use: _Use, now: float) -> bool:
        """Note that a nonce proves something; whether it hasn't by that count before, but for the same request that comes again."""
        while self._used and (next(iter(self._used.values())).until < now or len(self._used) >= MOST):
            self._used.popitem(last=False)
        before = self._used.get(nonce)
        if before is not None and use.count <= before.count:
            return (use.count, use.request) == (before.count, before.request)
        self._used[nonce] = use
        return True

    def _made(self, nonce: str, call_id: str) -> int | None:
        """When we made a nonce for the call; None where we didn't."""
        stamp, _, seal = nonce.rpartition(".")
        ours = hmac.compare_digest(seal.encode(), self._seal(stamp, call_id).encode())
        return int(stamp.partition(".")[0]) if ours else None

    def _seal(self, stamp: str, call_id: str) -> str:
        return hmac.new(self._key, f"{stamp}\0{call_id}".encode(), "sha256").hexdigest()[:32]


def _meant(uri: str, request: sipmessage.Request) -> bool:
    """Whether the `uri` that was signed is where the request goes (RFC 7616 section 3.4.6): by its user, which is that of the
    Request-URI or of To, by which calls are sent on here.

    Its host, port and parameters aren't compared: what is between the caller and us writes them anew, and callers leave some out
    (livekit-sip before its issue 817, all but user and host). Without a user, as SIPp signs, the host counts. Asterisk, FreeSWITCH
    and livekit-sip compare nothing.
    """
    try:
        signed = lenient.uri(uri)
    except ValueError:
        return False
    targets = (request.uri, request.to_address.uri)
    if signed.user:
        return any(_number(signed) == _number(target) for target in targets)
    return any(signed.host.lower() == target.host.lower() for target in targets)


def _number(uri: sipmessage.URI) -> str:
    """The user without what may be written otherwise in between: separators, the plus, parameters."""
    return (uri.user or "").partition(";")[0].translate(_SEPARATORS).removeprefix("+")


def _print(request: sipmessage.Request) -> bytes:
    """What tells a request that comes again from another with the same proof: whom it is from and for, its number, its offer."""
    named = (str(request.uri), *(request.headers.get(name) or "" for name in ("From", "To", "CSeq")))
    return blake2s("\0".join(named).encode("utf-8", "replace") + b"\0" + request.body, digest_size=16).digest()
