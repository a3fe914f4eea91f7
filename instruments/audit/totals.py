"""The audit of delivered totals: each is computed again from its items, and the rule it obeys is named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from data_contracts.errors import Problem, choose_from
from instruments.audit.forms import Reading, list_forms_read
from instruments.audit.results import ALL, DeliveryGap, RuleFinding, ScoreAudit
from instruments.audit.rules import say_missing
from instruments.audit.turned_items import correlate_items, no_items
from instruments.audit.verdict import judge_measure
from instruments.errors import InstrumentError
from instruments.model import Instrument
from instruments.scoring import Answers, read_answers

_KEY: Final = ["participant_id", "timepoint"]


def audit_scores(
    answers: Answers | pd.DataFrame,
    delivered: Mapping[str, ArrayLike] | pd.DataFrame,
    instrument: Instrument,
    *,
    columns: Sequence[str] | None = None,
    timepoints: Sequence[str] | None = None,
) -> ScoreAudit:
    """Name the rule that each delivered total obeys.

    Rows with every item of a measure answered and rows with missing answers are looked at apart, for a rule about
    missing answers cannot show on the former. In each part the first rule is the one that gives most of the delivered
    totals (to 0.00001 points, or exactly once rounded to 2, 1 or 0 decimals); the declared rule wins ties, then rules
    that were found over all timepoints, then simpler ones. Another than the declared is named only where it explains
    at least half of five rows or more. Rows that are left are looked at again; then it must explain four fifths.
    Rules of equal simplicity that fit the same rows are reported as ``cannot_be_told``.

    Parameters
    ----------
    answers : array of float, (n, k), or DataFrame
        As delivered, in item order, NaN where missing; no answer is changed. See `score_wide` for tables.
    delivered : mapping or DataFrame
        Measure id, such as ``ces-d.total`` -> its totals, (n,), in points; NaN where missing.
    instrument : Instrument
        The definition with its variants, for they are among the rules that are tried.
    columns : sequence of str, optional
        The columns of its items, where `answers` is a table.
    timepoints : sequence of str, (n,), optional
        Looked at one by one too, for a rule may hold in one delivery only.

    Returns
    -------
    ScoreAudit
        Rows in which no item of the measure is answered, and complete rows without a delivered total, are counted in
        its `gaps` alone.

    Raises
    ------
    InstrumentError
        A measure is unknown or not computed, columns do not fit, totals are no numbers or not as many as rows, or
        answers fit neither the instrument, nor a variant, nor codes one higher or lower.
    """
    rows = np.asarray(
        read_answers(answers, instrument, columns) if isinstance(answers, pd.DataFrame) else answers, dtype="float64"
    )
    totals = _read_totals(delivered, instrument, len(rows))
    cells = _cells(timepoints, len(rows))
    forms = list_forms_read(rows, instrument)
    readings = [reading for form in forms for reading in form.read()]
    read_as = forms[0]
    findings: list[RuleFinding] = []
    gaps: list[DeliveryGap] = []
    for measure, total in totals.items():
        base, *others = [one for one in readings if f"{instrument.id}.{one.measure.id}" == measure]
        own = [base, *[one for one in others if one.is_raw or one.shift or one.layout != base.layout]]
        findings += judge_measure(own, total, instrument, cells)
        gaps += [_count_gaps(own[0], total, measure, cell, taken) for cell, taken in cells.items()]
    declared = {f"{instrument.id}.{measure.id}": measure for measure in instrument.scored_measures}
    items = correlate_items(read_as.count(), read_as.instrument, timepoints)
    return ScoreAudit(
        labels={measure: declared[measure].label for measure in totals},
        declared_missing={measure: say_missing(declared[measure].missing) for measure in totals},
        findings=tuple(findings),
        gaps=tuple(gaps),
        items=items[items["measure"].isin(list(totals))].reset_index(drop=True),
    )


def audit_responses(
    responses: pd.DataFrame, delivered_scores: pd.DataFrame, library: Mapping[str, Instrument]
) -> ScoreAudit:
    """Audit the delivered totals of every instrument, from the tables of a study.

    Parameters
    ----------
    responses : DataFrame
        The `responses` table; read are participant_id, timepoint, instrument, item and value (NaN where missing).
    delivered_scores : DataFrame
        participant_id, timepoint, measure and score. Measures that the library does not compute are passed over.
    library : mapping
        Instrument id -> Instrument.

    Returns
    -------
    ScoreAudit
        Of every computed measure with a delivered total, in the order of the library.

    Raises
    ------
    InstrumentError
        As `audit_scores`; or a column is absent, an item unknown, or a row stands twice.
    """
    _require_columns(responses, (*_KEY, "instrument", "item", "value"), "responses")
    _require_columns(delivered_scores, (*_KEY, "measure", "score"), "delivered scores")
    audits = []
    for name, instrument in library.items():
        measures = [f"{name}.{measure.id}" for measure in instrument.scored_measures]
        totals = delivered_scores[delivered_scores["measure"].isin(measures)]
        if len(totals):
            answers, delivered, timepoints = _arrange(responses[responses["instrument"] == name], totals, instrument)
            audits.append(audit_scores(answers, delivered, instrument, timepoints=timepoints))
    return ScoreAudit(
        labels={name: label for audit in audits for name, label in audit.labels.items()},
        declared_missing={name: words for audit in audits for name, words in audit.declared_missing.items()},
        findings=tuple(one for audit in audits for one in audit.findings),
        gaps=tuple(one for audit in audits for one in audit.gaps),
        items=pd.concat([no_items(), *[audit.items for audit in audits]], ignore_index=True),
    )


def _read_totals(
    delivered: Mapping[str, ArrayLike] | pd.DataFrame, instrument: Instrument, n_rows: int
) -> dict[str, Answers]:
    """Return the delivered totals by measure, in the instrument's order."""
    computed = [f"{instrument.id}.{measure.id}" for measure in instrument.scored_measures]
    problems, totals = [], {}
    for name, values in delivered.items():
        numbers = pd.to_numeric(pd.Series(values), errors="coerce").to_numpy(dtype="float64", na_value=np.nan)
        given = pd.Series(values).replace("", np.nan).notna().to_numpy()
        if name not in computed:
            problems.append(
                Problem("unknown_measure", f"{instrument.id} computes no '{name}'.", choose_from(str(name), computed))
            )
        elif len(numbers) != n_rows:
            problems.append(
                Problem("rows_differ", f"{name} has {len(numbers)} totals for {n_rows} rows of answers.",
                        "Give one total, or a blank, for each row.")
            )  # fmt: skip
        elif (given & ~np.isfinite(numbers)).any():
            count = int((given & ~np.isfinite(numbers)).sum())
            problems.append(
                Problem("not_a_number", f"{count} totals are no finite number.", "Replace missing codes by blanks.",
                        key=str(name))
            )  # fmt: skip
        totals[str(name)] = numbers
    if problems:
        raise InstrumentError(problems)
    return {name: totals[name] for name in computed if name in totals}


