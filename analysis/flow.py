"""Who came: people declared before the data begin, allocated, and answering at each timepoint."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from analysis.design import StudyDesign
from analysis.results import Result
from analysis.telling import tell


def count_participants(
    scores: pd.DataFrame, participants: pd.DataFrame, responses: pd.DataFrame, design: StudyDesign
) -> Iterator[Result]:
    """Yield the flow of participants before any model.

    Parameters
    ----------
    scores, participants, responses : DataFrame
        See the table contracts; a NaN is neither a score nor an answer.
    design : StudyDesign
        The declared design and recruitment.

    Yields
    ------
    Result
        ``eligible`` and ``invited`` as declared; ``allocated`` by arm; ``answered`` by arm and timepoint: participants
        with at least one answer or score. Where each timepoint is a sample of its own nobody is ``allocated``: how
        many different people there were is not known.
    """
    for statistic in ("eligible", "invited"):
        if statistic in design.recruitment:
            number = design.recruitment[statistic]
            yield Result(
                analysis="flow",
                statistic=statistic,
                value=number,
                n=number,
                verdict="declared",
                method=tell("declared in the study definition"),
            )
    arms = participants.set_index("participant_id")["arm"]
    for arm in () if design.is_resampled else design.arms:
        number = int((arms == arm.id).sum())
        yield Result(
            analysis="flow",
            statistic="allocated",
            arm=arm.id,
            value=number,
            n=number,
            method=tell("participants of the arm"),
        )
    given = pd.concat(
        [
            responses.loc[responses["value"].notna(), ["participant_id", "timepoint"]],
            scores.loc[scores["score"].notna(), ["participant_id", "timepoint"]],
        ]
    ).drop_duplicates()
    counts = given.assign(arm=given["participant_id"].map(arms)).groupby(["arm", "timepoint"]).size()
    for arm in design.arms:
        for timepoint in design.timepoints:
            number = int(counts.get((arm.id, timepoint.id), 0))
            yield Result(
                analysis="flow",
                statistic="answered",
                arm=arm.id,
                timepoint=timepoint.id,
                value=number,
                n=number,
                method=tell("participants with at least one answer or score"),
            )
