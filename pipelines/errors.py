"""Errors of the pipelines room."""

from __future__ import annotations

import traceback
from pathlib import PurePath

from data_contracts.errors import PeerimpactError, Problem


class PipelineError(PeerimpactError):
    """A study folder, a source or a run is not as it must be."""


def defect(error: BaseException) -> PipelineError:
    """Return an error that tells of an unexpected one only its kind and place: its text might hold an answer."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" in {frames[-1].name}, {PurePath(frames[-1].filename).name} line {frames[-1].lineno}" if frames else ""
    advice = "This is a defect of peerimpact: please report it with this line."
    return PipelineError(Problem("defect", f"{type(error).__name__}{where}.", advice))
