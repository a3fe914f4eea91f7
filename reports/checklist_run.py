"""Items of a reporting checklist that gated rows tell: people, estimates, harms, sessions.

Each `tell_...` is a `reports.checklist_words.Find`. Numbers of people are those of the report's other tables.
"""

from __future__ import annotations

from collections.abc import Iterator

from reports.balance import HEADING as ALIKE
from reports.balance import say_balance
from reports.checklist_study import described, say_worse_title
from reports.checklist_words import say_fact, say_heading
from reports.content import ReportContent
from reports.design_words import headings_of
from reports.deviations import LIMITS_HEADING
from reports.deviations import TITLE as LIMITS
from reports.dose import HEADING as SESSIONS
from reports.dose import say_dose
from reports.formats import say_formats
from reports.language import say, say_as, say_list, say_many
from reports.leavers import HEADING as IF_OTHERWISE
from reports.leavers import OTHERWISE
from reports.not_computed import tabulate_not_computed
from reports.numbers import format_count
from reports.reading import Row, Rows, pick, pick_one
from reports.where import say_where


def tell_changes(rows: Rows, content: ReportContent) -> str:
    """Tell how many parts of a frozen plan were done otherwise."""
    if content.frozen is None:
        return ""
    count = len({row.item for row in pick(rows, analysis="deviations")})
    if not count and tabulate_not_computed(rows, content).rows:
        return say_fact(
            say(LIMITS),
            say(
                "nothing was done otherwise than in the plan that was frozen, but something it asks for was not "
                "computed"
            ),
        )
    if not count:
        return say_fact(say(LIMITS), say("nothing was done otherwise than in the plan that was frozen"))
    return say_fact(
        say(LIMITS),
        say_many(
            "{count} deviation from the plan that was frozen",
            "{count} deviations from the plan that was frozen",
            count,
            count=format_count(count),
        ),
    )


def tell_place(rows: Rows, content: ReportContent) -> str:
    """Tell where it stands where the programme takes place, or how much sites differ."""
    place = described("place")(rows, content)
    if not place and pick(rows, analysis="sites") and say_where(rows, content):
        return say_fact(say("For whom, and where"), say("how much sites differ"))
    return place


def tell_recruitment(rows: Rows, content: ReportContent) -> str:
    """Tell where it stands how many people were eligible or invited, or where they were."""
    if any(row.is_shown for row in pick(rows, analysis="flow", verdict="declared")):
        return say_fact(say("In short"), say("how many people were eligible or invited, as declared"))
    return tell_place(rows, content)


def tell_flow(rows: Rows, content: ReportContent) -> str:
    """Tell how many people there were in each arm, or that samples are counted."""
    design, section = content.design, headings_of(content.design).people
    if design.is_resampled:
        return say_fact(section, say("how many people were surveyed at each timepoint, by arm"))
    allocated = pick(rows, analysis="flow", statistic="allocated")
    if not _is_told(allocated):
        return ""
    held = [
        say("{people} in {arm}", people=row.people, arm=arm.label)
        for arm in design.arms
        for row in pick(allocated, arm=arm.id)
    ]
    return say_fact(section, say("in the data that could be used: {arms}", arms=say_list(held))) if held else ""


def tell_answered(rows: Rows, content: ReportContent) -> str:
    """Tell that answers at each timepoint are counted."""
    if not _is_told(pick(rows, analysis="flow", statistic="answered")):
        return ""
    return say_fact(headings_of(content.design).people, say("how many people answered at each timepoint, by arm"))


def tell_delivery(rows: Rows, content: ReportContent) -> str:
    """Tell whether sessions were recorded, or how far the programme was kept to the plan."""
    if _is_shown("delivery", rows):
        return say_fact(say("The programme as delivered"), say("sessions held and attended, by arm"))
    return described("fidelity_assessed")(rows, content)


def tell_baseline(rows: Rows, content: ReportContent) -> str:
    """Tell where scores at baseline stand."""
    baseline = content.design.baseline
    if not any(row.is_shown for row in pick(rows, analysis="descriptive", timepoint=baseline.id)):
        return ""
    return say_fact(say("Outcomes"), say("observed scores at {baseline}, by arm", baseline=baseline.label))


def tell_likeness(rows: Rows, content: ReportContent) -> str:
    """Tell where it stands how alike compared people were."""
    if not any(say_balance(outcome, rows, content) for outcome in content.plan.outcomes):
        return ""
    return say_heading(say("Outcomes"), say(ALIKE))


def tell_models(rows: Rows, content: ReportContent) -> str:
    """Tell where the models stand."""
    if not pick(rows, analysis="model", verdict="estimated"):
        return ""
    return say_heading(say("Method annex"), say("Models"))


