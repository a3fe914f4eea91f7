"""Lines of text: how wide they are, where they break, and that each keeps its direction."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from typing import Final

CHARACTER: Final = 0.54
"""Width of a character of running text, in sizes of its type."""
RIGHT_TO_LEFT: Final = "\u2067"
"""Begins a part of a line that runs from right to left."""
DONE: Final = "\u2069"
"""Ends the part of a line that was begun last."""
_BEGINS: Final = ("\u2066", RIGHT_TO_LEFT, "\u2068")
_MARKS: Final = re.compile("[\u2066-\u2069]")
_ARABIC: Final = re.compile("[\u0600-\u06ff]")
_JOINED: Final = re.compile("[\u064b-\u065f\u0670]")
"""Signs above or below a letter, which take no room."""
_NARROW: Final = frozenset("iljtfrI.,:;'|!()[]/\u2009 -")
_WIDE: Final = frozenset("mwMWOQ%@\u2014")


def bare(text: str) -> str:
    """Return a text without the marks of direction, which nobody sees."""
    return _MARKS.sub("", text)


def width_of_line(line: str) -> float:
    """Return about how wide a line is, in sizes of its type: fonts differ from one computer to another."""
    return sum(_share(character) for character in bare(line))


def split_lines(text: str, width: float, *, breaks_words: bool = True) -> list[str]:
    """Return a text in lines; a part with a direction of its own is ended on one line and begun again on the next.

    Parameters
    ----------
    text : str
        With marks of direction or without.
    width : float
        Room for a line, in characters of running text: a line ends earlier where its letters are wide.
    breaks_words : bool
        Whether a word that is longer than a line is broken; without that it stands out.
    """
    words, marks = _without_marks(" ".join(textwrap.wrap(text, 10**6, break_on_hyphens=False)))
    found, begun, at = [], "", 0
    for line in _fill(words, width, breaks_words=breaks_words):
        start = words.index(line, at)
        made = begun
        for place in range(start, start + len(line) + 1):
            for mark in marks.pop(place, ()):
                if mark in _BEGINS or begun:
                    made += mark
                begun = begun + mark if mark in _BEGINS else begun[:-1]
            made += words[place] if place < start + len(line) else ""
        at = start + len(line)
        found.append(made + DONE * len(begun))
    return found


def cut_lines(lines: list[str], most: int) -> list[str]:
    """Return the first lines of a text, with an ellipsis where there were more; each keeps its marks of direction."""
    if len(lines) <= most:
        return lines
    last = lines[most - 1]
    kept = last.rstrip(DONE)
    shorter = kept[:-1] if len(kept) > 1 and not _MARKS.match(kept[-1]) else kept
    return [*lines[: most - 1], f"{shorter.rstrip()}\u2026{last[len(kept) :]}"]


def is_directed(line: str) -> bool:
    """Tell whether the whole of a line lies within one part that runs from right to left."""
    depth = 0
    for place, character in enumerate(line):
        depth += (character in _BEGINS) - (character == DONE)
        if depth <= 0:
            return place == len(line) - 1 and line.startswith(RIGHT_TO_LEFT)
    return False


def _without_marks(text: str) -> tuple[str, dict[int, list[str]]]:
    """Return a text without marks of direction, and the marks by the place that they stood before."""
    words = ""
    marks: dict[int, list[str]] = {}
    for character in text:
        if _MARKS.match(character):
            marks.setdefault(len(words), []).append(character)
        else:
            words += character
    return words, marks


def _fill(words: str, width: float, *, breaks_words: bool) -> Iterator[str]:
    line = ""
    for word in words.split(" "):
        longer = f"{line} {word}" if line else word
        if _fits(longer, width):
            line = longer
            continue
        if line:
            yield line
        wrapped = textwrap.wrap(word, max(int(width), 1), break_on_hyphens=False) if breaks_words else []
        *whole, line = wrapped or [word]
        yield from whole
    if line:
        yield line


def _fits(line: str, width: float) -> bool:
    return len(line) <= width and width_of_line(line) <= width * CHARACTER


def _share(character: str) -> float:
    """Return about how wide a character is, in sizes of its type."""
    if _JOINED.match(character):
        return 0.0
    if character in _NARROW:
        return 0.33
    if character in _WIDE:
        return 0.87
    if _ARABIC.match(character):
        return 0.5
    return 0.7 if character.isupper() else 0.59
