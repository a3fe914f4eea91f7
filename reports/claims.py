"""What may be said of an estimate: sentences by design, certainty and interval, never more than these allow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from analysis.design import Measure, StudyDesign
from analysis.plan import Estimand, Outcome
from analysis.plan_parts import Population
from analysis.populations import population_of
from reports.certainty import certainty_of
from reports.chance import is_left_to_chance, say_left_to_chance
from reports.claim_sentences import (
    SIGNIFICANCE,
    capital,
    is_clear,
    join_sentences,
    label_of,
    say_association,
    say_by_lot,
    say_change,
    say_samples,
    say_size,
)
from reports.content import ReportContent
from reports.language import mark, say, say_list, say_many
from reports.numbers import decimals_of, decimals_to_show, format_p, format_threshold, say_amount
from reports.reading import Row, Rows, pick_one

__all__ = [
    "ALONE",
    "CHOSEN",
    "FOUND_SMALL",
    "SAME_EVERYWHERE",
    "SIGNIFICANCE",
    "TOO_SMALL",
    "UNKNOWN",
    "WITHHELD",
    "Claim",
    "capital",
    "is_clear",
    "join_sentences",
    "make_claim",
    "place_against_smallest",
    "say_direction",
    "say_population",
    "say_size",
]

ALONE: Final = mark(
    "A change within one arm says nothing of the programme: people who feel bad when they join tend to score closer to "
    "the average later, with or without a programme (regression to the mean), and some recover by themselves."
)
CHOSEN: Final = mark(
    "These people were not chosen by chance: who comes often, or goes on answering, differs in other ways too, so this "
    "says less of the programme than the comparison of everybody."
)
# i18n: a reason, after a colon or in brackets
WITHHELD: Final = mark("so few people are behind it, or left out of it, that somebody could be recognised")
NO_PROOF: Final = (
    mark("The interval holds zero; that is no proof that there is no change."),
    mark("The interval holds zero; that is no proof that there is no difference."),
)
"""Of a change, and of a difference; page one says it among what not to conclude."""
SAME_EVERYWHERE: Final = mark(
    "Scores may change over time in all groups, and the model allows for that; it takes the difference to be the same "
    "in every group and at every timepoint."
)


@dataclass(frozen=True, slots=True)
class Claim:
    """What is said of one estimand.

    Attributes
    ----------
    estimand : str
        Id in the plan.
    sentence : str
        The main sentence.
    notes : tuple of str
        How to read it: direction, smallest meaningful change, several questions at once.
    is_causal : bool
        The sentence says that the programme did something: randomised, interval without zero.
    is_clear : bool
        The interval leaves out zero, also when several questions are allowed for.
    is_answered : bool
        There is a number.
    is_withheld : bool
        There would be a number, but the disclosure gate keeps it inside the study.
    only_in_card : tuple of str
        Those of the notes that page one leaves out.
    """

    estimand: str
    sentence: str
    notes: tuple[str, ...] = ()
    is_causal: bool = False
    is_clear: bool = False
    is_answered: bool = True
    is_withheld: bool = False
    only_in_card: tuple[str, ...] = ()


def make_claim(estimand: Estimand, rows: Rows, content: ReportContent) -> Claim:
    """Say what one estimand found, in the words that the design allows, in the language in force.

    Parameters
    ----------
    estimand : Estimand
        Of the plan.
    rows : tuple of Row
        Gated results.
    content : ReportContent
        Labels, design and plan.

    Returns
    -------
    Claim
        A causal verb only for a randomised design whose 95 % interval leaves out zero (and whose adjusted p-value is
        below 0.05), weakened by the certainty; otherwise "no clear difference", never "none".
    """
    row = pick_one(rows, estimand=estimand.id, analysis="model")
    outcome, design = content.plan.outcome(estimand.outcome), content.design
    estimand = estimand.model_copy(update={"model": content.plan.model_of(estimand, design)})
    measure = content.plan.measure_of(outcome.id, design)
    if row is None or row.verdict != "estimated":
        return Claim(estimand.id, _unanswered(row, measure, estimand, design), is_answered=False)
    if not row.is_shown:
        sentence = say(
            "The result for {measure} at {timepoint} is not shown: {reason}.",
            measure=measure.concept,
            timepoint=label_of(design, estimand.timepoint),
            reason=say(WITHHELD),
        )
        return Claim(estimand.id, sentence, is_answered=False, is_withheld=True)
    clear = is_clear(row) and not is_left_to_chance(rows, estimand.id)
    population = population_of(estimand, content.plan)
    if population is None:
        level = certainty_of(rows, estimand.id, outcome.id) or 1
        is_slight = clear and place_against_smallest(row, outcome, measure) == TOO_SMALL
        sentence = capital(_say_of_all(row, measure, estimand, design, level if clear else 0, is_slight=is_slight))
    else:
        found = _say_of_some(row, measure, estimand, design)
        sentence = say("Among {people}: {found}", people=say_population(population, design), found=found)
    notes = list(_notes(row, outcome, measure, design))
    if is_clear(row) and not clear:
        notes.append(say_left_to_chance())
    if content.plan.is_asked_twice(estimand):
        again = say("This is '{estimand}' of the plan, which asks the same in more than one way.", estimand=estimand.id)
        notes.insert(0, join_sentences(again, row.told))
    if population is not None:
        notes.append(say(CHOSEN))
    is_causal = clear and design.is_randomised and population is None
    return Claim(estimand.id, sentence, tuple(notes), is_causal, clear)


def say_population(population: Population, design: StudyDesign) -> str:
    """Return the people of a population in words."""
    if population.label:
        return population.label
    often = population.attended_at_least or 0
    said = {"count": format_threshold(often)}
    if population.answered:
        said["timepoints"] = say_list(label_of(design, timepoint) for timepoint in population.answered)
    if not often:
        return say("people who answered at {timepoints}", **said)
    if not population.answered:
        return say_many(
            "people who came to {count} session at least, where they were offered any",
            "people who came to {count} sessions at least, where they were offered any",
            often,
            **said,
        )
    return say_many(
        "people who came to {count} session at least, where they were offered any, and answered at {timepoints}",
        "people who came to {count} sessions at least, where they were offered any, and answered at {timepoints}",
        often,
        **said,
    )


def say_direction(measure: Measure) -> str:
    """Return which way of a measure is good."""
    is_higher = measure.higher_is == "better"
    if measure.unit == "percent":
        if is_higher:
            return say("In percent of people; higher is better.")
        return say("In percent of people; lower is better.")
    if measure.unit == "count":
        return say("In counts; higher is better.") if is_higher else say("In counts; lower is better.")
    if measure.unit == "category":
        if is_higher:
            return say("In numbers of ordered categories; higher is better.")
        return say("In numbers of ordered categories; lower is better.")
    ends = {"minimum": format_threshold(measure.minimum), "maximum": format_threshold(measure.maximum)}
    if is_higher:
        return say("Scores run from {minimum} to {maximum} points; higher is better.", **ends)
    return say("Scores run from {minimum} to {maximum} points; lower is better.", **ends)


def _say_of_all(
    row: Row, measure: Measure, estimand: Estimand, design: StudyDesign, level: int, *, is_slight: bool
) -> str:
    """Say what was found of everybody; a level of 0 where it is not clear; slight is by less than people notice."""
    if design.is_randomised:
        return say_by_lot(row, measure, estimand, design, level, is_slight=is_slight)
    slight = say("That is less than people notice.") if is_slight else ""
    if design.is_resampled:
        return join_sentences(say_samples(row, measure, estimand, design), slight)
    return join_sentences(_say_of_some(row, measure, estimand, design), slight)


def _say_of_some(row: Row, measure: Measure, estimand: Estimand, design: StudyDesign) -> str:
    """Say what was found of people whom chance did not put where they are."""
    if design.kind == "single_group":
        return say_change(row, measure, estimand, design)
    return say_association(row, measure, estimand, design)


def _unanswered(row: Row | None, measure: Measure, estimand: Estimand, design: StudyDesign) -> str:
    """Say why there is no estimate; the explanation of the analysis names the way out."""
    of = {"measure": measure.concept, "timepoint": label_of(design, estimand.timepoint)}
    if row is None:
        why = say("The results hold no row for it.")
        return join_sentences(say("The result for {measure} at {timepoint} was not computed.", **of), why)
    if row.verdict.startswith("failed"):
        return join_sentences(say("The result for {measure} at {timepoint} could not be computed.", **of), row.told)
    return join_sentences(say("The result for {measure} at {timepoint} was not computed.", **of), row.told)


def _notes(row: Row, outcome: Outcome, measure: Measure, design: StudyDesign) -> Iterator[str]:
    is_change = design.kind == "single_group"
    yield say_direction(measure)
    yield _against_smallest(row, outcome, measure, is_change=is_change)
    if measure.unit == "points" and is_clear(row) and place_against_smallest(row, outcome, measure) == TOO_SMALL:
        yield say("It is a mean over many people: one person may change by more, another by less.")
    if row.conf_low > 0 or row.conf_high < 0:
        if not is_clear(row):
            yield say(
                "The interval leaves out zero, but several questions were asked together; allowing for that, chance "
                "remains a possible explanation (adjusted p = {p}).",
                p=format_p(row.p_adjusted),
            )
        return
    yield say(NO_PROOF[0]) if is_change else say(NO_PROOF[1])
    if design.is_stepped_wedge:
        yield say(SAME_EVERYWHERE)
    elif design.is_resampled and not design.compares_timepoints:
        yield say(
            "Later samples of all arms may differ alike over time; only the difference between them bears on the "
            "programme."
        )
    elif not design.compares_timepoints:
        yield say("Arms may change alike over time; only the difference between them bears on the programme.")


def _against_smallest(row: Row, outcome: Outcome, measure: Measure, *, is_change: bool) -> str:
    """Hold an interval against the smallest difference, or change, that people notice."""
    if outcome.smallest_meaningful_change is None:
        if is_change:
            return say("The plan names no smallest change that people notice for this outcome.")
        return say("The plan names no smallest difference that people notice for this outcome.")
    messages = _CHANGE_AGAINST_SMALLEST if is_change else _DIFFERENCE_AGAINST_SMALLEST
    amount = say_amount(outcome.smallest_meaningful_change.value, measure)
    return say(messages[place_against_smallest(row, outcome, measure)], amount=amount)


def place_against_smallest(row: Row, outcome: Outcome, measure: Measure) -> int:
    """Return where an interval lies to the smallest difference people notice; `UNKNOWN` where the plan names none."""
    if outcome.smallest_meaningful_change is None:
        return UNKNOWN
    smallest = outcome.smallest_meaningful_change.value
    near = 0.0 if row.conf_low <= 0 <= row.conf_high else min(abs(row.conf_low), abs(row.conf_high))
    far = max(abs(row.conf_low), abs(row.conf_high))
    size = round(abs(row.value), decimals_to_show(row.conf_low, row.conf_high, decimals_of(measure)))
    return 0 if near >= smallest else TOO_SMALL if far < smallest else 2 if size >= smallest else FOUND_SMALL


UNKNOWN: Final = -1
TOO_SMALL: Final = 1
FOUND_SMALL: Final = 3
_CHANGE_AGAINST_SMALLEST: Final = (
    mark("People notice changes of {amount} or more. All of the interval is that large."),
    mark("People notice changes of {amount} or more. All of the interval is smaller than that."),
    mark("People notice changes of {amount} or more. The change found is that large, but the interval also holds "
         "changes too small to notice."),
    mark("People notice changes of {amount} or more. The change found is smaller than that, but the interval also "
         "holds changes that people notice."),
)  # fmt: skip
_DIFFERENCE_AGAINST_SMALLEST: Final = (
    mark("People notice differences of {amount} or more. All of the interval is that large."),
    mark("People notice differences of {amount} or more. All of the interval is smaller than that."),
    mark("People notice differences of {amount} or more. The difference found is that large, but the interval also "
         "holds differences too small to notice."),
    mark("People notice differences of {amount} or more. The difference found is smaller than that, but the interval "
         "also holds differences that people notice."),
)  # fmt: skip
"""All of the interval beyond it, all of it short of it (`TOO_SMALL`), and the estimate alone beyond it or short of it
(`FOUND_SMALL`).
"""
