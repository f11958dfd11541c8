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
_GLUED = re.compile(r"^(\s*[^\s'\"{\[#][^'\"{\[]*?[^\s:]:)[^\s:/]+\s*$")
_MERGED = ("<<<<<<<", "=======", ">>>>>>>")
_CURLY = re.compile(r"[“”„‟]")
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


@dataclass(frozen=True, slots=True)
class Complaint:
    """What YAML says; places count from 0."""

    problem: str
    line: int
    column: int
    context: str = ""
    """What it was reading, and where that began."""
    began: tuple[int, int] = (0, 0)


def of_yaml(lines: Sequence[str], said: Complaint) -> Slip:
    """What to say of YAML's complaint."""
    for number in dict.fromkeys((said.line, said.line - 1)):  # it often complains one line late
        text = lines[number] if 0 <= number < len(lines) else ""
        if slip := _known(text, number, f"{said.context} {said.problem}"):
            return slip
    return _shape(lines[said.line] if said.line < len(lines) else "", said)


def _shape(text: str, said: Complaint) -> Slip:
    """Brackets, quotes and indents that don't fit."""
    at, problem = (said.line, said.column), said.problem
    if "\\t" in problem or "tab" in problem:
        return Slip("The line is indented with a tab.", "Indent with spaces, not tabs.", *at)
    if "expected ',' or" in problem:
        begins = said.line > said.began[0] and not re.search(r"[,{\[]", text[: said.column])
        if text[said.column : said.column + 1] == ":" and not begins:
            both = "Put quotes around the whole text, or a comma between two things."
            return Slip("A colon inside a text ends it, for YAML.", both, *at)
        if text[said.column : said.column + 1] in ("{", "[") and not begins:
            return Slip(f"A {text[said.column]} inside a text begins something else, for YAML.", _QUOTES, *at)
        mark = "}" if "mapping" in said.context else "]"
        if said.line > said.began[0] or text[said.column : said.column + 1] in ("}", "]"):
            opens = "{" if mark == "}" else "["
            return Slip(f"The bracket {opens} isn't closed.", f"Write {mark} behind the last thing in it.", *said.began)
        return Slip("A comma is missing.", f"Write , between two things in brackets, and {mark} after the last.", *at)
    if "quoted scalar" in said.context and "end of" in problem:
        return Slip("The quotation mark isn't closed.", "Write it again at the text's end.", *said.began)
    if "expected key" in problem and (extra := text[said.column : said.column + 1]) in ("}", "]"):
        return Slip(f"There is a {extra} too many.", "Take it out.", *at)
    if "expected key" in problem:
        return Slip("The line begins where no line above it begins.", "Indent the lines of one thing alike.", *at)
    if "mapping values" in problem:
        what = "The line is indented further than the one above, which says its value already."
        return Slip(what, "Indent both alike.", said.line, len(text) - len(text.lstrip(" ")))
    return Slip(f"The file isn't YAML: {problem}.", "Look at that line and the one before it.", *at)


def _known(text: str, line: int, problem: str) -> Slip | None:
    bare = text.split(" #", 1)[0]
    if text.lstrip(" ").startswith("\t"):
        at = len(text) - len(text.lstrip(" "))
        return Slip("The line is indented with a tab.", "Indent with spaces, not tabs.", line, at)
    if text.startswith(_MERGED):
        return Slip(
            "The line is a mark of two versions that git couldn't merge.", "Keep one, and take the marks out.", line
        )
    if "mapping values" in problem and (slip := _curly(bare, line)):
        return slip
    if "mapping values" in problem and (found := _GLUED.match(bare)):
        return Slip("There is no space behind the colon.", "Write one: NAME: VALUE.", line, found.end(1) - 1)
    if "mapping values" in problem and (found := _COLON.match(bare)):
        return Slip("A colon inside a text ends it, for YAML.", _QUOTES, line, found.start(1))
    if found := _AFTER_QUOTE.search(bare):
        return Slip("There is text after the closing quote.", _QUOTES, line, found.end() - 1)
    if "expected ',' or" in problem and (found := _CUT_BRACKET.search(text)):
        return Slip("Inside brackets the # after a space begins a remark, for YAML.", _QUOTES, line, found.end() - 1)
    starts = ("alias", "anchor", "token", "tag", "directive", "block scalar", "indicator")
    if any(word in problem for word in starts) and (found := _VALUE.search(bare)):
        what = f"A text can't begin with {found[1]} unquoted: to YAML that is {_MARKS[found[1]]}."
        alone = re.match(r"\s*\*\s*:", bare)
        remedy = 'Write "*" for the key, or otherwise for every other number.' if alone else _QUOTES
        return Slip(what, remedy, line, found.start(1))
    return None


def alone(text: str, line: str) -> Slip:
    """What to say of a text without a value in brackets, `line` being the whole line."""
    what = f"'{text}' stands alone: in brackets a comma begins the next thing."
    return _curly(line, 0) or Slip(what, "Put quotes around the whole text, or [ ] around a list.")


def _curly(text: str, line: int) -> Slip | None:
    found = _CURLY.search(text)
    what = f"{found[0]} is no quotation mark to YAML." if found else ""
    return Slip(what, 'Write " in its place.', line, found.start()) if found else None


def hidden(line: str) -> Slip | None:
    """Whether a key of a telephone's has become a remark."""
    found = re.match(r"\s*#:\s*[\w-]+\s*$", line)
    return (
        Slip("The line is a remark: for YAML a # begins one.", 'Write "#" for the key.', 0, line.index("#"))
        if found
        else None
    )


def cut(text: str, rest: str) -> Slip | None:
    """Whether a ` #` has cut an unquoted sentence; `rest` is what stands behind it in its line. A remark that is set
    off by two spaces, or follows a sentence's end, was meant as one."""
    remark = rest.lstrip()
    if not remark.startswith("#") or len(rest) - len(remark) != 1 or text.endswith(_ENDS):
        return None
    return Slip(f"The text ends at '{_end(text)}': for YAML a # after a space begins a remark.", _QUOTES)


def _end(text: str) -> str:
    return text if len(text) <= 24 else "…" + text[-23:]
