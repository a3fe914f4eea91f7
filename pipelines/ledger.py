"""The ledger of a study: a line for every time that outcomes were read and results told of them."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from analysis.fingerprint import canonical_content, fingerprint
from data_contracts.errors import Problem
from pipelines.errors import PipelineError

if TYPE_CHECKING:
    from pipelines.folder import StudyFolder

FILE: Final = "runs.jsonl"


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
    try:
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
        return [str(line["on"]) for line in lines]
    except (OSError, ValueError, KeyError, TypeError):
        message = "The ledger of runs cannot be read, so whether outcomes were read before is not known."
        advice = "Restore it from a copy: it is written by runs, never by hand."
        raise PipelineError(Problem("ledger_unreadable", message, advice, f"output/{FILE}")) from None
