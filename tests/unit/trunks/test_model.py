"""The trunk file tells every mistake with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.errors import SetupFault
from gateway.terms.tones import ON, TONES
from gateway.trunks import choose, outbound
from gateway.trunks.livekit import desired_rule, desired_trunk, differs
from gateway.trunks.model import parse, read

EXAMPLE = Path("sip-trunk.example.yaml")


def test_the_example_is_right() -> None:
    part = parse(EXAMPLE.read_text(), EXAMPLE.name).livekit
    assert part.inbound_trunk.numbers == []
    assert part.inbound_trunk.max_call_duration == 7200
    rule = desired_rule(part, "ST_1")
    assert rule.rule.dispatch_rule_callee.randomize
    assert not rule.rule.HasField("dispatch_rule_individual")
    trunk = desired_trunk(part)
    assert not differs(trunk, desired_trunk(part))
    encrypted = parse(EXAMPLE.read_text().replace("n: disable", "n: require"), EXAMPLE.name).livekit
    assert differs(trunk, desired_trunk(encrypted))
    assert differs(desired_trunk(encrypted), trunk)
    changed = desired_trunk(part)
    changed.numbers.append("+15105550100")
    assert differs(trunk, changed)
    assert differs(changed, trunk)


def test_tones_are_listened_for_only_where_the_file_says_so() -> None:
    text = EXAMPLE.read_text()
    silent = parse(text, "trunk.yaml").livekit
    heard = parse(text.replace("tones: false", "tones: true", 1), "trunk.yaml").livekit
    assert (dict(desired_rule(silent, "ST_1").attributes), dict(desired_rule(heard, "ST_1").attributes)) == (
        {},
        {TONES: ON},
    )
    assert differs(desired_rule(silent, "ST_1"), desired_rule(heard, "ST_1"))
    assert differs(desired_rule(heard, "ST_1"), desired_rule(silent, "ST_1"))


DIVERSIONS = {"Diversion", "History-Info"}
VERDICTS = DIVERSIONS | {"P-Asserted-Identity", "From", "Attestation-Info", "P-Attestation-Indicator"}


@pytest.mark.parametrize(
    ("said", "headers", "carriers"),
    [("none", DIVERSIONS, False), ("verdict", VERDICTS, True), ("passport", VERDICTS | {"Identity"}, True)],
)
def test_only_what_a_trunk_is_believed_reaches_the_plan(said: str, headers: set[str], carriers: bool) -> None:
    text = EXAMPLE.read_text().replace("attestation: verdict", f"attestation: {said}")
    trunk = desired_trunk(parse(text, "trunk.yaml").livekit)
    assert set(trunk.headers_to_attributes) == headers
    assert set(trunk.headers_to_attributes.values()) == {f"sip.h.{name.lower()}" for name in headers}
    assert bool(trunk.include_headers) is carriers


OPEN = (
    EXAMPLE.read_text().replace("      - 127.0.0.0/8", "      []").replace("numbers: []", 'numbers: ["+15105550100"]')
)


def test_a_trunk_that_anybody_may_send_calls_to_is_believed_nothing() -> None:
    silent = OPEN.replace("    attestation: verdict", "    # nothing said", 1)
    trunk = desired_trunk(parse(silent, "trunk.yaml").livekit)
    assert (set(trunk.headers_to_attributes), trunk.include_headers) == (DIVERSIONS, 0)
    everywhere = silent.replace("      []", "      - 0.0.0.1/0", 1)
    assert set(desired_trunk(parse(everywhere, "trunk.yaml").livekit).headers_to_attributes) == DIVERSIONS
    signed = silent.replace('auth_username: ""', 'auth_username: "carrier"', 1)
    assert set(desired_trunk(parse(signed, "trunk.yaml").livekit).headers_to_attributes) == VERDICTS


@pytest.mark.parametrize("said", ["verdict", "passport"])
def test_to_believe_anybody_is_a_mistake(said: str) -> None:
    with pytest.raises(SetupFault, match="trunk.yaml:16: anybody may send calls"):
        parse(OPEN.replace("attestation: verdict", f"attestation: {said}", 1), "trunk.yaml")
    assert parse(OPEN.replace("attestation: verdict", "attestation: none", 1), "trunk.yaml")


@pytest.mark.parametrize(
    ("before", "after", "line", "words"),
    [
        ("numbers: []", "numbers: ['5105550100']", 10, "international form"),
        ("- 127.0.0.0/8", "- 127.0.0.0/99", 12, "write an address"),
        ("60s", "soon", 22, "60s, 5m or 2h"),
        ("room_prefix: call-", "room_prefix: sales-", 27, "must start with 'call-'"),
        ("media_encryption: disable", "media_encryption: sdes", 15, "'disable', 'allow' or 'require'"),
        ("attestation: verdict", "attestation: yes", 16, "'none', 'verdict' or 'passport'"),
        ("auth_username", "auth_user", 13, "is not known here; did you mean 'auth_username'?"),
        ("dispatch_rule:", "dispatch:", 5, "livekit.dispatch_rule: is missing"),
        ("numbers: []", "numbers: [+15105550100]", 10, "must be text: put quotes around it"),
        ("numbers: []", "numbers: '+15105550100'", 10, "must be a list: [a, b]"),
        ("inbound_trunk:", "inbound_trunk: offhook\n  x:", 8, "must be 'key: value' lines"),
        ("livekit:", "livekit: [", 10, "isn't YAML"),
    ],
)
def test_a_mistake_is_told_with_its_line(before: str, after: str, line: int, words: str) -> None:
    text = EXAMPLE.read_text()
    assert before in text
    with pytest.raises(SetupFault) as caught:
        parse(text.replace(before, after, 1), "trunk.yaml")
    assert words in str(caught.value)
    if "YAML" not in words:
        assert f"trunk.yaml:{line}:" in str(caught.value)


def test_a_trunk_open_to_everybody_is_refused() -> None:
    text = EXAMPLE.read_text().replace("      - 127.0.0.0/8", "      []")
    with pytest.raises(SetupFault, match="from everywhere"):
        parse(text, "trunk.yaml")


def test_a_file_that_is_no_text_or_not_there_is_told(tmp_path: Path) -> None:
    file = tmp_path / "trunks.yaml"
    with pytest.raises(SetupFault, match="can't be read: No such file or directory. Correct --trunks."):
        read(file)
    file.write_bytes(EXAMPLE.read_text().replace("offhook-inbound", "b\u00fcro").encode("latin-1"))
    with pytest.raises(SetupFault, match="isn't UTF-8 text. Save it anew, as UTF-8."):
        read(file)
    file.write_text(EXAMPLE.read_text())
    assert read(file).livekit.inbound_trunk.name == "offhook-inbound"


def test_an_empty_file_is_told() -> None:
    with pytest.raises(SetupFault, match="livekit"):
        parse("", "trunk.yaml")


OUTBOUND = """
  outbound_trunks:
    - {name: carrier, address: sip.carrier.example, transport: tls, numbers: ["+15105550100", "+15105550200"],
       caller_id: dialed, calls_per_second: 1, countries: [us], prefixes: ["+4420"], default: true, auth_password: hush}
    - {name: pbx, address: "10.0.0.2:5061", numbers: ["+15105550100"]}
