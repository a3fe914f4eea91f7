"""Sentences that remember what was put into them, so that a report can say them in another language.

A `Told` is plain English text wherever text is wanted. Stored beside the results as JSON (`words`), it can be said
anew: its pattern is looked up in a message catalogue, and its values are put in again, each in its own manner.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, Self

NO_WORDS: Final = ""
REMEDY: Final = "\n"
"""Stands in a pattern between why something was not computed and what a researcher may do about it.

The English text has a space there. A page tells what comes before it; an annex and a command line tell both.
"""
MINUS: Final = "\u2212"


@dataclass(frozen=True, slots=True)
class Number:
    """A number inside a sentence, printed with so many decimals; what rounds to zero has no sign."""

    value: float
    decimals: int = 0

    @classmethod
    def exactly(cls, value: float) -> Self:
        """Return a number with the decimals that it has, six digits at most."""
        return cls(value, len(f"{value:g}".partition("e")[0].partition(".")[2]))

    def __str__(self) -> str:
        text = f"{abs(self.value):,.{self.decimals}f}"
        return f"{MINUS}{text}" if self.value < 0 and any(digit in "123456789" for digit in text) else text


class Told(str):
    """English text, and in `node` how it came about: for JSON."""

    __slots__ = ("node",)
    node: Any

    @property
    def words(self) -> str:
        """The node as JSON, the same text for the same sentence."""
        return json.dumps(self.node, ensure_ascii=False, sort_keys=True)


def tell(pattern: str, /, **values: str | Number) -> Told:
    """Return a sentence in English.

    Parameters
    ----------
    pattern : str
        A literal, so that it can be found for the catalogue; values stand in braces. One whole sentence or label, or
        one and its `REMEDY`. Of a `Told` its own pattern is taken, and the values are put in.
    **values : str or Number
        Labels of the study as they are; other `Told`; numbers.
    """
    if isinstance(pattern, Told) and "say" in pattern.node:
        pattern = str(pattern.node["say"])
    return _told(pattern.format(**values) if values else pattern, {"say": pattern, **_with(values)})


def tell_many(one: str, many: str, number: float, /, **values: str | Number) -> Told:
    """Return the pattern for one thing or for many, in English; as `tell` otherwise."""
    pattern = one if number == 1 else many
    return _told(pattern.format(**values), {"say": one, "many": many, "number": float(number), **_with(values)})


def join_told(parts: Iterable[str], separator: str = " ") -> Told:
    """Return several sentences or labels one after the other; a separator has no words."""
    parts = [part for part in parts if part]
    return _told(separator.join(parts), {"join": [_node(part) for part in parts], "by": separator})


def list_told(parts: Iterable[str]) -> Told:
    """Return ``a``, ``a and b`` or ``a, b and c``."""
    parts = list(parts)
    text = parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}" if parts else ""
    return _told(text, {"list": [_node(part) for part in parts]})


def words_of(text: str) -> str:
    """Return the words of a sentence as JSON, nothing where text is only text."""
    return text.words if isinstance(text, Told) else NO_WORDS


def read_told(text: str, words: str) -> str:
    """Return a sentence that was stored as its text and its words: a `Told` again where there are words."""
    return _told(text, json.loads(words)) if words else text


def _told(text: str, node: Any) -> Told:
    told = Told(text.replace(REMEDY, " "))
    told.node = node
    return told


def _with(values: dict[str, str | Number]) -> dict[str, Any]:
    return {"with": {name: _node(value) for name, value in values.items()}} if values else {}


def _node(value: str | Number) -> Any:
    if isinstance(value, Number):
        return {"number": float(value.value), "decimals": value.decimals}
    return value.node if isinstance(value, Told) else str(value)
