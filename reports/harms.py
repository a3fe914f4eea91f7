"""Who got worse: harms that the plan names, and how many people scored worse, from gated rows only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from analysis.design import Arm, Timepoint
from analysis.plan_parts import Harm
from instruments.wording import item_label
from reports.cells import Table, mark_notes
from reports.change_counts import say_worse
from reports.claims import WITHHELD, join_sentences
from reports.content import ReportContent
from reports.language import mark, say, say_many
from reports.numbers import NO_BREAK, NOT_SHOWN, NOTHING, format_count, format_interval, format_number, format_threshold
from reports.part_gate import ROUNDED_AWAY, step_of_100
from reports.reading import Row, Rows, pick, pick_one
from reports.sections import Block, Section

TITLE: Final = mark("Who got worse")
TITLE_OF_SAMPLES: Final = mark("Harms")
"""Where nobody is followed, nobody can be said to have got worse."""
NOT_LOOKED_AT: Final = mark(
    "The plan names no harms. Whether anybody came to harm was not looked at, so nothing is known of it: that this "
    "report tells of no harm does not mean that there was none."
)
WHY_UNKNOWN: Final = mark(
    "What the plan counts as possible harm. Counts tell nothing of why something happened, and are no proof for or "
    "against the programme. What was not recorded or not answered is not counted."
)
BEFORE_TOO: Final = mark(
    "The counts are of the whole time in the study, also of that before an arm began the programme."
)
UNANSWERED: Final = mark("Whether anybody saw to the people who answered so is not known from these data.")
_OF_ARMS: Final = (
    (mark("People with it"), "people_with_event"),
    (mark("Of 100 people"), "share_with_event"),
    (mark("Events; somebody may have several"), "events"),
    (mark("People to whom it happened, per 100 people followed for a year"), "first_events_per_100_years"),
)
_OF_TIMEPOINTS: Final = (
    (mark("new, of 100 people who did not answer so at the start"), "new_alerts"),
    (mark("at the start, of 100 people with both answers"), "alert_before"),
    (mark("then, of 100 people with both answers"), "alert_later"),
    (mark("no longer, of 100 people who answered so at the start"), "resolved_alerts"),
    (mark("one of the two answers is missing, of 100 people"), "incomplete"),
)


def say_harms(rows: Rows, content: ReportContent) -> Section:
    """Return the section on harms and on people who scored worse.

    Parameters
    ----------
    rows : tuple of Row
        Gated results.
    content : ReportContent
        Labels, design, plan and instruments.

    Returns
    -------
    Section
        A block for each harm of the plan, or one that says that harms were not looked at; one that names answers for
        which the instrument asks attention and the plan does not; and those of `say_worse`.
    """
    own = pick(rows, analysis="harms")
    steps = _say_steps(rows, content)
    harms = tuple(_say_harm(harm, pick(own, item=harm.id), steps, content) for harm in content.plan.harms)
    if not harms:
        harms = (Block(heading=say("Harms"), sentences=(say(NOT_LOOKED_AT),)),)
    title = say(TITLE_OF_SAMPLES) if content.design.is_resampled else say(TITLE)
    blocks = (*harms, *_left_out(content), *say_worse(rows, content))
    return Section(id="worse", title=title, lead=_say_lead(content), blocks=blocks)


def _say_lead(content: ReportContent) -> str:
    """Return what counts of harms tell, and what they do not."""
    if not content.plan.harms:
        return ""
    begins_later = content.design.kind in ("waitlist", "stepped_wedge")
    return join_sentences(say(WHY_UNKNOWN), say(BEFORE_TOO) if begins_later else "")


def quoted_harms(content: ReportContent) -> list[str]:
    """Return what the study and the plan call harms and events."""
    return [*(harm.label for harm in content.plan.harms), *(kind.label for kind in content.design.event_kinds)]


def _say_harm(harm: Harm, rows: Rows, steps: str, content: ReportContent) -> Block:
    refused = next((row for row in rows if row.verdict.startswith("refused")), None)
    if refused is not None:
        return Block(
            heading=label_of_harm(harm, content), sentences=(say("Not counted. {reason}", reason=refused.told),)
        )
    arms = [arm for arm in content.design.arms if pick(rows, arm=arm.id)]
    if not any(_tells(row) for row in rows):
        counted = _say_counted_events(content) if harm.event else _say_counted_answers(harm, content)
        hidden = say("How many people is not shown: {reason}.", reason=say(WITHHELD))
        return Block(heading=label_of_harm(harm, content), sentences=(counted, hidden))
    sentences = tuple((_say_events if harm.event else _say_alerts)(harm, rows, arms, content))
    lines = tuple((_lines_of_events if harm.event else _lines_of_alerts)(rows, arms, content))
    table = Table(
        say("{harm}, by arm", harm=label_of_harm(harm, content)),
        (say("Number"), *(arm.label for arm in arms)),
        lines,
        (join_sentences(say("In brackets: 95\u00a0% intervals."), steps), *mark_notes(lines), *_lost_notes(rows)),
    )
    return Block(heading=label_of_harm(harm, content), sentences=sentences, tables=(table,))


def _say_steps(rows: Rows, content: ReportContent) -> str:
    """Return how coarse numbers are, in people and in people of 100; nothing where they are exact."""
    if not is_rounded(content):
        return ""
    step = content.plan.small_numbers.protection.step
    arms = pick(rows, analysis="flow", statistic="allocated")
    if not arms or not all(row.is_exact for row in arms):
        return say_many(
            "Numbers are in steps of {number} person or more, so that nobody can be recognised.",
            "Numbers are in steps of {number} people or more, so that nobody can be recognised.",
            step,
            number=format_count(step),
        )
    return say_many(
        "Numbers of people are in steps of {number} person or more, and numbers of 100 people in steps of {share} or "
        "more, so that nobody can be recognised.",
        "Numbers of people are in steps of {number} people or more, and numbers of 100 people in steps of {share} or "
        "more, so that nobody can be recognised.",
        step,
        number=format_count(step),
        share=format_count(step_of_100(max(row.n for row in arms), step)),
    )


def _lost_notes(rows: Rows) -> tuple[str, ...]:
    """Return that some numbers are not shown because of how coarse they would be, if any are."""
    if not any(is_rounded_away(row) for row in rows if row.statistic != "incomplete"):
        return ()
    return (say("A number of which rounding leaves too little to tell is not shown either."),)


def label_of_harm(harm: Harm, content: ReportContent) -> str:
    """Return what the plan calls a harm, or else the study or the instrument."""
    if harm.label:
        return harm.label
    if harm.event:
        return next(kind.label for kind in content.design.event_kinds if kind.id == harm.event)
    return _name_item(harm.instrument or "", harm.item or "", content)


def has_alerts(harm: Harm, rows: Rows) -> bool:
    """Tell whether it is told that anybody gave an answer that calls for attention."""
    own = pick(rows, analysis="harms", item=harm.id)
    told = pick(own, statistic=("new_alerts", "alert_before", "alert_later"))
    return any(
        row.value > 0 if row.is_shown else are_few(pick(own, arm=row.arm, timepoint=row.timepoint)) for row in told
    )


def _name_item(instrument: str, item_id: str, content: ReportContent) -> str:
    """Return ``PHQ-9: thoughts of self-harm``."""
    known = content.instruments[instrument]
    item = next(item for item in known.items if item.id == item_id)
    return f"{known.short_name}: {item_label(item, content.wording.get(instrument))}"


def _left_out(content: ReportContent) -> tuple[Block, ...]:
    """Return which answers call for attention by their instrument, and are not counted."""
    named = {(harm.instrument, harm.item) for harm in content.plan.harms}
    left_out = [
        _name_item(name, item.id, content)
        for name, instrument in content.instruments.items()
        for item in instrument.items
        if item.safety and item.id in content.design.items.get(name, ()) and (name, item.id) not in named
    ]
    lead = say("People were asked these questions, whose answers call for attention, and the plan does not count them.")
    return (Block(heading=say("Not counted"), sentences=(lead,), items=tuple(left_out)),) if left_out else ()


def _say_counted_events(content: ReportContent) -> str:
    return say(
        "Counted are people to whom it happened at any time after {baseline}.", baseline=content.design.baseline.label
    )


def _say_counted_answers(harm: Harm, content: ReportContent) -> str:
    border, item = format_threshold(harm.at_least or 0.0), _name_item(harm.instrument or "", harm.item or "", content)
    counted = say("Counted are answers of at least {border} to {item}.", border=border, item=item)
    return join_sentences(counted, say(UNANSWERED))


def _say_events(harm: Harm, rows: Rows, arms: list[Arm], content: ReportContent) -> Iterator[str]:
    """Yield a sentence on what is counted, and one for each arm: to how many people it happened."""
    yield _say_counted_events(content)
    for arm in arms:
        own = pick(rows, arm=arm.id)
        count, share = pick_one(own, statistic="people_with_event"), pick_one(own, statistic="share_with_event")
        is_alone = len(content.design.arms) == 1
        if count is None or not count.is_shown or share is None:
            yield _say_hidden_event(own, "" if is_alone else arm.label, content)
            continue
        if not count.value:
            interval = say(
                "95\u00a0% interval up to {high} of 100 people", high=format_number(share.conf_high, _decimals(share))
            )
            if is_alone:
                yield say("Recorded for nobody ({interval}).", interval=interval)
            else:
                yield say("Recorded for nobody in {arm} ({interval}).", arm=arm.label, interval=interval)
            continue
        if not share.is_shown:
            yield _say_recorded(say_people(count, content), "" if is_alone else arm.label)
            continue
        said = {"people": say_people(count, content), "number": print_of_100(share), "interval": _interval(share)}
        if is_alone:
            yield say("Recorded for {people}: {number} of 100 people ({interval}).", **said)
        else:
            yield say("Recorded for {people} in {arm}: {number} of 100 people ({interval}).", arm=arm.label, **said)


def say_people(count: Row, content: ReportContent) -> str:
    """Return ``22 people``, or ``about 20 people`` where numbers are rounded."""
    number = format_count(count.value)
    if is_rounded(content):
        return say_many("about {number} person", "about {number} people", count.value, number=number)
    return say_many("{number} person", "{number} people", count.value, number=number)


def _say_hidden_event(of_arm: Rows, arm: str, content: ReportContent) -> str:
    """Return that there were few, where that is so; otherwise that the number is not shown."""
    if are_few(of_arm):
        return _say_recorded(say_few(content), arm)
    if arm:
        return say("How many people in {arm} is not shown: {reason}.", arm=arm, reason=say(WITHHELD))
    return say("How many people is not shown: {reason}.", reason=say(WITHHELD))


def _say_recorded(people: str, arm: str) -> str:
    """Return to how many people an event happened, without people of 100."""
    if arm:
        return say("Recorded for {people} in {arm}.", people=people, arm=arm)
    return say("Recorded for {people}.", people=people)


def are_few(of_arm: Rows) -> bool:
    """Tell whether of a hidden number it may be said that people are few: not where only rounding hid it."""
    minority = pick_one(of_arm, statistic="is_minority")
    if any(is_rounded_away(row) for row in pick(of_arm, statistic="new_alerts")):
        return False
    return minority is not None and minority.is_shown and minority.value == 1


def is_rounded_away(row: Row) -> bool:
    """Tell whether the gate hid a share because rounding leaves too little of it."""
    return row.hidden and row.method == ROUNDED_AWAY


def say_few(content: ReportContent) -> str:
    """Return ``fewer than 10 people``, by what the profile protects."""
    threshold = content.plan.small_numbers.protection.threshold
    return say_many(
        "fewer than {number} person", "fewer than {number} people", threshold, number=format_count(threshold)
    )


def _say_alerts(harm: Harm, rows: Rows, arms: list[Arm], content: ReportContent) -> Iterator[str]:
    """Yield a sentence on what is counted, and one for each later timepoint and arm: how many are new."""
    yield _say_counted_answers(harm, content)
    border = format_threshold(harm.at_least or 0.0)
    for timepoint in content.design.timepoints[1:]:
        at = pick(rows, timepoint=timepoint.id, statistic=("new_alerts", "is_minority"))
        if len(arms) > 1 and at and not any(_tells(row) or is_rounded_away(row) for row in at):
            yield say(
                "{timepoint}: how many people are new is not shown: {reason}.",
                timepoint=timepoint.label,
                reason=say(WITHHELD),
            )
            continue
        for arm in arms:
            own = pick(rows, arm=arm.id, timepoint=timepoint.id)
            new = pick_one(own, statistic="new_alerts")
            if new is not None:
                yield _say_new(new, own, _of_whom(timepoint, arm, border, content), content)


def _of_whom(timepoint: Timepoint, arm: Arm, border: str, content: ReportContent) -> str:
    """Return of whom new answers are counted."""
    said = {"timepoint": timepoint.label, "border": border, "baseline": content.design.baseline.label}
    if len(content.design.arms) == 1:
        # i18n: of whom it is said that so many have a new answer; a colon and the number follow
        return say("{timepoint}, of people who answered below {border} at {baseline}", **said)
    # i18n: of whom it is said that so many have a new answer; a colon and the number follow
    return say("{timepoint}, of people in {arm} who answered below {border} at {baseline}", arm=arm.label, **said)


def _say_new(new: Row, of_arm: Rows, whom: str, content: ReportContent) -> str:
    if not new.is_shown and are_few(of_arm):
        return say("{whom}: new for {people}.", whom=whom, people=say_few(content))
    if not new.is_shown:
        reason = new.told if is_rounded_away(new) else say(WITHHELD)
        return say("{whom}: how many is not shown: {reason}.", whom=whom, reason=reason)
    if not new.value:
        high = format_number(new.conf_high, _decimals(new))
        return say("{whom}: new for nobody (95\u00a0% interval up to {high} of 100).", whom=whom, high=high)
    return say(
        "{whom}: new for {number} of 100 ({interval}).", whom=whom, number=print_of_100(new), interval=_interval(new)
    )


def _lines_of_events(rows: Rows, arms: list[Arm], content: ReportContent) -> Iterator[tuple[str, ...]]:
    for words, statistic in _OF_ARMS:
        found = [pick_one(rows, statistic=statistic, arm=arm.id) for arm in arms]
        is_left_out = statistic == "events" and not any(row is not None and row.is_shown for row in found)
        if any(found) and not is_left_out:
            cells = (_cell(row, pick(rows, arm=arm.id), content) for arm, row in zip(arms, found, strict=True))
            yield say(words), *cells


def _lines_of_alerts(rows: Rows, arms: list[Arm], content: ReportContent) -> Iterator[tuple[str, ...]]:
    for timepoint in content.design.timepoints[1:]:
        at = pick(rows, timepoint=timepoint.id)
        for words, statistic in _OF_TIMEPOINTS if at else ():
            found = [pick_one(at, statistic=statistic, arm=arm.id) for arm in arms]
            if statistic == "incomplete" and not all(row is not None and row.is_shown for row in found):
                continue  # the flow of participants tells how many answered
            cells = (_cell(row, pick(at, arm=arm.id), content) for arm, row in zip(arms, found, strict=True))
            yield say("{timepoint}: {what}", timepoint=timepoint.label, what=say(words)), *cells


def _cell(row: Row | None, of_arm: Rows, content: ReportContent) -> str:
    """Return a number with its interval; that there were few people, where that may be said."""
    if row is None:
        return NOTHING
    if row.is_shown:
        return f"{print_of_100(row)} ({_ends(row)})" if row.conf_high == row.conf_high else print_of_100(row)
    is_of_few = row.statistic in ("people_with_event", "new_alerts")
    return say_few(content) if is_of_few and are_few(of_arm) else say(NOT_SHOWN)


def _tells(row: Row) -> bool:
    """Tell whether a row lets anything be said: a number, or that people are few."""
    return row.is_shown and (row.statistic != "is_minority" or row.value == 1)


def is_rounded(content: ReportContent) -> bool:
    """Tell whether numbers of people are rounded."""
    return content.plan.small_numbers.profile != "none"


def _decimals(row: Row) -> int:
    """Return one decimal where the gate left one, or left everything."""
    return 0 if float(row.value).is_integer() and float(row.conf_high).is_integer() else 1


def print_of_100(row: Row) -> str:
    """Return people of 100 as text."""
    return format_number(row.value, 0 if float(row.value).is_integer() else 1)


def _interval(row: Row) -> str:
    return say("95\u00a0% interval {interval}", interval=_ends(row))


def _ends(row: Row) -> str:
    """Return both ends of an interval, which no line break parts."""
    return format_interval(row.conf_low, row.conf_high, _decimals(row)).replace(" ", NO_BREAK)
