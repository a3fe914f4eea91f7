"""Everything that can be said about how measures work in one sample, as one long table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Final

import numpy as np
import pandas as pd

from data_contracts.errors import Problem
from data_contracts.telling import Number, list_told, tell, tell_many, words_of
from instruments.errors import InstrumentError
from instruments.psychometrics.invariance import Invariance, assess_invariance
from instruments.psychometrics.item_statistics import (
    estimate_mean_correlation,
    relate_items,
    summarise_ends,
    summarise_items,
)
from instruments.psychometrics.reliability import (
    Estimate,
    derive_measurement_error,
    estimate_alpha,
    estimate_omega,
    estimate_retest_agreement,
)

SAMPLE_DTYPES: Final[dict[str, str]] = {
    "measure": "str", "timepoint": "str", "item": "str", "statistic": "str", "value": "float64", "conf_low": "float64",
    "conf_high": "float64", "n": "float64", "method": "str", "words": "str", "verdict": "str",
}  # fmt: skip
LEVELS: Final = ("none", "configural", "metric", "scalar")
FIT_COLUMNS: Final = ("chisq", "df", "p_value", "cfi", "tli", "rmsea", "srmr", "change_in_cfi", "change_in_rmsea")
ITEM_COLUMNS: Final = ("mean", "sd", "floor", "ceiling", "floor_share", "ceiling_share")
END_COLUMNS: Final = ("floor", "ceiling", "floor_share", "ceiling_share")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MeasureSample:
    """The answers and scores of one measure at one timepoint.

    Attributes
    ----------
    measure, timepoint : str
        ``phq-9.total``, ``baseline``.
    answers : DataFrame
        Participant x item of the measure, scored (reversed items turned), NaN where missing; one row per participant.
    limits : mapping
        Item -> lowest and highest possible scored answer.
    scores : Series
        Participant -> score in points, NaN without one.
    score_limits : tuple of float
        Lowest and highest possible score.
    """

    measure: str
    timepoint: str
    answers: pd.DataFrame
    limits: Mapping[str, tuple[float, float]]
    scores: pd.Series
    score_limits: tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """One row of the table; empty text and NaN mean "does not apply"."""

    statistic: str
    item: str = ""
    value: float = np.nan
    conf_low: float = np.nan
    conf_high: float = np.nan
    n: float = np.nan
    method: str = ""
    verdict: str = "observed"


def assess_sample(samples: Iterable[MeasureSample], *, fewest: int, with_invariance: bool = False) -> pd.DataFrame:
    """Assess reliability, items, ends of the range, measurement error and invariance of every measure and timepoint.

    Parameters
    ----------
    samples : iterable of MeasureSample
        The timepoints of a measure in their order; the first is what later ones are compared with.
    fewest : int
        No statistic comes from fewer participants.
    with_invariance : bool
        Whether to compare each later timepoint with the first by `assess_invariance`.

    Returns
    -------
    DataFrame
        One row per statistic: measure, timepoint, item (empty for the measure as a whole), statistic, value, conf_low,
        conf_high (95 %), n (participants behind it), method, words (the method as pattern and values, for
        `data_contracts.telling.read_told`) and verdict, which is ``observed`` or ``refused:<reason>`` (then without
        numbers, `method` saying why).

        Of items: mean, sd, floor, ceiling (participants), floor_share, ceiling_share, item_rest_correlation,
        alpha_if_dropped. Of measures: cronbach_alpha, omega_total, mean_inter_item_correlation,
        negative_item_rest_correlations (their number; `method` names the items), score_sd, score_floor, score_ceiling
        (participants), their shares, standard_error_of_measurement, reliable_change. Between the first timepoint and
        a later one, under the later: agreement_with_first; and with invariance invariance_level (0 none, 1 configural,
        2 metric, 3 scalar; `method` says it in words) and the fit of each model (``metric_cfi`` ...).

    Raises
    ------
    InstrumentError
        ``limits_missing``: an item has no lowest and highest answer; ``not_a_number``; or ``answered_twice``.
    """
    rows, firsts = [], dict[str, MeasureSample]()
    for sample in samples:
        _require_sound(sample)
        first = firsts.setdefault(sample.measure, sample)
        found = [*_rows_of_one(sample, fewest)]
        if first is not sample:
            found += _rows_of_two(first, sample, fewest, with_invariance=with_invariance)
        at = {"measure": sample.measure, "timepoint": sample.timepoint}
        rows += [{**at, **asdict(row), "words": words_of(row.method)} for row in found]
    return pd.DataFrame(rows, columns=list(SAMPLE_DTYPES)).astype(SAMPLE_DTYPES)


def _require_sound(sample: MeasureSample) -> None:
    problems = [
        Problem(
            "limits_missing",
            f"{sample.measure} item {item}: the lowest and highest answer are not given.",
            "Give limits for every item.",
        )
        for item in sample.answers.columns
        if item not in sample.limits
    ]
    problems += [
        Problem("not_a_number", f"{sample.measure} item {item}: answers are no numbers.", "Give scored answers.")
        for item in sample.answers.columns
        if not pd.api.types.is_numeric_dtype(sample.answers[item])
    ]
    if sample.answers.index.has_duplicates or sample.scores.index.has_duplicates:
        problems.append(
            Problem(
                "answered_twice",
                f"{sample.measure} at {sample.timepoint}: a participant has more than one row.",
                "Keep one row for each participant.",
            )
        )
    if problems:
        raise InstrumentError(problems)


def _rows_of_one(sample: MeasureSample, fewest: int) -> Iterator[_Row]:
    yield from _attempt(("cronbach_alpha",), lambda: [_row("cronbach_alpha", _alpha(sample, fewest))])
    yield from _attempt(("omega_total",), lambda: [_row("omega_total", estimate_omega(sample.answers, fewest=fewest))])
    name = "mean_inter_item_correlation"
    yield from _attempt((name,), lambda: [_row(name, estimate_mean_correlation(sample.answers, fewest=fewest))])
    yield from _score_rows(sample, fewest)
    yield from _attempt(("standard_error_of_measurement", "reliable_change"), lambda: list(_error_rows(sample, fewest)))
    yield from _item_rows(sample, fewest)
    yield from _attempt(
        ("item_rest_correlation", "alpha_if_dropped", "negative_item_rest_correlations"),
        lambda: list(_relation_rows(sample, fewest)),
    )


def _rows_of_two(first: MeasureSample, later: MeasureSample, fewest: int, *, with_invariance: bool) -> Iterator[_Row]:
    def agreement() -> list[_Row]:
        estimate = estimate_retest_agreement(first.scores, later.scores, fewest=fewest)
        said = tell(
            "{agreement} with {timepoint}; it is lower where change differs between participants",
            agreement=estimate.method,
            timepoint=first.timepoint,
        )
        return [_row("agreement_with_first", replace(estimate, method=said))]

    yield from _attempt(("agreement_with_first",), agreement)
    if with_invariance:
        yield from _attempt(
            ("invariance_level",),
            lambda: list(_invariance_rows(assess_invariance([first.answers, later.answers]), first.timepoint)),
        )


def _attempt(statistics: tuple[str, ...], compute: Callable[[], list[_Row]]) -> list[_Row]:
    """Return computed rows, or for each statistic one row with the reason why not."""
    try:
        return compute()
    except InstrumentError as error:
        return [_refused(statistic, error.problems[0]) for statistic in statistics]


def _row(statistic: str, estimate: Estimate) -> _Row:
    return _Row(statistic=statistic, **asdict(estimate))


def _refused(statistic: str, problem: Problem, item: str = "") -> _Row:
    return _Row(statistic=statistic, item=item, method=problem.message, verdict=f"refused:{problem.code}")


def _alpha(sample: MeasureSample, fewest: int) -> Estimate:
    return estimate_alpha(sample.answers, fewest=fewest)


def _too_few_scores(fewest: int) -> Problem:
    message = tell_many(
        "At least {fewest} participant with a score is needed.",
        "At least {fewest} participants with a score are needed.",
        fewest,
        fewest=Number(fewest),
    )
    return Problem("too_few_participants", message, "Gather more.")


def _too_few_answers(fewest: int) -> Problem:
    message = tell_many(
        "At least {fewest} participant with an answer is needed.",
        "At least {fewest} participants with an answer are needed.",
        fewest,
        fewest=Number(fewest),
    )
    return Problem("too_few_participants", message, "Gather more.")


def _score_rows(sample: MeasureSample, fewest: int) -> Iterator[_Row]:
    scores = sample.scores.dropna().sort_values()
    ends = summarise_ends(scores, *sample.score_limits)
    values = {"score_sd": float(scores.std()) if len(scores) > 1 else np.nan}
    values |= {f"score_{name}": float(getattr(ends, name)) for name in END_COLUMNS}
    for statistic, value in values.items():
        if ends.n < max(fewest, 2):
            yield _refused(statistic, _too_few_scores(max(fewest, 2)))
        else:
            yield _Row(statistic=statistic, value=value, n=ends.n, method=tell("scores"))


def _error_rows(sample: MeasureSample, fewest: int) -> Iterator[_Row]:
    alpha, scores = _alpha(sample, fewest), sample.scores.dropna().sort_values()
    if len(scores) < max(fewest, 2):
        raise InstrumentError(_too_few_scores(max(fewest, 2)))
    error = derive_measurement_error(float(scores.std()), alpha.value)
    yield _Row(
        statistic="standard_error_of_measurement",
        value=error.standard_error,
        n=min(alpha.n, len(scores)),
        method=tell("standard deviation of the scores and Cronbach's alpha"),
    )
    yield _Row(
        statistic="reliable_change",
        value=error.reliable_change,
        n=min(alpha.n, len(scores)),
        method=tell("standard deviation of the scores and Cronbach's alpha (Jacobson & Truax 1991)"),
    )


def _item_rows(sample: MeasureSample, fewest: int) -> Iterator[_Row]:
    for row in summarise_items(sample.answers, sample.limits).to_dict("records"):
        for name in ITEM_COLUMNS:
            if row["n"] < max(fewest, 2):
                yield _refused(name, _too_few_answers(max(fewest, 2)), str(row["item"]))
            else:
                value, words = float(row[name]), tell("answers")
                yield _Row(statistic=name, item=str(row["item"]), value=value, n=row["n"], method=words)


def _relation_rows(sample: MeasureSample, fewest: int) -> Iterator[_Row]:
    table = relate_items(sample.answers, fewest=fewest)
    n, against = len(sample.answers.dropna()), table.loc[table["item_rest_correlation"] < 0, "item"]
    for row in table.to_dict("records"):
        for name in ("item_rest_correlation", "alpha_if_dropped"):
            if not np.isnan(row[name]):
                words = tell("complete answers")
                yield _Row(statistic=name, item=str(row["item"]), value=row[name], n=n, method=words)
    yield _Row(
        statistic="negative_item_rest_correlations",
        value=len(against),
        n=n,
        method=tell("items that run against the others: {items}", items=list_told(against))
        if len(against)
        else tell("items that run against the others: none"),
    )


def _invariance_rows(invariance: Invariance, first: str) -> Iterator[_Row]:
    n = invariance.configural.n
    yield _Row(statistic="invariance_level", value=LEVELS.index(invariance.level), n=n, method=invariance.words)
    for row in invariance.tidy().to_dict("records"):
        for name in FIT_COLUMNS:
            if not np.isnan(row[name]):
                yield _Row(
                    statistic=f"{row['level']}_{name}", value=row[name], n=n,
                    method=tell(
                        "one factor at each timepoint by maximum likelihood, with {timepoint}", timepoint=first
                    ),
                )  # fmt: skip