def _cells(timepoints: Sequence[str] | None, n_rows: int) -> dict[str, NDArray[np.bool_]]:
    """Return which rows belong to all, and to each timepoint in order of first appearance."""
    cells = {ALL: np.ones(n_rows, dtype=bool)}
    if timepoints is None:
        return cells
    labels = pd.Series(timepoints).astype("str").to_numpy()
    if len(labels) != n_rows:
        raise InstrumentError(
            Problem("rows_differ", f"There are {len(labels)} timepoints for {n_rows} rows.", "Give one for each row.")
        )
    if ALL in labels:
        raise InstrumentError(
            Problem("timepoint_reserved", f"A timepoint is called '{ALL}', which stands for all rows.", "Rename it.")
        )
    return cells | {str(label): labels == label for label in dict.fromkeys(labels)}


def _count_gaps(base: Reading, total: Answers, measure: str, timepoint: str, rows: NDArray[np.bool_]) -> DeliveryGap:
    known, scored = ~np.isnan(total), ~np.isnan(base.own)
    answered = ~np.isnan(base.counted).all(axis=1)
    expected = bool((rows & known).any())
    return DeliveryGap(
        measure=measure,
        timepoint=timepoint,
        delivered=int((rows & known).sum()),
        delivered_without_answers=int((rows & known & ~answered).sum()),
        delivered_where_we_give_none=int((rows & known & answered & ~scored).sum()),
        not_delivered_where_we_give_one=int((rows & ~known & scored).sum()) if expected else 0,
    )


def _require_columns(table: pd.DataFrame, columns: Sequence[str], what: str) -> None:
    absent = [column for column in columns if column not in table.columns]
    if absent:
        raise InstrumentError(
            Problem("column_missing", f"The {what} have no column {', '.join(absent)}.", f"Give {', '.join(columns)}.")
        )


def _arrange(
    responses: pd.DataFrame, totals: pd.DataFrame, instrument: Instrument
) -> tuple[Answers, dict[str, Answers], list[str]]:
    """Return answers, delivered totals and timepoints, one row per participant x timepoint in either table."""
    keys = pd.concat([responses[_KEY], totals[_KEY]], ignore_index=True)
    row = keys.groupby(_KEY, sort=False, dropna=False).ngroup().to_numpy()
    n_rows, n_answers = len(set(row)), len(responses)
    timepoints = keys["timepoint"].to_numpy()[np.unique(row, return_index=True)[1]]
    ids = [item.id for item in instrument.items]
    place = pd.Index(ids).get_indexer(pd.Index(responses["item"], dtype="object"))
    unknown = sorted(set(responses["item"][place < 0].astype("str")))
    if unknown:
        raise InstrumentError([
            Problem("unknown_item", f"{instrument.id} has no item '{name}'.", choose_from(name, ids))
            for name in unknown
        ])  # fmt: skip
    answers = np.full((n_rows, len(ids)), np.nan)
    _fill_once(answers, row[:n_answers] * len(ids) + place, responses["value"], f"answers to {instrument.id}")
    delivered = {}
    for measure in totals["measure"].unique():
        own = (totals["measure"] == measure).to_numpy()
        delivered[str(measure)] = np.full(n_rows, np.nan)
        _fill_once(delivered[str(measure)], row[n_answers:][own], totals.loc[own, "score"], f"totals of {measure}")
    return answers, delivered, [str(label) for label in timepoints]


def _fill_once(target: Answers, cells: NDArray[np.intp], values: pd.Series, what: str) -> None:
    if len(np.unique(cells)) < len(cells):
        raise InstrumentError(
            Problem("delivered_twice", f"Some {what} stand more than once for a participant x timepoint.",
                    "Keep one row for each.")
        )  # fmt: skip
    target.ravel()[cells] = values.to_numpy(dtype="float64", na_value=np.nan)
