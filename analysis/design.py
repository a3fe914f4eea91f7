"""What the analysis must know of a study: its design, occasions, arms and measures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

DesignKind = Literal["randomised", "matched_comparison", "single_group", "repeated_cross_section"]
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
    """What a participant was assigned to; exactly one arm of a comparison is the reference."""

    id: str
    label: str
    is_reference: bool = False


@dataclass(frozen=True, slots=True)
class Covariate:
    """A participant characteristic known at baseline; `levels` of a category start with the reference level."""

    id: str
    label: str
    kind: Literal["number", "category"]
    levels: tuple[str, ...] = ()


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
        like it, or several of which one is the reference.
    group_arms : tuple of str
        Arms whose participants meet in groups (column ``group`` of the participants table); empty without groups.
    covariates : tuple of Covariate
        Columns of the participants table that a plan may adjust for.
    measures : mapping
        Measure id -> Measure, for every measure of the study.
    recruitment : mapping
        Declared numbers of people before the data begin: ``eligible``, ``invited``.
    """

    kind: DesignKind
    timepoints: tuple[Timepoint, ...]
    arms: tuple[Arm, ...]
    group_arms: tuple[str, ...] = ()
    covariates: tuple[Covariate, ...] = ()
    measures: Mapping[str, Measure] = field(default_factory=dict)
    recruitment: Mapping[str, int] = field(default_factory=dict)

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
        return self.kind == "repeated_cross_section"
