"""What a report says without its catalogue of messages: what stands outside of the marks of a marked language."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields, is_dataclass, replace
from functools import cache
from gettext import NullTranslations
from typing import Any

from reports.language import open_language, speaking
from reports.messages import extract_messages

LEFT, RIGHT = "\u27e6", "\u27e7"


class Marked(NullTranslations):
    """A catalogue that has every message that is found in the code, between marks that leave out its values."""

    def gettext(self, message: str) -> str:
        if message not in _known():
            return message
        own = re.sub(r"({.*?}|\n)", rf"{RIGHT}\1{LEFT}", message)  # a page leaves out what comes after a new line
        return f"{LEFT}{own}{RIGHT}"

    def pgettext(self, context: str, message: str) -> str:
        return self.gettext(message)

    def ngettext(self, one: str, many: str, number: int) -> str:
        return self.gettext(one if number == 1 else many)


def find_unmarked(labels: Iterable[str], speak: Callable[..., Any], *given: Any) -> list[str]:
    """Return what of a part of a report is neither of a message of the catalogue nor a label of the study.

    `speak` makes blocks, sections, tables or texts of what is given; labels count also with a capital at their start.
    """
    with speaking(replace(open_language("en"), catalogue=Marked())):
        texts = list(_texts(speak(*given)))
    own = {form for label in labels for form in (label, f"{label[:1].upper()}{label[1:]}")}
    return [left for text in texts if (left := _outside(text, own)) and re.search("[A-Za-z]", left)]


def _outside(text: str, labels: set[str]) -> str:
    """Return what is left of a text without its messages, and without labels that stand alone between them."""
    while (shorter := re.sub(f"{LEFT}[^{LEFT}{RIGHT}]*{RIGHT}", " ", text)) != text:
        text = shorter
    for label in sorted(labels, key=len, reverse=True):
        text = text.replace(label, " ")
    return " ".join(re.sub(r",|\band\b", " ", text).split())  # a list of what was said is put together by its language


def _texts(part: Any) -> Iterator[str]:
    if isinstance(part, str):
        yield part
    elif isinstance(part, list | tuple):
        for each in part:
            yield from _texts(each)
    elif is_dataclass(part):
        for field in fields(part):
            if field.name != "id":
                yield from _texts(getattr(part, field.name))


@cache
def _known() -> frozenset[str]:
    found: set[str] = set()
    for message in extract_messages():
        found |= set(message.id if isinstance(message.id, tuple | list) else [message.id])
    return frozenset(found)
