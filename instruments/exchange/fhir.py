"""Instruments as FHIR R4 questionnaires that compute their own scores, following Structured Data Capture (SDC)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

import numpy as np

from data_contracts.errors import Problem
from instruments.describing import explain_scoring
from instruments.errors import InstrumentError
from instruments.model import Instrument
from instruments.parts import AllowedValues, Item, Measure
from instruments.wording import Wording, item_label, option_label

NAMESPACE: Final = "urn:peerimpact:"
LOINC_SYSTEM: Final = "http://loinc.org"
CORE: Final = "http://hl7.org/fhir/StructureDefinition/"
SDC: Final = "http://hl7.org/fhir/uv/sdc/StructureDefinition/"
WEIGHT_URLS: Final = (f"{CORE}itemWeight", f"{CORE}ordinalValue")  # SDC 4 and FHIR R5; FHIR R4 and SDC 3
OWN_LANGUAGE: Final = "en"  # of concept labels
LOINC_NOTICE: Final = (
    "This material contains content from LOINC (http://loinc.org). LOINC is copyright Regenstrief Institute, Inc. and "
    "the Logical Observation Identifiers Names and Codes (LOINC) Committee and is available at no cost under the "
    "license at http://loinc.org/license."
)

Json = dict[str, Any]


def build_questionnaire(instrument: Instrument, *, wording: Wording | None = None, language: str = "en") -> Json:
    """Build a FHIR R4 Questionnaire whose scores are computed by SDC expressions.

    Every item is one question that may be left out (`required` is not set: a constraint of severity ``warning`` says
    how many answers each score needs). A choice has the codes of a data file, in a code system of this instrument; its
    weight is what the answer counts, so that of a reversed item is the reversed one. It stands as `itemWeight` (SDC 4)
    and as `ordinalValue` (FHIR R4). A visual analogue is a decimal between its ends. Each computed measure is a hidden,
    read-only decimal with a `calculatedExpression` (see `score_expression`); delivered measures are left out. A safety
    note stands in the item's design note; nothing is decided by it.

    Parameters
    ----------
    instrument : Instrument
        As it is asked, see `apply_variants`; a variant has a URL and code systems of its own.
    wording : Wording, optional
        The questions; without it the text of an item is our concept of it, and a design note says so.
    language : str
        Of the wording; concept labels are in English.

    Returns
    -------
    dict
        JSON of the resource: ``draft`` while the definition is a draft, else ``active``.

    Raises
    ------
    InstrumentError
        The instrument has no items here, or the wording is none of this instrument in this language.

    References
    ----------
    http://hl7.org/fhir/R4/questionnaire.html and http://hl7.org/fhir/uv/sdc
    """
    _require_items(instrument)
    _require_wording(instrument, wording, language)
    codes = instrument.loinc
    return _filled({
        "resourceType": "Questionnaire",
        "language": language,
        "extension": [each for place in range(len(instrument.scored_measures)) for each in _rules(instrument, place)],
        "url": questionnaire_url(instrument),
        "version": instrument.version,
        "name": "".join(part.capitalize() for part in re.split(r"[^a-z0-9]+", instrument.id)),
        "title": (wording.title if wording else "") or instrument.name,
        "status": "draft" if instrument.is_draft else "active",
        "subjectType": ["Patient"],
        "description": explain_scoring(instrument),
        "copyright": _copyright(instrument, wording),
        "code": _loinc(codes.panel if codes else None),
        "item": [
            *_instructions(wording),
            *(_question(instrument, item, wording) for item in instrument.items),
            *(_score(instrument, measure) for measure in instrument.scored_measures),
        ],
    })  # fmt: skip


def score_expression(instrument: Instrument, measure: Measure) -> str:
    """Return the FHIRPath of a computed measure: its score, or nothing where too few items are answered.

    With c the numbers that the answers count: k * sum(c) / count(c) for a prorated sum, sum(c) / count(c) for a mean,
    count(c) being the number of items where missing answers count as zero; times `multiply` plus `add`, or looked up.
    It starts from ``%resource`` and finds items at any depth. `weight()` is an SDC function (``ordinal()`` in SDC 3).

    Parameters
    ----------
    instrument : Instrument
        As it is asked.
    measure : Measure
        One of its `scored_measures`.

    Returns
    -------
    str
        To be evaluated on a QuestionnaireResponse.
    """
    items = instrument.items_of(measure)
    counted = _counted(instrument, items)
    total = f"{counted}.aggregate($this + $total, 0)"
    enough = " and ".join(
        f"{_counted(instrument, asked)}.count() >= {least}" for asked, least in _needs(instrument, measure)
    )
    return f"iif({enough}, {_formula(measure, len(items), total, f'{counted}.count()')}, {{}})"


def questionnaire_url(instrument: Instrument) -> str:
    """Return the canonical URL of the questionnaire; a variant has one of its own."""
    return f"{NAMESPACE}questionnaire:{_form(instrument)}"


def answer_system(instrument: Instrument, response_set: str) -> str:
    """Return the code system of the answers of a response set, whose codes are the values of a data file."""
    return f"{NAMESPACE}answers:{_form(instrument)}:{response_set}"


def score_link_id(measure: Measure) -> str:
    """Return the linkId of a computed measure."""
    return f"score.{measure.id}"


def _form(instrument: Instrument) -> str:
    variant = instrument.facts.get("variant")
    return f"{instrument.id}/{hashlib.sha256(variant.source.encode()).hexdigest()[:8]}" if variant else instrument.id


def _require_items(instrument: Instrument) -> None:
    if not instrument.items:
        raise InstrumentError(
            Problem(
                "no_items",
                f"{instrument.id} has no items here, so that there is no questionnaire. {instrument.licence.terms}",
                f"Ask for the form: {instrument.licence.contact or instrument.licence.source}",
            )
        )


def _require_wording(instrument: Instrument, wording: Wording | None, language: str) -> None:
    given = wording.language if wording else OWN_LANGUAGE
    if language != given:
        raise InstrumentError(
            Problem(
                "language_differs",
                f"The labels of {instrument.id} are in '{given}', not in '{language}'.",
                f"Ask for the language '{given}', or bring a wording in '{language}'.",
            )
        )
    absent = [item.id for item in instrument.items if wording and item.id not in wording.items]
    if wording and (wording.instrument != instrument.id or absent):
        raise InstrumentError(
            Problem(
                "wording_of_another",
                f"The wording is of '{wording.instrument}' and has no question for {len(absent)} items of "
                f"{instrument.id}.",
                "Load it with load_wording for this instrument, in the variant that is asked.",
            )
        )


def _instructions(wording: Wording | None) -> list[Json]:
    if wording is None or not wording.instructions:
        return []
    return [{"linkId": "instructions", "text": wording.instructions, "type": "display"}]


def _question(instrument: Instrument, item: Item, wording: Wording | None) -> Json:
    allowed = instrument.allowed_values(item.id)
    codes = instrument.loinc.items if instrument.loinc else {}
    return _filled({
        "extension": [*_note(instrument, item, wording), *([] if allowed.options else _ends(allowed))],
        "linkId": item.id,
        "code": _loinc(codes.get(item.id)),
        "prefix": item.id,
        "text": item_label(item, wording),
        "type": "choice" if allowed.options else "decimal",
        "answerOption": _options(instrument, item, wording),
    })  # fmt: skip


def _options(instrument: Instrument, item: Item, wording: Wording | None) -> list[Json]:
    options = instrument.response_sets[item.response_set].options
    if not options:
        return []
    answers = np.array([option.value for option in options], dtype="float64")
    weights = instrument.allowed_values(item.id).score(answers, reverse=item.reverse)
    system = answer_system(instrument, item.response_set)
    return [
        {
            "extension": [{"url": url, "valueDecimal": _number(weight)} for url in WEIGHT_URLS],
            "valueCoding": {
                "system": system,
                "code": str(option.value),
                "display": option_label(item.response_set, option, wording),
            },
        }
        for option, weight in zip(options, weights, strict=True)
    ]


def _note(instrument: Instrument, item: Item, wording: Wording | None) -> list[Json]:
    notes = [] if wording else ["The text names the concept; the wording is left to whoever holds its licence."]
    if item.safety:
        notes.append(f"Safety, answers {instrument.alarming_answers(item)}: {item.safety.note}")
    return [{"url": f"{CORE}designNote", "valueMarkdown": " ".join(notes)}] if notes else []


def _ends(allowed: AllowedValues) -> list[Json]:
    control = {"system": "http://hl7.org/fhir/questionnaire-item-control", "code": "slider"}
    return [
        {"url": f"{CORE}questionnaire-itemControl", "valueCodeableConcept": {"coding": [control]}},
        {"url": f"{CORE}minValue", "valueDecimal": _number(allowed.minimum)},
        {"url": f"{CORE}maxValue", "valueDecimal": _number(allowed.maximum)},
    ]


def _score(instrument: Instrument, measure: Measure) -> Json:
    codes = instrument.loinc.measures if instrument.loinc else {}
    unit = {"system": "http://unitsofmeasure.org", "code": "{score}", "display": "score"}
    calculation = {"language": "text/fhirpath", "expression": score_expression(instrument, measure)}
    return _filled({
        "extension": [
            {"url": f"{CORE}questionnaire-hidden", "valueBoolean": True},
            {"url": f"{CORE}questionnaire-unit", "valueCoding": unit},
            {"url": f"{SDC}sdc-questionnaire-calculatedExpression", "valueExpression": calculation},
        ],
        "linkId": score_link_id(measure),
        "code": _loinc(codes.get(measure.id)),
        "text": measure.label,
        "type": "decimal",
        "readOnly": True,
    })  # fmt: skip


def _rules(instrument: Instrument, place: int) -> list[Json]:
    """Return how many answers a score needs: as FHIR R4 and SDC 3 say it, and as SDC 4 does."""
    measure = instrument.scored_measures[place]
    needs = _needs(instrument, measure)
    expression = " and ".join(f"{_answers(items)}.count() >= {least}" for items, least in needs)
    words = " and ".join(f"{least} of {len(items)} items" for items, least in needs)
    start = [{"url": "key", "valueId": f"answered-{place + 1}"}, {"url": "severity", "valueCode": "warning"}]
    human = {"url": "human", "valueString": f"The score '{measure.label}' needs answers to {words}."}
    as_expression = {"language": "text/fhirpath", "expression": expression}
    return [
        {
            "extension": [*start, {"url": "expression", "valueString": expression}, human],
            "url": f"{CORE}questionnaire-constraint",
        },
        {
            "extension": [*start, {"url": "expression", "valueExpression": as_expression}, human],
            "url": f"{CORE}targetConstraint",
        },
    ]


def _needs(instrument: Instrument, measure: Measure) -> list[tuple[Sequence[Item], int]]:
    """Return among which items how many must be answered at least."""
    items = instrument.items_of(measure)
    needs: list[tuple[Sequence[Item], int]] = [(items, len(items) - measure.missing.max_missing)]
    if instrument.max_missing is not None:
        needs.append((instrument.items, len(instrument.items) - instrument.max_missing))
    return needs


def _formula(measure: Measure, n_items: int, total: str, count: str) -> str:
    if measure.lookup:
        steps = " | ".join(f"iif($this = {step.raw}, {_decimal(step.score)}, {{}})" for step in measure.lookup)
        return f"{total}.select({steps})"
    by_zero, incomplete = measure.missing.treat == "zero", measure.missing.max_missing > 0
    formula = total
    if measure.method == "mean":
        formula += f" / {n_items if by_zero else count}"
    elif incomplete and not by_zero:
        formula += f" * {n_items} / {count}"
    formula += "" if measure.multiply == 1 else f" * {_decimal(measure.multiply)}"
    return formula + ("" if measure.add == 0 else f" {'+' if measure.add > 0 else '-'} {_decimal(abs(measure.add))}")


def _counted(instrument: Instrument, items: Sequence[Item]) -> str:
    """Return the path to what the answers count: weights of choices, and numbers as they are."""
    chosen = [item for item in items if instrument.allowed_values(item.id).options]
    numbers = [item for item in items if item not in chosen]
    paths = [f"{_answers(chosen)}.weight()"] if chosen else []
    paths += [_answers(numbers)] if numbers else []
    return paths[0] if len(paths) == 1 else f"{paths[0]}.combine({paths[1]})"


def _answers(items: Sequence[Item]) -> str:
    ids = " | ".join(_literal(item.id) for item in items)
    return f"%resource.repeat(item.combine(answer.item)).where(linkId in ({ids})).answer.value"


def _literal(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _decimal(number: float) -> str:
    """Return a FHIRPath number, which has no exponent."""
    return f"{Decimal(repr(_number(number))):f}"


def _number(number: float) -> int | float:
    return int(number) if float(number).is_integer() else float(number)


def _loinc(code: str | None) -> list[Json]:
    return [{"system": LOINC_SYSTEM, "code": code}] if code else []


def _copyright(instrument: Instrument, wording: Wording | None) -> str:
    parts = [instrument.licence.terms, instrument.licence.contact, f"Cite: {instrument.citation.text}"]
    parts += [f"Wording used under the licence of {wording.holder}."] if wording else []
    parts += [LOINC_NOTICE] if instrument.loinc else []
    return "\n\n".join(part for part in parts if part)


def _filled(resource: Json) -> Json:
    """Leave out what is empty, which FHIR does not allow."""
    return {key: value for key, value in resource.items() if value not in ("", [])}
