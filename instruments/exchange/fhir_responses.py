"""Answers from FHIR R4 QuestionnaireResponses, as the `responses` table."""

from __future__ import annotations

import datetime
import math
import re
from collections import Counter
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

import pandas as pd

from data_contracts.errors import Problem, choose_from
from instruments.errors import InstrumentError
from instruments.exchange.fhir import LOINC_SYSTEM, questionnaire_url
from instruments.exchange.fhir_answers import Answer, find_items, name_items, read_answer, recognise_item
from instruments.exchange.fhir_json import Node, Place, find_responses, load_json, require_shallow, text_of
from instruments.model import Instrument

MOST_PROBLEMS: Final = 50  # of one document; a wrong linkId otherwise fills pages
KEPT_STATUSES: Final = ("completed", "amended", "stopped")
LEFT_STATUSES: Final = ("in-progress", "entered-in-error")
RESPONSE_DTYPES: Final[dict[str, str]] = {
    "participant_id": "str", "timepoint": "str", "instrument": "str", "item": "str", "raw": "str", "value": "float64",
    "missing_reason": "str", "answered_on": "str", "source": "str", "source_row": "int64",
}  # fmt: skip
DATE_TIME: Final = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(T[0-9:.]{5,24}(Z|[+-][0-9]{2}:[0-9]{2})?)?")
PARTIAL_DATE: Final = re.compile(r"[0-9]{4}(-[0-9]{2})?")
FHIR_ID: Final = re.compile(r"[A-Za-z0-9\-.]{1,64}")
RESOURCE_TYPE: Final = re.compile(r"[A-Z][A-Za-z]{1,63}")

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class ReadResponses:
    """Answers that were read, and what became of every QuestionnaireResponse.

    Attributes
    ----------
    responses : DataFrame
        The `responses` table: one row per response and item, in the order of the document and of the items; `value` is
        NaN and `missing_reason` ``blank`` where there is no answer, `raw` is the code or number as it was sent, and
        `source_row` the place of the resource in the bundle, counted from 1.
    n_found : int
        QuestionnaireResponses in the document: the sum of those below.
    n_read, n_in_progress, n_entered_in_error, n_superseded, n_repeated : int
        Read; left out because not finished, marked as wrong, replaced by an amended one, or sent twice.
    more_pages : bool
        True where the bundle is a page of a search that has further pages.
    """

    responses: pd.DataFrame
    n_found: int
    n_read: int
    n_in_progress: int
    n_entered_in_error: int
    n_superseded: int
    n_repeated: int
    more_pages: bool


@dataclass(frozen=True, slots=True)
class _Head:
    """A QuestionnaireResponse whose status is known."""

    place: Place
    resource: Node
    status: str
    resource_id: str


@dataclass(frozen=True, slots=True)
class _Response:
    """A QuestionnaireResponse in the terms of its instrument."""

    head: _Head
    reference: str
    participant_id: str
    timepoint: str
    answered_on: str
    instrument: Instrument
    answers: Mapping[str, Answer]

    @property
    def content(self) -> tuple[object, ...]:
        """What makes two responses the same."""
        values = {item: answer.value for item, answer in self.answers.items()}
        return self.reference, self.timepoint, self.instrument.id, values


@dataclass(frozen=True, slots=True)
class _Reading:
    """What the caller declares about the document."""

    library: Mapping[str, Instrument]
    instruments: Mapping[str, str]
    timepoint: str
    ignored_items: Collection[str]


def load_questionnaire_responses(
    path: Path,
    library: Mapping[str, Instrument],
    *,
    timepoint: str = "",
    questionnaires: Mapping[str, str] | None = None,
    ignored_items: Collection[str] = (),
) -> ReadResponses:
    """Load a file with a Bundle or one QuestionnaireResponse; see `read_questionnaire_responses`.

    Parameters
    ----------
    path : Path
        JSON in UTF-8, up to 64 MiB; a key that stands twice, and numbers that JSON does not have, are refused.
    library, timepoint, questionnaires, ignored_items
        As in `read_questionnaire_responses`.

    Returns
    -------
    ReadResponses
        With the file's name as `source`.

    Raises
    ------
    InstrumentError
        The file cannot be read, is too large or no JSON, and as `read_questionnaire_responses`.
    """
    return read_questionnaire_responses(
        load_json(path),
        library,
        timepoint=timepoint,
        questionnaires=questionnaires,
        ignored_items=ignored_items,
        source=path.name,
    )


