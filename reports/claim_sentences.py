"""The main sentence of a claim, by design: a lead, what was observed, its interval, and what cannot be told."""

from __future__ import annotations

from typing import Final

from analysis.design import Arm, Measure, StudyDesign
from analysis.plan import Estimand
from reports import claim_clauses as clauses
from reports.claim_clauses import Pair
from reports.language import language_spoken, say, say_list
from reports.numbers import decimals_of, decimals_to_print, is_nothing, say_difference, say_range
from reports.reading import Row
from reports.verbs import say_verb

SIGNIFICANCE: Final = 0.05


def is_clear(row: Row) -> bool:
    """Tell whether an interval leaves out zero, and the p-value adjusted for several questions, if any, agrees."""
    excludes = row.conf_low > 0 or row.conf_high < 0
    return excludes and not row.p_adjusted >= SIGNIFICANCE


def say_size(row: Row, measure: Measure) -> str:
    """Return ``2.4 points lower (95 % interval 0.6 to 4.2 points lower)``."""
    decimals = _decimals(row, measure)
    interval = say_interval(row, measure)
    if is_nothing(row.value, decimals):
        return say("about the same ({interval})", interval=interval)
    return say("{amount} ({interval})", amount=say_difference(row.value, measure, decimals), interval=interval)


def say_interval(row: Row, measure: Measure) -> str:
    """Return ``95 % interval 0.6 to 4.2 points lower``, or with both ways named where zero is inside."""
    ends = say_range(row.conf_low, row.conf_high, measure, _decimals(row, measure))
    return say("95\u00a0% interval {ends}", ends=ends)


def say_by_lot(
    row: Row, measure: Measure, estimand: Estimand, design: StudyDesign, level: int, *, is_slight: bool = False
) -> str:
    """Say a difference of arms that chance formed, or of the sides of a stepped wedge.

    Parameters
    ----------
    row : Row
        The estimate, shown.
    measure : Measure
        Of the outcome, as every sentence here.
    estimand : Estimand
        What was asked.
    design : StudyDesign
        By lot.
    level : int
        Certainty of a clear result, 1 to 4; 0 where it is not clear.
    is_slight : bool, optional
        All of the interval of a clear result is smaller than what people notice.
    """
    at, interval = label_of(design, estimand.timepoint), say_interval(row, measure)
    if design.is_stepped_wedge:
        arm, seen = "", _observed(clauses.IN_STEPS[measure.unit], row, measure)
    else:
        arm, reference = _arms(estimand, design)
        seen = _observed(clauses.BETWEEN_ARMS[measure.unit], row, measure, arm=arm, reference=reference)
    said = {"measure": measure.concept, "timepoint": at, "observed": seen, "interval": interval}
    if level:
        said["claim"] = say_verb(design.kind, level, row.value, arm=arm, measure=measure.concept)
        if design.is_stepped_wedge and is_slight:
            return say(
                "{claim}, by less than people notice: up to {timepoint}, {observed}, allowing for time ({interval}).",
                **said,
            )
        if design.is_stepped_wedge:
            return say("{claim}: up to {timepoint}, {observed}, allowing for time ({interval}).", **said)
        if is_slight:
            return say("{claim}, by less than people notice: at {timepoint}, {observed} ({interval}).", **said)
        return say("{claim}: at {timepoint}, {observed} ({interval}).", **said)
    if design.is_stepped_wedge:
        return say(
            "No clear difference in {measure}: up to {timepoint}, {observed}, allowing for time ({interval}).", **said
        )
    return say("No clear difference in {measure} at {timepoint}: {observed} ({interval}).", **said)


def say_association(row: Row, measure: Measure, estimand: Estimand, design: StudyDesign) -> str:
    """Say how being in an arm goes with a change, or with a later score of people made alike by weights."""
    arm, reference = _arms(estimand, design)
    at = label_of(design, estimand.timepoint)
    said = {"arm": arm, "reference": reference, "baseline": design.baseline.label, "timepoint": at}
    is_share = measure.unit == "percent"
    is_weighted = estimand.model == "overlap_weights"
    if is_weighted:
        said["covariates"] = _made_alike_in(row, estimand, design)
        pair = clauses.WEIGHTED_SHARE if is_share else clauses.WEIGHTED
    elif adjusted := _adjusted_for(row, estimand, design):
        said["covariates"] = adjusted
        pair = clauses.ADJUSTED_SHARE if is_share else clauses.ADJUSTED
    else:
        pair = clauses.ASSOCIATED_SHARE if is_share else clauses.ASSOCIATED
    said = {"observed": _observed(pair, row, measure, **said), "interval": say_interval(row, measure)}
    if is_clear(row):
        return say("{observed} ({interval}).", **said)
    if is_weighted:
        return say(
            "no clear difference in {measure} at {timepoint}: {observed} ({interval}).",
            measure=measure.concept,
            timepoint=at,
            **said,
        )
    return say(
        "no clear difference in how {measure} changed: {observed} ({interval}).", measure=measure.concept, **said
    )


