"""The ledger of a study: a line for every time that outcomes were read and results told of them."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from analysis.fingerprint import canonical_content, fingerprint
from data_contracts.errors import Problem
from pipelines.errors import PipelineError

if TYPE_CHECKING:
    from pipelines.folder import StudyFolder

FILE: Final = "runs.jsonl"
TEXTS: Final = ("label", "source")
"""Keys of a plan or study whose texts no number depends on: a report may be written again with others."""


def today() -> str:
    """Return the day (ISO 8601, in UTC)."""
    return datetime.now(tz=UTC).date().isoformat()


def record_reading(folder: StudyFolder, command: str, data: Mapping[str, str]) -> None:
    """Add a line to the ledgers: the day, the command, and the fingerprints of plan and data.

    The line goes to the output folder of the command, and to that of the study itself: with ``--output`` elsewhere
    they are two.

    Parameters
    ----------
    folder : StudyFolder
        The study.
    command : str
        What read the outcomes, such as ``run``.
    data : mapping
        Source -> SHA-256 of what was read.

    Raises
    ------
    PipelineError
        The output folder cannot be written to; nothing may be told then.
    """
    line = {
        "on": today(),
        "command": command,
        "plan": fingerprint(canonical_content(folder.plan.value, folder.design, folder.library)),
        "data": fingerprint(dict(data)),
        "asked": what_is_asked(folder),
    }
    own, *others = _ledgers(folder)
    try:
        _append(own, line)
    except OSError as error:
        advice = "Name another output folder with --output, or check its rights."
        message = f"The ledger of runs cannot be written ({error.strerror})."
        raise PipelineError(Problem("ledger_unwritable", message, advice, FILE)) from None
    for other in others:
        with suppress(OSError):  # a study folder that nobody may write to keeps no ledger
            _append(other, line)


def what_is_asked(folder: StudyFolder) -> str:
    """Return the fingerprint of what a study and its plan decide, whatever their texts are."""
    return fingerprint(_without_texts(canonical_content(folder.plan.value, folder.design, folder.library)))


def require_same_question(folder: StudyFolder) -> None:
    """Refuse to report the numbers of a run under another plan or study than it was made with.

    Raises
    ------
    PipelineError
        The plan, or the study, asks otherwise than at the last run.
    """
    path = folder.output / FILE
    lines = _lines(path) if path.exists() else []
    if lines and lines[-1].get("asked", "") not in ("", what_is_asked(folder)):
        message = "The plan or the study was changed after the last run, whose numbers answer what was asked then."
        raise PipelineError(Problem("asked_otherwise", message, "Run it again: peerimpact run STUDY.", "sap.yaml"))


def require_same_data(folder: StudyFolder, data: Mapping[str, str]) -> None:
    """Refuse to report the numbers of a run beside what a later run, that did not come to its end, read.

    Parameters
    ----------
    folder : StudyFolder
        A study that has run.
    data : mapping
        Source -> SHA-256 of what was read, as it stands in the store.

    Raises
    ------
    PipelineError
        No run told of these data.
    """
    path = folder.output / FILE
    told = {line.get("data") for line in _lines(path)} if path.exists() else set()
    if told and fingerprint(dict(data)) not in told:
        message = "The last run read other data and did not come to its end: the numbers at hand are of an earlier one."
        raise PipelineError(Problem("run_not_ended", message, "Run it again: peerimpact run STUDY."))


def first_reading(folder: StudyFolder) -> str:
    """Return the day on which outcomes were first read, as far as the ledgers tell; empty where they were not."""
    days = [day for path in _ledgers(folder) if path.exists() for day in _days(path)]
    return min(days, default="")


def _ledgers(folder: StudyFolder) -> list[Path]:
    """Return where lines go: the output folder, and that of the study where it is another."""
    places = [folder.output, folder.path / "output"]
    return [place / FILE for number, place in enumerate(places) if not number or place.resolve() != places[0].resolve()]


def _append(path: Path, line: Mapping[str, str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as handle:
        handle.write(json.dumps(line) + "\n")
        handle.flush()
        os.fsync(handle.fileno())


def _days(path: Path) -> list[str]:
    """Return the days in a ledger."""
    return [str(line["on"]) for line in _lines(path)]


def _lines(path: Path) -> list[dict[str, Any]]:
    """Return the lines of a ledger, each with its day."""
    try:
        lines = [dict(json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
        return [line | {"on": line["on"]} for line in lines]
    except (OSError, ValueError, KeyError, TypeError):
        message = "The ledger of runs cannot be read, so whether outcomes were read before is not known."
        advice = "Restore it from a copy: it is written by runs, never by hand."
        raise PipelineError(Problem("ledger_unreadable", message, advice, f"output/{FILE}")) from None


def _without_texts(content: Any) -> Any:
    if isinstance(content, Mapping):
        return {key: _without_texts(value) for key, value in content.items() if key not in TEXTS}
    return [_without_texts(value) for value in content] if isinstance(content, list) else content
