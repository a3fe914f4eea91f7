"""Cells of deliveries, read once per different text: what each says as a number, a level or a date, and its verdict.

A table of a million rows holds few different answers. Each column is read, and held against the contract, by its
different texts; what came of them is handed to the cells by number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data_contracts import SetAside, Verdict, conform, enforce
from data_contracts.expectations import Parameters
from data_contracts.model import Contract
from instruments import Instrument
from pipelines.deliveries import Cell, Delivery, list_cells
from pipelines.rows import UNDECLARED
from pipelines.study import Study
from pipelines.texts import NUMBER, plain_label, read_day, with_decimal_point

USER_MISSING: Final = "user_missing"
"""Why an answer is missing whose code the file declares to be none, where study.yaml does not say what it means."""
_NAN: Final = float("nan")


@dataclass(frozen=True, slots=True)
class Readings:
    """The cells of all deliveries.

    Attributes
    ----------
    different : DataFrame
        One row per different text of a column at an occasion of a source, as the contract `cells` has it; its
        `source_row` is the first row with that text.
    row, reading : array of int
        For each cell: position of its row among the rows, and of its text in `different`.
    accepted : array of bool
        For each row of `different`: whether it obeys the contract.
    set_aside : tuple of SetAside
        A line for each cell that does not.
    verdicts : tuple of Verdict
        Of the contract; they count cells.
    """

    different: pd.DataFrame
    row: NDArray[np.int64]
    reading: NDArray[np.int64]
    accepted: NDArray[np.bool_]
    set_aside: tuple[SetAside, ...]
    verdicts: tuple[Verdict, ...]

    def of(self, *kinds: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return `row` and `reading` of the cells of some kinds."""
        mine = self.different["kind"].isin(kinds).to_numpy()[self.reading]
        return self.row[mine], self.reading[mine]


def read_cells(
    study: Study,
    files: Sequence[Delivery],
    library: Mapping[str, Instrument],
    rows: pd.DataFrame,
    contract: Contract,
    parameters: Parameters,
) -> Readings:
    """Read the cells of the accepted rows and hold them against the contract `cells`.

    Parameters
    ----------
    study, files, library
        What is declared, what was delivered, and the instruments.
    rows : DataFrame
        Accepted rows as `list_rows` tells them, with pseudonyms; index 0, 1, ...
    contract, parameters
        As in `enforce`.

    Raises
    ------
    DataContractError
        No cell is left, or a rule could not be evaluated.
    """
    parts: list[pd.DataFrame] = []
    row_parts, reading_parts, count = [], [], 0
    for file in files:
        mine = rows[rows["source"] == file.table.source]
        for (wide, timepoint), at in mine.groupby(["wide", "timepoint"], sort=False):
            text = file.table.cells.loc[at["source_row"]]
            for cell in list_cells(study, file.declared, library, str(wide), str(timepoint)):
                codes, raw = pd.factorize(text[cell.column].str.strip())
                first = np.unique(codes, return_index=True)[1]
                parts.append(_read_column(study, file, cell, pd.Series(raw, dtype="str"), at.iloc[first]))
                row_parts.append(at.index.to_numpy(dtype="int64"))
                reading_parts.append(codes.astype("int64") + count)
                count += len(raw)
    row, reading = np.concatenate(row_parts), np.concatenate(reading_parts)
    different = pd.concat(parts, ignore_index=True)
    different, reading = _tell_contradictions(study, different, row, reading, rows)
    different = conform(different, contract)
    checked = enforce(different, contract, parameters, severity="cell", column_of=lambda line, _: line["column"])
    accepted = np.zeros(len(different), dtype=bool)
    accepted[checked.accepted.index] = True
    counts = np.bincount(reading, minlength=len(different))
    return Readings(
        different, row, reading, accepted, _lines_of_cells(checked, different, row, reading, rows),
        tuple(_count_cells(verdict, counts) for verdict in checked.verdicts),
    )  # fmt: skip


