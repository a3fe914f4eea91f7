"""Write the attendance log of a synthetic study: weekly meetings of peer groups, with seeded faults."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

import numpy as np
import pandas as pd

FILE: Final = "data/attendance.csv"
HEADER: Final = ["pid", "group", "week", "held_on", "attended", "format", "facilitator"]
WEEKS: Final = 12
FIRST_MEETING: Final = date(2025, 1, 27)
FACILITATORS: Final = 5
CANCELLED_SHARE, EXCUSED_SHARE = 0.03, 0.3
ONLINE_FROM, ONLINE_TO = 5, 8
"""Weeks in which all groups meet online."""
ONLINE_GROUPS: Final = 3
"""Every third group meets online in all weeks."""
KEENNESS: Final = (4.0, 1.6)
"""Beta distribution of how often a person comes."""
CAME, ABSENT, EXCUSED, CANCELLED = "1", "0", "2", "c"


@dataclass(slots=True)
class AttendanceLog:
    """Rows of the log as they will be written, and the faults put into them."""

    rows: list[list[str]] = field(default_factory=list)
    faults: list[dict[str, str | int]] = field(default_factory=list)

    def note(self, place: int, column: str, rule: str, severity: str) -> None:
        """Remember a fault in row `place` (0 = first below the header)."""
        self.faults.append(
            {"source": FILE, "source_row": place + 2, "column": column, "rule": rule, "severity": severity}
        )


def simulate_attendance(people: pd.DataFrame, usable: Collection[str], rng: np.random.Generator) -> AttendanceLog:
    """Invent who came to which weekly meeting, and put one of each fault into the log.

    Parameters
    ----------
    people : DataFrame
        pid and group (``G01`` ...; empty outside of the groups) of every participant.
    usable : collection of str
        The pids of participants whose answers can be used; rows of others are faults.
    rng : Generator
        Source of randomness, apart from that of the answers.
    """
    log = AttendanceLog()
    members = people[people["group"] != ""]
    keenness = dict(zip(members["pid"], rng.beta(*KEENNESS, size=len(members)), strict=True))
    for number, (group, own) in enumerate(members.groupby("group", sort=True)):
        for week in range(1, WEEKS + 1):
            day = FIRST_MEETING + timedelta(days=7 * (week - 1) + number % 5)
            is_online = number % ONLINE_GROUPS == ONLINE_GROUPS - 1 or ONLINE_FROM <= week <= ONLINE_TO
            meets = "O" if is_online else "P"
            beside = [day.strftime("%d/%m/%Y"), meets, f"F{number % FACILITATORS + 1}"]
            is_cancelled = rng.random() < CANCELLED_SHARE
            for pid in own["pid"]:
                came = _attended(keenness[pid], rng)
                code = CANCELLED if is_cancelled else came
                log.rows.append([pid, str(group), str(week), beside[0], code, *beside[1:]])
    for place, row in enumerate(log.rows):
        if row[0] not in usable:
            log.note(place, "pid", "known_participant", "row")
    _put_faults(log, [place for place, row in enumerate(log.rows) if row[0] in usable])
    return log


def _attended(keenness: float, rng: np.random.Generator) -> str:
    comes, excuses = rng.random() < keenness, rng.random() < EXCUSED_SHARE
    return CAME if comes else EXCUSED if excuses else ABSENT


def _put_faults(log: AttendanceLog, places: Sequence[int]) -> None:
    """Put an unknown code and an unreadable day into rows, and add a stranger, a repetition and a contradiction."""
    code, day, stranger, again, other = (places[index] for index in (30, 45, 60, 75, 90))
    log.rows[code][HEADER.index("attended")] = "7"
    log.note(code, "attended", "known_attendance", "row")
    log.rows[day][HEADER.index("held_on")] = "2 weeks later"
    log.note(day, "held_on", "readable", "cell")
    log.rows.append(["X900", *log.rows[stranger][1:]])
    log.note(len(log.rows) - 1, "pid", "known_participant", "row")
    log.rows.append(list(log.rows[again]))
    log.note(len(log.rows) - 1, "", "identical_duplicate", "excluded")
    contradiction = list(log.rows[other])
    column = HEADER.index("attended")
    contradiction[column] = ABSENT if contradiction[column] != ABSENT else CAME
    log.rows.append(contradiction)
    for place in (other, len(log.rows) - 1):
        log.note(place, "pid", "one_row_per_session", "row")
