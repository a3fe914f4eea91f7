"""The programme as delivered: what it is, and from gated rows only which sessions were held, who came, how often."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from analysis.design import Arm
from reports.cells import Table, count_cell, mark_notes, people_cell
from reports.claims import WITHHELD
from reports.content import ReportContent
from reports.delivery_gate import DIGITS, SHARE
from reports.description import describe_programme, say_undescribed
from reports.gated_rows import ATTENDED
from reports.language import mark, say, say_many
from reports.numbers import NOTHING, format_count, format_number, format_percent
from reports.reading import Row, Rows, pick, pick_one

CAUTION: Final = mark(
    "How often somebody came says nothing of what the programme did for them: people who come often differ from people "
    "who do not in other ways too."
)
NO_SESSIONS: Final = mark(
    "The study delivered no record of sessions, so it is not known how many were held, who came, or how often."
)
_LINES: Final = (
    (mark("Sessions held"), "sessions_held", ""),
    (mark("Sessions held online"), "sessions_held", "online"),
    (mark("Sessions held in person"), "sessions_held", "in_person"),
    (mark("Sessions cancelled"), "sessions_cancelled", ""),
    (mark("People who came to one session at least"), ATTENDED, ""),
    (mark("Sessions that a person came to, mean"), "mean_attended", ""),
    (mark("Sessions that a person came to, median"), "median_attended", ""),
    (mark("Share of the sessions offered that people came to"), SHARE, ""),
    (mark("Share of the online sessions offered that people came to"), SHARE, "online"),
    (mark("Share of the sessions offered in person that people came to"), SHARE, "in_person"),
    (mark("People at a session, mean"), "people_per_session", ""),
    (mark("Days from one session to the next, median"), "median_spacing", ""),
)
_QUARTILES: Final = ("lower_quartile_attended", "upper_quartile_attended")


@dataclass(frozen=True, slots=True)
class Delivery:
    """What is said of the programme as delivered.

    Attributes
    ----------
    description : tuple of (str, str)
        Part of the programme, and the words of the study for it.
    undescribed : str
        What of it the study does not tell; empty where it tells all.
    sentences : tuple of str
        Sessions and who came to them, or that this is not known.
    table : Table or None
        The same by arm; None without sessions.
    caution : str
        How not to read it; empty without sessions.
    """

    description: tuple[tuple[str, str], ...]
    undescribed: str
    sentences: tuple[str, ...]
    table: Table | None = None
    caution: str = ""


def say_delivery(rows: Rows, content: ReportContent) -> Delivery:
    """Return what the programme is, and how it was delivered to the arms that had sessions.

    Parameters
    ----------
    rows : tuple of Row
        Gated results.
    content : ReportContent
        Words of the study for the programme, labels and order of the arms, and what is protected.
    """
    description, undescribed = describe_programme(content), say_undescribed(content)
    delivered = pick(rows, analysis="delivery")
    arms = [arm for arm in content.design.arms if pick(delivered, arm=arm.id)]
    if not arms:
        return Delivery(description, undescribed, (say(NO_SESSIONS),))
    sentences = [sentence for arm in arms for sentence in _say_arm(delivered, arm)]
    sentences += _say_facilitators(delivered, content.plan.small_numbers.protection.threshold)
    if not any(row.is_shown for row in delivered if row.arm):
        return Delivery(description, undescribed, tuple(sentences))
    return Delivery(description, undescribed, tuple(sentences), _table(delivered, arms), say(CAUTION))


def _say_arm(rows: Rows, arm: Arm) -> Iterator[str]:
    own = pick(rows, arm=arm.id)
    if not any(row.is_shown for row in own):
        yield say("How {arm} was delivered is not shown: {reason}.", arm=arm.label, reason=say(WITHHELD))
        return
    held = pick_one(own, statistic="sessions_held", item="")
    if held is not None and held.is_shown:
        yield " ".join(_say_held(held, pick_one(own, statistic="sessions_cancelled"), arm))
    came = pick_one(own, statistic=ATTENDED)
    if came is not None and (came.is_exact or came.is_bounded):
        yield " ".join((_say_came(came, arm), *_say_middle(own)))
    share = pick_one(own, statistic=SHARE, item="")
    if share is not None and share.is_shown:
        yield say("People came to {share} of the sessions that they were offered.", share=format_percent(share.value))


def _say_held(held: Row, cancelled: Row | None, arm: Arm) -> Iterator[str]:
    yield say_many(
        "{arm}: {count} session was held.",
        "{arm}: {count} sessions were held.",
        held.value,
        arm=arm.label,
        count=format_count(held.value),
    )
    if cancelled is not None and cancelled.value > 0:
        count = format_count(cancelled.value)
        yield say_many("{count} more was cancelled.", "{count} more were cancelled.", cancelled.value, count=count)


def _say_came(came: Row, arm: Arm) -> str:
    if came.is_exact:
        return say_many(
            "{count} person in {arm} came to one session at least.",
            "{count} people in {arm} came to one session at least.",
            came.n,
            arm=arm.label,
            count=format_count(came.n),
        )
    return say_many(
        "At least {count} person in {arm} came to one session at least.",
        "At least {count} people in {arm} came to one session at least.",
        came.at_least,
        arm=arm.label,
        count=format_count(came.at_least),
    )


def _say_middle(rows: Rows) -> Iterator[str]:
    ends = [pick_one(rows, statistic=name) for name in _QUARTILES]
    low, high = (format_number(end.value, 0) if end is not None and end.is_shown else "" for end in ends)
    if low and low == high:
        yield say_many(
            "The middle half came to {count} session.",
            "The middle half came to {count} sessions.",
            _whole(ends[1]),
            count=high,
        )
    elif low and high:
        yield say_many(
            "The middle half came to {low} to {high} session.",
            "The middle half came to {low} to {high} sessions.",
            _whole(ends[1]),
            low=low,
            high=high,
        )


def _whole(row: Row | None) -> int:
    """Return a number as it is printed without decimals."""
    return round(row.value) if row is not None else 0


def _say_facilitators(rows: Rows, threshold: int) -> Iterator[str]:
    number = pick_one(rows, statistic="facilitators")
    if number is None:
        return
    mean = pick_one(rows, statistic="sessions_per_facilitator")
    if not number.is_shown:
        yield say("Fewer than {count} facilitators led the sessions.", count=format_count(threshold))
    elif mean is not None and mean.is_shown:
        yield say_many(
            "{count} facilitator led the sessions, each {mean} on average.",
            "{count} facilitators led the sessions, each {mean} on average.",
            number.value,
            count=format_count(number.value),
            mean=format_number(mean.value, 1),
        )
    else:
        yield say_many(
            "{count} facilitator led the sessions.",
            "{count} facilitators led the sessions.",
            number.value,
            count=format_count(number.value),
        )


def _table(rows: Rows, arms: list[Arm]) -> Table:
    lines: list[tuple[str, ...]] = []
    for label, statistic, item in _LINES:
        found = [pick_one(rows, statistic=statistic, arm=arm.id, item=item) for arm in arms]
        if any(found):
            lines.append((say(label), *(_cell(row) for row in found)))
        if statistic == "median_attended":
            lines.append((say("Sessions that the middle half of people came to"), *(_half(rows, arm) for arm in arms)))
    columns = (say("Number"), *(arm.label for arm in arms))
    return Table(say("Sessions, by arm"), columns, tuple(lines), mark_notes(tuple(lines)))


def _cell(row: Row | None) -> str:
    if row is None or row.statistic == ATTENDED:
        return people_cell(row)
    if row.hidden or row.statistic not in (*DIGITS, SHARE):
        return count_cell(row)
    digits = DIGITS.get(row.statistic, 0)
    return format_percent(row.value, digits) if row.statistic == SHARE else format_number(row.value, digits)


def _half(rows: Rows, arm: Arm) -> str:
    ends = [pick_one(rows, statistic=name, arm=arm.id) for name in _QUARTILES]
    if any(end is None for end in ends):
        return NOTHING
    low, high = (count_cell(end) for end in ends)
    return low if low == high else say("{low} to {high}", low=low, high=high)
