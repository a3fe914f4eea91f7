"""The items and answers of a FHIR QuestionnaireResponse, in the terms of an instrument."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from instruments.exchange.fhir import LOINC_SYSTEM, NAMESPACE, WEIGHT_URLS, answer_system, score_link_id
from instruments.exchange.fhir_json import Node, Place, nodes_of, text_of
from instruments.model import Instrument
from instruments.parts import AllowedValues, Item

LOINC_ANSWERS: Final[Mapping[str, Mapping[str, float]]] = {  # panel -> answer -> what it counts
    panel: {"LA6568-5": 0.0, "LA6569-3": 1.0, "LA6570-1": 2.0, "LA6571-9": 3.0}
    for panel in ("44249-1", "69737-5")  # PHQ-9 and GAD-7 share the list LL358-3; in other lists its codes count else
}
VALUE_KINDS: Final = frozenset(
    f"value{kind}"
    for kind in (
        "Boolean", "Decimal", "Integer", "Date", "DateTime", "Time", "String", "Uri", "Attachment", "Coding",
        "Quantity", "Reference",
    )
)  # fmt: skip
LARGEST_NUMBER: Final = 1e15


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer: the code or number as it was sent, and the value that a data file would have."""

    raw: str
    value: float


@dataclass(frozen=True, slots=True)
class ItemNames:
    """How the items of an instrument are named in FHIR.

    Attributes
    ----------
    items : frozenset of str
        Item ids, which are linkIds.
    codes : mapping
        LOINC code -> item id.
    others : frozenset of str
        linkIds and LOINC codes of scores, which are computed anew, and of what the caller ignores.
    """

    items: frozenset[str]
    codes: Mapping[str, str]
    others: frozenset[str]


def name_items(instrument: Instrument, ignored: Collection[str] = ()) -> ItemNames:
    """Return how the items of an instrument are named: by their ids, and by LOINC codes where they have one."""
    items = frozenset(item.id for item in instrument.items)
    scores = {score_link_id(measure) for measure in instrument.measures} - items
    codes = instrument.loinc
    return ItemNames(
        items=items,
        codes={code: item for item, code in codes.items.items()} if codes else {},
        others=frozenset({*scores, *ignored, *(codes.measures.values() if codes else ())}),
    )


def find_items(response: Node, place: Place) -> Iterator[tuple[str, str, list[Node]]]:
    """Yield linkId, LOINC code and answers of every item that was answered, in the order of the form, at any depth.

    Raises
    ------
    InstrumentError
        An item or answer is none by its JSON, or an answered item has no linkId.
    """
    waiting = nodes_of(response, "item", place)[::-1]
    while waiting:
        node = waiting.pop()
        link_id = text_of(node, "linkId", place)
        here = replace(place, link_id=link_id)
        answers = nodes_of(node, "answer", here)
        if answers and not link_id:
            raise here.refuse("not_fhir", "An answered item has no linkId.", "Export the response as FHIR R4 again.")
        if answers:
            yield link_id, _loinc_code(text_of(node, "definition", here)), answers
        below = [*nodes_of(node, "item", here), *(each for one in answers for each in nodes_of(one, "item", here))]
        waiting.extend(below[::-1])


def recognise_item(link_id: str, code: str, names: ItemNames, place: Place) -> str:
    """Return the item that is meant, or an empty text for scores and ignored items.

    A LOINC code in the item's `definition` comes first, then one that ends the linkId (as in ``/44250-9``), then the
    linkId itself.

    Raises
    ------
    InstrumentError
        It is no item of the instrument.
    """
    last = link_id.rpartition("/")[2]
    if not names.others.isdisjoint((code, last, link_id)):
        return ""
    item = names.codes.get(code) or names.codes.get(last) or link_id
    if item in names.items:
        return item
    raise place.refuse(
        "unknown_item",
        "The instrument has no such item.",
        "Correct the linkId, or name it in 'ignored_items' where it is no part of the instrument.",
    )


