"""Totals that came with the data against our own scores, and the rules that they obey."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from analysis.design import StudyDesign
from analysis.results import Result
from analysis.telling import tell
from instruments.audit import audit_responses
from instruments.audit.results import ALL

if TYPE_CHECKING:
    from instruments import Instrument

EQUAL_WITHIN: Final = 1e-5
"""Points; single precision differs by less, so what is further apart was computed differently."""
_KEY = ["participant_id", "timepoint", "measure"]


def compare_scores(scores: pd.DataFrame, delivered: pd.DataFrame, design: StudyDesign) -> Iterator[Result]:
    """Yield how many delivered totals equal ours, by measure.

    Parameters
    ----------
    scores, delivered : DataFrame
        See the table contracts. Compared is what has a number in both.
    design : StudyDesign
        Its measures are taken in the order declared; those without a delivered total, or without a score of
        ours to hold it against, are passed over; a score that was only delivered is none of ours.

    Yields
    ------
    Result
        ``compared``, ``equal`` and ``different``, counts of participant x timepoint; `n` counts their participants.
    """
    scores = scores[scores["method"] != "delivered"]
    both = (
        delivered[[*_KEY, "score"]]
        .dropna(subset="score")
        .merge(scores[[*_KEY, "score"]].dropna(subset="score"), on=_KEY, suffixes=("_delivered", "_ours"))
    )
    equal = np.isclose(both["score_delivered"], both["score_ours"], rtol=0, atol=EQUAL_WITHIN)
    for measure, known in design.measures.items():
        own = (both["measure"] == measure).to_numpy()
        if known.instrument is None or not (delivered["measure"] == measure).any():
            continue
        for statistic, counted in {"compared": own, "equal": own & equal, "different": own & ~equal}.items():
            yield Result(
                analysis="score_agreement",
                statistic=statistic,
                outcome=measure,
                value=float(counted.sum()),
                n=both.loc[counted, "participant_id"].nunique(),
                method=tell("delivered totals against scores computed from the answers"),
            )


def audit_totals(
    responses: pd.DataFrame, delivered: pd.DataFrame, design: StudyDesign, library: Mapping[str, Instrument]
) -> Iterator[Result]:
    """Yield the rules other than ours that delivered totals obey, over all timepoints.

    Parameters
    ----------
    responses, delivered : DataFrame
        See the table contracts.
    design : StudyDesign
        Measures without items, and those that nobody delivered, are passed over.
    library : mapping
        Instrument id -> Instrument.

    Yields
    ------
    Result
        ``score_audit``: the rule as `statistic`, in words in `method`; `value` and `n` are the rows that obey it.
    """
    answered = {name: library[name] for name in dict.fromkeys(responses["instrument"])}
    totals = delivered.loc[delivered["measure"].isin(list(design.measures))].dropna(subset="score")
    for finding in audit_responses(responses, totals, answered).findings:
        if finding.timepoint == ALL and not finding.is_declared_rule and finding.explained:
            yield Result(
                analysis="score_audit",
                statistic=f"{finding.part}: {finding.rule}",
                outcome=finding.measure,
                value=float(finding.explained),
                n=float(finding.explained),
                method=tell("Where every item is answered: {rule}.", rule=finding.meaning)
                if finding.part == "complete"
                else tell("Where answers are missing: {rule}.", rule=finding.meaning),
            )
