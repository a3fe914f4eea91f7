"""From real files to the draft of a study folder: study.yaml and sap.yaml that load, and what a person must decide."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from data_contracts.errors import Problem
from instruments import Instrument
from instruments.wording import Wording, load_wording
from pipelines.deliveries import read_deliveries
from pipelines.errors import PipelineError
from pipelines.folder import StudyFolder, open_folder
from pipelines.identities import find_like_ids
from pipelines.library import open_library
from pipelines.proposing.export_formats import open_exports
from pipelines.proposing.plan_text import write_plan_text
from pipelines.proposing.proposal_text import write_study_text
from pipelines.proposing.proposals import propose_study
from pipelines.proposing.source_proposals import InitAnswers
from pipelines.proposing.telling import tell_proposal
from pipelines.proposing.timepoint_names import slug

WRITTEN: Final = ("study.yaml", "sap.yaml")


@dataclass(frozen=True, slots=True)
class InitiatedStudy:
    """What was written, and what was found.

    Attributes
    ----------
    folder, data_root : Path
        The study folder, and the folder that its source paths start from.
    found : tuple of str
        What was recognised and what not, in words: names of columns and files, codes of items and of timepoints.
    problems : tuple of Problem
        Files that could not be read.
    """

    folder: Path
    data_root: Path
    found: tuple[str, ...]
    problems: tuple[Problem, ...]


def init_study(exports: Sequence[Path], folder: Path, answers: InitAnswers | None = None) -> InitiatedStudy:
    """Look at exports and write the draft of a study.

    Parameters
    ----------
    exports : sequence of Path
        Files as they were downloaded; they stay where they are.
    folder : Path
        The study folder; new, or without study.yaml and sap.yaml. Its ``instruments`` and ``wording`` are used.
    answers : InitAnswers, optional
        What a person told; it goes before every guess.

    Returns
    -------
    InitiatedStudy
        Nothing in it, and nothing that was written, is an id, an answer or a free text of a participant.

    Raises
    ------
    PeerimpactError
        No file can be read, something essential cannot be guessed (each problem names the option that answers it), or
        the folder has a study already. Nothing is written then.
    """
    _check_paths(exports, folder)
    paths = list(dict.fromkeys(path.resolve() for path in exports))
    root = _data_root(paths, folder)
    library = open_library(folder)
    opened = open_exports(paths, root)
    proposal = propose_study(opened, library, answers or InitAnswers(), _wordings(folder, library))
    study_text = write_study_text(proposal, slug(folder.resolve().name, "study"))
    plan_text = write_plan_text(proposal, library)
    n_like = _try_out(study_text, plan_text, folder, root)
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in zip(WRITTEN, (study_text, plan_text), strict=True):
        (folder / name).write_text(text, encoding="utf-8")
    return InitiatedStudy(folder, root, tuple(tell_proposal(proposal, library, n_like)), opened.problems)


def _check_paths(exports: Sequence[Path], folder: Path) -> None:
    problems = [
        Problem("file_missing", "There is no such file.", "Name the exports to look at.", str(path))
        for path in exports
        if not path.is_file()
    ]
    if folder.exists() and not folder.is_dir():
        problems.append(Problem("folder_missing", "This is no folder.", "Name a new folder with --into.", str(folder)))
    problems += [
        Problem(
            "study_exists", "The folder has this file already.", "Name a new folder with --into.", str(folder / name)
        )
        for name in WRITTEN
        if (folder / name).exists()
    ]
    if problems:
        raise PipelineError(problems)


def _data_root(paths: Sequence[Path], folder: Path) -> Path:
    """Return the study folder where it holds all exports, else the nearest folder that does."""
    inside = folder.resolve()
    if all(path.is_relative_to(inside) for path in paths):
        return inside
    return Path(os.path.commonpath([path.parent for path in paths]))


def _wordings(folder: Path, library: Mapping[str, Instrument]) -> list[Wording]:
    files = sorted((folder / "wording").glob("*.yaml"))
    known = [(path, library.get(path.name.partition(".")[0])) for path in files]
    return [load_wording(path, instrument) for path, instrument in known if instrument is not None]


def _try_out(study_text: str, plan_text: str, folder: Path, root: Path) -> int:
    """Load what would be written and read the files as declared; return how many pairs of ids are alike."""
    with tempfile.TemporaryDirectory() as name:
        draft = Path(name)
        for file, text in zip(WRITTEN, (study_text, plan_text), strict=True):
            (draft / file).write_text(text, encoding="utf-8")
        own = folder.resolve() / "instruments"
        if own.is_dir():
            (draft / "instruments").symlink_to(own, target_is_directory=True)
        opened: StudyFolder = open_folder(draft, data_root=root)
        deliveries = read_deliveries(opened.study.value, root, opened.library)
    return len(find_like_ids([each for each in deliveries if each.declared.participant_id.columns]))
