"""What the parts of a definition around its scoring may not say: variants, worked examples, versions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from data_contracts.documents import Finding, KeyPath
from data_contracts.errors import choose_from
from instruments.errors import InstrumentError

if TYPE_CHECKING:
    from instruments.model import Instrument
    from instruments.parts import Variant

BELONGS = {
    "coding": ("response_sets", "measures"),
    "item_order": ("order",),
    "missing_rule": ("measures",),
}


def find_form_contradictions(instrument: Instrument) -> list[Finding]:
    """Return what variants, examples, versions and the rule over all items contradict."""
    findings = [
        finding for index, variant in enumerate(instrument.variants)
        for finding in _variant_findings(instrument, ("variants", index), variant)
    ]  # fmt: skip
    return [*findings, *_example_findings(instrument), *_version_findings(instrument), *_overall_findings(instrument)]


def _variant_findings(instrument: Instrument, at: KeyPath, variant: Variant) -> list[Finding]:
    given = [name for name in ("response_sets", "order", "measures") if getattr(variant, name)]
    belongs = BELONGS[variant.kind]
    if not given or not set(given) <= set(belongs):
        return [
            Finding(
                at,
                f"A variant of the kind '{variant.kind}' gives {' and '.join(belongs)}.",
                f"Found {', '.join(given) or 'neither'}; correct 'kind', or what it gives.",
            )
        ]
    ids = [item.id for item in instrument.items]
    if variant.order and sorted(variant.order) != sorted(ids):
        return [Finding((*at, "order"), "The order does not hold every item once.", f"List all of {', '.join(ids)}.")]
    measures = [measure.id for measure in instrument.measures]
    unknown = [
        *_unknown((*at, "response_sets"), variant.response_sets, instrument.response_sets),
        *_unknown((*at, "measures"), variant.measures, measures),
    ]
    return unknown or _safety_findings(instrument, at, variant) or _applied_findings(instrument, at, variant)


def _safety_findings(instrument: Instrument, at: KeyPath, variant: Variant) -> list[Finding]:
    """Return the response sets of safety items whose answers would no longer count the same."""
    sets = {item.response_set for item in instrument.items if item.safety}
    ends = {
        name: [(one.lowest_score, one.highest_score) for one in (instrument.response_sets[name].allowed, each.allowed)]
        for name, each in variant.response_sets.items()
        if name in sets
    }
    return [
        Finding(
            (*at, "response_sets", name),
            "An item with a safety note is answered with these options, and they would count something else.",
            "Give each option the 'score' it has in the definition.",
        )
        for name, (own, other) in ends.items()
        if own != other
    ]


def _applied_findings(instrument: Instrument, at: KeyPath, variant: Variant) -> list[Finding]:
    """Return why the instrument does not hold together once the variant is applied."""
    from instruments.variants import apply_variants

    try:
        apply_variants(instrument, [variant.id])
    except InstrumentError as error:
        return [Finding(at, problem.message, "Give what it changes.") for problem in error.problems]
    return []


def _example_findings(instrument: Instrument) -> list[Finding]:
    findings: list[Finding] = []
    variants = [variant.id for variant in instrument.variants]
    scored = [measure.id for measure in instrument.scored_measures]
    for index, example in enumerate(instrument.examples):
        at: KeyPath = ("examples", index)
        if len(example.answers) != len(instrument.items):
            findings.append(
                Finding(
                    (*at, "answers"),
                    f"Found {len(example.answers)} answers to {len(instrument.items)} items.",
                    "Give one for each item, in item order; 'null' where it is missing.",
                )
            )
        findings += _unknown((*at, "variants"), example.variants, variants)
        findings += _unknown((*at, "scores"), example.scores, scored)
    return findings


def _version_findings(instrument: Instrument) -> list[Finding]:
    versions = [tuple(map(int, version.split("."))) for version in instrument.changes]
    if versions == sorted(versions) and list(instrument.changes)[-1] == instrument.version:
        return []
    return [
        Finding(
            ("changes",),
            f"The changes do not lead to version {instrument.version}.",
            "List what each version changed, the oldest first and the present one last.",
        )
    ]


def _overall_findings(instrument: Instrument) -> list[Finding]:
    if instrument.max_missing is None or instrument.max_missing < len(instrument.items):
        return []
    return [
        Finding(
            ("max_missing",),
            f"All {len(instrument.items)} answers may be missing.",
            "Write fewer, or leave 'max_missing' out.",
        )
    ]


def _unknown(at: KeyPath, names: Iterable[str], known: Iterable[str]) -> list[Finding]:
    known = list(known)
    return [
        Finding((*at, name), f"Found '{name}', which is not declared.", choose_from(name, known))
        for name in names
        if name not in known
    ]
