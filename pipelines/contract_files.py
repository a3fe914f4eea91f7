"""A table in a file, held against the contract of a table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from data_contracts import Contract, Verdict, check_table
from data_contracts.errors import Problem, choose_from
from data_contracts.exporting import drop_parameters, fill_contract
from pipelines.errors import PipelineError

TYPE_RULE = "type"
_READERS = (".csv", ".parquet")
_TRUE, _FALSE = ("true", "1"), ("false", "0")
_WORDS = {"integer": "a whole number", "number": "a number", "boolean": "true or false"}


@dataclass(frozen=True, slots=True)
class TestedFile:
    """Verdicts of a file, and the rules that could not be checked because they need what a study declares."""

    verdicts: tuple[Verdict, ...]
    not_checked: tuple[str, ...]

    @property
    def is_kept(self) -> bool:
        """Whether no rule of severity `error` is broken."""
        return all(verdict.passed for verdict in self.verdicts if verdict.severity == "error")


def check_file(path: Path, contract: Contract, parameters: dict[str, Any] | None = None) -> TestedFile:
    """Run a contract on a table in a file.

    Parameters
    ----------
    path : Path
        CSV (UTF-8, comma, header in the first row) or Parquet; empty cells are missing.
    contract : Contract
        What the table must be.
    parameters : dict, optional
        What the study allows; without it rules that refer to it are not checked.

    Returns
    -------
    TestedFile
        Before the contract's own verdicts stands one per column with a cell that is not of its type; for the other
        rules such a cell is missing.

    Raises
    ------
    PipelineError
        The file cannot be read.
    """
    ready, left_out = drop_parameters(fill_contract(contract, parameters or {}))
    table = _read_table(path)
    typed: dict[str, pd.Series] = {}
    broken: list[Verdict] = []
    types = {column.name: column.logicalType for column in ready.table.properties}
    for name in table.columns:
        typed[name], wrong = _typed(table[name], types.get(name, "string"))
        broken += _type_verdict(ready.id, name, types.get(name, "string"), wrong)
    return TestedFile((*broken, *check_table(pd.DataFrame(typed), ready)), left_out)


def _read_table(path: Path) -> pd.DataFrame:
    if path.suffix.lower() not in _READERS:
        advice = choose_from(path.suffix, _READERS)
        raise PipelineError(Problem("format_unknown", f"Found '{path.suffix}'.", advice, path.name, key="FILE"))
    try:
        if path.suffix.lower() == ".parquet":
            return pd.read_parquet(path)
        table = pd.read_csv(path, dtype="str", keep_default_na=False, encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        # the text of such an error may hold a cell
        told = error.strerror if isinstance(error, OSError) and error.strerror else "it is no such file"
        advice = "Name a CSV file in UTF-8 whose rows are alike, or a Parquet file."
        raise PipelineError(
            Problem("file_unreadable", f"The table cannot be read ({told}).", advice, path.name)
        ) from None
    if not isinstance(table.index, pd.RangeIndex):  # pandas takes the first cells for an index where there are too many
        advice = "Make the header as long as the rows."
        raise PipelineError(Problem("rows_too_long", "The rows have more cells than the header.", advice, path.name))
    return table


def _typed(values: pd.Series, logical_type: str) -> tuple[pd.Series, np.ndarray]:
    """Return a column in its type, and the positions of cells that have another one."""
    if logical_type == "string":
        text = values.astype("object").where(values.notna(), "").astype("str") if values.dtype != "str" else values
        return text.fillna(""), np.empty(0, dtype="int64")
    if pd.api.types.is_bool_dtype(values.dtype) and logical_type == "boolean":
        return values, np.empty(0, dtype="int64")
    blank = values.isna() | (values.astype("str") == "")
    if logical_type == "boolean":
        words = values.astype("str").str.lower()
        known = words.isin(_TRUE) | words.isin(_FALSE)
        read = words.isin(_TRUE).astype("object").where(known, None)
        return read, np.flatnonzero(~(known | blank))
    numbers = pd.to_numeric(values, errors="coerce").astype("float64")
    numbers = numbers.where(np.isfinite(numbers))
    if logical_type == "integer":
        numbers = numbers.where(numbers == np.floor(numbers))
    return numbers, np.flatnonzero(numbers.isna() & ~blank)


def _type_verdict(contract: str, column: str, logical_type: str, wrong: np.ndarray) -> Iterator[Verdict]:
    if len(wrong):
        rows = tuple(int(row) for row in wrong)
        about = f"{column} is {_WORDS[logical_type]}."
        yield Verdict(contract, TYPE_RULE, column, "error", False, len(wrong), len(wrong), about, rows=rows)
