"""The lock of an output folder: a run, or a release, has it alone; reports that only read share it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from data_contracts.errors import Problem
from pipelines.errors import PipelineError

if TYPE_CHECKING:
    from pipelines.folder import StudyFolder

FILE: Final = ".lock"


@contextmanager
def lock_output(folder: StudyFolder, *, is_shared: bool = False) -> Iterator[None]:
    """Hold the lock of the output folder of a study for a block of code; nothing waits for it.

    Parameters
    ----------
    folder : StudyFolder
        The study; its output folder is made where there is none.
    is_shared : bool
        The block reads the tables of the last run: others may read them beside it, and none may write.

    Raises
    ------
    PipelineError
        The output folder cannot be used, or somebody else holds the lock.
    """
    try:
        folder.output.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder.output / FILE, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        message = f"The output folder cannot be used ({error.strerror})."
        advice = "Name another one with --output, or check its rights."
        raise PipelineError(Problem("output_unusable", message, advice, str(folder.output))) from None
    try:
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_SH if is_shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            message = "Another run or report of this study is under way."
            advice = "Wait until it has ended, then try again."
            raise PipelineError(Problem("study_busy", message, advice, str(folder.path))) from None
        yield
    finally:
        os.close(descriptor)
