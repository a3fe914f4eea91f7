"""Items that were left out, filled in by chained equations, and scored by the rule of the instrument.

Each missing item is predicted from the other items of its timepoint and the arm; a predicted answer is that of one of
the people nearest to it (predictive mean matching), so that it is an answer that can be given. van Buuren 2018,
Flexible Imputation of Missing Data, doi 10.1201/9780429492259. Who answered no item stays without a score.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.design import StudyDesign
from analysis.evaluation import Evaluation
from analysis.frames import outcome_frame
from analysis.guards import compared_arms
from analysis.intercurrent import set_aside_hypothetical
from analysis.missing_data.multiple_imputation import pool_imputations
from analysis.outcome_model import estimate_outcome
from analysis.plan import Outcome
from analysis.results import Result
from analysis.sensitivity.imputed import MONTE_CARLO_ERROR, OVER_DRAWS, derive_seed
from analysis.sensitivity.rows import Question, make_number, make_row, refuse, smallest
from analysis.telling import Number, join_told, tell_many
from instruments import Instrument, score_responses

ITEM: Final = "item_imputation"
IMPUTATIONS: Final = 20
BURN_IN, BETWEEN = 5, 2
"""Rounds of the chain before the first data set, and from one to the next; items settle within a few."""
NEAREST: Final = 5
"""People among whom an answer is drawn; five are usual (van Buuren 2018, section 3.4)."""
SPARE: Final = 5
"""People who must be there beyond the terms of the model of an item."""
Answers = NDArray[np.float64]
_WHO: Final = ["participant_id", "timepoint"]


@dataclass(frozen=True, slots=True)
class Occasion:
    """Who answered any item of a measure at a timepoint: their ids and arms, and answers (people x items)."""

    timepoint: str
    people: pd.Index
    arms: NDArray[Any]
    answers: Answers


def estimate_with_imputed_items(questions: Sequence[Question], evaluation: Evaluation) -> Iterator[Result]:
    """Yield the main model of scores without a missing item, pooled by Rubin's rules, for estimands of one outcome.

    `fewest` is the smallest number above none of people of an arm with an item filled in at the timepoint.
    """
    outcome, design = questions[0].outcome, evaluation.design
    instrument = evaluation.library.get(design.measures[outcome.measure].instrument or "")
    if instrument is None:
        yield from (refuse(question, ITEM, "no_items") for question in questions)
        return
    occasions = [*_occasions(outcome, instrument, evaluation)]
    gaps = [occasion for occasion in occasions if np.isnan(occasion.answers).any()]
    reason = "no_items" if not occasions else "no_item_missing" if not gaps else ""
    if any(_is_thin(occasion) for occasion in gaps):
        reason = "too_few_answers"
    if reason:
        yield from (refuse(question, ITEM, reason) for question in questions)
        return
    rng = np.random.default_rng(derive_seed(evaluation.plan, f"{ITEM} {outcome.measure}"))
    drawn = [*_draw_scores(gaps, outcome, instrument, evaluation, rng)]
    rows = [_estimate(questions, scores, evaluation) for scores in drawn]
    for question in questions:
        yield from _pool(question, [row.get(question.estimand.id) for row in rows], _fewest(question, gaps, design))


def _occasions(outcome: Outcome, instrument: Instrument, evaluation: Evaluation) -> Iterator[Occasion]:
    """Yield the answers at each timepoint, of people in an order that depends on what they answered alone."""
    items, given = _items(outcome, instrument), evaluation.responses
    given = given[(given["instrument"] == instrument.id) & given["item"].isin(items)]
    if given.empty:
        return
    wide = given.set_index(["participant_id", "timepoint", "item"])["value"].unstack(["timepoint", "item"])  # noqa: PD010 - no sums
    arms = evaluation.participants.set_index("participant_id")["arm"].reindex(wide.index)
    places = {arm.id: place for place, arm in enumerate(evaluation.design.arms)}
    order = np.lexsort([*wide.fillna(-np.inf).to_numpy().T, arms.map(places).to_numpy()])
    wide, arms = wide.iloc[order], arms.iloc[order]
    for timepoint in evaluation.design.timepoints:
        answers = wide.reindex(columns=pd.MultiIndex.from_product([[timepoint.id], items])).to_numpy(dtype=float)
        some = ~np.isnan(answers).all(axis=1)
        if some.any():
            yield Occasion(timepoint.id, wide.index[some], arms.to_numpy()[some], answers[some])


def _is_thin(occasion: Occasion) -> bool:
    """Tell whether too few people answered an item to predict it from the others."""
    terms = occasion.answers.shape[1] + len(set(occasion.arms))
    return bool((~np.isnan(occasion.answers)).sum(axis=0).min() < terms + SPARE)


def _draw_scores(
    gaps: Sequence[Occasion], outcome: Outcome, instrument: Instrument, evaluation: Evaluation, rng: np.random.Generator
) -> Iterator[pd.DataFrame]:
    """Yield scores, those with a missing item replaced by the score of completed items."""
    chains = [_chain(occasion, rng) for occasion in gaps]
    items = _items(outcome, instrument)
    for number in range(IMPUTATIONS):
        told = []
        for occasion, chain in zip(gaps, chains, strict=True):
            chain.update_all(BURN_IN if number == 0 else BETWEEN)
            completed = chain.data.to_numpy(dtype=float)[:, : len(items)]
            changed = np.isnan(occasion.answers).any(axis=1)
            people = np.repeat(occasion.people[changed].to_numpy(), len(items))
            answers = {"item": np.tile(items, int(changed.sum())), "value": completed[changed].ravel()}
            told.append(pd.DataFrame({"participant_id": people, "timepoint": occasion.timepoint, **answers}))
        yield _replace_scores(pd.concat(told).assign(instrument=instrument.id), outcome, instrument, evaluation)


def _items(outcome: Outcome, instrument: Instrument) -> list[str]:
    """Return the items that the score of an outcome is made of; none where it is only delivered."""
    measure = outcome.measure.partition(".")[2]
    return [item.id for each in instrument.scored_measures if each.id == measure for item in instrument.items_of(each)]


def _chain(occasion: Occasion, rng: np.random.Generator) -> Any:
    """Return chained equations for the items of a timepoint, with an indicator of each arm but one."""
    columns = {f"item{place}": column for place, column in enumerate(occasion.answers.T)}
    for place, arm in enumerate(sorted(set(occasion.arms))[1:]):
        columns[f"arm{place}"] = (occasion.arms == arm).astype(float)
    return _chained_equations()(pd.DataFrame(columns), k_pmm=NEAREST, rng=rng)


@cache
def _chained_equations() -> Any:
    """Return statsmodels' chained equations with matrices made from columns: no formula is read, and it is faster."""
    from statsmodels.imputation.mice import MICEData
    from statsmodels.tools.sm_exceptions import SingularMatrixWarning

    class ChainedEquations(MICEData):  # type: ignore[misc]  # statsmodels has no types
        def update_all(self, n_iter: int = 1) -> None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", SingularMatrixWarning)  # items may say the same; predictions are unique
                super().update_all(n_iter)

        def get_fitting_data(self, vname: str) -> tuple[Answers, Answers, dict[str, Any], dict[str, Any]]:
            outcome, others = self._columns(vname)
            return outcome[self.ix_obs[vname]], others[self.ix_obs[vname]], {}, {}

        def get_split_data(self, vname: str) -> tuple[Answers, Answers, Answers, dict[str, Any], dict[str, Any]]:
            outcome, others = self._columns(vname)
            seen, missing = self.ix_obs[vname], self.ix_miss[vname]
            return outcome[seen], others[seen], others[missing], {}, {}

        def _columns(self, vname: str) -> tuple[Answers, Answers]:
            values = self.data.to_numpy(dtype=float)
            place = self.data.columns.get_loc(vname)
            return values[:, place], np.column_stack([np.ones(len(values)), np.delete(values, place, axis=1)])

    return ChainedEquations


