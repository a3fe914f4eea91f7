"""What makes a study definition contradict itself, or the instrument library."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from analysis.design import RESAMPLED
from data_contracts.documents import Finding, KeyPath
from data_contracts.errors import choose_from
from instruments import Instrument
from pipelines.allocation import find_allocation_findings
from pipelines.events.checks import find_event_contradictions
from pipelines.interviews.checks import find_interview_contradictions
from pipelines.texts import plain_label

if TYPE_CHECKING:
    from instruments.parts import AllowedValues
    from pipelines.declarations import InstrumentColumns, Source
    from pipelines.study import Study

ROLES = ("arm", "group", "site")
"""What a source may tell of a participant besides covariates."""


def find_contradictions(study: Study) -> list[Finding]:
    """Return what in a study definition does not fit together."""
    findings = [*_arm_findings(study), *_timepoint_findings(study), *_name_findings(study), *_number_findings(study)]
    for index, source in enumerate(study.sources):
        findings += _source_findings(study, ("sources", index), source)
    return [*findings, *find_event_contradictions(study), *find_interview_contradictions(study)]


def find_unknown_variants(study: Study, library: Mapping[str, Instrument]) -> list[Finding]:
    """Return the variants that a study declares and the library does not have."""
    findings: list[Finding] = []
    used = list(dict.fromkeys(name for source in study.sources for name in source.instruments))
    for name, variants in study.variants.items():
        at = ("variants", name)
        if name not in used:
            findings.append(Finding(at, f"No source delivers '{name}'.", choose_from(name, used)))
        elif name in library:
            known = [variant.id for variant in library[name].variants]
            for place, variant in enumerate(variants):
                findings += _unknown((*at, place), variant, known)
    return findings


def find_unknown_instruments(study: Study, library: Mapping[str, Instrument]) -> list[Finding]:
    """Return what a study says of instruments and the library does not."""
    findings = [
        Finding(("measures", index, "id"), f"'{measure.id}' is a score of the library.", "Give the measure another id.")
        for index, measure in enumerate(study.measures)
        for name in [measure.id.partition(".")[0]]
        if name in library and measure.id in library[name].measure_ids
    ]
    for index, source in enumerate(study.sources):
        for name, columns in source.instruments.items():
            at = ("sources", index, "instruments", name)
            if name not in library:
                findings.append(Finding(at, f"The library has no instrument '{name}'.", choose_from(name, library)))
                continue
            n_items = len(library[name].items)
            for responses in library[name].response_sets.values():
                if responses.options:
                    findings += _codes_among(study, responses.allowed.options, name)
                else:
                    findings += _codes_inside(study, responses.allowed.minimum, responses.allowed.maximum, name)
            if columns.items is not None and not n_items:
                findings.append(
                    Finding(
                        (*at, "items"),
                        f"{name} is not scored here: {library[name].licence.terms}",
                        "Remove 'items', and name the column of its score under 'delivered'.",
                    )
                )
            else:
                findings += _item_findings((*at, "items"), columns, n_items, name)
            findings += _label_findings((*at, "labels"), study, columns, library[name])
            for score in columns.delivered:
                findings += _unknown(
                    (*at, "delivered", score), score, [measure.id for measure in library[name].measures]
                )
    return findings


def _item_findings(at: KeyPath, columns: InstrumentColumns, n_items: int, name: str) -> list[Finding]:
    """Return what of the item columns does not fit the instrument."""
    findings = []
    for timepoint, items in columns.crosswalk.items():
        here: KeyPath = (*at, timepoint) if timepoint else at
        if isinstance(items, list) and len(items) != n_items:
            message = f"Found {len(items)} columns; {name} has {n_items} items."
            advice = "List one column for each item, in the instrument's order; null for one that was not asked."
            findings.append(Finding(here, message, advice))
        if isinstance(items, str) and n_items > 1 and not re.search(r"\{(n|nn|A|a)\}", items):
            message = f"The pattern '{items}' names one column for {n_items} items."
            advice = "Write {n}, {nn}, {A} or {a} where the item's number or letter stands."
            findings.append(Finding(here, message, advice))
    return findings


def _label_findings(at: KeyPath, study: Study, columns: InstrumentColumns, instrument: Instrument) -> list[Finding]:
    """Return what of the label sets is not declared, contradicts itself or is no code of the instrument."""
    findings: list[Finding] = []
    told: dict[str, float] = {}
    for place, name in enumerate(columns.labels):
        findings += _unknown((*at, place), name, list(study.label_sets))
        for label, code in study.label_sets.get(name, {}).items():
            if told.setdefault(plain_label(label), code) != code:
                message = f"'{label}' stands for two codes in these label sets."
                advice = "Let a text stand for one code, or declare two sources."
                findings.append(Finding((*at, place), message, advice))
            if not any(_is_answer(code, responses.allowed) for responses in instrument.response_sets.values()):
                message = f"'{label}' stands for {code:g}, which is no answer of {instrument.id}."
                findings.append(Finding(("label_sets", name, label), message, "Give the instrument's own code."))
    return findings


def _is_answer(code: float, allowed: AllowedValues) -> bool:
    return code in allowed.options if allowed.options else allowed.minimum <= code <= allowed.maximum


def _arm_findings(study: Study) -> list[Finding]:
    references = [arm.id for arm in study.arms if arm.reference]
    findings: list[Finding] = []
    is_alone = study.design == "repeated_cross_section" and len(study.arms) == 1
    if study.design in ("single_group", "interrupted_time_series") or is_alone:
        if len(study.arms) != 1 or references:
            findings.append(
                Finding(
                    ("arms",),
                    "A single group has one arm, and one arm alone is no reference.",
                    "Keep one arm without 'reference', or declare another design.",
                )
            )
        findings += find_allocation_findings(study)
    elif study.design != "stepped_wedge" and (len(study.arms) < 2 or len(references) != 1):
        findings.append(
            Finding(
                ("arms",),
                f"Found {len(study.arms)} arms and {len(references)} marked as reference.",
                "A comparison needs two arms or more, one with 'reference: true'.",
            )
        )
    elif not any("arm" in source.participant_columns for source in study.sources):
        findings.append(
            Finding(("sources",), "No source tells the arm.", "Name its column: 'participant_columns: {arm: ...}'.")
        )
    findings += find_allocation_findings(study)
    if study.groups:
        known = [arm.id for arm in study.arms]
        for place, name in enumerate(study.groups.meets_in):
            findings += _unknown(("groups", "meets_in", place), name, known)
    return findings


def _timepoint_findings(study: Study) -> list[Finding]:
    weeks = [timepoint.week for timepoint in study.timepoints]
    return (
        []
        if len(set(weeks)) == len(weeks)
        else [Finding(("timepoints",), "Two timepoints stand at the same week.", "Give each its own week.")]
    )


def _number_findings(study: Study) -> list[Finding]:
    findings: list[Finding] = []
    eligible, invited = study.recruitment.get("eligible"), study.recruitment.get("invited")
    if eligible is not None and invited is not None and invited > eligible:
        advice = "Correct one of the two numbers."
        findings.append(Finding(("recruitment",), f"{invited} were invited of {eligible} eligible people.", advice))
    for covariate in study.covariates:
        if covariate.range is not None:
            findings += _codes_inside(study, covariate.range[0], covariate.range[1], covariate.id)
        findings += _codes_among(study, list(covariate.levels or {}), covariate.id)
    for measure in study.measures:
        findings += _codes_inside(study, measure.range[0], measure.range[1], measure.id)
    return findings


def _codes_inside(study: Study, low: float, high: float, name: str) -> list[Finding]:
    inside = [code for code in study.missing_codes if _number(code) is not None and low <= float(code) <= high]
    return _missing_and_meant(inside, name)


def _codes_among(study: Study, values: Sequence[str | int], name: str) -> list[Finding]:
    known = {str(value) for value in values} | {_number(str(value)) for value in values} - {None}
    return _missing_and_meant([code for code in study.missing_codes if code in known or _number(code) in known], name)


def _missing_and_meant(codes: list[str], name: str) -> list[Finding]:
    return [
        Finding(("missing_codes", code), f"'{code}' is also a possible value of {name}: real answers would be lost.",
                "Use a code that is no answer, or narrow the range.")
        for code in codes
    ]  # fmt: skip


def _number(text: str) -> float | None:
    return float(text) if re.fullmatch(r"[-+]?[0-9]+(\.[0-9]+)?", text) else None


def _name_findings(study: Study) -> list[Finding]:
    findings: list[Finding] = []
    listings: dict[str, Sequence[str]] = {
        "timepoints": [timepoint.id for timepoint in study.timepoints],
        "arms": [arm.id for arm in study.arms],
        "covariates": study.covariate_ids,
        "measures": [measure.id for measure in study.measures],
    }
    for key, names in listings.items():
        for index, name in enumerate(names):
            if name in names[:index]:
                findings.append(Finding((key, index, "id"), f"'{name}' stands more than once.", "Give another id."))
    for index, covariate in enumerate(study.covariates):
        if covariate.id in (*ROLES, "participant_id"):
            findings.append(
                Finding(
                    ("covariates", index, "id"), f"'{covariate.id}' is a column of its own.", "Rename the covariate."
                )
            )
    return findings


def _source_findings(study: Study, at: tuple[str | int, ...], source: Source) -> list[Finding]:
    timepoints = [timepoint.id for timepoint in study.timepoints]
    findings: list[Finding] = []
    told = source.timepoint
    for key, mapping in (("values", told.values), ("wide", told.wide)):
        for code, timepoint in (mapping or {}).items():
            findings += _unknown((*at, "timepoint", key, code), timepoint, timepoints)
    if told.fixed is not None:
        findings += _unknown((*at, "timepoint", "fixed"), told.fixed, timepoints)
    for name, columns in source.instruments.items():
        for labels in columns.labels:
            findings += _codes_among(study, list(study.label_sets.get(labels, {})), f"label set '{labels}'")
        for timepoint in filter(None, columns.crosswalk):
            told_here = [known for _, known in told.occasions]
            findings += _unknown((*at, "instruments", name, "items", timepoint), timepoint, told_here)
    if source.participant_id.anonymous and study.design not in RESAMPLED:
        message = "Rows without ids cannot be linked between timepoints."
        advice = "Declare 'design: repeated_cross_section', or name the column of the id."
        findings.append(Finding((*at, "participant_id"), message, advice))
    roles = [*ROLES, *study.covariate_ids]
    for name, column in source.participant_columns.items():
        findings += _unknown((*at, "participant_columns", name), name, roles)
        if name == "arm":
            for code, arm in (column.values or {}).items():
                findings += _unknown(
                    (*at, "participant_columns", "arm", "values", code), arm, [arm.id for arm in study.arms]
                )
    for name in source.scores:
        findings += _unknown((*at, "scores", name), name, [measure.id for measure in study.measures])
    told_by = {name: column.values or {} for name, column in source.participant_columns.items()}
    for name, values in {"timepoint": told.values or {}, **told_by}.items():
        findings += _codes_among(study, list(values), f"'{name}'")
    return [*findings, *_quality_findings(study, (*at, "quality"), source)]


def _quality_findings(study: Study, at: KeyPath, source: Source) -> list[Finding]:
    """Return what a source cannot tell of how carefully somebody answered."""
    if source.quality is None:
        return []
    findings: list[Finding] = []
    if not (source.instruments or source.scores):
        findings.append(Finding(at, "This source holds no answers that could be flagged.", "Take 'quality' out."))
    if source.timepoint.wide is not None:
        advice = "Write {t} where the timepoint stands."
        findings += [
            Finding(at, f"'{column}' is the same column at every timepoint.", advice)
            for column in source.quality.columns
            if "{t}" not in column
        ]
    for column, right in source.quality.attention.items():
        findings += _codes_among(study, right, column)
    return findings


def _unknown(key: tuple[str | int, ...], name: str, known: list[str]) -> list[Finding]:
    return [] if name in known else [Finding(key, f"Found '{name}', which is not declared.", choose_from(name, known))]
