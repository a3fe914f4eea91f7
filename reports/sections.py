"""Sections of a report, and blocks within sections and cards, that the parts of an evaluation bring."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from reports.cells import Table

NOT_PLANNED: Final = (
    "Not pre-specified: this was not in a plan that was frozen before outcomes were read, or it was changed since."
)
"""Stands beside a part of the plan whose rows are not pre-specified."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A few sentences and tables under a heading of their own; `items` are printed as a list.

    `caution` says how not to read it, in small print.
    """

    heading: str
    sentences: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    caution: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Blocks that stand together, after a sentence that leads in; `id` is the anchor."""

    id: str
    title: str
    lead: str = ""
    blocks: tuple[Block, ...] = ()
