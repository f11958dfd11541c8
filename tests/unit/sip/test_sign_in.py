"""Who is let in by a password's proof, and how often."""

from __future__ import annotations

import pytest
import sipmessage
from hypothesis import given
from hypothesis import strategies as st

from gateway.sip import sign_in
from gateway.sip.digest import choose, parameters
from gateway.sip.message import parse
from gateway.sip.sign_in import Guard, Proof

URI = "sip:+15105550100@192.0.2.1"
INVITE = (
    "INVITE {uri} SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK{cseq}\r\nFrom: <sip:+12125550000@192.0.2.9>;tag=f1\r\n"
    "To: <sip:+15105550100@edge.example.com>\r\nCall-ID: {call_id}\r\nCSeq: {cseq} INVITE\r\n{proofs}Content-Length: 5\r\n\r\n{body}"
)


@pytest.fixture
def guard() -> Guard:
    return Guard(b"key")


def invite(
    *proofs: str,
    call_id: str = "a",
    cseq: int = 2,
    uri: str = URI,
    name: str = "Proxy-Authorization",
    body: str = "offer",
) -> sipmessage.Request:
    lines = "".join(f"{name}: {each}\r\n" for each in proofs)
    request = parse(INVITE.format(uri=uri, cseq=cseq, call_id=call_id, proofs=lines, body=body).encode())
    assert isinstance(request, sipmessage.Request)
    return request


def signed(
    guard: Guard,
    password: str = "secret",
    *,
    user: str = "user",
    call_id: str = "a",
    at: float = 100.0,
    algorithm: str = "MD5",
    uri: str = URI,
    realm: str = "here",
    count: int = 1,
    qop: bool = True,
) -> str:
    """Credentials that answer a challenge of the guard's."""
    asked = guard.challenges(realm, call_id, "word", at)
    challenge = choose([value for value in asked if f"={algorithm}," in value])
    assert challenge is not None
    if not qop:
        challenge = choose([f'Digest realm="{realm}", nonce="{challenge.nonce}"']) or challenge
    return challenge.answer("INVITE", uri, user, password, "cnonce", count=count)


def judged(guard: Guard, *proofs: str, now: float = 110.0, call_id: str = "a") -> Proof:
    return guard.judge(invite(*proofs, call_id=call_id), "here", "user", "secret", now)


@pytest.mark.parametrize("algorithm", ["SHA-256", "MD5"])
def test_who_knows_the_password_is_let_in(guard: Guard, algorithm: str) -> None:
    assert judged(guard, signed(guard, algorithm=algorithm)) is Proof.GOOD
    request = invite(signed(guard, call_id="b"), call_id="b", name="Authorization")
    assert guard.judge(request, "here", "user", "secret", 110.0) is Proof.GOOD


def test_who_does_not_is_not(guard: Guard) -> None:
    assert judged(guard) is Proof.NONE
    assert judged(guard, "Basic abc", "Digest") is Proof.NONE
    assert judged(guard, signed(guard, "guess")) is Proof.WRONG
    assert judged(guard, signed(guard, user="other")) is Proof.WRONG


def test_one_request_is_one_guess(guard: Guard) -> None:
    right, other = signed(guard), Guard(b"another")
    assert judged(guard, signed(guard, "guess"), right) is Proof.WRONG, "two for one nonce of ours"
    assert judged(guard, right, signed(guard, "guess")) is Proof.WRONG
    assert judged(guard, signed(guard, algorithm="SHA-256"), right) is Proof.WRONG
    guesses = [signed(other, f"guess{number}") for number in range(50)]
    assert judged(guard, *guesses, signed(other)) is Proof.STALE, "none is judged where no nonce is ours"
    assert judged(guard, *guesses, right) is Proof.GOOD, "what was made for this call, before any other"


def test_the_same_twice_is_one(guard: Guard) -> None:
    proof = signed(guard)
    assert judged(guard, proof, proof) is Proof.GOOD


def test_credentials_for_other_realms_are_others_affair(guard: Guard) -> None:
    elsewhere = signed(guard, "guess", realm="elsewhere")
    assert judged(guard, elsewhere) is Proof.NONE
    assert judged(guard, elsewhere, signed(guard)) is Proof.GOOD


@pytest.mark.parametrize(
    ("uri", "proof"),
    [
        (URI, Proof.GOOD),
        ("sip:+15105550100@proxy.example.com:5080;transport=udp", Proof.GOOD),
        ("sips:+1-510-555-0100;npdi@192.0.2.1", Proof.GOOD),
        ("tel:+15105550100", Proof.GOOD),
        ("sip:192.0.2.1:5060", Proof.GOOD),
        ("sip:EDGE.example.com", Proof.GOOD),
        ("sip:+15105550199@192.0.2.1", Proof.ELSEWHERE),
        ("sip:elsewhere.example.com", Proof.ELSEWHERE),
        ("/dir/index.html", Proof.ELSEWHERE),
        ("", Proof.ELSEWHERE),
    ],
)
def test_a_proof_is_for_the_number_it_was_made_for(guard: Guard, uri: str, proof: Proof) -> None:
    assert judged(guard, signed(guard, uri=uri)) is proof


