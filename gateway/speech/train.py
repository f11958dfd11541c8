"""Makes the recognizer's language model and dictionary from the sentences: `python -m gateway.speech.train [DIRECTORY]`.

A trigram model with absolute discounting (Ney, Essen and Kneser 1994), written as ARPA; pronunciations from the
dictionary that pocketsphinx carries. The same sentences always make the same files.
"""

from __future__ import annotations

import math
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from random import Random

import pocketsphinx

from gateway.errors import SetupFault
from gateway.speech.corpus import parse

DATA = Path(__file__).parent / "data"
SENTENCES = {"sentences.txt": 60_000, "danger.txt": 3_000, "strangers.txt": 2_000}
"""How many are made of each file."""
SEED = 20261123
DISCOUNT = 0.6
"""Taken from each count and given to what was never seen."""
ORDER = 3

Gram = tuple[str, ...]


def model(sentences: Iterable[Sequence[str]]) -> Sequence[Mapping[Gram, tuple[float, float]]]:
    """By order: each n-gram's log10 probability and back-off weight. Pure."""
    counts: list[Counter[Gram]] = [Counter() for _ in range(ORDER)]
    for words in sentences:
        padded = ("<s>", *words, "</s>")
        for size in range(1, ORDER + 1):
            counts[size - 1].update(padded[at : at + size] for at in range(len(padded) - size + 1))
    counts[0].pop(("<s>",), None)
    found: list[dict[Gram, tuple[float, float]]] = []
    total = sum(counts[0].values())
    chances: dict[Gram, float] = {gram: count / total for gram, count in counts[0].items()}
    for size in range(1, ORDER + 1):
        weights = _weights(counts[size], chances) if size < ORDER else {}
        found.append({gram: (math.log10(chance), weights.get(gram, 0.0)) for gram, chance in chances.items()})
        if size == 1:
            found[0][("<s>",)] = (-99.0, weights.get(("<s>",), 0.0))
        if size < ORDER:
            chances = _chances(counts[size], chances)
    return found


def _chances(counts: Counter[Gram], lower: Mapping[Gram, float]) -> dict[Gram, float]:
    """The longer grams' probabilities, what was discounted spread as the shorter ones say."""
    totals, kinds = _histories(counts)
    return {
        gram: (count - DISCOUNT) / totals[gram[:-1]]
        + DISCOUNT * kinds[gram[:-1]] / totals[gram[:-1]] * lower.get(gram[1:], 0.0)
        for gram, count in counts.items()
    }


def _weights(longer: Counter[Gram], lower: Mapping[Gram, float]) -> dict[Gram, float]:
    """Each history's back-off weight, log10: what its seen successors leave, shared among the unseen ones."""
    chances = _chances(longer, lower)
    seen: defaultdict[Gram, float] = defaultdict(float)
    shorter: defaultdict[Gram, float] = defaultdict(float)
    for gram, chance in chances.items():
        seen[gram[:-1]] += chance
        shorter[gram[:-1]] += lower.get(gram[1:], 0.0)
    return {history: math.log10(max(1e-9, 1.0 - seen[history]) / max(1e-9, 1.0 - shorter[history])) for history in seen}


def _histories(counts: Counter[Gram]) -> tuple[Counter[Gram], Counter[Gram]]:
    totals: Counter[Gram] = Counter()
    kinds: Counter[Gram] = Counter()
    for gram, count in counts.items():
        totals[gram[:-1]] += count
        kinds[gram[:-1]] += 1
    return totals, kinds


def arpa(grams: Sequence[Mapping[Gram, tuple[float, float]]]) -> str:
    """The model as an ARPA file's text. Pure."""
    lines = ["\\data\\", *(f"ngram {size}={len(found)}" for size, found in enumerate(grams, 1)), ""]
    for size, found in enumerate(grams, 1):
        lines.append(f"\\{size}-grams:")
        for gram, (chance, weight) in sorted(found.items()):
            backs_off = f" {weight:.4f}" if size < len(grams) else ""
            lines.append(f"{chance:.4f} {' '.join(gram)}{backs_off}")
        lines.append("")
    return "\n".join([*lines, "\\end\\", ""])


def dictionary(words: Iterable[str], pronounced: str) -> str:
    """The words' lines of a dictionary's text. Raises SetupFault naming words that it doesn't have. Pure."""
    wanted, found = set(words), []
    for line in pronounced.splitlines():
        word = line.partition(" ")[0].partition("(")[0]
        if word in wanted:
            found.append(line)
    missing = wanted - {line.partition(" ")[0] for line in found}
    if missing:
        raise SetupFault(f"Nobody knows how these are pronounced: {', '.join(sorted(missing))}.")
    return "\n".join(found) + "\n"


def main(directory: Path) -> int:
    """Write call.lm and call.dict into the directory."""
    sentences = [
        sentence.split()
        for name, count in SENTENCES.items()
        for sentence in parse((DATA / name).read_text(encoding="utf-8")).sentences(count, Random(SEED))
    ]
    words = {word for sentence in sentences for word in sentence}
    carried = Path(pocketsphinx.get_model_path("en-us"), "cmudict-en-us.dict").read_text(encoding="utf-8")
    pronounced = carried + (DATA / "more.dict").read_text(encoding="utf-8")
    (directory / "call.dict").write_text(dictionary(words, pronounced), encoding="utf-8")
    (directory / "call.lm").write_text(arpa(model(sentences)), encoding="utf-8")
    print(f"{len(sentences)} sentences, {len(words)} words")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else DATA))
