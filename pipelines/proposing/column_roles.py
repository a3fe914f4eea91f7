"""What columns beside questions are: who answered, when, in which arm; and what may identify a person."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

import pandas as pd

from pipelines.proposing.column_runs import find_runs
from pipelines.sources import RawTable

MOST_TIMEPOINTS: Final = 12
MOST_ARMS: Final = 6
SLIPS: Final = 0.005
"""Share of rows up to which a short code of a timepoint or arm is a slip, in files with so many rows:"""
FEWEST_FOR_SLIPS: Final = 100
FEWEST_REPEATED: Final = 0.2
"""Share of rows that must be about somebody again before a column is looked for that tells them apart."""
_ID_NAMES: Final = (
    "participant_id", "participantid", "participant", "pid", "record_id", "study_id", "studyid", "subject_id",
    "patient_id", "person_id", "code", "id", "external_reference", "externalreference", "externaldatareference",
)  # fmt: skip
_NO_ID: Final = re.compile(
    r"response_?id|_?uuid|_id|_index|row_names|submission.*|.*_complete|gender_id|instance_?id|key|v1|lastpage", re.I
)
_TIME_NAMES: Final = (
    "redcap_event_name", "timepoint", "time_point", "wave", "time", "visit", "occasion", "assessment", "measurement",
    "phase", "session", "period", "month", "week", "t",
)  # fmt: skip
_ARM_NAMES: Final = (
    "arm", "study_arm", "treatment_arm", "treatment", "condition", "allocation", "randomisation", "randomization",
    "intervention", "study_group", "treatment_group", "trt", "group",
)  # fmt: skip
_GROUP_NAMES: Final = ("group_id", "groupid", "peer_group", "peergroup", "circle", "group")
_SITE_NAMES: Final = ("site", "centre", "center", "clinic", "location_name", "redcap_data_access_group")
_AGE_NAMES: Final = ("age", "age_years", "alter", "edad")
_GENDER_NAMES: Final = ("gender", "sex", "geschlecht", "genero")
_IDENTIFYING: Final = re.compile(
    r"(^|[\W_])(names?|first_?name|last_?name|surname|nachname|vorname|e?_?mail|phone|telephone|tel|mobile|address|"
    r"street|zip|postcode|postal\w*|ip|ip_?address|latitude|longitude|gps|dob|birth\w*|ssn|mrn|next_of_kin|signature|"
    r"insurance|passport|recipient\w*|photo|username)([\W_0-9]|$)",
    re.I,
)
_SYSTEM: Final = re.compile(r"redcap_(event_name|repeat_\w+|data_access_group)|row_names|_parent_\w+|\w+_complete")
_LOOKS_PERSONAL: Final = re.compile(
    r"[^@\s]+@[^@\s]+\.\w{2,}|\d{1,3}(\.\d{1,3}){3}|\(?\+?\d{2,4}\)?[ /-]\d{3}[ -]?\d{3,}|[-+]?\d{1,3}\.\d{6,}"
)
_CODE: Final = re.compile(r"[^\s@]{1,40}")
_ORDER: Final = (
    "screening", "enrollment", "enrolment", "pre", "baseline", "bl", "start", "mid", "during", "post", "end", "final",
    "follow", "fu",
)  # fmt: skip
_SHORT: Final = 3
_LABEL: Final = re.compile(r"[^\s@]{1,40}( [^\s@]{1,40}){0,3}")
"""An arm or a group may have a name of a few words."""


@dataclass(frozen=True, slots=True)
class ColumnRoles:
    """What the columns of a file probably are; blank where none was found.

    Attributes
    ----------
    participant_id, timepoint, arm, group, site, age, gender : str
        Column names.
    id_candidates : tuple of str
        Other columns that could be the participant's id.
    identifying : tuple of str
        Columns that look like names, addresses, coordinates or free text; never proposed for anything.
    """

    participant_id: str
    timepoint: str
    arm: str
    group: str
    site: str
    age: str
    gender: str
    id_candidates: tuple[str, ...]
    identifying: tuple[str, ...]


def find_roles(
    table: RawTable, taken: Collection[str], ids: Sequence[str] = (), timepoint: str = "", arm: str = ""
) -> ColumnRoles:
    """Say what the columns of a file are, by name and by how often their values stand.

    Parameters
    ----------
    table : RawTable
        A file as read.
    taken : collection of str
        Columns that are questions of an instrument.
    ids, timepoint, arm : optional
        Columns that somebody named; the first id that the file has counts.
    """
    columns = [column for column in table.cells.columns if column not in taken]
    identifying = tuple(column for column in columns if _may_identify(table, column))
    free = [column for column in columns if column not in identifying]
    told = next((column for column in ids if column in table.cells.columns), "")
    candidates = [told] if told else _id_candidates(table, free)
    who = candidates[0] if candidates else ""
    when = timepoint if timepoint in table.cells.columns else _find_timepoint(table, free, who)
    rest = [column for column in free if column not in (who, when)]
    which = arm if arm in table.cells.columns else _named(table, rest, _ARM_NAMES, who, 2, MOST_ARMS)
    rest = [column for column in rest if column != which]
    return ColumnRoles(
        who, when, which,
        _named(table, rest, _GROUP_NAMES, who, 3, 10_000), _named(table, rest, _SITE_NAMES, who, 1, 1000),
        _number_column(table, rest, _AGE_NAMES), _named(table, rest, _GENDER_NAMES, "", 1, 6),
        tuple(candidates[1:]), tuple(column for column in identifying if column != who),
    )  # fmt: skip


def values_of(table: RawTable, column: str) -> list[str]:
    """Return the different values of a column but for slips, in the order of time where names or numbers tell one."""
    counts = table.cells[column].str.strip().value_counts()
    slips = slips_of(table, column)
    return sorted((text for text in counts.index if text and text not in slips), key=time_key)


def slips_of(table: RawTable, column: str) -> dict[str, int]:
    """Return short codes of a column that hardly ever stand in it, and their rows: slips of the hand, probably."""
    counts = table.cells[column].str.strip().value_counts()
    counts = counts[counts.index != ""]
    most = SLIPS * counts.sum() if counts.sum() >= FEWEST_FOR_SLIPS else 0
    return {
        text: int(count) for text, count in counts.items() if count <= max(most, most and 1) and len(text) <= _SHORT
    }


def time_rank(text: str) -> float | None:
    """Return where a word such as baseline or follow-up stands in time, 0 to 1; None where no word tells it."""
    words = re.findall(r"[a-z]+", text.lower())
    rank = next((place for place, word in enumerate(_ORDER) if any(_begins(each, word) for each in words)), None)
    return None if rank is None else rank / len(_ORDER)


def _begins(text: str, word: str) -> bool:
    """Tell whether a text is a word of time; short ones such as pre stand alone or in pretest, never in prefer."""
    if len(word) > _SHORT:
        return text.startswith(word)
    return text in {word, *(word + end for end in ("test", "point", "line", "treatment", "intervention"))}


def time_key(text: str) -> tuple[float, float, str]:
    """Return a key that puts baseline before post before follow-up, and 2 before 10."""
    rank = time_rank(text)
    number = re.search(r"\d+(\.\d+)?", text)
    return (0.5 if rank is None else rank, float(number.group()) if number else 0.0, text)


def _id_candidates(table: RawTable, columns: Sequence[str]) -> list[str]:
    """Return the columns that could be ids, the likeliest first; REDCap's first column is always the record."""
    n_rows = len(table.cells)
    found: list[tuple[float, str]] = []
    for place, column in enumerate(columns):
        plain = re.sub(r"[\W]+", "_", column.casefold()).strip("_")
        if _NO_ID.fullmatch(plain) or _NO_ID.fullmatch(column):
            continue
        by_name = next((len(_ID_NAMES) - at for at, name in enumerate(_ID_NAMES) if plain == name), 0)
        by_part = 2 if re.search(r"(^|_)(p?id|code|participant)($|_)", plain) else 0
        if not by_name and not by_part and place > 0:
            continue
        texts = table.cells[column].str.strip()
        told = texts[texts != ""]
        if len(told) < 0.8 * n_rows or not told.str.fullmatch(_CODE.pattern).all():
            continue
        share = told.nunique() / len(told)
        if not by_name and (not by_part or share < 0.15) and not (place == 0 and "complete" in " ".join(columns)):
            continue
        found.append((by_name + by_part + share, column))
    return [column for _, column in sorted(found, key=lambda one: (-one[0], columns.index(one[1])))]


