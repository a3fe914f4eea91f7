"""Words that say that a programme did something, or that people were followed who were not, by language.

Each table is read by `reports.lint` after `plain_text` and the table's own `fold`. The names that a study brings are
taken out before and stand as `NAME`. Words that true sentences need are left out with care: ``lower``, ``better``,
"how much of that is due to the programme cannot be told".
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

NAME: Final = "\u25a1"
"""Stands for a quoted string."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForbiddenWords:
    """What the lint looks for in one language.

    Attributes
    ----------
    claims : Pattern
        Words that say that the programme did something, with their inflections.
    followed : Pattern
        Words that say that the same people were seen again.
    harmless : Pattern
        Phrases that hold such words and claim nothing, such as questions of how much is due to the programme: taken out
        before `claims` is looked for.
    technical : tuple of str
        Names of parts of a model, and of a size, in any letter case: they say nothing of a programme.
    prefixes : str
        Pattern of letters that a language writes together with the word that follows.
    fold : callable
        Makes spellings of a word uniform.
    """

    claims: re.Pattern[str]
    followed: re.Pattern[str]
    harmless: re.Pattern[str]
    technical: tuple[str, ...]
    prefixes: str = ""
    fold: Callable[[str], str] = str


def any_of(*words: str, before: str = r"\b", after: str = r"\b") -> re.Pattern[str]:
    """Return a pattern of words, in any letter case, that are no part of longer ones."""
    return re.compile(f"{before}(?:{'|'.join(words)}){after}", re.IGNORECASE)


def verbs(stems: str, endings: str) -> str:
    """Return a pattern of every form of some verbs: their stems, apart by spaces, with each of the endings."""
    return f"(?:{'|'.join(stems.split())})(?:{endings})"
