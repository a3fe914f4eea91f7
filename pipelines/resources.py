"""Resources of the pipeline: which folder a study id stands for."""

from pathlib import Path

import dagster as dg

from data_contracts.errors import Problem, choose_from
from pipelines.errors import PipelineError
from pipelines.folder import StudyFolder, open_folder
from pipelines.settings import study_folders


class Studies(dg.ConfigurableResource[None]):
    """Study id -> folder.

    Attributes
    ----------
    folder, data_root, output : str
        For one study given by its folder; empty for the studies that `PEERIMPACT_STUDIES` names.
    """

    folder: str = ""
    data_root: str = ""
    output: str = ""

    def open(self, study: str) -> StudyFolder:
        """Return the opened folder of a study."""
        if self.folder:
            return open_folder(Path(self.folder), data_root=_path(self.data_root), output=_path(self.output))
        folders = dict(study_folders())
        if study not in folders:
            raise PipelineError(
                Problem(
                    "study_unknown",
                    f"No study '{study}' is below the folders of PEERIMPACT_STUDIES.",
                    choose_from(study, folders),
                    key="study",
                )
            )
        return open_folder(folders[study])


def _path(text: str) -> Path | None:
    return Path(text) if text else None
