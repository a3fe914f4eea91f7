"""What a design is, and what it cannot tell, in words; and the headings that are true of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from analysis.design import DesignKind, StudyDesign
from analysis.plan import Outcome
from reports.content import ReportContent
from reports.language import mark, say

DESIGNS: Final[dict[DesignKind, str]] = {
    "randomised": mark("Chance decided who was in which arm, so at the start the arms should differ by luck alone."),
    "waitlist": mark(
        "Chance decided who began at once and who waited, so at the start the arms should differ by luck alone."
    ),
    "stepped_wedge": mark(
        "Groups got the programme one after the other, in an order that was drawn by lot, so each was "
        "measured before it and with it."
    ),
    "matched_comparison": mark(
        "The arms were not formed by chance; people in them were compared after allowing for what "
        "was measured at the start."
    ),
    "comparison": mark(
        "The arms were not formed by chance, and nobody was matched; people in them were compared after "
        "allowing for what was measured at the start."
    ),
    "single_group": mark("One group of people was asked before and after; nobody without the programme was asked."),
    "interrupted_time_series": mark(
        "People were surveyed at many timepoints before and after the programme began, each "
        "time a sample of their own; the later ones were held against the trend of the earlier ones."
    ),
    "repeated_cross_section": mark(
        "Each timepoint is a sample of its own: other people, or in part the same ones, were "
        "surveyed each time, and nobody was followed from one to the next."
    ),
}

ELSEWHERE: Final = mark("Whether the same would be found with other people, other facilitators or in another place.")
_NO_ONE_PERSON: Final = mark(
    "Whether any one person is better or worse off than before: samples were compared, not people with themselves."
)
_LIMITS: Final[dict[DesignKind, tuple[str, ...]]] = {
    "randomised": (ELSEWHERE,),
    "waitlist": (
        mark(
            "How people fare beside others who expect nothing: people who wait may hold back because help is coming, "
            "or look forward to it, and comparisons with a waiting list tend to show larger differences than others."
        ),
        mark("Whether a difference lasts: once those who waited had begun too, nobody remained to compare with."),
        ELSEWHERE,
    ),
    "stepped_wedge": (
        mark(
            "How a difference grows or fades the longer a group has the programme: one difference was taken for all of "
            "it."
        ),
        mark(
            "Whether something else happened to the groups at the time they began, which the passing of time in the "
            "other groups does not show."
        ),
        mark(
            "Whether groups had good and bad times of their own: if they did, the interval is narrower than it should "
            "be."
        ),
        ELSEWHERE,
    ),
    "matched_comparison": (
        mark(
            "Whether the programme is the reason for a difference: people in the arms may differ in ways that were not "
            "measured."
        ),
        ELSEWHERE,
    ),
    "comparison": (
        mark(
            "Whether the programme is the reason for a difference: people in the arms may differ in ways that were not "
            "measured, and nobody was matched."
        ),
        ELSEWHERE,
    ),
    "single_group": (
        mark("Whether the programme is the reason for a change: nobody was asked who did not take part."),
        mark(
            "How much would have changed anyway: people who feel bad when they join tend to score closer to the "
            "average later, with or without a programme (regression to the mean), and some recover by themselves."
        ),
    ),
    "interrupted_time_series": (
        mark(
            "Whether the programme is the reason for a departure from the trend: whatever else happened at that time "
            "would look the same, and so would a change in who was surveyed."
        ),
        mark("Whether the earlier trend would have gone on as a straight line."),
        _NO_ONE_PERSON,
    ),
    "repeated_cross_section": (
        mark(
            "Whether the programme is the reason for a difference: who was surveyed may differ between timepoints in "
            "ways that were not measured, and much else happens between them."
        ),
        _NO_ONE_PERSON,
    ),
}
_ABOUT_SILENCE: Final = mark(
    "What the people who did not answer would have answered: the model takes them to have gone on like similar "
    "people who did."
)
_ABOUT_REACH: Final = mark(
    "What the people who were not reached, or did not answer, would have answered: they may be others at each "
    "timepoint."
)


_ABOUT_LEFT_OUT: Final = mark(
    "How many people were allotted to the arms and are not in the data: if some were left out, chance may no longer "
    "have made the arms alike."
)


@dataclass(frozen=True, slots=True)
class Headings:
    """Titles and lead of the parts that read differently where nobody is followed."""

    found: str
    people: str
    lead: str


def headings_of(design: StudyDesign) -> Headings:
    """Return the headings that are true of a design."""
    if not design.is_resampled:
        return Headings(
            found=say("What changed") if design.kind == "single_group" else say("What was found"),
            people=say("Who took part and who left"),
            lead=say("How many people there were at each step, and how many of those who started answered."),
        )
    return Headings(
        found=say("What was found"),
        people=say("Who was surveyed"),
        lead=say(
            "How many people were surveyed at each timepoint, and how many of them could be linked across timepoints."
        ),
    )


def say_observed(outcome: Outcome, design: StudyDesign) -> str:
    """Return what the description of an outcome is called."""
    if outcome.event is not None:
        if design.is_resampled:
            return say("Observed shares, and how the samples compare")
        return say("Observed shares")
    if design.is_resampled:
        return say("Observed scores, and how the samples compare")
    if len(design.arms) == 1:
        return say("Observed scores and change")
    return say("Observed scores and change within each arm")


def say_limits(content: ReportContent, *, is_computed: bool = True) -> tuple[str, ...]:
    """Return what a study of this design cannot tell; a model that was not fitted takes nothing for granted."""
    silence = say(_ABOUT_SILENCE) if is_computed else say("What the people who did not answer would have answered.")
    # a study declares whom it invited, and nowhere whom chance put into an arm
    left_out = (say(_ABOUT_LEFT_OUT),) if content.design.shares_baseline else ()
    return (
        *left_out,
        *(say(limit) for limit in _LIMITS[content.design.kind]),
        say(_ABOUT_REACH) if content.design.is_resampled else silence,
        say(
            "Whether answers would be the same if people did not know that they took part: all scores are people's own "
            "answers."
        ),
        say("Whether one part of the programme matters more than another, and for whom."),
    )
