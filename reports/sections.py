"""Sections of a report, and blocks within sections and cards, that the parts of an evaluation bring."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import plotly.graph_objects as go

from reports.cells import Table
from reports.language import mark

NOT_PLANNED: Final = mark(
    "Not pre-specified: this was not in a plan that was frozen before outcomes were read, or it was changed since."
)
"""Stands beside a part of the plan whose rows are not pre-specified: `say` it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Illustration:
    """A figure with everything that stands for it where it cannot be seen or drawn.

    Attributes
    ----------
    id : str
        Unique in the report; letters, digits and hyphens.
    figure : Figure
        Drawn by plotly where scripts run, and as static SVG elsewhere: one set of numbers for both.
    caption : str
        What to see in it, with the numbers that matter.
    alternative : str
        What a person who cannot see it is told: kind of figure, axes, and where its numbers stand.
    table : Table or None
        The numbers that are drawn; None where a table beside it holds them already.
    """

    id: str
    figure: go.Figure
    caption: str
    alternative: str
    table: Table | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A few sentences, figures and tables under a heading of their own; `items` are printed as a list.

    `caution` says how not to read it, in small print; `quotations` are what people said, in their own words.
    """

    heading: str
    sentences: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    illustrations: tuple[Illustration, ...] = ()
    tables: tuple[Table, ...] = ()
    quotations: tuple[str, ...] = ()
    caution: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Figures and blocks that stand together, after a sentence that leads in; `id` is the anchor."""

    id: str
    title: str
    lead: str = ""
    illustrations: tuple[Illustration, ...] = ()
    blocks: tuple[Block, ...] = ()
