"""What may be said of an estimate: sentences by design, certainty and interval, never more than these allow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from analysis.design import Arm, Measure, StudyDesign
from analysis.plan import Estimand, Outcome
from analysis.plan_parts import Population
from analysis.populations import population_of
from reports.chance import LEFT_TO_CHANCE, is_left_to_chance
from reports.content import ReportContent
from reports.numbers import (
    NO_BREAK,
    decimals_of,
    decimals_to_print,
    decimals_to_show,
    format_number,
    format_p,
    format_threshold,
    unit_of,
)
from reports.reading import Row, Rows, pick_one

SIGNIFICANCE: Final = 0.05
_HEDGES: Final = {
    4: "{arm} {verb}s",
    3: "{arm} probably {verb}s",
    2: "{arm} may {verb}",
    1: "It is very uncertain whether {arm} {verb}s",
}
"""After the wording of GRADE (Santesso et al. 2020, doi 10.1016/j.jclinepi.2019.10.014)."""

_SUBJECTS: Final = {"percent": "it", "count": "the mean count", "category": "the mean category"}
_PLURALS: Final = {"percent": "percent of people", "count": "counts", "category": "numbers of ordered categories"}

ALONE: Final = (
    "A change within one arm says nothing of the programme: people who feel bad when they join tend to score closer to "
    "the average later, with or without a programme (regression to the mean), and some recover by themselves."
)
CHOSEN: Final = (
    "These people were not chosen by chance: who comes often, or goes on answering, differs in other ways too, so this "
    "says less of the programme than the comparison of everybody."
)
WITHHELD: Final = "so few people are behind it, or left out of it, that somebody could be recognised"


SAME_EVERYWHERE: Final = (
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
    """

    estimand: str
    sentence: str
    notes: tuple[str, ...] = ()
    is_causal: bool = False
    is_clear: bool = False
    is_answered: bool = True


