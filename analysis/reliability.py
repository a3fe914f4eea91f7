"""How well the items of a measure agree in this sample: Cronbach's alpha."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

from analysis.design import StudyDesign
from analysis.results import Result
from instruments.errors import InstrumentError
from instruments.psychometrics import estimate_alpha

if TYPE_CHECKING:
    from instruments import Instrument, Item


def estimate_reliability(
    responses: pd.DataFrame, library: Mapping[str, Instrument], design: StudyDesign, *, fewest: int
) -> Iterator[Result]:
    """Yield Cronbach's alpha of every measure with items, by timepoint.

    Parameters
    ----------
    responses : DataFrame
        See the table contracts; a missing answer has the value NaN.
    library : mapping
        Instrument id -> Instrument.
    design : StudyDesign
        Its measures are taken in the order declared; those without an instrument have no items and are passed over.
    fewest : int
        Fewer participants with every item answered give no estimate.

    Yields
    ------
    Result
        ``cronbach_alpha`` (0 to 1, negative when items disagree) with its interval (Feldt 1965, doi
        10.1007/BF02289499), or a row with the verdict ``refused:<reason>`` and no number.
    """
    for measure_id, declared in design.measures.items():
        instrument = library.get(declared.instrument or "")
        if instrument is None or measure_id not in instrument.measure_ids:
            continue
        measure = instrument.measures[instrument.measure_ids.index(measure_id)]
        items = instrument.items_of(measure)
        own = responses.loc[responses["instrument"] == instrument.id]
        for timepoint in design.timepoints:
            answers = _counted_answers(own.loc[own["timepoint"] == timepoint.id], items, instrument)
            yield _alpha(answers, measure_id, timepoint.id, fewest)


def _counted_answers(responses: pd.DataFrame, items: tuple[Item, ...], instrument: Instrument) -> pd.DataFrame:
    """Return participant x item of what each answer counts."""
    columns = {}
    for item in items:
        answers = responses.loc[responses["item"] == item.id].set_index("participant_id")["value"].astype("float64")
        scores = instrument.allowed_values(item.id).score(answers.to_numpy(), reverse=item.reverse)
        columns[item.id] = pd.Series(scores, index=answers.index)
    return pd.DataFrame(columns)


def _alpha(answers: pd.DataFrame, measure: str, timepoint: str, fewest: int) -> Result:
    row = Result(analysis="reliability", statistic="cronbach_alpha", outcome=measure, timepoint=timepoint)
    try:
        alpha = estimate_alpha(answers, fewest=fewest)
    except InstrumentError as error:
        problem = error.problems[0]
        n = len(answers.dropna())
        return replace(row, n=n, method=problem.message, verdict=f"refused:{problem.code}")
    return replace(
        row, value=alpha.value, conf_low=alpha.conf_low, conf_high=alpha.conf_high, n=alpha.n, method=alpha.method
    )
