"""Harms in one line of page one, from gated rows only; the section on harms has the numbers with their intervals."""

from __future__ import annotations

from typing import Final

from analysis.design import Arm
from analysis.plan_parts import Harm
from reports.claim_sentences import label_of
from reports.claims import WITHHELD, join_sentences
from reports.content import ReportContent
from reports.harms import are_few, is_rounded, label_of_harm, print_of_100, say_few, say_people
from reports.language import mark, say, say_list, say_many
from reports.numbers import NOT_SHOWN, format_count
from reports.overview import headline_timepoint
from reports.reading import Rows, pick, pick_one

_HIDDEN: Final = mark("not shown, so that nobody can be recognised")


def say_harms_in_short(rows: Rows, content: ReportContent) -> str:
    """Return to how many people each harm of the plan happened, or that nobody looked.

    Parameters
    ----------
    rows : tuple of Row
        Gated results.
    content : ReportContent
        Labels, design, plan and instruments.
    """
    harms = content.plan.harms
    if not harms:
        return say("The plan names no harms, so nothing is known of harm: that does not mean that there was none.")
    lead = say_many(
        "The plan counts {count} possible harm; counts do not tell why it happened.",
        "The plan counts {count} possible harms; counts do not tell why they happened.",
        len(harms),
        count=format_count(len(harms)),
    )
    by_harm = [_say_harm(harm, pick(rows, analysis="harms", item=harm.id), content) for harm in harms]
    return join_sentences(lead, *by_harm, _say_rounded(rows, content))


def _say_rounded(rows: Rows, content: ReportContent) -> str:
    """Return what numbers with "about" do not tell; nothing where there is none."""
    events = tuple(harm.id for harm in content.plan.harms if harm.event)
    counts = pick(rows, analysis="harms", statistic="people_with_event", item=events)
    if not is_rounded(content) or not any(row.is_shown and row.value for row in counts):
        return ""
    if len(content.design.arms) > 1:
        return say("Numbers with “about” are rounded and do not tell whether the arms differ.")
    return say("Numbers with “about” are rounded.")


def _say_harm(harm: Harm, rows: Rows, content: ReportContent) -> str:
    label, at = label_of_harm(harm, content), _timepoint(harm, rows, content)
    own = pick(rows, timepoint=at) if at else rows
    arms = [arm for arm in content.design.arms if pick(own, arm=arm.id)]
    if not arms or any(row.verdict.startswith("refused") for row in rows):
        return say("{harm}: not counted.", harm=label)
    by_arm = [_people(harm, own, arm, content) for arm in arms]
    people = by_arm[0]
    if len(content.design.arms) > 1 and not set(by_arm) <= {say(NOT_SHOWN), say(_HIDDEN)}:
        people = say_list(_say_of_arm(n, arm.label) for n, arm in zip(by_arm, arms, strict=True))
    if at:
        return say(
            "{harm}, new at {timepoint}: {people}.", harm=label, timepoint=label_of(content.design, at), people=people
        )
    return say("{harm}: {people}.", harm=label, people=people)


def _say_of_arm(people: str, arm: str) -> str:
    if people == say(_HIDDEN):
        return say("not shown for {arm} ({reason})", arm=arm, reason=say(WITHHELD))
    return say("{people} in {arm}", people=people, arm=arm)


def _timepoint(harm: Harm, rows: Rows, content: ReportContent) -> str:
    """Return the timepoint of answers that call for attention: that of the headline, if they were given there."""
    if harm.event:
        return ""
    at = headline_timepoint(content).id
    return at if pick(rows, timepoint=at) else next((row.timepoint for row in rows if row.timepoint), "")


def _people(harm: Harm, rows: Rows, arm: Arm, content: ReportContent) -> str:
    """Return ``about 10 people``, ``50 of 100 people``, ``fewer than 10 people``, ``nobody``, or `_HIDDEN`."""
    own = pick(rows, arm=arm.id)
    row = pick_one(own, statistic="people_with_event" if harm.event else "new_alerts")
    if row is None or not row.is_shown:
        return say_few(content) if are_few(own) else say(_HIDDEN) if row is not None and row.hidden else say(NOT_SHOWN)
    if not row.value:
        return say("nobody")
    if harm.event:
        return say_people(row, content)
    return say_many("{number} of 100 people", "{number} of 100 people", row.value, number=print_of_100(row))
