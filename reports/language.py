"""The language that a report speaks: sentences from a message catalogue, numbers and lists by locale.

Sentences are written in English where they are said, as whole messages with values in braces; `say` looks them up in
the catalogue of the language in force (gettext) and puts the values in. `speaking` sets the language for a block of
code. Every message is a literal, so that `reports.messages` finds it.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from gettext import GNUTranslations, NullTranslations
from importlib.resources import files
from io import BytesIO
from typing import Any, Final

from babel import Locale
from babel.lists import format_list
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from data_contracts.errors import Problem, choose_from
from data_contracts.telling import MINUS, REMEDY
from reports.errors import ReportError

LANGUAGES: Final[dict[str, str]] = {"en": "English", "es": "español", "fr": "français", "ar": "العربية"}
"""Tags of the languages whose catalogue is whole, and their own names."""
_LOCALES: Final = {"en": "en_GB"}
_UNPRINTABLE: Final = re.compile(
    "[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f-\\x9f\\u2028\\u2029\\u202a-\\u202e\\u2066-\\u2069]"
)
_ISOLATED: Final = "\u2068{}\u2069"
"""First strong isolate: in a right-to-left sentence a label or number keeps its own direction."""
_RIGHT_TO_LEFT: Final = "\u2067{}\u2069"
"""Isolate for a phrase of the language itself, whose parts may all be isolated and so have no say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """A language to speak.

    Attributes
    ----------
    tag : str
        As in ``lang`` of HTML.
    locale : Locale
        Numbers, lists, dates, plural forms and direction.
    catalogue : NullTranslations
        English message -> message.
    own : mapping
        Texts of the study (labels, questions) -> the same in this language, as far as the study brings them.
    """

    tag: str
    locale: Locale
    catalogue: NullTranslations
    own: Mapping[str, str] = field(default_factory=dict)

    @property
    def direction(self) -> str:
        """``ltr`` or ``rtl``."""
        return str(self.locale.text_direction)

    @property
    def decimal_point(self) -> str:
        """What stands before the decimals."""
        return str(self.locale.number_symbols["latn"]["decimal"])

    @property
    def thousands(self) -> str:
        """What stands between thousands; never a space that a line could break at."""
        return str(self.locale.number_symbols["latn"]["group"])


def open_language(tag: str, own: Mapping[str, str] | None = None) -> Language:
    """Return a language by its tag.

    Raises
    ------
    ReportError
        There is no catalogue for it.
    """
    if tag not in LANGUAGES:
        raise ReportError(
            Problem("unknown_language", f"Reports do not speak '{tag}'.", choose_from(tag, tuple(LANGUAGES)))
        )
    return Language(tag=tag, locale=Locale.parse(_LOCALES.get(tag, tag)), catalogue=_catalogue(tag), own=own or {})


@cache
def _catalogue(tag: str) -> NullTranslations:
    if tag == "en":
        return NullTranslations()
    text = (files("reports") / "locales" / f"{tag}.po").read_bytes()
    compiled = BytesIO()
    write_mo(compiled, read_po(BytesIO(text), locale=tag))
    compiled.seek(0)
    return GNUTranslations(compiled)


_SPOKEN: ContextVar[Language] = ContextVar("language")


@contextmanager
def speaking(language: Language) -> Iterator[None]:
    """Say everything within the block in a language."""
    token = _SPOKEN.set(language)
    try:
        yield
    finally:
        _SPOKEN.reset(token)


def language_spoken() -> Language:
    """Return the language in force; English where none was set."""
    return _SPOKEN.get(None) or open_language("en")


def mark(message: str) -> str:
    """Return a message as it is: a constant that `say` is given later."""
    return message


def say(message: str, /, **values: str) -> str:
    """Return a message in the language in force.

    Parameters
    ----------
    message : str
        English literal, or a constant made by `mark`: a whole sentence or label, values in braces.
    **values : str
        Numbers already printed (`reports.numbers`), labels, or phrases that were said themselves.
    """
    return _fill(language_spoken().catalogue.gettext(message), values) if message else message


def say_as(context: str, message: str, /, **values: str) -> str:
    """Return a message that means different things in different places, told apart by a context."""
    return _fill(language_spoken().catalogue.pgettext(context, message), values)


