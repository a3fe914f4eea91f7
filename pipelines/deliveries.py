"""From files to rows and cells: what each source says, in the words of the study, nothing judged yet."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from data_contracts.errors import Problem
from data_contracts.quarantine import SetAside
from instruments import Instrument
from pipelines.consistency import ROLES
from pipelines.errors import PipelineError
from pipelines.sources import ERRORS, RawTable, check_columns, read_source
from pipelines.study import Source, Study, item_columns

ROW = ["source", "source_row"]
UNDECLARED = "undeclared: "
"""Stands before a code that study.yaml does not translate; no id can look like it."""


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


@dataclass(frozen=True, slots=True)
class Delivery:
    """One file as read, with its declaration."""

    declared: Source
    table: RawTable
    fingerprint: str


def read_deliveries(study: Study, data_root: Path, library: Mapping[str, Instrument]) -> tuple[Delivery, ...]:
    """Read every file of every source.

    Raises
    ------
    PipelineError
        With every problem of every file: not there, not readable, a column missing.
    """
    problems: list[Problem] = []
    deliveries: list[Delivery] = []
    for source in study.sources:
        for path in _find_files(source, data_root, problems):
            name = path.relative_to(data_root).as_posix()
            try:
                table = read_source(path, name, source)
            except PipelineError as error:
                problems += error.problems
                continue
            problems += check_columns(
                table,
                [
                    *_needed_columns(source),
                    *[
                        (cell.column, cell.name)
                        for wide in _occasions(source)
                        for cell in list_cells(study, source, library, wide)
                    ],
                ],
            )
            deliveries.append(Delivery(source, table, hashlib.sha256(path.read_bytes()).hexdigest()))
    problems += _find_tables_twice(deliveries) + _find_columns_twice(study, deliveries, library)
    if problems:
        raise PipelineError(problems)
    return tuple(deliveries)


def list_identical_files(deliveries: Sequence[Delivery]) -> list[SetAside]:
    """Return a line for each row of a file whose bytes and table an earlier file of the same declaration has already.

    The table counts too: what is read of a file may stand in another file beside it.
    """
    seen: dict[tuple[int, str], Delivery] = {}
    lines = []
    for delivery in deliveries:
        name = delivery.table.source
        earlier = seen.setdefault((id(delivery.declared), delivery.fingerprint), delivery)
        first = earlier.table.source
        if earlier is not delivery and delivery.table.cells.equals(earlier.table.cells):
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


def list_cells(study: Study, source: Source, library: Mapping[str, Instrument], wide: str | None) -> list[Cell]:
    """Return the cells of one occasion of a source: items, delivered scores, covariates, date."""
    cells: list[Cell] = []
    for name, columns in source.instruments.items():
        instrument = library[name]
        items = instrument.items if columns.items else []
        for item, column in zip(items, item_columns(columns, len(items), wide), strict=True):
            limits = f"{name} {item.response_set}"
            has_options = bool(instrument.response_sets[item.response_set].options)
            options, range_ = (limits, "") if has_options else ("", limits)
            cells.append(Cell(column, "item", f"{name} {item.id}", options_of=options, range_of=range_))
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
            told = source.participant_columns[covariate.id]
            cells.append(Cell(told.column, "covariate", covariate.id, "", range_, levels, told.values))
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
        for wide in _occasions(delivery.declared):
            cells = list_cells(study, delivery.declared, library, wide)
            names |= {cell.name for cell in cells if cell.kind in ("item", "score")}
        told[delivery.table.source] = names
    topics: list[set[str]] = []
    for names in told.values():
        apart = [topic for topic in topics if not topic & names]
        topics = [*apart, names.union(*(topic for topic in topics if topic & names))]
    return {table: min(topic) for table, names in told.items() for topic in topics if topic & names}


def list_rows(study: Study, delivery: Delivery, library: Mapping[str, Instrument]) -> pd.DataFrame:
    """Return one line per source row and timepoint: who, when, arm, group, site, and what was answered.

    The timepoint and arm are those of the study where the code is declared, and marked as `UNDECLARED` where not.
    Missing codes and the error values of a spreadsheet are no id, no arm, no group and no site. ``answers`` holds
    items and scores with their names in one text, ``setting`` everything else that the row tells.
    """
    source, text = delivery.declared, delivery.table.cells
    nothing = {*study.missing_codes, *ERRORS}
    frames = []
    for wide, timepoint in _occasions(source).items():
        ids = text[source.participant_id].str.strip()
        frame = pd.DataFrame({"source": delivery.table.source, "source_row": text.index})
        frame["participant_id"] = ids.where(~ids.isin(nothing), "").to_numpy()
        frame["timepoint"] = _timepoints(source, text) if timepoint is None else timepoint
        frame["wide"] = wide or ""
        for role in ROLES:
            frame[role] = _role(study, source, role, text, nothing)
        cells = list_cells(study, source, library, wide)
        frame["answers"] = _in_one_text(text, [cell for cell in cells if cell.kind in ("item", "score")])
        frame["setting"] = _in_one_text(text, [cell for cell in cells if cell.kind in ("covariate", "date")])
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)


def _in_one_text(text: pd.DataFrame, cells: Sequence[Cell]) -> list[str]:
    columns = [(cell.name, text[cell.column].str.strip()) for cell in cells]
    named = [[f"{name}={value}" if value else "" for value in column] for name, column in columns]
    return ["\x1f".join(filter(None, row)) for row in zip(*named, strict=True)] if named else [""] * len(text)


def _find_tables_twice(deliveries: Sequence[Delivery]) -> list[Problem]:
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
    problems = []
    for delivery in deliveries:
        for wide in _occasions(delivery.declared):
            columns = [cell.column for cell in list_cells(study, delivery.declared, library, wide)]
            problems += [
                Problem(
                    "column_used_twice",
                    f"The column '{column}' is read as more than one item, score, covariate or date.",
                    "Correct the column names in study.yaml.",
                    delivery.table.source,
                    1,
                    column,
                )
                for column in dict.fromkeys(columns)
                if columns.count(column) > 1
            ]
    return problems


def _find_files(source: Source, data_root: Path, problems: list[Problem]) -> list[Path]:
    if Path(source.path).is_absolute() or ".." in Path(source.path).parts:
        problems.append(
            Problem(
                "path_outside",
                "A source path must stay inside the data folder.",
                "Write it relative to the data folder.",
                source.path,
            )
        )
        return []
    pattern = source.path.replace("[", "[[]")
    try:
        found = sorted(path for path in data_root.glob(pattern) if path.is_file())
    except (ValueError, IndexError, NotImplementedError):
        found = []
    inside = [path for path in found if path.resolve().is_relative_to(data_root.resolve())]
    paths = [path for path in inside if not path.name.startswith(("~$", "."))]
    if any("\udc80" <= character <= "\udcff" for path in paths for character in str(path)):
        problems.append(Problem("file_name", "A file name is not UTF-8 text.", "Rename the file.", source.path))
        return []
    if not paths:
        problems.append(
            Problem(
                "file_missing",
                "No file has this name in the data folder.",
                "Deliver it, correct 'path' in study.yaml, or name the data folder with --data-root.",
                source.path,
            )
        )
    return paths


def _needed_columns(source: Source) -> Iterator[tuple[str, str]]:
    yield source.participant_id, "participant_id"
    if source.timepoint.column:
        yield source.timepoint.column, "timepoint"
    for name, column in source.participant_columns.items():
        yield column.column, name


def _occasions(source: Source) -> Mapping[str | None, str | None]:
    if source.timepoint.wide is None:
        return {None: source.timepoint.fixed}
    return {code: timepoint for code, timepoint in source.timepoint.wide.items()}  # noqa: C416 - the type of the keys differs


def _occasion(column: str, wide: str | None) -> str:
    return column.replace("{t}", wide or "")


def _role(study: Study, source: Source, role: str, text: pd.DataFrame, nothing: Collection[str]) -> Sequence[str] | str:
    if role not in source.participant_columns:
        return study.arms[0].id if role == "arm" and study.design == "single_group" else ""
    declared = source.participant_columns[role]
    return _translate(text[declared.column], declared.values, nothing)


def _timepoints(source: Source, text: pd.DataFrame) -> list[str]:
    return _translate(text[source.timepoint.column], source.timepoint.values)


def _translate(column: pd.Series, values: Mapping[str, str] | None, nothing: Collection[str] = ()) -> list[str]:
    """Return the study's ids for the codes of a column; a code that `values` does not declare is marked."""
    codes = ["" if code in nothing else code for code in column.str.strip()]
    return codes if values is None else [values.get(code, f"{UNDECLARED}{code}") if code else "" for code in codes]
