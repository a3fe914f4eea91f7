"""Explain one number of a run: from the stored tables, with the files that it came from."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from analysis.explanation import Line, Passage, explain_estimand
from data_contracts.errors import Problem
from pipelines.errors import PipelineError
from pipelines.folder import StudyFolder
from pipelines.provenance import describe_provenance
from pipelines.store import Store

TABLES = ("results", "scores", "participants", "flags", "sessions", "events")


def explain(folder: StudyFolder, estimand: str) -> tuple[Passage, ...]:
    """Explain an estimand of the last run.

    Parameters
    ----------
    folder : StudyFolder
        The study; its output holds the store of the run.
    estimand : str
        Id in the plan.

    Returns
    -------
    tuple of Passage
        Those of `explain_estimand`, the rows of each source, and versions and fingerprints.

    Raises
    ------
    PeerimpactError
        The study was not run, or has no such estimand.
    """
    if not folder.store.exists():
        message = "There is nothing to explain: the study was not run, or its output is elsewhere."
        raise PipelineError(
            Problem(
                "not_run", message, "Run 'peerimpact run STUDY', or name its folder with --output.", str(folder.path)
            )
        )
    store = Store(folder.store)
    tables = {name: store.load(name) for name in TABLES}
    reconciliation = store.load("reconciliation")
    own = explain_estimand(estimand, folder.plan.value, folder.design, **tables)
    return (
        *own,
        Passage("Rows", tuple(_rows(reconciliation))),
        Passage("Files", tuple(_files(folder, reconciliation))),
    )


def _rows(reconciliation: pd.DataFrame) -> Iterator[Line]:
    for row in reconciliation.to_dict("records"):
        yield (
            row["source"],
            f"{row['rows_read']} read = {row['rows_accepted']} accepted + {row['rows_quarantined']} quarantined + "
            f"{row['rows_excluded']} excluded",
        )


def _files(folder: StudyFolder, reconciliation: pd.DataFrame) -> Iterator[Line]:
    provenance = describe_provenance(folder, reconciliation)
    for name, digest in provenance["fingerprints"].items():
        yield name, f"SHA-256 {digest}"
    for kind in ("instruments", "versions"):
        for name, version in provenance[kind].items():
            yield name, version
