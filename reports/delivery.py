"""The programme as delivered: sessions held, who came and how often, in words and as a table, from gated rows only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from analysis.design import Arm, StudyDesign
from reports.cells import Table, count_cell, mark_notes, people_cell
from reports.claims import WITHHELD
from reports.delivery_gate import ATTENDED, DIGITS, SHARE
from reports.disclosure import THRESHOLD
from reports.numbers import NO_BREAK, NOT_SHOWN, NOTHING, format_count, format_number
from reports.reading import Row, Rows, pick, pick_one

CAUTION: Final = (
    "How often somebody came says nothing of what the programme did for them: people who come often differ from people "
    "who do not in other ways too."
)
_LINES: Final = (
    ("Sessions held", "sessions_held", ""),
    ("Sessions held online", "sessions_held", "online"),
    ("Sessions held in person", "sessions_held", "in_person"),
    ("Sessions cancelled", "sessions_cancelled", ""),
    ("People who came to one session at least", ATTENDED, ""),
    ("Sessions that a person came to, mean", "mean_attended", ""),
    ("Sessions that a person came to, median", "median_attended", ""),
    ("Share of the sessions offered that people came to", SHARE, ""),
    ("Share online", SHARE, "online"),
    ("Share in person", SHARE, "in_person"),
    ("People at a session, mean", "people_per_session", ""),
    ("Days from one session to the next, median", "median_spacing", ""),
)
_QUARTILES: Final = ("lower_quartile_attended", "upper_quartile_attended")
_HALF: Final = "Sessions that the middle half of people came to"


@dataclass(frozen=True, slots=True)
class Delivery:
    """What is said of the programme as delivered: sentences, a table by arm, and how not to read it."""

    sentences: tuple[str, ...]
    table: Table
    caution: str = CAUTION


def say_delivery(rows: Rows, design: StudyDesign) -> Delivery | None:
    """Return the programme as delivered, of the arms that had sessions.

    Parameters
    ----------
    rows : tuple of Row
        Gated results.
    design : StudyDesign
        Labels and order of the arms.

    Returns
    -------
    Delivery or None
        None where the study tells of no sessions.
    """
    delivered = pick(rows, analysis="delivery")
    arms = [arm for arm in design.arms if pick(delivered, arm=arm.id)]
    if not arms:
        return None
    sentences = [sentence for arm in arms for sentence in _say_arm(delivered, arm)]
    return Delivery((*sentences, *_say_facilitators(delivered)), _table(delivered, arms))


def _say_arm(rows: Rows, arm: Arm) -> Iterator[str]:
    own = pick(rows, arm=arm.id)
    if not any(row.is_shown for row in own):
        yield f"How {arm.label} was delivered is not shown: {WITHHELD}."
        return
    held = pick_one(own, statistic="sessions_held", item="")
    cancelled = pick_one(own, statistic="sessions_cancelled")
    if held is not None and held.is_shown:
        fell_out = f"; {_cancelled(cancelled.value)}" if cancelled and cancelled.value > 0 else ""
        were = _plural(held.value, "session was", "sessions were")
        yield f"{arm.label}: {format_count(held.value)} {were} held{fell_out}."
    came = pick_one(own, statistic=ATTENDED)
    if came is not None and came.people != NOT_SHOWN:
        yield f"{_capital(came.people)} people in {arm.label} came to one session at least.{_say_middle(own)}"
    share = pick_one(own, statistic=SHARE, item="")
    if share is not None and share.is_shown:
        yield f"People came to {format_number(share.value, 0)}{NO_BREAK}% of the sessions that they were offered."


def _cancelled(number: float) -> str:
    return f"{format_count(number)} more {_plural(number, 'was', 'were')} cancelled"


def _say_middle(rows: Rows) -> str:
    ends = [pick_one(rows, statistic=name) for name in _QUARTILES]
    low, high = (format_number(end.value, 0) if end is not None and end.is_shown else "" for end in ends)
    if not low or not high:
        return ""
    sessions = _plural(float(high), "session", "sessions")
    return f" The middle half came to {low if low == high else f'{low} to {high}'} {sessions}."


def _say_facilitators(rows: Rows) -> Iterator[str]:
    number = pick_one(rows, statistic="facilitators")
    if number is None:
        return
    mean = pick_one(rows, statistic="sessions_per_facilitator")
    if number.is_shown:
        each = f", each {format_number(mean.value, 1)} on average" if mean is not None and mean.is_shown else ""
        yield f"{format_count(number.value)} facilitators led the sessions{each}."
    else:
        yield f"Fewer than {THRESHOLD} facilitators led the sessions."


def _table(rows: Rows, arms: list[Arm]) -> Table:
    lines: list[tuple[str, ...]] = []
    for label, statistic, item in _LINES:
        found = [pick_one(rows, statistic=statistic, arm=arm.id, item=item) for arm in arms]
        if any(found):
            lines.append((label, *(_cell(row) for row in found)))
        if statistic == "median_attended":
            lines.append((_HALF, *(_half(rows, arm) for arm in arms)))
    return Table("Sessions, by arm", ("Number", *(arm.label for arm in arms)), tuple(lines), mark_notes(tuple(lines)))


def _cell(row: Row | None) -> str:
    if row is None or row.statistic == ATTENDED:
        return people_cell(row)
    if row.hidden or row.statistic not in (*DIGITS, SHARE):
        return count_cell(row)
    percent = f"{NO_BREAK}%" if row.statistic == SHARE else ""
    return f"{format_number(row.value, DIGITS.get(row.statistic, 0))}{percent}"


def _half(rows: Rows, arm: Arm) -> str:
    ends = [pick_one(rows, statistic=name, arm=arm.id) for name in _QUARTILES]
    if any(end is None for end in ends):
        return NOTHING
    low, high = (count_cell(end) for end in ends)
    return low if low == high else f"{low} to {high}"


def _plural(number: float, one: str, several: str) -> str:
    return one if number == 1 else several


def _capital(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}"