def read_answer(answers: list[Node], item: Item, instrument: Instrument, place: Place) -> Answer | None:
    """Return what was answered to an item; None where an answer holds no value.

    The value is that of our code, or of a number; a LOINC answer code or, failing all else, a weight stands for the
    option that counts as much. A weight beside a value must agree with it.

    Parameters
    ----------
    answers : list of mapping
        The `answer` elements.
    item : Item
        The item that was answered.
    instrument : Instrument
        As it was asked.
    place : Place
        For errors, which never tell the answer.

    Raises
    ------
    InstrumentError
        There are several answers, the kind of value is another, the code is unknown, the value is outside the response
        set, or a weight disagrees or may be read in two ways.
    """
    if len(answers) > 1:
        raise place.refuse("several_answers", "The item has several answers.", "Keep the one that holds.")
    kinds = [key for key in answers[0] if isinstance(key, str) and key.startswith("value")]
    if not kinds:
        return None
    told = kinds[0] if kinds[0] in VALUE_KINDS else "an unknown kind of value"
    allowed = instrument.allowed_values(item.id)
    weights = _weights(answers[0], kinds[0], place)
    content = answers[0][kinds[0]]
    if kinds == ["valueCoding"] and isinstance(content, Mapping) and allowed.options:
        answer = _coded(content, item, instrument, weights, place)
    elif kinds in (["valueInteger"], ["valueDecimal"]):
        answer = _number(content, kinds[0], place)
    else:
        expected = "valueCoding, valueInteger or valueDecimal" if allowed.options else "valueInteger or valueDecimal"
        raise place.refuse("value_kind", f"Found {told}.", f"Give one {expected}.")
    _check(answer, allowed, item, weights, told, place)
    return answer


def _loinc_code(definition: str) -> str:
    return re.split(r"[/#|]", definition)[-1] if definition.startswith(LOINC_SYSTEM) else ""


def _coded(content: Node, item: Item, instrument: Instrument, weights: set[float], place: Place) -> Answer:
    system, code = text_of(content, "system", place), text_of(content, "code", place)
    allowed = instrument.allowed_values(item.id)
    own = {str(value): float(value) for value in allowed.options}
    if system in ("", answer_system(instrument, item.response_set)) and code in own:
        return Answer(code, own[code])
    if not system.startswith(NAMESPACE):
        panel = instrument.loinc.panel if instrument.loinc else None
        listed = LOINC_ANSWERS.get(panel or "", {}).get(code) if system in ("", LOINC_SYSTEM) else None
        weights = weights if listed is None else {*weights, listed}
        if len(weights) == 1:
            return Answer(code or f"{min(weights):g}", _option_that_counts(min(weights), allowed, item, place))
    raise place.refuse(
        "unknown_code",
        "The code of the valueCoding is none of the item's response set.",
        f"Use the codes {', '.join(own)} of {answer_system(instrument, item.response_set)}, or give each answer its "
        "weight.",
    )


def _option_that_counts(weight: float, allowed: AllowedValues, item: Item, place: Place) -> float:
    options = [value for value, score in zip(allowed.options, allowed.scores, strict=True) if score == weight]
    if len(options) == 1 and not item.reverse:
        return float(options[0])
    why = "the item is reversed, so that it may count before or after that" if item.reverse else "no single option does"
    raise place.refuse(
        "weight_unclear",
        f"The answer is known by its weight only, and {why}.",
        "Give the valueCoding a code of the item's response set, or a valueInteger.",
    )


def _number(content: object, kind: str, place: Place) -> Answer:
    wanted = int if kind == "valueInteger" else (int, float)
    if isinstance(content, bool) or not isinstance(content, wanted) or not abs(content) < LARGEST_NUMBER:
        raise place.refuse("not_a_number", f"The {kind} is no such number.", "Export the response as FHIR R4 again.")
    return Answer(f"{content:.15g}", float(content))


def _weights(answer: Node, kind: str, place: Place) -> set[float]:
    """Return the weights that stand on an answer, on its value, or beside a value that is a JSON primitive."""
    content = answer[kind]
    holders = [answer, *(each for each in (content, answer.get(f"_{kind}")) if isinstance(each, Mapping))]
    extensions = [each for holder in holders for each in nodes_of(holder, "extension", place)]
    return {
        _number(each.get("valueDecimal"), "valueDecimal", place).value
        for each in extensions
        if each.get("url") in WEIGHT_URLS
    }


def _check(answer: Answer, allowed: AllowedValues, item: Item, weights: set[float], told: str, place: Place) -> None:
    value = np.array([answer.value])
    if not allowed.allows(value)[0]:
        expected = ", ".join(map(str, allowed.options)) or f"{allowed.minimum:g} to {allowed.maximum:g}"
        raise place.refuse(
            "value_not_allowed",
            f"The {told} is outside the item's response set ({expected}).",
            "Correct it at the source, or name the variant that was asked.",
        )
    counts = float(allowed.score(value, reverse=item.reverse)[0])
    if any(not math.isclose(weight, counts, abs_tol=1e-9) for weight in weights):
        raise place.refuse(
            "weight_disagrees",
            f"The {told} and its weight do not agree on what the answer counts.",
            "Correct the weights of the form (a reversed item has reversed ones), or name the variant that was asked.",
        )
