"""For whom, and where: blocks of several parts under one heading."""

from __future__ import annotations

from reports.content import ReportContent
from reports.figures.funnel import draw_funnels
from reports.language import say
from reports.reading import Rows
from reports.sections import Section
from reports.sites import say_sites
from reports.subgroups import say_subgroups


def say_where(rows: Rows, content: ReportContent) -> Section | None:
    """Return the section; None where no part has a block for it."""
    funnels = {each.id.removeprefix("sites-"): each for each in draw_funnels(rows, content)}
    blocks = (*say_subgroups(rows, content), *say_sites(rows, content, funnels))
    return Section(id="where", title=say("For whom, and where"), blocks=blocks) if blocks else None
