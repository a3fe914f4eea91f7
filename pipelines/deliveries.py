"""From files to rows: what each export says of whom and when, in the words of the study, nothing judged yet."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from data_contracts.errors import Problem
from data_contracts.quarantine import SetAside
from instruments import Instrument
from pipelines.declarations import Export, Source, item_columns
from pipelines.errors import PipelineError
from pipelines.exports import find_files, tell_file
from pipelines.sources import RawTable, check_columns, read_source
from pipelines.study import Study
from pipelines.texts import plain_label

ROW = ["source", "source_row"]


@dataclass(frozen=True, slots=True)
class Cell:
    """Where one cell of a delivery stands and what it is held against."""

    column: str
    kind: str
    name: str
    options_of: str = ""
    range_of: str = ""
    levels_of: str = ""
    values: Mapping[str, str] | None = None
    labels: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class ExportFile:
    """One file as read, with its declaration.

    `table` has the columns that study.yaml names, under these names; nothing else of the file goes on but the names of
    the other columns (`unused`).
    """

    declared: Export
    table: RawTable
    fingerprint: str
    unused: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Delivery(ExportFile):
    """A file with answers, scores or characteristics of participants."""

    declared: Source


def read_deliveries(
    study: Study, data_root: Path, library: Mapping[str, Instrument], key: bytes = b""
) -> tuple[Delivery, ...]:
    """Read every file of every source; `key` is that of `tell_file`.

    Raises
    ------
    PipelineError
        With every problem of every file: not there, not readable, a column missing.
    """
    problems: list[Problem] = []
    deliveries: list[Delivery] = []
    for source in study.sources:
        wanted = _wanted_columns(study, source, library)
        deliveries += [
            Delivery(source, file.table, file.fingerprint, file.unused)
            for file in read_files(study, source, wanted, data_root, problems, key)
        ]
    problems += find_tables_twice(deliveries) + _find_columns_twice(study, deliveries, library)
    if problems:
        raise PipelineError(problems)
    return tuple(deliveries)


def read_files(
    study: Study,
    source: Export,
    wanted: Sequence[tuple[str, str]],
    data_root: Path,
    problems: list[Problem],
    key: bytes,
) -> list[ExportFile]:
    """Read every file of one declaration, of which the columns that are `wanted` (name, what for) are kept.

    What hinders is added to `problems`: a file is not there or not readable, a column is missing or wanted twice.
    """
    files = []
    for path in find_files(source.path, data_root, problems):
        name = tell_file(path.relative_to(data_root), source.path, study, key)
        try:
            table = read_source(path, name, source)
        except PipelineError as error:
            problems += error.problems
            continue
        known = {column: find_column(table, column) for column in dict.fromkeys(name for name, _ in wanted)}
        problems += check_columns(table, [(known[column] or column, purpose) for column, purpose in wanted])
        kept = {found: column for column, found in known.items() if found is not None}
        problems += [
            Problem(
                "column_used_twice",
                f"The columns '{column}' and '{kept[found]}' of study.yaml are one column of the file.",
                "Call it by one name.",
                table.source,
                table.header_row,
                column,
            )
            for column, found in known.items()
            if found is not None and kept[found] != column
        ]
        unused = tuple(str(column) for column in table.cells.columns if column not in kept)
        fingerprint = hashlib.sha256(path.read_bytes()).hexdigest()
        files.append(ExportFile(source, _take_columns(table, kept), fingerprint, unused))
    return files


def find_column(table: RawTable, name: str) -> str | None:
    """Return the column of that name, or else the one column of that question; None without any.

    Spaces and case do not count in a question.
    """
    if name in table.cells.columns:
        return name
    asked = [column for column, question in table.questions.items() if plain_label(question) == plain_label(name)]
    return asked[0] if len(asked) == 1 and asked[0] in table.cells.columns else None


def list_identical_files(deliveries: Sequence[ExportFile]) -> list[SetAside]:
    """Return a line for each row of a file that an earlier file of the same declaration holds already.

    Files are the same where bytes and table are: what is read of a file may stand in another file beside it. Anonymous
    files, of which no row can be told to be another's again, are the same where the tables are and tell the timepoint
    in the same way, whatever the format and the source.
    """
    seen: dict[object, ExportFile] = {}
    lines = []
    for delivery in deliveries:
        name = delivery.table.source
        anonymous = delivery.declared.participant_id.anonymous
        identity = _tell_content(delivery) if anonymous else (id(delivery.declared), delivery.fingerprint)
        earlier = seen.setdefault(identity, delivery)
        first = earlier.table.source
        if earlier is not delivery and (anonymous or delivery.table.cells.equals(earlier.table.cells)):
            lines += [
                SetAside(
                    name,
                    int(row),
                    "",
                    "identical_file",
                    "excluded",
                    f"The file is the same as {first}.",
                    "Remove one of the two.",
                )
                for row in delivery.table.cells.index
            ]
    return lines


def _tell_content(delivery: ExportFile) -> str:
    """Return a fingerprint of a table's cells, columns and timepoint, whatever its row numbers."""
    cells = delivery.table.cells.map(str.strip)
    timepoint = delivery.declared.model_dump_json(include={"timepoint"})
    rows = [[timepoint], list(map(str, cells.columns)), *cells.to_numpy().tolist()]
    return hashlib.sha256("\x1e".join("\x1f".join(row) for row in rows).encode()).hexdigest()


