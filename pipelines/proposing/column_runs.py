"""Columns that are named alike and counted: phq_1, phq_2, ... or F1A, F1B, ... or rows of one question."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

FEWEST: Final = 2
_LETTER: Final = re.compile(r"(?<![A-Za-z])[A-Za-z](?=$|[\W_])")
_DIGITS: Final = re.compile(r"\d{1,4}")
_GRID: Final = re.compile(r"(.+?)\s*\[([^\[\]]+)\]", re.DOTALL)


@dataclass(frozen=True, slots=True)
class ColumnRun:
    """Columns in the order of their numbers or letters.

    Attributes
    ----------
    columns : tuple of str
        Without a gap.
    pattern : str
        As study.yaml writes them (``phq_{n}``); empty where only a list can, such as where the first is not number 1.
    stem : str
        What the columns have in common.
    """

    columns: tuple[str, ...]
    pattern: str
    stem: str

    @property
    def name(self) -> str:
        """The pattern, or the first and the last column."""
        return self.pattern or f"{self.columns[0]} ... {self.columns[-1]}"


@dataclass(frozen=True, slots=True)
class WideRun:
    """Columns of one pattern at several timepoints: `pattern` with {t}, and the text that stands for it -> columns."""

    pattern: str
    columns: Mapping[str, tuple[str, ...]]


def find_runs(columns: Sequence[str]) -> list[ColumnRun]:
    """Find the runs of a header.

    A column may be in several runs: ``t1_phq_2`` counts timepoints and items. Whoever knows instruments chooses.

    Parameters
    ----------
    columns : sequence of str
        In the order of the file.

    Returns
    -------
    list of ColumnRun
        Of two columns or more, the longest first.
    """
    counted: dict[tuple[str, str, str], dict[int, tuple[str, str]]] = defaultdict(dict)
    grids: dict[str, list[str]] = defaultdict(list)
    for column in columns:
        for kind, start, end, number in _places(column):
            text = column[start:end]
            counted[kind, column[:start], column[end:]].setdefault(number, (text, column))
        grid = _GRID.fullmatch(column)
        if grid and not _DIGITS.search(grid[2]):
            grids[grid[1]].append(column)
    runs = [run for key, numbered in counted.items() for run in _cut(key, numbered)]
    runs += [ColumnRun(tuple(rows), "", stem) for stem, rows in grids.items() if len(rows) >= FEWEST]
    return sorted(runs, key=lambda run: -len(run.columns))


def join_wide(patterns: Mapping[str, tuple[str, ...]]) -> WideRun | None:
    """Return one pattern with {t} for patterns that differ in one place; None where they differ in more.

    Parameters
    ----------
    patterns : mapping
        Pattern with {n} or a letter -> its columns; two or more.
    """
    names = list(patterns)
    head = _shared_start(names)
    tails = [name[len(head) :] for name in names]
    tail = _shared_start([text[::-1] for text in tails])[::-1]
    cut = len(head)
    texts = [text[: len(text) - len(tail)] for text in tails]
    while cut and head[cut - 1].isalpha() and any(text[:1].isalpha() for text in texts):
        cut -= 1
        texts = [head[cut] + text for text in texts]
    while tail and tail[0].isalpha() and any(text[-1:].isalpha() for text in texts):
        texts = [text + tail[0] for text in texts]
        tail = tail[1:]
    if len(names) < FEWEST or any("{" in text or "}" in text for text in texts) or "{" not in head[:cut] + tail:
        return None
    return WideRun(f"{head[:cut]}{{t}}{tail}", dict(zip(texts, patterns.values(), strict=True)))


def _shared_start(texts: Sequence[str]) -> str:
    """Return the characters that all texts start with."""
    same = [len(set(characters)) == 1 for characters in zip(*texts, strict=False)]
    return texts[0][: [*same, False].index(False)]


def _places(column: str) -> Iterator[tuple[str, int, int, int]]:
    """Yield the places of a name where something may be counted: kind, start, end, number."""
    for match in _DIGITS.finditer(column):
        yield "n", match.start(), match.end(), int(match.group())
    for match in _LETTER.finditer(column):
        letter = match.group()
        yield ("A" if letter.isupper() else "a"), match.start(), match.end(), ord(letter.upper()) - ord("A") + 1


def _cut(key: tuple[str, str, str], numbered: Mapping[int, tuple[str, str]]) -> Iterator[ColumnRun]:
    """Yield the stretches of consecutive numbers."""
    kind, before, after = key
    numbers = sorted(numbered)
    start = 0
    for place in range(1, len(numbers) + 1):
        if place == len(numbers) or numbers[place] != numbers[place - 1] + 1:
            stretch = numbers[start:place]
            if len(stretch) >= FEWEST:
                texts = [numbered[number][0] for number in stretch]
                slot = _slot(kind, stretch, texts) if "{" not in before + after and "}" not in before + after else ""
                pattern = f"{before}{slot}{after}" if slot else ""
                yield ColumnRun(tuple(numbered[number][1] for number in stretch), pattern, f"{before} {after}")
            start = place


def _slot(kind: str, numbers: Sequence[int], texts: Sequence[str]) -> str:
    """Return how study.yaml writes the place that is counted; empty where it cannot."""
    if numbers[0] != 1:
        return ""
    if kind in ("A", "a"):
        return f"{{{kind}}}"
    if all(text == str(number) for text, number in zip(texts, numbers, strict=True)):
        return "{n}"
    widths = {len(text) for text in texts}
    if len(widths) == 1 and numbers[-1] < 100:
        return "0" * (widths.pop() - 2) + "{nn}"
    return ""
