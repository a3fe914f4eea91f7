"""The files of a study: which ones a path means, and what they are called in everything that is kept of them."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from data_contracts.errors import Problem

if TYPE_CHECKING:
    from pipelines.study import Study

_FINGERPRINT_DIGITS: Final = 6
_PLAIN_WORDS: Final = frozenset({
    "answers", "arm", "data", "export", "followup", "form", "post", "pre", "results", "sheet", "site", "survey", "time",
    "timepoint", "visit", "wave",
})  # fmt: skip


def find_files(pattern: str, data_root: Path, problems: list[Problem]) -> list[Path]:
    """Return the files below the data folder that a path or pattern means; what hinders is added to `problems`."""
    if Path(pattern).is_absolute() or ".." in Path(pattern).parts:
        told, advice = "A source path must stay inside the data folder.", "Write it relative to the data folder."
        problems.append(Problem("path_outside", told, advice, pattern))
        return []
    try:
        found = sorted(path for path in data_root.glob(pattern.replace("[", "[[]")) if path.is_file())
    except (ValueError, IndexError, NotImplementedError):
        found = []
    inside = [path for path in found if path.resolve().is_relative_to(data_root.resolve())]
    paths = [path for path in inside if not path.name.startswith(("~$", "."))]
    if any("\udc80" <= character <= "\udcff" for path in paths for character in str(path)):
        problems.append(Problem("file_name", "A file name is not UTF-8 text.", "Rename the file.", pattern))
        return []
    if not paths:
        problems.append(
            Problem(
                "file_missing",
                "No file has this name in the data folder.",
                "Deliver it, correct 'path' in study.yaml, or name the data folder with --data-root.",
                pattern,
            )
        )
    return paths


def tell_file(path: Path, pattern: str, study: Study) -> str:
    """Return what a file is called in messages, tables and reports: never more than study.yaml says already.

    What stands in place of ``*`` or ``?`` is told where it is made of digits and of words that study.yaml or every
    survey uses; a name of another kind may be that of a person, and is told by the first digits of its fingerprint
    (SHA-256 of the path).

    Parameters
    ----------
    path : Path
        Relative to the data folder.
    pattern : str
        The path in study.yaml.
    study : Study
        Whose ids of timepoints, arms and instruments count as plain words.
    """
    name = path.as_posix()
    if not re.search(r"[*?]", pattern):
        return name
    words = [study.study, *(one.id for one in study.timepoints), *(one.id for one in study.arms)]
    plain = _PLAIN_WORDS | {word for text in words for word in _words(text)}
    said = set(_words(pattern))
    if all(len(word) == 1 or word in plain or word in said for word in _words(name)):
        return name
    return f"{PurePosixPath(pattern)} ({hashlib.sha256(name.encode()).hexdigest()[:_FINGERPRINT_DIGITS]})"


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]+", text.casefold())
