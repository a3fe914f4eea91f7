"""What leaves the pipeline: report, gated results, quarantine, reconciliation, provenance; each file whole or not."""

from __future__ import annotations

import hashlib
import io
import json
import platform
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from pipelines.corrections import FILE
from pipelines.folder import StudyFolder
from pipelines.freezing import FILE as FROZEN
from pipelines.whole_files import write_whole
from reports import ReportContent, gate_results, render_report

LIBRARIES = (
    "peerimpact",
    "pandas",
    "numpy",
    "scipy",
    "statsmodels",
    "pingouin",
    "great-expectations",
    "dagster",
    "plotly",
    "duckdb",
)
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def publish(
    folder: StudyFolder,
    *,
    results: pd.DataFrame,
    quarantine: pd.DataFrame,
    reconciliation: pd.DataFrame,
    drift: pd.DataFrame,
    linking: pd.DataFrame,
    verdicts: pd.DataFrame,
) -> list[Path]:
    """Render the report and write every published file to the output folder.

    Parameters
    ----------
    folder : StudyFolder
        The study.
    results, quarantine, reconciliation, drift, linking, verdicts : DataFrame
        Stored tables. `results` leaves through the disclosure gate only; `quarantine`, `reconciliation`, `drift` and
        `linking` are exact, for the evaluation team, and not for release.

    Returns
    -------
    list of Path
        The files, the report first.
    """
    provenance = describe_provenance(folder, reconciliation)
    gated = gate_results(results, folder.plan.value.small_numbers.profile)
    page = render_report(_content(folder, results, quarantine, reconciliation, verdicts, provenance))
    files: dict[str, bytes] = {
        "report.html": page.encode(),
        "results.csv": _csv(gated),
        "results.parquet": _parquet(gated),
        "quarantine.csv": _csv(quarantine),
        "reconciliation.csv": _csv(reconciliation),
        "drift.csv": _csv(drift),
        "linking.csv": _csv(linking),
    }
    provenance["outputs"] = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    files["provenance.json"] = (json.dumps(provenance, indent=2, ensure_ascii=False) + "\n").encode()
    folder.output.mkdir(parents=True, exist_ok=True)
    return [write_whole(folder.output / name, content) for name, content in files.items()]


def describe_provenance(folder: StudyFolder, reconciliation: pd.DataFrame) -> dict[str, Any]:
    """Return versions and fingerprints: what somebody needs to obtain the same numbers."""
    documents = {
        document.path.name: hashlib.sha256(document.text.encode()).hexdigest()
        for document in (folder.study, folder.plan)
    }
    if folder.frozen is not None:
        documents[FROZEN] = hashlib.sha256((folder.path / FROZEN).read_bytes()).hexdigest()
    if folder.corrections:
        documents[FILE] = hashlib.sha256((folder.path / FILE).read_bytes()).hexdigest()
    data = dict(zip(reconciliation["source"], reconciliation["sha256"], strict=True))
    return {
        "study": folder.study.value.study,
        "versions": {"python": platform.python_version(), **{name: version(name) for name in LIBRARIES}},
        "instruments": {name: str(instrument.version) for name, instrument in folder.library.items()},
        "variants": dict(folder.study.value.variants),
        "fingerprints": documents | data,
    }


def _content(
    folder: StudyFolder,
    results: pd.DataFrame,
    quarantine: pd.DataFrame,
    reconciliation: pd.DataFrame,
    verdicts: pd.DataFrame,
    provenance: Mapping[str, Any],
) -> ReportContent:
    study = folder.study.value
    return ReportContent(
        title=study.title,
        question=study.question,
        programme=study.programme,
        sponsor=study.sponsor,
        evaluator=study.evaluator,
        synthetic=study.synthetic,
        design=folder.design,
        plan=folder.plan.value,
        results=results,
        instruments=folder.library,
        wording=folder.wording,
        verdicts=verdicts,
        reconciliation=reconciliation,
        cells_quarantined=int(reconciliation["cells_quarantined"].sum()),
        provenance=provenance,
        frozen=folder.frozen,
    )


def _csv(table: pd.DataFrame) -> bytes:
    safe = table.copy()
    for column in safe.columns[safe.dtypes == "str"]:
        risky = safe[column].str.startswith(_FORMULA_STARTS)
        safe[column] = safe[column].where(~risky, "'" + safe[column])
    text: str = safe.to_csv(index=False, lineterminator="\n", float_format="%.10g")
    return text.encode("utf-8-sig")


def _parquet(table: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    table.to_parquet(buffer, index=False)
    return bytes(buffer.getvalue())
