"""The texts of a study in other languages: ``languages/<tag>.yaml`` in its folder."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from pydantic import ConfigDict, RootModel

from data_contracts.documents import load_document
from pipelines.folder import StudyFolder
from reports.language import LANGUAGES, Language, open_language

FOLDER: Final = "languages"


class OwnWords(RootModel[dict[str, str]]):
    """A text as it stands in study.yaml or sap.yaml, and the same in another language."""

    model_config = ConfigDict(strict=True, frozen=True)


def own_words_path(folder: StudyFolder, tag: str) -> Path:
    """Return where a study keeps its texts in a language."""
    return folder.path / FOLDER / f"{tag}.yaml"


def open_study_language(folder: StudyFolder, tag: str = "") -> Language:
    """Return a language, that of the study by default, with the texts that the study brings in it.

    Raises
    ------
    ReportError
        No catalogue speaks it.
    DataContractError
        The file of the study is not a plain list of texts; with file and line.
    """
    tag = tag or language_of(folder)
    path = own_words_path(folder, tag)
    return open_language(tag, load_document(path, OwnWords).value.root if path.is_file() else {})


def language_of(folder: StudyFolder) -> str:
    """Return the language of a study where reports speak it; English otherwise."""
    tag = folder.study.value.language
    return tag if tag in LANGUAGES else "en"
