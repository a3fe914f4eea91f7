"""For whom, and by which way: planned characteristics in words, the interaction first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from analysis.design import Covariate
from analysis.plan import Estimand
from analysis.plan_parts import Mediation, Subgroup
from analysis.subgroups_part import ENDS, INTERACTION
from reports.cells import INTERVAL, Table, interval_cell, mark_notes, value_cell
from reports.claim_sentences import label_of
from reports.claims import WITHHELD, say_size
from reports.content import ReportContent
from reports.language import mark, own_words, say
from reports.numbers import decimals_of, format_p
from reports.reading import Row, Rows, pick, pick_one
from reports.sections import Block

ALIKE: Final = mark(
    "Where the difference between levels is not clear, the numbers of the levels are no reason to treat people "
    "differently: by chance alone they never come out equal."
)
EXPLORATORY: Final = mark(
    "Exploratory: chance formed the arms, and not the way in between. Whatever bears on both the way and the outcome "
    "would give the same picture, so this is a hint for the next study and no finding."
)
PLANNED: Final = mark("Planned because: {reason}")
LATER: Final = mark(
    "Not pre-specified: it was not in the plan that was frozen before outcomes were read. Reason given: {reason}"
)
_PATHS: Final = (
    ("total", mark("In all: {size}.")),
    ("indirect", mark("By this way: {size}.")),
    ("direct", mark("By any other: {size}.")),
)
SIGNIFICANCE: Final = 0.05
_OF_DIFFERENCES: Final = {
    ("levels", True): mark("The difference was not the same at all levels (joint test, p = {p})."),
    ("levels", False): mark("No clear sign that the difference is not the same at all levels (joint test, p = {p})."),
    ("values", True): mark("The difference was not the same at all values: per standard deviation it was {size}."),
    ("values", False): mark(
        "No clear sign that the difference is not the same at all values: per standard deviation it was {size}."
    ),
    ("pair", True): mark(
        "The difference was not the same at both levels: compared with {first}, among {second} it was {size}."
    ),
    ("pair", False): mark(
        "No clear sign that the difference is not the same at both levels: compared with {first}, among {second} it "
        "was {size}."
    ),
}
_OF_CHANGES: Final = {
    ("levels", True): mark("The change was not the same at all levels (joint test, p = {p})."),
    ("levels", False): mark("No clear sign that the change is not the same at all levels (joint test, p = {p})."),
    ("values", True): mark("The change was not the same at all values: per standard deviation it was {size}."),
    ("values", False): mark(
        "No clear sign that the change is not the same at all values: per standard deviation it was {size}."
    ),
    ("pair", True): mark(
        "The change was not the same at both levels: compared with {first}, among {second} it was {size}."
    ),
    ("pair", False): mark(
        "No clear sign that the change is not the same at both levels: compared with {first}, among {second} it was "
        "{size}."
    ),
}
"""By what a characteristic is, and whether the interaction is clear."""


def say_subgroups(rows: Rows, content: ReportContent) -> tuple[Block, ...]:
    """Return the planned characteristics, or that the plan names none, and the planned ways.

    Parameters
    ----------
    rows, content : tuple of Row, ReportContent
        Gated results, labels and design.
    """
    plan = content.plan
    if not plan.subgroups:
        none = say(
            "The plan asks for no comparison between kinds of people, such as younger and older ones, so none was made."
        )
        blocks = [Block(heading=say("For whom"), sentences=(none,))]
    else:
        blocks = [_say_subgroup(subgroup, rows, content) for subgroup in plan.subgroups]
    return (*blocks, *(_say_mediation(mediation, rows, content) for mediation in plan.mediation))


def _say_subgroup(subgroup: Subgroup, rows: Rows, content: ReportContent) -> Block:
    estimand = next(each for each in content.plan.estimands if each.id == subgroup.estimand)
    covariate = next(each for each in content.design.covariates if each.id == subgroup.covariate)
    own = [
        row
        for row in pick(rows, analysis="subgroups", estimand=estimand.id)
        if row.item == covariate.id or row.item.startswith(f"{covariate.id}=")
    ]
    interaction = pick_one(own, statistic=INTERACTION)
    levels = pick(own, statistic="difference")
    measure = content.plan.measure_of(estimand.outcome, content.design)
    title = say(
        "{characteristic}: {outcome} at {timepoint}",
        characteristic=covariate.label,
        outcome=measure.concept,
        timepoint=label_of(content.design, estimand.timepoint),
    )
    if interaction is None or interaction.verdict != "estimated":
        why = interaction.told if interaction is not None else say("The results hold no row for it.")
        return Block(
            heading=title, sentences=(say("Whether it differs by this was not computed. {reason}", reason=why),)
        )
    if interaction.hidden:
        hidden = say("Whether it differs by this is not shown: {reason}.", reason=say(WITHHELD))
        return Block(heading=title, sentences=(hidden,))
    reason = own_words(subgroup.reason)
    return Block(
        heading=title,
        sentences=(
            _say_interaction(interaction, levels, covariate, content, estimand),
            say(PLANNED, reason=reason) if interaction.prespecified else say(LATER, reason=reason),
        ),
        tables=(_table(levels, covariate, content, estimand),) if levels else (),
        caution=say(ALIKE),
    )


def _say_interaction(row: Row, levels: Rows, covariate: Covariate, content: ReportContent, estimand: Estimand) -> str:
    """Say whether the estimand differs, and of two levels or of a number by how much."""
    measure = content.plan.measure_of(estimand.outcome, content.design)
    messages = _OF_CHANGES if content.design.compares_timepoints else _OF_DIFFERENCES
    is_clear = row.p_value < SIGNIFICANCE
    if row.value != row.value:
        return say(messages["levels", is_clear], p=format_p(row.p_value))
    if not covariate.levels:
        return say(messages["values", is_clear], size=say_size(row, measure))
    first, second = (_name_level(level, covariate) for level in levels) if len(levels) == 2 else covariate.levels[:2]
    return say(messages["pair", is_clear], first=first, second=second, size=say_size(row, measure))


def _name_level(row: Row, covariate: Covariate) -> str:
    """Return a level of a category as the study calls it, or how far from its mean a number is."""
    level = row.item.removeprefix(f"{covariate.id}=")
    return own_words(level) if covariate.levels or level not in ENDS else say(level)


def _table(levels: Rows, covariate: Covariate, content: ReportContent, estimand: Estimand) -> Table:
    decimals = decimals_of(content.plan.measure_of(estimand.outcome, content.design))
    lines = tuple(
        (_name_level(row, covariate), value_cell(row, decimals), interval_cell(row, decimals)) for row in levels
    )
    if content.design.compares_timepoints:
        what, caption = say("Change"), say("Change at each level of {characteristic}", characteristic=covariate.label)
    else:
        what = say("Difference")
        caption = say("Difference at each level of {characteristic}", characteristic=covariate.label)
    return Table(caption, (covariate.label, what, say(INTERVAL)), lines, mark_notes(lines))


def _say_mediation(mediation: Mediation, rows: Rows, content: ReportContent) -> Block:
    estimand = next(each for each in content.plan.estimands if each.id == mediation.estimand)
    about = {
        "outcome": content.plan.measure_of(estimand.outcome, content.design).concept,
        "timepoint": label_of(content.design, estimand.timepoint),
        "way": content.plan.measure_of(mediation.mediator, content.design).concept,
    }
    title = say("By way of {way}: {outcome} at {timepoint}", **about)
    own = pick(rows, analysis="mediation", estimand=estimand.id, item=f"{mediation.mediator} at {mediation.timepoint}")
    indirect = pick_one(own, statistic="indirect")
    if indirect is None or indirect.verdict != "estimated":
        why = indirect.told if indirect is not None else say("The results hold no row for it.")
        return Block(heading=title, sentences=(say("This was not computed. {reason}", reason=why),))
    if indirect.hidden:
        return Block(heading=title, sentences=(say("This is not shown: {reason}.", reason=say(WITHHELD)),))
    lead = say(
        "The difference between the arms in {outcome} at {timepoint}, and what of it went along with {way}:", **about
    )
    items = tuple(_say_paths(own, content, estimand))
    return Block(heading=title, sentences=(lead,), items=items, caution=say(EXPLORATORY))


def _say_paths(own: Rows, content: ReportContent, estimand: Estimand) -> Iterator[str]:
    measure = content.plan.measure_of(estimand.outcome, content.design)
    for statistic, words in _PATHS:
        row = pick_one(own, statistic=statistic)
        if row is not None and row.is_shown:
            yield say(words, size=say_size(row, measure))
