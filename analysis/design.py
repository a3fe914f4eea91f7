"""What the analysis must know of a study: its design, occasions, arms and measures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from analysis.telling import tell

DesignKind = Literal[
    "randomised",
    "waitlist",
    "stepped_wedge",
    "matched_comparison",
    "comparison",
    "single_group",
    "repeated_cross_section",
    "interrupted_time_series",
]
RESAMPLED: Final = ("repeated_cross_section", "interrupted_time_series")
"""Designs in which each timepoint is a sample of its own."""
WITH_PROGRAMME: Final = "programme"
BEFORE_PROGRAMME: Final = "before"
STEP_CONTRAST: Final = f"{WITH_PROGRAMME} - {BEFORE_PROGRAMME}"
"""What a stepped wedge compares, and its two sides."""
OBSERVED: Final = "observed"
EXPECTED: Final = "expected"
SERIES_CONTRAST: Final = f"{OBSERVED} - {EXPECTED}"
"""What an interrupted time series compares: what was observed, and what the trend before had led one to expect."""
SIDE_LABELS: Final = {
    WITH_PROGRAMME: tell("with the programme"),
    BEFORE_PROGRAMME: tell("before it"),
    OBSERVED: tell("observed"),
    EXPECTED: tell("expected from the trend before"),
}
"""Words for sides of a contrast that are neither arms nor timepoints."""
Direction = Literal["better", "worse"]
Unit = Literal["points", "percent", "count", "category"]


@dataclass(frozen=True, slots=True)
class Timepoint:
    """A planned occasion; `week` counts from baseline."""

    id: str
    label: str
    week: float


@dataclass(frozen=True, slots=True)
class Arm:
    """What a participant was assigned to; exactly one arm of a comparison is the reference.

    `starts` is a timepoint. Of the arm that waits in a waiting-list study: the last one measured before it begins. Of a
    sequence of a stepped wedge: the first one measured under the programme; empty where it never gets it.
    """

    id: str
    label: str
    is_reference: bool = False
    starts: str = ""


@dataclass(frozen=True, slots=True)
class Covariate:
    """A participant characteristic known at baseline; `levels` of a category start with the reference level."""

    id: str
    label: str
    kind: Literal["number", "category"]
    levels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EventKind:
    """Something that may happen to a participant, as the events table has it."""

    id: str
    label: str


@dataclass(frozen=True, slots=True)
class Theme:
    """Something that people spoke of in interviews, and by what coders knew it."""

    id: str
    label: str
    definition: str


@dataclass(frozen=True, slots=True)
class Measure:
    """A score that outcomes can be named for.

    Attributes
    ----------
    id : str
        ``<instrument>.<score>`` such as ``phq-9.total``, or the id of a delivered score.
    label, concept : str
        Name for tables, and the concept in lower case for sentences ("depressive symptoms").
    minimum, maximum : float
        Score range in points.
    higher_is : {"better", "worse"}
        Direction.
    instrument : str or None
        Id in the instrument library; None for a score that the study only delivers.
    unit : {"points", "percent", "count", "category"}
        Of its values: points of a score, percent of people, a count of something, or the number of a category.
    """

    id: str
    label: str
    concept: str
    minimum: float
    maximum: float
    higher_is: Direction
    instrument: str | None = None
    unit: Unit = "points"


@dataclass(frozen=True, slots=True)
class StudyDesign:
    """The declared design of one study.

    Attributes
    ----------
    kind : str
        The design that decides what may be claimed.
    timepoints : tuple of Timepoint
        In time order; the first is the baseline.
    arms : tuple of Arm
        In declared order; a single-group study has exactly one, which is not a reference; a repeated cross-section one
        like it, or several of which one is the reference. Of a stepped wedge they are the sequences, none a reference.
    group_arms : tuple of str
        Arms whose participants meet in groups (column ``group`` of the participants table); empty without groups.
    groups_drawn : bool
        Chance allocated whole groups to the arms, not people.
    covariates : tuple of Covariate
        Columns of the participants table that a plan may adjust for.
    measures : mapping
        Measure id -> Measure, for every measure of the study.
    recruitment : mapping
        Declared numbers of people before the data begin: ``eligible``, ``invited``.
    event_kinds : tuple of EventKind
        What may happen to participants, in declared order; each is told by some source.
    items : mapping
        Instrument -> item -> its lowest and highest answer, of the instruments whose answers the study delivers.
    themes : tuple of Theme
        What coders looked for in interviews, in declared order; empty without interviews.
    """

    kind: DesignKind
    timepoints: tuple[Timepoint, ...]
    arms: tuple[Arm, ...]
    group_arms: tuple[str, ...] = ()
    groups_drawn: bool = False
    covariates: tuple[Covariate, ...] = ()
    measures: Mapping[str, Measure] = field(default_factory=dict)
    recruitment: Mapping[str, int] = field(default_factory=dict)
    event_kinds: tuple[EventKind, ...] = ()
    items: Mapping[str, Mapping[str, tuple[float, float]]] = field(default_factory=dict)
    themes: tuple[Theme, ...] = ()

    @property
    def baseline(self) -> Timepoint:
        """The first timepoint."""
        return self.timepoints[0]

    @property
    def reference(self) -> Arm | None:
        """The arm that others are compared with, or None in a single group."""
        return next((arm for arm in self.arms if arm.is_reference), None)

    @property
    def compares_timepoints(self) -> bool:
        """There is one arm, of which later timepoints are compared with the baseline."""
        return self.kind == "single_group" or (self.is_resampled and len(self.arms) == 1)

    @property
    def is_resampled(self) -> bool:
        """Each timepoint is a sample of its own, of other people or in part of the same: nobody is followed."""
        return self.kind in RESAMPLED

    @property
    def is_series(self) -> bool:
        """Samples at many timepoints, of which the programme interrupts the trend: one arm, that starts at one."""
        return self.kind == "interrupted_time_series"

    @property
    def is_randomised(self) -> bool:
        """Chance decided who got the programme, or when."""
        return self.kind in ("randomised", "waitlist", "stepped_wedge")

    @property
    def shares_baseline(self) -> bool:
        """Chance formed the arms, so that they are of one population at baseline."""
        return self.kind in ("randomised", "waitlist")

    @property
    def compares_unlike_arms(self) -> bool:
        """Arms are compared that were not formed by chance, of people who are followed."""
        return self.kind in ("matched_comparison", "comparison")

    @property
    def is_stepped_wedge(self) -> bool:
        """Groups get the programme one after the other: what is compared is time with it and time before it."""
        return self.kind == "stepped_wedge"

    @property
    def is_cluster_randomised(self) -> bool:
        """Chance allocated whole groups: to arms that are compared, or to the sequences of a stepped wedge."""
        return self.is_stepped_wedge or (self.groups_drawn and self.is_randomised)

    def has_begun(self, arm: Arm, timepoint: str) -> bool:
        """Tell whether people of an arm have begun what it is named for when they are measured.

        Everybody has after baseline, except people on a waiting list, and groups of a stepped wedge before their turn.
        """
        places = {known.id: place for place, known in enumerate(self.timepoints)}
        if self.is_stepped_wedge:
            return arm.starts != "" and places[timepoint] >= places[arm.starts]
        return places[timepoint] > (places[arm.starts] if arm.starts else 0)

    def in_groups(self, arm: Arm, timepoint: str) -> bool:
        """Tell whether people of an arm are alike at a timepoint because they are of one group.

        People meet in groups after baseline, or after they have waited. Groups of a stepped wedge are there from the
        start, and so are those of samples drawn anew, where they are but clusters.
        """
        if arm.id not in self.group_arms:
            return False
        if self.is_resampled or self.is_stepped_wedge:
            return True
        return timepoint != self.baseline.id if self.is_cluster_randomised else self.has_begun(arm, timepoint)
