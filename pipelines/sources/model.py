"""What every reader yields: the text of a table, row by row, and what had to be set aside while reading."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import pandas as pd

from data_contracts.errors import Problem
from data_contracts.quarantine import SetAside
from pipelines.errors import PipelineError
from pipelines.texts import NUMBER

Missing = tuple[float, float] | str
"""Numbers from low to high, or a text, that a file declares to be no answer."""
SOURCE_ROW = "source_row"
_NAN: Final = float("nan")
_ALIKE: Final = 0.5
"""How similar names of columns are that one may be meant for the other (`difflib`)."""


class SourceError(PipelineError):
    """A file cannot be read as declared; nothing of it is used."""


@dataclass(frozen=True, slots=True)
class RawTable:
    """One table of one file, as text.

    Attributes
    ----------
    source : str
        File name relative to the data root, with ``[sheet]`` for a workbook.
    cells : DataFrame
        One row per readable row, all columns ``str`` as in the file (missing cells are empty text), index = row in the
        file (the header is row 1).
    rows_read : int
        Rows below the header, blank and unreadable ones included.
    set_aside : tuple of SetAside
        Rows that could not be read, and rows that hold no participant's answers (blank, a preview, a second header).
    questions : mapping
        Column -> what the export calls it (the question), where it tells.
    answers : mapping
        Column -> code -> label, where it tells.
    header_row : int
        Row of the file with the column names.
    missing : mapping
        Column -> what the file itself declares to be no answer (user-missing): numbers from low to high, or texts.
    decimal_comma : bool
        Whether ``2,5`` is a number where a number is read. Cells stay as they are: ``1,5`` and ``1.5`` are two ids.
    """

    source: str
    cells: pd.DataFrame
    rows_read: int
    set_aside: tuple[SetAside, ...]
    questions: Mapping[str, str] = field(default_factory=dict)
    answers: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    header_row: int = 1
    missing: Mapping[str, Sequence[Missing]] = field(default_factory=dict)
    decimal_comma: bool = False

    def is_missing(self, column: str, text: str) -> bool:
        """Tell whether the file declares a text of a column to be no answer."""
        number = float(text) if NUMBER.fullmatch(text) else _NAN
        return any(
            text == one if isinstance(one, str) else one[0] <= number <= one[1] for one in self.missing.get(column, ())
        )

    def without_missing(self) -> pd.DataFrame:
        """Return the cells, blank where the file declares that what they hold is no answer."""
        cells = self.cells.copy() if self.missing else self.cells
        for column in self.missing:
            texts = cells[column].str.strip()
            known = {text: self.is_missing(column, text) for text in texts.unique()}
            cells[column] = cells[column].mask(texts.map(known).astype("bool"), "")
        return cells


def build_table(
    source: str,
    header: Sequence[str],
    rows: Iterable[tuple[int, Sequence[str]]],
    *,
    number_names: bool = False,
    may_be_empty: bool = False,
) -> RawTable:
    """Hold every row against the header: a fixed number of fields, blank rows excluded, all else kept as text.

    Parameters
    ----------
    source : str
        Name for provenance.
    header : sequence of str
        Column names; spaces around them do not count.
    rows : iterable of (int, sequence of str)
        Row in the file and its fields.
    number_names : bool
        Whether names that stand twice are told apart by a number, see `number_repeated`.
    may_be_empty : bool
        Whether a header without a row says something: nothing happened to anybody.

    Raises
    ------
    SourceError
        The header is empty, a name stands twice or is missing, most rows do not fit the header, or there is none.
    """
    names = [name.strip() for name in header]
    names = number_repeated(names) if number_names else names
    _check_header(source, names)
    kept: list[Sequence[str]] = []
    index: list[int] = []
    aside: list[SetAside] = []
    n_rows = 0
    for row, fields in rows:
        n_rows += 1
        if not any(field.strip() for field in fields):
            aside.append(SetAside(source, row, "", "blank_row", "excluded", "The row is blank.", "Nothing to do."))
        elif len(fields) != len(names):
            aside.append(
                SetAside(
                    source,
                    row,
                    "",
                    "field_count",
                    "row",
                    f"The row has {len(fields)} fields where the header has {len(names)}.",
                    "Correct the row: a delimiter, quote or line break inside an answer is the usual cause.",
                )
            )
        else:
            kept.append(fields)
            index.append(row)
    misfits = sum(line.rule == "field_count" for line in aside)
    if misfits > len(kept):
        raise SourceError(
            Problem(
                "rows_do_not_fit",
                f"{misfits} of {n_rows} rows do not have the {len(names)} fields of the header.",
                "Check the delimiter, and that the header is the first row (of a workbook: or named by 'header_row').",
                source,
                1,
            )
        )
    if not kept and not may_be_empty:
        raise SourceError(
            Problem("no_rows", "The file has a header but no answers.", "Deliver the export again.", source)
        )
    cells = pd.DataFrame(kept, columns=names, index=pd.Index(index, name=SOURCE_ROW), dtype="str")
    return RawTable(source, cells, n_rows, tuple(aside))


def number_repeated(names: Sequence[str]) -> list[str]:
    """Return names with a number after each that stands more than once.

    ``Comments, Comments`` become ``Comments (1), Comments (2)``; the plain text then names no column, so that no
    study can mean one of them and be given the other.
    """
    often, seen = Counter(names), Counter[str]()
    numbered = []
    for name in names:
        seen[name] += 1
        numbered.append(f"{name} ({seen[name]})" if name and often[name] > 1 else name)
    return numbered


def check_columns(table: RawTable, wanted: Sequence[tuple[str, str]]) -> list[Problem]:
    """Return a problem for each wanted (column, what it is for) that the table does not have.

    Where it has none of them, the first row may hold somebody's answers: nothing of it is told.
    """
    have = list(table.cells.columns)
    missing = [(column, purpose) for column, purpose in dict.fromkeys(wanted) if column not in have]
    if missing and len(missing) == len(dict.fromkeys(wanted)):
        names = ", ".join(f"'{column}'" for column, _ in missing[:3])
        return [
            Problem(
                "header_missing",
                f"Row {table.header_row} has none of the declared columns ({names}, ...): it may be no header.",
                "Let the first row be the header (or name it: 'header_row' of a workbook), check the delimiter, or "
                "correct the column names in study.yaml.",
                table.source,
                table.header_row,
            )
        ]
    return [
        Problem(
            "column_missing",
            f"The column '{column}' ({purpose}) is not in the file.",
            f"{_nearest(column, have)}Correct study.yaml, or deliver the file with this column.",
            table.source,
            table.header_row,
            column,
        )
        for column, purpose in missing
    ]


def _nearest(column: str, header: Sequence[str]) -> str:
    """Return the nearest name of a header where it is one word, else its place: a question may hold a person's name."""
    near = difflib.get_close_matches(column, header, n=1, cutoff=_ALIKE)
    if not near:
        return ""
    is_word = re.fullmatch(r"[^\s@]+", near[0])
    return f"Did you mean '{near[0]}'? " if is_word else f"Column {list(header).index(near[0]) + 1} is the nearest. "


def _check_header(source: str, names: Sequence[str]) -> None:
    places: dict[str, list[str]] = {}
    for place, name in enumerate(names, 1):
        places.setdefault(name, []).append(str(place))
    unnamed = places.pop("", [])
    problems = [
        Problem(
            "column_twice",
            f"Columns {', '.join(where)} have the same name in the first row.",
            "Rename the columns; if the first row is no header, let it be one.",
            source,
            1,
        )
        for where in places.values()
        if len(where) > 1
    ]
    if unnamed:
        advice = "Name the columns or remove them; if the header is further down, remove the rows above it."
        problems.append(
            Problem("column_without_name", f"Columns without a name: {', '.join(unnamed)}.", advice, source, 1)
        )
    if problems:
        raise SourceError(problems)
