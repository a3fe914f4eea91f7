"""The ledger of releases: what every report for a sponsor told, so that the next one is held against it."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pandas as pd

from data_contracts.errors import Problem
from pipelines.errors import PipelineError
from pipelines.whole_files import write_whole
from reports.errors import ReportError
from reports.releases import Release, Released, describe_release, read_releases, write_release

FILE: Final = "releases.jsonl"
"""In the folder of the study, for it must outlive the output."""


def open_releases(folder: Path) -> tuple[Release, ...]:
    """Return what was released of a study, the first report first; nothing where there is no ledger.

    Parameters
    ----------
    folder : Path
        The study.

    Raises
    ------
    PipelineError
        The ledger is not as it was written: no report may be released that cannot be held against it.
    """
    file = folder / FILE
    if not file.exists():
        return ()
    try:
        return read_releases(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        message, advice = "The ledger of releases cannot be read.", "Restore it from a backup."
        raise PipelineError(Problem("release_not_readable", message, advice, FILE)) from None
    except ReportError as error:
        found = [Problem(each.code, each.message, each.how_to_fix, FILE, each.line) for each in error.problems]
        raise PipelineError(found) from None


def number_release(folder: Path, gated: pd.DataFrame, *, profile: str, time: datetime | None = None) -> Released:
    """Return as which release a report would be given away; parameters as of `record_release`.

    A report that tells the same as the last release is that one again.
    """
    earlier = open_releases(folder)
    if _tells_the_same(earlier, describe_release(gated), profile):
        return Released(len(earlier), earlier[-1].time)
    return Released(len(earlier) + 1, _written(time))


def record_release(
    folder: Path, gated: pd.DataFrame, *, profile: str, report: bytes, time: datetime | None = None
) -> Path:
    """Add a release to the ledger; call it before the report leaves, so that none leaves unrecorded.

    Parameters
    ----------
    folder : Path
        The study.
    gated : DataFrame
        What `gate_results` let through, held against the earlier releases.
    profile : str
        The profile it was gated by.
    report : bytes
        The report as it leaves; its SHA-256 is kept.
    time : datetime, optional
        When it is released; now if left out.

    Returns
    -------
    Path
        The ledger. A report that tells the same as the last one adds nothing.
    """
    earlier = open_releases(folder)
    facts = describe_release(gated)
    if _tells_the_same(earlier, facts, profile):
        return folder / FILE
    release = Release(_written(time), hashlib.sha256(report).hexdigest(), profile, tuple(facts))
    lines = "".join(write_release(each) for each in (*earlier, release))
    return write_whole(folder / FILE, lines.encode())


def _tells_the_same(earlier: tuple[Release, ...], facts: list[dict[str, Any]], profile: str) -> bool:
    return bool(earlier) and earlier[-1].facts == tuple(facts) and earlier[-1].profile == profile


def _written(time: datetime | None) -> str:
    return (datetime.now(UTC) if time is None else time).isoformat(timespec="seconds")
