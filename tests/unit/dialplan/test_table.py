"""Tests of numbers by the file."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.dialplan.table import Table, read

ROUTES = ["sales", "support"]
MANY = b"number,route\n" + b"".join(b"+1510555%04d,%s\n" % (n, ROUTES[n % 2].encode()) for n in range(60))


def table(data: bytes, country: str = "US") -> Table:
    made, _, findings = read(data, "numbers.csv", country, ROUTES)
    assert [str(finding) for finding in findings] == []
    return made


@pytest.mark.parametrize(
    "line",
    [
        "+15105550100,sales",
        "5105550100,sales",
        "15105550100,sales",
        "(510) 555-0100,sales",
        "+1 510-555-0100;sales",
        "510.555.0100\tsales",
        '"+1 510 555 0100","sales"',
        " +15105550100 , sales ",
        "+15105550100,sales,,",
        "number,route\r\n+15105550100,sales\r\n",
        "\ufeffNumber,Route\n# of Acme\n\n+15105550100,sales",
    ],
)
def test_a_line_in_any_form_is_a_number_and_its_route(line: str) -> None:
    found = table(line.encode()).find("+15105550100")
    assert found
    assert found[0] == "sales"
    assert len(table(line.encode())) == 1


def test_national_forms_are_read_by_the_country() -> None:
    assert table(b"020 7946 0018,sales", "GB").find("+442079460018")


def test_lines_that_are_no_plain_numbers_are_patterns_of_the_plan() -> None:
    _, entries, findings = read(b"+1 510 555 03xx,sales\nsip:demo,support\n+44 20*,sales\n", "n.csv", "US", ROUTES)
    assert not findings
    assert [(entry.pattern.text, entry.route, entry.place.line) for entry in entries] == [
        ("+151055503xx", "sales", 1),
        ("demo", "support", 2),
        ("+4420", "sales", 3),
    ]


def test_what_is_wrong_is_told_with_its_line() -> None:
    data = b"+15105550100,sals\nbanana,sales\n+15105550101\n+15105550102,sales\n\xff,sales\n(510) 555-0102,support\n"
    _, _, findings = read(data, "numbers.csv", "US", ROUTES)
    told = {finding.place.line: f"{finding.what} {finding.remedy}" for finding in findings}
    assert "Did you mean 'sales'?" in told[1]
    assert "'banana' is no number" in told[2]
    assert "1 column; it must have 2" in told[3]
    assert "isn't UTF-8" in told[5]
    assert "has a line already, line 4" in told[6]
    assert sorted(told) == [1, 2, 3, 5, 6]


def test_a_thousand_mistakes_are_counted_not_listed() -> None:
    _, _, findings = read(b"banana,sales\n" * 1000, "numbers.csv", "US", ROUTES)
    assert len(findings) == 21, "the first line may be a head"
    assert "979 findings more" in findings[-1].what


def test_an_empty_file_is_told() -> None:
    assert "no numbers" in read(b"number,route\n", "numbers.csv", "US", ROUTES)[2][0].what


def test_the_same_file_is_taken_over() -> None:
    before = table(MANY)
    assert read(MANY, "numbers.csv", "US", ROUTES, before)[0] is before
    assert read(MANY, "numbers.csv", "US", ["sales"], before)[2], "a route that is gone is told all the same"


@settings(max_examples=400, deadline=None)
@given(
    st.integers(0, len(MANY)),
    st.integers(0, 60),
    st.sampled_from([b"", b"\n", b"+15105559999,sales\n", b"x", b"+1 510 555 7xxx,sales\n", b"# a remark\n", b"\r\n"]),
)
def test_an_edit_reads_as_the_whole_file_would(at: int, cut: int, put: bytes) -> None:
    edited = MANY[:at] + put + MANY[at + cut :]
    again = read(edited, "numbers.csv", "US", ROUTES, table(MANY))
    whole = read(edited, "numbers.csv", "US", ROUTES)
    assert sorted(map(str, again[2])) == sorted(map(str, whole[2]))
    if not whole[2]:
        assert list(again[0].items()) == list(whole[0].items())
        assert [again[0].find(number) for number, _ in whole[0].items()] == [
            whole[0].find(number) for number, _ in whole[0].items()
        ]
        assert sorted(map(str, again[1])) == sorted(map(str, whole[1]))


CELLS = st.text(alphabet="+0123456789 ()-.,;\t\"'#xX*sip:demo\n\r\0é", max_size=30)


@settings(max_examples=400, deadline=None)
@given(
    st.one_of(st.binary(max_size=200), st.lists(CELLS, max_size=8).map(lambda lines: ",sales\n".join(lines).encode()))
)
def test_any_bytes_are_read_or_told_off(data: bytes) -> None:
    made, entries, findings = read(data, "numbers.csv", "US", ROUTES)
    assert len(made) or entries or findings
    assert all(made.find(number) == (route, (made.find(number) or ("", None))[1]) for number, route in made.items())


def test_random_numbers_are_found_and_others_are_not() -> None:
    some = random.Random(1).sample(range(2_000_000_000, 9_999_999_999), 20_000)
    made = table(b"".join(b"+1%d,%s\n" % (n, ROUTES[n % 2].encode()) for n in some[:10_000]))
    assert all((made.find(f"+1{n}") or ("",))[0] == ROUTES[n % 2] for n in some[:10_000])
    assert not any(made.find(f"+1{n}") for n in some[10_000:])
    assert made.find("demo") is None
    assert made.find("+" + "9" * 40) is None
