"""What somebody needs to obtain the same numbers: versions, and fingerprints of what went in."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from typing import Any, Final

import pandas as pd

from pipelines.corrections import FILE
from pipelines.folder import StudyFolder
from pipelines.freezing import FILE as FROZEN

DATA: Final = "data/*"
"""Stands for all data files together."""
LIBRARIES: Final = (
    "peerimpact",
    "pandas",
    "numpy",
    "scipy",
    "statsmodels",
    "pingouin",
    "great-expectations",
    "dagster",
    "plotly",
    "babel",
    "weasyprint",
    "duckdb",
)


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


def publish_provenance(provenance: Mapping[str, Any], data: Iterable[str]) -> dict[str, Any]:
    """Return provenance that may leave: the fingerprints of data files are told as one.

    Whoever knows how a small file is written can try all that it may hold until its fingerprint fits: who left, and
    when. All files together cannot be guessed.

    Parameters
    ----------
    provenance : mapping
        Of `describe_provenance`.
    data : iterable of str
        Names of the data files.
    """
    files = sorted(set(data))
    told = {name: digest for name, digest in provenance["fingerprints"].items() if name not in files}
    together = "\n".join(f"{name} {provenance['fingerprints'][name]}" for name in files)
    told[DATA] = hashlib.sha256(together.encode()).hexdigest()
    return {**provenance, "fingerprints": told}
