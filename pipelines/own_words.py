"""The texts of a study in other languages: ``languages/<tag>.yaml`` in its folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from pydantic import ConfigDict, RootModel, model_validator

from data_contracts.documents import Finding, FindingsError, load_document
from pipelines.folder import StudyFolder
from reports.language import LANGUAGES, Language, open_language
from reports.lint import plain_text

FOLDER: Final = "languages"


class OwnWords(RootModel[dict[str, str]]):
    """A text as it stands in study.yaml or sap.yaml, and the same in another language; neither is blank."""

    model_config = ConfigDict(strict=True, frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _say_something(cls, texts: Any) -> Any:
        """Refuse what would be printed as nothing, where a reader expects a name."""
        advice = "Write it in the language of this file, or remove the line: the text then stands as the study has it."
        pairs = texts.items() if isinstance(texts, dict) else ()
        blank = [text for text, own in pairs if own is None or _is_blank(own) or _is_blank(text)]
        if blank:
            raise FindingsError([Finding((text,), "The text is blank in this file.", advice) for text in blank])
        return texts


def _is_blank(text: Any) -> bool:
    return isinstance(text, str) and not plain_text(text)


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
