"""Page one in words: who came, what this cannot tell, what to do next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from analysis.design import DesignKind, StudyDesign
from reports.claims import WITHHELD, Claim, join_words
from reports.content import ReportContent
from reports.disclosure import THRESHOLD
from reports.numbers import NOT_SHOWN, format_count, format_share
from reports.reading import Row, Rows, pick, pick_one

FEW_ANSWERED: Final = 0.8
"""Below this share of answers at the last timepoint, following people up comes before anything else."""

DESIGNS: Final[dict[DesignKind, str]] = {
    "randomised": "Chance decided who was in which arm, so at the start the arms differed by luck alone.",
    "waitlist": "Chance decided who began at once and who waited, so at the start the arms differed by luck alone.",
    "stepped_wedge": "Groups got the programme one after the other, in an order that was drawn by lot, so each was "
    "measured before it and with it.",
    "matched_comparison": "The arms were not formed by chance; people in them were compared after allowing for what "
    "was measured at the start.",
    "comparison": "The arms were not formed by chance, and nobody was matched; people in them were compared after "
    "allowing for what was measured at the start.",
    "single_group": "One group of people was asked before and after; nobody without the programme was asked.",
    "interrupted_time_series": "People were surveyed at many timepoints before and after the programme began, each "
    "time a sample of their own; the later ones were held against the trend of the earlier ones.",
    "repeated_cross_section": "Each timepoint is a sample of its own: other people, or in part the same ones, were "
    "surveyed each time, and nobody was followed from one to the next.",
}

_LIMITS: Final[dict[DesignKind, tuple[str, ...]]] = {
    "randomised": ("Whether the same would be found with other people, other facilitators or in another place.",),
    "waitlist": (
        "How people fare beside others who expect nothing: people who wait may hold back because help is coming, or "
        "look forward to it, and comparisons with a waiting list tend to show larger differences than others.",
        "Whether a difference lasts: once those who waited had begun too, nobody was left to compare with.",
        "Whether the same would be found with other people, other facilitators or in another place.",
    ),
    "stepped_wedge": (
        "How a difference grows or fades the longer a group has the programme: one difference was taken for all of it.",
        "Whether something else happened to the groups at the time they began, which the passing of time in the other "
        "groups does not show.",
        "Whether groups had good and bad times of their own: if they did, the interval is narrower than it should be.",
        "Whether the same would be found with other people, other facilitators or in another place.",
    ),
    "matched_comparison": (
        "Whether the programme is the reason for a difference: people in the arms may differ in ways that were not "
        "measured.",
        "Whether the same would be found with other people, other facilitators or in another place.",
    ),
    "comparison": (
        "Whether the programme is the reason for a difference: people in the arms may differ in ways that were not "
        "measured, and nobody was matched.",
        "Whether the same would be found with other people, other facilitators or in another place.",
    ),
    "single_group": (
        "Whether the programme is the reason for a change: nobody was asked who did not take part.",
        "How much would have changed anyway: people who feel bad when they join tend to score closer to the average "
        "later, with or without a programme (regression to the mean), and some recover by themselves.",
    ),
    "interrupted_time_series": (
        "Whether the programme is the reason for a departure from the trend: whatever else happened at that time would "
        "look the same, and so would a change in who was surveyed.",
        "Whether the earlier trend would have gone on as a straight line.",
        "Whether any one person is better or worse off than before: samples were compared, not people with themselves.",
    ),
    "repeated_cross_section": (
        "Whether the programme is the reason for a difference: who was surveyed may differ between timepoints in ways "
        "that were not measured, and much else happens between them.",
        "Whether any one person is better or worse off than before: samples were compared, not people with themselves.",
    ),
}
_ABOUT_SILENCE: Final = (
    "What the people who did not answer would have answered: the model takes them to have gone on like similar "
    "people who did."
)
_ABOUT_REACH: Final = (
    "What the people who were not reached, or did not answer, would have answered: they may be others at each "
    "timepoint."
)
_COMPARE: Final = (
    "To learn what the programme adds, compare with people who do not have it yet: a waiting list with places drawn by "
    "lot is fair and gives the clearest answer."
)


@dataclass(frozen=True, slots=True)
class Headings:
    """Titles and lead of the parts that read differently where nobody is followed."""

    found: str = "What changed"
    people: str = "Who took part and who left"
    lead: str = "How many people there were at each step, and how many of those who started answered."


def headings_of(design: StudyDesign) -> Headings:
    """Return the headings that are true of a design."""
    if not design.is_resampled:
        return Headings()
    return Headings(
        found="What was found",
        people="Who was surveyed",
        lead="How many people were surveyed at each timepoint, and how many of them could be linked across timepoints.",
    )


def say_who_came(rows: Rows, content: ReportContent) -> tuple[str, ...]:
    """Return sentences about recruitment and about answers at the last timepoint, or about the size of each sample."""
    design = content.design
    if design.is_resampled:
        return _surveyed(rows, design)
    allocated = [pick_one(rows, analysis="flow", statistic="allocated", arm=arm.id) for arm in design.arms]
    answered = [
        pick_one(rows, analysis="flow", statistic="answered", arm=arm.id, timepoint=design.timepoints[-1].id)
        for arm in design.arms
    ]
    labels = [arm.label for arm in design.arms]
    last = design.timepoints[-1].label
    return (_recruited(rows, allocated, labels), _response(allocated, answered, labels, last))


def say_limits(content: ReportContent) -> tuple[str, ...]:
    """Return what a study of this design cannot tell."""
    return (
        *_LIMITS[content.design.kind],
        _ABOUT_REACH if content.design.is_resampled else _ABOUT_SILENCE,
        "Whether answers would be the same if people did not know that they took part: all scores are people's own "
        "answers.",
        "Whether one part of the programme matters more than another, and for whom.",
    )


def say_next_steps(rows: Rows, content: ReportContent, claims: tuple[Claim, ...]) -> tuple[str, ...]:
    """Return what to do next, drawn from the answer to the primary outcome and from what weakens it."""
    steps = []
    first = claims[0] if claims else None
    if first is None:
        steps.append("Decide which comparison of the primary outcome is wanted, and write it into the plan.")
    elif not first.is_answered:
        steps.append(
            "Wait for more people: until then the answer to the primary question stays inside the study."
            if WITHHELD in first.sentence
            else "Mend what kept the primary question from being answered; the reason stands above."
        )
    elif content.design.is_resampled:
        steps.append(
            "To learn how people fare over time, let everybody make a code of their own that they can write again, so "
            "that answers can be linked without a name."
        )
        steps += [_COMPARE] if content.design.compares_timepoints else []
    elif content.design.kind == "single_group":
        steps.append(_COMPARE)
    elif not first.is_clear:
        steps.append(
            "Do not read this as proof that the arms are alike, nor as a success. Look at the interval: if it holds "
            "differences that would matter to you, the question is open and needs more people."
        )
    else:
        steps.append("Weigh the interval, not only the number in its middle, against the cost of the programme.")
        if content.design.compares_unlike_arms:
            steps.append("Before deciding on this alone, ask in what other ways the people in the arms differed.")
    if _few_answered(rows, content):
        steps.append(
            "Follow up the people who did not answer: fewer than four in five did at the last timepoint in one arm "
            "at least."
        )
    drafts = [instrument.short_name for instrument in content.instruments.values() if instrument.is_draft]
    if drafts:
        steps.append(
            f"Have the scoring of {join_words(drafts)} confirmed; part of it stands on a source still to be checked."
        )
    steps.append("Read the card of each outcome before quoting a number from it.")
    return tuple(steps)


def total_of(rows: list[Row | None]) -> float | None:
    """Return the sum of counts that are all exact, otherwise None."""
    known = [row for row in rows if row is not None and row.is_exact]
    return sum(row.n for row in known) if rows and len(known) == len(rows) else None


def _surveyed(rows: Rows, design: StudyDesign) -> tuple[str, ...]:
    """Say how many people each sample holds."""
    declared = {row.statistic: format_count(row.value) for row in pick(rows, verdict="declared") if row.is_shown}
    words = (("eligible", "people were eligible"), ("invited", "people were invited"))
    lead = [f"{declared[name]} {said}" for name, said in words if name in declared]
    sizes = []
    for timepoint in design.timepoints:
        own = pick(rows, analysis="flow", statistic="answered", timepoint=timepoint.id)
        found = [pick_one(own, arm=arm.id) for arm in design.arms]
        people = [row.people if row is not None else "nobody" for row in found]
        arms = [f"{number} in {arm.label}" for number, arm in zip(people, design.arms, strict=True)]
        sizes.append(f"{join_words(arms) if len(arms) > 1 else people[0]} at {timepoint.label}")
    counted = f"The answers of these people could be used: {'; '.join(sizes)}."
    return (*((f"As declared, {join_words(lead)}.",) if lead else ()), counted)


def _recruited(rows: Rows, allocated: list[Row | None], labels: list[str]) -> str:
    by_arm = join_words(
        [
            f"{row.people if row is not None else 'nobody'} in {label}"
            for row, label in zip(allocated, labels, strict=True)
        ]
    )
    declared = {row.statistic: format_count(row.value) for row in pick(rows, verdict="declared") if row.is_shown}
    total = total_of(allocated)
    took_part = f"the data that could be used hold {format_count(total) if total is not None else 'some of them'}"
    if not any(row is not None and row.people != NOT_SHOWN for row in allocated):
        took_part = f"how many of them the data hold is {NOT_SHOWN}, because they are so few"
    elif total is None or len(labels) > 1:
        took_part += f": {by_arm}"
    if {"eligible", "invited"} <= set(declared):
        return f"Of {declared['eligible']} eligible people {declared['invited']} were invited, and {took_part}."
    for statistic, words in (("eligible", "eligible people"), ("invited", "people invited")):
        if statistic in declared:
            return f"Of {declared[statistic]} {words}, {took_part}."
    return f"{took_part[0].upper()}{took_part[1:]}."


def _response(allocated: list[Row | None], answered: list[Row | None], labels: list[str], last: str) -> str:
    started, stayed = total_of(allocated), total_of(answered)
    by_arm = [_arm_response(*of_arm) for of_arm in zip(allocated, answered, labels, strict=True)]
    if started and stayed is not None:
        lead = (
            f"At {last}, {format_count(stayed)} of {format_count(started)} answered ({format_share(stayed, started)})"
        )
        return f"{lead}: {join_words(by_arm)}." if len(labels) > 1 else f"{lead}."
    return f"Answers at {last}: {join_words(by_arm)}."


def _arm_response(allocated: Row | None, answered: Row | None, label: str) -> str:
    if answered is None or allocated is None:
        return f"none known in {label}"
    if not allocated.is_exact or answered.people == "not shown":
        return f"not shown for {label} ({WITHHELD})"
    if answered.is_exact:
        return f"{answered.people} of {allocated.people} in {label} ({format_share(answered.n, allocated.n)})"
    near = answered.at_least + THRESHOLD - 1 == allocated.n
    return f"{answered.people} of {allocated.people} in {label}" + (
        f" (fewer than {THRESHOLD} did not answer)" if near else ""
    )


def _few_answered(rows: Rows, content: ReportContent) -> bool:
    for arm in content.design.arms:
        allocated = pick_one(rows, analysis="flow", statistic="allocated", arm=arm.id)
        answered = pick_one(
            rows, analysis="flow", statistic="answered", arm=arm.id, timepoint=content.design.timepoints[-1].id
        )
        if allocated and answered and allocated.is_exact and allocated.n > 0:
            known = answered.n if answered.is_exact else answered.at_least
            if known / allocated.n < FEW_ANSWERED:
                return True
    return False
