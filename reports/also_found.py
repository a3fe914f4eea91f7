"""What was found beside the headline, shortly: other times, other outcomes, people who scored worse, harms."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from analysis.plan import Estimand
from analysis.populations import population_of
from reports.change_counts import first_rule, say_shares
from reports.change_words import say_comparison
from reports.claim_sentences import capital, label_of, say_size
from reports.claims import (
    FOUND_SMALL,
    TOO_SMALL,
    UNKNOWN,
    WITHHELD,
    Claim,
    join_sentences,
    place_against_smallest,
)
from reports.content import ReportContent
from reports.harms_in_short import say_harms_in_short
from reports.language import mark, say, say_list, say_many
from reports.numbers import format_count
from reports.overview import headline_of, headline_timepoint
from reports.reading import Rows, pick, pick_one

MOST_LINES: Final = 3
"""More answers than that about the primary outcome are told in groups, without their numbers."""


@dataclass(frozen=True, slots=True)
class Found:
    """The answer to a question of the plan, for a line of its own or for a group of such answers.

    Attributes
    ----------
    estimand : Estimand
        The question.
    group : str
        ``better``, ``worse``, ``unclear``, ``not_shown`` or ``not_computed``.
    size : str
        With its interval; empty where it is not shown.
    place : int
        Of a clear answer, where it lies to the smallest difference that people notice (`place_against_smallest`).
    """

    estimand: Estimand
    group: str
    size: str
    place: int = 0


def say_also_found(rows: Rows, content: ReportContent, claims: Mapping[str, Claim]) -> tuple[str, ...]:
    """Return lines on what was found beside the headline; none is chosen by its answer.

    Parameters
    ----------
    rows : tuple of Row
        Gated results.
    content : ReportContent
        Labels, design and plan.
    claims : mapping
        Estimand id -> what is said of it, of every estimand of the plan.

    Returns
    -------
    tuple of str
        The other answers about the primary outcome, how many people scored better and worse at the time of the
        headline, the other outcomes in the order of the plan, and harms. Questions about some of the people, and
        those asked twice, stand in the cards alone.
    """
    first = headline_of(content)
    asked = [each for each in content.plan.estimands if each is not first and _is_main(each, content)]
    again = [_find(each, rows, content, claims) for each in asked if each.outcome == content.plan.primary.id]
    others = [_find(each, rows, content, claims) for each in asked if each.outcome != content.plan.primary.id]
    few = len(again) <= MOST_LINES
    told = (_say_alone(found, content) for found in again) if few else (_say_groups(again, content),)
    lines = (*told, _say_people(rows, content, claims), _say_others(others, content), say_harms_in_short(rows, content))
    return tuple(line for line in lines if line)


def _is_main(estimand: Estimand, content: ReportContent) -> bool:
    """Tell whether a question is about everybody, and asked in one way or in this way first."""
    plan = content.plan
    alike = [
        each for each in plan.estimands
        if (each.outcome, each.contrast, each.timepoint) == (estimand.outcome, estimand.contrast, estimand.timepoint)
        and population_of(each, plan) is None
    ]  # fmt: skip
    return bool(alike) and alike[0] is estimand


def _find(estimand: Estimand, rows: Rows, content: ReportContent, claims: Mapping[str, Claim]) -> Found:
    claim, measure = claims[estimand.id], content.plan.measure_of(estimand.outcome, content.design)
    row = pick_one(rows, estimand=estimand.id, analysis="model")
    if row is None or not claim.is_answered:
        return Found(estimand, "not_shown" if claim.is_withheld else "not_computed", "")
    is_better = (row.value > 0) == (measure.higher_is == "better")
    group = "unclear" if not claim.is_clear else "better" if is_better else "worse"
    place = place_against_smallest(row, content.plan.outcome(estimand.outcome), measure) if claim.is_clear else 0
    return Found(estimand, group, say_size(row, measure), place)


def _say_alone(found: Found, content: ReportContent) -> str:
    """Return a line on another answer about the primary outcome."""
    # i18n: {asked} is an outcome and a time, such as "Felt stigma at 26 weeks"
    asked, size = _name_question(found.estimand, content), found.size
    if found.group == "not_shown":
        return say("{asked}: not shown, so that nobody can be recognised.", asked=asked)
    if found.group == "not_computed":
        return say("{asked}: not computed.", asked=asked)
    if content.design.kind == "single_group":
        if found.group == "unclear":
            return say("{asked}: no clear change, {size}.", asked=asked, size=size)
        return join_sentences(say("{asked}: a clear change, {size}.", asked=asked, size=size), _say_slight(found))
    if found.group == "unclear":
        return say("{asked}: no clear difference, {size}.", asked=asked, size=size)
    return join_sentences(say("{asked}: a clear difference, {size}.", asked=asked, size=size), _say_slight(found))


def _say_slight(found: Found) -> str:
    """Return that a clear answer is smaller than people notice, or was found to be; nothing otherwise."""
    if found.place == TOO_SMALL:
        return say("That is less than people notice.")
    return say("What was found is less than people notice.") if found.place == FOUND_SMALL else ""


def _name_question(estimand: Estimand, content: ReportContent) -> str:
    """Return the outcome and the time of a question, and its arms where they are not those of the headline."""
    first, at = headline_of(content), label_of(content.design, estimand.timepoint)
    outcome = capital(_concept(estimand.outcome, content))
    is_same = first is not None and first.contrast == estimand.contrast
    if is_same or content.design.compares_timepoints or content.design.is_stepped_wedge:
        return say("{outcome} at {timepoint}", outcome=outcome, timepoint=at)
    arm, reference = _sides(estimand, content)
    return say(
        "{outcome} at {timepoint}, {arm} compared with {reference}",
        outcome=outcome,
        timepoint=at,
        arm=arm,
        reference=reference,
    )


def _say_people(rows: Rows, content: ReportContent, claims: Mapping[str, Claim]) -> str:
    """Return how many of 100 people scored better, how arms differ in that, and how many scored worse."""
    outcome = content.plan.primary
    own = pick(rows, analysis="change_counts", outcome=outcome.id)
    at = tuple(row for row in own if row.timepoint in (headline_timepoint(content).id, ""))
    if not any(row.arm for row in at):
        return ""
    counted = pick(at, statistic=("improved", "worsened"))
    if not any(row.is_shown or row.method for row in counted):
        return say(
            "How many people scored better or worse than at {baseline} is not shown: {reason}.",
            baseline=content.design.baseline.label,
            reason=say(WITHHELD),
        )
    rule = first_rule(at)
    better, worse = (say_shares(at, statistic, rule, outcome, content) for statistic in ("improved", "worsened"))
    uncompared = _say_uncompared(pick(counted, statistic="worsened", item=rule), content)
    return join_sentences(*better, _say_compared(at, rule, content, claims), *worse, uncompared)


def _say_uncompared(worse: Rows, content: ReportContent) -> str:
    """Return that two numbers side by side do not compare the arms: of who scored worse no difference is computed."""
    told = [row for row in worse if row.is_shown or row.method]
    if len(content.design.arms) != 2 or len(told) != 2:
        return ""
    return say("Whether the arms differ in this was not computed.")


def _say_compared(at: Rows, rule: str, content: ReportContent, claims: Mapping[str, Claim]) -> str:
    """Return how arms differ in how many scored better; nothing where the headline has no answer or it is hidden."""
    first = headline_of(content)
    if first is None or not claims[first.id].is_answered:
        return ""
    row = pick_one(at, statistic="difference_in_shares", item=rule, contrast=first.contrast)
    return say_comparison(row, at, content.plan.primary, content) if row is not None and row.is_shown else ""


def _say_others(others: list[Found], content: ReportContent) -> str:
    """Return how many other outcomes the plan has, and which of them differed clearly, which way, and which did not."""
    outcomes = [outcome for outcome in content.plan.outcomes if outcome.role != "primary"]
    if not outcomes:
        return say("The plan has no other outcome.")
    count = say_many(
        "The plan has {count} other outcome.",
        "The plan has {count} other outcomes.",
        len(outcomes),
        count=format_count(len(outcomes)),
    )
    asked = {found.estimand.outcome for found in others}
    described = [_concept(outcome.id, content) for outcome in outcomes if outcome.id not in asked]
    only = say("Only described: {outcomes}.", outcomes=say_list(described)) if described else ""
    return join_sentences(count, _say_groups(others, content), only)


def _say_groups(answers: list[Found], content: ReportContent) -> str:
    """Return a sentence for each contrast and group of answers, in the order of the plan."""
    sentences = []
    for contrast in dict.fromkeys(found.estimand.contrast if _has_arms(content) else "" for found in answers):
        own = [found for found in answers if contrast in ("", found.estimand.contrast)]
        for group in ("better", "worse", "unclear", "not_computed", "not_shown"):
            alike = [found for found in own if found.group == group]
            if alike:
                sentences.append(_say_group(group, alike[0].estimand, say_list(_by_outcome(alike, content)), content))
    return join_sentences(*sentences)


def _by_outcome(answers: Iterable[Found], content: ReportContent) -> Iterator[str]:
    """Yield ``depressive symptoms (12 weeks and 26 weeks)``, and with it that people would not notice so little."""
    times: dict[tuple[str, int], list[str]] = {}
    for found in answers:
        key = (found.estimand.outcome, found.place if found.place in _NAMED else 0)
        times.setdefault(key, []).append(label_of(content.design, found.estimand.timepoint))
    for (outcome, place), labels in times.items():
        yield say(_NAMED[place], outcome=_concept(outcome, content), timepoints=say_list(labels))


def _say_group(group: str, estimand: Estimand, named: str, content: ReportContent) -> str:
    """Return a sentence on what is alike in its answer; a clear one names the side that is better off."""
    if group == "not_computed":
        return say("Not computed: {named}.", named=named)
    if group == "not_shown":
        return say("Not shown, so that nobody can be recognised: {named}.", named=named)
    design, said = content.design, {"named": named, "baseline": content.design.baseline.label}
    if design.kind == "single_group":
        return say(_OF_CHANGE[group], **said)
    if design.is_series:
        return say(_OF_TREND[group], start=label_of(design, design.arms[0].starts), **said)
    if design.is_stepped_wedge:
        return say(_OF_STEPS[group], **said)
    if design.compares_timepoints:
        return say(_OF_SAMPLES[group], **said)
    arm, reference = _sides(estimand, content)
    return say(_OF_ARMS[group], arm=arm, reference=reference, **said)


def _has_arms(content: ReportContent) -> bool:
    return not (content.design.compares_timepoints or content.design.is_series or content.design.is_stepped_wedge)


def _sides(estimand: Estimand, content: ReportContent) -> tuple[str, str]:
    labels = {arm.id: arm.label for arm in content.design.arms}
    first, second = (labels[side] for side in estimand.compared)
    return first, second


def _concept(outcome: str, content: ReportContent) -> str:
    return content.plan.measure_of(outcome, content.design).concept


_NAMED: Final = {
    0: mark("{outcome} ({timepoints})"),
    TOO_SMALL: mark("{outcome} ({timepoints}; by less than people notice)"),
    FOUND_SMALL: mark("{outcome} ({timepoints}; as found, by less than people notice)"),
    UNKNOWN: mark("{outcome} ({timepoints}; what size people notice is not known)"),
}
"""Where a clear answer lies to the smallest difference that people notice -> its name in a list."""
_OF_ARMS: Final = {
    "better": mark("Clearly better in {arm} than in {reference}: {named}."),
    "worse": mark("Clearly worse in {arm} than in {reference}: {named}."),
    "unclear": mark("No clear difference between {arm} and {reference}: {named}."),
}
_OF_CHANGE: Final = {
    "better": mark("Clearly better than at {baseline}: {named}."),
    "worse": mark("Clearly worse than at {baseline}: {named}."),
    "unclear": mark("No clear change since {baseline}: {named}."),
}
_OF_STEPS: Final = {
    "better": mark("Clearly better while groups had the programme than before: {named}."),
    "worse": mark("Clearly worse while groups had the programme than before: {named}."),
    "unclear": mark("No clear difference between groups that had the programme and groups before it: {named}."),
}
_OF_SAMPLES: Final = {
    "better": mark("Clearly better among people surveyed later than among people surveyed at {baseline}: {named}."),
    "worse": mark("Clearly worse among people surveyed later than among people surveyed at {baseline}: {named}."),
    "unclear": mark("No clear difference between samples: {named}."),
}
_OF_TREND: Final = {
    "better": mark("Clearly better than the trend before {start}: {named}."),
    "worse": mark("Clearly worse than the trend before {start}: {named}."),
    "unclear": mark("No clear departure from the trend before {start}: {named}."),
}
