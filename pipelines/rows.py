"""The rows of a delivery in the words of the study: who, when, arm, group, site; and what each tells in one text."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Final

import numpy as np
import pandas as pd

from instruments import Instrument
from pipelines.consistency import ROLES
from pipelines.declarations import Source
from pipelines.deliveries import Cell, Delivery, ExportFile, list_cells
from pipelines.sources import ERRORS
from pipelines.study import Study
from pipelines.texts import plain_label, plain_number, read_day, with_decimal_point

UNDECLARED: Final = "undeclared: "
"""Stands before a code that study.yaml does not translate; no id can look like it."""
UNLINKED: Final = "unlinked: "
"""Stands before the place of a row that tells nobody's id, in an anonymous export; no id can look like it."""
CODE_SEPARATOR: Final = "\x1f"
"""Stands between the parts of a self-generated code."""


def list_rows(study: Study, delivery: Delivery, library: Mapping[str, Instrument]) -> pd.DataFrame:
    """Return one line per source row and timepoint: who, when, arm, group, site, and whether anything was answered.

    The timepoint and arm are those of the study where the code is declared, and marked as `UNDECLARED` where not.
    Missing codes and the error values of a spreadsheet are no id, no arm, no group and no site.
    """
    source, text, said = delivery.declared, delivery.table.cells, delivery.table.without_missing()
    nothing = {*study.missing_codes, *ERRORS}
    told = source.timepoint
    timepoints = pd.Series(_translate(said[told.column], told.values) if told.column else "", index=text.index)
    frames = []
    for wide in dict.fromkeys(wide for wide, _ in told.occasions):
        frame = pd.DataFrame({"source": delivery.table.source, "source_row": text.index})
        frame["participant_id"] = list_ids(delivery, nothing).to_numpy()
        frame["timepoint"] = timepoints.to_numpy() if told.column else dict(told.occasions)[wide]
        frame["wide"] = wide
        for role in ROLES:
            frame[role] = _role(study, source, role, said, nothing)
        columns = _columns_of(study, source, library, wide, "item", "score")
        spoken = [text[column].str.strip().ne("").to_numpy() for column in columns]
        frame["answers_anything"] = np.logical_or.reduce(spoken) if spoken else False
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)


def list_ids(delivery: ExportFile, nothing: Collection[str] = ()) -> pd.Series:
    """Return the id of each row of a table, as delivered; a self-generated code as its parts in plain spelling.

    Spaces around an id do not count, and what is in `nothing` is none. A row of an anonymous export, or with a part of
    a self-generated code left out, is a person of its own: nothing links it.
    """
    told, text = delivery.declared.participant_id, delivery.table.without_missing()
    parts = [text[column].str.strip() for column in told.columns]
    if told.column:
        return parts[0].where(~parts[0].isin(nothing), "")
    own = pd.Series([f"{UNLINKED}{delivery.table.source} {row}" for row in text.index], index=text.index)
    if told.anonymous:
        return own
    plain = [part.map(partial(_plain_part, nothing=nothing)) for part in parts]
    whole = plain[0].str.cat(plain[1:], sep=CODE_SEPARATOR)
    complete = pd.concat(plain, axis=1).ne("").all(axis=1)
    return whole.where(complete, own)


def tell_rows(study: Study, delivery: Delivery, library: Mapping[str, Instrument], rows: pd.DataFrame) -> pd.DataFrame:
    """Return what rows of a table tell, each in one text: ``answers`` (items and scores), ``setting`` (the rest)."""
    told = pd.DataFrame({"answers": "", "setting": ""}, index=rows.index)
    answered_on = delivery.declared.answered_on
    date_format = answered_on.format if answered_on else ""
    for (wide, timepoint), mine in rows.groupby(["wide", "timepoint"], sort=False):
        text = delivery.table.cells.loc[mine["source_row"]]
        cells = list_cells(study, delivery.declared, library, str(wide), str(timepoint))
        for name, kinds in (("answers", ("item", "score")), ("setting", ("covariate", "date"))):
            own = [cell for cell in cells if cell.kind in kinds]
            told.loc[mine.index, name] = _in_one_text(
                text, own, date_format, decimal_comma=delivery.table.decimal_comma
            )
    return told


def _in_one_text(text: pd.DataFrame, cells: Sequence[Cell], date_format: str, *, decimal_comma: bool) -> list[str]:
    plain = partial(_plain_cell, date_format=date_format, decimal_comma=decimal_comma)
    columns = [(cell.name, text[cell.column].str.strip().map(partial(plain, cell=cell))) for cell in cells]
    named = [[f"{name}={value}" if value else "" for value in column] for name, column in columns]
    return ["\x1f".join(filter(None, row)) for row in zip(*named, strict=True)] if named else [""] * len(text)


def _plain_cell(text: str, cell: Cell, date_format: str, *, decimal_comma: bool) -> str:
    """Return what a cell tells, however it is spelled: the day of a time, the code of a label, a number."""
    if cell.kind == "date":
        return read_day(text, date_format) or text
    text = (cell.labels or {}).get(plain_label(text), text)
    if cell.levels_of:
        return text
    return plain_number(with_decimal_point(text) if decimal_comma else text)


def _plain_part(text: str, nothing: Collection[str]) -> str:
    return "" if text in nothing else plain_label(text)


def _role(study: Study, source: Source, role: str, text: pd.DataFrame, nothing: Collection[str]) -> Sequence[str] | str:
    if role not in source.participant_columns:
        return study.arms[0].id if role == "arm" and len(study.arms) == 1 else ""
    declared = source.participant_columns[role]
    return _translate(text[declared.column], declared.values, nothing)


def _translate(column: pd.Series, values: Mapping[str, str] | None, nothing: Collection[str] = ()) -> list[str]:
    """Return the study's ids for the codes of a column; a code that `values` does not declare is marked."""
    codes = ["" if code in nothing else code for code in column.str.strip()]
    return codes if values is None else [values.get(code, f"{UNDECLARED}{code}") if code else "" for code in codes]


def _columns_of(study: Study, source: Source, library: Mapping[str, Instrument], wide: str, *kinds: str) -> list[str]:
    cells = [
        cell
        for known, timepoint in source.timepoint.occasions
        if known == wide
        for cell in list_cells(study, source, library, wide, timepoint)
    ]
    return list(dict.fromkeys(cell.column for cell in cells if cell.kind in kinds))
