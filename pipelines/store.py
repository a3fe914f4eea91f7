"""The store: one DuckDB file per study, tables with their verdicts, one writer at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import duckdb
import pandas as pd

from data_contracts import Checked, conform, shipped_contract, shipped_contract_names, verdicts_table
from data_contracts.errors import Problem
from pipelines.errors import PipelineError

_IN_USE: Final = "Could not set lock"
"""What DuckDB says of a file that another process has open."""


class Store:
    """Tables of one study.

    Parameters
    ----------
    path : Path
        The DuckDB file; it and its folder are made at the first write.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def save(self, name: str, checked: Checked) -> None:
        """Replace table `name` and its verdicts, both or neither."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        verdicts = verdicts_table(checked.verdicts)
        verdicts.insert(0, "asset", name)
        with self._connect(is_writing=True) as connection:
            connection.begin()
            connection.register("incoming", checked.table)
            create = f'CREATE OR REPLACE TABLE "{_known(name)}" AS SELECT * FROM incoming'  # noqa: S608 - closed names
            connection.execute(create)
            connection.register("incoming_verdicts", verdicts)
            connection.execute("CREATE TABLE IF NOT EXISTS verdicts AS SELECT * FROM incoming_verdicts WHERE false")
            connection.execute("ALTER TABLE verdicts ADD COLUMN IF NOT EXISTS is_own BOOLEAN DEFAULT false")
            connection.execute("DELETE FROM verdicts WHERE asset = ?", [name])
            connection.execute("INSERT INTO verdicts BY NAME SELECT * FROM incoming_verdicts")
            connection.commit()

    def load(self, name: str) -> pd.DataFrame:
        """Return table `name` with the types of its contract."""
        with self._connect() as connection:
            table = connection.table(_known(name)).df()
        text = [column for column in table.columns if table[column].dtype.kind == "O" or table[column].dtype == "str"]
        table[text] = table[text].astype("object").where(table[text].notna(), "").astype("str")
        contract = shipped_contract(name)
        if missing := [column for column in contract.table.dtypes if column not in table]:
            message = f"The last run was made by another version of peerimpact: '{name}' has no column '{missing[0]}'."
            raise PipelineError(
                Problem("other_version", message, "Run it again: peerimpact run STUDY.", self.path.name)
            )
        return conform(table, contract)

    def load_verdicts(self) -> pd.DataFrame:
        """Return the verdicts of every stored table, ordered by contract, then as the contract has them."""
        with self._connect() as connection:
            table = connection.execute("SELECT * EXCLUDE (asset) FROM verdicts ORDER BY rowid").df()
        return table.sort_values("contract", kind="stable").reset_index(drop=True)

    @contextmanager
    def _connect(self, *, is_writing: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
        """Open the file; any number of readers may have it open, but nobody beside one who writes."""
        try:
            connection = duckdb.connect(str(self.path), read_only=not is_writing)
        except duckdb.Error as error:
            if _IN_USE in str(error):
                message, advice = "The store of this study is in use.", "Wait until the other run or report has ended."
                raise PipelineError(Problem("store_busy", message, advice, str(self.path))) from None
            raise self._damaged("The store of this study cannot be opened: it is damaged.") from None
        try:
            yield connection
        except duckdb.Error:
            raise self._damaged("The store of this study is damaged, or a table is not in it yet.") from None
        finally:
            connection.close()

    def _damaged(self, message: str) -> PipelineError:
        advice = "When no run is under way, rename the file and run the whole study: a run makes it anew."
        return PipelineError(Problem("store_damaged", message, advice, str(self.path)))


def _known(name: str) -> str:
    if name not in shipped_contract_names():
        raise ValueError(f"no contract for table {name}")
    return name