def read_questionnaire_responses(
    document: object,
    library: Mapping[str, Instrument],
    *,
    timepoint: str = "",
    questionnaires: Mapping[str, str] | None = None,
    ignored_items: Collection[str] = (),
    source: str = "fhir",
) -> ReadResponses:
    """Read the answers of a Bundle of QuestionnaireResponses, or of one, to be scored by `score_responses`.

    Responses that are ``completed``, ``amended`` or ``stopped`` are read. Those ``in-progress`` are left out, for their
    answers may still change, and so are those ``entered-in-error`` with every other version of the same id. Of several
    for one participant, timepoint and instrument (or of one id) those with the same answers count once, and an
    ``amended`` one replaces the others; anything else is an error. Scores in a response are not taken over.

    Parameters
    ----------
    document : mapping
        Parsed JSON, at most 64 levels deep; other resources of a bundle are passed over.
    library : mapping
        Instrument id -> Instrument as it was asked, see `apply_variants`. The instrument of a response follows from its
        `questionnaire`: our URL, that of the LOINC panel, or one of `questionnaires`; a response that names none is of
        the only instrument of a library of one.
    timepoint : str
        Of all responses; by default the day of `authored` (YYYY-MM-DD) is the timepoint.
    questionnaires : mapping, optional
        URL (without version) of a questionnaire by others -> instrument id. Its linkIds are item ids or LOINC codes.
    ignored_items : collection of str
        linkIds that are no part of an instrument, with their answers.
    source : str
        Name for the table and for errors.

    Returns
    -------
    ReadResponses
        `participant_id` is the id in the subject's reference (``Patient/<id>``), or the value of its identifier.

    Raises
    ------
    InstrumentError
        With every problem found (up to 50): place of the resource, linkId and kind of value, never a participant's id
        or answer.
    """
    start = Place(source, 1)
    require_shallow(document, start)
    found, more_pages = find_responses(document, start)
    reading = _Reading(library, _known_questionnaires(library, questionnaires or {}), timepoint, ignored_items)
    problems: list[Problem] = []
    headed = _gather(problems, [partial(_head, place, resource) for place, resource in found])
    wrong = {one.resource_id for one in headed if one.status == "entered-in-error"} - {""}
    finished = [one for one in headed if one.status in KEPT_STATUSES and one.resource_id not in wrong]
    read = _gather(problems, [partial(_read_response, one, reading) for one in finished])
    problems += _shared_ids(read)
    left: Counter[str] = Counter()
    kept = _keep_one_each(read, lambda one: one.head.resource_id or one.head.place, problems, left)
    kept = _keep_one_each(kept, lambda one: (one.participant_id, one.timepoint, one.instrument.id), problems, left)
    if problems:
        raise InstrumentError(_shortened(problems))
    n_in_progress = sum(one.status == "in-progress" for one in headed)
    return ReadResponses(
        responses=_table(kept, source),
        n_found=len(found),
        n_read=len(kept),
        n_in_progress=n_in_progress,
        n_entered_in_error=len(headed) - len(finished) - n_in_progress,
        n_superseded=left["superseded"],
        n_repeated=left["repeated"],
        more_pages=more_pages,
    )


def _known_questionnaires(library: Mapping[str, Instrument], declared: Mapping[str, str]) -> Mapping[str, str]:
    """Return URL of a questionnaire -> instrument id."""
    unknown = [name for name in declared.values() if name not in library]
    if unknown:
        raise InstrumentError([
            Problem("unknown_instrument", f"'{name}' is not in the library.", choose_from(name, library))
            for name in unknown
        ])  # fmt: skip
    panels = {name: one.loinc.panel for name, one in library.items() if one.loinc and one.loinc.panel}
    times = Counter(panels.values())
    by_panel = {f"{LOINC_SYSTEM}/q/{panel}": name for name, panel in panels.items() if times[panel] == 1}
    return by_panel | {questionnaire_url(one): name for name, one in library.items()} | dict(declared)


def _gather(problems: list[Problem], tasks: Iterable[Callable[[], Result]]) -> list[Result]:
    """Return what the tasks give; those that are refused add to `problems`."""
    given: list[Result] = []
    for task in tasks:
        try:
            given.append(task())
        except InstrumentError as error:
            problems += error.problems
    return given


def _head(place: Place, resource: Node) -> _Head:
    status = text_of(resource, "status", place)
    if status not in (*KEPT_STATUSES, *LEFT_STATUSES):
        raise place.refuse(
            "unknown_status",
            "The status is none of FHIR R4.",
            f"Allowed: {', '.join((*KEPT_STATUSES, *LEFT_STATUSES))}.",
        )
    return _Head(place, resource, status, text_of(resource, "id", place))


def _read_response(head: _Head, reading: _Reading) -> _Response:
    place = head.place
    instrument = _instrument(head, reading)
    answers = _read_answers(head, instrument, reading.ignored_items)
    reference, participant = _participant(head.resource, place)
    day = _day(head.resource, place)
    if not (reading.timepoint or day):
        raise place.refuse("no_timepoint", "'authored' tells no day.", "Name the timepoint of these responses.")
    return _Response(head, reference, participant, reading.timepoint or day, day, instrument, answers)


