"""Lines of interviews: what each row says of whom, which excerpt, coder and theme, nothing judged yet."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

import pandas as pd

from pipelines.corrections import Correction
from pipelines.deliveries import ExportFile
from pipelines.interviews.declarations import InterviewsSource
from pipelines.lists import plain_cells, read_lists
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
    """Read every table of coded interviews, and apply the corrections log, as `read_lists` does."""
    sources = [(source, source.columns) for source in study.interviews]
    return tuple(
        InterviewFile(cast("InterviewsSource", file.declared), file.table, file.fingerprint, file.unused)
        for file in read_lists(study, sources, "interviews", data_root, taken, corrections, key)
    )


def list_judgements(study: Study, file: InterviewFile) -> pd.DataFrame:
    """Return one line per source row: participant_id, excerpt, coder, theme, quotation and consented, as delivered.

    A code of a theme that is not declared is marked; where a coder found none it is `NO_THEME`. Case and spaces do not
    count in the name of a coder: one coder who were counted as two would agree with herself.
    """
    source, text = file.declared, file.table.without_missing()
    nothing = {*study.missing_codes, *ERRORS}
    lines = pd.DataFrame({"source": file.table.source, "source_row": text.index})
    lines["participant_id"] = ["" if who.startswith(UNLINKED) else who for who in list_ids(file, nothing)]
    lines["excerpt"] = plain_cells(text[source.excerpt], nothing)
    lines["coder"] = [plain_label(told) for told in plain_cells(text[source.coder], nothing)]
    codes = plain_cells(text[source.theme.column], nothing)
    lines["theme"] = [source.theme.values.get(code, f"{UNDECLARED}{code}") if code else NO_THEME for code in codes]
    lines["quotation"], lines["consented"] = "", ""
    if source.quotation and source.consented:
        told = plain_cells(text[source.consented.column], nothing)
        lines["quotation"] = plain_cells(text[source.quotation], nothing)
        lines["consented"] = [source.consented.values.get(code, UNKNOWN) if code else "" for code in told]
    return lines
