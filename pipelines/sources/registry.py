"""Format -> reader."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from pipelines.sources.formats import OPTIONS, Format
from pipelines.sources.model import RawTable

if TYPE_CHECKING:
    from pipelines.declarations import Export

READERS: Final[dict[Format, str]] = {
    "csv": "delimited:read_delimited",
    "excel": "excel:read_excel",
    "qualtrics": "qualtrics:read_qualtrics",
    "redcap": "redcap:read_redcap",
    "kobo": "kobo:read_kobo",
    "limesurvey": "limesurvey:read_limesurvey",
    "google_forms": "web_forms:read_google_forms",
    "microsoft_forms": "web_forms:read_microsoft_forms",
    "spss": "statistical:read_spss",
    "stata": "statistical:read_stata",
    "parquet": "columnar:read_parquet",
    "fhir": "fhir:read_fhir",
}
"""Module and function; imported when the format is read, because some need large libraries."""
MAY_BE_EMPTY: Final = ("csv", "excel")
"""Formats of lists that somebody keeps: one without a row is whole."""


def read_source(path: Path, name: str, source: Export) -> RawTable:
    """Read one file with the reader of its declared format.

    Parameters
    ----------
    path : Path
        The file.
    name : str
        Its name relative to the data root, for provenance.
    source : Source
        The declaration in study.yaml; the options that were given go to the reader.
    """
    module, function = READERS[source.format].split(":")
    reader = cast("Callable[..., RawTable]", getattr(import_module(f"pipelines.sources.{module}"), function))
    given = {option: getattr(source, option) for option in OPTIONS[source.format]}
    if source.may_be_empty and source.format in MAY_BE_EMPTY:
        given["may_be_empty"] = True
    return reader(path, name, **{option: value for option, value in given.items() if value is not None})
