from __future__ import annotations

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.terms.emergency import EVERYWHERE, callable_number, never_dialed
from gateway.terms.personal import Number

NEVER = [
    *("911", "112", "999", "000", "988", "110", "118", "119", "211", "311", "411", "511", "611", "711", "811"),
    *("+1911", "+1 911", "+1-988", "1911", "9911", "9-911", "0112", "tel:911", "+44999", "+49112", "+49 110"),
    *("sip:911@carrier", "sip:112@pbx", "sips:999@pbx", "sip:+1911@carrier", "sip:9911@pbx", " 9 1 1 "),
    *("116117", "12345", "22000"),
    *("sip:%39%31%31@t", "sip:911%20@t", "sip:9,911@t", "sip:*911@t", "sip:911#@t", "sip:%2B1911@t", "sip:9%2C911@t"),
    *(
        "sip:911%3Bx=y@t",
        "sip:911:secret@t",
        "sip:911%40t@t",
        "sip:0,112@t",
        "sip:911,,1@t",
        "sip:+1.911@t",
        "sip:+911@t",
    ),
    *("*67911", "sip:*67911@t", "sip:*67 911@t", "sip:*82-911@t", "sip:#31#112@t", "sip:*31#911@t", "sip:*67*82911@t"),
    *("sip:**67911@t", "sip:*671911@t", "sip:141999@t", "sip:1832112@t", "sip:9*67911@t"),
    *("sip:9-1-911@t", "sip:91911@t", "sip:01911@t", "sip:900112@t", "sip:sip:911@t", "sip:tel:911@t", "tel:sip:911"),
    *("+49 (0)110", "+49 0110", "sip:+44(0)999@t"),
    *("*911", "911#", "9,911", "\uff19\uff11\uff11", "sip:\u0669\u0661\u0661@t", "sip:%EF%BC%99%EF%BC%91%EF%BC%91@t"),
]
FINE = [
    *("+15105550100", "(510) 555-0100", "+442071838750", "+4930123456", "+498912345678", "sip:ana@pbx", "sip:200@pbx"),
    *("sip:+15105550100@carrier", "+19115550100", "+15109110100", "0041446681800", "echo", "sip:demo911@pbx", ""),
    *("sip:90100@pbx", "sip:91000@pbx", "sip:9015@pbx", "sip:*7@pbx", "sip:*72510@pbx", "sip:8911@pbx"),
    *("sip:%61na@pbx", "sip:2%300@pbx", "sip:*72@pbx", "sip:15105550100%23@pbx", "#", "sip:@pbx", "+", "sip:%ff@pbx"),
]


@pytest.mark.parametrize("number", NEVER)
def test_is_never_dialed(number: str) -> None:
    assert never_dialed(number, "US")


@pytest.mark.parametrize("number", FINE)
def test_may_be_dialed(number: str) -> None:
    assert not never_dialed(number, "US")


@pytest.mark.parametrize(
    ("country", "number"), [("AU", "000"), ("JP", "119"), ("DE", "110"), ("BR", "190"), ("GB", "999")]
)
def test_a_countrys_own_are_never_dialed_behind_a_trunk_by_sip_either(country: str, number: str) -> None:
    assert never_dialed(f"sip:{number}@pbx", country)
    assert never_dialed(number, country)


@pytest.mark.parametrize(
    ("number", "can"),
    [
        *(("+15105550100", True), ("+442071838750", True), ("+4930123456", True), ("+49891234", True)),
        *(("+15550123", False), ("+1911", False), ("+49110", False), ("200", False), ("demo", False), ("", False)),
    ],
)
def test_who_can_be_called_back(number: str, can: bool) -> None:
    assert callable_number(Number(number)) is can
    assert not callable_number(None)


@given(st.sampled_from(sorted(EVERYWHERE)), st.sampled_from(["", "9", "0", "+1", "+44", "+49", "+81"]))
def test_however_an_emergency_number_is_written(number: str, before: str) -> None:
    spaced = " ".join(number)
    assert never_dialed(before + number, "US")
    assert never_dialed(before + " " + spaced, "US")


@given(
    st.sampled_from(["112", "911", "999", "000", "110"]),
    st.sampled_from(["", "9", "0", "+1", "+49"]),
    st.lists(
        st.sampled_from(["", " ", "-", ",", "*", "#", "%20", ".", "(", ")", "%2C", "~", "!", "&", "="]), min_size=4
    ),
    st.booleans(),
)
def test_nothing_hides_an_emergency_number_in_a_sip_user(
    number: str, before: str, between: list[str], escaped: bool
) -> None:
    digits = [f"%{ord(digit):02x}" if escaped else digit for digit in number]
    user = before + "".join(one + after for one, after in zip(["", *digits], between, strict=False))
    assert never_dialed(f"sip:{user}@t", "US")


@given(st.text(max_size=12), st.sampled_from(["", "sip:", "tel:+"]))
def test_whatever_is_written_can_be_judged(text: str, before: str) -> None:
    assert never_dialed(before + text, "US") in (True, False)


@given(st.sampled_from(sorted(phonenumbers.SUPPORTED_REGIONS)))
def test_everybodys_numbers_may_be_dialed(region: str) -> None:
    kinds = (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE)
    for example in (phonenumbers.example_number_for_type(region, kind) for kind in kinds):
        if example is not None:
            e164 = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
            assert not never_dialed(e164, region), e164
