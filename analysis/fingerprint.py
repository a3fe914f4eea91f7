"""The fingerprint of a plan: what it says, with every default filled in, and what in the study decides the analysis.

Two plans have one fingerprint where they ask the same, however they are written down.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from analysis.design import StudyDesign
from analysis.plan import Plan

if TYPE_CHECKING:
    from instruments import Instrument

Content = Mapping[str, Any]
"""``{"plan": ..., "design": ...}`` as plain values of JSON."""
SETS: Final = ("covariates", "answered", "leave_out", "group_arms")
"""Lists whose order has no bearing; that of other lists of names (a ladder, tests in sequence) has one."""
ORDERED_FAMILIES: Final = ("fixed_sequence", "fallback")
WORDS: Final = ("label", "concept", "recruitment", "themes")
"""What the study says for readers, of people before the data, or of interviews: no outcome depends on it."""
SCORING: Final = {"response_sets", "items", "max_missing", "measures"}
"""Parts of the definition of an instrument that decide a score."""


def canonical_content(plan: Plan, design: StudyDesign, library: Mapping[str, Instrument]) -> dict[str, Any]:
    """Return what a plan and its study decide, in a form that does not depend on how they are written.

    Parameters
    ----------
    plan, design : Plan, StudyDesign
        What is asked, and of which study.
    library : mapping
        Instrument id -> Instrument, in the variants of the study.

    Returns
    -------
    dict
        ``plan``: the plan with its defaults and the models that it leaves open, things with an id sorted by it; only
        the estimands of one outcome keep their order, for the first of them is its headline. ``design``: kind,
        timepoints, arms, groups, covariates, the measures that the plan asks about, and of their instruments the
        version and a fingerprint of the scoring. Labels are left out.
    """
    return {"plan": canonical_plan(plan, design), "design": _canonical_design(plan, design, library)}


def canonical_plan(plan: Plan, design: StudyDesign) -> dict[str, Any]:
    """Return the plan of `canonical_content`; `Plan` reads it again."""
    document = plan.model_dump(mode="json")
    for written, estimand in zip(document["estimands"], plan.estimands, strict=True):
        written["model"] = plan.model_of(estimand, design)
    canonical: dict[str, Any] = _sorted(document)
    canonical["estimands"] = [
        _sorted(written) for written in sorted(document["estimands"], key=lambda written: str(written["outcome"]))
    ]
    for family in canonical["families"]:
        if family["adjust"] not in ORDERED_FAMILIES:
            family["members"] = sorted(family["members"])
    return canonical


def fingerprint(content: object) -> str:
    """Return the SHA-256 of plain values of JSON; the order of keys has no bearing."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def name_of(thing: object) -> str:
    """Return the id of a thing in a list of a plan, or its event; empty without."""
    if not isinstance(thing, Mapping):
        return ""
    return str(thing.get("id") or thing.get("event") or "")


@dataclass(frozen=True, slots=True, kw_only=True)
class FrozenVersion:
    """A plan as it was frozen once.

    Attributes
    ----------
    frozen_on, outcomes_read_on : str
        Days (ISO 8601); the second is when outcomes were first read before that, empty where they had not been.
    reason : str
        Why an earlier version was amended; empty for the first.
    software : str
        Name and version of what froze it.
    content : mapping
        As `canonical_content` gave it.
    """

    frozen_on: str
    outcomes_read_on: str = ""
    reason: str = ""
    software: str = ""
    content: Content

    @property
    def fingerprint(self) -> str:
        """The fingerprint of the content."""
        return fingerprint(self.content)

    def upgraded(self, design: StudyDesign) -> Content:
        """Return the content with the defaults of keys that plans of its day did not have."""
        try:
            plan = Plan.model_validate(self.content["plan"])
        except ValidationError:  # a rule of today that plans of its day did not have to keep
            return self.content
        return {**self.content, "plan": canonical_plan(plan, design)}


@dataclass(frozen=True, slots=True)
class FrozenPlan:
    """Every version of a plan that was frozen, the first one first; there is at least one."""

    versions: tuple[FrozenVersion, ...]

    @property
    def planned(self) -> FrozenVersion:
        """What an analysis is held against: the last version frozen before outcomes were read, or else the last."""
        before = [version for version in self.versions if not version.outcomes_read_on]
        return before[-1] if before else self.versions[-1]

    @property
    def is_before_outcomes(self) -> bool:
        """Some version was frozen before outcomes were read."""
        return not self.planned.outcomes_read_on


def _sorted(document: Any, key: str = "") -> Any:
    """Return plain values whose numbers have one form, and lists one order where order has no bearing."""
    if isinstance(document, Mapping):
        return {name: _sorted(value, name) for name, value in document.items()}
    if isinstance(document, float) and document.is_integer():
        return int(document)  # 2 and 2.0 are one number
    if not isinstance(document, list):
        return document
    things = [_sorted(value) for value in document]
    if key in SETS and all(isinstance(thing, str) for thing in things):
        return sorted(set(things))
    if key == "sensitivity":
        return sorted(things, key=str)
    return sorted(things, key=name_of) if things and all(name_of(thing) for thing in things) else things


def _canonical_design(plan: Plan, design: StudyDesign, library: Mapping[str, Instrument]) -> dict[str, Any]:
    """Return what decides the analysis, field by field, so that a new one is not forgotten."""
    document = _plain(design)
    asked = {outcome.measure for outcome in plan.outcomes}
    document["measures"] = [_plain(design.measures[name]) for name in sorted(asked & set(design.measures))]
    instruments = {measure["instrument"] for measure in document["measures"]}
    instruments |= {harm.instrument for harm in plan.harms}
    document["instruments"] = {
        name: {"version": str(library[name].version), "scoring": _scoring(library[name])}
        for name in sorted(filter(None, instruments))
        if name in library
    }
    canonical: dict[str, Any] = _sorted(document)
    return canonical


def _scoring(instrument: Instrument) -> str:
    return fingerprint(_plain(instrument.model_dump(mode="json", include=SCORING, exclude_defaults=True)))


def _plain(value: Any) -> Any:
    """Return dataclasses, mappings and tuples as plain values of JSON, without `WORDS`."""
    if is_dataclass(value):
        value = {field.name: getattr(value, field.name) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in value.items() if name not in WORDS}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(each) for each in value]
    return value
