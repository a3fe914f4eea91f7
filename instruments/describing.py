"""The scoring of an instrument in words, and its arithmetic for one participant."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from instruments.model import Instrument
from instruments.parts import AllowedValues, Item, Measure
from instruments.scoring import Answers, MeasureScores, count_answers, score_matrix


def explain_scoring(instrument: Instrument) -> str:
    """Return the rule of each measure in words: a paragraph per measure, then safety notes and what is unconfirmed."""
    paragraphs = [
        _explain_measure(instrument, measure, measure_id)
        for measure, measure_id in zip(instrument.measures, instrument.measure_ids, strict=True)
    ]
    if instrument.max_missing is not None:
        paragraphs.append(f"With more than {instrument.max_missing} answers missing in all there is no score.")
    paragraphs += [
        f"Safety, item {item.id} ({item.concept}), answers {instrument.alarming_answers(item)}: {item.safety.note}"
        for item in instrument.items if item.safety
    ]  # fmt: skip
    if not instrument.items:
        paragraphs.append(f"Not scored here. {instrument.licence.terms} {instrument.licence.contact}".strip())
    if instrument.is_draft:
        unconfirmed = [f"- {name}: {instrument.facts[name].source}" for name in instrument.unconfirmed_scoring_facts]
        paragraphs.append("\n".join(["Draft. Not confirmed by a source yet:", *unconfirmed]))
    return "\n\n".join(paragraphs)


def explain_row(answers: Answers, instrument: Instrument) -> str:
    """Return the arithmetic of every measure for one participant.

    Parameters
    ----------
    answers : array of float, (k,)
        As answered, in item order, NaN where missing.
    instrument : Instrument
        As the data have it.

    Returns
    -------
    str
        One line per measure, such as ``phq-9.total: 3 + 0 + 1 + 2 + 0 + 0 + 1 + 0 + 3 = 10``.

    Raises
    ------
    InstrumentError
        An answer is outside its response set.
    """
    rows = np.asarray(answers, dtype="float64")[None, :]
    counted, scored = count_answers(rows, instrument)[0], score_matrix(rows, instrument)
    places = {item.id: place for place, item in enumerate(instrument.items)}
    lines = []
    for measure in instrument.scored_measures:
        terms = []
        for item in instrument.items_of(measure):
            answer, score = rows[0, places[item.id]], counted[places[item.id]]
            recoded = "" if score == answer else f" [from {answer:g}]"
            terms.append("missing" if np.isnan(score) else f"{score:g}{recoded}")
        lines.append(f"{instrument.id}.{measure.id}: {_arithmetic(terms, measure, scored[measure.id])}")
    return "\n".join(lines)


def _arithmetic(terms: Sequence[str], measure: Measure, found: MeasureScores) -> str:
    answered = int(found.n_answered[0])
    if found.method[0] == "too_few_answered":
        return f"{answered} of {found.n_items} items are answered, which is too few; no score."
    words = " + ".join(term for term in terms if term != "missing")
    words = f"({words})" if answered > 1 else words
    divisor = found.n_items if measure.missing.treat == "zero" else answered
    if measure.method == "mean":
        words += f" / {divisor}"
    elif divisor < found.n_items:
        words += f" / {divisor} x {found.n_items}"
    words += "" if measure.multiply == 1 else f" x {measure.multiply:g}"
    words += "" if measure.add == 0 else f" {'+' if measure.add > 0 else '-'} {abs(measure.add):g}"
    words = words[1:-1] if words.startswith("(") and words.endswith(")") and words.count("(") == 1 else words
    looked_up = ", looked up" if measure.lookup else ""
    missing = "" if answered == found.n_items else f" ({found.n_items - answered} missing)"
    return f"{words}{looked_up} = {found.score[0]:.6g}{missing}"


def _explain_measure(instrument: Instrument, measure: Measure, measure_id: str) -> str:
    items = instrument.items_of(measure)
    low, high = measure.range
    ends = f"Range {low:g} to {high:g}; higher is {measure.higher_is}."
    if measure.method == "delivered":
        return f"{measure_id}, {measure.label}: computed by others, and taken as delivered. {ends}"
    return " ".join([
        f"{measure_id}, {measure.label}: {_method(instrument, measure, items)}.",
        *_recoding(instrument, items),
        *_reversal(instrument, items),
        _missing_rule(measure, len(items)),
        ends,
    ])  # fmt: skip


def _method(instrument: Instrument, measure: Measure, items: Sequence[Item]) -> str:
    after = f", times {measure.multiply:g}" if measure.multiply != 1 else ""
    after += f", {'plus' if measure.add > 0 else 'minus'} {abs(measure.add):g}" if measure.add else ""
    after += ", looked up in a table" if measure.lookup else ""
    sets = list(dict.fromkeys(_span(instrument.allowed_values(item.id)) for item in items))
    answered = f" (answered {sets[0]})" if len(sets) == 1 else ""
    if len(items) == 1:
        return f"the answer to item {items[0].id}{answered}{after}"
    which = f"all {len(items)} items" if measure.items == "all" else f"items {_list([item.id for item in items])}"
    return f"the {measure.method} of {which}{answered}{after}"


def _span(allowed: AllowedValues) -> str:
    return f"{allowed.minimum:g} to {allowed.maximum:g}"


def _recoding(instrument: Instrument, items: Sequence[Item]) -> list[str]:
    """Return one sentence per response set whose answers count something else than their value."""
    by_rule: dict[str, list[str]] = {}
    for item in items:
        allowed = instrument.allowed_values(item.id)
        if allowed.scores != tuple(map(float, allowed.options)):
            pairs = zip(allowed.options, allowed.scores, strict=True)
            by_rule.setdefault(", ".join(f"{value} counts {score:g}" for value, score in pairs), []).append(item.id)
    return [f"In {_items(ids)} {rule}." for rule, ids in by_rule.items()]


def _reversal(instrument: Instrument, items: Sequence[Item]) -> list[str]:
    """Return one sentence per sum of ends that has reversed items."""
    by_top: dict[float, list[str]] = {}
    for item in items:
        if item.reverse:
            allowed = instrument.allowed_values(item.id)
            by_top.setdefault(allowed.lowest_score + allowed.highest_score, []).append(item.id)
    return [f"Reversed first: {_items(ids)} ({top:g} minus the answer)." for top, ids in by_top.items()]


def _missing_rule(measure: Measure, n_items: int) -> str:
    allowed = measure.missing.max_missing
    if allowed == 0:
        return "Without an answer there is no score." if n_items == 1 else f"All {n_items} answers are needed."
    answers = "answer counts" if allowed == 1 else "answers count"
    stands = "0" if measure.missing.treat == "zero" else "the mean of the participant's other answers"
    return f"Up to {allowed} missing {answers} as {stands}; with more missing there is no score."


def _items(ids: Sequence[str]) -> str:
    return f"{'item' if len(ids) == 1 else 'items'} {_list(ids)}"


def _list(ids: Sequence[str]) -> str:
    return ids[0] if len(ids) == 1 else f"{', '.join(ids[:-1])} and {ids[-1]}"
