"""Format -> reader."""

from __future__ import annotations

from pathlib import Path

from pipelines.sources.delimited import read_delimited
from pipelines.sources.excel import read_excel
from pipelines.sources.model import RawTable
from pipelines.study import Source


def read_source(path: Path, name: str, source: Source) -> RawTable:
    """Read one file with the reader of its declared format.

    Parameters
    ----------
    path : Path
        The file.
    name : str
        Its name relative to the data root, for provenance.
    source : Source
        The declaration in study.yaml.
    """
    if source.format == "csv":
        return read_delimited(path, name, encoding=source.encoding, delimiter=source.delimiter)
    return read_excel(path, name, sheet=source.sheet)
