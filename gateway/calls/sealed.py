"""Sealed digits: what only the job and the tool they are meant for may read, as Redis and the records carry it.

AES-256-GCM (NIST SP 800-38D) under a key that HKDF-SHA256 (RFC 5869) makes of the gateway's secret. The call and the
place are authenticated with it, so that a seal can't be put into another call or field. The plain text is padded: a
seal's length tells a card's number from a PIN only in steps of 64 bytes.
"""

from __future__ import annotations

import base64
import binascii
import json
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from gateway.errors import OurFault, SetupFault
from gateway.terms.call import CallId
from gateway.terms.personal import Digits
from gateway.terms.sealed import MARK

_KEY = 32
_NONCE = 12
_BLOCK = 64
_PURPOSE = b"offhook sealed digits 1"


class Seal:
    """Seals and opens under one secret. Raises SetupFault when the secret is empty."""

    def __init__(self, secret: str) -> None:
        if not secret:
            raise SetupFault(
                "A route seals digits, and there is no secret to seal them with.",
                remedy="Set OFFHOOK_SECRET, the same for every process.",
            )
        key = HKDF(SHA256(), _KEY, salt=None, info=_PURPOSE).derive(secret.encode())
        self._cipher = AESGCM(key)

    def close(self, digits: Digits, call: CallId, place: str) -> str:
        """The digits, sealed: printable, and begins with `gateway.terms.sealed.MARK`. `place`: what they are within
        the call, such as a field's name or a stop; it must be told again to open them."""
        return self._close(digits.reveal(), call, place)

    def open(self, sealed: str, call: CallId, place: str) -> Digits:
        """The digits again. Raises OurFault when the seal is another secret's, call's or place's, or broken."""
        return Digits(self._open(sealed, call, place))

    def _close(self, plain: str, call: CallId, place: str) -> str:
        data = plain.encode()
        padded = data + b"\x80" + bytes(-(len(data) + 1) % _BLOCK)
        nonce = os.urandom(_NONCE)
        sealed = self._cipher.encrypt(nonce, padded, _bound(call, place))
        return MARK + base64.urlsafe_b64encode(nonce + sealed).decode()

    def _open(self, sealed: str, call: CallId, place: str) -> str:
        try:
            data = base64.urlsafe_b64decode(sealed.removeprefix(MARK))
            padded = self._cipher.decrypt(data[:_NONCE], data[_NONCE:], _bound(call, place))
        except (InvalidTag, binascii.Error, ValueError):
            # Without its cause: a message of the library's could quote what it was given.
            raise OurFault(f"A seal of the call {call} can't be opened.") from None
        return padded.rstrip(b"\x00")[:-1].decode()


def _bound(call: CallId, place: str) -> bytes:
    return json.dumps([call, place]).encode()