def _replace_scores(
    answers: pd.DataFrame, outcome: Outcome, instrument: Instrument, evaluation: Evaluation
) -> pd.DataFrame:
    """Return the scores of the main analysis with those of completed items in the place of their own.

    What an intercurrent event takes away stays away. Answers to other items of the instrument count as they are, for
    its rule may be about all of them.
    """
    given = evaluation.responses
    others = given[(given["instrument"] == instrument.id) & ~given["item"].isin(_items(outcome, instrument))]
    scored = score_responses(pd.concat([answers, others[answers.columns]]), {instrument.id: instrument})
    scored = scored[scored["measure"] == outcome.measure]
    occasions = pd.MultiIndex.from_frame(answers[_WHO])
    scored = scored[pd.MultiIndex.from_frame(scored[_WHO]).isin(occasions)]
    keys = ["participant_id", "timepoint", "measure"]
    new = evaluation.scores[keys].merge(scored[[*keys, "score"]], on=keys, how="left")["score"].to_numpy()
    old = evaluation.scores["score"]
    found = evaluation.scores.assign(score=np.where(np.isnan(new), old, new))
    return set_aside_hypothetical(found, evaluation.events, evaluation.plan, evaluation.design)


def _estimate(questions: Sequence[Question], scores: pd.DataFrame, evaluation: Evaluation) -> dict[str, Result]:
    """Return the rows of the main model that were estimated, by estimand."""
    outcome = questions[0].outcome
    frame = outcome_frame(scores, evaluation.participants, evaluation.design, outcome)
    plan = evaluation.plan.model_copy(update={"estimands": [question.estimand for question in questions]})
    rows = estimate_outcome(outcome, frame, plan, evaluation.design)
    return {row.estimand: row for row in rows if row.estimand and row.verdict == "estimated"}


def _pool(question: Question, rows: Sequence[Result | None], fewest: float) -> Iterator[Result]:
    answered = [row for row in rows if row is not None]
    if len(answered) < len(rows):
        yield refuse(question, ITEM, "not_pooled")
        return
    values, errors, freedom = (
        np.array([getattr(row, name) for row in answered]) for name in ("value", "std_error", "df")
    )
    estimate = pool_imputations(values, errors**2, df_complete=float(freedom.mean()))
    people = min(row.n for row in answered)
    filled = tell_many(
        "Items filled in by chained equations (predictive mean matching, {count} data set), scored by the rule of the "
        "instrument; Rubin's rules, Barnard-Rubin degrees of freedom.",
        "Items filled in by chained equations (predictive mean matching, {count} data sets), scored by the rule of the "
        "instrument; Rubin's rules, Barnard-Rubin degrees of freedom.",
        IMPUTATIONS,
        count=Number(IMPUTATIONS),
    )
    row = make_row(question, ITEM, estimate, n=people, fewest=fewest, method=join_told([filled, answered[0].method]))
    yield row
    error = float(np.std(values, ddof=1) / np.sqrt(len(values)))
    yield make_number(row, MONTE_CARLO_ERROR, error, OVER_DRAWS)


def _fewest(question: Question, gaps: Sequence[Occasion], design: StudyDesign) -> float:
    """Return the smallest number above none of people of an arm with a score of completed items at the timepoint."""
    counts = []
    for occasion in gaps:
        if occasion.timepoint == question.estimand.timepoint:
            some = np.isnan(occasion.answers).any(axis=1)
            counts += [float((some & (occasion.arms == arm)).sum()) for arm in compared_arms(question.estimand, design)]
    return smallest(counts)
