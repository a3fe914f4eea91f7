"""Lines of interviews: what each row says of whom, which excerpt, coder and theme, nothing judged yet."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Final

import pandas as pd

from data_contracts.errors import Problem
from pipelines.corrections import Correction, correct_table
from pipelines.deliveries import ExportFile, read_files
from pipelines.errors import PipelineError
from pipelines.interviews.declarations import InterviewsSource
from pipelines.rows import UNDECLARED, UNLINKED, list_ids
from pipelines.sources import ERRORS
from pipelines.study import Study
from pipelines.texts import plain_label

NO_THEME: Final = "no theme"
"""Stands for the theme of a row in which a coder found none; no id can look like it."""
YES, NO, UNKNOWN = "yes", "no", "unknown"
"""Whether somebody may be quoted; blank where it is not told."""


@dataclass(frozen=True, slots=True)
class InterviewFile(ExportFile):
    """A file with coded interviews."""

    declared: InterviewsSource


def read_interview_files(
    study: Study, data_root: Path, taken: Collection[str], corrections: Sequence[Correction] = (), key: bytes = b""
) -> tuple[InterviewFile, ...]:
    """Read every table of coded interviews, and apply the corrections log.

    Parameters
    ----------
    study : Study
        The study definition.
    data_root : Path
        Folder that the paths are relative to.
    taken : collection of str
        Tables that something else is read from; one of them that holds interviews too has ``(interviews)`` after its
        name, and ``(interviews 2)`` where a second source of interviews reads it.
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
    files: list[InterviewFile] = []
    known = set(taken)
    for source in study.interviews:
        for file in read_files(study, source, source.columns, data_root, problems, key):
            name = _own_name(file.table.source, known)
            known.add(name)
            aside = tuple(replace(line, source=name) for line in file.table.set_aside)
            table = replace(file.table, source=name, set_aside=aside)
            files.append(InterviewFile(source, table, file.fingerprint, file.unused))
    if problems:
        raise PipelineError(problems)
    return tuple(replace(file, table=correct_table(file.table, corrections)) for file in files)


def list_judgements(study: Study, file: InterviewFile) -> pd.DataFrame:
    """Return one line per source row: participant_id, excerpt, coder, theme, quotation and consented, as delivered.

    A code of a theme that is not declared is marked; where a coder found none it is `NO_THEME`. Case and spaces do not
    count in the name of a coder: one coder who were counted as two would agree with herself.
    """
    source, text = file.declared, file.table.without_missing()
    nothing = {*study.missing_codes, *ERRORS}
    lines = pd.DataFrame({"source": file.table.source, "source_row": text.index})
    lines["participant_id"] = ["" if who.startswith(UNLINKED) else who for who in list_ids(file, nothing)]
    lines["excerpt"] = _plain(text[source.excerpt], nothing)
    lines["coder"] = [plain_label(told) for told in _plain(text[source.coder], nothing)]
    codes = _plain(text[source.theme.column], nothing)
    lines["theme"] = [source.theme.values.get(code, f"{UNDECLARED}{code}") if code else NO_THEME for code in codes]
    lines["quotation"], lines["consented"] = "", ""
    if source.quotation and source.consented:
        told = _plain(text[source.consented.column], nothing)
        lines["quotation"] = _plain(text[source.quotation], nothing)
        lines["consented"] = [source.consented.values.get(code, UNKNOWN) if code else "" for code in told]
    return lines


def _plain(column: pd.Series, nothing: Collection[str]) -> list[str]:
    return ["" if told in nothing else told for told in column.str.strip()]


def _own_name(table: str, taken: Collection[str]) -> str:
    """Return a name that no table has yet."""
    names = (f"{table} (interviews{f' {number}' if number > 1 else ''})" for number in count(1))
    return table if table not in taken else next(name for name in names if name not in taken)
