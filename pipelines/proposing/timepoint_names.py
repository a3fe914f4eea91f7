"""Names and order of timepoints, from codes of events and waves, column names and file names."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from pipelines.proposing.column_roles import time_rank

_UNITS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("day", "days"), "day"), **dict.fromkeys(("week", "weeks", "wk", "wks"), "week"),
    **dict.fromkeys(("month", "months", "mo", "mth", "m"), "month"), **dict.fromkeys(("year", "years", "yr"), "year"),
    **dict.fromkeys(("wave", "welle"), "wave"), **dict.fromkeys(("t", "time", "timepoint", "tp"), "time"),
    **dict.fromkeys(("visit", "v"), "visit"), **dict.fromkeys(("session", "sess"), "session"),
    **dict.fromkeys(("phase",), "phase"), **dict.fromkeys(("round",), "round"),
}  # fmt: skip
_IN_WEEKS: Final[Mapping[str, float]] = {"day": 1 / 7, "week": 1.0, "month": 365.25 / 84, "year": 365.25 / 7}
_CLOCK: Final = "weeks"
_COUNTED: Final = "time"
_OF_FILES: Final = frozenset({
    "qualtrics", "redcap", "kobo", "spss", "stata", "limesurvey", "google", "microsoft", "forms", "form", "export",
    "exports", "data", "dataset", "survey", "surveys", "record", "records", "answers", "responses", "results",
    "numeric", "values", "labels", "raw", "csv", "sav", "xlsx", "file", "input", "clean", "waves",
})  # fmt: skip
"""Words of file names that tell no time."""
FIRST: Final = "baseline"
Mark = tuple[str, float]


@dataclass(frozen=True, slots=True)
class FoundTimepoint:
    """What a file has for a timepoint: a code (blank for the whole file), the column it stands in, and the file."""

    code: str
    column: str
    path: str
    is_alone: bool = False

    @property
    def words(self) -> str:
        """What may tell the time: the code, or the name of the file."""
        return self.code or PurePosixPath(self.path).stem


@dataclass(frozen=True, slots=True)
class TimepointNames:
    """Timepoints of a study.

    Attributes
    ----------
    names : tuple of str
        Ids, the earliest first.
    weeks : tuple of float
        Weeks since the first, ascending; from names such as week_12 or month_6, else one after the other.
    are_weeks_told : tuple of bool
        Whether the name of each told its week.
    ids : tuple of str
        Id of each that was found, in the order in which they were given.
    is_order_told : bool
        False where names count different things (wave_3, week_12): their order is that of the files then.
    """

    names: tuple[str, ...]
    weeks: tuple[float, ...]
    are_weeks_told: tuple[bool, ...]
    ids: tuple[str, ...]
    is_order_told: bool


def slug(text: str, word: str = "x") -> str:
    """Return an id of study.yaml for a code or name; `word` stands before what does not start with a letter."""
    plain = re.sub(r"[^a-z0-9]+", "_", text.casefold()).strip("_")[:50]
    return plain if plain[:1].isalpha() else f"{word}_{plain}".rstrip("_")


def name_timepoints(found: Sequence[FoundTimepoint]) -> TimepointNames:
    """Name the timepoints that files have codes for, and put them in order; what is plainly one has one name.

    Parameters
    ----------
    found : sequence of FoundTimepoint
        Of all files. Two codes of one column are never one timepoint.
    """
    ids = _ids(found)
    marks: dict[str, dict[str, float]] = {}
    for one, name in zip(found, ids, strict=True):
        told = [*_marks(PurePosixPath(one.path).with_suffix("").as_posix() if one.is_alone or not one.code else "")]
        told += _marks(_with_column(one))
        scales = marks.setdefault(name, {})
        scales.update({(_CLOCK if unit in _IN_WEEKS else unit): _weeks(unit, number) for unit, number in told})
    names = list(dict.fromkeys(ids))
    ranks = {name: time_rank(name) for name in names}
    unranked = [name for name in names if ranks[name] is None]
    shared = set.intersection(*(set(marks[name]) for name in unranked)) if unranked else set()
    is_told = len(names) < 2 or not unranked or bool(shared)
    scale = min(shared, key=lambda each: (each != _CLOCK, each), default="")
    ordered = sorted(names, key=lambda name: _place(name, ranks[name], marks[name], scale, names))
    ordered, new = _with_first(ordered, found, ids)
    weeks, are_told = _in_weeks([marks[name] for name in sorted(names, key=lambda one: ordered.index(new[one]))])
    return TimepointNames(tuple(ordered), weeks, are_told, tuple(new[name] for name in ids), is_told)


def _ids(found: Sequence[FoundTimepoint]) -> list[str]:
    """Return the short name of each, or a longer one where two codes of one column would have the same."""
    by_file = _named_by_files(found)
    short = [by_file.get((one.column, one.code)) or _short_name(one, found) for one in found]
    long = [slug(one.words, _COUNTED) for one in found]
    twice = {
        (one.column, one.path, name)
        for place, (one, name) in enumerate(zip(found, short, strict=True))
        for other, same in zip(found[:place], short[:place], strict=True)
        if (one.column, one.path, name) == (other.column, other.path, same) and one.code and one.code != other.code
    }
    return [
        whole if (one.column, one.path, name) in twice else name
        for one, name, whole in zip(found, short, long, strict=True)
    ]


def _named_by_files(found: Sequence[FoundTimepoint]) -> dict[tuple[str, str], str]:
    """Return (column, bare number) -> name, where files of one timepoint each are called baseline, post, ..."""
    names = {
        (one.column, one.code): _ranked_name(PurePosixPath(one.path).stem)
        for one in found
        if one.is_alone and one.code.strip().isdigit()
    }
    told = {key: name for key, name in names.items() if name}
    return told if len(set(told.values())) == len(told) else {}


def _ranked_name(text: str) -> str:
    """Return the words of a text from baseline, post, follow-up ... on, with a number after them; blank for none."""
    words = slug(text, _COUNTED).replace("follow_up", "followup").split("_")
    ranked = [place for place, word in enumerate(words) if time_rank(word) is not None]
    if not ranked:
        return ""
    after = words[ranked[-1] + 1 :][:1]
    return "_".join([*words[ranked[0] : ranked[-1] + 1], *(word for word in after if word.isdigit())])


def _short_name(one: FoundTimepoint, found: Sequence[FoundTimepoint]) -> str:
    marks = _marks(_with_column(one))
    if marks:
        unit, number = marks[0]
        return f"{unit}_{number:g}".replace(".", "_")
    if ranked := _ranked_name(one.words):
        return ranked
    words = slug(one.words, _COUNTED).split("_")
    if one.code:
        return "_".join(words)
    others = [set(slug(each.words).split("_")) for each in found if not each.code and each.path != one.path]
    common = set.intersection(*others) if others else set()
    kept = [word for word in words if word not in _OF_FILES and word not in common]
    return slug("_".join(kept or words), "file")


def _with_column(one: FoundTimepoint) -> str:
    """Return the words, with the column where the code is a bare number: 6 in the column month is month_6."""
    if re.fullmatch(r"\d+(\.\d+)?", one.code.strip()):
        unit = next((word for word in reversed(slug(one.column).split("_")) if word in _UNITS), _COUNTED)
        return f"{unit}_{one.code.strip()}"
    return one.words


def _marks(text: str) -> list[Mark]:
    """Return what a text counts: (week, 12) of week_12, W12 or 12 weeks; the last in it first."""
    plain = re.sub(r"[^a-z0-9.]+", " ", text.casefold())
    pairs = re.findall(r"(?<![a-z])([a-z]+) ?(\d+(?:\.\d+)?)(?![a-z0-9])", plain)
    if not any(unit in _UNITS for unit, _ in pairs):
        after = re.findall(r"(?<![a-z0-9])(\d+(?:\.\d+)?) ?([a-z]+)(?![a-z0-9])", plain)
        pairs = [(unit, number) for number, unit in after]
    return [(_UNITS[unit], float(number)) for unit, number in pairs if unit in _UNITS][::-1]


def _weeks(unit: str, number: float) -> float:
    return number * _IN_WEEKS.get(unit, 1.0)


def _place(
    name: str, rank: float | None, marks: Mapping[str, float], scale: str, names: Sequence[str]
) -> tuple[float, float, int]:
    """Return what puts a timepoint in order: a word such as baseline, what is counted, and the order of the files."""
    number = re.search(r"\d+", name)
    if rank is not None:
        return rank, float(number.group()) if number else 0.0, names.index(name)
    return 0.5, marks.get(scale, 0.0), names.index(name)


def _with_first(
    ordered: Sequence[str], found: Sequence[FoundTimepoint], ids: Sequence[str]
) -> tuple[list[str], dict[str, str]]:
    """Return the names, and name -> name: the first is the baseline where it is only counted, or is number 0."""
    first = ordered[0] if ordered else ""
    is_bare = first.rpartition("_")[0] == _COUNTED or first.rpartition("_")[2] == "0"
    codes = [one.code for one, name in zip(found, ids, strict=True) if name == first]
    is_bare = is_bare or any(re.fullmatch(r"\d*", code.strip()) and code for code in codes)
    new = {name: FIRST if name == first and is_bare and FIRST not in ordered else name for name in ordered}
    return [new[name] for name in ordered], new


def _in_weeks(marks: Sequence[Mapping[str, float]]) -> tuple[tuple[float, ...], tuple[bool, ...]]:
    """Return ascending weeks, and whether a name told each."""
    weeks: list[float] = []
    told: list[bool] = []
    for one in marks:
        week = round(one[_CLOCK]) if _CLOCK in one else None
        is_told = week is not None and (not weeks or week > weeks[-1])
        weeks.append(0.0 if not weeks else float(week) if is_told and week is not None else weeks[-1] + 1)
        told.append(is_told)
    return tuple(weeks), tuple(told)
