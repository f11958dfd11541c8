"""Tests of digest authentication against the RFCs' examples."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.sip.digest import choose, parameters

RFC_7616 = (
    'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm={}, '
    'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
)
CNONCE = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"


@pytest.mark.parametrize(
    ("algorithm", "proof"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_the_example_of_rfc_7616(algorithm: str, proof: str) -> None:
    """Section 3.9.1."""
    challenge = choose([RFC_7616.format(algorithm)])
    assert challenge is not None
    said = parameters(challenge.answer("GET", "/dir/index.html", "Mufasa", "Circle of Life", CNONCE))
    assert said["response"] == proof
    assert (said["qop"], said["nc"], said["cnonce"], said["algorithm"]) == ("auth", "00000001", CNONCE, algorithm)
    assert said["opaque"] == challenge.opaque


def test_the_example_of_rfc_2069() -> None:
    """Section 2.4 as its errata correct it: no qop, no algorithm."""
    challenge = choose(['Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc"'])
    assert challenge is not None
    said = parameters(challenge.answer("GET", "/dir/index.html", "Mufasa", "CircleOfLife", "unused"))
    assert said["response"] == "1949323746fe6a43ef61f9606e7febea"
    assert "cnonce" not in said


def test_the_strongest_that_we_know_is_taken() -> None:
    offered = ['Digest realm="a", nonce="1", algorithm=MD5', 'Digest realm="a", nonce="2", algorithm=SHA-256',
               'Digest realm="a", nonce="3", algorithm=SHA3-999', "Basic realm=a"]  # fmt: skip
    chosen = choose(offered)
    assert chosen is not None
    assert chosen.nonce == "2"


@pytest.mark.parametrize(
    "value",
    ["", "Digest", 'Digest realm="a"', "Basic QWxhZGRpbg==", 'Digest realm="a", nonce="1", qop="auth-int"',
     'Digest realm="a", nonce="1", algorithm=token', 'Digest realm="a" nonce=@@@ "'],
)  # fmt: skip
def test_what_we_cannot_answer_is_no_challenge(value: str) -> None:
    assert choose([value]) is None


def test_a_stale_nonce_is_told_from_a_wrong_password() -> None:
    stale = choose(['Digest realm="a", nonce="1", stale=TRUE'])
    assert stale is not None
    assert stale.stale


@given(st.text(), st.text(st.characters(codec="ascii", categories=["L", "N", "P", "S"])), st.text())
def test_any_realm_user_and_password_is_proven_in_one_line(user: str, realm: str, password: str) -> None:
    quoted = realm.replace("\\", "\\\\").replace('"', '\\"')
    challenge = choose([f'Digest realm="{quoted}", nonce="1", qop="auth"'])
    assert challenge is not None
    assert challenge.realm == realm
    answer = challenge.answer("INVITE", "sip:a@b", "user", password, "c")
    assert parameters(answer)["realm"] == realm


@given(st.text())
def test_any_text_is_read_or_nothing(value: str) -> None:
    choose([value, f"Digest {value}"])