def test_a_request_uri_that_a_proxy_rewrote_is_told_by_its_to(guard: Guard) -> None:
    request = invite(signed(guard), uri="sip:line7@10.0.0.1")
    assert guard.judge(request, "here", "user", "secret", 110.0) is Proof.GOOD


def test_a_nonce_is_good_for_one_call_and_a_minute(guard: Guard) -> None:
    assert judged(guard, signed(guard), now=160.0) is Proof.GOOD
    assert judged(guard, signed(guard), now=161.0) is Proof.STALE
    assert judged(guard, signed(guard, at=200.0)) is Proof.STALE, "made in the future"
    assert judged(guard, signed(guard), call_id="b") is Proof.STALE
    assert judged(Guard(b"another"), signed(guard)) is Proof.STALE


def test_who_guesses_must_have_asked(guard: Guard) -> None:
    """Another nonce tells nobody whether the password is right."""
    for nonce in ({"now": 161.0}, {"call_id": "b"}):
        assert judged(guard, signed(guard, "guess"), **nonce) is judged(guard, signed(guard), **nonce) is Proof.STALE


def test_a_nonce_of_ours_vouches_for_its_call_and_a_minute(guard: Guard) -> None:
    nonce = parameters(signed(guard))["nonce"]
    assert guard.vouches(nonce, "a", 160.0)
    assert not guard.vouches(nonce, "a", 161.0)
    assert not guard.vouches(nonce, "b", 110.0)
    assert not Guard(b"another").vouches(nonce, "a", 110.0)


@pytest.mark.parametrize("qop", [True, False])
def test_an_overheard_proof_is_worth_nothing(guard: Guard, qop: bool) -> None:
    proof = signed(guard, qop=qop)
    first = invite(proof)
    assert guard.judge(first, "here", "user", "secret", 110.0) is Proof.GOOD
    assert guard.judge(first, "here", "user", "secret", 142.0) is Proof.GOOD, "the same request comes again"
    for other in (invite(proof, cseq=3), invite(proof, body="mine!"), invite(proof, uri="sip:+15105550100@192.0.2.2")):
        assert guard.judge(other, "here", "user", "secret", 120.0) is Proof.STALE


def test_a_nonce_serves_again_under_a_higher_count(guard: Guard) -> None:
    assert judged(guard, signed(guard, count=2)) is Proof.GOOD
    again = invite(signed(guard, count=10), cseq=3)
    assert guard.judge(again, "here", "user", "secret", 115.0) is Proof.GOOD
    lower = invite(signed(guard, count=3), cseq=4)
    assert guard.judge(lower, "here", "user", "secret", 116.0) is Proof.STALE
    without = invite(signed(guard, qop=False), cseq=5)
    assert guard.judge(without, "here", "user", "secret", 117.0) is Proof.STALE


def test_nothing_is_kept_of_nonces_that_are_no_longer_good(guard: Guard, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        judged(guard, signed(guard, call_id=f"c{number}"), call_id=f"c{number}")
    assert len(guard._used) == 5
    judged(guard, signed(guard, at=200.0), now=200.0)
    assert len(guard._used) == 1
    monkeypatch.setattr(sign_in, "MOST", 3)
    for number in range(5):
        judged(guard, signed(guard, call_id=f"d{number}", at=200.0), now=200.0, call_id=f"d{number}")
    assert len(guard._used) == 3


def test_a_stale_challenge_says_so(guard: Guard) -> None:
    challenge = choose(guard.challenges("here", "a", "word", 1.0, stale=True))
    assert challenge is not None
    assert challenge.stale


@given(st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0")))
def test_any_credentials_are_judged(value: str) -> None:
    assert judged(Guard(b"key"), value, f"Digest {value}") in (Proof.NONE, Proof.WRONG)


@given(st.dictionaries(st.sampled_from(["username", "nonce", "uri", "response", "qop", "nc", "cnonce", "algorithm"]),
                       st.text("0af,-/.;@ :sipauth+é", max_size=20)))  # fmt: skip
def test_any_change_of_what_is_right_is_judged(changed: dict[str, str]) -> None:
    guard = Guard(b"key")
    said = {**parameters(signed(guard)), **changed}
    value = "Digest " + ", ".join(f'{name}="{text}"' for name, text in said.items())
    assert judged(guard, value) in Proof
