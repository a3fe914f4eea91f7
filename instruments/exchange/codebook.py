"""The plainest two exports: a codebook, and the definition as JSON."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Final

from instruments.exchange.calculation import option_counts, write_number
from instruments.exchange.fields import LABEL_ONLY, FieldNames, name_fields, no_formula, one_line
from instruments.model import Instrument
from instruments.parts import Measure
from instruments.wording import Wording, item_label, option_label

CODEBOOK_COLUMNS: Final = (
    "instrument", "version", "kind", "id", "field", "label", "value", "counts", "minimum", "maximum", "reversed",
    "method", "items", "multiply", "add", "max_missing", "missing", "higher_is", "note",
)  # fmt: skip
_LABELS = ("label", "note")


def render_codebook(instrument: Instrument, *, wording: Wording | None = None) -> str:
    """Return the codebook of an instrument as CSV: one row per item, per option of an item, and per measure.

    Parameters
    ----------
    instrument : Instrument
        Also one without items, whose delivered measures are listed.
    wording : Wording, optional
        Labels in the words of the licence holder; without it the column `note` says that they are ours.

    Returns
    -------
    str
        UTF-8 text with the columns `CODEBOOK_COLUMNS`, blank where one does not apply. `kind` is item, option or
        measure; `id` the item (also of its options) or the measure; `value` the code of an option and `counts` what
        choosing it counts, after reversal; `minimum` and `maximum` the ends of the answers or of the score;
        `max_missing` and `missing` the rule for missing answers. Labels and notes that begin like a formula get an
        apostrophe in front.
    """
    target = io.StringIO()
    writer = csv.DictWriter(target, CODEBOOK_COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    names = name_fields(instrument)
    for row in [*_item_rows(instrument, names, wording), *_measure_rows(instrument, names)]:
        named = {"instrument": instrument.id, "version": instrument.version, **row}
        writer.writerow({key: no_formula(text) if key in _LABELS else text for key, text in named.items()})
    return target.getvalue()


def render_json(instrument: Instrument) -> str:
    """Return the definition as JSON, from which `Instrument.model_validate` makes the same instrument."""
    return instrument.model_dump_json(indent=2) + "\n"


def _item_rows(instrument: Instrument, names: FieldNames, wording: Wording | None) -> Iterator[dict[str, str]]:
    for item in instrument.items:
        allowed = instrument.allowed_values(item.id)
        notes = [] if wording else [LABEL_ONLY]
        if item.safety:
            notes.append(f"Safety, answers {instrument.alarming_answers(item)}: {item.safety.note}")
        shared = {"id": item.id, "field": names.items[item.id]}
        yield shared | {
            "kind": "item", "label": one_line(item_label(item, wording)), "reversed": "yes" if item.reverse else "no",
            "minimum": write_number(allowed.minimum), "maximum": write_number(allowed.maximum), "note": " ".join(notes),
        }  # fmt: skip
        counts = option_counts(allowed, item)
        for option, count in zip(instrument.response_sets[item.response_set].options, counts, strict=True):
            label = one_line(option_label(item.response_set, option, wording))
            yield shared | {
                "kind": "option", "label": label, "value": str(option.value), "counts": write_number(count)
            }  # fmt: skip


def _measure_rows(instrument: Instrument, names: FieldNames) -> Iterator[dict[str, str]]:
    for measure in instrument.measures:
        row = {
            "kind": "measure", "id": measure.id, "label": measure.label, "method": measure.method,
            "minimum": write_number(measure.range[0]), "maximum": write_number(measure.range[1]),
            "higher_is": measure.higher_is,
        }  # fmt: skip
        if measure.method != "delivered":
            row |= {
                "field": names.measures[measure.id],
                "items": " ".join(item.id for item in instrument.items_of(measure)),
                "multiply": write_number(measure.multiply), "add": write_number(measure.add),
                "max_missing": str(measure.missing.max_missing), "missing": measure.missing.treat,
                "note": describe_measure(instrument, measure),
            }  # fmt: skip
        yield row


def describe_measure(instrument: Instrument, measure: Measure) -> str:
    """Return what a form should say of a score: its table, the rule over all items, and what is unconfirmed."""
    notes = ["The sum is looked up in a table."] if measure.lookup else []
    if instrument.max_missing is not None:
        notes.append(f"No score where more than {instrument.max_missing} of all answers are missing.")
    if instrument.is_draft:
        notes.append(f"Draft; not confirmed by a source yet: {', '.join(instrument.unconfirmed_scoring_facts)}.")
    return " ".join(notes)
