"""The lint of rendered text: no word claims more than the design allows."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Collection, Iterator
from html.parser import HTMLParser
from typing import Any, Final

from analysis.design import RESAMPLED, DesignKind
from data_contracts.errors import Problem, choose_from
from reports.errors import ReportError
from reports.forbidden_words import FORBIDDEN_WORDS, NAME, ForbiddenWords

FORBIDDEN: Final = FORBIDDEN_WORDS["en"].claims
FOLLOWED: Final = FORBIDDEN_WORDS["en"].followed
TECHNICAL: Final = FORBIDDEN_WORDS["en"].technical
"""The English tables, which hold in a report of any language: a sentence without translation is in English."""

LANGUAGE_OF_CODE: Final = "en"
_INLINE: Final = frozenset(
    ("a", "abbr", "b", "bdi", "bdo", "cite", "code", "data", "del", "dfn", "em", "font", "i", "ins", "kbd", "mark", "q",
     "s", "samp", "small", "span", "strong", "sub", "sup", "time", "tspan", "u", "var", "wbr")
)  # fmt: skip
_PLACED: Final = frozenset({"x", "y", "dy"})
"""What a line of a drawing has of its own, which no part of a word has."""
_SPOKEN: Final = frozenset(
    ("alt", "aria-description", "aria-label", "aria-placeholder", "aria-roledescription", "aria-valuetext", "content",
     "label", "placeholder", "summary", "title", "value")
)  # fmt: skip
_IGNORABLE: Final = dict.fromkeys(
    [
        *map(ord, "\u00ad\u061c\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"),
        *range(0x202A, 0x202F),  # embeddings and overrides of direction
        *range(0x2066, 0x206A),  # isolates
    ]
)
"""What nobody sees: soft hyphens, joiners, and marks of direction."""


def lint_claims(
    text: str, design_kind: DesignKind, *, quoted: Collection[str] = (), language: str = LANGUAGE_OF_CODE
) -> None:
    """Refuse text that says that a programme did something, or that people were followed who were not.

    Parameters
    ----------
    text : str
        A rendered report, or any part of it: HTML or plain text. Text, spoken attributes and the data of figures are
        read.
    design_kind : str
        Named in the message; every design is held to the same words outside of `quoted`, and where each timepoint is a
        sample of its own, nobody may be said to have changed, stayed or left.
    quoted : collection of str, optional
        Exact strings that may hold such words: names that the study or an instrument brings along and, for a randomised
        design alone, the claims that `make_claim` marked as causal. A string is exempt whole, in its own letter case.
    language : str, optional
        Tag of the language of the text: its words are looked for, and those of English.

    Raises
    ------
    ReportError
        With every word found and the text around it; or nobody wrote down yet what may not be said in this language.
    """
    if language not in FORBIDDEN_WORDS:
        raise ReportError(
            Problem(
                "unknown_language",
                f"Nobody wrote down which words claim too much in '{language}'.",
                choose_from(language, tuple(FORBIDDEN_WORDS)),
            )
        )
    words = FORBIDDEN_WORDS[language]
    tables = (words,) if language == LANGUAGE_OF_CODE else (words, FORBIDDEN_WORDS[LANGUAGE_OF_CODE])
    rest = _without_quoted(words.fold(plain_text(readable_text(text))), quoted, tables)
    for table in tables:
        rest = table.harmless.sub(" ? ", rest)
    problems = [problem for table in tables for problem in _find_claims(rest, design_kind, table)]
    if design_kind in RESAMPLED:
        problems += [problem for table in tables for problem in _find_followed(rest, table)]
    if problems:
        raise ReportError(problems)


def _without_quoted(text: str, quoted: Collection[str], tables: tuple[ForbiddenWords, ...]) -> str:
    """Return text with a mark in the place of every quoted string and technical name, the longest first."""
    words = tables[0]
    exempt = {words.fold(plain_text(phrase)): "" for phrase in quoted}
    exempt |= {words.fold(phrase): "(?i)" for table in tables for phrase in table.technical}
    for phrase, flags in sorted(exempt.items(), key=lambda pair: (-len(pair[0]), pair[0])):
        anyhow_wrapped = r"\s?".join(re.escape(character) for character in phrase if not character.isspace())
        if anyhow_wrapped:
            text = re.sub(rf"{flags}(?<!\w){words.prefixes}{anyhow_wrapped}(?!\w)", NAME, text)
    return text


def _find_claims(text: str, design_kind: DesignKind, words: ForbiddenWords) -> Iterator[Problem]:
    for found in words.claims.finditer(text):
        yield Problem(
            "claims_too_much",
            f"The report says '{found.group()}' near '{text[max(0, found.start() - 40) : found.end() + 40]}', which "
            f"the design '{design_kind}' or this result does not allow.",
            "Say what was observed, with its interval.",
        )


def _find_followed(text: str, words: ForbiddenWords) -> Iterator[Problem]:
    for found in words.followed.finditer(text):
        yield Problem(
            "follows_nobody",
            f"The report says '{found.group()}', but each timepoint is a sample of its own.",
            "Say how the people surveyed later differ from those surveyed at first.",
        )


def readable_text(page: str) -> str:
    """Return what a person may read or hear of an HTML page: text, spoken attributes, strings of JSON blocks."""
    reader = _Reader()
    reader.feed(page)
    reader.close()
    return "".join(reader.parts)


def plain_text(text: str) -> str:
    """Return text with compatible characters, white space and invisible characters made uniform."""
    return " ".join(unicodedata.normalize("NFKC", text).translate(_IGNORABLE).split())


class _Reader(HTMLParser):
    """Collect the readable parts of a page."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag not in _INLINE or values.keys() & _PLACED:
            self.parts.append("\n")
        if tag in ("script", "style"):
            self._inside = "json" if values.get("type") == "application/json" else "code"
        if not (tag == "meta" and "http-equiv" in values):
            self.parts += [f"\n{value}\n" for name, value in attrs if name in _SPOKEN and value]

    def handle_endtag(self, tag: str) -> None:
        if tag not in _INLINE:
            self.parts.append("\n")
        if tag in ("script", "style"):
            self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "json":
            self.parts += [f"\n{text}\n" for text in _strings(json.loads(data))]
        elif not self._inside:
            self.parts.append(data)


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield readable_text(value)
    elif isinstance(value, dict):
        for part in value.values():
            yield from _strings(part)
    elif isinstance(value, list):
        for part in value:
            yield from _strings(part)
