"""Lists beside the answers, of events or of coded interviews: their files, cells, and rows that are not set aside."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path

import numpy as np
import pandas as pd

from data_contracts.errors import Problem
from data_contracts.quarantine import SetAside
from pipelines.corrections import Correction, correct_table
from pipelines.declarations import Export
from pipelines.deliveries import ROW, ExportFile, read_files
from pipelines.errors import PipelineError
from pipelines.study import Study


def read_lists(
    study: Study,
    sources: Sequence[tuple[Export, Sequence[tuple[str, str]]]],
    what: str,
    data_root: Path,
    taken: Collection[str],
    corrections: Sequence[Correction] = (),
    key: bytes = b"",
) -> tuple[ExportFile, ...]:
    """Read every file of some sources, and apply the corrections log.

    Parameters
    ----------
    study : Study
        The study definition.
    sources : sequence of (Export, columns)
        Each with the columns that it tells of, and what for.
    what : str
        What the lists hold, as it stands after the name of a table that something else is read from too: ``(events)``,
        and ``(events 2)`` where a second source reads it.
    data_root : Path
        Folder that the paths are relative to.
    taken : collection of str
        Tables that something else is read from.
    corrections : sequence of Correction
        The corrections log.
    key : bytes
        As in `tell_file`.

    Raises
    ------
    PipelineError
        With every problem of every file: not there, not readable, a column missing, a correction that does not fit.
    """
    problems: list[Problem] = []
    files: list[ExportFile] = []
    known = set(taken)
    for source, columns in sources:
        for file in read_files(study, source, columns, data_root, problems, key):
            name = _own_name(file.table.source, what, known)
            known.add(name)
            aside = tuple(replace(line, source=name) for line in file.table.set_aside)
            files.append(replace(file, table=replace(file.table, source=name, set_aside=aside)))
    if problems:
        raise PipelineError(problems)
    return tuple(replace(file, table=correct_table(file.table, corrections)) for file in files)


def plain_cells(column: pd.Series, nothing: Collection[str]) -> list[str]:
    """Return the cells of a column without the spaces around them; what is in `nothing` is blank."""
    return ["" if told in nothing else told for told in column.str.strip()]


def drop_set_aside(lines: pd.DataFrame, aside: Sequence[SetAside]) -> pd.DataFrame:
    """Return the lines of source rows that were not set aside."""
    gone = {(line.source, line.source_row) for line in aside}
    is_gone = [place in gone for place in zip(*(lines[name] for name in ROW), strict=True)]
    return lines[~np.array(is_gone, dtype=bool)].reset_index(drop=True)


def _own_name(table: str, what: str, taken: Collection[str]) -> str:
    """Return a name that no table has yet."""
    names = (f"{table} ({what}{f' {number}' if number > 1 else ''})" for number in count(1))
    return table if table not in taken else next(name for name in names if name not in taken)
