"""Somebody who wants to know of few people, and has nothing but the bytes of the files of a report."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from benchmarks.attacker.drawings import bars_of, find_fine, published_numbers, read_bars, read_figure
from benchmarks.attacker.files import Placed, Taken, take_apart
from benchmarks.attacker.knowledge import Learned
from benchmarks.attacker.names import Names
from benchmarks.attacker.rows import RowReader
from benchmarks.attacker.story import FewMean, Story
from benchmarks.attacker.words import Reader

BAR = 0.12
"""How far a bar that is drawn to a tenth of a unit may be from its length, in people of 100."""


class Attacker:
    """Reads all files of a report.

    Parameters
    ----------
    files : mapping
        Name -> bytes.
    names : Names
        What the plan calls things.

    Attributes
    ----------
    loose : list of str
        Coordinates that say more than is published.
    """

    def __init__(self, files: Mapping[str, bytes], names: Names) -> None:
        self.names = names
        self.taken = take_apart(files)
        self.story = Story(names)
        self.loose: list[str] = []

    @property
    def few(self) -> list[FewMean]:
        """Return what follows of the means of those who left."""
        return self.story.few

    def attack(self, is_few: Callable[[float, float], bool]) -> Iterator[Learned]:
        """Yield every number of people of which so much follows that a condition on its limits holds.

        Raises
        ------
        MisreadError
            What was read does not fit together.
        """
        for name, taken in self.taken.items():
            self._read(name, taken)
        self.story.relate()
        self.story.try_numbers()
        yield from self.story.known.solve(is_few)

    def _read(self, name: str, taken: Taken) -> None:
        words, known = Reader(self.story, self.names), self.story.known
        for number, table in enumerate(taken.tables):
            known.source = f"{name}, table {number + 1}"
            words.read_table(table)
        known.source = f"{name}, text"
        for text in taken.texts:
            words.read_sentences(text)
        known.source = f"{name}, drawing"
        for drawing in taken.drawings:
            words.read_boxes(drawing)
        for figure in taken.figures:
            known.source = f"{name}, {figure['id']}"
            words.read_boxes(boxes_of(figure))
            read_figure(figure, self.story, self.names)
        if taken.results is not None:
            known.source = name
            RowReader(self.story, self.names).read(taken.results)
        self._look_closely(name, taken)

    def _look_closely(self, name: str, taken: Taken) -> None:
        """Collect coordinates with digits that are published nowhere."""
        results = next((each.results for each in self.taken.values() if each.results is not None), None)
        published = np.empty(0) if results is None else published_numbers(results, self.names.meaningful)
        for figure in taken.figures:
            self.loose += [f"{name}, {figure['id']}: {at:.6g} at '{text}'" for text, at in find_fine(figure, published)]
        lengths = np.array([length for figure in taken.figures for length in bars_of(figure)])
        for drawing in taken.drawings:
            for length in read_bars(drawing):
                if len(lengths) and not (np.abs(lengths - length) <= BAR).any():
                    self.loose.append(f"{name}, drawing: a bar of {length:.2f} people of 100")


def boxes_of(figure: dict[str, Any]) -> list[Placed]:
    """Return the words of a figure that stand anywhere in it, with their places."""
    notes = figure.get("layout", {}).get("annotations") or ()
    return [Placed(note.get("x", 0.0), note.get("y", 0.0), note["text"].replace("<br>", " ")) for note in notes]
