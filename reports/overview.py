"""Page one in words: who came, and what to do next."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from analysis.design import StudyDesign, Timepoint
from analysis.plan import Estimand
from reports.cells import rounding_notes
from reports.claims import WITHHELD, Claim, join_sentences
from reports.content import ReportContent
from reports.harms import has_alerts, label_of_harm
from reports.language import mark, say, say_as, say_list, say_many
from reports.numbers import format_count, format_share
from reports.reading import Row, Rows, pick, pick_one

FEW_ANSWERED: Final = 0.8
"""Below this share of answers at a timepoint something is to be done about those who do not answer."""

_COMPARE: Final = mark(
    "To learn what the programme adds, compare with people who do not have it yet: a waiting list with places drawn by "
    "lot is fair and gives the clearest answer."
)


def say_who_came(rows: Rows, content: ReportContent) -> tuple[str, ...]:
    """Return sentences about recruitment and answers at the timepoint of the headline, or the size of each sample."""
    design = content.design
    if design.is_resampled:
        return (*_surveyed(rows, design), *rounding_notes(content.plan.small_numbers.protection))
    allocated = [pick_one(rows, analysis="flow", statistic="allocated", arm=arm.id) for arm in design.arms]
    took_part = join_sentences(_recruited(rows), _took_part(allocated, design))
    answered = join_sentences(_response(rows, allocated, content), _scored(rows, content))
    return (took_part, answered, *rounding_notes(content.plan.small_numbers.protection))


def headline_of(content: ReportContent) -> Estimand | None:
    """Return what page one is about: the first question about the primary outcome, None where the plan has none."""
    return next((each for each in content.plan.estimands if each.outcome == content.plan.primary.id), None)


def headline_timepoint(content: ReportContent) -> Timepoint:
    """Return the timepoint of the headline, the last one without a question."""
    estimand, timepoints = headline_of(content), content.design.timepoints
    return next((each for each in timepoints if estimand and each.id == estimand.timepoint), timepoints[-1])


def say_next_steps(rows: Rows, content: ReportContent, claims: tuple[Claim, ...]) -> tuple[str, ...]:
    """Return what to do next, drawn from the answer to the primary outcome and from what weakens it."""
    steps = list(_after_answer(content, claims[0] if claims else None))
    steps += _on_missing_answers(rows, content)
    steps += _on_alerts(rows, content)
    drafts = [instrument.short_name for instrument in content.instruments.values() if instrument.is_draft]
    if drafts:
        steps.append(
            say(
                "Ask the evaluator to have the scoring of {instruments} confirmed: part of it stands on a source still "
                "to be checked.",
                instruments=say_list(drafts),
            )
        )
    return (*steps, say("Read the card of each outcome before quoting a number from it."))


def _on_missing_answers(rows: Rows, content: ReportContent) -> Iterator[str]:
    """Yield whom to follow up at the last timepoint that was reached, and what earlier answers that lack teach."""
    last = _last_reached(rows, content)
    at = headline_timepoint(content)
    if last is None:
        return
    if few := _few_answered(rows, last, content):
        said = {"timepoint": last.label, "arms": say_list(few)}
        yield (
            say(
                "Follow up the people who did not answer: fewer than four in five did at {timepoint} in {arms}.", **said
            )
            if len(content.design.arms) > 1
            else say("Follow up the people who did not answer: fewer than four in five did at {timepoint}.", **said)
        )
    order = content.design.timepoints
    # Nobody can answer at a time that has passed: this is of use to the next study only.
    if order.index(at) < order.index(last) and (few := _few_answered(rows, at, content)):
        said = {"timepoint": at.label, "arms": say_list(few)}
        yield (
            say(
                "In the next study, plan for reaching those who do not answer: fewer than four in five did at "
                "{timepoint} in {arms}.",
                **said,
            )
            if len(content.design.arms) > 1
            else say(
                "In the next study, plan for reaching those who do not answer: fewer than four in five did at "
                "{timepoint}.",
                **said,
            )
        )


def _last_reached(rows: Rows, content: ReportContent) -> Timepoint | None:
    """Return the last timepoint after baseline at which anybody answered, None where nobody did at any."""
    for timepoint in reversed(content.design.timepoints[1:]):
        at = pick(rows, analysis="flow", statistic="answered", timepoint=timepoint.id)
        if any(row.hidden or not row.is_exact or row.n > 0 for row in at):
            return timepoint
    return None


def _on_alerts(rows: Rows, content: ReportContent) -> Iterator[str]:
    """Yield what to ask about answers that call for attention: nothing in the data tells who saw to these people."""
    alerts = [
        label_of_harm(harm, content) for harm in content.plan.harms if harm.event is None and has_alerts(harm, rows)
    ]
    if alerts:
        yield say("Ask whether anybody saw to the people who told of {alerts}.", alerts=say_list(alerts))


def _after_answer(content: ReportContent, first: Claim | None) -> Iterator[str]:
    """Yield what the answer to the primary outcome asks for."""
    if first is None:
        yield say("Decide which comparison of the primary outcome is wanted, and write it into the plan.")
    elif first.is_withheld:
        yield say("Wait for more people: until then the answer to the primary question stays inside the study.")
    elif not first.is_answered:
        yield say("Ask the evaluator what it would take to answer the primary question; the reason stands above.")
    elif content.design.is_resampled:
        yield say(
            "To learn how people fare over time, let everybody make a code of their own that they can write again, so "
            "that answers can be linked without a name."
        )
        if content.design.compares_timepoints:
            yield say(_COMPARE)
    elif content.design.kind == "single_group":
        yield say(_COMPARE)
    elif not first.is_clear:
        yield say(
            "Look at the interval: if it holds differences that would matter to you, the question is open and needs "
            "more people."
        )
    else:
        yield say("Weigh the interval, not only the number in its middle, against the cost of the programme.")
        if content.design.compares_unlike_arms:
            yield say("Before deciding on this alone, ask in what other ways the people in the arms differed.")


def total_of(rows: list[Row | None]) -> float | None:
    """Return the sum of counts that are all exact, otherwise None."""
    known = [row for row in rows if row is not None and row.is_exact]
    return sum(row.n for row in known) if rows and len(known) == len(rows) else None


def _surveyed(rows: Rows, design: StudyDesign) -> Iterator[str]:
    """Say how many people each sample holds."""
    declared = _declared(rows)
    asked = []
    if "eligible" in declared:
        count = declared["eligible"]
        asked.append(
            say_many("{count} person was eligible", "{count} people were eligible", count, count=format_count(count))
        )
    if "invited" in declared:
        count = declared["invited"]
        asked.append(
            say_many("{count} person was invited", "{count} people were invited", count, count=format_count(count))
        )
    if asked:
        yield say("As declared, {people}.", people=say_list(asked))
    sizes = []
    for timepoint in design.timepoints:
        own = pick(rows, analysis="flow", statistic="answered", timepoint=timepoint.id)
        found = [pick_one(own, arm=arm.id) for arm in design.arms]
        people = _by_arm(found, design) if len(found) > 1 else _people(found[0])
        sizes.append(say("{people} at {timepoint}", people=people, timepoint=timepoint.label))
    # i18n: what stands between parts of a list that are long
    yield say("The answers of these people could be used: {sizes}.", sizes=say_as("between", "; ").join(sizes))


def _recruited(rows: Rows) -> str:
    """Say how many people were eligible and invited; nothing where the study does not declare it."""
    declared = _declared(rows)
    said = {name: format_count(count) for name, count in declared.items()}
    if {"eligible", "invited"} <= set(declared):
        return say_many(
            "Of {eligible} eligible person {invited} were invited.",
            "Of {eligible} eligible people {invited} were invited.",
            declared["eligible"],
            **said,
        )
    if "eligible" in declared:
        count = declared["eligible"]
        return say_many("{eligible} person was eligible.", "{eligible} people were eligible.", count, **said)
    if "invited" in declared:
        count = declared["invited"]
        return say_many("{invited} person was invited.", "{invited} people were invited.", count, **said)
    return ""


def _took_part(allocated: list[Row | None], design: StudyDesign) -> str:
    """Say of how many people there are data, in all and by arm."""
    total = total_of(allocated)
    if not any(row is not None and _is_told(row) for row in allocated):
        return say("On how many of them there are data is not shown, because they are so few.")
    arms = _by_arm(allocated, design)
    if total is None:
        return say("There are data on these people: {arms}.", arms=arms)
    count = format_count(total)
    if len(allocated) > 1:
        return say_many(
            "There are data on {count} person: {arms}.",
            "There are data on {count} people: {arms}.",
            total,
            count=count,
            arms=arms,
        )
    return say_many("There are data on {count} person.", "There are data on {count} people.", total, count=count)


def _response(rows: Rows, allocated: list[Row | None], content: ReportContent) -> str:
    """Say how many people answered at the timepoint of the headline."""
    design, at = content.design, headline_timepoint(content)
    answered = [
        pick_one(rows, analysis="flow", statistic="answered", arm=arm.id, timepoint=at.id) for arm in design.arms
    ]
    if not any(row is not None and _is_told(row) for row in answered):
        return say("How many answered at {timepoint} is not shown: {reason}.", timepoint=at.label, reason=say(WITHHELD))
    fewest = content.plan.small_numbers.protection.threshold
    arms = say_list(
        _arm_response(*of_arm, fewest)
        for of_arm in zip(allocated, answered, (arm.label for arm in design.arms), strict=True)
    )
    started, stayed = total_of(allocated), total_of(answered)
    if not (started and stayed is not None):
        return say("Answers at {timepoint}: {arms}.", timepoint=at.label, arms=arms)
    said = {
        "timepoint": at.label,
        "answered": format_count(stayed),
        "started": format_count(started),
        "share": format_share(stayed, started),
    }
    if len(design.arms) > 1:
        return say("At {timepoint}, {answered} of {started} answered ({share}): {arms}.", arms=arms, **said)
    return say("At {timepoint}, {answered} of {started} answered ({share}).", **said)


def _scored(rows: Rows, content: ReportContent) -> str:
    """Say how many had a score of the primary outcome there: fewer than answered, where questions were left out."""
    design, at, outcome = content.design, headline_timepoint(content), content.plan.primary
    place = {"timepoint": at.id}
    answered = [pick_one(rows, analysis="flow", statistic="answered", arm=arm.id, **place) for arm in design.arms]
    place["outcome"] = outcome.id
    scored = [pick_one(rows, analysis="descriptive", statistic="observed", arm=arm.id, **place) for arm in design.arms]
    if not any(row is not None and _is_told(row) for row in scored):
        return ""
    if total_of(scored) is not None and total_of(scored) == total_of(answered):
        return ""
    said = {"outcome": design.measures[outcome.measure].concept, "timepoint": at.label}
    people = _by_arm(scored, design) if len(scored) > 1 else _people(scored[0])
    return say(
        "A score takes answers to enough of its questions. With a score of {outcome} at {timepoint}: {people}.",
        people=people,
        **said,
    )


def _arm_response(allocated: Row | None, answered: Row | None, arm: str, fewest: int) -> str:
    """Say how many people of an arm answered; what `fewest` protects is told as fewer than that."""
    if answered is None or allocated is None:
        return say("none known in {arm}", arm=arm)
    if not allocated.is_exact or not _is_told(answered):
        return say("not shown for {arm} ({reason})", arm=arm, reason=say(WITHHELD))
    said = {"answered": answered.people, "started": allocated.people, "arm": arm}
    if answered.is_exact:
        return say("{answered} of {started} in {arm} ({share})", share=format_share(answered.n, allocated.n), **said)
    if answered.at_least + fewest - 1 == allocated.n:
        return say_many(
            "{answered} of {started} in {arm} (fewer than {count} person did not answer)",
            "{answered} of {started} in {arm} (fewer than {count} did not answer)",
            fewest,
            count=format_count(fewest),
            **said,
        )
    return say("{answered} of {started} in {arm}", **said)


def _declared(rows: Rows) -> dict[str, float]:
    """Return the declared numbers of people that may be printed, by what they count."""
    return {row.statistic: row.value for row in pick(rows, verdict="declared") if row.is_shown}


def _by_arm(rows: list[Row | None], design: StudyDesign) -> str:
    """Return ``92 in Usual care and at least 95 in Peer support``: exact numbers first, before any "at least"."""
    by_arm = sorted(zip(rows, design.arms, strict=True), key=lambda each: each[0] is None or not each[0].is_exact)
    return say_list(say("{people} in {arm}", people=_people(row), arm=arm.label) for row, arm in by_arm)


def _people(row: Row | None) -> str:
    return row.people if row is not None else say("nobody")


def _is_told(row: Row) -> bool:
    """Tell whether something may be said of a number of people."""
    return row.is_exact or row.at_least == row.at_least


def _few_answered(rows: Rows, at: Timepoint, content: ReportContent) -> list[str]:
    """Return the labels of the arms of which few answered at a timepoint."""
    found = []
    for arm in content.design.arms:
        allocated = pick_one(rows, analysis="flow", statistic="allocated", arm=arm.id)
        answered = pick_one(rows, analysis="flow", statistic="answered", arm=arm.id, timepoint=at.id)
        if allocated and answered and allocated.is_exact and allocated.n > 0:
            known = answered.n if answered.is_exact else answered.at_least
            if known / allocated.n < FEW_ANSWERED:
                found.append(arm.label)
    return found