def list_cells(
    study: Study, source: Source, library: Mapping[str, Instrument], wide: str, timepoint: str
) -> list[Cell]:
    """Return the cells of one occasion of a source: items, delivered scores, covariates, date."""
    cells: list[Cell] = []
    for name, columns in source.instruments.items():
        instrument = library[name]
        told = columns.items_at(timepoint)
        items = instrument.items if told else []
        sets = [study.label_sets[one] for one in columns.labels]
        texts = {plain_label(text): f"{code:g}" for labels in sets for text, code in labels.items()}
        for item, column in zip(items, item_columns(told, len(items), wide), strict=True):
            limits = f"{name} {item.response_set}"
            has_options = bool(instrument.response_sets[item.response_set].options)
            options, range_ = (limits, "") if has_options else ("", limits)
            if column is not None:
                cells.append(Cell(column, "item", f"{name} {item.id}", options, range_, labels=texts or None))
        cells += [
            Cell(_occasion(column, wide), "score", f"{name}.{score}", range_of=f"{name}.{score}")
            for score, column in columns.delivered.items()
        ]
    cells += [
        Cell(_occasion(column, wide), "score", measure, range_of=measure) for measure, column in source.scores.items()
    ]
    for covariate in study.covariates:
        if covariate.id in source.participant_columns:
            range_, levels = (covariate.id, "") if covariate.kind == "number" else ("", covariate.id)
            told_by = source.participant_columns[covariate.id]
            cells.append(Cell(told_by.column, "covariate", covariate.id, "", range_, levels, told_by.values))
    if source.answered_on:
        cells.append(Cell(_occasion(source.answered_on.column, wide), "date", "answered_on"))
    return cells


def find_topics(study: Study, deliveries: Sequence[Delivery], library: Mapping[str, Instrument]) -> dict[str, str]:
    """Return table -> topic: tables that tell any of the same items or scores have one topic.

    Of a participant and timepoint there is one row per topic, so that questionnaires may be split over files, and arms,
    groups or covariates may come in a file of their own. Tables of one declaration always have one topic.
    """
    told: dict[str, set[str]] = {}
    for delivery in deliveries:
        names = {f"declared {study.sources.index(delivery.declared)}"}
        for wide, timepoint in delivery.declared.timepoint.occasions:
            cells = list_cells(study, delivery.declared, library, wide, timepoint)
            names |= {cell.name for cell in cells if cell.kind in ("item", "score")}
        told[delivery.table.source] = names
    topics: list[set[str]] = []
    for names in told.values():
        apart = [topic for topic in topics if not topic & names]
        topics = [*apart, names.union(*(topic for topic in topics if topic & names))]
    return {table: min(topic) for table, names in told.items() for topic in topics if topic & names}


def _take_columns(table: RawTable, kept: Mapping[str, str]) -> RawTable:
    """Return a table with the columns that are kept, called as study.yaml calls them."""
    return replace(
        table,
        cells=table.cells[list(kept)].rename(columns=kept),
        questions={kept[column]: question for column, question in table.questions.items() if column in kept},
        answers={kept[column]: answers for column, answers in table.answers.items() if column in kept},
        missing={kept[column]: missing for column, missing in table.missing.items() if column in kept},
    )


def _wanted_columns(study: Study, source: Source, library: Mapping[str, Instrument]) -> list[tuple[str, str]]:
    """Return every column that study.yaml names for a source, and what it is for."""
    wanted = [(column, "participant_id") for column in source.participant_id.columns]
    if source.timepoint.column:
        wanted.append((source.timepoint.column, "timepoint"))
    wanted += [(column.column, name) for name, column in source.participant_columns.items()]
    for wide, timepoint in source.timepoint.occasions:
        told_by = source.quality.columns if source.quality else []
        wanted += [(_occasion(column, wide), "quality") for column in told_by]
        wanted += [(cell.column, cell.name) for cell in list_cells(study, source, library, wide, timepoint)]
    return list(dict.fromkeys(wanted))


def find_tables_twice(deliveries: Sequence[ExportFile]) -> list[Problem]:
    """Return a problem for each table that is read more than once."""
    names = [delivery.table.source for delivery in deliveries]
    return [
        Problem(
            "table_twice",
            "More than one source reads this table.",
            "Declare it once: a file with several timepoints in its columns is 'timepoint: {wide: ...}'.",
            name,
        )
        for name in dict.fromkeys(names)
        if names.count(name) > 1
    ]


def _find_columns_twice(
    study: Study, deliveries: Sequence[Delivery], library: Mapping[str, Instrument]
) -> list[Problem]:
    problems: dict[tuple[str, str], Problem] = {}
    for delivery in deliveries:
        for wide, timepoint in delivery.declared.timepoint.occasions:
            columns = [cell.column for cell in list_cells(study, delivery.declared, library, wide, timepoint)]
            problems |= {
                (delivery.table.source, column): Problem(
                    "column_used_twice",
                    f"The column '{column}' is read as more than one item, score, covariate or date.",
                    "Correct the column names in study.yaml.",
                    delivery.table.source,
                    delivery.table.header_row,
                    column,
                )
                for column in dict.fromkeys(columns)
                if columns.count(column) > 1
            }
    return list(problems.values())


def _occasion(column: str, wide: str) -> str:
    return column.replace("{t}", wide)
