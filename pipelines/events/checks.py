"""What in the events of a study definition does not fit together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from data_contracts.documents import Finding, KeyPath
from data_contracts.errors import choose_from

if TYPE_CHECKING:
    from pipelines.events.declarations import EventsSource
    from pipelines.study import Study


def find_event_contradictions(study: Study) -> list[Finding]:
    """Return names that are not declared, events that no source tells, and days that count from nothing."""
    kinds = [kind.id for kind in study.event_kinds]
    findings = [
        Finding(("event_kinds", place, "id"), f"'{name}' stands more than once.", "Give another id.")
        for place, name in enumerate(kinds)
        if name in kinds[:place]
    ]
    told = {kind for source in study.events for kind in source.event.kinds}
    findings += [
        Finding(
            ("event_kinds", place),
            f"No source of 'events' tells of '{name}', so that it would seem to have happened to nobody.",
            "Add the source that tells of it, or take the kind out.",
        )
        for place, name in enumerate(kinds)
        if name not in told
    ]
    for place, source in enumerate(study.events):
        findings += _source_findings(study, ("events", place), source, kinds)
    return findings


def _source_findings(study: Study, at: KeyPath, source: EventsSource, kinds: Sequence[str]) -> list[Finding]:
    values, timepoints = source.event.values or {}, source.timepoint.values if source.timepoint else {}
    findings: list[Finding] = []
    for code, kind in values.items():
        if kind is not None:
            findings += _unknown((*at, "event", "values", code), kind, kinds)
    if source.event.fixed:
        findings += _unknown((*at, "event", "fixed"), source.event.fixed, kinds)
    for code, timepoint in timepoints.items():
        known = [each.id for each in study.timepoints]
        findings += _unknown((*at, "timepoint", "values", code), timepoint, known)
    findings += [
        Finding(("missing_codes", code), f"'{code}' is also a code of an event or its timepoint.", "Use another code.")
        for code in study.missing_codes
        if code in values or code in timepoints
    ]
    if source.day and not any(each.answered_on for each in study.sources):
        message = "Days of events count from the answers at baseline, and no source tells when these were given."
        advice = "Name the column of the day as 'answered_on' of the source, or tell the 'timepoint' of the event."
        findings.append(Finding((*at, "day"), message, advice))
    return findings


def _unknown(key: KeyPath, name: str, known: Sequence[str]) -> list[Finding]:
    return [] if name in known else [Finding(key, f"Found '{name}', which is not declared.", choose_from(name, known))]