def make_claim(estimand: Estimand, rows: Rows, content: ReportContent) -> Claim:
    """Say what one estimand found, in the words that the design allows.

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
    at = _label(design, estimand.timepoint)
    if row is None or row.verdict != "estimated":
        return Claim(estimand.id, _unanswered(row, measure, at), is_answered=False)
    if not row.is_shown:
        return Claim(
            estimand.id, f"The result for {measure.concept} at {at} is not shown: {WITHHELD}.", is_answered=False
        )
    clear = is_clear(row) and not is_left_to_chance(rows, estimand.id)
    population = population_of(estimand, content.plan)
    if population is not None:
        sentence = f"Among {say_population(population, design)}: {_of_some(row, measure, at, estimand, design)}"
    elif design.is_resampled:
        sentence = _samples(row, measure, at, estimand, design)
    elif design.kind == "single_group":
        sentence = _change(row, measure, at, design)
    else:
        certainty = pick_one(rows, analysis="certainty", statistic="level", outcome=outcome.id)
        level = int(certainty.value) if certainty and certainty.is_shown else 1
        sentence = _difference(row, measure, at, estimand, design, level if clear else 0)
    notes = _notes(row, outcome, measure, design)
    if is_clear(row) and not clear:
        notes = (*notes, LEFT_TO_CHANCE)
    if content.plan.is_asked_twice(estimand):
        notes = (f"This is '{estimand.id}' of the plan, which asks the same in more than one way. {row.method}", *notes)
    if population is not None:
        notes = (*notes, CHOSEN)
    return Claim(estimand.id, sentence, notes, clear and design.is_randomised and population is None, clear)


def say_population(population: Population, design: StudyDesign) -> str:
    """Return the people of a population in words."""
    if population.label:
        return population.label
    often = population.attended_at_least
    came = (
        [f"came to {often} session{'' if often == 1 else 's'} at least, where they were offered any"] if often else []
    )
    at = join_words([_label(design, timepoint) for timepoint in population.answered]) if population.answered else ""
    return f"people who {join_words([*came, *([f'answered at {at}'] if at else [])])}"


def _of_some(row: Row, measure: Measure, at: str, estimand: Estimand, design: StudyDesign) -> str:
    if design.kind == "single_group":
        sentence = _change(row, measure, at, design)
    else:
        sentence = _difference_in_change(row, measure, at, estimand, design)
    return f"{sentence[0].lower()}{sentence[1:]}"


def is_clear(row: Row) -> bool:
    """Tell whether an interval leaves out zero, and the p-value adjusted for several questions, if any, agrees."""
    excludes = row.conf_low > 0 or row.conf_high < 0
    return excludes and not row.p_adjusted >= SIGNIFICANCE


def say_size(row: Row, measure: Measure) -> str:
    """Return ``2.4 points lower (95 % interval 0.6 to 4.2 points lower)``."""
    return f"{_points(row, measure)} ({_interval(row, measure)})"


def say_direction(measure: Measure) -> str:
    """Return which way of a measure is good."""
    good = "higher" if measure.higher_is == "better" else "lower"
    if measure.unit != "points":
        return f"In {_PLURALS[measure.unit]}; {good} is better."
    return (
        f"Scores run from {format_threshold(measure.minimum)} to {format_threshold(measure.maximum)} points; "
        f"{good} is better."
    )


def _unanswered(row: Row | None, measure: Measure, at: str) -> str:
    """Say why there is no estimate; the explanation of the analysis names the way out."""
    why = row.method if row is not None else "The results hold no row for it."
    lead = "could not be computed" if row is not None and row.verdict.startswith("failed") else "was not computed"
    return f"The result for {measure.concept} at {at} {lead}. {why}"


def _steps(row: Row, measure: Measure, at: str, level: int) -> str:
    """Say a difference between time with the programme and time before it; a level of 0 where it is not clear."""
    points, interval = _points(row, measure), _interval(row, measure)
    scored = (
        f"people measured while their group had the programme scored {points} on the {measure.label} {_than(points)} "
        "while it had not"
        if measure.unit == "points"
        else f"{_SUBJECTS[measure.unit]} was {points} while groups had the programme {_than(points)} while they had not"
    )
    lead = f"No clear difference in {measure.concept}"
    if level:
        verb = "reduce" if row.value < 0 else "increase"
        lead = f"{_HEDGES[level].format(arm='the programme', verb=verb)} {measure.concept}"
    return f"{_capital(lead)}: up to {at}, {scored}, allowing for time ({interval})."


def _difference(row: Row, measure: Measure, at: str, estimand: Estimand, design: StudyDesign, level: int) -> str:
    """Say a difference of arms, or of the sides of a stepped wedge; a level of 0 where it is not clear."""
    if design.is_stepped_wedge:
        return _steps(row, measure, at, level)
    first, second = (_arm(design, side).label for side in estimand.compared)
    points = _points(row, measure)
    interval = _interval(row, measure)
    scored = (
        f"people in the {first} arm scored {points} on the {measure.label} {_than(points)} people in the {second} arm"
        if measure.unit == "points"
        else f"{_SUBJECTS[measure.unit]} was {points} in the {first} arm {_than(points)} in the {second} arm"
    )
    if design.compares_unlike_arms:
        return _difference_in_change(row, measure, at, estimand, design)
    if not level:
        return f"No clear difference in {measure.concept} at {at}: {scored} ({interval})."
    verb = "reduce" if row.value < 0 else "increase"
    lead = _HEDGES[level].format(arm=first, verb=verb)
    return f"{lead} {measure.concept}: at {at}, {scored} ({interval})."


def _difference_in_change(row: Row, measure: Measure, at: str, estimand: Estimand, design: StudyDesign) -> str:
    """Say a difference of changes: the arms may have begun at different scores, and the later ones differ otherwise."""
    if estimand.model == "overlap_weights":
        return _weighted_difference(row, measure, at, estimand, design)
    first, second = (_arm(design, side).label for side in estimand.compared)
    adjusted = _adjusted_for(row, estimand, design)
    allowing = f", after allowing for {adjusted}," if adjusted else ","
    lead = "" if is_clear(row) else f"No clear difference in how {measure.concept} changed: "
    where = f"in {measure.concept}" if measure.unit == "percent" else f"on the {measure.label}"
    compared = f"{'C' if not lead else 'c'}ompared with people in the {second} arm{allowing}"
    return (
        f"{lead}{compared} being in the {first} arm was associated with a change {where} from "
        f"{design.baseline.label} to {at} that was {_points(row, measure)} ({_interval(row, measure)})."
    )


def _weighted_difference(row: Row, measure: Measure, at: str, estimand: Estimand, design: StudyDesign) -> str:
    """Say a difference between people who were made alike by weights, and in what: nothing else was."""
    first, second = (_arm(design, side).label for side in estimand.compared)
    labels = {covariate.id: covariate.label for covariate in design.covariates}
    at_baseline = f"the score at {design.baseline.label}"
    declared = [labels[covariate] for covariate in estimand.covariates]
    named = join_words([*declared, at_baseline] if at_baseline in row.method or not declared else declared)
    lead = "C" if is_clear(row) else f"No clear difference in {measure.concept} at {at}: c"
    what = measure.concept if measure.unit == "percent" else f"a score on the {measure.label}"
    return (
        f"{lead}ompared with similar people in the {second} arm, after adjusting for {named} by overlap weights, being "
        f"in the {first} arm was associated with {what} at {at} that was {_points(row, measure)} "
        f"({_interval(row, measure)})."
    )


def _change(row: Row, measure: Measure, at: str, design: StudyDesign) -> str:
    points = _points(row, measure)
    if measure.unit != "points":
        subject = measure.concept if measure.unit == "percent" else f"{_SUBJECTS[measure.unit]} of {measure.concept}"
        said = f"{_capital(subject) if is_clear(row) else f'No clear change: {subject}'} was {points}"
    else:
        lead = "People" if is_clear(row) else f"No clear change in {measure.concept}: people"
        said = f"{lead} scored {points} on the {measure.label}"
    return (
        f"{said} at {at} {_than(points)} at {design.baseline.label} ({_interval(row, measure)}). "
        "How much of that is due to the programme cannot be told."
    )


def _samples(row: Row, measure: Measure, at: str, estimand: Estimand, design: StudyDesign) -> str:
    """Say how samples differ: of people surveyed later and at first, never of anybody who changed."""
    if design.is_series:
        return _departure(row, measure, at, design)
    points, first = _points(row, measure), design.baseline.label
    adjusted = _adjusted_for(row, estimand, design)
    allowing = f", after allowing for {adjusted}" if adjusted else ""
    if not design.compares_timepoints:
        arm, reference = (_arm(design, side).label for side in estimand.compared)
        where = f"in {measure.concept}" if measure.unit == "percent" else f"on the {measure.label}"
        lead = "T" if is_clear(row) else f"No clear difference between the arms in {measure.concept}: t"
        said = (
            f"{lead}he difference {where} between people surveyed at {at} and people surveyed at {first} was {points} "
            f"in the {arm} arm {_than(points)} in the {reference} arm{allowing}"
        )
    elif measure.unit != "points":
        subject = measure.concept if measure.unit == "percent" else f"{_SUBJECTS[measure.unit]} of {measure.concept}"
        lead = _capital(subject) if is_clear(row) else f"No clear difference between samples: {subject}"
        among = f"among people surveyed at {at} {_than(points)} among people surveyed at {first}"
        said = f"{lead} was {points} {among}{allowing}"
    else:
        lead = "P" if is_clear(row) else f"No clear difference in {measure.concept} between samples: p"
        said = (
            f"{lead}eople surveyed at {at} scored {points} on the {measure.label} {_than(points)} people surveyed at "
            f"{first}{allowing}"
        )
    return (
        f"{said} ({_interval(row, measure)}). How much of that is due to the programme, and how much to who was "
        "surveyed, cannot be told."
    )


def _departure(row: Row, measure: Measure, at: str, design: StudyDesign) -> str:
    """Say by how much samples depart from the trend before the programme."""
    points = _points(row, measure)
    start = _label(design, design.arms[0].starts)
    lead = "" if is_clear(row) else f"No clear departure of {measure.concept} from its earlier trend: "
    if measure.unit == "points":
        said = f"people surveyed at {at} scored {points} on the {measure.label}"
    else:
        said = f"at {at}, {measure.concept if measure.unit == 'percent' else _SUBJECTS[measure.unit]} was {points}"
    sentence = (
        f"{lead}{said} {_than(points)} the trend before {start} would have led one to expect "
        f"({_interval(row, measure)}). Whatever else happened at that time would look the same."
    )
    return _capital(sentence)


def _points(row: Row, measure: Measure) -> str:
    """Return ``2.4 points lower``, or that there is none to speak of."""
    decimals = decimals_to_print(row.conf_low, row.conf_high, decimals_of(measure))
    size = format_number(abs(row.value), decimals)
    if not float(size.replace(",", "")):
        return "about the same"
    return f"{size}{unit_of(measure)} {_way(row.value)}"


def _than(points: str) -> str:
    return "as" if points == "about the same" else "than"


def _interval(row: Row, measure: Measure) -> str:
    """Return ``95 % interval 0.6 to 4.2 points lower``, or with both ways named where zero is inside."""
    decimals = decimals_to_print(row.conf_low, row.conf_high, decimals_of(measure))
    name = f"95{NO_BREAK}% interval"
    near, far = sorted((row.conf_low, row.conf_high), key=abs)
    low, high = (format_number(abs(end), decimals) for end in (near, far))
    if (row.conf_low < 0) == (row.conf_high < 0):
        return f"{name} {low} to {high}{unit_of(measure)} {_way(far)}"
    down, up = (format_number(abs(end), decimals) for end in (row.conf_low, row.conf_high))
    unit = unit_of(measure)
    return f"{name} from {down}{unit} lower to {up}{unit} higher"


def _way(value: float) -> str:
    return "lower" if value < 0 else "higher"


def _notes(row: Row, outcome: Outcome, measure: Measure, design: StudyDesign) -> tuple[str, ...]:
    what = "change" if design.kind == "single_group" else "difference"
    notes = [f"{say_direction(measure)}"]
    notes += _against_smallest(row, outcome, what, measure)
    if row.conf_low > 0 or row.conf_high < 0:
        if not is_clear(row):
            notes.append(
                f"The interval leaves out zero, but several questions were asked together; allowing for that, chance "
                f"remains a possible explanation (adjusted p = {format_p(row.p_adjusted)})."
            )
    else:
        notes.append(f"The interval holds zero; that is no proof that there is no {what}.")
        if design.is_stepped_wedge:
            notes.append(SAME_EVERYWHERE)
        elif not design.compares_timepoints:
            alike = "Later samples of all arms may differ" if design.is_resampled else "Arms may change"
            notes.append(f"{alike} alike over time; only the difference between them bears on the programme.")
    return tuple(notes)


def _against_smallest(row: Row, outcome: Outcome, what: str, measure: Measure) -> list[str]:
    """Hold an interval against the smallest difference that people notice."""
    if outcome.smallest_meaningful_change is None:
        return [f"The plan names no smallest {what} that people notice for this outcome."]
    smallest = outcome.smallest_meaningful_change.value
    decimals = decimals_of(measure)
    named = f"{format_threshold(smallest)}{unit_of(measure, smallest)}, the smallest {what} that people notice"
    near = 0.0 if row.conf_low <= 0 <= row.conf_high else min(abs(row.conf_low), abs(row.conf_high))
    far = max(abs(row.conf_low), abs(row.conf_high))
    if near >= smallest:
        return [f"The whole interval is at least {named}."]
    if far < smallest:
        return [f"The whole interval is smaller than {named}."]
    if round(abs(row.value), decimals_to_show(row.conf_low, row.conf_high, decimals)) >= smallest:
        return [f"The {what} is at least {named}, but the interval also holds smaller ones."]
    return [f"The {what} is smaller than {named}, but the interval also holds ones that large."]


def _adjusted_for(row: Row, estimand: Estimand, design: StudyDesign) -> str:
    """Return the covariates of a comparison; one that the model left out whole, as its words say, is not named."""
    labels = {covariate.id: covariate.label for covariate in design.covariates}
    adjusted, _, left_out = row.method.partition("left out because")
    names = [
        labels[covariate]
        for covariate in estimand.covariates
        if f"covariate {covariate}" not in left_out or labels[covariate] in adjusted
    ]
    return join_words(names) if names else ""


def join_words(words: list[str]) -> str:
    """Return ``a``, ``a and b`` or ``a, b and c``."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _capital(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}"


def _label(design: StudyDesign, timepoint: str) -> str:
    return next(known.label for known in design.timepoints if known.id == timepoint)


def _arm(design: StudyDesign, arm: str) -> Arm:
    return next(known for known in design.arms if known.id == arm)
