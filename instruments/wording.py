"""Wording overlays: the words of an instrument, brought by whoever holds the licence."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from data_contracts.documents import Document, KeyPath, StrictModel, load_document
from data_contracts.errors import Problem, choose_from
from instruments.errors import InstrumentError
from instruments.model import Instrument
from instruments.parts import Id, Item, LanguageTag, Option, Text


class Wording(StrictModel):
    """The words of one instrument in one language, as a file ``wording/<id>.<language>.yaml`` holds them.

    Attributes
    ----------
    holder : str
        Who holds the licence under which the wording is used here.
    instructions : str
        What respondents read first; may be empty.
    items : dict
        Item id -> question.
    options : dict
        Response set -> value -> label; what is not given keeps the label of the definition.
    """

    instrument: Id
    language: LanguageTag
    holder: Text
    title: str = ""
    instructions: str = ""
    items: Annotated[dict[str, Text], Field(min_length=1)]
    options: dict[Id, dict[str, Text]] = Field(default_factory=dict)


def load_wording(path: Path, instrument: Instrument) -> Wording:
    """Load the wording of an instrument.

    Parameters
    ----------
    path : Path
        A file named ``<id>.<language>.yaml``.
    instrument : Instrument
        As the data have it: with an item order of a variant, the wording follows the numbers of that variant.

    Returns
    -------
    Wording
        With the question of every item.

    Raises
    ------
    DataContractError
        The file is no valid overlay; names file, line and key.
    InstrumentError
        It is of another instrument or language than its name says, leaves an item without a question, or words
        something that the instrument does not have.
    """
    document = load_document(path, Wording)
    problems = [*_misnamed(document, instrument), *_incomplete(document, instrument)]
    if problems:
        raise InstrumentError(problems)
    return document.value


def find_wording(folder: Path, instrument: Instrument, language: str) -> Wording | None:
    """Return the wording of an instrument from ``folder``, or None where there is none in this language."""
    path = folder / f"{instrument.id}.{language}.yaml"
    return load_wording(path, instrument) if path.is_file() else None


def item_label(item: Item, wording: Wording | None) -> str:
    """Return the question of an item, or our concept of it where no wording was brought."""
    return wording.items[item.id] if wording else item.concept


def option_label(response_set: str, option: Option, wording: Wording | None) -> str:
    """Return the words of an answer, or its value where neither wording nor definition has any."""
    brought = wording.options.get(response_set, {}) if wording else {}
    return brought.get(str(option.value), option.label) or str(option.value)


def _misnamed(document: Document[Wording], instrument: Instrument) -> list[Problem]:
    wording = document.value
    expected = f"{instrument.id}.{wording.language}.yaml"
    if (wording.instrument, document.path.name) == (instrument.id, expected):
        return []
    return [
        document.problem(
            ("instrument",),
            "wording_misnamed",
            f"The file words '{wording.instrument}' in '{wording.language}'.",
            f"For {instrument.id} name it {expected}, and write the same id and language in it.",
        )
    ]


def _incomplete(document: Document[Wording], instrument: Instrument) -> list[Problem]:
    wording = document.value
    ids = [item.id for item in instrument.items]
    values = {name: [str(one.value) for one in each.options] for name, each in instrument.response_sets.items()}
    named: list[tuple[KeyPath, str, list[str]]] = [
        *((("items", name), name, ids) for name in wording.items),
        *((("options", name), name, list(values)) for name in wording.options),
        *((("options", name, value), value, values[name])
          for name in wording.options if name in values for value in wording.options[name]),
    ]  # fmt: skip
    unknown = [
        document.problem(key, "not_in_instrument", f"{instrument.id} has no '{name}'.", choose_from(name, known))
        for key, name, known in named
        if name not in known
    ]
    absent = [name for name in ids if name not in wording.items]
    if absent:
        unknown.append(
            document.problem(
                ("items",), "item_without_wording", f"No question is given for {', '.join(absent)}.", "Add them."
            )
        )
    return unknown
