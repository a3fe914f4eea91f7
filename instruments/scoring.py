"""One engine for every instrument: answers in, scores out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data_contracts.errors import Problem, choose_from
from instruments.errors import InstrumentError
from instruments.model import Instrument, Measure

ANSWER_COLUMNS: Final = ("participant_id", "timepoint", "instrument", "item", "value")
SCORE_DTYPES: Final[dict[str, str]] = {
    "participant_id": "str", "timepoint": "str", "measure": "str", "score": "float64", "n_items": "int64",
    "n_answered": "int64", "method": "str",
}  # fmt: skip

Answers = NDArray[np.float64]


def score_responses(responses: pd.DataFrame, library: Mapping[str, Instrument]) -> pd.DataFrame:
    """Score every instrument that was answered.

    Reversed items become minimum + maximum - answer first. A sum over k items of which n were answered is then
    k x (sum of the answered) / n, a mean is (sum of the answered) / n, both times `multiply`, as long as k - n is at
    most the measure's `max_missing`; otherwise there is no score.

    Parameters
    ----------
    responses : DataFrame
        The `responses` table; of its columns participant_id, timepoint, instrument, item and value are read. An answer
        is missing where `value` is NaN, or where an item has no row.
    library : mapping
        Instrument id -> Instrument.

    Returns
    -------
    DataFrame
        The `scores` table. For each instrument, every participant x timepoint with at least one row has one row per
        measure: score (points within the measure's range; NaN where too few items were answered), n_items, n_answered
        and method (``complete``, ``prorated``, ``too_few_answered``). Ordered by instrument, measure, and first
        appearance of participant x timepoint.

    Raises
    ------
    InstrumentError
        A column, an instrument or an item is unknown, an item stands twice for one participant x timepoint, or an
        answer is outside the item's response set. Names instrument and item, never a participant.
    """
    absent = [column for column in ANSWER_COLUMNS if column not in responses.columns]
    if absent:
        raise InstrumentError(
            Problem(
                "column_missing",
                f"The responses have no column {', '.join(absent)}.",
                f"Give {', '.join(ANSWER_COLUMNS)}.",
            )
        )
    present = sorted(responses["instrument"].unique())
    unknown = [name for name in present if name not in library]
    if unknown:
        raise InstrumentError(
            [
                Problem("unknown_instrument", f"'{name}' is not in the library.", choose_from(name, sorted(library)))
                for name in unknown
            ]
        )
    tables = [_score_instrument(responses[responses["instrument"] == name], library[name]) for name in present]
    empty = pd.DataFrame(columns=list(SCORE_DTYPES))
    return (pd.concat(tables, ignore_index=True) if tables else empty).astype(SCORE_DTYPES)


def _score_instrument(rows: pd.DataFrame, instrument: Instrument) -> pd.DataFrame:
    occasions, occasion = _occasions(rows)
    answers = _answer_matrix(rows, occasion, len(occasions), instrument)
    _require_allowed(answers, instrument)
    for position, item in enumerate(instrument.items):
        if item.reverse:
            answers[:, position] = instrument.allowed_values(item.id).reverse(answers[:, position])
    ids = [item.id for item in instrument.items]
    tables = []
    for measure, measure_id in zip(instrument.measures, instrument.measure_ids, strict=True):
        columns = [ids.index(item.id) for item in instrument.items_of(measure)]
        tables.append(occasions.assign(measure=measure_id, **_score_measure(answers[:, columns], measure)))
    return pd.concat(tables, ignore_index=True)


def _occasions(rows: pd.DataFrame) -> tuple[pd.DataFrame, NDArray[np.intp]]:
    """Return participant x timepoint in order of first appearance, and which of them each row belongs to."""
    participant, participants = pd.factorize(rows["participant_id"], use_na_sentinel=False)
    timepoint, timepoints = pd.factorize(rows["timepoint"], use_na_sentinel=False)
    occasion, pairs = pd.factorize(participant * len(timepoints) + timepoint)
    table = pd.DataFrame({
        "participant_id": participants[pairs // len(timepoints)], "timepoint": timepoints[pairs % len(timepoints)],
    })  # fmt: skip
    return table, occasion


def _answer_matrix(rows: pd.DataFrame, occasion: NDArray[np.intp], n_occasions: int, instrument: Instrument) -> Answers:
    """Return answers as occasions x items, NaN where missing."""
    ids = [item.id for item in instrument.items]
    position = pd.Index(ids).get_indexer(pd.Index(rows["item"], dtype="object"))
    unknown = rows["item"][position < 0].unique()
    if len(unknown):
        raise InstrumentError(
            [
                Problem("unknown_item", f"{instrument.id} has no item '{name}'.", choose_from(str(name), ids))
                for name in unknown
            ]
        )
    cell = occasion * len(ids) + position
    twice = pd.Series(cell).duplicated().to_numpy()
    if twice.any():
        raise InstrumentError([
            Problem("answered_twice", f"{instrument.id} item {ids[place]} stands more than once for a participant x "
                    "timepoint.", "Keep one row for each participant, timepoint and item.")
            for place in np.unique(position[twice])
        ])  # fmt: skip
    answers = np.full((n_occasions, len(ids)), np.nan)
    answers.ravel()[cell] = rows["value"].to_numpy(dtype="float64", na_value=np.nan)
    return answers


def _require_allowed(answers: Answers, instrument: Instrument) -> None:
    problems = []
    for position, item in enumerate(instrument.items):
        column, allowed = answers[:, position], instrument.allowed_values(item.id)
        count = int((~np.isnan(column) & ~allowed.allows(column)).sum())
        if count:
            expected = ", ".join(map(str, allowed.options)) or f"{allowed.minimum:g} to {allowed.maximum:g}"
            problems.append(
                Problem(
                    "value_not_allowed",
                    f"{instrument.id} item {item.id}: answers outside its response set ({expected}): {count}.",
                    "Quarantine them, or declare them as missing codes.",
                )
            )
    if problems:
        raise InstrumentError(problems)


def _score_measure(answers: Answers, measure: Measure) -> dict[str, NDArray[np.generic]]:
    n_items = answers.shape[1]
    answered = (~np.isnan(answers)).sum(axis=1)
    scored = n_items - answered <= measure.missing.max_missing  # which a definition keeps below n_items
    total = np.nansum(answers, axis=1) * (n_items if measure.method == "sum" else 1)
    score = np.full(len(answers), np.nan)
    np.divide(total, answered, out=score, where=scored)
    low, high = measure.range
    return {
        "score": np.clip(score * measure.multiply, low, high),  # only rounding can leave the range
        "n_items": np.full(len(answers), n_items),
        "n_answered": answered,
        "method": np.select([~scored, answered == n_items], ["too_few_answered", "complete"], "prorated"),
    }
