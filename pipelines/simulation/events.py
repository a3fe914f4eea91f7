"""Write the list of events of a synthetic study: who left, and stays in hospital, with seeded faults."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

import numpy as np

from pipelines.simulation.attendance import CAME, FIRST_MEETING, WEEKS
from pipelines.simulation.attendance import HEADER as ATTENDANCE_HEADER

FILE: Final = "data/events.csv"
HEADER: Final = ["pid", "kind", "happened_on"]
LEFT, HOSPITAL = "L", "H"
LAST_WEEK_OF_LEAVERS: Final = WEEKS - 2
"""Who never comes after this week is said to have left, in the days after the last meeting they came to."""
HOSPITAL_SHARE, SECOND_STAY_SHARE = 0.12, 0.15
STUDY_DAYS: Final = 180


@dataclass(slots=True)
class EventList:
    """Rows of the list as they will be written, and the faults put into them."""

    rows: list[list[str]] = field(default_factory=list)
    faults: list[dict[str, str | int]] = field(default_factory=list)

    def note(self, place: int, column: str, rule: str, severity: str) -> None:
        """Remember a fault in row `place` (0 = first below the header)."""
        self.faults.append(
            {"source": FILE, "source_row": place + 2, "column": column, "rule": rule, "severity": severity}
        )


def simulate_events(
    pids: Sequence[str], attendance: Sequence[Sequence[str]], usable: Collection[str], rng: np.random.Generator
) -> EventList:
    """Invent who left the programme and who was in hospital, and put one of each fault into the list.

    Parameters
    ----------
    pids : sequence of str
        Everybody.
    attendance : sequence of rows
        The attendance log, from which it follows who stopped coming.
    usable : collection of str
        The pids of participants whose answers can be used; rows of others are faults.
    rng : Generator
        Source of randomness, apart from those of answers and attendance.
    """
    listing = EventList()
    for pid, week in _last_weeks(attendance).items():
        if week <= LAST_WEEK_OF_LEAVERS and pid in pids:
            day = FIRST_MEETING + timedelta(days=7 * week + int(rng.integers(0, 7)))
            listing.rows.append([pid, LEFT, _spell(day)])
    for pid in pids:
        stays = (rng.random() < HOSPITAL_SHARE) * (1 + (rng.random() < SECOND_STAY_SHARE))
        days = sorted(int(day) for day in rng.integers(0, STUDY_DAYS, size=2))
        listing.rows += [[pid, HOSPITAL, _spell(FIRST_MEETING + timedelta(days=day))] for day in days[:stays]]
    for place, row in enumerate(listing.rows):
        if row[0] not in usable:
            listing.note(place, "pid", "known_participant", "row")
    _put_faults(listing, sorted(usable), [place for place, row in enumerate(listing.rows) if row[0] in usable])
    return listing


def _last_weeks(attendance: Sequence[Sequence[str]]) -> Mapping[str, int]:
    """Return the last week that each person of a group came to; 0 for those who never came."""
    pid, week, attended = (ATTENDANCE_HEADER.index(name) for name in ("pid", "week", "attended"))
    last: dict[str, int] = {}
    for row in attendance:
        came = int(row[week]) if row[attended] == CAME else 0
        last[row[pid]] = max(last.get(row[pid], 0), came)
    return last


def _spell(day: date) -> str:
    return day.strftime("%d/%m/%Y")


def _put_faults(listing: EventList, usable: Sequence[str], places: Sequence[int]) -> None:
    """Add a stranger, an unknown code, an unreadable and an impossible day, and a repetition."""
    for row, column, rule in (
        (["X901", HOSPITAL, "03/03/2025"], "pid", "known_participant"),
        ([usable[0], "Q", "03/03/2025"], "kind", "known_event"),
        ([usable[0], HOSPITAL, "31/02/2025"], "happened_on", "readable"),
        ([usable[1], HOSPITAL, "03/03/1925"], "happened_on", "possible_day"),
    ):
        listing.rows.append(row)
        listing.note(len(listing.rows) - 1, column, rule, "row")
    for place in places[:1]:
        listing.rows.append(list(listing.rows[place]))
        listing.note(len(listing.rows) - 1, "", "identical_duplicate", "excluded")