def say_change(row: Row, measure: Measure, estimand: Estimand, design: StudyDesign) -> str:
    """Say a change of one group, and that nobody can tell why."""
    at = label_of(design, estimand.timepoint)
    pair = clauses.OVER_TIME[measure.unit]
    seen = _observed(pair, row, measure, timepoint=at, baseline=design.baseline.label)
    said = {"observed": seen, "interval": say_interval(row, measure)}
    if is_clear(row):
        found = say("{observed} ({interval}).", **said)
    elif measure.unit == "points":
        found = say("no clear change in {measure}: {observed} ({interval}).", measure=measure.concept, **said)
    else:
        found = say("no clear change: {observed} ({interval}).", **said)
    return join_sentences(found, say("How much of that is due to the programme cannot be told."))


def say_samples(row: Row, measure: Measure, estimand: Estimand, design: StudyDesign) -> str:
    """Say how samples differ: of people surveyed later and at first, never of anybody who changed."""
    if design.is_series:
        return _say_departure(row, measure, estimand, design)
    said = {"timepoint": label_of(design, estimand.timepoint), "baseline": design.baseline.label}
    if design.compares_timepoints:
        seen = _observed(clauses.BETWEEN_SAMPLES[measure.unit], row, measure, **said)
    else:
        arm, reference = _arms(estimand, design)
        pair = clauses.SHARES_OF_ARMS if measure.unit == "percent" else clauses.SAMPLES_OF_ARMS
        seen = _observed(pair, row, measure, arm=arm, reference=reference, **said)
    if adjusted := _adjusted_for(row, estimand, design):
        seen = say("{observed}, after allowing for {covariates}", observed=seen, covariates=adjusted)
    said = {"observed": seen, "interval": say_interval(row, measure)}
    if is_clear(row):
        found = say("{observed} ({interval}).", **said)
    elif not design.compares_timepoints:
        said["measure"] = measure.concept
        found = say("no clear difference between the arms in {measure}: {observed} ({interval}).", **said)
    elif measure.unit == "points":
        said["measure"] = measure.concept
        found = say("no clear difference in {measure} between samples: {observed} ({interval}).", **said)
    else:
        found = say("no clear difference between samples: {observed} ({interval}).", **said)
    unknown = say("How much of that is due to the programme, and how much to who was surveyed, cannot be told.")
    return join_sentences(found, unknown)


def _say_departure(row: Row, measure: Measure, estimand: Estimand, design: StudyDesign) -> str:
    """Say by how much samples depart from the trend before the programme."""
    at, start = label_of(design, estimand.timepoint), label_of(design, design.arms[0].starts)
    seen = _observed(clauses.FROM_TREND[measure.unit], row, measure, timepoint=at, start=start)
    said = {"observed": seen, "interval": say_interval(row, measure)}
    if is_clear(row):
        found = say("{observed} ({interval}).", **said)
    else:
        said["measure"] = measure.concept
        found = say("no clear departure of {measure} from its earlier trend: {observed} ({interval}).", **said)
    return join_sentences(found, say("Whatever else happened at that time would look the same."))


def _observed(pair: Pair, row: Row, measure: Measure, **said: str) -> str:
    """Say a clause of a pair with what the estimate puts into it."""
    decimals = _decimals(row, measure)
    said |= {"measure": measure.label, "concept": measure.concept}
    differs, is_same = pair
    if is_nothing(row.value, decimals):
        return say(is_same, **said)
    return say(differs, amount=say_difference(row.value, measure, decimals), **said)


def _decimals(row: Row, measure: Measure) -> int:
    return decimals_to_print(row.conf_low, row.conf_high, decimals_of(measure), row.value)


def _made_alike_in(row: Row, estimand: Estimand, design: StudyDesign) -> str:
    """Return what weights made people alike in: nothing else was."""
    labels = {covariate.id: covariate.label for covariate in design.covariates}
    declared = [labels[covariate] for covariate in estimand.covariates]
    baseline = design.baseline.label
    # What the analysis told stands in English, with the labels as the study has them.
    is_used = f"the score at {_as_declared(baseline)}" in row.method or not declared
    return say_list([*declared, say("the score at {timepoint}", timepoint=baseline)] if is_used else declared)


def _adjusted_for(row: Row, estimand: Estimand, design: StudyDesign) -> str:
    """Return the covariates of a comparison; one that the model left out whole, as its words say, is not named."""
    labels = {covariate.id: covariate.label for covariate in design.covariates}
    adjusted, _, left_out = row.method.partition("left out because")
    names = [
        labels[covariate]
        for covariate in estimand.covariates
        if f"covariate {covariate}" not in left_out or _as_declared(labels[covariate]) in adjusted
    ]
    return say_list(names) if names else ""


def _as_declared(label: str) -> str:
    """Return a label of the study as its files have it, whatever it is called in the language in force."""
    return next((text for text, said in language_spoken().own.items() if said == label), label)


def join_sentences(*sentences: str) -> str:
    """Return whole sentences one after the other."""
    return " ".join(sentence for sentence in sentences if sentence)


def capital(text: str) -> str:
    """Return a sentence or a label with a capital at its start."""
    return f"{text[:1].upper()}{text[1:]}"


def label_of(design: StudyDesign, timepoint: str) -> str:
    """Return the label of a timepoint."""
    return next(known.label for known in design.timepoints if known.id == timepoint)


def _arms(estimand: Estimand, design: StudyDesign) -> tuple[str, str]:
    """Return the labels of the arms that are compared."""
    first, second = (_arm(design, side).label for side in estimand.compared)
    return first, second


def _arm(design: StudyDesign, arm: str) -> Arm:
    return next(known for known in design.arms if known.id == arm)
