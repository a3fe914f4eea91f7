"""The files of a study: which ones a path means, and what they are called in everything that is kept of them."""

from __future__ import annotations

import hashlib
import hmac
import re
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from data_contracts.errors import Problem

if TYPE_CHECKING:
    from pipelines.study import Study

_FINGERPRINT_DIGITS: Final = 6
_PLAIN_NUMBER: Final = re.compile(r"\d?|(19|20)\d\d((0[1-9]|1[0-2])([0-2]\d|3[01])?)?")
"""A single digit, or a year, month or day: a longer number may be a participant's."""
_PLAIN_WORDS: Final = frozenset({
    "a", "answers", "arm", "b", "data", "export", "followup", "form", "post", "pre", "results", "sheet", "site",
    "survey", "t", "time", "timepoint", "v", "visit", "w", "wave",
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


def tell_file(path: Path, pattern: str, study: Study, key: bytes) -> str:
    """Return what a file is called in messages, tables and reports: never more than study.yaml says already.

    What stands in place of ``*`` or ``?`` is told where it is made of dates, single digits and words that study.yaml or
    every survey uses; anything else may be the name or the id of a person, and the file is told by the first digits of
    the fingerprint of its path (HMAC-SHA-256).

    Parameters
    ----------
    path : Path
        Relative to the data folder.
    pattern : str
        The path in study.yaml.
    study : Study
        Whose ids of timepoints, arms and instruments count as plain words.
    key : bytes
        Secret of the fingerprint: without it nobody can try out names.
    """
    name = path.as_posix()
    if not re.search(r"[*?]", pattern):
        return name
    words = [study.study, *(one.id for one in study.timepoints), *(one.id for one in study.arms)]
    plain = _PLAIN_WORDS | {word for text in words for word in _words(text)}
    said = {*_words(pattern), *_numbers(pattern)}
    is_plain = all(word in plain or word in said for word in _words(name))
    if is_plain and all(_PLAIN_NUMBER.fullmatch(number) or number in said for number in _numbers(name)):
        return name
    return f"{PurePosixPath(pattern)} ({hmac.digest(key, name.encode(), hashlib.sha256).hex()[:_FINGERPRINT_DIGITS]})"


def _numbers(text: str) -> list[str]:
    """Return the digits that stand between letters, slashes and underscores."""
    return [re.sub(r"\D", "", part) for part in re.split(r"[^\W\d]|/", text)]


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]+", text.casefold())
