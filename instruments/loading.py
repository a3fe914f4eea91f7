"""Instruments read from their YAML files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
        Folder with one ``<id>.yaml`` per instrument, all read at once; by default the shipped definitions, each read
        when it is first asked for, and only once.

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


class Library(Mapping[str, Instrument]):
    """The shipped definitions by id, in order of id, each read when it is first asked for."""

    def __init__(self) -> None:
        entries = (resources.files("instruments") / "definitions").iterdir()
        self._files = {entry.name.removesuffix(".yaml"): entry for entry in entries if entry.name.endswith(".yaml")}
        self._read: dict[str, Instrument] = {}

    def __getitem__(self, name: str) -> Instrument:
        """Return a definition; `KeyError` where there is none of this id."""
        if name not in self._read:
            with resources.as_file(self._files[name]) as path:
                self._read |= _read([path])
        return self._read[name]

    def __contains__(self, name: object) -> bool:
        """Tell whether there is a definition of this id, without reading it."""
        return name in self._files

    def __iter__(self) -> Iterator[str]:
        """Iterate over ids, in order."""
        return iter(sorted(self._files))

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._files)


@cache
def _shipped() -> Library:
    return Library()


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
