"""Drift between deliveries: items renamed, labels recoded, ranges shifted, questions dropped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Final

import pandas as pd

from data_contracts import conform, shipped_contract
from data_contracts.errors import Problem
from instruments import Instrument
from pipelines.deliveries import Delivery
from pipelines.drift.answers import find_answer_drift, find_silent, tally_items
from pipelines.drift.columns import find_column_drift
from pipelines.drift.findings import list_occasions
from pipelines.drift.labels import find_label_drift
from pipelines.errors import PipelineError
from pipelines.readings import Readings
from pipelines.study import Study

SEVERITIES: Final = ("error", "warning", "info")


def find_drift(
    study: Study, files: Sequence[Delivery], library: Mapping[str, Instrument], cells: Readings
) -> pd.DataFrame:
    """Compare the deliveries of a study with each other, and with what is declared of them.

    What a study knows already it says in study.yaml, and it is no finding any more: `labels` for other codes, a
    crosswalk for other columns at a timepoint, null for an item that was not asked.

    Parameters
    ----------
    study : Study
        The study definition.
    files : sequence of Delivery
        Files as read, in the order of reading; later files of a declaration are compared with earlier ones.
    library : mapping
        The instruments of the study.
    cells : Readings
        Their cells as read.

    Returns
    -------
    DataFrame
        As the contract `drift` has it, the gravest first: severity, kind, source, timepoint, column, name, found,
        expected, told (a sentence), how_to_fix. Codes, labels and columns that files declare may stand in it; answers,
        ids and free text never.
    """
    occasions = list_occasions(study, files, library)
    tallies = tally_items(cells)
    by_label = list(find_label_drift(study, library, occasions))
    explained = {(one.source, one.name.partition(" ")[0]) for one in by_label if one.severity == "error"}
    by_answer = [
        one  # labels tell more of the same codes than answers do
        for one in find_answer_drift(files, library, cells, tallies)
        if one.kind != "range_changed" or (one.source, one.name.partition(" ")[0]) not in explained
    ]
    found = [
        *by_label,
        *by_answer,
        *find_column_drift(study, files, library, occasions, find_silent(tallies)),
    ]
    contract = shipped_contract("drift")
    table = pd.DataFrame([asdict(finding) for finding in found], columns=list(contract.table.dtypes))
    order = table["severity"].map({severity: place for place, severity in enumerate(SEVERITIES)}).astype("float64")
    return conform(table.iloc[order.argsort(kind="stable")], contract)


def require_no_error(drift: pd.DataFrame) -> None:
    """Raise `PipelineError` with every finding of severity error: answers would look right and be wrong."""
    grave = drift[drift["severity"] == "error"]
    if len(grave):
        raise PipelineError(
            Problem(f"drift_{one['kind']}", one["told"], one["how_to_fix"], one["source"], key=one["column"])
            for one in grave.to_dict("records")
        )
