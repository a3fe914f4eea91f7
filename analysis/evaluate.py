"""The whole plan on the whole study: one table of results."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import pandas as pd

from analysis.agreement import audit_totals, compare_scores
from analysis.balance_part import tell_balance, tell_unmeasured
from analysis.certainty import derive_certainty
from analysis.change_counts_part import count_changes
from analysis.composition import compare_samples
from analysis.descriptives import describe_changes, describe_events, describe_outcome
from analysis.design import StudyDesign
from analysis.deviations import compare_with_frozen
from analysis.distribution_part import spread_scores
from analysis.dose_part import relate_dose
from analysis.evaluation import Evaluation
from analysis.expected_change_part import expect_changes
from analysis.exposure import describe_exposure
from analysis.fingerprint import FrozenPlan
from analysis.flow import count_participants
from analysis.formats_part import compare_formats
from analysis.frames import outcome_frame, require_consistent_tables
from analysis.harms_part import describe_harms
from analysis.intercurrent import set_aside_hypothetical
from analysis.leavers import describe_leavers
from analysis.margin_part import judge_margins
from analysis.measurement import assess_measures
from analysis.mediation_part import describe_mediation
from analysis.multiplicity import adjust_p_values
from analysis.outcome_model import estimate_outcome
from analysis.permutation_part import permute_allocations
from analysis.plan import Plan
from analysis.population_estimates import estimate_in_populations
from analysis.populations import of_everybody
from analysis.precision_part import describe_precision
from analysis.quality import choose_scores, count_flags, estimate_again, leave_out
from analysis.results import Result, results_table
from analysis.sensitivity import estimate_sensitivity
from analysis.sites_part import compare_sites
from analysis.size_part import standardise_answers
from analysis.subgroups_part import describe_subgroups
from analysis.themes_part import describe_themes

if TYPE_CHECKING:
    from instruments import Instrument

PARTS: Final[tuple[Callable[[Evaluation], Iterator[Result]], ...]] = (
    estimate_sensitivity,
    describe_leavers,
    expect_changes,
    permute_allocations,
    judge_margins,
    relate_dose,
    compare_formats,
    compare_sites,
    standardise_answers,
    count_changes,
    spread_scores,
    describe_harms,
    describe_subgroups,
    describe_mediation,
    describe_precision,
    tell_balance,
    tell_unmeasured,
    describe_themes,
)
"""What is told beside the answers of the models, in order; each part has an `analysis` of its own."""
EVENTS: Final = ["participant_id", "event", "timepoint", "days_since_baseline"]


def evaluate_plan(
    plan: Plan,
    design: StudyDesign,
    *,
    scores: pd.DataFrame,
    delivered: pd.DataFrame,
    participants: pd.DataFrame,
    responses: pd.DataFrame,
    library: Mapping[str, Instrument],
    flags: pd.DataFrame | None = None,
    sessions: pd.DataFrame | None = None,
    events: pd.DataFrame | None = None,
    codings: pd.DataFrame | None = None,
    frozen: FrozenPlan | None = None,
) -> pd.DataFrame:
    """Compute every result of a study.

    Parameters
    ----------
    plan, design : Plan, StudyDesign
        What is asked, and of which study.
    scores, delivered, participants, responses : DataFrame
        See the table contracts. Missing numbers are NaN; participants without a score count as allocated and enter no
        mean and no model, nor do those who miss a covariate enter a model that adjusts for it.
    library : mapping
        Instrument id -> Instrument.
    flags : DataFrame, optional
        The `flags` table; without it no answer is flagged. Answers with a flag that the plan leaves out are missing
        everywhere but in the flow, where they count as answered, and where totals are held against delivered ones.
    sessions : DataFrame, optional
        Who came to which session; described (analysis ``delivery``), and used by no model.
    events : DataFrame, optional
        What happened to participants (`Evaluation.events`); nothing without it.
    codings : DataFrame, optional
        What coders found in interviews (`Evaluation.codings`); nothing without it.
    frozen : FrozenPlan, optional
        What was frozen of the plan; without it nothing is pre-specified.

    Returns
    -------
    DataFrame
        The `results` table: flow, descriptive, change_within_arm, reliability, score_agreement, model, quality,
        certainty, what `PARTS` tell, delivery and deviations, each in the order of plan and design. Where each
        timepoint is a sample of its own, composition takes the place of change_within_arm. An estimand that cannot be
        computed is a row without a number. Neither row order nor participant ids of the input have any bearing.

    Raises
    ------
    AnalysisError
        The tables contradict each other or the design.
    """
    require_consistent_tables(scores, participants, design)
    flags = pd.DataFrame(columns=["participant_id", "timepoint", "flag"], dtype="str") if flags is None else flags
    happened = pd.DataFrame(columns=EVENTS, dtype="str") if events is None else events
    choice = choose_scores(set_aside_hypothetical(scores, happened, plan, design), flags, plan)
    frames = {outcome.id: outcome_frame(choice.used, participants, design, outcome) for outcome in plan.outcomes}
    everybody = of_everybody(plan)
    models = {outcome.id: estimate_outcome(outcome, frames[outcome.id], everybody, design) for outcome in plan.outcomes}
    of_some = estimate_in_populations(plan, design, scores=choice.used, participants=participants, sessions=sessions)
    fewest = plan.small_numbers.floor
    answered = leave_out(responses, flags, plan.quality.leave_out, "value")
    measurement = tuple(assess_measures(answered, choice.used, library, design, fewest=fewest))
    results = list(count_participants(scores, participants, responses, design))
    results += [row for rows in models.values() for row in rows if row.analysis == "flow"]
    for outcome in plan.outcomes:
        describe = describe_outcome if outcome.event is None else describe_events
        results += describe(frames[outcome.id], outcome.id, design)
    for outcome in plan.outcomes:
        if design.is_resampled:
            results += compare_samples(frames[outcome.id], outcome.id, design)
        elif outcome.event is None:
            results += describe_changes(frames[outcome.id], outcome.id, design)
    agreement = list(compare_scores(scores, delivered, design))
    results += [*measurement, *agreement, *audit_totals(responses, delivered, design, library)]
    found = [row for rows in models.values() for row in rows if row.analysis == "model"]
    comparison = compare_with_frozen(plan, design, library, frozen)
    answers = comparison.mark(_adjusted([*found, *of_some], plan))
    results += [*answers, *count_flags(flags, design)]
    again: list[Result] = []
    for outcome in plan.outcomes:
        other = outcome_frame(choice.other, participants, design, outcome)
        again += estimate_again(outcome, frames[outcome.id], other, everybody, design, choice.population)
    results += again
    evaluation = Evaluation(
        plan=everybody,
        design=design,
        library=library,
        scores=choice.used,
        participants=participants,
        responses=answered,
        sessions=sessions,
        events=happened,
        codings=codings,
        frames=frames,
        answers=[row for row in answers if not row.estimand or row.population == plan.population],
        measurement=measurement,
        frozen=frozen,
    )
    told = [row for part in PARTS for row in part(evaluation)]
    for outcome in plan.outcomes:
        results += derive_certainty(outcome, evaluation, [*agreement, *again, *told])
    results += told
    if sessions is not None:
        results += describe_exposure(sessions, participants, design)
    return results_table([*comparison.mark(results), *comparison.tell()])


def _adjusted(rows: list[Result], plan: Plan) -> list[Result]:
    """Return rows with the p-values of estimands adjusted within their families."""
    adjusted = adjust_p_values({row.estimand: row.p_value for row in rows if row.estimand}, plan.families)
    return [replace(row, p_adjusted=adjusted[row.estimand]) if row.estimand else row for row in rows]
