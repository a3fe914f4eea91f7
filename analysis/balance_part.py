"""How alike compared people were who were not drawn by lot, and what something unmeasured would have to be like.

Balance is looked at in every declared covariate, also in those that an estimand does not adjust for: overlap weights
make the means of what they know equal exactly, so that only the others can still differ. It is judged by standardised
differences, never by p-values (Austin 2009, doi 10.1002/sim.3697; Stuart 2010, doi 10.1214/09-STS313).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from analysis.balance import MOST_DIFFERENT, compare_balance
from analysis.certainty_reasons import Reason, is_told
from analysis.design import Covariate
from analysis.errors import AnalysisError
from analysis.evaluation import Evaluation
from analysis.frames import complete_cases, covariate_column, score_column
from analysis.mixed_models.jets import Array
from analysis.plan import Estimand, Outcome
from analysis.propensity import build_terms
from analysis.results import NAN, Result
from analysis.telling import Told, list_told, tell
from analysis.unmeasured import EValue, derive_e_value, derive_e_value_of_difference
from analysis.weighted_model import WeightedModel, estimate_ratio, fit_weighted_model

BEFORE: Final = "standardised_difference_before"
AFTER: Final = "standardised_difference_after"
EFFECTIVE: Final = "effective_share"
LEFT_OUT: Final = "left_out_at_most"
E_VALUE: Final = "e_value"
E_VALUE_OF_LIMIT: Final = "e_value_of_limit"
LEAST_EFFECTIVE: Final = 50.0
"""Effective sample size, in percent of the people of an arm, below which they are said to have little in common."""
FEW_LEFT_OUT: Final = 9
"""People; so few are told as a small share of any number of people, so that nobody can count them."""
SHARES: Final = (5.0, 25.0, 100.0)
"""Percent: what may be said of how many were left out. A count could be subtracted from other counts."""
_DIGITS: Final = 6
"""Decimals beyond which a standardised difference is rounding."""
NO_RATIO: Final = tell(
    "How strong something unmeasured would have to be is told of differences of scores, and of shares compared by "
    "overlap weights.\nAsk for one of these as a further estimand."
)
NO_SPREAD: Final = tell(
    "Scores at baseline do not vary, so the difference cannot be put in standard deviations, and how strong something "
    "unmeasured would have to be cannot be said."
)
LITTLE_OVERLAP: Final = tell(
    "Weights leave less than half of an arm's precision: many of its people have no like in the other arm."
)


@dataclass(frozen=True, slots=True)
class _Compared:
    """The people behind an estimand, whose arm is known, with weights (1 without); `model` where they are weighted."""

    people: pd.DataFrame
    is_first: Any
    weights: Array
    model: WeightedModel | None


def tell_balance(evaluation: Evaluation) -> Iterator[Result]:
    """Yield how alike the people of two arms were, for every estimand that was answered of arms not formed by chance.

    Parameters
    ----------
    evaluation : Evaluation
        Whose design compares unlike arms; of others nothing is told.

    Yields
    ------
    Result
        Analysis ``balance``. `BEFORE` and, with weights, `AFTER` for each covariate of the study and the score at
        baseline (its column in `item`): first arm less second over the average spread (`compare_balance`), of a
        category the largest of its levels, without sign. With weights also, by arm, `EFFECTIVE` (effective sample size
        in percent of the people compared; Kish 1965) and `LEFT_OUT` (percent, one of `SHARES`: of the people with a
        score at the timepoint at most so many lack the baseline or a covariate).
    """
    for estimand, outcome, _ in _answered(evaluation):
        compared = _people(estimand, outcome, evaluation)
        for name, terms in _characteristics(compared.people, outcome, evaluation):
            yield from _differences(name, terms, compared, estimand)
        if compared.model is not None:
            yield from _arms(compared.model, estimand, evaluation)


def tell_unmeasured(evaluation: Evaluation) -> Iterator[Result]:
    """Yield the E-value of every estimand that was answered of arms not formed by chance.

    Parameters
    ----------
    evaluation : Evaluation
        Whose design compares unlike arms; of others nothing is told.

    Yields
    ------
    Result
        Analysis ``unmeasured``: `E_VALUE` of the estimate and `E_VALUE_OF_LIMIT` of the end of its interval nearer to
        no difference (1 where it holds none). Differences of scores are divided by the pooled standard deviation at
        baseline of the people compared; weighted shares are taken as a ratio. Otherwise a refusal.
    """
    for estimand, outcome, answer in _answered(evaluation):
        at = _place(estimand) | {"analysis": "unmeasured"}
        try:
            found = _e_value(estimand, outcome, answer, evaluation)
        except AnalysisError as error:
            code = error.problems[0].code
            yield Result(**at, statistic=E_VALUE, verdict=f"refused:{code}", method=NO_SPREAD)
            continue
        if found is None:
            yield Result(**at, statistic=E_VALUE, verdict="refused:no_ratio", method=NO_RATIO)
            continue
        behind: dict[str, Any] = {"n": answer.n, "fewest": _fewest_behind(answer, evaluation), "verdict": "estimated"}
        yield Result(**at, **behind, statistic=E_VALUE, value=found.value, method=found.method)
        yield Result(**at, **behind, statistic=E_VALUE_OF_LIMIT, value=found.limit, method=found.method)


def reasons_of_balance(outcome: Outcome, evaluation: Evaluation, found: Sequence[Result]) -> Iterator[Reason]:
    """Yield a reason where compared people were not alike, or few of them could be compared.

    Of weighted estimands it is the difference after weighting that counts; of others the one to begin with, beyond
    which a model has to guess.
    """
    own = [
        row
        for row in found
        if row.analysis == "balance"
        and row.outcome == outcome.id
        and is_told(min(row.n, row.fewest) if row.fewest == row.fewest else row.n, evaluation.plan)
    ]
    weighted = {row.estimand for row in own if row.statistic == AFTER}
    after = [row for row in own if row.statistic == AFTER]
    before = [row for row in own if row.statistic == BEFORE and row.estimand not in weighted]
    labels = _labels(outcome, evaluation)
    if names := _name_different(before, labels):
        yield Reason("balance", tell("The arms differed much in: {characteristics}.", characteristics=names))
    if names := _name_different(after, labels):
        yield Reason("balance", tell("Weighted, the arms still differed in: {characteristics}.", characteristics=names))
    if any(row.statistic == EFFECTIVE and row.value < LEAST_EFFECTIVE for row in own):
        yield Reason("overlap", LITTLE_OVERLAP)


def _name_different(rows: Sequence[Result], labels: Mapping[str, str]) -> Told:
    """Return the characteristics in which arms differ much; empty where there are none."""
    different = {row.item for row in rows if not abs(row.value) <= MOST_DIFFERENT}
    return list_told(label for item, label in labels.items() if item in different)


def _answered(evaluation: Evaluation) -> Iterator[tuple[Estimand, Outcome, Result]]:
    if not evaluation.design.compares_unlike_arms:
        return
    for estimand in evaluation.plan.estimands:
        answer = evaluation.answer(estimand)
        if answer is not None:
            yield estimand, evaluation.outcome_of(estimand), answer


def _people(estimand: Estimand, outcome: Outcome, evaluation: Evaluation) -> _Compared:
    """Return who is compared: with weights as they were, otherwise everybody in the model."""
    plan, design, frame = evaluation.plan, evaluation.design, evaluation.frames[outcome.id]
    first = estimand.compared.first
    if plan.model_of(estimand, design) == "overlap_weights":
        model = fit_weighted_model(frame, estimand, plan, design)
        own = frame.iloc[model.fit.rows].reset_index(drop=True)
        return _Compared(own, (own["arm"] == first).to_numpy(), model.fit.weights, model)
    own = complete_cases(frame, estimand.covariates, design)
    own = own[own["arm"].isin(estimand.compared)].reset_index(drop=True)
    return _Compared(own, (own["arm"] == first).to_numpy(), np.ones(len(own)), None)


def _characteristics(
    people: pd.DataFrame, outcome: Outcome, evaluation: Evaluation
) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield each covariate and the score at baseline: name, and its terms for the people who have it."""
    for covariate in evaluation.design.covariates:
        known = people[people[covariate_column(covariate.id)].notna()]
        if len(known):
            yield covariate.id, _terms(known, covariate)
    baseline = score_column(evaluation.design.baseline.id)
    known = people[people[baseline].notna()]
    if len(known):
        yield baseline, known[[baseline]]


