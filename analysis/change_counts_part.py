"""How many people of each arm scored better, about the same or worse than at baseline, by declared thresholds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

import pandas as pd

from analysis.evaluation import Evaluation
from analysis.frames import count_classes, score_column
from analysis.meaning import ChangeCounts, Share, count_reliable_changes, count_responders
from analysis.number_needed import derive_number_needed
from analysis.plan import Outcome
from analysis.results import NAN, Result
from analysis.telling import tell
from instruments.psychometrics import derive_measurement_error

MEANINGFUL: Final = "meaningful"
RELIABLE: Final = "reliable"
"""Values of `item`: by the smallest change that people notice, and by what exceeds measurement error."""
SHARES: Final = ("improved", "unchanged", "worsened")
NO_SINGLE_NUMBER: Final = tell(
    "The difference could be none, so no single number of people stands for it. Read the difference with its interval."
)
_NO_SPREAD: Final = tell(
    "Scores at baseline do not differ between people, or fewer than two people have one, so measurement error cannot "
    "be told.\nGive 'sd' of the people tested under 'reliable_change'."
)
_THRESHOLD_BY_DECLARED: Final = tell(
    "1.96 sqrt(2) SD sqrt(1 - r), retest correlation r declared, SD declared (Jacobson & Truax 1991)"
)
_THRESHOLD_BY_BASELINE: Final = tell(
    "1.96 sqrt(2) SD sqrt(1 - r), retest correlation r declared, SD of all baseline scores (Jacobson & Truax 1991)"
)
_SHARE_OF: Final = {
    MEANINGFUL: tell(
        "change of at least the smallest that people notice; share of the people with both scores, Wilson interval"
    ),
    RELIABLE: tell(
        "change beyond measurement error (Jacobson & Truax 1991); share of the people with both scores, Wilson interval"
    ),
}
_DIFFERENCE: Final = tell("difference of the shares that improved, Newcombe interval (1998, method 10)")
_NEEDED_FOR_MORE: Final = tell(
    "1 / difference of two shares, Newcombe interval turned over (Altman 1998); for one more to improve"
)
_NEEDED_FOR_FEWER: Final = tell(
    "1 / difference of two shares, Newcombe interval turned over (Altman 1998); for one fewer to improve"
)


@dataclass(frozen=True, slots=True)
class _Counted:
    """Shares of one arm at one timepoint by one rule."""

    rule: str
    counts: ChangeCounts
    classes: float


def count_changes(evaluation: Evaluation) -> Iterator[Result]:
    """Yield how many people improved, stayed about the same and got worse, by arm and timepoint asked.

    Parameters
    ----------
    evaluation : Evaluation
        Outcomes that are scores and declare ``smallest_meaningful_change`` or ``reliable_change``, the first one of a
        measure alone: by a second threshold of the same scores the people between both could be counted.

    Yields
    ------
    Result
        Analysis ``change_counts``; `item` is the rule, ``meaningful`` or ``reliable``. ``threshold`` of reliable change
        in points (1.96 sqrt(2) SD sqrt(1 - retest correlation), Jacobson and Truax 1991, doi
        10.1037/0022-006X.59.1.12; SD is declared, or that of all baseline scores). Per arm and timepoint ``improved``,
        ``unchanged`` and ``worsened``: shares from 0 to 1 with Wilson intervals, of the people with both scores;
        nothing is imputed. In randomised designs ``difference_in_shares`` that improved (Newcombe interval) and
        ``number_needed`` of each contrast that was estimated, by the smallest meaningful change if there is one: what
        kept the arms from being compared by their means keeps them from being compared by shares. Nothing where each
        timepoint is a sample of its own: nobody is followed.
    """
    if evaluation.design.is_resampled:
        return
    counted: set[str] = set()
    for outcome in evaluation.plan.outcomes:
        has_rule = outcome.smallest_meaningful_change is not None or outcome.reliable_change is not None
        if outcome.kind == "score" and has_rule and outcome.measure not in counted:
            counted.add(outcome.measure)
            yield from _count_outcome(outcome, evaluation)


def _count_outcome(outcome: Outcome, evaluation: Evaluation) -> Iterator[Result]:
    plan, design, frame = evaluation.plan, evaluation.design, evaluation.frames[outcome.id]
    asked = [estimand for estimand in plan.estimands if estimand.outcome == outcome.id]
    threshold = _reliable_threshold(outcome, frame, design.baseline.id)
    if threshold is not None:
        yield threshold
    reliable = threshold.value if threshold is not None and threshold.value > 0 else NAN
    for timepoint in design.timepoints[1:]:
        asked_then = [each for each in asked if each.timepoint == timepoint.id]
        if not asked_then:
            continue
        answered = dict.fromkeys(each.contrast for each in asked_then if evaluation.answer(each) is not None)
        found: dict[tuple[str, str], _Counted] = {}
        for arm in design.arms:
            pairs = frame.loc[frame["arm"] == arm.id, [score_column(design.baseline.id), score_column(timepoint.id)]]
            for one in _by_rule(outcome, pairs, reliable, evaluation, count_classes(frame)):
                found[arm.id, one.rule] = one
                yield from _share_rows(one, outcome.id, arm.id, timepoint.id)
        if design.kind == "randomised":
            rule = MEANINGFUL if outcome.smallest_meaningful_change is not None else RELIABLE
            for contrast in answered:
                first, second = contrast.split(" - ")
                if (first, rule) in found and (second, rule) in found:
                    place = {"outcome": outcome.id, "timepoint": timepoint.id, "contrast": contrast, "item": rule}
                    yield from _comparison(found[first, rule], found[second, rule], place)


def _reliable_threshold(outcome: Outcome, frame: pd.DataFrame, baseline: str) -> Result | None:
    """Return the row of the change that exceeds measurement error, None where the plan does not declare it."""
    declared = outcome.reliable_change
    if declared is None:
        return None
    scores = frame[score_column(baseline)].dropna()
    sd = declared.sd if declared.sd is not None else float(scores.std())
    place: dict[str, Any] = {"analysis": "change_counts", "outcome": outcome.id, "item": RELIABLE}
    if not sd > 0:
        return Result(**place, statistic="threshold", verdict="refused:no_spread", method=_NO_SPREAD)
    return Result(
        **place,
        statistic="threshold",
        value=derive_measurement_error(sd, declared.retest_correlation).reliable_change,
        n=len(scores),
        classes=count_classes(frame),
        method=_THRESHOLD_BY_DECLARED if declared.sd is not None else _THRESHOLD_BY_BASELINE,
    )


def _by_rule(
    outcome: Outcome, pairs: pd.DataFrame, reliable: float, evaluation: Evaluation, classes: float
) -> Iterator[_Counted]:
    """Yield the counts of an arm by each rule that is declared; nothing where nobody has both scores."""
    if pairs.dropna().empty:
        return
    before, later = (pairs[column].to_numpy(dtype=float) for column in pairs.columns)
    higher_is = evaluation.plan.measure_of(outcome.id, evaluation.design).higher_is
    smallest = outcome.smallest_meaningful_change
    if smallest is not None:
        counts = count_responders(before, later, smallest_meaningful_change=smallest.value, higher_is=higher_is)
        yield _Counted(MEANINGFUL, counts, classes)
    if reliable > 0:
        counts = count_reliable_changes(before, later, reliable_change=reliable, higher_is=higher_is)
        yield _Counted(RELIABLE, counts, classes)


def _share_rows(counted: _Counted, outcome: str, arm: str, timepoint: str) -> Iterator[Result]:
    for statistic in SHARES:
        share: Share = getattr(counted.counts, statistic)
        yield Result(
            analysis="change_counts",
            statistic=statistic,
            outcome=outcome,
            arm=arm,
            timepoint=timepoint,
            item=counted.rule,
            value=share.value,
            conf_low=share.conf_low,
            conf_high=share.conf_high,
            n=share.n,
            classes=counted.classes,
            fewest=_fewest(share),
            method=_SHARE_OF[counted.rule],
        )


def _comparison(first: _Counted, second: _Counted, place: dict[str, Any]) -> Iterator[Result]:
    """Yield the difference of the shares that improved, and the number needed to treat."""
    shares = (first.counts.improved, second.counts.improved)
    needed = derive_number_needed(*shares, event_is="good")
    row = Result(
        analysis="change_counts",
        statistic="difference_in_shares",
        **place,
        value=needed.difference,
        conf_low=needed.difference_low,
        conf_high=needed.difference_high,
        n=min(share.n for share in shares),
        classes=first.classes,
        fewest=min(_fewest(share) for share in shares),
        verdict="estimated",
        method=_DIFFERENCE,
    )
    yield row
    if needed.verdict == "estimated":
        yield replace(
            row,
            statistic="number_needed",
            value=needed.value,
            conf_low=needed.conf_low,
            conf_high=needed.conf_high,
            method=_NEEDED_FOR_MORE if needed.kind == "benefit" else _NEEDED_FOR_FEWER,
        )
    else:
        yield Result(
            analysis="change_counts",
            statistic="number_needed",
            **place,
            verdict=needed.verdict,
            method=NO_SINGLE_NUMBER,
        )


def _fewest(share: Share) -> float:
    """Return how many people a share of somebody holds for, or does not hold for, whichever are fewer but any."""
    return float(min(count for count in (share.count, share.n - share.count) if count))