"""


def written(outbound: str = OUTBOUND) -> str:
    return EXAMPLE.read_text().partition("  outbound_trunks:")[0].rstrip().rpartition("\n\n")[0] + outbound


def test_a_job_reads_off_livekits_trunk_what_the_file_says() -> None:
    carrier, pbx = map(outbound.desired, parse(written(), "trunk.yaml").livekit.outbound_trunks)
    assert carrier.auth_password == "hush"
    assert "hush" not in carrier.metadata
    carrier.sip_trunk_id = "ST_1"
    assert outbound.known(carrier) == choose.OutboundTrunk(
        "ST_1", "carrier", "sip.carrier.example", ("+15105550100", "+15105550200"),
        choose.CallerId.DIALED, 1.0, frozenset({"US"}), ("+4420",), default=True,
    )  # fmt: skip
    assert outbound.known(pbx) == choose.OutboundTrunk("", "pbx", "10.0.0.2:5061", ("+15105550100",))
    assert outbound.ours(carrier)
    wide = outbound.desired(
        parse(
            written(OUTBOUND.replace("name: pbx,", "name: pbx, tones: true, wideband: true,")), "t"
        ).livekit.outbound_trunks[1]
    )
    assert (outbound.known(wide).tones, outbound.known(wide).wideband) == (True, True)


@pytest.mark.parametrize(
    "metadata", ["", "mine", "[1]", '{"caller_id": "dialed", "default": true}', '{"made by": "me"}']
)
def test_somebody_elses_trunk_is_known_as_such(metadata: str) -> None:
    (info, _) = map(outbound.desired, parse(written(), "trunk.yaml").livekit.outbound_trunks)
    info.metadata = metadata
    assert not outbound.ours(info)
    assert not outbound.known(info).default


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("name: pbx", "name: Carrier", "two outbound trunks are named"),
        ("name: pbx", "default: true, name: pbx", "'carrier' is the default already"),
        ("name: pbx", "name: my pbx", "sip:USER@NAME needs it"),
        ('numbers: ["+15105550100"]}', "numbers: []}", "at least 1 item"),
        ("10.0.0.2:5061", "sip:10.0.0.2", "without sip: and parameters"),
        ("[us]", "[usa]", "a country's code of two letters"),
        ('"+4420"', '"44"', "how numbers begin"),
        ("dialed", "theirs", "'own', 'dialed' or 'passthrough'"),
        ("tls", "sctp", "'udp', 'tcp' or 'tls'"),
    ],
)
def test_a_mistake_in_an_outbound_trunk_is_told_with_its_line(before: str, after: str, words: str) -> None:
    text = written(OUTBOUND.replace(before, after, 1))
    with pytest.raises(SetupFault) as caught:
        parse(text, "trunk.yaml")
    assert words in str(caught.value)
    line = next(number for number, line in enumerate(text.splitlines(), 1) if after in line)
    assert f"trunk.yaml:{line}:" in str(caught.value)
