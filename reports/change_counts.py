"""What a result means for people: how many scored better or worse, and how large it is, from gated rows only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from analysis.change_counts_part import MEANINGFUL, RELIABLE, SHARES
from analysis.design import Arm, Timepoint
from analysis.plan import Outcome
from reports.cells import Table, mark_notes
from reports.change_counts_gate import FEW
from reports.change_words import of_100, print_of_100, say_comparisons, say_way
from reports.claims import WITHHELD, capital, join_sentences
from reports.content import ReportContent
from reports.language import mark, say, say_list, say_many
from reports.numbers import NOT_SHOWN, format_threshold
from reports.reading import Row, Rows, pick, pick_one
from reports.sections import Block
from reports.sizes import tabulate_sizes

HEADING: Final = mark("What it means for people")
SIZE_HEADING: Final = mark("Size in standard deviations")
WORSE_HEADING: Final = mark("People who scored worse than at the start")
ANYWAY: Final = mark(
    "People change without a programme too, in both directions: these numbers do not say for how many of them it was "
    "the programme that made the change."
)
COMPARE: Final = mark("Only the difference between the arms bears on the programme.")
NOT_COMPARED: Final = mark(
    "The comparison of the arms was not computed: each number describes its own arm, and none says how the arms differ."
)
PARTLY_COMPARED: Final = mark("Where a comparison was not computed, each number describes its own arm only.")
UNKNOWN: Final = mark(
    "People without a score at both timepoints are not counted, and how they fared is not known; the numbers hold for "
    "everybody only if they fared like the others."
)
BEYOND_ERROR: Final = mark(
    "A reliable change is larger than measurement error alone is likely to make; that border need not be the smallest "
    "change that people notice."
)
MIXED_UP: Final = mark(
    "Of people whose true score stayed the same, about 1 in 40 is counted on each side of the reliable change."
)
_EXACT: Final = mark("People of 100 with a score at both timepoints, with 95\u00a0% intervals.")
_ROUNDED: Final = mark("Numbers are rounded so that nobody can be recognised, and intervals allow for the rounding.")


def say_meaning(outcome: Outcome, rows: Rows, content: ReportContent) -> Block | None:
    """Return what the results of an outcome mean for people.

    Parameters
    ----------
    outcome : Outcome
        Of the plan.
    rows : tuple of Row
        Gated results.
    content : ReportContent
        Labels, design and plan.

    Returns
    -------
    Block or None
        Natural frequencies by arm, number needed and standardised size; None where the results hold none of them.
    """
    own = pick(rows, analysis="change_counts", outcome=outcome.id)
    sizes = tabulate_sizes(pick(rows, analysis="size", outcome=outcome.id), content)
    if not any(row.arm for row in own):
        return Block(heading=say(SIZE_HEADING), tables=(sizes,)) if sizes else None
    if not any(_is_told(row) for row in pick(own, statistic=SHARES)):
        hidden = say("How many people scored better or worse than at the start is not shown: {reason}.",
                     reason=say(WITHHELD))  # fmt: skip
        return Block(heading=say(HEADING), sentences=(hidden,), tables=(sizes,) if sizes else ())
    told = tuple(say_shares(own, "improved", first_rule(own), outcome, content))
    compared = tuple(say_comparisons(own, outcome, content))
    counts = _counts_table(own, outcome, content)
    return Block(
        heading=say(HEADING),
        sentences=told,
        items=compared,
        tables=(counts, sizes) if sizes else (counts,),
        caution=_caution(rows, (outcome,), content),
    )


def say_worse(rows: Rows, content: ReportContent) -> tuple[Block, ...]:
    """Return how many people scored worse than at the start, by outcome, timepoint and arm.

    Parameters
    ----------
    rows : tuple of Row
        Gated results.
    content : ReportContent
        Labels, design and plan.

    Returns
    -------
    tuple of Block
        One block: worse by more than measurement error where the plan declares a reliable change, otherwise by the
        smallest change that people notice. Empty where nobody's change was counted.
    """
    own = pick(rows, analysis="change_counts")
    if own and not any(_is_told(row) for row in pick(own, statistic="worsened")):
        hidden = say("How many people scored worse than at the start is not shown: {reason}.", reason=say(WITHHELD))
        return (Block(heading=say(WORSE_HEADING), sentences=(hidden,)),)
    sentences: list[str] = []
    for outcome in content.plan.outcomes:
        of_outcome = pick(own, outcome=outcome.id)
        rule = RELIABLE if any(row.arm for row in pick(of_outcome, item=RELIABLE)) else MEANINGFUL
        concept = capital(content.plan.measure_of(outcome.id, content.design).concept)
        said = say_shares(of_outcome, "worsened", rule, outcome, content)
        sentences += [say("{outcome}. {sentence}", outcome=concept, sentence=sentence) for sentence in said]
    if not sentences:
        return ()
    counted = tuple(each for each in content.plan.outcomes if pick(own, outcome=each.id))
    return (Block(heading=say(WORSE_HEADING), items=tuple(sentences), caution=_caution(rows, counted, content)),)


def first_rule(rows: Rows) -> str:
    """Return the rule that is told first: the smallest change that people notice, where it is declared."""
    return MEANINGFUL if pick(rows, item=MEANINGFUL) else RELIABLE


def _caution(rows: Rows, outcomes: tuple[Outcome, ...], content: ReportContent) -> str:
    """Return how not to read shares of people, of these outcomes."""
    ids = tuple(outcome.id for outcome in outcomes)
    is_reliable = any(row.arm for row in pick(rows, analysis="change_counts", item=RELIABLE, outcome=ids))
    told = (ANYWAY, *_on_comparing(rows, ids, content), UNKNOWN, *((BEYOND_ERROR, MIXED_UP) if is_reliable else ()))
    return join_sentences(*(say(sentence) for sentence in told))


def _on_comparing(rows: Rows, outcomes: tuple[str, ...], content: ReportContent) -> tuple[str, ...]:
    """Return what of arms that were formed by chance may be compared: only what the plan's models compare."""
    if content.design.kind != "randomised":
        return ()
    asked = [estimand.id for estimand in content.plan.estimands if estimand.outcome in outcomes]
    answers = [pick_one(rows, estimand=estimand, analysis="model") for estimand in asked]
    is_answered = [answer is not None and answer.verdict == "estimated" for answer in answers]
    if not any(is_answered):
        return (NOT_COMPARED,)
    return (COMPARE,) if all(is_answered) else (COMPARE, PARTLY_COMPARED)


