from __future__ import annotations

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import PhoneNumberType

from gateway.guard.judge import Passed, Refusal, Why, is_costly, judge
from gateway.terms.address import Address, parse
from gateway.terms.outbound import Outbound, Rules, Spend, read, written

NAMED = ("+15105550111", "sip:ben@pbx", "sip:200@pbx", "+442079460111", "sip:+15105550112@carrier")
ALLOWED = Outbound(frozenset({"US", "GB"}), ("+4930",), ("+44870",), spend=Spend(20, {"+1": 0.01, "+1510": 0.02}, 0.5))
RULES = Rules(ALLOWED, frozenset(NAMED), "US")
STRICT = Rules(Outbound(), frozenset(NAMED), "US")
TYPES = {value: name for name, value in vars(PhoneNumberType).items() if isinstance(value, int)}


def why(written: str, rules: Rules = RULES) -> Why | str:
    judged = judge(written, rules)
    return judged.why if isinstance(judged, Refusal) else "passed"


@pytest.mark.parametrize("address", NAMED)
def test_whom_the_plan_names_is_called(address: str) -> None:
    for rules in (RULES, STRICT):
        judged = judge(address, rules)
        assert isinstance(judged, Passed)
        assert judged.named
        assert str(judged.address) == address


@pytest.mark.parametrize("address", ["+15105550113", "+442079460112", "+493012345678", "sip:+15105550113@carrier"])
def test_a_country_or_a_beginning_lets_out_who_isnt_named(address: str) -> None:
    judged = judge(address, RULES)
    assert isinstance(judged, Passed)
    assert not judged.named
    assert why(address, STRICT) is Why.UNLISTED


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("+33123456789", Why.UNLISTED), ("+8613912345678", Why.UNLISTED), ("sip:eve@pbx", Why.UNLISTED),
        ("sip:201@pbx", Why.UNLISTED), ("sip:ben@carrier", Why.UNLISTED), ("sips:ben@pbx", Why.UNLISTED),
        ("+18765551234", Why.UNLISTED), ("+12425551234", Why.UNLISTED),  # Jamaica and the Bahamas begin with +1 too
        ("+19005550199", Why.COSTLY), ("sip:+19005550199@carrier", Why.COSTLY), ("+447012345678", Why.COSTLY),
        ("+881612345678", Why.COSTLY), ("+870776123456", Why.COSTLY), ("+88216123456", Why.COSTLY),
        ("+979123456789", Why.COSTLY), ("+33890123456", Why.COSTLY), ("+449090123456", Why.COSTLY),
        ("+1911", Why.FORM), ("911", Why.FORM), ("112", Why.FORM), ("+44999", Why.FORM), ("sip:911@pbx", Why.NEVER),
        ("sip:9911@pbx", Why.NEVER), ("sip:112@carrier", Why.NEVER),
        ("+15105550", Why.UNLISTED), ("+151055501110", Why.UNLISTED), ("+4487094601", Why.NO_NUMBER),
        ("15105550111", Why.FORM), ("0015105550111", Why.FORM), ("+0015105550111", Why.FORM), ("*6715105550111", Why.FORM),
        ("+1 510 555 0111", Why.FORM), ("+1-510-555-0111", Why.FORM), ("+15105550111 ", Why.FORM),
        ("+15105550111\n", Why.FORM), ("+15105550111\r\nRefer-To: <tel:+19005550199>", Why.FORM),
        ("+15105550111;npdi", Why.FORM), ("+15105550111,19005550199", Why.FORM), ("+15105550111w1", Why.FORM),
        ("+15105550111#", Why.FORM), ("tel:+15105550111", Why.FORM), ("sip:+15105550111", Why.FORM),
        ("+1\u0665\u0661\u06605550111", Why.FORM), ("\uff0b15105550111", Why.FORM), ("+1510555011\u0661", Why.FORM),
        ("+15105550111\u200b", Why.FORM), ("\u202e+15105550111", Why.FORM), ("+1510555O111", Why.FORM),
        ("sip:ben@pbx;transport=tcp", Why.FORM), ("sip:ben@pbx?Replaces=x", Why.FORM), ("sip:ben%40evil@pbx", Why.FORM),
        ("sip:ben:secret@pbx", Why.FORM), ("sip:ben;x@pbx", Why.FORM), ("sip:ben@pbx@evil", Why.FORM),
        ("sip:ben@pbx:5060", Why.FORM), ("sip:ben@203.0.113.1", Why.UNLISTED), ("sip:ben@[2001:db8::1]", Why.FORM),
        ("<sip:ben@pbx>", Why.FORM), ("SIP:ben@pbx", Why.FORM), ("sip:b\u0435n@pbx", Why.FORM), ("sip:@pbx", Why.FORM),
        ("sip:ben@", Why.FORM), ("ben", Why.FORM), ("", Why.FORM), ("+" + "1" * 200, Why.FORM), ("sip:" + "a" * 99 + "@pbx", Why.FORM),
        ("javascript:alert(1)", Why.FORM), ("https://evil.example/", Why.FORM), ("urn:service:sos", Why.FORM),
    ],
)  # fmt: skip
def test_who_is_refused(address: str, expected: Why) -> None:
    assert why(address) is expected
    assert why(address, STRICT) != "passed"


def test_the_case_of_a_trunks_name_tells_nothing() -> None:
    assert why("sip:ben@PBX") == "passed"


def test_what_is_costly_is_let_out_by_its_own_beginning_alone() -> None:
    number = "+448709460111"
    assert is_costly(number)
    assert why(number, STRICT) is Why.COSTLY
    assert why(number, RULES) == "passed"
    assert (
        why(number, Rules(Outbound(frozenset({"GB"}), ("+44", "+448709460111")), frozenset({number}), "GB"))
        is Why.COSTLY
    )