def _read_answers(head: _Head, instrument: Instrument, ignored_items: Collection[str]) -> Mapping[str, Answer]:
    """Return item id -> answer, of those that were answered."""
    names = name_items(instrument, ignored_items)
    items = {item.id: item for item in instrument.items}
    answers: dict[str, Answer | None] = {}
    problems: list[Problem] = []
    for link_id, code, given in find_items(head.resource, head.place):
        here = replace(head.place, link_id=link_id)
        try:
            item = recognise_item(link_id, code, names, here)
            if item in answers:
                raise here.refuse("answered_twice", "The item is answered twice.", "Keep the answer that holds.")
            if item:
                answers[item] = read_answer(given, items[item], instrument, here)
        except InstrumentError as error:
            problems += error.problems
    if problems:
        raise InstrumentError(problems)
    return {item: answer for item, answer in answers.items() if answer}


def _instrument(head: _Head, reading: _Reading) -> Instrument:
    url = text_of(head.resource, "questionnaire", head.place).partition("|")[0]
    if url in reading.instruments:
        return reading.library[reading.instruments[url]]
    if not url and len(reading.library) == 1:
        return next(iter(reading.library.values()))
    raise head.place.refuse(
        "unknown_questionnaire",
        "It answers a questionnaire that no instrument of the library is known to have.",
        "Name the instrument of its URL in 'questionnaires'; for a variant, give the library that variant.",
    )


def _participant(resource: Node, place: Place) -> tuple[str, str]:
    """Return what the subject refers to, and the participant id in it."""
    subject = resource.get("subject")
    if isinstance(subject, Mapping):
        reference = text_of(subject, "reference", place)
        if reference.startswith("urn:uuid:"):
            return reference, reference.removeprefix("urn:uuid:")
        parts = reference.split("/")
        parts = parts[:-2] if parts[-2:-1] == ["_history"] else parts
        if len(parts) > 1 and RESOURCE_TYPE.fullmatch(parts[-2]) and FHIR_ID.fullmatch(parts[-1]):
            return "/".join(parts), parts[-1]
        identifier = subject.get("identifier")
        if not reference and isinstance(identifier, Mapping):
            value = text_of(identifier, "value", place).strip()
            if value and value.isprintable():
                return f"{text_of(identifier, 'system', place)}|{value}", value
    raise place.refuse(
        "no_subject",
        "The subject is neither a reference such as Patient/<id> nor an identifier with a value.",
        "Export the response with its subject.",
    )


def _day(resource: Node, place: Place) -> str:
    authored = text_of(resource, "authored", place)
    full = DATE_TIME.fullmatch(authored)
    if full:
        try:
            return datetime.date.fromisoformat(full[1]).isoformat()
        except ValueError:
            pass
    elif not authored or PARTIAL_DATE.fullmatch(authored):
        return ""
    raise place.refuse("not_a_date", "'authored' is no FHIR dateTime.", "Write it as 2025-03-31T10:00:00Z.")


def _shared_ids(responses: Sequence[_Response]) -> list[Problem]:
    """Return a problem for every participant id that comes from two different subjects."""
    first: dict[str, str] = {}
    return [
        problem
        for one in responses
        if first.setdefault(one.participant_id, one.reference) != one.reference
        for problem in one.head.place.refuse(
            "subject_unclear",
            "Its subject has the id of another subject, of another kind or on another server.",
            "Read the bundles of each kind and server on their own.",
        ).problems
    ]


def _keep_one_each(
    responses: Sequence[_Response], same: Callable[[_Response], Hashable], problems: list[Problem], left: Counter[str]
) -> list[_Response]:
    """Return one response of those that are the same, preferring an amended one; `left` counts the others."""
    groups: dict[Hashable, list[_Response]] = {}
    for one in responses:
        groups.setdefault(same(one), []).append(one)
    return _gather(problems, [partial(_choose, group, left) for group in groups.values()])


def _choose(group: Sequence[_Response], left: Counter[str]) -> _Response:
    candidates = [one for one in group if one.head.status == "amended"] or group
    chosen, content = candidates[0], candidates[0].content
    differing = next((one for one in candidates if one.content != content), None)
    if differing:
        raise differing.head.place.refuse(
            "answered_twice",
            f"It differs from resource {chosen.head.place.resource}, which has the same id, or the same participant, "
            "timepoint and instrument.",
            "Keep the one that holds, or mark the other as entered-in-error.",
        )
    repeated = sum(one.content == content for one in group) - 1
    left["repeated"] += repeated
    left["superseded"] += len(group) - 1 - repeated
    return chosen


def _table(responses: Sequence[_Response], source: str) -> pd.DataFrame:
    missing = Answer("", math.nan)
    rows = [
        (
            one.participant_id, one.timepoint, one.instrument.id, item.id, answer.raw, answer.value,
            "blank" if answer is missing else "", one.answered_on, source, one.head.place.resource,
        )
        for one in responses for item in one.instrument.items
        for answer in [one.answers.get(item.id, missing)]
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=list(RESPONSE_DTYPES)).astype(RESPONSE_DTYPES)


def _shortened(problems: Sequence[Problem]) -> list[Problem]:
    more = len(problems) - MOST_PROBLEMS
    if more <= 0:
        return list(problems)
    return [
        *problems[:MOST_PROBLEMS],
        Problem("more_problems", f"There are {more} more problems.", "Mend these first, then read again."),
    ]
