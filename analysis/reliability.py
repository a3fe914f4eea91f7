"""How well the items of a measure agree in this sample: Cronbach's alpha."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

import pandas as pd
from scipy import stats

from analysis.design import StudyDesign
from analysis.mixed_models.inference import CONFIDENCE
from analysis.results import Result

if TYPE_CHECKING:
    from instruments import Instrument, Item

METHOD: Final = "Cronbach's alpha of complete answers with the interval of Feldt (1965)"
_REFUSALS: Final[dict[str, str]] = {
    "single_item": "Alpha needs two items or more.",
    "too_few_complete_rows": "Alpha needs at least {fewest} participants with every item answered.",
    "constant_items": "Alpha needs answers that differ between participants.",
}


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
            answers = _complete_answers(own.loc[own["timepoint"] == timepoint.id], items, instrument)
            yield _alpha(answers, measure_id, timepoint.id, fewest)


def _complete_answers(responses: pd.DataFrame, items: tuple[Item, ...], instrument: Instrument) -> pd.DataFrame:
    """Return participant x item of those who answered all, reversed items turned, in an order of content alone."""
    columns = {}
    for item in items:
        answers = responses.loc[responses["item"] == item.id].set_index("participant_id")["value"].astype("float64")
        scores = instrument.allowed_values(item.id).score(answers.to_numpy(), reverse=item.reverse)
        columns[item.id] = pd.Series(scores, index=answers.index)
    return pd.DataFrame(columns).dropna().sort_values(list(columns), ignore_index=True)


def _alpha(answers: pd.DataFrame, measure: str, timepoint: str, fewest: int) -> Result:
    n, items = answers.shape
    reason = (
        "single_item"
        if items < 2
        else "too_few_complete_rows"
        if n < fewest
        else "constant_items"
        if (answers.nunique() < 2).any() or answers.sum(axis=1).nunique() < 2
        else ""
    )
    if reason:
        return Result(
            analysis="reliability",
            statistic="cronbach_alpha",
            outcome=measure,
            timepoint=timepoint,
            n=n,
            method=_REFUSALS[reason].format(fewest=fewest),
            verdict=f"refused:{reason}",
        )
    import pingouin

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pandas and pingouin announce coming changes of their own
        alpha = float(pingouin.cronbach_alpha(answers)[0])
    tail = (1 - CONFIDENCE) / 2
    freedom = (n - 1, (n - 1) * (items - 1))
    low, high = (1 - (1 - alpha) * float(stats.f.isf(share, *freedom)) for share in (tail, 1 - tail))
    return Result(
        analysis="reliability",
        statistic="cronbach_alpha",
        outcome=measure,
        timepoint=timepoint,
        value=alpha,
        conf_low=low,
        conf_high=high,
        n=n,
        method=METHOD,
    )