def _read_column(study: Study, file: Delivery, cell: Cell, raw: pd.Series, first: pd.DataFrame) -> pd.DataFrame:
    """Read each different text of a column; `first` are the rows where they stand first."""
    known = {"": "", **{code: code for code in study.missing_codes}}
    text = raw
    if cell.values is not None:
        text = raw.map(lambda code: {**cell.values, **known}.get(code, f"{UNDECLARED}{code}"))
    if cell.labels is not None:
        text = raw.map(lambda told: known.get(told, cell.labels.get(plain_label(told), f"{UNDECLARED}{told}")))
    if file.table.decimal_comma and cell.values is None and cell.labels is None and _is_number(cell):
        text = raw.map(lambda told: known.get(told, with_decimal_point(told)))
    date_format = file.declared.answered_on.format if file.declared.answered_on else ""
    read = [
        (_NAN, "", "missing", _why_missing(told, study.missing_codes) or USER_MISSING)
        if file.table.is_missing(cell.column, told)
        else _read_text(one, study.missing_codes, cell.kind, bool(cell.levels_of), date_format)
        for told, one in zip(raw, text, strict=True)
    ]
    values = pd.DataFrame(read, columns=["value", "level", "reading", "missing_reason"])
    return (
        first[["source", "source_row", "participant_id", "timepoint"]]
        .reset_index(drop=True)
        .assign(
            column=cell.column,
            kind=cell.kind,
            name=cell.name,
            raw=raw if cell.kind == "item" else text,
            **{name: values[name] for name in values.columns},
            told="one",
            options_of=cell.options_of,
            range_of=cell.range_of,
            levels_of=cell.levels_of,
        )
    )


def _is_number(cell: Cell) -> bool:
    return cell.kind != "date" and not cell.levels_of


def _why_missing(text: str, missing_codes: Mapping[str, str]) -> str:
    """Return what study.yaml says of a missing code; empty for anything else."""
    number = float(text) if NUMBER.fullmatch(text) else None
    for code, reason in missing_codes.items():
        if text == code or (number is not None and NUMBER.fullmatch(code) and number == float(code)):
            return reason
    return ""


def _tell_contradictions(
    study: Study, different: pd.DataFrame, row: NDArray[np.int64], reading: NDArray[np.int64], rows: pd.DataFrame
) -> tuple[pd.DataFrame, NDArray[np.int64]]:
    """Give the covariate cells that contradict another of the same participant and timepoint a reading of their own.

    What counts is what was read: 44 and 44.0 are one value, and so are two codes of one level.
    """
    is_covariate = ((different["kind"] == "covariate") & (different["missing_reason"] == "")).to_numpy()
    if not is_covariate.any():
        return different, reading
    levels = {(one.id, code): level for one in study.covariates for code, level in (one.levels or {}).items()}
    columns = (different[name] for name in ("name", "value", "level", "raw"))
    told_by = zip(*columns, strict=True)
    spelled = [str(v) if v == v else levels.get((name, level), level or raw) for name, v, level, raw in told_by]
    read = np.array(spelled, dtype=object)
    mine = np.flatnonzero(is_covariate[reading])
    told = pd.Series(read[reading[mine]])
    who = [rows["participant_id"].to_numpy()[row[mine]], rows["timepoint"].to_numpy()[row[mine]],
           different["name"].to_numpy()[reading[mine]]]  # fmt: skip
    several = mine[(told.groupby(who).transform("nunique") > 1).to_numpy()]
    if not len(several):
        return different, reading
    kinds, moved = np.unique(reading[several], return_inverse=True)
    again = different.iloc[kinds].assign(told="several")
    changed = reading.copy()
    changed[several] = len(different) + moved
    return pd.concat([different, again], ignore_index=True), changed


def _lines_of_cells(
    checked: Any, different: pd.DataFrame, row: NDArray[np.int64], reading: NDArray[np.int64], rows: pd.DataFrame
) -> tuple[SetAside, ...]:
    """Return a line for each cell with a reading that broke a rule."""
    lines: list[SetAside] = []
    broken = [verdict for verdict in checked.verdicts if verdict.severity == "error"]
    positions = [position for verdict in broken for position in verdict.rows]
    order = np.argsort(reading, kind="stable") if positions else np.empty(0, dtype="int64")
    sorted_reading = reading[order]
    for line, position in zip(checked.set_aside, positions, strict=True):
        low, high = np.searchsorted(sorted_reading, [position, position + 1])
        at = rows["source_row"].to_numpy()[row[order[low:high]]]
        lines += [replace(line, source_row=int(source_row)) for source_row in at]
    return tuple(lines)


def _count_cells(verdict: Verdict, counts: NDArray[np.int64]) -> Verdict:
    n_failed = int(counts[list(verdict.rows)].sum()) if verdict.rows else verdict.n_failed
    return replace(verdict, n_checked=int(counts.sum()), n_failed=n_failed, rows=())


def _read_text(
    text: str, missing_codes: Mapping[str, str], kind: str, is_category: bool, date_format: str
) -> tuple[float, str, str, str]:
    if not text:
        return _NAN, "", "missing", "blank"
    number = float(text) if NUMBER.fullmatch(text) else None
    why_missing = _why_missing(text, missing_codes)
    if why_missing:
        return _NAN, "", "missing", why_missing
    if kind == "date":
        day = read_day(text, date_format)
        return _NAN, day, "date" if day else "unreadable", ""
    if is_category:
        return _NAN, text, "category", ""
    return (_NAN, "", "unreadable", "") if number is None else (number, "", "number", "")
