"""Templates of what callers say, expanded into sentences. The language is described at the head of sentences.txt.

Pure: the choices come from the generator that is handed in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from gateway.errors import SetupFault

_TOKEN = re.compile(r"\$\w+|\d+\*|[()|]|[^\s()|]+")


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several sequences, each with its weight."""

    sequences: tuple[tuple[str | Choice, ...], ...]
    """Words, names of sets ("$first") and nested choices."""
    weights: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Template:
    """A sentence's template and its share of the corpus."""

    weight: int
    body: Choice


@dataclass(frozen=True, slots=True)
class Corpus:
    """A parsed file of templates."""

    sets: Mapping[str, Choice]
    templates: tuple[Template, ...]

    def sentences(self, count: int, random: Random) -> Iterator[str]:
        """`count` sentences in the templates' proportions."""
        weights = [template.weight for template in self.templates]
        for template in random.choices(self.templates, weights, k=count):
            words = list(self._expand(template.body, random))
            if words:
                yield " ".join(words)

    def _expand(self, choice: Choice, random: Random) -> Iterator[str]:
        (chosen,) = random.choices(choice.sequences, choice.weights)
        for part in chosen:
            if isinstance(part, Choice):
                yield from self._expand(part, random)
            elif part.startswith("$"):
                yield from self._expand(self.sets[part[1:]], random)
            else:
                yield part


def parse(text: str) -> Corpus:
    """Read a file of templates. Raises SetupFault with the line that can't be read."""
    sets: dict[str, Choice] = {}
    templates: list[Template] = []
    for number, line in enumerate(text.splitlines(), start=1):
        stripped = line.split("#")[0].strip()
        if not stripped:
            continue
        try:
            if named := re.fullmatch(r"\$(\w+):(.*)", stripped):
                sets[named[1]] = _choice(named[2])
            else:
                weight, body = stripped.split(maxsplit=1)
                templates.append(Template(int(weight), _choice(body)))
        except (ValueError, IndexError) as bad:
            raise SetupFault(f"Line {number} of the sentences can't be read: {bad}.") from bad
    corpus = Corpus(sets, tuple(templates))
    unknown = {name for body in [*sets.values(), *(t.body for t in templates)] for name in _names(body)} - set(sets)
    if unknown:
        raise SetupFault(f"The sentences use sets that aren't defined: {', '.join(sorted(unknown))}.")
    return corpus


def _choice(text: str) -> Choice:
    tokens = _TOKEN.findall(text)
    choice, rest = _read(tokens)
    if rest:
        raise ValueError("a closing parenthesis too many")
    return choice


def _read(tokens: Sequence[str]) -> tuple[Choice, Sequence[str]]:
    sequences: list[tuple[str | Choice, ...]] = []
    weights: list[int] = []
    current: list[str | Choice] = []
    weight = 1
    while tokens and tokens[0] != ")":
        token, tokens = tokens[0], tokens[1:]
        if token == "|":
            sequences.append(tuple(current))
            weights.append(weight)
            current, weight = [], 1
        elif token == "(":
            inner, tokens = _read(tokens)
            if not tokens:
                raise ValueError("a parenthesis isn't closed")
            current.append(inner)
            tokens = tokens[1:]
        elif token.endswith("*") and token[:-1].isdigit():
            weight = int(token[:-1])
        else:
            current.append(token)
    sequences.append(tuple(current))
    weights.append(weight)
    return Choice(tuple(sequences), tuple(weights)), tokens


def _parts(choice: Choice) -> Iterator[str]:
    for sequence in choice.sequences:
        for part in sequence:
            if isinstance(part, Choice):
                yield from _parts(part)
            else:
                yield part


def _names(choice: Choice) -> Iterator[str]:
    return (part[1:] for part in _parts(choice) if part.startswith("$"))
