"""One run of one study in this process: the same Dagster job as in the user interface, with a line per step."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from data_contracts.errors import PeerimpactError
from pipelines.errors import defect
from pipelines.folder import StudyFolder
from pipelines.locking import lock_output
from pipelines.store import Store


@dataclass(frozen=True, slots=True)
class Run:
    """What came of a run.

    Attributes
    ----------
    report : Path
        The published report.
    reconciliation, quarantine, results : DataFrame
        Stored tables.
    """

    report: Path
    reconciliation: pd.DataFrame
    quarantine: pd.DataFrame
    results: pd.DataFrame

    @property
    def estimands(self) -> pd.DataFrame:
        """The rows of `results` that the plan names, one per estimand."""
        return self.results[(self.results["estimand"] != "") & (self.results["analysis"] == "model")].reset_index(
            drop=True
        )

    @property
    def is_complete(self) -> bool:
        """Whether every estimand was estimated."""
        return bool((self.estimands["verdict"] == "estimated").all())


def run_study(folder: StudyFolder, on_step: Callable[[str], None] = lambda _: None) -> Run:
    """Run the whole evaluation of a study.

    Parameters
    ----------
    folder : StudyFolder
        The opened study folder.
    on_step : callable, optional
        Called with the name of each step as it begins.

    Raises
    ------
    PeerimpactError
        Input or configuration is wrong; nothing was published.
    """
    import dagster as dg

    from pipelines.assets.common import STUDIES
    from pipelines.definitions import EVALUATE, build_definitions
    from pipelines.resources import Studies

    studies = Studies(folder=str(folder.path), data_root=str(folder.data_root), output=str(folder.output))
    job = build_definitions(studies, {"steps": dg.LoggerDefinition(_step_logger(on_step))}).resolve_job_def(EVALUATE)
    study = folder.study.value.study
    with lock_output(folder), dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions(str(STUDIES.name), [study])
        try:
            job.execute_in_process(instance=instance, partition_key=study, run_config={"loggers": {"steps": {}}})
        except PeerimpactError:
            raise
        except dg.DagsterError as error:
            raise _told(error) from None
        store = Store(folder.store)
        return Run(
            folder.output / "report.html", store.load("reconciliation"), store.load("quarantine"), store.load("results")
        )


def _told(error: BaseException) -> PeerimpactError:
    """Return the error of ours that a Dagster error wraps, or one that tells its kind."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, PeerimpactError):
            return cause
        cause = getattr(cause, "user_exception", None) or cause.__cause__
    return defect(error)


def _step_logger(on_step: Callable[[str], None]) -> Callable[[Any], logging.Logger]:
    class StepHandler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            event = getattr(record, "dagster_meta", {}).get("dagster_event")
            if event is not None and event.event_type_value == "STEP_START":
                on_step(event.step_key)

    def build(_: Any) -> logging.Logger:
        logger = logging.Logger("peerimpact.steps", level=logging.DEBUG)
        logger.addHandler(StepHandler())
        return logger

    return build
