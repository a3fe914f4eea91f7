"""Which parts of an evaluation are told in a report, where, and in which order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from analysis.plan import Outcome
from reports.content import ReportContent
from reports.reading import Rows
from reports.sections import Block, Section

SayBlock = Callable[[Outcome, Rows, ReportContent], Block | None]
SaySection = Callable[[Rows, ReportContent], Section | None]
SayBlocks = Callable[[Rows, ReportContent], tuple[Block, ...]]

CARD_BLOCKS: Final[tuple[SayBlock, ...]] = ()
"""Blocks of an outcome card, in order, between its certainty and its instrument."""
PEOPLE_BLOCKS: Final[tuple[SayBlocks, ...]] = ()
"""Blocks of the section on who took part and who left, after the flow."""
SECTIONS: Final[tuple[SaySection, ...]] = ()
"""Sections between the outcomes and the annex, in order."""
ANNEX_BLOCKS: Final[tuple[SayBlocks, ...]] = ()
"""Blocks of the annex, after the estimates."""
