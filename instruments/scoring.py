"""One engine for every instrument: answers in, scores out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data_contracts.errors import Problem, choose_from
from instruments.errors import InstrumentError
from instruments.model import Instrument
from instruments.parts import AllowedValues, Measure

ANSWER_COLUMNS: Final = ("participant_id", "timepoint", "instrument", "item", "value")
SCORE_DTYPES: Final[dict[str, str]] = {
    "participant_id": "str", "timepoint": "str", "measure": "str", "score": "float64", "n_items": "int64",
    "n_answered": "int64", "method": "str",
}  # fmt: skip

Answers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class MeasureScores:
    """Scores of one measure.

    Attributes
    ----------
    score : array of float, (n,)
        Points within the measure's range; NaN where too few items were answered.
    n_items : int
        Items of the measure.
    n_answered : array of int, (n,)
        How many of them were answered.
    method : array of str, (n,)
        ``complete``, ``prorated``, ``missing_as_zero`` or ``too_few_answered``.
    """

    score: Answers
    n_items: int
    n_answered: NDArray[np.int64]
    method: NDArray[np.str_]


def score_responses(responses: pd.DataFrame, library: Mapping[str, Instrument]) -> pd.DataFrame:
    """Score every instrument that was answered, from one row per answer.

    Each answer first becomes what it counts (its option's score; reversed items: lowest + highest - score). A sum over
    k items of which n were answered is then k x (sum of the answered) / n, a mean is (sum of the answered) / n, both
    times `multiply` plus `add`, as long as k - n is at most the measure's `max_missing`; otherwise there is no score.
    Where the rule lets missing answers count as zero, the sum is that of the answered, and the mean divides it by k.

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
        and method (see `MeasureScores`). Ordered by instrument, measure, and first appearance of participant x
        timepoint.

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


def score_wide(frame: pd.DataFrame, instrument: Instrument, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Score one instrument from one row per participant and occasion.

    Parameters
    ----------
    frame : DataFrame
        Answers as numbers, or as text that is a number; blank or NaN where missing.
    instrument : Instrument
        As the data have it, see `apply_variants`.
    columns : sequence of str, optional
        The columns of its items, in item order; by default columns named after the items.

    Returns
    -------
    DataFrame
        With the index of `frame` and, for each measure that is computed, the columns ``<measure id>`` (points; NaN
        without a score) and ``<measure id>.n_answered``.

    Raises
    ------
    InstrumentError
        A column is absent or holds something that is no number, or an answer is outside its response set.
    """
    scored = score_matrix(read_answers(frame, instrument, columns), instrument)
    found: dict[str, NDArray[np.generic]] = {}
    for measure, each in scored.items():
        found |= {f"{instrument.id}.{measure}": each.score, f"{instrument.id}.{measure}.n_answered": each.n_answered}
    return pd.DataFrame(found, index=frame.index)


def read_answers(frame: pd.DataFrame, instrument: Instrument, columns: Sequence[str] | None = None) -> Answers:
    """Return the answers of a wide table as rows x items, NaN where missing; see `score_wide` for the rest."""
    ids = [item.id for item in instrument.items]
    chosen = list(ids if columns is None else columns)
    if len(chosen) != len(ids):
        raise InstrumentError(
            Problem(
                "columns_do_not_fit",
                f"{instrument.id} has {len(ids)} items, but {len(chosen)} columns are named.",
                f"Name one column for each of the items {', '.join(ids)}, in this order.",
            )
        )
    names = [str(column) for column in frame.columns]
    absent = [column for column in chosen if column not in names]
    if absent:
        raise InstrumentError([
            Problem("column_missing", f"The table has no column '{column}'.", choose_from(column, names))
            for column in absent
        ])  # fmt: skip
    answers = np.empty((len(frame), len(ids)))
    problems = []
    for place, column in enumerate(chosen):
        cells = frame.iloc[:, names.index(column)]
        numbers = pd.to_numeric(cells, errors="coerce").to_numpy(dtype="float64", na_value=np.nan)
        lost = int((np.isnan(numbers) & cells.notna() & (cells.astype("str").str.strip() != "")).sum()) if (
            not pd.api.types.is_numeric_dtype(cells)
        ) else 0  # fmt: skip
        if lost:
            problems.append(
                Problem(
                    "not_a_number",
                    f"{lost} cells of the column hold something that is no number.",
                    "Replace texts by their codes, and missing codes by blanks.",
                    key=column,
                )
            )
        answers[:, place] = numbers
    if problems:
        raise InstrumentError(problems)
    return answers


def score_matrix(answers: Answers, instrument: Instrument) -> dict[str, MeasureScores]:
    """Score answers that are arranged as rows x items.

    Parameters
    ----------
    answers : array of float, (n, k)
        In the instrument's item order, as answered (neither reversed nor recoded), NaN where missing.
    instrument : Instrument
        As the data have it.

    Returns
    -------
    dict
        Measure id (such as ``total``) -> MeasureScores, for every measure that is computed.

    Raises
    ------
    InstrumentError
        An answer is outside the item's response set.
    """
    scores = count_answers(answers, instrument)
    discarded = np.zeros(len(answers), dtype=bool)
    if instrument.max_missing is not None:
        discarded = np.isnan(answers).sum(axis=1) > instrument.max_missing
    places = {item.id: place for place, item in enumerate(instrument.items)}
    return {
        measure.id: _score_measure(scores[:, [places[item.id] for item in items]], measure, discarded)
        for measure in instrument.scored_measures
        for items in [instrument.items_of(measure)]
    }


def count_answers(answers: Answers, instrument: Instrument) -> Answers:
    """Return what each answer counts, recoded and reversed, as rows x items; errors as `score_matrix`."""
    allowed = [instrument.allowed_values(item.id) for item in instrument.items]
    _require_allowed(answers, instrument, allowed)
    counted = np.empty_like(answers)
    for place, (item, values) in enumerate(zip(instrument.items, allowed, strict=True)):
        counted[:, place] = values.score(answers[:, place], reverse=item.reverse)
    return counted


def _score_instrument(rows: pd.DataFrame, instrument: Instrument) -> pd.DataFrame:
    occasions, occasion = _occasions(rows)
    scored = score_matrix(_answer_matrix(rows, occasion, len(occasions), instrument), instrument)
    tables = [
        occasions.assign(
            measure=f"{instrument.id}.{name}",
            score=each.score,
            n_items=each.n_items,
            n_answered=each.n_answered,
            method=each.method,
        )
        for name, each in scored.items()
    ]
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


def _require_allowed(answers: Answers, instrument: Instrument, allowed: Sequence[AllowedValues]) -> None:
    problems = []
    for position, (item, values) in enumerate(zip(instrument.items, allowed, strict=True)):
        column = answers[:, position]
        count = int((~np.isnan(column) & ~values.allows(column)).sum())
        if count:
            expected = ", ".join(map(str, values.options)) or f"{values.minimum:g} to {values.maximum:g}"
            problems.append(
                Problem(
                    "value_not_allowed",
                    f"{instrument.id} item {item.id}: answers outside its response set ({expected}): {count}.",
                    "Quarantine them, declare them as missing codes, or name the variant that the data have.",
                )
            )
    if problems:
        raise InstrumentError(problems)


def _score_measure(own: Answers, measure: Measure, discarded: NDArray[np.bool_]) -> MeasureScores:
    n_items = own.shape[1]
    answered = n_items - np.isnan(own).sum(axis=1)
    scored = (n_items - answered <= measure.missing.max_missing) & ~discarded  # which a definition keeps below n_items
    total = np.nansum(own, axis=1) * (n_items if measure.method == "sum" else 1)
    score = np.full(len(own), np.nan)
    by_zero = measure.missing.treat == "zero"
    np.divide(total, n_items if by_zero else answered, out=score, where=scored)
    if measure.lookup:
        table = np.array([step.score for step in measure.lookup])
        score[scored] = table[np.rint(score[scored]).astype(np.int64) - measure.lookup[0].raw]
    low, high = measure.range
    return MeasureScores(
        score=np.clip(score * measure.multiply + measure.add, low, high),  # only rounding can leave the range
        n_items=n_items,
        n_answered=answered,
        method=np.select(
            [~scored, answered == n_items],
            ["too_few_answered", "complete"],
            "missing_as_zero" if by_zero else "prorated",
        ),
    )
