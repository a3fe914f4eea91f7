"""How the instruments of a study measure in its sample: reliability, items, ends of the range, sameness over time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from analysis.design import StudyDesign
from analysis.results import Result
from analysis.telling import read_told
from instruments.psychometrics.sample import MeasureSample, assess_sample

if TYPE_CHECKING:
    from instruments import Instrument, Measure

OF_MEASURES: Final = (
    "cronbach_alpha", "omega_total", "mean_inter_item_correlation", "standard_error_of_measurement", "reliable_change",
    "score_floor_share", "score_ceiling_share", "negative_item_rest_correlations", "agreement_with_first",
    "invariance_level",
)  # fmt: skip
OF_THE_SAME_PEOPLE: Final = ("agreement_with_first", "invariance_level")
OF_ITEMS: Final = ("mean", "floor_share", "ceiling_share", "item_rest_correlation", "alpha_if_dropped")


def assess_measures(
    responses: pd.DataFrame,
    scores: pd.DataFrame,
    library: Mapping[str, Instrument],
    design: StudyDesign,
    *,
    fewest: int,
) -> Iterator[Result]:
    """Yield how every measure that has items works in this sample, by timepoint.

    Parameters
    ----------
    responses, scores : DataFrame
        See the table contracts; a missing answer or score is NaN.
    library : mapping
        Instrument id -> Instrument.
    design : StudyDesign
        Its measures are taken in the order declared; those without items are passed over.
    fewest : int
        No statistic comes from fewer participants.

    Yields
    ------
    Result
        ``reliability`` for measures and ``items`` for single items (with `item`): the statistics of
        `instruments.psychometrics.assess_sample` that `OF_MEASURES` and `OF_ITEMS` name, or a row with the verdict
        ``refused:<reason>`` and no number. Shares are fractions. Where each timepoint is a sample of its own, nothing
        that compares a participant's answers at two timepoints.
    """
    samples = list(_samples(responses, scores, library, design))
    if not samples:
        return
    table = assess_sample(samples, fewest=fewest, with_invariance=not design.is_resampled)
    if design.is_resampled:
        table = table.loc[~table["statistic"].isin(OF_THE_SAME_PEOPLE)]
    for row in table.to_dict("records"):
        if row["item"] and row["statistic"] in OF_ITEMS:
            yield _result(row, "items")
        elif not row["item"] and row["statistic"] in OF_MEASURES:
            yield _result(row, "reliability")


def _samples(
    responses: pd.DataFrame, scores: pd.DataFrame, library: Mapping[str, Instrument], design: StudyDesign
) -> Iterator[MeasureSample]:
    for measure_id, declared in design.measures.items():
        instrument = library.get(declared.instrument or "")
        if instrument is None or measure_id not in instrument.measure_ids:
            continue
        measure = instrument.measures[instrument.measure_ids.index(measure_id)]
        own = responses.loc[responses["instrument"] == instrument.id]
        if measure.method == "delivered" or own.empty:
            continue
        for timepoint in design.timepoints:
            here = scores.loc[(scores["measure"] == measure_id) & (scores["timepoint"] == timepoint.id)]
            yield MeasureSample(
                measure=measure_id,
                timepoint=timepoint.id,
                answers=_counted_answers(own.loc[own["timepoint"] == timepoint.id], instrument, measure),
                limits={item.id: _limits(instrument, item.id) for item in instrument.items_of(measure)},
                scores=here.set_index("participant_id")["score"],
                score_limits=(measure.range[0], measure.range[1]),
            )


def _counted_answers(responses: pd.DataFrame, instrument: Instrument, measure: Measure) -> pd.DataFrame:
    """Return participant x item of what each answer counts."""
    columns = {}
    for item in instrument.items_of(measure):
        answers = responses.loc[responses["item"] == item.id].set_index("participant_id")["value"].astype("float64")
        scores = instrument.allowed_values(item.id).score(answers.to_numpy(), reverse=item.reverse)
        columns[item.id] = pd.Series(scores, index=answers.index)
    return pd.DataFrame(columns)


def _limits(instrument: Instrument, item: str) -> tuple[float, float]:
    allowed = instrument.allowed_values(item)
    return allowed.lowest_score, allowed.highest_score


def _result(row: Mapping[Any, Any], analysis: str) -> Result:
    return Result(
        analysis=analysis,
        statistic=row["statistic"],
        outcome=row["measure"],
        timepoint=row["timepoint"],
        item=row["item"],
        value=row["value"],
        conf_low=row["conf_low"],
        conf_high=row["conf_high"],
        n=row["n"],
        method=read_told(row["method"], row["words"]),
        verdict=row["verdict"],
    )
