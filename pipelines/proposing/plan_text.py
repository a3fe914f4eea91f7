"""sap.yaml of a proposal: an outcome for each instrument, an estimand for each arm, and what a person decides."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from analysis.design import SERIES_CONTRAST, STEP_CONTRAST
from data_contracts.errors import Problem
from instruments import Instrument
from pipelines.errors import PipelineError
from pipelines.proposing.proposals import StudyProposal
from pipelines.proposing.source_text import is_written
from pipelines.proposing.timepoint_names import slug


def write_plan_text(proposal: StudyProposal, library: Mapping[str, Instrument]) -> str:
    """Return sap.yaml for a proposal: the first outcome primary, at the last timepoint that delivers it."""
    outcomes = _outcomes(proposal, library)
    lines = [
        "# Written by `peerimpact init`, and no plan yet: decide before anybody looks at results.",
        "sap: 1",
        "population: intention_to_treat",
        "",
        "outcomes:  # DECIDE: which one is primary, and 'smallest_meaningful_change: {value: ..., source: ...}'",
    ]
    for place, measure in enumerate(outcomes):
        role = "secondary" if place else "primary"
        lines.append(f"  - {{id: {slug(measure, 'outcome')}, measure: {measure}, role: {role}}}")
    estimands = []
    lines += ["", "estimands:  # DECIDE: covariates, and what else the question asks for"]
    for measure, delivered in outcomes.items():
        at = next((name for name in reversed(proposal.timepoints[1:]) if name in delivered), proposal.timepoints[-1])
        for contrast, name in _contrasts(proposal, at):
            estimands.append(f"{slug(measure, 'outcome')}_{name}"[:64])
            lines.append(
                f"  - {{id: {estimands[-1]}, outcome: {slug(measure, 'outcome')}, "
                f"contrast: {contrast}, timepoint: {at}{_adjustment_set(proposal)}}}"
            )
    lines += ["", "families:  # DECIDE: which p-values are adjusted together"]
    lines.append(f"  - {{id: primary, members: [{estimands[0]}], adjust: none}}")
    if estimands[1:]:
        lines.append(f"  - {{id: secondary, members: [{', '.join(estimands[1:])}], adjust: holm}}")
    return "\n".join(lines) + "\n"


def _outcomes(proposal: StudyProposal, library: Mapping[str, Instrument]) -> dict[str, set[str]]:
    """Return measure -> timepoints that deliver it; for each instrument its first measure that is computed."""
    found: dict[str, set[str]] = {}
    for source in proposal.sources:
        times = set(source.codes.values())
        for one in source.instruments:
            scored = library[one.proposal.instrument].scored_measures
            if scored and is_written(one):
                here = set(one.items) if isinstance(one.items, dict) else times
                found.setdefault(f"{one.proposal.instrument}.{scored[0].id}", set()).update(here)
        for measure in source.scores:
            found.setdefault(measure, set()).update(times)
    return found


def _adjustment_set(proposal: StudyProposal) -> str:
    """Return the key that a comparison of unlike arms cannot do without, of the covariates that were found."""
    if proposal.design != "comparison":
        return ""
    names = [*(["age"] if proposal.has_age else []), *(["gender"] if proposal.genders else [])]
    if not names:
        told = "A comparison needs covariates to make its arms alike in, and no column of age or gender was recognised."
        advice = "Take '--design matched_comparison', then declare covariates and write 'design: comparison' by hand."
        raise PipelineError(Problem("covariates_unknown", told, advice, key="--design"))
    return f", covariates: [{', '.join(names)}]"


def _contrasts(proposal: StudyProposal, at: str) -> Iterator[tuple[str, str]]:
    """Yield contrast and a name for it."""
    if proposal.design == "interrupted_time_series":
        yield SERIES_CONTRAST, at
        return
    if len(proposal.arms) == 1:
        yield f"{at} - {proposal.timepoints[0]}", at
        return
    if proposal.design == "stepped_wedge":
        yield STEP_CONTRAST, at
        return
    reference = next(arm.id for arm in proposal.arms if arm.is_reference)
    for arm in proposal.arms:
        if arm.id != reference:
            yield f"{arm.id} - {reference}", f"{arm.id}_{at}" if len(proposal.arms) > 2 else at
