"""Rehearse a plan: the whole of it, on invented people, before anybody opens the data."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from analysis import evaluate_plan
from data_contracts import Verdict, conform, require, verdicts_table
from pipelines.folder import StudyFolder
from pipelines.intake import contract_parameters
from pipelines.publish import publish
from pipelines.scores import derive_scores
from pipelines.simulation.rehearsal import SOURCE, InventedTables, invent_tables

FOLDER = "rehearsal"
CHECKED = ("participants", "responses", "delivered_scores", "sessions", "events")


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What came of a rehearsal: the report, the row of every estimand, and parts of the plan that were refused."""

    report: Path
    estimands: pd.DataFrame
    refused: pd.DataFrame


def rehearse(folder: StudyFolder, *, people: int, seed: int) -> Rehearsal:
    """Run the plan of a study on invented tables, and publish to ``<output>/rehearsal``.

    Parameters
    ----------
    folder : StudyFolder
        The study; its data are not looked at, and need not be there.
    people : int
        In each arm.
    seed : int
        Of the random numbers.

    Raises
    ------
    PeerimpactError
        The plan cannot be carried out, or the invented tables break a rule of the study's own: rules on what only real
        people have.
    """
    rng = np.random.default_rng(seed)
    study, library = folder.study.value, folder.library
    tables = invent_tables(study, folder.design, library, folder.contracts, people=people, rng=rng)
    parameters = contract_parameters(study, library)
    verdicts: list[Verdict] = []
    for name in CHECKED:
        verdicts += require(getattr(tables, name), folder.contracts[name], parameters)
    scores = derive_scores(tables.responses, tables.delivered_scores, study, library)
    results = conform(
        evaluate_plan(
            folder.plan.value,
            folder.design,
            scores=scores,
            delivered=tables.delivered_scores,
            participants=tables.participants,
            responses=tables.responses,
            library=library,
            flags=tables.flags,
            sessions=tables.sessions,
            events=tables.events,
            frozen=folder.frozen,
        ),
        folder.contracts["results"],
    )
    report, *_ = publish(
        _as_rehearsal(folder),
        results=results,
        quarantine=_empty(folder, "quarantine"),
        reconciliation=_reconciliation(folder, tables),
        drift=_empty(folder, "drift"),
        linking=_empty(folder, "linking"),
        verdicts=verdicts_table(tuple(verdicts)),
    )
    asked = results[(results["analysis"] == "model") & (results["estimand"] != "")]
    parts = results[(results["analysis"] != "model") & results["verdict"].str.startswith("refused")]
    refused = parts.drop_duplicates(["analysis", "item", "verdict"])
    return Rehearsal(report, asked.reset_index(drop=True), refused.reset_index(drop=True))


def _as_rehearsal(folder: StudyFolder) -> StudyFolder:
    """Return the folder with an output of its own, and a title that says what it is."""
    study = folder.study.value
    told = study.model_copy(update={"synthetic": True, "title": f"Rehearsal on invented people: {study.title}"})
    return replace(folder, output=folder.output / FOLDER, study=replace(folder.study, value=told))


def _empty(folder: StudyFolder, name: str) -> pd.DataFrame:
    contract = folder.contracts[name]
    return conform(pd.DataFrame(columns=[each.name for each in contract.table.properties]), contract)


def _reconciliation(folder: StudyFolder, tables: InventedTables) -> pd.DataFrame:
    rows = len(tables.participants) * len(folder.design.timepoints)
    line = {"source": SOURCE, "rows_read": rows, "rows_accepted": rows, "rows_quarantined": 0, "rows_excluded": 0}
    table = pd.DataFrame([line | {"cells_quarantined": 0, "reasons": "", "sha256": "0" * 64}])
    return conform(table, folder.contracts["reconciliation"])
