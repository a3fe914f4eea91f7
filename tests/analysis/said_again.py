"""Whether a sentence of the analysis can be said in other languages: by one in which every message stands in marks."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from gettext import NullTranslations
from typing import Any

from analysis.telling import Told
from reports.language import open_language, say_told, speaking
from reports.messages import extract_messages

LEFT, RIGHT = "\u27e6", "\u27e7"


class Marked(NullTranslations):
    """A catalogue that has every message, as it is but between marks."""

    def gettext(self, message: str) -> str:
        return f"{LEFT}{message}{RIGHT}"

    def ngettext(self, one: str, many: str, number: int) -> str:
        return self.gettext(one if number == 1 else many)


def find_unsayable(text: str, labels: set[str] | None = None) -> list[str]:
    """Return what hinders a sentence from being said in another language; nothing where it can be.

    Without `labels`, any text that was put into a message is taken for a label of the study.
    """
    if not isinstance(text, Told):
        return [f"only text: {text}"]
    node = json.loads(text.words)
    problems = [f"no literal in the code: {pattern}" for pattern in _patterns(node) if pattern not in _known()]
    if say_told(text.words, text) != text:
        problems.append(f"said differently in English: {text} / {say_told(text.words, text)}")
    if left := _outside_of_marks(text):
        problems.append(f"outside of the messages: {left}")
    values = {value for value in _values(node) if labels is not None and value not in labels}
    return problems + [f"put in as it is: {value}" for value in sorted(values)]


def _outside_of_marks(text: Told) -> str:
    with speaking(replace(open_language("en"), catalogue=Marked())):
        said = say_told(text.words, text)
    while (shorter := re.sub(f"{LEFT}[^{LEFT}{RIGHT}]*{RIGHT}", "", said)) != said:
        said = shorter
    return said if re.search(r"\w", said) else ""


def _patterns(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        yield from (node[name] for name in ("say", "many") if name in node)
        for part in [*node.get("join", []), *node.get("list", []), *node.get("with", {}).values()]:
            yield from _patterns(part)


def _values(node: Any) -> Iterator[str]:
    """Yield the texts that are said as they are."""
    if isinstance(node, str):
        yield node
    else:
        for part in [*node.get("join", []), *node.get("list", []), *node.get("with", {}).values()]:
            yield from _values(part)


@cache
def _known() -> frozenset[str]:
    found: set[str] = set()
    for message in extract_messages():
        found |= set(message.id if isinstance(message.id, tuple | list) else [message.id])
    return frozenset(found)
