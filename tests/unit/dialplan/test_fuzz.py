"""The fuzz targets in short: plans that are nearly right, and bytes of any kind."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.targets import TARGETS, plan
from tests.unit.dialplan.plans import EXAMPLE

TEXT = EXAMPLE.read_text()
LINES = TEXT.split("\n")
SCRAPS = st.sampled_from(
    ["", " ", "\t", "#", ": ", "- ", "{", "}", "[", "]", "*", "&a ", "*a", "!x ", "|", ">", "'", '"', "~", "null", "---",
     "\0", "\ufeff", "é", "no", "x" * 300, "<<: ", "? ", "%YAML 1.2", "9" * 40, "1e9", "-1"]
)  # fmt: skip


@settings(max_examples=250, deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(TEXT)), st.integers(0, 12), SCRAPS), min_size=1, max_size=4))
def test_a_plan_with_slips_in_it_is_told_off_in_its_own_words(slips: list[tuple[int, int, str]]) -> None:
    text = TEXT
    for at, cut, put in slips:
        text = text[:at] + put + text[at + cut :]
    plan(text.encode("utf-8", "surrogatepass"))


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, len(LINES) - 1), st.integers(0, len(LINES) - 1), st.booleans()), min_size=1, max_size=4
    )
)
def test_lines_that_moved_or_are_gone_are_told(moves: list[tuple[int, int, bool]]) -> None:
    lines = list(LINES)
    for source, target, copied in moves:
        line = lines[source % len(lines)]
        if not copied and len(lines) > 1:
            lines.pop(source % len(lines))
        lines.insert(target % (len(lines) + 1), line)
    plan("\n".join(lines).encode())


@pytest.mark.parametrize("target", list(TARGETS))
@settings(max_examples=150, deadline=None)
@given(data=st.one_of(st.binary(max_size=120), st.text(max_size=80).map(str.encode)))
def test_any_bytes_are_read_or_told_off(target: str, data: bytes) -> None:
    TARGETS[target](data)


BOMBS = {
    "brackets": b"offhook: 1\nroutes: " + b"[" * 100_000,
    "braces": b"offhook: 1\nroutes: " + b"{a: " * 50_000,
    "indents": b"".join(b" " * n + b"a:\n" for n in range(1000)),
    "aliases": b"offhook: 1\na: &a [x]\n" + b"".join(b"b%d: &b%d [*a, *a]\n" % (n, n) for n in range(2000)),
    "laughs": b"a: &a [x,x,x,x,x,x,x,x,x]\n" + b"".join(
        b"%c: &%c [%s]\n" % (98 + n, 98 + n, b", ".join([b"*%c" % (97 + n)] * 9)) for n in range(12)),
    "one long line": b"offhook: 1\nnumbers: {" + b"x" * 1_000_000 + b": y}",
    "many keys": b"offhook: 1\nnumbers:\n" + b"".join(b"  +1510%07d: a\n" % n for n in range(30_000)),
    "a document of comments": b"# x\n" * 100_000,
    "utf-16": "offhook: 1\n".encode("utf-16"),
    "latin-1": "offhook: 1\n# é\n".encode("latin-1"),
    "nul": b"offhook: 1\0\n",
    "self": b"&a [*a]",
    "merge": b"offhook: 1\nroutes: {<<: &r {a: {reject: 404}}, b: {reject: 404}}\n",
}  # fmt: skip


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", list(BOMBS))
def test_bombs_are_defused(name: str) -> None:
    plan(BOMBS[name])
