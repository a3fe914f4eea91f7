"""What was asked: in the words of the study or, where it has none, built from the plan."""

from __future__ import annotations

from reports.claim_sentences import label_of
from reports.content import ReportContent
from reports.language import say
from reports.overview import headline_of


def say_question(content: ReportContent) -> str:
    """Return the question of the study, or else the first question of the plan about its primary outcome."""
    if content.question:
        return content.question
    design, estimand = content.design, headline_of(content)
    said = {"outcome": content.plan.measure_of(content.plan.primary.id, design).concept}
    if estimand is None:
        return say("The plan names {outcome} as its primary outcome and asks for no comparison.", **said)
    said |= {"timepoint": label_of(design, estimand.timepoint), "baseline": design.baseline.label}
    if design.kind == "single_group":
        return say("The plan asks about {outcome} at {timepoint}, compared with {baseline}.", **said)
    if design.is_series:
        start = label_of(design, design.arms[0].starts)
        return say(
            "The plan asks about {outcome} at {timepoint}, compared with the trend before {start}.", start=start, **said
        )
    if design.is_stepped_wedge:
        return say(
            "The plan asks about {outcome} up to {timepoint}, in groups that have the programme compared with groups "
            "that do not have it yet.",
            **said,
        )
    if design.compares_timepoints:
        return say(
            "The plan asks about {outcome} among people surveyed at {timepoint}, compared with people surveyed at "
            "{baseline}.",
            **said,
        )
    labels = {arm.id: arm.label for arm in design.arms}
    arm, reference = (labels[side] for side in estimand.compared)
    return say(
        "The plan asks about {outcome} at {timepoint}, in {arm} compared with {reference}.",
        arm=arm,
        reference=reference,
        **said,
    )
