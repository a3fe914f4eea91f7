"""How much of the change of a single group would be expected without any programme, from what the plan declares.

What is left over is the observed change less the expected one. It is nobody's doing until something else shows whose.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import pandas as pd

from analysis.certainty_reasons import Reason
from analysis.evaluation import Evaluation
from analysis.expected_change import (
    ExpectedChange,
    compare_baselines,
    compare_with_expected,
    expect_natural_change,
)
from analysis.frames import count_classes, count_fewest, score_column
from analysis.mixed_models.inference import Estimate, make_estimate
from analysis.plan import Outcome
from analysis.plan_parts import Entry
from analysis.regression_to_mean import EntryRule, Reference, expect_change_by_mean, expect_change_by_rule
from analysis.results import NAN, Result
from analysis.telling import Number, Told, tell, tell_many

ANALYSIS: Final = "expected_change"
REGRESSION: Final = "regression_to_mean"
NATURAL: Final = "natural_change"
BY_RULE, BY_MEAN = "entry_rule", "baseline_mean"
"""Ways to expect regression to the mean, written as `item` of a row."""
LEFT_OVER: Final = "left_over"
JUDGEMENT: Final = "judgement"
"""Statistic of a row whose `method` says in words how the change lies to the expected one."""
FROM_FIRST, FROM_SECOND, BETWEEN = "change_from_first", "change_from_second", "change_between_baselines"
SECOND_BASELINE: Final = "second_baseline"
MOST_OUTSIDE: Final = 0.05
"""Share of baseline scores outside of the declared entry rule beyond which the rule is not what chose these people."""

WITHIN: Final = tell("The change seen is about what one would expect without any programme.")
NOT_TOLD_APART: Final = tell("The change seen cannot be told apart from what one would expect without any programme.")
MORE: Final = tell(
    "The change seen is more than that. Whether the programme, or anything else that happened meanwhile, is behind the "
    "rest cannot be told."
)
LESS: Final = tell("The change seen is less than that, or goes the other way.")
DOUBTS: Final[dict[str, Told]] = {
    WITHIN: tell("At {timepoint} the change is about what one would expect without any programme."),
    NOT_TOLD_APART: tell(
        "At {timepoint} the change cannot be told apart from what one would expect without any programme."
    ),
}
"""Judgement -> sentence to put a timepoint in."""

REFUSALS: Final[dict[str, Told]] = {
    "no_entry_rule": tell(
        "Regression to the mean cannot be told: the plan does not say from among whom people entered. Who enters "
        "because of a score far from the average scores closer to it the next time, as part of that score was chance, "
        "and how much depends on the border and on how well two scores of a person agree.\nAsk who decided on entry, "
        "and from which score on; take mean, standard deviation and retest correlation of the people they came from "
        "out of one published sample, and write them as 'entry' of the outcome."
    ),
    "rule_not_followed": tell(
        "More than {percent}\u00a0% of the scores at {baseline} lie outside of the declared entry rule, so it is not "
        "what chose these people, and the change to expect is taken from their mean alone.\nCheck the border, and "
        "whether people entered by this score or by an earlier one: that would be a timepoint of its own."
    ),
    "one_baseline": tell(
        "The study has one timepoint before the programme, and a second baseline needs two.\nDeclare both "
        "in study.yaml, such as {first} and {second}, or take 'second_baseline' out of the plan."
    ),
}
"""Reason code -> sentence to put values in. None gives a number of people found."""
_BASELINES: Final = {"first": "{id: screening, week: -4}", "second": "{id: start, week: 0}"}


@dataclass(frozen=True, slots=True)
class _Way:
    """One way to say what would be expected; `n` people are behind it, NaN where declared numbers alone are."""

    statistic: str
    item: str
    expected: ExpectedChange
    n: float = NAN


def expect_changes(evaluation: Evaluation) -> Iterator[Result]:
    """Yield what would be expected without any programme, and how the change of a single group lies to it.

    Parameters
    ----------
    evaluation : Evaluation
        Of a single group; of every other design nothing is told, as people without the programme show it there.

    Yields
    ------
    Result
        For each estimand of a score that was estimated: ``regression_to_mean`` (`item` ``entry_rule``, declared, and
        ``baseline_mean``) and ``natural_change`` (declared), in points, later minus before; for each of them
        ``left_over``, the observed change less the expected one, and ``judgement``, a sentence in `method`. Without an
        entry rule in the plan, or where people do not follow it, a refusal. With ``second_baseline`` in the plan
        ``change_from_first``, ``change_from_second`` and ``change_between_baselines`` of the people with all three
        scores. Timepoints of week 0 and before are before the programme.
    """
    if evaluation.design.kind != "single_group":
        return
    for outcome in evaluation.plan.outcomes:
        if outcome.kind != "score":
            continue
        asked = {estimand.id for estimand in evaluation.plan.estimands if estimand.outcome == outcome.id}
        for answer in evaluation.answers:
            if answer.estimand in asked and answer.verdict == "estimated":
                yield from _hold_against(answer, outcome, evaluation)
        if SECOND_BASELINE in evaluation.plan.sensitivity:
            yield from _compare_baselines(outcome, evaluation)


def reasons_of_expected(outcome: Outcome, evaluation: Evaluation, found: Sequence[Result]) -> Iterator[Reason]:
    """Yield a reason where the change of an outcome lies within what would be expected anyway."""
    labels = {timepoint.id: timepoint.label for timepoint in evaluation.design.timepoints}
    for row in found:
        if row.analysis == ANALYSIS and row.statistic == JUDGEMENT and row.method in DOUBTS:
            sentence = tell(DOUBTS[row.method], timepoint=labels[row.timepoint])
            yield Reason("expected", sentence, timepoint=row.timepoint)
            return


def judge_change(observed: float, expected: ExpectedChange, left_over: Estimate) -> Told:
    """Return in words how an observed change lies to an expected one; what is left over is nobody's doing."""
    if expected.conf_low <= observed <= expected.conf_high:
        return WITHIN
    if left_over.conf_low <= 0 <= left_over.conf_high:
        return NOT_TOLD_APART
    return MORE if left_over.value * expected.value > 0 else LESS


