"""The plan held against itself and against the study: every name must refer to something, and choices fit together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analysis.design import SERIES_CONTRAST, STEP_CONTRAST, StudyDesign
from data_contracts.documents import Finding
from data_contracts.errors import choose_from

if TYPE_CHECKING:
    from analysis.plan import Estimand, Outcome, Plan
    from analysis.plan_parts import Harm

Key = tuple[str | int, ...]
FOLLOWED = ("randomised", "waitlist", "matched_comparison", "comparison", "single_group")
"""Designs in which a population may be chosen among people who are followed."""


def find_dangling(plan: Plan) -> list[Finding]:
    """Return names in a plan that refer to nothing in it, and ids that stand twice."""
    outcomes = [outcome.id for outcome in plan.outcomes]
    estimands = [estimand.id for estimand in plan.estimands]
    families = [family.id for family in plan.families]
    populations = [plan.population, *(population.id for population in plan.populations)]
    findings = [*_repeated("outcomes", outcomes), *_repeated("estimands", estimands), *_repeated("families", families)]
    findings += _repeated("populations", populations)
    if [outcome.role for outcome in plan.outcomes].count("primary") != 1:
        findings.append(Finding(("outcomes",), "Exactly one outcome must be primary.", "Set 'role: primary' once."))
    for index, estimand in enumerate(plan.estimands):
        findings += _unknown(("estimands", index, "outcome"), estimand.outcome, outcomes)
        if estimand.population is not None:
            findings += _unknown(("estimands", index, "population"), estimand.population, populations)
    members: list[str] = []
    for index, family in enumerate(plan.families):
        for place, member in enumerate(family.members):
            findings += _unknown(("families", index, "members", place), member, estimands)
            members.append(member)
        if family.after is not None:
            findings += _unknown(("families", index, "after"), family.after, families[:index])
        for member in family.weights:
            findings += _unknown(("families", index, "weights", member), member, family.members)
    findings += _repeated("families", members)
    followed = [family.after for family in plan.families if family.after is not None]
    for name in dict.fromkeys(name for name in followed if followed.count(name) > 1):
        message = f"Several families come after '{name}', so each would spend the same error rate."
        findings.append(Finding(("families",), message, "Put them one after the other, or join them."))
    for key in ("subgroups", "mediation", "exposure_response", "compliers"):
        parts = getattr(plan, key)
        findings += _repeated(key, [part.id for part in parts])
        for index, part in enumerate(parts):
            findings += _unknown((key, index, "estimand"), part.estimand, estimands)
            findings += [
                Finding((key, index, "estimand"), f"'{one.id}' is not asked of everybody.", "Name one that is.")
                for one in plan.estimands
                if one.id == part.estimand and one.population not in (None, plan.population)
            ]
    asked = [part.estimand for part in plan.compliers]
    if plan.small_numbers.profile != "none" and len(set(asked)) < len(asked):
        message = "Two numbers of sessions tell how many people came to as many as lie between them."
        findings.append(Finding(("compliers",), message, "Keep one for each estimand."))
    for index, mediation in enumerate(plan.mediation):
        findings += _unknown(("mediation", index, "mediator"), mediation.mediator, outcomes)
    for index, comparison in enumerate(plan.formats):
        findings += _unknown(("formats", index, "outcome"), comparison.outcome, outcomes)
    findings += _repeated("formats", [comparison.id for comparison in plan.formats])
    findings += _repeated("harms", [harm.id for harm in plan.harms])
    findings += _repeated("intercurrent_events", [event.event for event in plan.intercurrent_events])
    return findings


def find_misfits(plan: Plan, design: StudyDesign) -> list[Finding]:
    """Return what a plan asks that the study does not have, or that does not go together."""
    timepoints = [timepoint.id for timepoint in design.timepoints]
    arms = [arm.id for arm in design.arms]
    later = timepoints[1:]
    findings: list[Finding] = []
    for index, outcome in enumerate(plan.outcomes):
        findings += _unknown(("outcomes", index, "measure"), outcome.measure, list(design.measures))
        findings += _event_misfits(("outcomes", index), outcome, design)
        if outcome.reliable_change is not None and outcome.kind != "score":
            message = f"Reliable change is of single people's scores, and '{outcome.id}' is {outcome.kind}."
            findings.append(Finding(("outcomes", index, "reliable_change"), message, "Take it out."))
        others = plan.outcomes[:index]
        before = [each.id for each in others if each.measure == outcome.measure and each.kind != "score"]
        if before and outcome.kind != "score" and plan.small_numbers.profile != "none":
            message = f"'{before[0]}' and '{outcome.id}' sort people by one measure: together they tell small numbers."
            findings.append(Finding(("outcomes", index), message, "Keep one of them."))
    for index, estimand in enumerate(plan.estimands):
        at: Key = ("estimands", index)
        if design.kind not in FOLLOWED and estimand.population not in (None, plan.population):
            message = "Nobody can be chosen by what came later in this design."
            findings.append(Finding((*at, "population"), message, "Leave 'population' out."))
        if estimand.timepoint == design.baseline.id:
            advice = f"Name a later one: {', '.join(later)}." if later else "The study needs a second timepoint."
            findings.append(Finding((*at, "timepoint"), f"'{estimand.timepoint}' is the baseline.", advice))
            continue
        findings += _unknown((*at, "timepoint"), estimand.timepoint, later)
        for place, covariate in enumerate(estimand.covariates):
            findings += _unknown((*at, "covariates", place), covariate, [known.id for known in design.covariates])
        findings += _model_misfits(at, estimand, plan, design)
        first, second = estimand.compared
        if design.is_stepped_wedge:
            if estimand.contrast != STEP_CONTRAST:
                message = f"Found '{estimand.contrast}'; a stepped wedge compares scores with the programme and before."
                findings.append(Finding((*at, "contrast"), message, f"Write '{STEP_CONTRAST}'."))
            if estimand.population not in (None, plan.population):
                message = "In a stepped wedge everybody comes to have the programme, so nobody is chosen by it."
                findings.append(Finding((*at, "population"), message, "Leave 'population' out."))
            continue
        if design.compares_timepoints:
            expected = SERIES_CONTRAST if design.is_series else f"{estimand.timepoint} - {design.baseline.id}"
            if estimand.contrast != expected:
                findings.append(
                    Finding(
                        (*at, "contrast"),
                        f"Found '{estimand.contrast}'; one arm alone is compared with "
                        f"{'the trend before it' if design.is_series else 'its own baseline'}.",
                        f"Write '{expected}'.",
                    )
                )
            continue
        for side in (first, second):
            findings += _unknown((*at, "contrast"), side, arms)
        if second != (design.reference.id if design.reference else second):
            findings.append(
                Finding(
                    (*at, "contrast"),
                    f"The arm behind the minus sign is '{second}', not the reference arm.",
                    f"Write '... - {design.reference.id}'.",  # type: ignore[union-attr]
                )
            )
        elif first == second:
            findings.append(Finding((*at, "contrast"), "An arm is compared with itself.", "Name two arms."))
    return [*findings, *_part_misfits(plan, design), *_expected_misfits(plan, design)]


def _part_misfits(plan: Plan, design: StudyDesign) -> list[Finding]:
    """Return names in the parts of a plan that the study does not declare."""
    timepoints = [timepoint.id for timepoint in design.timepoints]
    arms = [arm.id for arm in design.arms]
    covariates = [covariate.id for covariate in design.covariates]
    findings: list[Finding] = []
    for index, population in enumerate(plan.populations):
        for place, timepoint in enumerate(population.answered):
            findings += _unknown(("populations", index, "answered", place), timepoint, timepoints)
    for index, subgroup in enumerate(plan.subgroups):
        findings += _unknown(("subgroups", index, "covariate"), subgroup.covariate, covariates)
    for index, mediation in enumerate(plan.mediation):
        findings += _unknown(("mediation", index, "timepoint"), mediation.timepoint, timepoints)
    for index, exposure in enumerate(plan.exposure_response):
        findings += _unknown(("exposure_response", index, "arm"), exposure.arm, arms)
    for index, comparison in enumerate(plan.formats):
        findings += _unknown(("formats", index, "arm"), comparison.arm, arms)
        findings += _unknown(("formats", index, "timepoint"), comparison.timepoint, timepoints[1:])
        for place, covariate in enumerate(comparison.covariates):
            findings += _unknown(("formats", index, "covariates", place), covariate, covariates)
    kinds = [kind.id for kind in design.event_kinds]
    for index, event in enumerate(plan.intercurrent_events):
        findings += _unknown(("intercurrent_events", index, "event"), event.event, kinds)
    for index, harm in enumerate(plan.harms):
        findings += _harm_misfits(index, harm, plan, design)
    return findings


def _harm_misfits(index: int, harm: Harm, plan: Plan, design: StudyDesign) -> list[Finding]:
    """Return what of a harm the study cannot tell, and whether another harm of the plan is told by the same."""
    at = ("harms", index)
    asked = (harm.instrument, harm.item, harm.event)
    before = [each.id for each in plan.harms[:index] if (each.instrument, each.item, each.event) == asked]
    findings: list[Finding] = []
    if before and plan.small_numbers.profile != "none":
        message = f"'{before[0]}' and '{harm.id}' count the same answers or events: together they tell small numbers."
        findings.append(Finding(at, message, "Keep one of them."))
    if harm.event is not None:
        return [*findings, *_unknown((*at, "event"), harm.event, [kind.id for kind in design.event_kinds])]
    items = design.items.get(harm.instrument or "")
    if items is None:
        return [*findings, *_unknown((*at, "instrument"), harm.instrument or "", list(design.items))]
    item = harm.item or ""
    if item not in items:
        return [*findings, *_unknown((*at, "item"), item, list(items))]
    low, high = items[item]
    if harm.at_least is not None and not low < harm.at_least <= high:
        message = f"Answers to '{item}' of {harm.instrument} lie between {low:g} and {high:g}: all or none count."
        findings.append(Finding((*at, "at_least"), message, "Give a border within the range."))
    return findings


def _expected_misfits(plan: Plan, design: StudyDesign) -> list[Finding]:
    """Return what a plan declares of change without a programme that cannot be held against any change."""
    findings: list[Finding] = []
    for index, outcome in enumerate(plan.outcomes):
        for key in ("entry", "natural_change"):
            if getattr(outcome, key) is not None and outcome.kind != "score":
                message = f"'{key}' is about scores in points, and '{outcome.id}' is of another kind."
                advice = "Take it out, or add an outcome with the score itself."
                findings.append(Finding(("outcomes", index, key), message, advice))
        measure = design.measures.get(outcome.measure)
        if outcome.entry is None or measure is None:
            continue
        for key in ("at_least", "at_most"):
            border = getattr(outcome.entry, key)
            if border is not None and not measure.minimum <= border <= measure.maximum:
                message = f"The border {border:g} lies outside of the range of {measure.id}."
                advice = f"Scores run from {measure.minimum:g} to {measure.maximum:g}."
                findings.append(Finding(("outcomes", index, "entry", key), message, advice))
    if "second_baseline" in plan.sensitivity and design.kind != "single_group":
        at = ("sensitivity", plan.sensitivity.index("second_baseline"))
        message = "A second baseline is for a single group; here other people show what changes anyway."
        findings.append(Finding(at, message, "Take it out."))
    return findings


def _event_misfits(at: Key, outcome: Outcome, design: StudyDesign) -> list[Finding]:
    """Return whether everybody or nobody could have the event."""
    measure = design.measures.get(outcome.measure)
    if outcome.event is None or measure is None:
        return []
    ends = np.array([measure.minimum, measure.maximum])
    if outcome.event.holds(ends).sum() == 1:
        return []
    message = f"Of the scores from {measure.minimum:g} to {measure.maximum:g}, all or none are {outcome.event}."
    return [Finding((*at, "event"), message, "Give a border within the range.")]


def _model_misfits(at: Key, estimand: Estimand, plan: Plan, design: StudyDesign) -> list[Finding]:
    """Return what in the choice of a model does not go together."""
    model = plan.model_of(estimand, design)
    is_score = next((each.kind == "score" for each in plan.outcomes if each.id == estimand.outcome), True)
    findings = []
    if design.is_series or model == "interrupted_series":
        findings += _series_misfits(at, estimand, model, design)
    elif model == "overlap_weights":
        findings += _weights_misfits(at, estimand, plan, design)
    elif (model == "gee") == is_score:
        message = f"The model '{model}' does not go with the kind of the outcome."
        scores = "least_squares" if design.is_resampled else "mmrm or mixed_model"
        findings.append(Finding((*at, "model"), message, f"Scores need {scores}, every other kind gee."))
    elif is_score and (model == "least_squares") != design.is_resampled:
        message = f"The model '{model}' does not go with the design {design.kind}."
        findings.append(Finding((*at, "model"), message, "Leave 'model' out: the design chooses it."))
    if model == "mmrm" and design.group_arms:
        message = "An mmrm takes people for independent, but people of an arm meet in groups."
        findings.append(Finding((*at, "model"), message, "Write 'model: mixed_model'."))
    if not estimand.covariates and (model == "overlap_weights" or design.kind == "comparison"):
        message = "Arms that were not formed by chance are compared without anything to make them alike in."
        advice = "Declare the adjustment set, such as 'covariates: [age]': what was known before and may bear on both."
        findings.append(Finding((*at, "covariates"), message, advice))
    set_options = estimand.model_fields_set
    either = ("mmrm", "mixed_model")
    owners = {"covariance": either[:1], "random": either[1:], "variance_by_arm": either, "df_method": either}
    for option, models in owners.items():
        if option in set_options and model not in models:
            owner = " and ".join(f"'{name}'" for name in models)
            message = f"'{option}' is an option of {owner}, and the model is '{model}'."
            findings.append(Finding((*at, option), message, "Take it out."))
    simple = model == "mixed_model" and estimand.random == "intercept" and not estimand.variance_by_arm
    if plan.engine == "statsmodels" and model in either and is_score and not simple:
        message = "The statsmodels engine fits mixed models with random intercepts and one residual variance only."
        findings.append(Finding((*at, "model"), message, "Write 'model: mixed_model', or 'engine: peerimpact'."))
    return findings


def _series_misfits(at: Key, estimand: Estimand, model: str, design: StudyDesign) -> list[Finding]:
    """Return what does not go with an interrupted time series, or only with one."""
    findings = []
    if not design.is_series or model != "interrupted_series":
        message = f"The model '{model}' does not go with the design {design.kind}."
        findings.append(Finding((*at, "model"), message, "Leave 'model' out: the design chooses it."))
    if estimand.covariates:
        message = "A series has one mean per timepoint, which covariates of people do not adjust."
        findings.append(Finding((*at, "covariates"), message, "Take 'covariates' out."))
    return findings


def _weights_misfits(at: Key, estimand: Estimand, plan: Plan, design: StudyDesign) -> list[Finding]:
    """Return why people cannot be weighted for an estimand."""
    if not design.compares_unlike_arms:
        message = f"The model 'overlap_weights' does not go with the design {design.kind}."
        return [Finding((*at, "model"), message, "Leave 'model' out: the design chooses it.")]
    kind = next((each.kind for each in plan.outcomes if each.id == estimand.outcome), "score")
    if kind in ("score", "binary"):
        return []
    message = f"Overlap weights compare scores and shares of people, and the outcome is '{kind}'."
    return [Finding((*at, "model"), message, "Write 'model: gee', or leave 'model' out.")]


def _unknown(key: Key, name: str, known: list[str]) -> list[Finding]:
    return [] if name in known else [Finding(key, f"Found '{name}', which is not declared.", choose_from(name, known))]


def _repeated(key: str, names: list[str]) -> list[Finding]:
    return [
        Finding((key,), f"'{name}' stands more than once.", "Keep one.")
        for name in dict.fromkeys(names)
        if names.count(name) > 1
    ]
