from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import OffhookError, Refused, SetupFault
from gateway.terms.personal import Number
from gateway.trunks.choose import CallerId, OutboundTrunk, Way, choose

OWN, OTHER, CALLER, CALLEE = "+15105550100", "+15105550200", "+15105550123", "+442071838750"
CARRIER = OutboundTrunk("ST_1", "carrier", "sip.carrier.example", (OWN, OTHER), default=True)
PBX = OutboundTrunk("ST_2", "PBX", "10.0.0.2:5061", (OWN,))
ALL = (PBX, CARRIER)


def way(
    address: str = CALLEE, *trunks: OutboundTrunk, dialed: str = OTHER, caller: str | None = CALLER, default: str = ""
) -> Way:
    return choose(
        address, trunks or ALL, dialed=Number(dialed), caller=Number(caller) if caller else None, default=default
    )  # fmt: skip


def test_a_number_takes_the_default_trunk() -> None:
    assert (way().trunk, way().to.reveal()) == (CARRIER, CALLEE)
    assert way(CALLEE, PBX).trunk is PBX, "the only one is the default"


def test_a_sip_address_takes_the_trunk_that_it_names() -> None:
    found = way("sip:200@pbx")
    assert (found.trunk, found.to.reveal()) == (PBX, "200")


@pytest.mark.parametrize("default", ["ST_2", "PBX"])
def test_the_environment_names_another_default(default: str) -> None:
    assert way(default=default).trunk is PBX


@pytest.mark.parametrize(
    ("address", "trunks", "default", "what"),
    [
        ("sip:ana@nowhere", ALL, "", "there are: PBX, carrier"),
        (CALLEE, (), "", "No outbound trunk is the default"),
        (CALLEE, (PBX, replace(CARRIER, default=False)), "", "No outbound trunk is the default"),
        (CALLEE, ALL, "ST_9", "LIVEKIT_SIP_OUTBOUND_TRUNK"),
    ],
)
def test_no_trunk_fits(address: str, trunks: tuple[OutboundTrunk, ...], default: str, what: str) -> None:
    with pytest.raises(SetupFault, match=what):
        choose(address, trunks, dialed=Number(OWN), caller=None, default=default)


@pytest.mark.parametrize(
    ("countries", "prefixes", "fine"),
    [((), (), True), (("GB",), (), True), (("US",), (), False), ((), ("+4420",), True), (("US",), ("+4",), True), ((), ("+1",), False)],
)  # fmt: skip
def test_only_the_countries_and_prefixes_that_a_trunk_may_call(
    countries: tuple[str, ...], prefixes: tuple[str, ...], fine: bool
) -> None:
    trunk = replace(CARRIER, countries=frozenset(countries), prefixes=prefixes)
    if fine:
        assert way(CALLEE, trunk).trunk is trunk
    else:
        with pytest.raises(Refused, match="countries"):
            way(CALLEE, trunk)
        with pytest.raises(Refused):
            way(f"sip:{CALLEE}@carrier", trunk)


@pytest.mark.parametrize(
    ("user", "fine"),
    [
        ("15105550100", True), ("5105550100", True), ("0015105550100", True), ("01115105550100", True),
        ("+1%20510-555-0100", True), ("200", True), ("ana", True), ("ana-2025550100", True), ("%61na", True),
        ("4919001234567", False), ("004919001234567", False), ("0114919001234567", False), ("442071838750", False),
        ("%2B4919001234567", False), ("%34919001234567", False), ("49-190-0123.4567", False), ("+49,19001234567", False),
        ("4919001234567;x=y", False), ("9011442071838750", False), ("1234567", False), ("+49abc19001234567", False),
        ("\u0664\u0669\u0661\u0669\u0660\u0660\u0661\u0662\u0663\u0664\u0665\u0666\u0667", False),
    ],
)  # fmt: skip
def test_a_sip_user_of_digits_gets_no_further_than_the_trunks_rule(user: str, fine: bool) -> None:
    for trunk in (replace(PBX, countries=frozenset({"US"})), replace(PBX, prefixes=("+1510",))):
        if fine:
            assert way(f"sip:{user}@pbx", trunk).to.reveal() == user
        else:
            with pytest.raises(Refused, match="countries"):
                way(f"sip:{user}@pbx", trunk)
    assert way(f"sip:{user}@pbx", PBX).trunk is PBX, "it has no rule"


def test_a_sip_user_is_read_in_the_trunks_own_country() -> None:
    trunk = replace(PBX, numbers=("+442071838750",), countries=frozenset({"GB"}))
    assert way("sip:02071838751@pbx", trunk).trunk is trunk
    with pytest.raises(Refused):
        way("sip:0014155550100@pbx", trunk)


@pytest.mark.parametrize(
    ("rule", "dialed", "caller", "shown", "headers"),
    [
        (CallerId.OWN, OTHER, CALLER, OWN, {}),
        (CallerId.DIALED, OTHER, CALLER, OTHER, {}),
        (CallerId.DIALED, "+15105559999", CALLER, OWN, {}),
        (CallerId.PASSTHROUGH, OTHER, CALLER, CALLER, {"Diversion": f"<sip:{OTHER}@sip.carrier.example>;reason=unconditional"}),
        (CallerId.PASSTHROUGH, OTHER, None, OWN, {"Diversion": f"<sip:{OTHER}@sip.carrier.example>;reason=unconditional", "Privacy": "id"}),
        (CallerId.PASSTHROUGH, OTHER, "ada", OWN, {"Diversion": f"<sip:{OTHER}@sip.carrier.example>;reason=unconditional"}),
    ],
)  # fmt: skip
def test_whose_number_is_seen(
    rule: CallerId, dialed: str, caller: str | None, shown: str, headers: dict[str, str]
) -> None:
    found = way(CALLEE, replace(CARRIER, caller_id=rule), dialed=dialed, caller=caller)
    assert (found.shown.reveal(), dict(found.headers)) == (shown, headers)


@given(st.text(max_size=20), st.sampled_from(CallerId), st.none() | st.text(max_size=20))
def test_whatever_was_dialed_breaks_no_header(dialed: str, rule: CallerId, caller: str | None) -> None:
    try:
        found = way(CALLEE, replace(CARRIER, caller_id=rule), dialed=dialed, caller=caller)
    except OffhookError:
        return
    assert all(value.isprintable() and value.count("<") <= 1 for value in found.headers.values())
    assert found.shown.reveal() in (OWN, dialed) or rule is CallerId.PASSTHROUGH
