"""ReproSchema: an instrument as an activity with its items and computed scores."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from instruments.exchange.calculation import Dialect, write_calculation
from instruments.exchange.codebook import describe_measure
from instruments.exchange.fields import LABEL_ONLY, FieldNames, name_fields, one_line, require_items
from instruments.model import Instrument
from instruments.parts import Item, Measure
from instruments.wording import Wording, item_label, option_label

SCHEMA_VERSION: Final = "1.0.0"
CONTEXT: Final = f"https://raw.githubusercontent.com/ReproNim/reproschema/main/releases/{SCHEMA_VERSION}/reproschema"
JAVASCRIPT: Final = Dialect(
    blank="{} === null",
    equals="{} === {}",
    choose="({} ? {} : {})",
    either=" || ",
    divide="/",
    nothing="null",
)
_OWNED = ("registration_required", "permission_needed", "restricted")
_ANSWER = '(x) => (x === undefined || x === null || x === "" ? null : Number(x))'

Json = dict[str, Any]


def write_reproschema(instrument: Instrument, folder: Path, *, wording: Wording | None = None) -> None:
    """Write an instrument as a ReproSchema activity (version 1.0.0).

    The folder gets the activity ``<id>_schema`` and, in ``items``, a file per item and per computed measure. A measure
    is a hidden read-only item that `compute` fills by a JavaScript expression, which gives our score, or null where the
    missing rule gives none. The expression names each variable once, because reproschema-ui puts the answer in the
    place of the first occurrence only. It also puts 0 in the place of a skipped answer, which no expression can tell
    from an answer of 0: the activity does not offer skipping, and a form that does must score elsewhere.

    Parameters
    ----------
    instrument : Instrument
        As the form shall have it, see `apply_variants`.
    folder : Path
        Where to write; made where it does not exist. The same input gives the same files.
    wording : Wording, optional
        The words of the licence holder; without it our short labels stand there, and every description says so.

    Raises
    ------
    InstrumentError
        The instrument has no items.
    """
    require_items(instrument)
    names = name_fields(instrument)
    (folder / "items").mkdir(parents=True, exist_ok=True)
    _write(folder / f"{names.form}_schema", _activity(instrument, names, wording))
    for item in instrument.items:
        _write(folder / "items" / names.items[item.id], _item(instrument, item, names, wording))
    for measure in instrument.scored_measures:
        _write(folder / "items" / names.measures[measure.id], _score(instrument, measure, names, wording))


def _activity(instrument: Instrument, names: FieldNames, wording: Wording | None) -> Json:
    language = _language(wording)
    title = (wording.title if wording else "") or instrument.short_name
    licence = " ".join(filter(None, [instrument.licence.terms, instrument.licence.contact]))
    by = f"Wording by {wording.holder}." if wording else f"Questions: {LABEL_ONLY}"
    fields = [*names.items.values(), *names.measures.values()]
    activity: Json = {
        **_thing(f"{names.form}_schema", "Activity"),
        "prefLabel": {language: title},
        "description": {"en": f"{instrument.name}. {by} Licence: {licence}"},
        "citation": {"en": " ".join(filter(None, [instrument.citation.text, instrument.citation.doi]))},
        "schemaVersion": SCHEMA_VERSION,
        "version": instrument.version,
        "isProprietary": instrument.licence.status in _OWNED,
    }
    if wording and wording.instructions:
        activity["preamble"] = {language: one_line(wording.instructions)}
    activity["compute"] = [
        {"variableName": names.measures[measure.id], "jsExpression": _expression(instrument, measure, names.items)}
        for measure in instrument.scored_measures
    ]
    activity["ui"] = {
        "addProperties": [
            {"isAbout": f"items/{name}", "variableName": name, "isVis": name in names.items.values(),
             "valueRequired": False}
            for name in fields
        ],
        "order": [f"items/{name}" for name in fields],
        "shuffle": False,
    }  # fmt: skip
    return activity


def _item(instrument: Instrument, item: Item, names: FieldNames, wording: Wording | None) -> Json:
    language = _language(wording)
    allowed = instrument.allowed_values(item.id)
    options = instrument.response_sets[item.response_set].options
    notes = [f"{instrument.id} {instrument.version}, item {item.id}: {item.concept}."]
    if wording is None:
        notes.append(LABEL_ONLY)
    if item.safety:
        notes.append(f"Safety, answers {instrument.alarming_answers(item)}: {item.safety.note}")
    responses: Json = {"minValue": allowed.minimum, "maxValue": allowed.maximum, "multipleChoice": False}
    if options:
        responses["choices"] = [
            {"name": {language: one_line(option_label(item.response_set, option, wording))}, "value": option.value}
            for option in options
        ]
    return {
        **_thing(names.items[item.id], "Item"),
        "prefLabel": {"en": item.concept},
        "description": {"en": " ".join(notes)},
        "question": {language: one_line(item_label(item, wording))},
        "responseOptions": {"valueType": ["xsd:integer" if options else "xsd:decimal"], **responses},
        "ui": {"inputType": "radio" if options else "float"},
    }


def _score(instrument: Instrument, measure: Measure, names: FieldNames, wording: Wording | None) -> Json:
    notes = [f"{instrument.id} {instrument.version}, score {measure.id}; higher is {measure.higher_is}."]
    low, high = measure.range
    return {
        **_thing(names.measures[measure.id], "Item"),
        "prefLabel": {_language(wording): measure.label},
        "description": {"en": " ".join(filter(None, [*notes, describe_measure(instrument, measure)]))},
        "responseOptions": {"valueType": ["xsd:decimal"], "minValue": low, "maxValue": high},
        "ui": {"inputType": "number", "readonlyValue": True},
    }


def _expression(instrument: Instrument, measure: Measure, fields: Mapping[str, str]) -> str:
    """Return a function of the answers, called with them, so that each variable is named once."""
    references = {item: f"a[{place}]" for place, item in enumerate(fields)}
    calculation = write_calculation(instrument, measure, references, JAVASCRIPT)
    return f"((a) => {calculation})([{', '.join(fields.values())}].map({_ANSWER}))"


def _thing(name: str, category: str) -> Json:
    return {"@context": CONTEXT, "id": name, "category": f"reproschema:{category}"}


def _language(wording: Wording | None) -> str:
    return wording.language if wording else "en"


def _write(path: Path, document: Json) -> None:
    path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
