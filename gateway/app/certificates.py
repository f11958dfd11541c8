"""By which certificate SIP is spoken over TLS: read at the start, and again when its files change, as when it is renewed."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence
from pathlib import Path

import structlog

from gateway.config import Settings
from gateway.errors import SetupFault

LOOKS = 30.0
"""Seconds between two looks at the files."""

log = structlog.get_logger(__name__)
_Stamp = Sequence[tuple[int, int, int]]
"""What tells that files are others."""


class Certificates:
    """The two contexts of a process. Connections that there are go on with what they were made with."""

    def __init__(self, settings: Settings) -> None:
        """Raises SetupFault for a certificate that isn't there or can't be used."""
        if settings.sip_tls_certificate is None:
            raise SetupFault("SIP over TLS needs a certificate.", remedy="Set OFFHOOK_SIP_TLS_CERTIFICATE, or no port.")
        self._own, self._key, self._ca = settings.sip_tls_certificate, settings.sip_tls_key, settings.sip_tls_ca
        self._seen = self._stamp()
        try:
            self.secured = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            """How we prove who we are to whom connects."""
            self.secured.load_cert_chain(self._own, self._key)
            self.calls = ssl.create_default_context(cafile=self._ca)
            """How peers whom we call do; they may want to know who calls, too."""
            self.calls.load_cert_chain(self._own, self._key)
        except (OSError, ssl.SSLError) as bad:
            raise SetupFault(
                f"The SIP certificate can't be used: {_why(bad)}.",
                remedy="Correct OFFHOOK_SIP_TLS_CERTIFICATE, _KEY and _CA.",
            ) from bad

    async def keep(self) -> None:
        """Look each LOOKS seconds, until cancelled."""
        while True:
            await asyncio.sleep(LOOKS)
            self.look()

    def look(self) -> None:
        """Take the files again if they are others; what can't be used changes nothing, and is told once."""
        stamp = self._stamp()
        if stamp == self._seen:
            return
        self._seen = stamp
        try:
            # First apart: a key that doesn't fit yet, as its file is still being written, would leave a context with half of it.
            ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=self._ca).load_cert_chain(self._own, self._key)
            for context in (self.secured, self.calls):
                context.load_cert_chain(self._own, self._key)
            if self._ca is not None:
                self.calls.load_verify_locations(self._ca)
        except (OSError, ssl.SSLError) as bad:
            log.warning("sip certificate can't be used; the one before is kept", why=_why(bad))
        else:
            log.info("sip certificate read again")

    def _stamp(self) -> _Stamp:
        return [_stamp(path) for path in (self._own, self._key, self._ca) if path is not None]


def _stamp(path: Path) -> tuple[int, int, int]:
    try:
        found = path.stat()
    except OSError:
        return (0, 0, 0)
    return (found.st_mtime_ns, found.st_size, found.st_ino)


def _why(bad: OSError) -> str:
    return bad.strerror or str(bad)
