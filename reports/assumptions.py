"""What sensitivity analyses are called, and what they take for granted, in words."""

from __future__ import annotations

from typing import Final

from analysis.design import StudyDesign
from analysis.plan import Estimand, Plan
from analysis.plan_parts import Delta, IntercurrentEvent
from analysis.sensitivity.judgement import WORDS
from analysis.sensitivity.rows import AT_RANDOM, name_delta, name_event
from reports.content import ReportContent
from reports.language import mark, say
from reports.numbers import format_threshold, say_amount

_NAMES: Final = WORDS | {"tipping_point": mark("tipping point"), "unadjusted": mark("without covariates")}
_OF_LEAVERS: Final = {
    # i18n: in "{when}, {assumption}: {size}.", and with a capital the name of a line of a table
    AT_RANDOM: mark("if those who left had gone on like similar people of their arm who stayed"),
    # i18n: in "{when}, {assumption}: {size}.", and with a capital the name of a line of a table
    "jump_to_reference": mark("if those who left had fared like people in {reference} from then on"),
    # i18n: in "{when}, {assumption}: {size}.", and with a capital the name of a line of a table
    "copy_reference": mark("if those who left had been like people in {reference} from the start"),
    # i18n: in "{when}, {assumption}: {size}.", and with a capital the name of a line of a table
    "copy_increments": mark("if those who left had changed like people in {reference} from then on"),
    # i18n: in "{when}, {assumption}: {size}.", and with a capital the name of a line of a table
    "multiple_imputation": mark("with the scores of those who left drawn at random many times"),
    # i18n: in "{when}, {assumption}: {size}.", and with a capital the name of a line of a table
    "completers": mark("among people with a score at every timepoint alone"),
    # i18n: in "{when}, {assumption}: {size}.", and with a capital the name of a line of a table
    "unadjusted": mark("without allowing for any characteristics"),
    # i18n: in "{when}, {assumption}: {size}.", and with a capital the name of a line of a table
    "item_imputation": mark("with items that people did not answer filled in"),
}
"""Name of an analysis -> what it takes for granted, as part of a sentence."""
# i18n: in "{when}, {assumption}: {size}.", and with a capital the name of a line of a table
_OF_ONE_ARM: Final = mark("if those who left had gone on like similar people who stayed")
_OF_EVENTS: Final = {
    # i18n: in "{when}, {assumption}: {size}.", and with a capital the name of a line of a table
    "jump_to_reference": mark(
        "without the scores after \u2018{event}\u2019, as if those people had fared like people in {reference} from "
        "then on"
    ),
    # i18n: in "{when}, {assumption}: {size}.", and with a capital the name of a line of a table
    "copy_reference": mark(
        "without the scores after \u2018{event}\u2019, as if those people had been like people in {reference} from "
        "the start"
    ),
    # i18n: in "{when}, {assumption}: {size}.", and with a capital the name of a line of a table
    "copy_increments": mark(
        "without the scores after \u2018{event}\u2019, as if those people had changed like people in {reference} from "
        "then on"
    ),
    # i18n: in "{when}, {assumption}: {size}.", and with a capital the name of a line of a table
    "hypothetical": mark(
        "without the scores after \u2018{event}\u2019, as if those people had gone on like similar people of their arm"
    ),
}
"""Strategy of an intercurrent event -> what it takes for granted, as part of a sentence."""
# i18n: in "{when}, {assumption}: {size}.", and with a capital the name of a line of a table
_SCORED_WORSE: Final = mark("if people of the {arm} arm who left had scored {amount} worse than similar people")
# i18n: in "{when}, {assumption}: {size}.", and with a capital the name of a line of a table
_SCORED_BETTER: Final = mark("if people of the {arm} arm who left had scored {amount} better than similar people")


def say_assumption(item: str, estimand: Estimand, content: ReportContent) -> str:
    """Return what an analysis takes for granted, as part of a sentence.

    Parameters
    ----------
    item : str
        Name of the analysis in the rows of the analysis ``sensitivity``.
    estimand : Estimand
        Whose first arm a delta is about.
    content : ReportContent
        Labels, design and plan.
    """
    design, plan = content.design, content.plan
    reference = {"reference": design.reference.label if design.reference else ""}
    if item == AT_RANDOM and len(design.arms) == 1:
        return say(_OF_ONE_ARM)
    if item in _OF_LEAVERS:
        return say(_OF_LEAVERS[item], **reference)
    delta = _find_delta(item, plan)
    if delta is not None:
        amount = say_amount(delta.delta, plan.measure_of(estimand.outcome, design))
        message = _SCORED_WORSE if delta.delta >= 0 else _SCORED_BETTER
        return say(message, arm=first_arm(estimand, design), amount=amount)
    event = _find_event(item, plan)
    if event is not None and event.sensitivity is not None:
        return say(_OF_EVENTS[event.sensitivity], event=_label(event, design), **reference)
    return item


def name_analysis(item: str, content: ReportContent) -> str:
    """Return what an analysis is called: a delta by its number in the plan, one after an event by the event."""
    event, delta = _find_event(item, content.plan), _find_delta(item, content.plan)
    if event is not None:
        return say("\u2018{event}\u2019", event=_label(event, content.design))
    if delta is not None:
        return say("delta {number}", number=format_threshold(delta.delta))
    return say(_NAMES[item]) if item in _NAMES else item


def say_use(event: IntercurrentEvent, design: StudyDesign) -> str:
    """Return how the main analysis takes the scores after an event."""
    if event.strategy == "hypothetical":
        return say(
            "Scores after \u2018{event}\u2019 are left out of the main analysis, as if it had not happened.",
            event=_label(event, design),
        )
    return say("Scores after \u2018{event}\u2019 count in the main analysis as they are.", event=_label(event, design))


def first_arm(estimand: Estimand, design: StudyDesign) -> str:
    """Return the label of the arm whose missing scores are moved."""
    chosen = find_first_arm(estimand, design)
    return next((arm.label for arm in design.arms if arm.id == chosen), chosen)


def find_first_arm(estimand: Estimand, design: StudyDesign) -> str:
    """Return the id of the arm whose missing scores are moved."""
    return design.arms[0].id if design.compares_timepoints else estimand.compared.first


def _find_delta(item: str, plan: Plan) -> Delta | None:
    return next((each for each in plan.sensitivity if isinstance(each, Delta) and name_delta(each) == item), None)


def _find_event(item: str, plan: Plan) -> IntercurrentEvent | None:
    return next((each for each in plan.intercurrent_events if name_event(each.event) == item), None)


def _label(event: IntercurrentEvent, design: StudyDesign) -> str:
    kinds = {kind.id: kind.label for kind in design.event_kinds}
    return kinds.get(event.event, event.event)
