"""For whom, and where: blocks of several parts under one heading."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from reports.content import ReportContent
from reports.language import say
from reports.reading import Rows
from reports.sections import Block, Section
from reports.sites import say_sites
from reports.subgroups import say_subgroups

WHERE_BLOCKS: Final[tuple[Callable[[Rows, ReportContent], tuple[Block, ...]], ...]] = (say_subgroups, say_sites)
"""Whose blocks stand in the section, in order."""


def say_where(rows: Rows, content: ReportContent) -> Section | None:
    """Return the section; None where no part has a block for it."""
    blocks = tuple(block for make_blocks in WHERE_BLOCKS for block in make_blocks(rows, content))
    return Section(id="where", title=say("For whom, and where"), blocks=blocks) if blocks else None
