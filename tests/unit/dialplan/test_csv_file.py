"""Tests of numbers by the file."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.dialplan import csv_file as module
from gateway.dialplan import numbers
from gateway.dialplan.csv_file import read
from gateway.dialplan.table import Table

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


@pytest.mark.parametrize("line", ["1.51055E+10,sales", "1,51055E+10;sales", '"1.51055e+10";sales'])
def test_numbers_that_a_spreadsheet_has_cut_short_are_told_with_what_to_do(line: str) -> None:
    table, entries, findings = read(f"number;route\n{line}\n".encode(), "numbers.csv", "US", ROUTES)
    assert [one.place.line for one in findings] == [2]
    assert "is what a spreadsheet makes of a long number. Make the column Text there" in str(findings[0])
    assert not entries
    assert not len(table.numbers)


def test_a_quote_that_is_not_closed_is_told_as_that() -> None:
    findings = read(b'"+15105550100,sales\n+15105550101,sales\n', "numbers.csv", "US", ROUTES)[2]
    assert [(one.place.line, one.what) for one in findings] == [(1, "A quotation mark isn't closed.")]


def test_a_thousand_mistakes_are_counted_not_listed() -> None:
    _, _, findings = read(b"banana,sales\n" * 1000, "numbers.csv", "US", ROUTES)
    assert len(findings) == 21
    assert "980 findings more" in findings[-1].what, "a first line that leads to a route is no head"


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


@pytest.mark.parametrize(
    "key", ["+²²²²²²²²²²²", "+١٥١٠٥٥٥٠١٠٠", "+0015105550100", "+", "15105550100", "+" + "1" * 5000]
)
def test_keys_that_are_no_numbers_find_nothing(key: str) -> None:
    assert table(b"+15105550100,sales").find(key) is None


@pytest.mark.parametrize("first", ["otherwise,sales", "sip:demo,sales", "+1510555*,sales"])
def test_a_first_line_that_means_something_is_no_head(first: str) -> None:
    _, entries, findings = read(f"{first}\n+15105550100,sales\n".encode(), "numbers.csv", "US", ROUTES)
    assert [entry.written for entry in entries] == [first.split(",")[0]]
    assert not findings


def test_titles_further_down_are_told() -> None:
    _, _, findings = read(b"+15105550100,sales\nbanana,colour\n", "numbers.csv", "US", ROUTES)
    assert [finding.place.line for finding in findings] == [2]


def test_a_remark_may_follow_the_route() -> None:
    assert (table(b'"+15105550100",sales # the main line').find("+15105550100") or ("",))[0] == "sales"


WRITTEN = st.one_of(
    st.sampled_from(["+44 (0)20 7946 0018", "+4930123456..78", "00442079460018", "0112345678", "+999123456789",
                     "+442079", "5105550100-0199", "41055-50100", "+1 51 0555-9100", "+39 06 1234 5678", "8 495 123 45 67",
                     "+5491123456789", "+5215512345678", "442079460018", "1-510-555-0100", "020-7946-0018"]),
    st.text("0123456789", min_size=5, max_size=15).flatmap(
        lambda digits: st.sampled_from([digits, f"+{digits}", f"0{digits}", f"+44{digits}", f"+1 {digits[:3]}-{digits[3:]}",
                                        f"({digits[:3]}) {digits[3:6]}-{digits[6:]}", f"+49 {digits[:4]}..{digits[4:]}"])
    ),
)  # fmt: skip


@settings(max_examples=600, deadline=None)
@given(WRITTEN, st.sampled_from(["US", "GB", "DE", "IT", "RU", "AR", "JE", "AU", ""]))
def test_a_number_means_what_it_means_in_the_plan(written: str, country: str) -> None:
    made, entries, findings = read(written.encode(), "numbers.csv", country, None)
    try:
        pattern = numbers.read(written, country)
    except ValueError:
        assert findings
        return
    assert not findings
    if entries:
        assert [entry.pattern for entry in entries] == [pattern]
    else:
        assert [number for number, _ in made.items()] == [pattern.text]
        assert not pattern.low


def test_another_country_reads_the_same_file_anew() -> None:
    data = b"2079460018,sales\n"
    before = table(data, "GB")
    assert read(data, "numbers.csv", "US", ROUTES, before)[0].find("+12079460018")
    assert read(data, "numbers.csv", "US", ROUTES, before)[0] != before


def test_what_is_wrong_is_told_again() -> None:
    data = MANY + b"banana,sales\n"
    before, _, findings = read(data, "numbers.csv", "US", ROUTES)
    assert read(data, "numbers.csv", "US", ROUTES, before)[2] == findings
    assert read(data + b"+15105559999,sales\n", "numbers.csv", "US", ROUTES, before)[2] == findings


def test_a_list_of_numbers_is_no_table_of_routes() -> None:
    before, _, findings = read(b"+15105550100\n", "numbers.csv", "US", None)
    assert not findings
    assert read(b"+15105550100\n", "numbers.csv", "US", ROUTES, before)[2]


def test_callers_without_a_number_are_no_line_of_a_list_and_no_head() -> None:
    _, _, findings = read(b"anonymous\n+15105550100\n", "callers.csv", "US", None)
    assert [one.place.line for one in findings] == [1]
    assert findings[0].remedy == "Give these callers a rule of their own: - {from: anonymous, route: …}."


def test_a_route_that_no_line_leads_to_any_more_is_gone() -> None:
    before = table(b"+15105550100,sales\n+15105550101,support\n+1510556*,other\n".replace(b"other", b"sales"))
    after = read(b"+15105550100,sales\n", "numbers.csv", "US", ROUTES, before)[0]
    assert (set(before.routes), set(after.routes)) == ({"sales", "support"}, {"sales"})


def test_an_edit_of_a_large_file_reads_that_line_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    before, taken = table(MANY), []
    take = module._Reading.take
    monkeypatch.setattr(module._Reading, "take", lambda self, data, line: taken.append(data) or take(self, data, line))
    after, _, _ = read(MANY.replace(b"+15105550030,", b"+15105559999,"), "numbers.csv", "US", ROUTES, before)
    assert after.find("+15105559999")
    assert after.find("+15105550030") is None
    assert 0 < sum(map(len, taken)) < 100


def test_files_without_measure_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LARGEST", 10)
    made, _, findings = read(b"+15105550100,sales", "numbers.csv", "US", ROUTES)
    assert len(made) == 0
    assert "at most 10 are read" in findings[0].what


@pytest.mark.parametrize(
    ("data", "says"),
    [(b"+15105550100,sales\0", "NUL"), (b"+15105550100,sales\rx", "carriage"), (b"1" * 3000, "too long")],
)
def test_lines_that_are_no_text_are_told(data: bytes, says: str) -> None:
    assert says in read(data, "numbers.csv", "US", ROUTES)[2][0].what


def test_a_number_twice_is_told_though_its_route_is_the_same_and_the_first_counts() -> None:
    made, _, findings = read(b"5105550100,sales\n+15105550100,sales\n", "numbers.csv", "US", ROUTES)
    assert [(one.place.line, one.what) for one in findings] == [(2, "+15105550100 has a line already, line 1.")]
    assert made.find("+15105550100") == ("sales", module.Place("numbers.csv", 1, 1))


def test_blocks_meet_without_a_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = table(MANY)
    monkeypatch.setattr(module, "_BLOCK", 64)
    assert [table(MANY).find(number) for number, _ in whole.items()] == [
        whole.find(number) for number, _ in whole.items()
    ]