def say_shares(rows: Rows, statistic: str, rule: str, outcome: Outcome, content: ReportContent) -> Iterator[str]:
    """Yield a sentence for each timepoint: how many of 100 people of each arm scored so."""
    for timepoint, found in _by_timepoint(pick(rows, statistic=statistic, item=rule), content):
        said = {
            "change": say_way(statistic, rule, rows, outcome, content),
            "baseline": content.design.baseline.label,
            "timepoint": timepoint.label,
        }
        known = [(arm, row) for arm, row in found if _is_told(row)]
        hidden = [arm.label for arm, row in found if (arm, row) not in known]
        if not known:
            yield say(
                "How many people scored {change} than at {baseline} at {timepoint} is not shown: {reason}.",
                **said,
                reason=say(WITHHELD),
            )
            continue
        people = say_list(_people(row, arm, content) for arm, row in known)
        sentences = [say("At {timepoint}, {people} scored {change} than at {baseline}.", **said, people=people)]
        if hidden:
            sentences.append(
                say("How many in {arms} is not shown: {reason}.", arms=say_list(hidden), reason=say(WITHHELD))
            )
        yield join_sentences(*sentences)


def _people(row: Row, arm: Arm, content: ReportContent) -> str:
    """Return ``56 of 100 people in Peer support``, without the arm where there is one alone."""
    people = row.told
    if row.is_shown:
        people = say_many(
            "{number} of 100 people", "{number} of 100 people", of_100(row.value), number=print_of_100(row.value)
        )
    return say("{people} in {arm}", people=people, arm=arm.label) if len(content.design.arms) > 1 else people


def _is_few(row: Row) -> bool:
    """Tell whether of a hidden share it may be said that people are few."""
    return row.hidden and row.method.startswith(FEW)


def _is_told(row: Row) -> bool:
    """Tell whether something may be said of a share."""
    return row.is_shown or _is_few(row)


def _by_timepoint(rows: Rows, content: ReportContent) -> Iterator[tuple[Timepoint, list[tuple[Arm, Row]]]]:
    """Yield the timepoints that rows are of, each with its arms and their rows."""
    for timepoint in content.design.timepoints:
        at = [(arm, pick_one(rows, timepoint=timepoint.id, arm=arm.id)) for arm in content.design.arms]
        found = [(arm, row) for arm, row in at if row is not None]
        if found:
            yield timepoint, found


def _counts_table(rows: Rows, outcome: Outcome, content: ReportContent) -> Table:
    """Return people of 100 by arm, for each timepoint, rule and way."""
    arms = [arm for arm in content.design.arms if pick(rows, arm=arm.id)]
    lines = []
    for timepoint in content.design.timepoints:
        for rule in (MEANINGFUL, RELIABLE):
            for statistic in ("improved", "unchanged", "worsened"):
                place = {"timepoint": timepoint.id, "item": rule, "statistic": statistic}
                found = [pick_one(rows, arm=arm.id, **place) for arm in arms]
                if any(found):
                    what = _line_words(statistic, rule, rows, outcome, content)
                    header = say("{timepoint}: {what}", timepoint=timepoint.label, what=what)
                    lines.append((header, *(_share_cell(row) for row in found)))
    return Table(
        say("How people changed since {baseline}", baseline=content.design.baseline.label),
        (say("Timepoint and change"), *(arm.label for arm in arms)),
        tuple(lines),
        (*_notes_on_counts(outcome, content), *mark_notes(tuple(lines))),
    )


def _notes_on_counts(outcome: Outcome, content: ReportContent) -> Iterator[str]:
    is_exact = content.plan.small_numbers.profile == "none"
    yield say(_EXACT) if is_exact else join_sentences(say(_EXACT), say(_ROUNDED))
    if outcome.reliable_change is not None:
        yield say(
            "The reliable change follows from how people differ in their scores and from a retest correlation of "
            "{correlation} (source: {source}). The method annex has another one, from how well items agree; these "
            "counts do not use it.",
            correlation=format_threshold(outcome.reliable_change.retest_correlation),
            source=outcome.reliable_change.source,
        )


def _line_words(statistic: str, rule: str, rows: Rows, outcome: Outcome, content: ReportContent) -> str:
    if statistic != "unchanged":
        return say_way(statistic, rule, rows, outcome, content)
    return say("less than that, either way") if rule == MEANINGFUL else say("no reliable change")


def _share_cell(row: Row | None) -> str:
    if row is None or not row.is_shown:
        return row.told if row is not None and _is_few(row) else say(NOT_SHOWN)
    low, high = print_of_100(row.conf_low), print_of_100(row.conf_high)
    return f"{print_of_100(row.value)} ({say('{low} to {high}', low=low, high=high)})"
