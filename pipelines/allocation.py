"""What a study definition says of how people or groups were allocated: who waits, who steps when, what was drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.design import BEFORE_PROGRAMME, WITH_PROGRAMME
from data_contracts.documents import Finding
from data_contracts.errors import choose_from

if TYPE_CHECKING:
    from pipelines.study import Study


def find_allocation_findings(study: Study) -> list[Finding]:
    """Return what of starts, sequences and groups drawn by lot contradicts the design."""
    findings = _starts(study)
    if study.design == "waitlist":
        findings += _waiting(study)
    if study.design == "stepped_wedge":
        findings += _stepping(study)
    if study.design == "interrupted_time_series" and study.arms[0].starts is None:
        message = "Nothing says when the programme began, so there is no trend before it."
        advice = "Name the first timepoint measured under it: 'starts: march'."
        findings.append(Finding(("arms", 0), message, advice))
    return [*findings, *_drawn_groups(study)]


def _starts(study: Study) -> list[Finding]:
    """Return starts that are no later timepoint, or that the design does not know."""
    known = [timepoint.id for timepoint in study.timepoints]
    later = [timepoint.id for timepoint in sorted(study.timepoints, key=lambda each: each.week)][1:]
    findings: list[Finding] = []
    for place, arm in enumerate(study.arms):
        at = ("arms", place, "starts")
        if arm.starts is None:
            continue
        if study.design not in ("waitlist", "stepped_wedge", "interrupted_time_series"):
            message = f"'starts' belongs to a waitlist, a stepped wedge or a series, and the design is {study.design}."
            findings.append(Finding(at, message, "Take it out, or declare the design."))
        elif arm.starts not in known:
            findings.append(
                Finding(at, f"Found '{arm.starts}', which is not declared.", choose_from(arm.starts, known))
            )
        elif arm.starts not in later:
            message = f"'{arm.starts}' is the baseline: everybody is first measured before the programme."
            findings.append(Finding(at, message, f"Name a later one: {', '.join(later)}."))
    return findings


def _waiting(study: Study) -> list[Finding]:
    """Return whether it is the reference arm, and no other, that waits."""
    findings = []
    for place, arm in enumerate(study.arms):
        if arm.reference and arm.starts is None:
            message = f"Nothing says when the people of '{arm.id}' stop waiting."
            advice = "Name the last timepoint measured before they begin: 'starts: post'."
            findings.append(Finding(("arms", place), message, advice))
        if not arm.reference and arm.starts is not None:
            message = f"'{arm.id}' is not the reference arm, so its people do not wait."
            findings.append(
                Finding(("arms", place, "starts"), message, "Take 'starts' out, or move 'reference: true'.")
            )
    return findings


def _stepping(study: Study) -> list[Finding]:
    """Return what keeps arms from being the sequences of a stepped wedge."""
    findings = []
    for place, arm in enumerate(study.arms):
        if arm.reference:
            message = "The sequences of a stepped wedge are compared with themselves: none is a reference."
            findings.append(Finding(("arms", place, "reference"), message, "Take 'reference' out."))
        if arm.id in (WITH_PROGRAMME, BEFORE_PROGRAMME):
            message = f"'{arm.id}' is a side of the contrast of a stepped wedge."
            findings.append(Finding(("arms", place, "id"), message, "Give the sequence another id."))
    if len({arm.starts for arm in study.arms}) < 2:
        message = "In a stepped wedge groups begin at different timepoints."
        advice = "Give two sequences or more, as arms: '{id: early, starts: post}', '{id: late, starts: followup}'."
        findings.append(Finding(("arms",), message, advice))
    if study.groups is None or not {arm.id for arm in study.arms} <= {*study.groups.meets_in}:
        message = "In a stepped wedge it is groups that begin at different times, so everybody belongs to one."
        names = ", ".join(arm.id for arm in study.arms)
        findings.append(Finding(("groups",), message, f"Write 'groups: {{meets_in: [{names}], randomised: true}}'."))
    elif not study.groups.randomised:
        message = "A stepped wedge is a design in which the order of the groups was drawn by lot."
        advice = "Write 'randomised: true' under 'groups' if it was; otherwise declare 'design: single_group'."
        findings.append(Finding(("groups",), message, advice))
    return findings


def _drawn_groups(study: Study) -> list[Finding]:
    """Return whether groups are said to be drawn by lot where they cannot have been."""
    if study.groups is None or not study.groups.randomised or study.design == "stepped_wedge":
        return []
    at = ("groups", "randomised")
    if study.design not in ("randomised", "waitlist"):
        message = f"Groups drawn by lot do not go with the design {study.design}."
        return [Finding(at, message, "Declare 'design: randomised', or take 'randomised' out.")]
    if not {arm.id for arm in study.arms} <= {*study.groups.meets_in}:
        message = "Where whole groups were drawn by lot, the people of every arm belong to a group."
        return [Finding(at, message, "List all arms under 'meets_in', or take 'randomised' out.")]
    return []
