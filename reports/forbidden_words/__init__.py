"""Words that say that a programme did something, or that people were followed who were not, by language."""

from typing import Final

from reports.forbidden_words.arabic import ARABIC
from reports.forbidden_words.english import ENGLISH
from reports.forbidden_words.french import FRENCH
from reports.forbidden_words.spanish import SPANISH
from reports.forbidden_words.words import NAME, ForbiddenWords

__all__ = ["FORBIDDEN_WORDS", "NAME", "ForbiddenWords"]

FORBIDDEN_WORDS: Final[dict[str, ForbiddenWords]] = {"en": ENGLISH, "es": SPANISH, "fr": FRENCH, "ar": ARABIC}
"""Tag of a language -> what the lint looks for in it."""
