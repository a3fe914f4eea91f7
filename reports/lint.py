"""The lint of rendered text: no word claims more than the design allows."""

from __future__ import annotations

import html
import json
import re
import unicodedata
from collections.abc import Collection, Iterator
from html.parser import HTMLParser
from typing import Any, Final

from analysis.design import RESAMPLED, DesignKind
from data_contracts.errors import Problem
from reports.errors import ReportError

FORBIDDEN: Final = re.compile(
    r"\b(effect(s|ed|ing|ive|ively|iveness)?|impact(s|ed|ing|ful)?|caus(e|es|ed|ing|al|ally|ation)|"
    r"(lead|leads|leading|led) to|improv(e|es|ed|ing|ement|ements)|(result|results|resulted|resulting) in|works|worked|"
    r"thanks to|reduc(e|es|ed|ing|tion|tions)|increas(e|es|ed|ing)|lowers|raises|"
    r"attribut(ed|able) to|benefit(ed|s)? from|efficac(y|ious))\b",
    re.IGNORECASE,
)
"""Words that say that the programme did something, and their inflections."""

FOLLOWED: Final = re.compile(
    r"\b(who|people|participants|they|everybody|nobody|some)\s+((have|has|had)\s+)?"
    r"(changed|stayed|left|dropped out|started|finished|recover(ed)?|deteriorated|(got|became)\s+(better|worse))\b",
    re.IGNORECASE,
)
"""Words that say that the same people were seen again."""

TECHNICAL: Final = ("fixed effects", "random effects", "mixed effects", "effective sample size")
"""Names of parts of a model and of a size, which say nothing of a programme."""

_INLINE: Final = frozenset({"a", "abbr", "b", "code", "em", "i", "small", "span", "strong", "sub", "sup"})
_SPOKEN: Final = frozenset({"alt", "aria-description", "aria-label", "content", "label", "placeholder", "title"})
_IGNORABLE: Final = dict.fromkeys(map(ord, "\u00ad\u200b\u200c\u200d\u2060\ufeff"))


def lint_claims(text: str, design_kind: DesignKind, *, quoted: Collection[str] = ()) -> None:
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

    Raises
    ------
    ReportError
        With every word found and the text around it.
    """
    rest = plain_text(readable_text(text))
    for phrase in sorted({plain_text(phrase) for phrase in (*quoted, *TECHNICAL)} - {""}, key=lambda p: (-len(p), p)):
        anyhow_wrapped = r"\s?".join(re.escape(character) for character in phrase if not character.isspace())
        rest = re.sub(rf"(?<!\w){anyhow_wrapped}(?!\w)", "\u25a1", rest)
    problems = [
        Problem(
            "claims_too_much",
            f"The report says '{found.group()}' near '{rest[max(0, found.start() - 40) : found.end() + 40]}', which "
            f"the design '{design_kind}' or this result does not allow.",
            "Say what was observed, with its interval.",
        )
        for found in FORBIDDEN.finditer(rest)
    ]
    if design_kind in RESAMPLED:
        problems += [
            Problem(
                "follows_nobody",
                f"The report says '{found.group()}', but each timepoint is a sample of its own.",
                "Say how the people surveyed later differ from those surveyed at first.",
            )
            for found in FOLLOWED.finditer(rest)
        ]
    if problems:
        raise ReportError(problems)


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
        if tag not in _INLINE:
            self.parts.append("\n")
        values = dict(attrs)
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
        yield html.unescape(value.replace("<br>", " "))
    elif isinstance(value, dict):
        for part in value.values():
            yield from _strings(part)
    elif isinstance(value, list):
        for part in value:
            yield from _strings(part)
