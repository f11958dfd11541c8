"""What people get wrong in YAML's own grammar, said in their words. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_QUOTES = "Put quotes around the whole text."
_MARKS = {
    "*": "a reference",
    "&": "a name for a reference",
    "@": "something it keeps for itself",
    "`": "something it keeps for itself",
    "%": "a directive",
    "!": "a tag",
    "|": "a block of text",
    ">": "a block of text",
}
_VALUE = re.compile(r"(?::\s+|^\s*-\s+|^\s*|[\[{,]\s*)([*&@`%!|>])\S?")
_COLON = re.compile(r"^\s*(?:- )?[^\s:'\"{\[][^:]*:\s+[^'\"\[{|>].*?(: |:$)")
_AFTER_QUOTE = re.compile(r""":\s+("(?:[^"\\]|\\.)*"|'(?:[^']|'')*')\s*[^\s,}\]#]""")
_CUT_BRACKET = re.compile(r"[{\[][^}\]]* #")
_UNPRINTABLE = re.compile(r"[^\x09\x0a\x0d\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ENDS = (".", "!", "?", "…", '"', "'", ")", ":", ";")


@dataclass(frozen=True, slots=True)
class Slip:
    """What is wrong; `line` and `column` count from 0."""

    what: str
    remedy: str
    line: int = 0
    column: int = 0


def unprintable(line: str) -> bool:
    """Whether the line holds what YAML takes for no text: NUL and its like."""
    return _UNPRINTABLE.search(line) is not None


def of_yaml(lines: Sequence[str], line: int, column: int, problem: str) -> Slip:
    """What to say of YAML's complaint `problem` about a place."""
    for number in dict.fromkeys((line, line - 1)):  # it often complains one line late
        text = lines[number] if 0 <= number < len(lines) else ""
        if slip := _known(text, number, problem):
            return slip
    if "\\t" in problem or "tab" in problem:
        return Slip("The line is indented with a tab.", "Indent with spaces, not tabs.", line, column)
    return Slip(f"The file isn't YAML: {problem}.", "Look at that line and the one before it.", line, column)


def _known(text: str, line: int, problem: str) -> Slip | None:
    bare = text.split(" #", 1)[0]
    if text.lstrip(" ").startswith("\t"):
        at = len(text) - len(text.lstrip(" "))
        return Slip("The line is indented with a tab.", "Indent with spaces, not tabs.", line, at)
    if "mapping values" in problem and (found := _COLON.match(bare)):
        return Slip("A colon inside a text ends it, for YAML.", _QUOTES, line, found.start(1))
    if found := _AFTER_QUOTE.search(bare):
        return Slip("There is text after the closing quote.", _QUOTES, line, found.end() - 1)
    if "expected ',' or" in problem and (found := _CUT_BRACKET.search(text)):
        return Slip("Inside brackets the # after a space begins a remark, for YAML.", _QUOTES, line, found.end() - 1)
    starts = ("alias", "anchor", "token", "tag", "directive", "block scalar", "indicator")
    if any(word in problem for word in starts) and (found := _VALUE.search(bare)):
        mark = found[1]
        return Slip(
            f"A value can't begin with {mark} unquoted: to YAML that is {_MARKS[mark]}.",
            _QUOTES,
            line,
            found.start(1),
        )
    return None


def cut(text: str, rest: str) -> Slip | None:
    """Whether a ` #` has cut an unquoted sentence; `rest` is what stands behind it in its line. A remark that is set
    off by two spaces, or follows a sentence's end, was meant as one."""
    remark = rest.lstrip()
    if not remark.startswith("#") or len(rest) - len(remark) != 1 or text.endswith(_ENDS):
        return None
    return Slip(f"The text ends at '{_end(text)}': for YAML a # after a space begins a remark.", _QUOTES)


def _end(text: str) -> str:
    return text if len(text) <= 24 else "…" + text[-23:]
