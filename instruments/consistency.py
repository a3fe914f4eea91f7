"""What a definition may not say: references to nothing, ranges that cannot be, facts without a source."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from data_contracts.documents import Finding, KeyPath
from data_contracts.errors import choose_from
from instruments.forms import find_form_contradictions

if TYPE_CHECKING:
    from instruments.model import Instrument
    from instruments.parts import AllowedValues, Item, Measure

MOST_WORDS = 4
RESERVED = ("instructions", "score")
REL_TOLERANCE = 1e-9  # a declared range is typed in decimals, the attainable one is computed in binary


def find_contradictions(instrument: Instrument) -> list[Finding]:
    """Return everything in a definition that contradicts the rest of it, with the key where it stands."""
    findings = [
        *_repeated("items", [item.id for item in instrument.items]),
        *_repeated("measures", [measure.id for measure in instrument.measures]),
        *_repeated("variants", [variant.id for variant in instrument.variants]),
        *_item_findings(instrument),
    ]
    for index, measure in enumerate(instrument.measures):
        findings += _method_findings(instrument, index, measure) or _unknown_items(instrument, index, measure)
    if findings:  # what follows needs references that lead somewhere
        return findings
    for index, measure in enumerate(instrument.measures):
        if measure.method != "delivered":
            findings += _missing_rule_findings(instrument, index, measure)
            findings += _range_findings(instrument, index, measure)
        findings += _band_findings(index, measure)
    findings += [*_evidence_findings(instrument), *_loinc_findings(instrument), *_fact_findings(instrument)]
    return [*findings, *find_form_contradictions(instrument)]


def _item_findings(instrument: Instrument) -> list[Finding]:
    findings: list[Finding] = []
    for index, item in enumerate(instrument.items):
        at: KeyPath = ("items", index)
        if item.id in RESERVED:
            findings.append(Finding((*at, "id"), f"'{item.id}' is a name that exports use.", "Give another id."))
        if len(item.concept.split()) > MOST_WORDS or not item.concept[0].islower():
            findings.append(
                Finding(
                    (*at, "concept"),
                    f"Found '{item.concept}'.",
                    f"Write one to {MOST_WORDS} words of your own in lower case, never the item's wording.",
                )
            )
        if item.response_set not in instrument.response_sets:
            findings += _unknown((*at, "response_set"), item.response_set, instrument.response_sets)
        else:
            findings += _answer_findings(instrument, item, at)
    return findings


def _answer_findings(instrument: Instrument, item: Item, at: KeyPath) -> list[Finding]:
    allowed = instrument.response_sets[item.response_set].allowed
    low, high = allowed.lowest_score, allowed.highest_score
    ends = allowed.lowest_score + allowed.highest_score
    findings: list[Finding] = []
    if item.reverse and not allowed.options:
        findings.append(
            Finding(
                (*at, "reverse"),
                f"Item {item.id} is answered on a range, which is not reversed.",
                "Remove 'reverse', or give its response set options.",
            )
        )
    elif item.reverse and any(
        not any(_same(ends - score, other) for other in allowed.scores) for score in allowed.scores
    ):
        findings.append(
            Finding(
                (*at, "reverse"),
                f"The options of '{item.response_set}' change when reversed.",
                "Give options at equal steps, or remove 'reverse'.",
            )
        )
    if item.safety and not low <= item.safety.at_least <= high:
        findings.append(
            Finding(
                (*at, "safety", "at_least"),
                f"No answer can count {item.safety.at_least}.",
                f"Write a value from {low:g} to {high:g}.",
            )
        )
    return findings


def _method_findings(instrument: Instrument, index: int, measure: Measure) -> list[Finding]:
    at: KeyPath = ("measures", index, "method")
    if measure.range[0] >= measure.range[1]:
        place: KeyPath = ("measures", index, "range")
        return [Finding(place, "The range does not ascend.", "Write the lower end first.")]
    if measure.method != "delivered":
        advice = "List the items, or write 'method: delivered' for a score that others compute."
        return [] if instrument.items else [Finding(at, "There are no items to score.", advice)]
    plain = (measure.items, measure.multiply, measure.add, measure.lookup, measure.missing.max_missing)
    if plain == ("all", 1.0, 0.0, [], 0):
        return []
    return [Finding(at, "A delivered score is not computed.", "Remove items, multiply, add, lookup and missing.")]


def _unknown_items(instrument: Instrument, index: int, measure: Measure) -> list[Finding]:
    if measure.items == "all":
        return []
    known = [item.id for item in instrument.items]
    at: KeyPath = ("measures", index, "items")
    return [
        *[finding for place, name in enumerate(measure.items) if name not in known
          for finding in _unknown((*at, place), name, known)],
        *[Finding((*at, place), f"Item {name} stands more than once.", "Keep one.")
          for place, name in enumerate(measure.items) if name in measure.items[:place]],
    ]  # fmt: skip


def _missing_rule_findings(instrument: Instrument, index: int, measure: Measure) -> list[Finding]:
    items = instrument.items_of(measure)
    at: KeyPath = ("measures", index, "missing")
    if measure.missing.max_missing >= len(items):
        return [
            Finding(
                (*at, "max_missing"), f"All {len(items)} answers may be missing.", f"Write at most {len(items) - 1}."
            )
        ]
    allowed = [instrument.allowed_values(item.id) for item in items]
    if measure.missing.treat == "zero" and any(each.lowest_score != 0 for each in allowed):
        return [Finding((*at, "treat"), "An answer that counts 0 is not the lowest of every item.", "Write 'prorate'.")]
    if measure.missing.treat == "prorate" and len({(each.lowest_score, each.highest_score) for each in allowed}) > 1:
        return [
            Finding(
                (*at, "treat"),
                "Items with different ranges cannot stand for one another.",
                "Write 'max_missing: 0' and 'treat: none'.",
            )
        ]
    return []


def _range_findings(instrument: Instrument, index: int, measure: Measure) -> list[Finding]:
    allowed = [instrument.allowed_values(item.id) for item in instrument.items_of(measure)]
    low, high = (sum(each.lowest_score for each in allowed), sum(each.highest_score for each in allowed))
    if measure.lookup:
        return _lookup_findings(index, measure, allowed, low, high)
    items = len(allowed) if measure.method == "mean" else 1
    low, high = (measure.multiply * end / items + measure.add for end in (low, high))
    return _range_of(index, measure, low, high)


def _range_of(index: int, measure: Measure, low: float, high: float) -> list[Finding]:
    if _same(low, measure.range[0]) and _same(high, measure.range[1]):
        return []
    return [
        Finding(
            ("measures", index, "range"),
            f"Found {measure.range[0]:g} to {measure.range[1]:g}, but the items give {low:g} to {high:g}.",
            f"Write [{low:g}, {high:g}], or correct items, method, multiply or add.",
        )
    ]


def _lookup_findings(
    index: int, measure: Measure, allowed: Sequence[AllowedValues], low: float, high: float
) -> list[Finding]:
    at: KeyPath = ("measures", index, "lookup")
    if (measure.method, measure.multiply, measure.add, measure.missing.treat) != ("sum", 1.0, 0.0, "none"):
        return [
            Finding(
                at,
                "A lookup table starts from a plain sum of all answers.",
                "Write 'method: sum' and 'missing: {max_missing: 0, treat: none}', without multiply and add.",
            )
        ]
    is_whole = all(score.is_integer() for each in allowed for score in (each.scores or (0.5,)))
    raws = [step.raw for step in measure.lookup]
    if not is_whole or len(raws) != high - low + 1 or raws != list(range(int(low), int(high) + 1)):
        return [
            Finding(
                at,
                "The table does not hold every sum once, in order; answers must count whole numbers.",
                f"List the raw sums {low:g} to {high:g}.",
            )
        ]
    scores = [step.score for step in measure.lookup]
    return _range_of(index, measure, min(scores), max(scores))


def _band_findings(index: int, measure: Measure) -> list[Finding]:
    findings: list[Finding] = []
    floor, ceiling = measure.range
    previous = -math.inf
    for place, band in enumerate(measure.bands):
        at: KeyPath = ("measures", index, "bands", place)
        if band.low > band.high:
            findings.append(
                Finding((*at, "low"), f"The band '{band.label}' ends before it begins.", "Swap 'low' and 'high'.")
            )
        for end, value in (("low", band.low), ("high", band.high)):
            if not floor <= value <= ceiling:
                findings.append(
                    Finding(
                        (*at, end),
                        f"The band '{band.label}' leaves the range.",
                        f"Write a value from {floor:g} to {ceiling:g}.",
                    )
                )
        if band.low <= previous:
            findings.append(
                Finding(
                    (*at, "low"),
                    f"The band '{band.label}' does not begin above the band before it.",
                    "List the bands from low to high without overlap.",
                )
            )
        previous = band.high
    return findings


def _evidence_findings(instrument: Instrument) -> list[Finding]:
    findings: list[Finding] = []
    widths = {measure.id: measure.range[1] - measure.range[0] for measure in instrument.measures}
    for index, change in enumerate(instrument.smallest_change):
        if change.measure not in widths:
            findings += _unknown(("smallest_change", index, "measure"), change.measure, widths)
        elif change.value > widths[change.measure]:
            findings.append(
                Finding(
                    ("smallest_change", index, "value"),
                    "The change is larger than the whole range.",
                    f"Write a value up to {widths[change.measure]:g}.",
                )
            )
    for index, reliability in enumerate(instrument.reliability):
        if reliability.lowest > reliability.highest:
            findings.append(
                Finding(
                    ("reliability", index, "lowest"),
                    "The lowest value is above the highest.",
                    "Swap 'lowest' and 'highest'.",
                )
            )
    return findings


def _loinc_findings(instrument: Instrument) -> list[Finding]:
    if instrument.loinc is None:
        return []
    items, measures = [item.id for item in instrument.items], [measure.id for measure in instrument.measures]
    codes = instrument.loinc
    return [
        finding
        for section, named, known in (("items", codes.items, items), ("measures", codes.measures, measures))
        for name in named if name not in known
        for finding in _unknown(("loinc", section, name), name, known)
    ]  # fmt: skip


def _fact_findings(instrument: Instrument) -> list[Finding]:
    scored = bool(instrument.items)
    needed: dict[str, bool] = {
        "items": scored, "response_options": scored, "reverse": scored, "scoring": scored, "missing_rule": scored,
        "lookup": any(measure.lookup for measure in instrument.measures),
        "range": True, "direction": True, "licence": True, "citation": True,
        "recall": bool(instrument.recall_period), "population": bool(instrument.population),
        "languages": bool(instrument.languages), "bands": any(measure.bands for measure in instrument.measures),
        "reliability": bool(instrument.reliability), "smallest_change": bool(instrument.smallest_change),
        "loinc": instrument.loinc is not None,
    }  # fmt: skip
    return [
        Finding(("facts", name), f"The fact '{name}' has no source.", f"Add 'facts: {{{name}: {{status, source}}}}'.")
        for name, is_needed in needed.items() if is_needed and name not in instrument.facts
    ]  # fmt: skip


def _repeated(section: str, ids: Sequence[str]) -> list[Finding]:
    return [
        Finding((section, index, "id"), f"'{name}' stands more than once.", "Give another id.")
        for index, name in enumerate(ids)
        if name in ids[:index]
    ]


def _unknown(key: KeyPath, name: str, known: Iterable[str]) -> list[Finding]:
    return [Finding(key, f"Found '{name}', which is not declared.", choose_from(name, known))]


def _is_among(value: float, scores: Iterable[float]) -> bool:
    return any(_same(value, score) for score in scores)


def _same(computed: float, declared: float) -> bool:
    return math.isclose(computed, declared, rel_tol=REL_TOLERANCE, abs_tol=REL_TOLERANCE)
