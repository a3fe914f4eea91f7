"""People before the data begin: eligible, invited, in the data; and those who did not come on."""

from __future__ import annotations

from dataclasses import dataclass

from analysis.design import StudyDesign
from reports.cells import Table
from reports.language import say
from reports.numbers import format_count
from reports.reading import Rows, pick_one


@dataclass(frozen=True, slots=True)
class Recruitment:
    """Numbers of people before the data begin, and how many of them did not come on; None where it is not known.

    Attributes
    ----------
    eligible, invited : float or None
        As the study declares them.
    started : float or None
        People in the data; None where the number of an arm is withheld, and for samples drawn anew.
    """

    eligible: float | None
    invited: float | None
    started: float | None

    @property
    def not_invited(self) -> float:
        """People who were eligible and not invited; zero where that is not known."""
        return max(self.eligible - self.invited, 0) if self.eligible is not None and self.invited is not None else 0

    @property
    def not_in_data(self) -> float:
        """People who were invited and are not in the data; zero where that is not known."""
        return max(self.invited - self.started, 0) if self.invited is not None and self.started is not None else 0


def read_recruitment(rows: Rows, design: StudyDesign) -> Recruitment:
    """Return what is declared and may be said; of samples drawn anew nobody can tell how many people started."""
    declared = [pick_one(rows, analysis="flow", statistic=name) for name in ("eligible", "invited")]
    found = [pick_one(rows, analysis="flow", statistic="allocated", arm=arm.id) for arm in design.arms]
    are_all_exact = all(row is not None and row.is_exact for row in found) and not design.is_resampled
    started = sum(row.n for row in found if row is not None) if are_all_exact else None
    eligible, invited = (row.value if row is not None and row.is_shown else None for row in declared)
    return Recruitment(eligible, invited, started)


def recruitment_table(rows: Rows, design: StudyDesign) -> tuple[Table, ...]:
    """Return the people at each step before the data begin; none where the study declares nothing."""
    told = read_recruitment(rows, design)
    lines = [
        (say("Eligible"), told.eligible),
        (say("Eligible and not invited"), told.not_invited or None),
        (say("Invited"), told.invited),
        (say("Invited and not in the data (why is not known)"), told.not_in_data or None),
        (say("In the data that could be used"), told.started),
    ]
    if told.eligible is None and told.invited is None:
        return ()
    shown = tuple((step, format_count(count)) for step, count in lines if count is not None)
    return (Table(say("People before the data begin"), (say("Step"), say("People")), shown),)
