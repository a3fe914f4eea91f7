"""An estimand of the plan under other assumptions about those who left: what the evaluation asks for.

Randomised, also with a waiting list: arms are compared at the timepoint given baseline. Comparison without chance:
their changes since baseline are. Single group: its mean change since baseline, with no reference to borrow from.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, get_args

import numpy as np
import pandas as pd

from analysis.design import StudyDesign
from analysis.errors import AnalysisError
from analysis.frames import covariate_column, score_column
from analysis.missing_data.conditional_means import impute_conditional_means, impute_under_strategies
from analysis.missing_data.estimates import Imputed, ImputedEstimate, estimate_one
from analysis.missing_data.events import REFERENCE_BASED, Strategy, find_leavers
from analysis.missing_data.multiple_imputation import IMPUTATIONS, impute_repeatedly
from analysis.missing_data.panel import Compare, Panel, build_panel
from analysis.plan import Estimand, Outcome, usual_model
from data_contracts.errors import Problem, choose_from

Route = Literal["conditional_means", "multiple_imputation"]
ROUTES: Final[tuple[str, ...]] = get_args(Route)
USUAL_STRATEGIES: Final[tuple[Strategy, ...]] = ("missing_at_random", *REFERENCE_BASED)


def impute_for_estimand(
    frame: pd.DataFrame,
    estimand: Estimand,
    outcome: Outcome,
    design: StudyDesign,
    *,
    strategies: Sequence[Strategy],
    events: pd.DataFrame | None = None,
    route: Route = "conditional_means",
    rng: np.random.Generator | None = None,
    imputations: int = IMPUTATIONS,
) -> tuple[Imputed, ...]:
    """Impute an outcome frame under several strategies, for estimates and tipping points of one estimand.

    Parameters
    ----------
    frame : DataFrame
        Of `outcome_frame`. Participants without baseline or a covariate are left out (`Panel.left_out`); timepoints at
        which an arm has no score are not part of the imputation model.
    estimand, outcome, design
        What is asked, of an estimand that `check_estimand` does not object to.
    strategies : sequence of str
        One imputation each. With `events`, whose rows have a strategy of their own, give none: there is one imputation.
    events : DataFrame, optional
        As in `build_panel`, by the labels of the frame's index and the timepoints of the study.
    route : {"conditional_means", "multiple_imputation"}
        With the jackknife, or by Rubin's rules; the second knows no groups and needs `rng`.
    rng : Generator, optional
        Source of the draws, for each strategy anew from the same state.
    imputations : int
        How many data sets are drawn.

    Returns
    -------
    tuple of Imputed
        In the order of the strategies.

    Raises
    ------
    AnalysisError
        The design, the outcome or a strategy does not allow it; see also `build_panel` and the routes.
    """
    _check_options(strategies, events, route, rng)
    _check_question(estimand, outcome, design, strategies, events)
    panel = _panel(frame, estimand, design, events)
    compare: Compare = "ancova" if design.shares_baseline else "change"
    contrasts = [] if design.compares_timepoints else [(estimand.compared.first, estimand.compared.second)]
    if route == "conditional_means" and events is None:
        return impute_under_strategies(
            panel, strategies, compare=compare, contrasts=contrasts, covariance=_ladder(estimand)
        )
    if route == "conditional_means":
        return (impute_conditional_means(panel, compare=compare, contrasts=contrasts, covariance=_ladder(estimand)),)
    assert rng is not None  # noqa: S101 - checked above
    seed = rng.integers(2**63)
    panels = [panel.with_strategy(strategy) for strategy in strategies] if events is None else [panel]
    return tuple(
        impute_repeatedly(
            each,
            np.random.default_rng(seed),
            imputations=imputations,
            compare=compare,
            contrasts=contrasts,
            covariance=_ladder(estimand),
        )
        for each in panels
    )


def estimate_with_leavers(
    frame: pd.DataFrame,
    estimand: Estimand,
    outcome: Outcome,
    design: StudyDesign,
    *,
    strategies: Sequence[Strategy] | None = None,
    events: pd.DataFrame | None = None,
    route: Route = "conditional_means",
    rng: np.random.Generator | None = None,
    imputations: int = IMPUTATIONS,
) -> tuple[ImputedEstimate, ...]:
    """Estimate one estimand under several strategies for what is missing.

    Parameters as in `impute_for_estimand`; by default the strategies are those of the events where events are given,
    and otherwise `USUAL_STRATEGIES`. The standard errors of the two routes answer different questions under strategies
    that borrow from the reference arm: the jackknife gives the sampling error under the assumption, which shrinks with
    the effect; Rubin's rules keep about the error at random.
    """
    if strategies is None:
        strategies = USUAL_STRATEGIES if events is None else ()
    found = impute_for_estimand(
        frame,
        estimand,
        outcome,
        design,
        strategies=strategies,
        events=events,
        route=route,
        rng=rng,
        imputations=imputations,
    )
    what = name_statistic(estimand, design)
    return tuple(estimate_one(imputed, what, estimand.timepoint) for imputed in found)


def name_statistic(estimand: Estimand, design: StudyDesign) -> str:
    """Return what `estimate_one` and `find_tipping_point` call the estimand: its contrast, or the only arm."""
    return design.arms[0].id if design.compares_timepoints else estimand.contrast


def _panel(frame: pd.DataFrame, estimand: Estimand, design: StudyDesign, events: pd.DataFrame | None) -> Panel:
    planned = [timepoint.id for timepoint in design.timepoints[1:]]
    usable = frame.loc[frame[score_column(design.baseline.id)].notna()]
    scored = usable.groupby("arm")[[score_column(timepoint) for timepoint in planned]].count().all()
    kept = [timepoint for timepoint in planned if scored[score_column(timepoint)]]
    outcomes = {timepoint: score_column(timepoint) for timepoint in kept}
    reference = design.reference.id if design.reference else design.arms[0].id
    return build_panel(
        frame,
        outcomes=outcomes,
        baseline=score_column(design.baseline.id),
        arm="arm",
        reference=reference,
        covariates=[covariate_column(covariate) for covariate in estimand.covariates],
        groups="group" if (frame["group"] != "").any() else None,
        events=find_leavers(frame, outcomes) if events is None else _move_events(events, planned, kept),
    )


def _move_events(events: pd.DataFrame, planned: Sequence[str], kept: Sequence[str]) -> pd.DataFrame:
    """Return events at the next timepoint of the model; those after the last of them change nothing."""
    moved = {
        timepoint: next((later for later in planned[place:] if later in kept), "")
        for place, timepoint in enumerate(planned)
    }
    at = events["timepoint"].map(lambda timepoint: moved.get(timepoint, timepoint))
    return events.assign(timepoint=at).loc[at != ""]


def _ladder(estimand: Estimand) -> Sequence[str]:
    return [estimand.covariance] if isinstance(estimand.covariance, str) else list(estimand.covariance)


def _check_question(
    estimand: Estimand,
    outcome: Outcome,
    design: StudyDesign,
    strategies: Sequence[Strategy],
    events: pd.DataFrame | None,
) -> None:
    """Refuse what imputation by this model cannot answer."""
    asked = [*strategies, *(events["strategy"] if events is not None and "strategy" in events.columns else [])]
    since_baseline = (estimand.timepoint, design.baseline.id)
    problems = []
    if design.is_resampled:
        message = "In a repeated cross-section nobody is followed, so nobody leaves."
        problems.append(Problem("nobody_is_followed", message, "Describe who answered at each timepoint instead."))
    if design.is_stepped_wedge:
        message = "In a stepped wedge every group is compared with itself, so arms have no courses to borrow."
        problems.append(Problem("no_arms_to_follow", message, "Describe who left instead."))
    if (estimand.model or usual_model(outcome, design)) == "overlap_weights":
        message = "Overlap weights compare people as they answered; another model would compare filled in scores."
        problems.append(Problem("weights_not_imputed", message, "Ask it of an estimand by an mmrm or mixed_model."))
    if outcome.kind != "score":
        message = f"Outcome '{outcome.id}' is {outcome.kind}; its missing values are not imputed by a normal model."
        problems.append(Problem("outcome_not_a_score", message, "Ask for the score that it is made of."))
    if design.compares_timepoints and tuple(estimand.compared) != since_baseline:
        message = f"'{estimand.contrast}' is not a change since baseline."
        advice = f"Compare a later timepoint with '{design.baseline.id}'."
        problems.append(Problem("not_since_baseline", message, advice))
    if design.reference is None and any(strategy in REFERENCE_BASED for strategy in asked):
        message = "There is no reference arm to borrow from."
        problems.append(Problem("no_reference_arm", message, "Use missing_at_random and a tipping point."))
    if problems:
        raise AnalysisError(problems)


def _check_options(
    strategies: Sequence[Strategy], events: pd.DataFrame | None, route: str, rng: np.random.Generator | None
) -> None:
    """Refuse a route that there is not or that lacks something, and strategies that contradict events."""
    if route not in ROUTES:
        raise AnalysisError(Problem("route_unknown", f"There is no route '{route}'.", choose_from(route, ROUTES)))
    if route == "multiple_imputation" and rng is None:
        message = "Multiple imputation draws at random."
        raise AnalysisError(Problem("no_generator", message, "Give rng=numpy.random.default_rng(seed)."))
    if (events is None) == (not strategies):
        message = "Either events bring strategies of their own, or strategies are named."
        raise AnalysisError(Problem("strategies_or_events", message, "Give strategies or events, and not both."))