def say_many(one: str, many: str, number: float | Decimal, /, **values: str) -> str:
    """Return the form of a message for a number, which may have decimals; `values` hold it as it is printed."""
    return _fill(language_spoken().catalogue.ngettext(one, many, _whole_like(number)), values)


def say_list(parts: Iterable[str]) -> str:
    """Return ``a``, ``a and b`` or ``a, b and c``."""
    language = language_spoken()
    return format_list([_isolated(part, language) for part in parts], locale=language.locale)


def say_told(words: str, text: str) -> str:
    """Return a sentence of the analysis in the language in force.

    Parameters
    ----------
    words : str
        JSON of `analysis.telling.Told.words`, or nothing.
    text : str
        The same in English; taken as it is where there are no words.
    """
    return _say_words(words, text).replace(REMEDY, " ")


def say_reason(words: str, text: str) -> str:
    """Return what `say_told` does, without what a researcher may do about it (`analysis.telling.REMEDY`)."""
    return _say_words(words, text).partition(REMEDY)[0]


def _say_words(words: str, text: str) -> str:
    return _say_node(json.loads(words)) if words else own_words(text)


def own_words(text: str) -> str:
    """Return a text of the study in the language in force, as it is where the study brings no other.

    Control characters, and marks that turn the direction of what stands beside them, are left out.
    """
    return _UNPRINTABLE.sub("", language_spoken().own.get(text, text))


def _say_node(node: Any) -> str:
    if isinstance(node, str):
        return own_words(node).replace(REMEDY, " ")  # a label of two lines has none
    if "join" in node:
        return str(node["by"]).join(_say_node(part) for part in node["join"])
    if "list" in node:
        return say_list(_say_node(part) for part in node["list"])
    if "decimals" in node:
        digits, is_below = print_number(node["number"], node["decimals"]), node["number"] < 0
        return f"{MINUS}{digits}" if is_below and any(digit in "123456789" for digit in digits) else digits
    values = {name: _say_node(value) for name, value in node.get("with", {}).items()}
    return (
        say_many(node["say"], node["many"], node["number"], **values) if "many" in node else say(node["say"], **values)
    )


def print_number(value: float, decimals: int) -> str:
    """Return the digits of a number without its sign, by locale: ``1,468.0``, ``1.468,0``."""
    language = language_spoken()
    whole, _, rest = f"{abs(value):,.{decimals}f}".partition(".")
    whole = whole.replace(",", language.thousands)
    return f"{whole}{language.decimal_point}{rest}" if rest else whole


def isolate(text: str) -> str:
    """Return a text that stands alone, such as a label in a cell, so that it keeps its own direction."""
    return _isolated(text, language_spoken()) if text else text


def _fill(message: str, values: Mapping[str, str]) -> str:
    if not values:
        return message
    language = language_spoken()
    return message.format(**{name: _isolated(value, language) for name, value in values.items()})


def _isolated(value: str, language: Language) -> str:
    """Return a value with a direction of its own in a right-to-left sentence, where it could be read wrong without.

    Digits and words of the language itself keep their order; letters of another direction, signs and percents do not.
    """
    if language.direction != "rtl" or not any(_is_disordered(character) for character in value):
        return value
    is_of_it = any(unicodedata.bidirectional(character) in ("R", "AL") for character in value)
    return (_RIGHT_TO_LEFT if is_of_it else _ISOLATED).format(value)


def _is_disordered(character: str) -> bool:
    return character in "<>=" or unicodedata.bidirectional(character) in ("L", "ES", "ET")


def _whole_like(number: float | Decimal) -> int:
    """Return a whole number that takes the same plural form as a number with decimals: gettext knows whole ones.

    A `Decimal` has the decimals that are printed: in English one says 1 point, and 1.0 points.
    """
    if not isinstance(number, Decimal):
        number = Decimal(int(number) if float(number).is_integer() else str(number))
    if number.as_tuple().exponent == 0:
        return abs(int(number))
    plural = language_spoken().locale.plural_form
    form = plural(abs(number))
    return next((whole for whole in range(200) if plural(whole) == form), 2)