def _find_timepoint(table: RawTable, columns: Sequence[str], who: str) -> str:
    """Return the column that tells the timepoint: few values, and a participant has each of them once."""
    for name in _TIME_NAMES:
        for column in columns:
            if re.sub(r"\W+", "_", column.casefold()) == name and column != who:
                values = set(table.cells[column].str.strip()) - {""}
                if 1 <= len(values) <= MOST_TIMEPOINTS and len(values) < max(len(table.cells), 2):
                    return column
    if not who or table.cells.duplicated([who]).mean() < FEWEST_REPEATED:
        return ""
    questions = {column for run in find_runs(columns) for column in run.columns}
    for column in (one for one in columns if one not in questions):
        values = set(table.cells[column].str.strip())
        if (
            column != who
            and "" not in values
            and 2 <= len(values) <= MOST_TIMEPOINTS
            and not _repeats(table, [who, column])
        ):
            return column
    return ""


def _repeats(table: RawTable, columns: Sequence[str]) -> bool:
    return bool(table.cells.duplicated(list(columns)).any())


def _named(table: RawTable, columns: Sequence[str], names: Sequence[str], who: str, fewest: int, most: int) -> str:
    """Return the first column with one of the names, so many different values, and one for each participant."""
    for name in names:
        for column in columns:
            asked = table.questions.get(column, "").strip().casefold()
            if name not in (re.sub(r"\W+", "_", column.casefold()), re.sub(r"\W+", "_", asked)):
                continue
            texts = table.cells[column].str.strip()
            told = texts[texts != ""]
            few = fewest <= told.nunique() <= most and told.str.fullmatch(_LABEL.pattern).all()
            is_told = told.value_counts().min() > 1 if told.str.contains(" ").any() else True
            if few and is_told and (not who or _is_constant(told, table.cells[who])):
                return column
    return ""


