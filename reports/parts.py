"""Which parts of an evaluation are told in a report, where, and in which order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from analysis.plan import Outcome
from reports.balance import say_balance
from reports.change_counts import say_meaning
from reports.checklist import say_checklist
from reports.content import ReportContent
from reports.deviations import say_deviations
from reports.dose import say_dose
from reports.expected_change import say_changed_anyway
from reports.figures.attrition import draw_attrition
from reports.figures.changes import draw_changes
from reports.figures.distribution import draw_distribution
from reports.figures.dose import draw_dose
from reports.figures.flow import draw_flow
from reports.figures.forest import draw_forest
from reports.figures.formats import draw_formats
from reports.figures.reliability import draw_reliability
from reports.figures.sensitivity import draw_sensitivity
from reports.figures.trajectories import draw_trajectories
from reports.formats import say_formats
from reports.harms import say_harms
from reports.leavers import compare_those_who_left, say_leavers
from reports.margins import say_margin
from reports.people_words import say_words
from reports.permutation import say_permutation
from reports.precision import say_precision
from reports.reading import Rows
from reports.sections import Block, Illustration, Section
from reports.where import say_where

SayBlock = Callable[[Outcome, Rows, ReportContent], Block | None]
SaySection = Callable[[Rows, ReportContent], Section | None]
SayBlocks = Callable[[Rows, ReportContent], tuple[Block, ...]]
DrawOfOutcome = Callable[[Outcome, Rows, ReportContent], tuple[Illustration, ...]]
DrawOfStudy = Callable[[Rows, ReportContent], tuple[Illustration, ...]]

CARD_BLOCKS: Final[tuple[SayBlock, ...]] = (
    say_leavers,
    say_meaning,
    say_changed_anyway,
    say_permutation,
    say_precision,
    say_balance,
    say_margin,
    say_dose,
)
"""Blocks of an outcome card, in order, between its certainty and its instrument."""
PEOPLE_BLOCKS: Final[tuple[SayBlocks, ...]] = (compare_those_who_left,)
"""Blocks of the section on who took part and who left, after the flow."""
SECTIONS: Final[tuple[SaySection, ...]] = (
    say_harms,
    say_where,
    say_formats,
    say_words,
    say_deviations,
)
"""Sections between the outcomes and the annex, in order."""
ANNEX_BLOCKS: Final[tuple[SayBlocks, ...]] = (say_checklist,)
"""Blocks of the annex, after the estimates."""
CARD_FIGURES: Final[tuple[DrawOfOutcome, ...]] = (draw_trajectories, draw_distribution)
"""Figures of an outcome card, after its claims."""
BLOCK_FIGURES: Final[Mapping[SayBlock, DrawOfOutcome]] = {
    say_leavers: draw_sensitivity,
    say_meaning: draw_changes,
    say_dose: draw_dose,
}
"""Block of an outcome card -> what illustrates it."""
PEOPLE_FIGURES: Final[tuple[DrawOfStudy, ...]] = (draw_flow, draw_attrition)
"""Figures of the section on who took part and who left, before its tables."""
OUTCOMES_FIGURES: Final[tuple[DrawOfStudy, ...]] = (draw_forest,)
"""Figures of all outcomes together, before the cards."""
SECTION_FIGURES: Final[Mapping[str, DrawOfStudy]] = {"online": draw_formats}
"""Id of a section -> what illustrates it, after its lead."""
ANNEX_FIGURES: Final[tuple[DrawOfStudy, ...]] = (draw_reliability,)
"""Figures of the instruments in the annex."""
