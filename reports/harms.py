"""Who got worse: harms that the plan names, and how many people scored worse, from gated rows only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from analysis.design import Arm
from analysis.plan_parts import Harm
from instruments.wording import item_label
from reports.cells import INTERVAL, Table, mark_notes
from reports.change_counts import say_worse
from reports.claims import WITHHELD
from reports.content import ReportContent
from reports.disclosure import THRESHOLD
from reports.numbers import NO_BREAK, NOT_SHOWN, NOTHING, format_count, format_interval, format_number, format_threshold
from reports.reading import Row, Rows, pick, pick_one
from reports.sections import Block, Section

TITLE: Final = "Who got worse"
TITLE_OF_SAMPLES: Final = "Harms"
"""Where nobody is followed, nobody can be said to have got worse."""
NOT_LOOKED_AT: Final = (
    "The plan names no harms. Whether anybody came to harm was not looked at, so nothing is known of it: that this "
    "report tells of no harm does not mean that there was none."
)
WHY_UNKNOWN: Final = (
    "What the plan counts as possible harm. Counts tell nothing of why something happened, and are no proof for or "
    "against the programme. What was not recorded or not answered is not counted."
)
BEFORE_TOO: Final = " The counts are of the whole time in the study, also of that before an arm began the programme."
UNANSWERED: Final = "Whether anybody saw to the people who answered so is not known from these data."
FEW: Final = f"fewer than {THRESHOLD} people"
ROUNDED: Final = " Numbers are in steps of ten people or more, so that nobody can be recognised."
_OF_ARMS: Final = (
    ("People with it", "people_with_event"),
    ("Of 100 people", "share_with_event"),
    ("Events; somebody may have several", "events"),
    ("People with a first one per 100 person-years", "first_events_per_100_years"),
)
_OF_TIMEPOINTS: Final = (
    ("new, of 100 people below it at first", "new_alerts"),
    ("at first, of 100 people with both answers", "alert_before"),
    ("later, of 100 people with both answers", "alert_later"),
    ("no longer, of 100 people with it at first", "resolved_alerts"),
    ("without one of the two answers, of 100 people", "incomplete"),
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
    harms = tuple(_say_harm(harm, pick(own, item=harm.id), content) for harm in content.plan.harms)
    if not harms:
        harms = (Block(heading="Harms", sentences=(NOT_LOOKED_AT,)),)
    title = TITLE_OF_SAMPLES if content.design.is_resampled else TITLE
    begins_later = content.design.kind in ("waitlist", "stepped_wedge")
    lead = f"{WHY_UNKNOWN}{BEFORE_TOO if begins_later else ''}" if content.plan.harms else ""
    blocks = (*harms, *_left_out(content), *say_worse(rows, content))
    return Section(id="worse", title=title, lead=lead, blocks=blocks)


def quoted_harms(content: ReportContent) -> list[str]:
    """Return what the study and the plan call harms and events."""
    return [*(harm.label for harm in content.plan.harms), *(kind.label for kind in content.design.event_kinds)]


def _say_harm(harm: Harm, rows: Rows, content: ReportContent) -> Block:
    refused = next((row for row in rows if row.verdict.startswith("refused")), None)
    if refused is not None:
        return Block(heading=_label(harm, content), sentences=(f"Not counted. {refused.method}",))
    arms = [arm for arm in content.design.arms if pick(rows, arm=arm.id)]
    say = _say_events if harm.event else _say_alerts
    sentences = tuple(say(harm, rows, arms, content))
    lines = tuple(_lines_of_events(rows, arms) if harm.event else _lines_of_alerts(rows, arms, content))
    table = Table(
        f"{_label(harm, content)}, by arm",
        ("Number", *(arm.label for arm in arms)),
        lines,
        (f"In brackets: {INTERVAL}s.{ROUNDED if _is_rounded(content) else ''}", *mark_notes(lines)),
    )
    return Block(heading=_label(harm, content), sentences=sentences, tables=(table,))


def _label(harm: Harm, content: ReportContent) -> str:
    """Return what the plan calls a harm, or else the study or the instrument."""
    if harm.label:
        return harm.label
    if harm.event:
        return next(kind.label for kind in content.design.event_kinds if kind.id == harm.event)
    return _name_item(harm.instrument or "", harm.item or "", content)


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
    lead = "People were asked these questions, whose answers call for attention, and the plan does not count them."
    return (Block(heading="Not counted", sentences=(lead,), items=tuple(left_out)),) if left_out else ()


def _say_events(harm: Harm, rows: Rows, arms: list[Arm], content: ReportContent) -> Iterator[str]:
    """Yield a sentence on what is counted, and one for each arm: to how many people it happened."""
    yield f"Counted are people to whom it happened at any time after {content.design.baseline.label}."
    for arm in arms:
        own = pick(rows, arm=arm.id)
        count, share = pick_one(own, statistic="people_with_event"), pick_one(own, statistic="share_with_event")
        where = f" in {arm.label}" if len(content.design.arms) > 1 else ""
        if count is None or not count.is_shown or share is None:
            yield f"{_hidden(own, where)}."
            continue
        high = format_number(share.conf_high, _decimals(share))
        if not count.value:
            yield f"Recorded for nobody{where} ({INTERVAL} up to {high} of 100 people)."
            continue
        people = f"{format_count(count.value)} people" if count.value != 1 else "1 person"
        about = "about " if _is_rounded(content) else ""
        yield f"Recorded for {about}{people}{where}: {_of_100(share)} of 100 people ({INTERVAL} {_interval(share)})."


def _hidden(rows: Rows, where: str, *, verb: str = "Recorded for") -> str:
    """Return that there were few, where that is so; otherwise that the number is not shown."""
    minority = pick_one(rows, statistic="is_minority")
    if minority is not None and minority.is_shown and minority.value == 1:
        return f"{verb} {FEW}{where}"
    return f"How many people{where} is {NOT_SHOWN}: {WITHHELD}"


def _say_alerts(harm: Harm, rows: Rows, arms: list[Arm], content: ReportContent) -> Iterator[str]:
    """Yield a sentence on what is counted, and one for each later timepoint and arm: how many are new."""
    border, baseline = format_threshold(harm.at_least or 0.0), content.design.baseline.label
    item = _name_item(harm.instrument or "", harm.item or "", content)
    yield f"Counted are answers of at least {border} to {item}. {UNANSWERED}"
    for timepoint in content.design.timepoints[1:]:
        for arm in arms:
            own = pick(rows, arm=arm.id, timepoint=timepoint.id)
            new = pick_one(own, statistic="new_alerts")
            if new is None:
                continue
            where = f" in {arm.label}" if len(content.design.arms) > 1 else ""
            lead = f"{timepoint.label}, of people{where} who answered below {border} at {baseline}"
            if not new.is_shown:
                yield f"{lead}: {_hidden(own, '', verb='new for')}.".replace("How many people is", "how many is")
            elif not new.value:
                high = format_number(new.conf_high, _decimals(new))
                yield f"{lead}: new for nobody ({INTERVAL} up to {high} of 100)."
            else:
                yield f"{lead}: new for {_of_100(new)} of 100 ({INTERVAL} {_interval(new)})."


def _lines_of_events(rows: Rows, arms: list[Arm]) -> Iterator[tuple[str, ...]]:
    for words, statistic in _OF_ARMS:
        found = [pick_one(rows, statistic=statistic, arm=arm.id) for arm in arms]
        is_left_out = statistic == "events" and not any(row is not None and row.is_shown for row in found)
        if any(found) and not is_left_out:
            yield (words, *(_cell(row, pick(rows, arm=arm.id)) for arm, row in zip(arms, found, strict=True)))


def _lines_of_alerts(rows: Rows, arms: list[Arm], content: ReportContent) -> Iterator[tuple[str, ...]]:
    for timepoint in content.design.timepoints[1:]:
        at = pick(rows, timepoint=timepoint.id)
        for words, statistic in _OF_TIMEPOINTS if at else ():
            found = [pick_one(at, statistic=statistic, arm=arm.id) for arm in arms]
            yield (
                f"{timepoint.label}: {words}",
                *(_cell(row, pick(at, arm=arm.id)) for arm, row in zip(arms, found, strict=True)),
            )


def _cell(row: Row | None, of_arm: Rows) -> str:
    """Return a number with its interval; that there were few people, where that may be said."""
    if row is None:
        return NOTHING
    if row.is_shown:
        ends = f" ({_interval(row)})" if row.conf_high == row.conf_high else ""
        return f"{_of_100(row)}{ends}"
    is_of_few = row.statistic in ("people_with_event", "new_alerts")
    return FEW if is_of_few and FEW in _hidden(of_arm, "") else NOT_SHOWN


def _is_rounded(content: ReportContent) -> bool:
    return content.plan.small_numbers.profile != "none"


def _decimals(row: Row) -> int:
    """Return one decimal where the gate left one, or left everything."""
    return 0 if float(row.value).is_integer() and float(row.conf_high).is_integer() else 1


def _of_100(row: Row) -> str:
    return format_number(row.value, 0 if float(row.value).is_integer() else 1)


def _interval(row: Row) -> str:
    return format_interval(row.conf_low, row.conf_high, _decimals(row)).replace(" to ", f"{NO_BREAK}to{NO_BREAK}")
