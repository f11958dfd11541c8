"""A certificate that is renewed is shown to whoever connects from then on."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from gateway.app.certificates import Certificates
from gateway.config import from_environment
from gateway.errors import SetupFault
from tests.e2e.certificate import make_certificate


def made(certificate: Path, **more: str) -> Certificates:
    return Certificates(from_environment({"OFFHOOK_SIP_TLS_CERTIFICATE": str(certificate), **more}))


def shown(server: ssl.SSLContext, client: ssl.SSLContext) -> bytes:
    """The certificate that one who connects is shown. Raises SSLError where the client doesn't believe it."""
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = server.wrap_bio(there, back, server_side=True)
    theirs = client.wrap_bio(back, there, server_hostname="localhost")
    done: set[ssl.SSLObject] = set()
    while len(done) < 2:
        for end in (theirs, ours):
            try:
                end.do_handshake()
                done.add(end)
            except ssl.SSLWantReadError:
                continue
    return theirs.getpeercert(binary_form=True) or b""


def der(certificate: Path) -> bytes:
    return ssl.PEM_cert_to_DER_cert(certificate.with_suffix(".crt").read_text())


@pytest.fixture
def renewed(tmp_path: Path) -> Path:
    (tmp_path / "later").mkdir()
    return make_certificate(tmp_path / "later")


def test_a_renewed_certificate_is_shown_and_believed_without_a_new_start(tmp_path: Path, renewed: Path) -> None:
    first = make_certificate(tmp_path)
    own = made(first, OFFHOOK_SIP_TLS_CA=str(first.with_suffix(".crt")))
    assert shown(own.secured, own.calls) == der(first)
    own.look()
    os.replace(renewed.with_suffix(".crt"), first.with_suffix(".crt"))
    os.replace(renewed, first)
    with capture_logs() as logs:
        own.look()
        own.look()
    assert [one["event"] for one in logs] == ["sip certificate read again"]
    assert shown(own.secured, own.calls) == der(first)


@pytest.mark.parametrize("written", ["", "half of it", None])
def test_one_that_cant_be_used_changes_nothing_and_is_told_once(tmp_path: Path, written: str | None) -> None:
    first = make_certificate(tmp_path)
    own = made(first, OFFHOOK_SIP_TLS_CA=str(first.with_suffix(".crt")))
    if written is None:
        first.unlink()
    else:
        first.write_text(written)
    with capture_logs() as logs:
        own.look()
        own.look()
    assert [one["log_level"] for one in logs] == ["warning"]
    assert shown(own.secured, own.calls) == der(first)


def test_a_key_that_doesnt_fit_changes_nothing(tmp_path: Path, renewed: Path) -> None:
    first = make_certificate(tmp_path)
    key, own = tmp_path / "key.pem", first.with_suffix(".crt")
    key.write_text(first.read_text().partition("-----BEGIN CERTIFICATE")[0])
    both = made(own, OFFHOOK_SIP_TLS_KEY=str(key), OFFHOOK_SIP_TLS_CA=str(own))
    before = der(first)
    os.replace(renewed.with_suffix(".crt"), own)
    both.look()
    both._ca = None
    assert shown(both.secured, both.calls) == before


def test_without_one_there_is_no_tls() -> None:
    with pytest.raises(SetupFault, match="certificate"):
        Certificates(from_environment({}))


def test_nothing_older_than_tls_1_2_is_spoken_and_whom_we_call_must_be_who_they_say(tmp_path: Path) -> None:
    own = made(make_certificate(tmp_path))
    assert own.secured.minimum_version >= ssl.TLSVersion.TLSv1_2
    assert own.calls.minimum_version >= ssl.TLSVersion.TLSv1_2
    assert (own.calls.verify_mode, own.calls.check_hostname) == (ssl.CERT_REQUIRED, True)
    with pytest.raises(ssl.SSLError):
        shown(own.secured, own.calls)
