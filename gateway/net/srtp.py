"""Encrypted media by libsrtp (pylibsrtp)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import pylibsrtp

from gateway.rtp.shield import NotGenuine
from gateway.sip.sdp import Keys, Suite

_PROFILES: Final = {
    Suite.AES_128_SHA1_80: pylibsrtp.Policy.SRTP_PROFILE_AES128_CM_SHA1_80,
    Suite.AES_128_SHA1_32: pylibsrtp.Policy.SRTP_PROFILE_AES128_CM_SHA1_32,
    Suite.AES_128_GCM: pylibsrtp.Policy.SRTP_PROFILE_AEAD_AES_128_GCM,
    Suite.AES_256_GCM: pylibsrtp.Policy.SRTP_PROFILE_AEAD_AES_256_GCM,
}
_WINDOW = 256
"""Packets (5 s) within which one may be late and still be told from one that was here before (RFC 3711 section 3.3.2)."""
_LONGEST = 1500


class Srtp:
    """See `gateway.rtp.shield.Shield`. What is taken on anew with a key that didn't change goes on counting, and so does a key of
    ours that comes back: none seals two packets of one number."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._out = _session(keys.suite, keys.ours, pylibsrtp.Policy.SSRC_ANY_OUTBOUND)
        self._outs = {(keys.suite, keys.ours): self._out}
        self._in = _session(keys.suite, keys.theirs, pylibsrtp.Policy.SSRC_ANY_INBOUND)
        self._before: pylibsrtp.Session | None = None
        """Of their key before this one: what they send until our answer is there is sealed with it."""

    def rekeyed(self, keys: Keys) -> Srtp:
        """What a new offer and answer settled in the place of this one."""
        if keys == self._keys:
            return self
        made = Srtp(keys)
        made._outs = {**made._outs, **self._outs}
        made._out = made._outs[keys.suite, keys.ours]
        if (keys.suite, keys.theirs) == (self._keys.suite, self._keys.theirs):
            made._in, made._before = self._in, self._before
        else:
            made._before = self._in
        return made

    def seal(self, packet: bytes) -> bytes:
        """See `Shield`."""
        return self._out.protect(packet)

    def open(self, datagram: bytes) -> bytes:
        """See `Shield`."""
        try:
            opened = _opened(self._in.unprotect, datagram)
        except NotGenuine:
            if self._before is None:
                raise
            return _opened(self._before.unprotect, datagram)
        self._before = None
        return opened

    def seal_report(self, packet: bytes) -> bytes:
        """See `Shield`."""
        return self._out.protect_rtcp(packet)

    def open_report(self, datagram: bytes) -> bytes:
        """See `Shield`."""
        return _opened(self._in.unprotect_rtcp, datagram)


def _opened(unprotect: Callable[[bytes], bytes], datagram: bytes) -> bytes:
    if len(datagram) > _LONGEST:
        raise NotGenuine("an encrypted packet is too long")
    try:
        return unprotect(datagram)
    except pylibsrtp.Error as bad:
        raise NotGenuine("an encrypted packet isn't genuine") from bad


def _session(suite: Suite, key: bytes, kind: int) -> pylibsrtp.Session:
    policy = pylibsrtp.Policy(key=key, ssrc_type=kind, srtp_profile=_PROFILES[suite])
    policy.window_size = _WINDOW
    return pylibsrtp.Session(policy=policy)