def _is_constant(told: pd.Series, ids: pd.Series) -> bool:
    different = told.groupby(ids.reindex(told.index)).agg(lambda values: len(set(values)))
    return bool((different == 1).mean() > 0.9)


def _number_column(table: RawTable, columns: Sequence[str], names: Sequence[str]) -> str:
    for column in columns:
        if re.sub(r"\W+", "_", column.casefold()) in names:
            texts = table.cells[column].str.strip()
            told = texts[texts != ""]
            if len(told) and told.str.fullmatch(r"\d{1,3}(\.\d+)?").mean() > 0.9:
                return column
    return ""


def _may_identify(table: RawTable, column: str) -> bool:
    """Tell whether a column may hold names, addresses, coordinates or free text."""
    if _SYSTEM.fullmatch(column):
        return False
    if _IDENTIFYING.search(re.sub(r"(?<=[a-z])(?=[A-Z])", "_", column)):
        return True
    texts = [text for text in table.cells[column].unique() if text.strip()]
    if not texts:
        return False
    sample = texts[:200]
    personal = sum(bool(_LOOKS_PERSONAL.fullmatch(text.strip())) for text in sample)
    wordy = sum(len(text.split()) >= 4 for text in sample)
    many = len(texts) > max(12, 0.3 * len(table.cells))
    return (personal > len(sample) / 2 and "@" in "".join(sample)) or (many and wordy > len(sample) / 4)
