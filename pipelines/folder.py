"""A study folder, opened: its study definition, its plan, and where its data and output are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from analysis.design import StudyDesign
from analysis.fingerprint import FrozenPlan
from analysis.plan import Plan, load_plan
from data_contracts import Contract
from data_contracts.documents import Document
from data_contracts.errors import Problem
from instruments import Instrument
from instruments.wording import Wording
from pipelines.corrections import Correction, load_corrections
from pipelines.errors import PipelineError
from pipelines.freezing import load_frozen
from pipelines.library import adapt_library, find_wordings, open_library
from pipelines.study import Study, derive_design, load_study, used_instruments
from pipelines.study_contracts import load_study_contracts


@dataclass(frozen=True, slots=True)
class StudyFolder:
    """What is known of a study before its data are read.

    Attributes
    ----------
    path, data_root, output : Path
        The folder, the folder that source paths are relative to, and where the output goes.
    study, plan : Document
        study.yaml and sap.yaml, validated and held against each other.
    design : StudyDesign
        What the analysis must know.
    library : mapping
        The instruments that the study uses, as its data have them.
    wording : mapping
        Instrument id -> its wording in the language of the study, where ``wording/<id>.<language>.yaml`` is there.
    corrections : tuple of Correction
        The lines of ``corrections.csv``.
    contracts : mapping
        Table -> its contract, with the rules that the study adds in ``contracts/<table>.yaml``.
    frozen : FrozenPlan or None
        What ``sap.frozen.json`` holds.
    """

    path: Path
    data_root: Path
    output: Path
    study: Document[Study]
    plan: Document[Plan]
    design: StudyDesign
    library: Mapping[str, Instrument]
    wording: Mapping[str, Wording]
    corrections: tuple[Correction, ...]
    contracts: Mapping[str, Contract]
    frozen: FrozenPlan | None = None

    @property
    def store(self) -> Path:
        """The DuckDB file of the study."""
        return self.output / "store.duckdb"


def open_folder(path: Path, *, data_root: Path | None = None, output: Path | None = None) -> StudyFolder:
    """Open a study folder.

    Parameters
    ----------
    path : Path
        Folder with study.yaml and sap.yaml.
    data_root : Path, optional
        Where the source paths start; the study folder itself without it.
    output : Path, optional
        Where the output goes; ``<path>/output`` without it.

    Raises
    ------
    PeerimpactError
        With every problem of both documents.
    """
    if not path.is_dir():
        raise PipelineError(
            Problem("folder_missing", "This is not a folder.", "Name the folder that holds study.yaml.", str(path))
        )
    root = data_root or path
    if not root.is_dir():
        raise PipelineError(
            Problem("folder_missing", "The data folder does not exist.", "Correct --data-root.", str(root))
        )
    shipped = open_library(path)
    study = load_study(path, shipped)
    library = adapt_library(study.value, shipped)
    design = derive_design(study.value, library)
    plan = load_plan(path / "sap.yaml", design)
    used = {name: library[name] for name in used_instruments(study.value)}
    wording = find_wordings(path, used, study.value.language)
    corrections = load_corrections(path)
    contracts = load_study_contracts(path, declared=study.value)
    out = output or path / "output"
    frozen = load_frozen(path)
    return StudyFolder(path, root, out, study, plan, design, used, wording, corrections, contracts, frozen)
