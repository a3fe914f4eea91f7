"""Instruments read from their YAML files."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from functools import cache
from importlib import resources
from pathlib import Path
from types import MappingProxyType

from data_contracts.documents import Document, load_document
from data_contracts.errors import Problem
from instruments.errors import InstrumentError
from instruments.model import Instrument


def load_instrument(path: Path) -> Instrument:
    """Load one definition.

    Parameters
    ----------
    path : Path
        A YAML file in the form of `Instrument`.

    Returns
    -------
    Instrument
        The validated definition.

    Raises
    ------
    DataContractError
        With every problem found: file, line, key, what was found and what is allowed.
    """
    return load_document(path, Instrument).value


def load_library(folder: Path | None = None) -> Mapping[str, Instrument]:
    """Load every definition of a library.

    Parameters
    ----------
    folder : Path, optional
        Folder with one ``<id>.yaml`` per instrument; by default the shipped definitions, which are read once.

    Returns
    -------
    mapping
        Instrument id -> Instrument, sorted by id, read-only.

    Raises
    ------
    DataContractError
        A definition is invalid.
    InstrumentError
        A file is not named after the id in it.
    """
    return _shipped() if folder is None else _read(sorted(folder.glob("*.yaml")))


@cache
def _shipped() -> Mapping[str, Instrument]:
    with ExitStack() as stack:
        entries = (resources.files("instruments") / "definitions").iterdir()
        files = [entry for entry in entries if entry.name.endswith(".yaml")]
        return _read([stack.enter_context(resources.as_file(entry)) for entry in files])


def _read(paths: list[Path]) -> Mapping[str, Instrument]:
    documents = [load_document(path, Instrument) for path in paths]
    problems = [_misnamed(document) for document in documents if document.path.stem != document.value.id]
    if problems:
        raise InstrumentError(problems)
    found = sorted((document.value for document in documents), key=lambda instrument: instrument.id)
    return MappingProxyType({instrument.id: instrument for instrument in found})


def _misnamed(document: Document[Instrument]) -> Problem:
    instrument_id = document.value.id
    return document.problem(
        ("id",),
        "file_misnamed",
        f"The file defines '{instrument_id}' but is not named after it.",
        f"Name it {instrument_id}.yaml.",
    )
