"""How a reporting checklist says where a report has something."""

from __future__ import annotations

from collections.abc import Callable

from reports.content import ReportContent
from reports.language import say
from reports.reading import Rows

Find = Callable[[Rows, ReportContent], str]
"""Says from gated rows and content where the report tells an item, and what of it; an empty text where it does not."""


def say_fact(section: str, fact: str) -> str:
    """Return a section, and what it tells."""
    return say("{section}: {fact}", section=section, fact=fact)


def say_heading(section: str, heading: str) -> str:
    """Return a section, and the heading under which it tells something."""
    return say("{section}: under “{heading}”", section=section, heading=heading)
