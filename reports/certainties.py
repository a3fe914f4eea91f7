"""How sure one may be of the answers about an outcome: told once where they agree, question by question elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from analysis.plan import Estimand
from reports.certainty import Certainty, say_certainty
from reports.claim_sentences import label_of
from reports.content import ReportContent
from reports.language import say_list
from reports.reading import Rows
from reports.tables import say_comparison


def say_certainties(rows: Rows, outcome: str, content: ReportContent) -> tuple[Certainty, ...]:
    """Return the certainty of each answer about an outcome.

    Parameters
    ----------
    rows : tuple of Row
        Gated results.
    outcome : str
        Id in the plan.
    content : ReportContent
        Labels, design and plan.

    Returns
    -------
    tuple of Certainty
        One for all answers of which the same is said, in the order of the plan; `of` names them where there are
        several. Nothing where nothing was answered.
    """
    told: dict[Certainty, list[Estimand]] = {}
    for estimand in content.plan.estimands:
        said = say_certainty(rows, estimand, content) if estimand.outcome == outcome else None
        if said is not None:
            told.setdefault(said, []).append(estimand)
    if len(told) == 1:
        return tuple(told)
    timepoints = [estimand.timepoint for asked in told.values() for estimand in asked]
    is_by_time = len(timepoints) == len(set(timepoints))
    return tuple(replace(said, of=_name(asked, content, is_by_time=is_by_time)) for said, asked in told.items())


def _name(asked: Iterable[Estimand], content: ReportContent, *, is_by_time: bool) -> str:
    """Return the timepoints of questions where these tell them apart, and otherwise what is compared as well."""
    if is_by_time:
        return say_list([label_of(content.design, estimand.timepoint) for estimand in asked])
    return say_list([say_comparison(estimand, content) for estimand in asked])