def test_a_named_number_that_is_costly_needs_it_too() -> None:
    for number in ("+19005550199", "sip:0019005550199@pbx", "sip:19005550199@pbx", "sip:9005550199@pbx"):
        assert why(number, Rules(Outbound(), frozenset({number}), "US")) is Why.COSTLY
        assert why(number, Rules(Outbound(costly=("+1900",)), frozenset({number}), "US")) == "passed"


def test_every_range_of_every_country_that_costs_more_is_refused() -> None:
    """What phonenumbers gives as an example of each kind, in each region, though all countries are allowed."""
    everywhere = Rules(Outbound(frozenset(phonenumbers.SUPPORTED_REGIONS)), country="US")
    costly = (PhoneNumberType.PREMIUM_RATE, PhoneNumberType.SHARED_COST, PhoneNumberType.PERSONAL_NUMBER,
              PhoneNumberType.PAGER, PhoneNumberType.UAN, PhoneNumberType.VOICEMAIL)  # fmt: skip
    looked_at = 0
    for region in phonenumbers.SUPPORTED_REGIONS:
        for kind in costly:
            example = phonenumbers.example_number_for_type(region, kind)
            if example is None or phonenumbers.number_type(example) not in costly:
                continue  # the one that is given counts as something else
            number = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
            assert why(number, everywhere) in (Why.COSTLY, Why.FORM, Why.NEVER), (number, region, TYPES[kind])
            looked_at += 1
    for code in phonenumbers.COUNTRY_CODES_FOR_NON_GEO_REGIONS:
        example = phonenumbers.example_number_for_non_geo_entity(code)
        assert example is not None
        assert why(phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164), everywhere) is Why.COSTLY
    assert looked_at > 300


@pytest.mark.parametrize(
    ("country", "dear", "plain"),
    [
        ("US", "+12129765555", "+12129755555"), ("US", "+12125551212", "+12125551213"), ("US", "+121255512120", "+18005551212"),
        ("CA", "+16002012345", "+16042012345"), ("CA", "+14169765555", "+14169755555"),
        ("AU", "+61147101234", "+61412345678"), ("AU", "+61145123456", "+61291234567"),
    ],
)  # fmt: skip
def test_what_costs_more_and_looks_like_any_number_is_refused(country: str, dear: str, plain: str) -> None:
    """Pay-per-call exchanges, directory assistance, satellites: of types that phonenumbers gives plain numbers."""
    allowed = Outbound(frozenset({country}))
    assert why(dear, Rules(allowed, country=country)) is Why.COSTLY
    assert why(dear, Rules(allowed, frozenset({dear}), country)) is Why.COSTLY, "though the plan names it"
    assert why(dear, Rules(Outbound(costly=(dear,)), frozenset({dear}), country)) == "passed"
    assert why(plain, Rules(allowed, country=country)) == "passed"


@pytest.mark.parametrize("more", ["", "0", "123", "9999"])
def test_a_digit_too_many_makes_nothing_cheap(more: str) -> None:
    number = f"+1900555019{more}"
    assert why(number, Rules(Outbound(), frozenset({number}), "US")) is Why.COSTLY


def test_the_longest_beginning_tells_the_price() -> None:
    def price(address: str) -> float:
        judged = judge(address, RULES)
        assert isinstance(judged, Passed)
        return judged.price

    assert [price(one) for one in ("+12125550123", "+15105550111", "+493012345678", "sip:ben@pbx")] == [
        0.01,
        0.02,
        0.5,
        0,
    ]


def test_rules_are_read_as_they_were_written() -> None:
    for rules in (RULES, STRICT, Rules()):
        assert read(written(rules)) == rules


@given(st.text(max_size=150))
def test_only_one_way_to_write_an_address_is_read(text: str) -> None:
    if (address := parse(text)) is not None:
        assert parse(str(address)) == address
        assert text.isascii()
        assert not set(text) & set(" \t\r\n;,%<>\"'?&=*#()[]/\\")


TRICKS = st.sampled_from(
    [" ", "-", ".", "(", ")", ";", "%2B", "%", "\r\n", "\n", "\t", "\x00", "@", "<", ">", "#", "*", ",", "w", "/", "?", "&",
     "+", "tel:", "sip:", "\u0660", "\uff11", "\u200b", "\u202e", "\u0430", "x", "ext", "e", "o", "0", "00", "011", "*67"]
)  # fmt: skip


@given(st.sampled_from(NAMED), st.integers(0, 30), TRICKS)
def test_a_trick_in_a_named_address_makes_another_one(address: str, at: int, trick: str) -> None:
    tricked = address[:at] + trick + address[at:]
    judged = judge(tricked, STRICT)
    assert isinstance(judged, Refusal) or str(judged.address) in NAMED


@given(st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True))
def test_no_number_is_let_out_by_rules_that_allow_none(number: str) -> None:
    judged = judge(number, Rules(country="US"))
    assert isinstance(judged, Refusal)


@given(st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True), st.sampled_from(["US", "DE", "GB", "FR"]))
def test_who_is_let_out_is_somebodys_of_that_country_and_no_dearer(number: str, country: str) -> None:
    judged = judge(number, Rules(Outbound(frozenset({country})), country=country))
    if isinstance(judged, Passed):
        parsed = phonenumbers.parse(number)
        assert phonenumbers.is_valid_number(parsed)
        assert phonenumbers.region_code_for_number(parsed) == country
        assert not is_costly(number)
        assert judged.address == Address(number)
