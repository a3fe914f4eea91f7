"""What leaves the pipeline: report, gated results, quarantine, reconciliation, provenance; each file whole or not."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Final

import pandas as pd

from pipelines.folder import StudyFolder
from pipelines.provenance import describe_provenance, publish_provenance
from pipelines.reporting import FORMATS, make_content, names_of_reports, write_csv
from pipelines.setting_aside import set_aside_if_refused
from pipelines.whole_files import write_whole
from reports import prepare_report

FROM_EVERY_RUN: Final = ("html", "summary", "xlsx", "csv", "parquet", "codebook")
"""Formats that every run writes; the others take longer and are written when asked for."""
_EXACT: Final = ("quarantine", "reconciliation", "drift", "linking")
_PROVENANCE: Final = "provenance.json"


def publish(
    folder: StudyFolder,
    *,
    results: pd.DataFrame,
    quarantine: pd.DataFrame,
    reconciliation: pd.DataFrame,
    drift: pd.DataFrame,
    linking: pd.DataFrame,
    verdicts: pd.DataFrame,
    quotations: pd.DataFrame | None = None,
) -> list[Path]:
    """Render the report and write every published file to the output folder.

    Parameters
    ----------
    folder : StudyFolder
        The study.
    results, quarantine, reconciliation, drift, linking, verdicts : DataFrame
        Stored tables. `results` leaves through the disclosure gate only; `quarantine`, `reconciliation`, `drift` and
        `linking` are exact, for the evaluation team, and not for release.
    quotations : DataFrame, optional
        Consented quotations of interviews; the report shows some of them.

    Returns
    -------
    list of Path
        The files, the report first.

    Raises
    ------
    PeerimpactError
        The results must not be told. What an earlier run published is set aside then.
    """
    with set_aside_if_refused(folder.output, [*names_of_reports(), *(f"{name}.csv" for name in _EXACT), _PROVENANCE]):
        content = make_content(
            folder, results=results, reconciliation=reconciliation, verdicts=verdicts, quotations=quotations
        )
        report = prepare_report(content)
        files = {file: make(report) for file, make in (FORMATS[name] for name in FROM_EVERY_RUN)}
    provenance = publish_provenance(describe_provenance(folder, reconciliation), reconciliation["source"])
    provenance["outputs"] = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    for name, table in zip(_EXACT, (quarantine, reconciliation, drift, linking), strict=True):
        files[f"{name}.csv"] = write_csv(table)
    files[_PROVENANCE] = (json.dumps(provenance, indent=2, ensure_ascii=False) + "\n").encode()
    folder.output.mkdir(parents=True, exist_ok=True)
    return [write_whole(folder.output / name, content) for name, content in files.items()]