def _hold_against(answer: Result, outcome: Outcome, evaluation: Evaluation) -> Iterator[Result]:
    """Yield every expected change of an estimand, what is left over of its own, and what cannot be told."""
    design = evaluation.design
    scores = evaluation.frames[outcome.id][score_column(design.baseline.id)].dropna()
    observed = make_estimate(answer.value, answer.std_error, answer.df)
    empty = replace(_place(answer), n=answer.n, classes=answer.classes, fewest=answer.fewest)
    reason = _find_refusal(outcome.entry, scores)
    if reason:
        words = tell(REFUSALS[reason], percent=Number(100 * MOST_OUTSIDE), baseline=design.baseline.label)
        yield replace(_place(answer), statistic=REGRESSION, verdict=f"refused:{reason}", method=words)
    for way in _ways(outcome, scores, reason):
        is_declared = math.isnan(way.n)
        kind = replace(_place(answer), item=way.item)
        yield replace(
            kind,
            statistic=way.statistic,
            **_numbers(way.expected),
            n=way.n,
            classes=NAN if is_declared else answer.classes,
            fewest=NAN if is_declared else count_fewest(scores),
            method=way.expected.method,
            verdict="declared" if is_declared else "estimated",
        )
        left_over = compare_with_expected(observed, way.expected)
        beside = replace(empty, item=way.item or way.statistic, verdict="estimated")
        method = tell("observed change less the expected one, Welch's degrees of freedom")
        yield replace(beside, statistic=LEFT_OVER, **_numbers(left_over), method=method)
        yield replace(beside, statistic=JUDGEMENT, method=judge_change(answer.value, way.expected, left_over))


def _ways(outcome: Outcome, scores: pd.Series, refused: str) -> Iterator[_Way]:
    """Yield the ways to expect a change that the plan declares the numbers of."""
    if outcome.entry is not None:
        reference, rule = _reference_of(outcome.entry), _rule_of(outcome.entry)
        if rule is not None and not refused:
            yield _Way(REGRESSION, BY_RULE, expect_change_by_rule(reference, rule))
        yield _Way(REGRESSION, BY_MEAN, expect_change_by_mean(reference, mean=_coarse_mean(scores)), len(scores))
    natural = outcome.natural_change
    if natural is not None:
        numbers = natural.model_dump(include={"mean", "sd", "n", "source"})
        yield _Way(NATURAL, "", expect_natural_change(**numbers))


def _find_refusal(entry: Entry | None, scores: pd.Series) -> str:
    """Return why regression to the mean cannot be told from a border, or nothing."""
    if entry is None:
        return "no_entry_rule"
    low = -math.inf if entry.at_least is None else entry.at_least
    high = math.inf if entry.at_most is None else entry.at_most
    return "rule_not_followed" if (~scores.between(low, high)).mean() > MOST_OUTSIDE else ""


