"""The scoring of an instrument in words."""

from __future__ import annotations

from collections.abc import Sequence

from instruments.model import AllowedValues, Instrument, Item, Measure


def explain_scoring(instrument: Instrument) -> str:
    """Return the rule of each measure in words: a paragraph per measure, then safety notes and what is unconfirmed."""
    paragraphs = [
        _explain_measure(instrument, measure, measure_id)
        for measure, measure_id in zip(instrument.measures, instrument.measure_ids, strict=True)
    ]
    paragraphs += [
        f"Safety: an answer of {item.safety.at_least} or more to item {item.id} ({item.concept}). {item.safety.note}"
        for item in instrument.items if item.safety
    ]  # fmt: skip
    if instrument.is_draft:
        unconfirmed = [f"- {name}: {instrument.facts[name].source}" for name in instrument.unconfirmed_scoring_facts]
        paragraphs.append("\n".join(["Draft. Not confirmed by a source yet:", *unconfirmed]))
    return "\n\n".join(paragraphs)


def _explain_measure(instrument: Instrument, measure: Measure, measure_id: str) -> str:
    items = instrument.items_of(measure)
    low, high = measure.range
    return " ".join([
        f"{measure_id}, {measure.label}: {_method(instrument, measure, items)}.",
        *_reversal(instrument, items),
        _missing_rule(measure, len(items)),
        f"Range {low:g} to {high:g}; higher is {measure.higher_is}.",
    ])  # fmt: skip


def _method(instrument: Instrument, measure: Measure, items: Sequence[Item]) -> str:
    times = f", times {measure.multiply:g}" if measure.multiply != 1 else ""
    sets = list(dict.fromkeys(_span(instrument.allowed_values(item.id)) for item in items))
    answered = f" (answered {sets[0]})" if len(sets) == 1 else ""
    if len(items) == 1:
        return f"the answer to item {items[0].id}{answered}{times}"
    which = f"all {len(items)} items" if measure.items == "all" else f"items {_list([item.id for item in items])}"
    return f"the {measure.method} of {which}{answered}{times}"


def _span(allowed: AllowedValues) -> str:
    return f"{allowed.minimum:g} to {allowed.maximum:g}"


def _reversal(instrument: Instrument, items: Sequence[Item]) -> list[str]:
    """Return one sentence per response set that has reversed items."""
    by_top: dict[float, list[str]] = {}
    for item in items:
        if item.reverse:
            allowed = instrument.allowed_values(item.id)
            by_top.setdefault(allowed.minimum + allowed.maximum, []).append(item.id)
    return [
        f"Reversed first: {'item' if len(ids) == 1 else 'items'} {_list(ids)} ({top:g} minus the answer)."
        for top, ids in by_top.items()
    ]


def _missing_rule(measure: Measure, n_items: int) -> str:
    allowed = measure.missing.max_missing
    if allowed == 0:
        return "Without an answer there is no score." if n_items == 1 else f"All {n_items} answers are needed."
    answers = "answer counts" if allowed == 1 else "answers count"
    return (
        f"Up to {allowed} missing {answers} as the mean of the participant's other answers; with more missing "
        "there is no score."
    )


def _list(ids: Sequence[str]) -> str:
    return ids[0] if len(ids) == 1 else f"{', '.join(ids[:-1])} and {ids[-1]}"
