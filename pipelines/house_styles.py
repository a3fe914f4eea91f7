"""The house style of a study's sponsor: ``theme.yaml`` and a logo in the study folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

from pydantic import Field

from data_contracts.documents import StrictModel, load_document
from data_contracts.errors import Problem
from pipelines.errors import PipelineError
from pipelines.folder import StudyFolder
from reports import ReportError
from reports.house_style import HouseStyle, make_house_style

FILE: Final = "theme.yaml"


class Theme(StrictModel):
    """What ``theme.yaml`` may hold; all of it may be left out."""

    colours: Annotated[list[str], Field(min_length=2, max_length=2)] | None = None
    font: str = ""
    logo: str = ""
    logo_text: str = ""


def open_house_style(folder: StudyFolder) -> HouseStyle:
    """Return the house style that a study folder brings; our own without ``theme.yaml``.

    Raises
    ------
    DataContractError
        The file has other keys or values of another kind; with line and key.
    PipelineError
        The logo is not there, or a value cannot be used: a colour too pale, a picture too large.
    """
    path = folder.path / FILE
    if not path.is_file():
        return HouseStyle()
    theme = load_document(path, Theme).value
    try:
        return make_house_style(
            colours=(theme.colours[0], theme.colours[1]) if theme.colours else None,
            font=theme.font,
            logo=_read_logo(folder.path / theme.logo, folder.path) if theme.logo else b"",
            logo_text=theme.logo_text,
        )
    except ReportError as error:
        raise PipelineError(
            Problem(each.code, each.message, each.how_to_fix, file=FILE, key=each.key) for each in error.problems
        ) from None


def _read_logo(path: Path, folder: Path) -> bytes:
    if not path.resolve().is_relative_to(folder.resolve()) or not path.is_file():
        advice = "Put the picture into the study folder and name it from there."
        raise PipelineError(Problem("no_logo", f"There is no picture '{path.name}'.", advice, file=FILE, key="logo"))
    return path.read_bytes()