def _reference_of(entry: Entry) -> Reference:
    told = entry.reference
    return Reference(
        mean=told.mean,
        sd=told.sd,
        retest=told.retest_correlation,
        n=told.n,
        n_retest=told.n_retest,
        source=told.source,
    )


def _rule_of(entry: Entry) -> EntryRule | None:
    """Return the border, None where people entered without one."""
    if entry.at_least is None and entry.at_most is None:
        return None
    return EntryRule(at_least=entry.at_least, at_most=entry.at_most, step=entry.step)


def _coarse_mean(scores: pd.Series) -> float:
    """Return a mean with as many digits as its precision bears: with the declared numbers finer ones could be had."""
    mean, std_error = float(scores.mean()), float(scores.sem())
    return round(mean, math.ceil(-math.log10(0.4 * std_error))) if std_error > 0 else round(mean)


def _compare_baselines(outcome: Outcome, evaluation: Evaluation) -> Iterator[Result]:
    """Yield the change from the second baseline beside that from the first, of the same people."""
    design, fewest = evaluation.design, evaluation.plan.small_numbers.floor
    before = [timepoint for timepoint in design.timepoints if timepoint.week <= 0]
    empty = Result(analysis=ANALYSIS, statistic=FROM_SECOND, outcome=outcome.id, prespecified=True)
    if len(before) < 2:
        yield replace(empty, verdict="refused:one_baseline", method=tell(REFUSALS["one_baseline"], **_BASELINES))
        return
    asked = {estimand.timepoint for estimand in evaluation.plan.estimands if estimand.outcome == outcome.id}
    frame = evaluation.frames[outcome.id]
    for later in (timepoint for timepoint in design.timepoints if timepoint.week > 0 and timepoint.id in asked):
        ends = [before[0].id, before[-1].id, later.id]
        scores = frame[[score_column(end) for end in ends]]
        at = replace(empty, timepoint=later.id)
        if scores.notna().all(axis=1).sum() < fewest:
            yield replace(at, verdict="refused:too_few_participants", method=_tell_too_few(fewest, later.label))
            continue
        found = compare_baselines(*scores.to_numpy(dtype=float).T)
        classes = count_classes(frame)
        shared: dict[str, Any] = {"n": found.n, "classes": classes, "fewest": _left_out(scores, found.n, classes)}
        for statistic, change, contrast in (
            (FROM_FIRST, found.from_first, f"{ends[2]} - {ends[0]}"),
            (FROM_SECOND, found.from_second, f"{ends[2]} - {ends[1]}"),
            (BETWEEN, found.between, f"{ends[1]} - {ends[0]}"),
        ):
            method = tell("paired t-test of the people with all three scores")
            numbers = _numbers(change)
            yield replace(
                at, statistic=statistic, contrast=contrast, **numbers, **shared, method=method, verdict="observed"
            )


def _tell_too_few(fewest: int, at: str) -> Told:
    return tell_many(
        "Fewer than {fewest} person has two scores before the programme and one at {timepoint}.\nRead the change from "
        "one baseline instead; the floor is small_numbers: fewest_per_arm in the plan.",
        "Fewer than {fewest} people have two scores before the programme and one at {timepoint}.\nRead the change from "
        "one baseline instead; the floor is small_numbers: fewest_per_arm in the plan.",
        fewest,
        fewest=Number(fewest),
        timepoint=at,
    )


def _left_out(scores: pd.DataFrame, n: int, classes: float) -> float:
    """Return the smallest number of people, above none, who have two of three scores: other tables tell of pairs."""
    if classes <= 2:
        return 0.0
    known = scores.notna().to_numpy()
    pairs = [int((known[:, one] & known[:, other]).sum()) for one, other in ((0, 1), (0, 2), (1, 2))]
    return float(min((pair - n for pair in pairs if pair > n), default=NAN))


def _place(answer: Result) -> Result:
    """Return an empty row about the same estimand."""
    return Result(
        analysis=ANALYSIS,
        statistic="",
        estimand=answer.estimand,
        outcome=answer.outcome,
        population=answer.population,
        timepoint=answer.timepoint,
        contrast=answer.contrast,
        prespecified=True,
    )


def _numbers(found: ExpectedChange | Estimate) -> dict[str, Any]:
    names = ("value", "std_error", "df", "conf_low", "conf_high")
    return {name: float(getattr(found, name)) for name in names}