def tell_analysed(rows: Rows, content: ReportContent) -> str:
    """Tell how many people the model of the primary outcome holds, as the table of people has it."""
    plan, design = content.plan, content.design
    found = pick(rows, analysis="flow", statistic="analysed", outcome=plan.primary.id)
    people = [_of_whom(row, content) for arm in design.arms for row in found if row.arm == arm.id]
    if not _is_told(found):
        return ""
    concept = plan.measure_of(plan.primary.id, design).concept
    said = say("in the model of {concept}: {people}", concept=concept, people=say_list(people))
    return say_fact(headings_of(design).people, said)


def tell_estimates(rows: Rows, content: ReportContent) -> str:
    """Tell how many of the comparisons have an estimate that is shown."""
    estimands = content.plan.estimands
    models = [pick_one(rows, estimand=each.id, analysis="model") for each in estimands]
    answered = sum(row is not None and row.verdict == "estimated" and row.is_shown for row in models)
    if not answered:
        return ""
    said = {"answered": format_count(answered), "asked": format_count(len(estimands))}
    return say_fact(
        say("Outcomes"),
        say_many(
            "{answered} of {asked} comparison with an estimate and its interval",
            "{answered} of {asked} comparisons with an estimate and its interval",
            len(estimands),
            **said,
        ),
    )


def tell_analysed_and_estimates(rows: Rows, content: ReportContent) -> str:
    """Tell both of `tell_analysed` and `tell_estimates`."""
    analysed, estimates = tell_analysed(rows, content), tell_estimates(rows, content)
    if analysed and estimates:
        return say("{first}; {second}", first=analysed, second=estimates)
    return analysed or estimates


def tell_missing(rows: Rows, content: ReportContent) -> str:
    """Tell where missing answers are allowed for: under other assumptions, or in what is said of the limits."""
    if not pick(rows, analysis="model", verdict="estimated"):
        return ""
    if pick(rows, analysis="sensitivity"):
        return say_heading(say("Outcomes"), _say_otherwise(content))
    return say_heading(say(LIMITS), say(LIMITS_HEADING))


def tell_further(rows: Rows, content: ReportContent) -> str:
    """Tell which further analyses there are, and where."""
    # i18n: what stands between parts of a list that are long
    return say_as("between", "; ").join(_further(rows, content))


def tell_harms_found(rows: Rows, content: ReportContent) -> str:
    """Tell how many of the harms of the plan were counted; nothing where no count may be shown."""
    plan, own = content.plan, pick(rows, analysis="harms")
    if not plan.harms:
        return say_fact(say_worse_title(content), say("harms were not looked at"))
    if own and not _is_shown("harms", rows):
        return ""
    found = [pick(own, item=harm.id) for harm in plan.harms]
    counted = sum(bool(each) and not any(row.verdict.startswith("refused") for row in each) for each in found)
    said = {"counted": format_count(counted), "count": format_count(len(plan.harms))}
    return say_fact(
        say_worse_title(content),
        say_many(
            "{counted} of {count} harm that the plan names was counted",
            "{counted} of {count} harms that the plan names were counted",
            len(plan.harms),
            **said,
        ),
    )


def _further(rows: Rows, content: ReportContent) -> Iterator[str]:
    if _is_shown("sensitivity", rows):
        yield say_heading(say("Outcomes"), _say_otherwise(content))
    if _is_shown("dose", rows) and any(say_dose(outcome, rows, content) for outcome in content.plan.outcomes):
        yield say_heading(say("Outcomes"), say(SESSIONS))
    if _is_shown("subgroups", rows) and say_where(rows, content):
        yield say_fact(say("For whom, and where"), say("subgroups"))
    if _is_shown("mediation", rows) and say_where(rows, content):
        yield say_fact(say("For whom, and where"), say("by which way, as a hint only"))
    formats = say_formats(rows, content) if _is_shown("formats", rows) else None
    if formats is not None:
        yield say_fact(formats.title, say("how the two compare"))


def _say_otherwise(content: ReportContent) -> str:
    """Return the heading of the answers under other assumptions."""
    return say(OTHERWISE) if content.design.is_resampled else say(IF_OTHERWISE)


def _is_told(counted: Rows) -> bool:
    """Tell whether anything may be said of numbers of people."""
    return any(row.is_exact or row.is_bounded for row in counted)


def _is_shown(analysis: str, rows: Rows) -> bool:
    """Tell whether an analysis has any number on the page."""
    return any(row.is_shown for row in pick(rows, analysis=analysis))


def _of_whom(row: Row, content: ReportContent) -> str:
    arm = next(arm.label for arm in content.design.arms if arm.id == row.arm)
    at = next((each.label for each in content.design.timepoints if each.id == row.timepoint), "")
    if at:
        return say("{people} in {arm} at {timepoint}", people=row.people, arm=arm, timepoint=at)
    return say("{people} in {arm}", people=row.people, arm=arm)
