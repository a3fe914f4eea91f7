"""Items of a reporting checklist that the files of a study tell: its design, its plan, its own words.

Each `tell_...` is a `reports.checklist_words.Find`.
"""

from __future__ import annotations

from typing import Final

from analysis.design import DesignKind
from analysis.plan import Outcome
from reports.checklist_words import Find, say_fact, say_heading
from reports.content import ReportContent
from reports.description import PARTS
from reports.design_words import ELSEWHERE, say_limits
from reports.deviations import LIMITS_HEADING
from reports.deviations import TITLE as LIMITS
from reports.harms import TITLE as WORSE
from reports.harms import TITLE_OF_SAMPLES
from reports.language import mark, say, say_list, say_many
from reports.numbers import format_count
from reports.reading import Rows, pick
from reports.who import HEADING as WHO

DESIGNS: Final[dict[DesignKind, str]] = {
    "randomised": mark("arms that were formed by chance"),
    "waitlist": mark("chance decided who began at once and who waited"),
    "stepped_wedge": mark("groups began one after the other, in an order drawn by lot"),
    "matched_comparison": mark("arms of people alike in what was measured, not formed by chance"),
    "comparison": mark("arms that were not formed by chance, and nobody was matched"),
    "single_group": mark("one group, before and after"),
    "interrupted_time_series": mark("separate samples at many timepoints before and after the programme began"),
    "repeated_cross_section": mark("separate samples at each timepoint"),
}


def stated(name: str) -> Find:
    """Return what tells where a statement of the study stands (a key of `reports.who.STATEMENTS`)."""

    def tell(rows: Rows, content: ReportContent) -> str:
        return say_heading(say(LIMITS), say(WHO)) if name in content.statements else ""

    return tell


def described(part: str) -> Find:
    """Return what tells where a part of the programme is described (a key of `reports.description.PARTS`)."""

    def tell(rows: Rows, content: ReportContent) -> str:
        if part not in content.delivered_as:
            return ""
        return say_heading(say("The programme as delivered"), say(PARTS[part][0]))

    return tell


def tell_design(rows: Rows, content: ReportContent) -> str:
    """Tell the design."""
    return say_fact(say("In short"), say(DESIGNS[content.design.kind]))


def is_answered(rows: Rows, content: ReportContent) -> bool:
    """Tell whether a question about the primary outcome has an answer that is shown."""
    asked = tuple(each.id for each in content.plan.estimands if each.outcome == content.plan.primary.id)
    return any(row.is_shown for row in pick(rows, analysis="model", verdict="estimated", estimand=asked))


def tell_summary(rows: Rows, content: ReportContent) -> str:
    """Tell that there is a summary, and what of a summary it has."""
    if is_answered(rows, content):
        told = say("what was asked, who came, what was found, how sure one may be of it, and what not to conclude")
    else:
        told = say("who came, and why there is no answer to the primary question")
    return say_fact(say("In short"), told)


def tell_plan(rows: Rows, content: ReportContent) -> str:
    """Tell when the plan was frozen."""
    frozen = content.frozen
    if frozen is None:
        return say_fact(say(LIMITS), say("the plan was not frozen"))
    date = frozen.planned.frozen_on
    if frozen.is_before_outcomes:
        return say_fact(say(LIMITS), say("the plan was frozen on {date}, before outcomes were read", date=date))
    return say_fact(say(LIMITS), say("the plan was frozen on {date}, after outcomes were read", date=date))


def tell_description(rows: Rows, content: ReportContent) -> str:
    """Tell how far the programme is described."""
    section, count = say("The programme as delivered"), len(content.delivered_as)
    if count:
        parts = {"count": format_count(count), "parts": format_count(len(PARTS))}
        return say_fact(section, say("{count} of {parts} parts of its description", **parts))
    return say_fact(section, say("in a few words")) if content.programme else ""


def tell_question(rows: Rows, content: ReportContent) -> str:
    """Tell the question, and how many comparisons the plan asks for."""
    count = len(content.plan.estimands)
    asked = say_fact(
        say("Outcomes"),
        say_many(
            "{count} comparison that the plan asks for",
            "{count} comparisons that the plan asks for",
            count,
            count=format_count(count),
        ),
    )
    if not content.question:
        return asked
    return say("{first}; {second}", first=say_heading(say("In short"), say("What was asked")), second=asked)


def tell_outcomes(rows: Rows, content: ReportContent) -> str:
    """Tell the outcomes and by which scores they are measured."""
    measured = {each.id: _measured(each, content) for each in content.plan.outcomes}
    primary = measured.pop(content.plan.primary.id)
    if not measured:
        return say_fact(say("Outcomes"), say("primary: {primary}", primary=primary))
    return say_fact(
        say("Outcomes"), say("primary: {primary}; also {others}", primary=primary, others=say_list(measured.values()))
    )


def tell_harms_planned(rows: Rows, content: ReportContent) -> str:
    """Tell how many harms the plan counts."""
    count = len(content.plan.harms)
    if not count:
        return say_fact(say_worse_title(content), say("the plan names no harms"))
    return say_fact(
        say_worse_title(content),
        say_many(
            "{count} harm that the plan counts, and how",
            "{count} harms that the plan counts, and how",
            count,
            count=format_count(count),
        ),
    )


def tell_lots(rows: Rows, content: ReportContent) -> str:
    """Tell for whom lots were drawn, of a design in which they were."""
    # i18n: a line of the reporting checklist, which tells something that stands nowhere else
    here = say("In this line")
    if content.design.is_cluster_randomised:
        return say_fact(here, say("lots were drawn for whole groups"))
    return say_fact(here, say("lots were drawn for people, not for groups"))


def tell_meaning(rows: Rows, content: ReportContent) -> str:
    """Tell where the result is weighed; nothing where there is none."""
    if not is_answered(rows, content):
        return ""
    return say_fact(say("In short"), say("what was found, how sure one may be of it, and what to do next"))


def tell_limits(rows: Rows, content: ReportContent) -> str:
    """Tell where the limits stand."""
    return say_heading(say(LIMITS), say(LIMITS_HEADING))


def tell_meaning_and_limits(rows: Rows, content: ReportContent) -> str:
    """Tell both of `tell_meaning` and `tell_limits`."""
    meaning, limits = tell_meaning(rows, content), tell_limits(rows, content)
    return say("{first}; {second}", first=meaning, second=limits) if meaning else limits


def tell_elsewhere(rows: Rows, content: ReportContent) -> str:
    """Tell where it stands that other people and places may differ."""
    return tell_limits(rows, content) if say(ELSEWHERE) in say_limits(content) else ""


def _measured(outcome: Outcome, content: ReportContent) -> str:
    """Return an outcome with its score; the share of people with an event has the score in its name."""
    measure = content.plan.measure_of(outcome.id, content.design)
    if outcome.event is not None:
        return measure.concept
    return say("{concept} by {measure}", concept=measure.concept, measure=measure.label)


def say_worse_title(content: ReportContent) -> str:
    """Return the title of the section on harms."""
    return say(TITLE_OF_SAMPLES) if content.design.is_resampled else say(WORSE)