def _terms(known: pd.DataFrame, covariate: Covariate) -> pd.DataFrame:
    return build_terms(known, [covariate], [])[1].set_axis(known.index)


def _differences(name: str, terms: pd.DataFrame, compared: _Compared, estimand: Estimand) -> Iterator[Result]:
    """Yield the standardised differences of a characteristic; nothing where only one arm has it."""
    rows = terms.index.to_numpy()
    is_first, weights = compared.is_first[rows], compared.weights[rows]
    sizes = [int(is_first.sum()), int((~is_first).sum())]
    if not min(sizes) or min(weights[is_first].sum(), weights[~is_first].sum()) <= 0:
        return
    table = compare_balance(terms, is_first, weights)
    for statistic, column in ((BEFORE, "before"), *(((AFTER, "after"),) if compared.model else ())):
        yield Result(
            **_place(estimand),
            analysis="balance",
            item=name,
            statistic=statistic,
            value=_largest(table[column].to_numpy(dtype=float)),
            n=min(sizes),
            fewest=_fewest(terms, is_first),
            method=tell("first arm less second, over the average spread before weighting (Austin and Stuart 2015)"),
        )


def _largest(differences: Array) -> float:
    """Return the difference of a number, of levels the largest in size, without sign; NaN where one has no spread."""
    largest = differences[0] if len(differences) == 1 else np.abs(differences).max()
    return round(float(largest), _DIGITS) + 0.0


