"""FHIR R4 QuestionnaireResponses as a table: one row for a participant and day, one column for an item."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import pandas as pd

from data_contracts.errors import Problem
from data_contracts.quarantine import SetAside
from instruments import Instrument, InstrumentError, load_library
from instruments.exchange.fhir_json import MAX_BYTES, Node, Place, find_responses, load_json, text_of
from instruments.exchange.fhir_responses import read_questionnaire_responses
from pipelines.sources.columnar import cell_text
from pipelines.sources.model import RawTable, SourceError, build_table

RESPONSE: Final = "QuestionnaireResponse"
_ADVICE: Final = {
    "unknown_questionnaire": "Nothing to do if it is no part of the study; else answer the library's questionnaire.",
    "unknown_item": "Correct the linkId.",
    "no_timepoint": "Export the response with the day on which it was 'authored'.",
}
"""What to do in a study, where the reader of responses speaks of its own parameters."""


@dataclass(frozen=True, slots=True)
class _Response:
    """A QuestionnaireResponse that could be read on its own."""

    number: int
    resource: Node
    status: str
    resource_id: str
    who_and_what: tuple[str, str, str] = ("", "", "")
    answers: tuple[str, ...] = ()

    @property
    def content(self) -> tuple[object, ...]:
        """What makes two responses the same."""
        return self.who_and_what, self.answers


def read_fhir(
    path: Path,
    source: str,
    *,
    library: Mapping[str, Instrument] | None = None,
    questionnaires: Mapping[str, str] | None = None,
) -> RawTable:
    """Read a Bundle, one QuestionnaireResponse, or NDJSON with one resource to a line.

    The columns are ``participant_id``, ``answered_on`` (the day of `authored`, as written) and
    ``<instrument>_<item>``, such as ``phq-9_1``, with the value that a data file would have, or blank. A record is an
    entry of the bundle or a line of the file, and its row is its number + 1; other resources are no records. Responses
    to several instruments on one day stand in the row of the first, and the others are told as excluded.

    Parameters
    ----------
    path : Path
        JSON in UTF-8, up to 64 MiB.
    source : str
        Name for provenance.
    library : mapping, optional
        Instrument id -> Instrument as it was asked; the library by default.
    questionnaires : mapping, optional
        URL of a questionnaire by others -> instrument id.

    Returns
    -------
    RawTable
        Excluded are responses in progress, entered in error, superseded by an amended one, sent twice. Quarantined are
        those that cannot be read, and all of those that contradict each other.

    Raises
    ------
    SourceError
        No such JSON, a page of a search that has more, one id for two subjects, or no response that may be used.
    """
    library = load_library() if library is None else library
    try:
        numbered, aside = _read_records(path, source)
        whole: list[_Response] = []
        for number, resource in numbered:
            one = _read_one(number, resource, source, library, questionnaires or {})
            whole.append(one) if isinstance(one, _Response) else aside.append(one)
        kept = _leave_out(whole, source, aside)
        if not kept:
            raise _nothing_left(aside, source)
        bundle = _bundle(numbered, {one.number for one in kept})
        read = read_questionnaire_responses(bundle, library, questionnaires=questionnaires, source=source)
    except InstrumentError as error:
        raise SourceError(replace(problem, file=source) for problem in error.problems) from None
    return _table(read.responses, library, source, aside)


def _read_records(path: Path, source: str) -> tuple[list[tuple[int, Node]], list[SetAside]]:
    """Return number and resource of every response in the file, and lines that are no JSON."""
    lines = _split_lines(path, source)
    if lines is None:
        document = load_json(path)
        found, has_more = find_responses(document, Place(source, 1))
        if has_more:
            message = "The bundle is a page of a search that has more pages."
            raise SourceError(Problem("more_pages", message, "Deliver all pages as one bundle or as NDJSON.", source))
        return [(place.resource, resource) for place, resource in found], []
    records: list[tuple[int, Node]] = []
    aside: list[SetAside] = []
    for number, line in lines:
        resource = _parse_line(line)
        if resource is None:
            reason = "The line is no resource of FHIR in JSON, or holds a whole bundle."
            aside.append(SetAside(source, number + 1, "", "not_fhir", "row", reason, "Export it again, whole."))
        elif resource.get("resourceType") == RESPONSE:
            records.append((number, resource))
    return records, aside


def _split_lines(path: Path, source: str) -> list[tuple[int, str]] | None:
    """Return the lines of NDJSON; None for a file that is one document."""
    if path.stat().st_size > MAX_BYTES:
        message = f"The file is larger than {MAX_BYTES >> 20} MiB."
        raise SourceError(Problem("file_too_large", message, "Export it in several files.", source))
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        message = "The file is not encoded in UTF-8."
        raise SourceError(Problem("wrong_encoding", message, "Export it as JSON in UTF-8.", source)) from None
    if not text.strip():
        raise SourceError(Problem("file_empty", "The file is empty.", "Deliver the export again.", source))
    lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    return lines if len(lines) > 1 and any(_parse_line(line) for _, line in lines[:2]) else None


def _parse_line(line: str) -> Node | None:
    """Return the resource in a line; None where it is none, a bundle, or has a key twice."""

    def unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
        if len(dict(pairs)) < len(pairs):
            raise ValueError
        return dict(pairs)

    try:
        resource = json.loads(line, object_pairs_hook=unique)
    except (ValueError, RecursionError):
        return None
    is_resource = isinstance(resource, dict) and resource.get("resourceType") not in (None, "Bundle")
    return resource if is_resource else None


def _read_one(
    number: int, resource: Node, source: str, library: Mapping[str, Instrument], questionnaires: Mapping[str, str]
) -> _Response | SetAside:
    """Return what one response says, or why it cannot be read."""
    place = Place(source, number)
    try:
        status, resource_id = text_of(resource, "status", place), text_of(resource, "id", place)
        read = read_questionnaire_responses(resource, library, questionnaires=questionnaires, source=source)
    except InstrumentError as error:
        first, *more = error.problems
        where = first.key.partition(", ")[2]
        reason = f"{f'{where}: ' if where else ''}{first.message}{f' And {len(more)} more.' if more else ''}"
        advice = _ADVICE.get(first.code, first.how_to_fix)
        return SetAside(source, number + 1, "", first.code, "row", reason, advice)
    rows = read.responses
    if rows.empty:
        return _Response(number, resource, status, resource_id)
    first_row = rows.iloc[0]
    who = (str(first_row["participant_id"]), str(first_row["answered_on"]), str(first_row["instrument"]))
    return _Response(number, resource, status, resource_id, who, tuple(map(cell_text, rows["value"])))


def _leave_out(whole: Sequence[_Response], source: str, aside: list[SetAside]) -> list[_Response]:
    """Return the responses that count; the others are told in `aside`."""

    def tell(one: _Response, rule: str, severity: str, reason: str, advice: str = "Nothing to do.") -> None:
        aside.append(SetAside(source, one.number + 1, "", rule, severity, reason, advice))

    wrong = {one.resource_id for one in whole if one.status == "entered-in-error"} - {""}
    kept = []
    for one in whole:
        if one.status == "entered-in-error" or one.resource_id in wrong:
            tell(one, "entered_in_error", "excluded", "The response was entered in error.")
        elif one.status == "in-progress":
            tell(one, "in_progress", "excluded", "The response is in progress: its answers may still change.")
        else:
            kept.append(one)
    for same in (lambda one: one.resource_id or one.number, lambda one: one.who_and_what):
        kept = _keep_one_each(kept, same, tell)
    return kept


def _keep_one_each(
    responses: Sequence[_Response], same: Callable[[_Response], Hashable], tell: Callable[..., None]
) -> list[_Response]:
    """Return one of those that are the same, an amended one first; none of those that contradict each other."""
    groups: dict[Hashable, list[_Response]] = {}
    for one in responses:
        groups.setdefault(same(one), []).append(one)
    kept = []
    for group in groups.values():
        candidates = [one for one in group if one.status == "amended"] or group
        if any(one.content != candidates[0].content for one in candidates):
            reason = "Another response of this id, or of this participant, day and questionnaire, has other answers."
            advice = "Keep the one that holds, or mark the others as entered-in-error."
            for one in group:
                tell(one, "answered_twice", "row", reason, advice)
            continue
        kept.append(candidates[0])
        for one in group:
            if one is not candidates[0] and one.content == candidates[0].content:
                tell(one, "repeated", "excluded", "Another response says the same.")
            elif one is not candidates[0]:
                tell(one, "superseded", "excluded", "An amended response replaces it.")
    return kept


def _nothing_left(aside: Sequence[SetAside], source: str) -> SourceError:
    counts = "; ".join(f"{rule}: {n}" for rule, n in sorted(Counter(line.rule for line in aside).items()))
    message = f"The file has no response that may be used ({counts or 'none at all'})."
    advice = next((f"{line.reason} {line.how_to_fix}" for line in aside), "Export QuestionnaireResponses.")
    return SourceError(Problem("no_rows", message, advice, source))


def _bundle(numbered: Sequence[tuple[int, Node]], kept: set[int]) -> dict[str, object]:
    """Return a bundle of the responses that count, each in its place."""
    resources = {number: resource for number, resource in numbered if number in kept}
    entries = [{"resource": resources[n]} if n in resources else {} for n in range(1, max(kept) + 1)]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def _table(
    responses: pd.DataFrame, library: Mapping[str, Instrument], source: str, aside: Sequence[SetAside]
) -> RawTable:
    asked = set(responses["instrument"])
    names = [f"{name}_{item.id}" for name in library if name in asked for item in library[name].items]
    rows: dict[tuple[str, str], tuple[int, dict[str, str]]] = {}
    joined: dict[int, int] = {}
    for one in responses.itertuples(index=False):
        row = int(one.source_row) + 1
        first, cells = rows.setdefault((one.participant_id, one.answered_on), (row, {}))
        cells[f"{one.instrument}_{one.item}"] = cell_text(one.value)
        if row != first:
            joined[row] = first
    reason = "Its answers stand in row {}, with those of the same participant and day."
    told = [
        *aside,
        *(
            SetAside(source, row, "", "joined", "excluded", reason.format(first), "Nothing to do.")
            for row, first in joined.items()
        ),
    ]
    records = sorted((row, [*who, *(cells.get(name, "") for name in names)]) for who, (row, cells) in rows.items())
    table = build_table(source, ["participant_id", "answered_on", *names], records)
    told = sorted([*told, *table.set_aside], key=lambda line: line.source_row)
    return replace(table, rows_read=len(records) + len(told), set_aside=tuple(told))