def _fewest(terms: pd.DataFrame, is_first: Any) -> float:
    """Return the smallest number of people of an arm, above none, with one of two values; NaN of a real number."""
    if any(terms[term].nunique() > 2 for term in terms):
        return NAN
    sizes = [count for term in terms for arm in (is_first, ~is_first) for count in terms.loc[arm, term].value_counts()]
    return float(min(sizes))


def _arms(model: WeightedModel, estimand: Estimand, evaluation: Evaluation) -> Iterator[Result]:
    """Yield of each arm what weights leave of its precision, and how many could not be weighted."""
    found, frame = model.fit, model.frame
    few = max(FEW_LEFT_OUT, evaluation.plan.small_numbers.protection.threshold - 1)
    of_arms = zip(
        estimand.compared, (found.n_first, found.n_second), (found.effective_first, found.effective_second), strict=True
    )
    for arm, n, effective in of_arms:
        scored = int(frame.loc[frame["arm"] == arm, score_column(estimand.timepoint)].notna().sum())
        at = _place(estimand) | {"analysis": "balance", "arm": arm}
        yield Result(
            **at,
            statistic=EFFECTIVE,
            value=100 * effective / n,
            n=n,
            method=tell("effective sample size in percent of the people compared (Kish 1965)"),
        )
        yield Result(
            **at,
            statistic=LEFT_OUT,
            value=_share_left_out(scored - n, scored, few),
            n=scored,
            method=tell(
                "people with a score at the timepoint and without baseline or a covariate: at most this percent"
            ),
        )


def _share_left_out(left_out: int, scored: int, few: int) -> float:
    share = 100 * left_out / scored
    return SHARES[0] if left_out <= few else next(limit for limit in SHARES if share <= limit)


def _e_value(estimand: Estimand, outcome: Outcome, answer: Result, evaluation: Evaluation) -> EValue | None:
    """Return the E-value of an answer, None where there is neither a standardised difference nor a ratio."""
    compared = _people(estimand, outcome, evaluation)
    if outcome.kind == "binary" and compared.model is not None:
        ratio, low, high = estimate_ratio(compared.model, estimand.timepoint)
        return derive_e_value(ratio, conf_low=low, conf_high=high) if ratio == ratio else None
    if outcome.kind != "score":
        return None
    before = compared.people[score_column(evaluation.design.baseline.id)]
    sd = _pooled_sd([before[compared.is_first], before[~compared.is_first]])
    standardised = [value / sd if sd > 0 else NAN for value in (answer.value, answer.conf_low, answer.conf_high)]
    return derive_e_value_of_difference(standardised[0], conf_low=standardised[1], conf_high=standardised[2])


def _pooled_sd(samples: Sequence[pd.Series]) -> float:
    """Return the standard deviation within arms."""
    squares = sum(float(((sample - sample.mean()) ** 2).sum()) for sample in samples)
    freedom = sum(int(sample.notna().sum()) - 1 for sample in samples)
    return float(np.sqrt(squares / freedom)) if freedom > 0 else NAN


def _fewest_behind(answer: Result, evaluation: Evaluation) -> float:
    """Return the smallest number behind an answer or one of the means that it is told by: hidden with any of them."""
    arms, times = answer.contrast.split(" - "), (answer.timepoint, evaluation.design.baseline.id)
    means = [
        row
        for row in evaluation.answers
        if row.statistic == "marginal_mean" and row.outcome == answer.outcome and row.arm in arms
    ]
    numbers = [answer.fewest, *(row.fewest for row in means if row.timepoint in times)]
    numbers += [row.n for row in means if row.timepoint in times]
    return float(np.nanmin([number for number in numbers if number == number] or [answer.n]))


def _labels(outcome: Outcome, evaluation: Evaluation) -> dict[str, str]:
    design = evaluation.design
    baseline = tell("the score at {timepoint}", timepoint=design.baseline.label)
    return {known.id: known.label for known in design.covariates} | {score_column(design.baseline.id): baseline}


def _place(estimand: Estimand) -> dict[str, Any]:
    return {
        "estimand": estimand.id,
        "outcome": estimand.outcome,
        "timepoint": estimand.timepoint,
        "contrast": estimand.contrast,
    }
