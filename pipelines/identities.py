"""Ids that may be one person written in two ways: listed by where they stand, joined by nobody but a person."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data_contracts import conform, shipped_contract
from pipelines.corrections import COLUMNS
from pipelines.deliveries import ExportFile
from pipelines.rows import CODE_SEPARATOR, UNLINKED, list_ids

LIKENESS_DTYPES: Final = {
    "source": "str", "source_row": "int64", "rows": "int64", "like_source": "str", "like_source_row": "int64",
    "like_rows": "int64", "differ_in": "str", "correction": "str",
}  # fmt: skip
MOST_ALIKE: Final = 20
"""Ids of one likeness that are compared with each other."""
FEWEST_PARTS: Final = 3
"""Parts from which on two self-generated codes that differ in one of them may be one person's."""
_ZEROS: Final = re.compile(r"(?<!\d)0+(?=\d)")
MOST_NEAR: Final = 3
"""Near matches of a self-generated code from which on it tells people too little apart to propose any."""
NO_ANSWERS: Final = "no answers"
WHY: Final = "same person"
PROPOSAL: Final = "Two people, or one? They are never joined by guess: a person corrects the id in corrections.csv."
LINKAGE_DTYPES: Final = {"source": "str", "timepoints": "str", "participants": "int64"}
Pairs = NDArray[np.int64]
"""Two rows of numbers of ids: the one that stands first, and the other."""


def _normal(text: str) -> str:
    return text if text.isascii() else unicodedata.normalize("NFKC", text)


def _plain(text: str) -> str:
    if text.isascii() and text.isalnum():
        return text.lower()
    return re.sub(r"[\W_]+", "", _normal(text)).casefold()


def _without_zeros(text: str) -> str:
    plain = _plain(text)
    return _ZEROS.sub("", plain) if "0" in plain else plain


def _number(text: str) -> str:
    digits = text if text.isascii() and text.isdigit() else "".join(re.findall(r"\d+", text))
    return digits.lstrip("0") or digits[-1:]


_LIKENESS: Final[Mapping[str, Callable[[str], str]]] = {
    "the spelling of letters": _normal,
    "case and punctuation": _plain,
    "leading zeros": _without_zeros,
}
"""What two ids differ in -> what is left of an id without it; who is alike by one is alike by the next."""


def find_like_ids(files: Sequence[ExportFile], rows: pd.DataFrame | None = None) -> pd.DataFrame:
    """Find ids that are equal once case, punctuation, leading zeros or letters around the number do not count.

    Self-generated codes of three parts or more are also alike where one part differs, if they never stand at one
    timepoint (there they are two people) and have at most three such matches.

    Parameters
    ----------
    files : sequence of ExportFile
        Files as read.
    rows : DataFrame, optional
        source, source_row and timepoint of their rows; a row may be at several timepoints, or at none. Without it
        self-generated codes are compared as a whole only.

    Returns
    -------
    DataFrame
        One row per pair of ids: where each stands first (source, source_row; like_source, like_source_row), how many
        rows have it, the slightest difference between them in words (differ_in), and the line of corrections.csv that
        would join them, without the ids (correction). Whoever holds the files can look them up; nobody is joined by
        guess. Letters around the number count as a difference only between ids that never stand in one file: there they
        are two people. Of ids that are alike in great number the first 20 are compared. Time goes with the rows.
    """
    told = _list_told(files)
    number, ids = pd.factorize(told["id"])
    texts = [str(text) for text in ids]
    found = list(_like_single(texts, number, told["source"]))
    if rows is not None:
        found += _like_codes(texts, number, told, rows)
    pairs = np.concatenate([np.empty((2, 0), dtype="int64"), *(pairs for pairs, _ in found)], axis=1)
    lines = pd.DataFrame(pairs.T, columns=["first", "other"])
    lines["differ_in"] = pd.Series([words for pairs, words in found for _ in range(pairs.shape[1])], dtype="str")
    lines = lines.drop_duplicates(["first", "other"], ignore_index=True)
    place = told[["source", "source_row"]].iloc[np.unique(number, return_index=True)[1]].reset_index(drop=True)
    place["rows"] = np.bincount(number, minlength=len(ids))
    own = place.take(lines["first"]).reset_index(drop=True)
    like = place.take(lines["other"]).reset_index(drop=True).add_prefix("like_")
    columns = {file.table.source: file.declared.participant_id.columns for file in files}
    lines["correction"] = [
        _correction(source, row, columns[source], texts[first], texts[other])
        for source, row, first, other in zip(
            like["like_source"], like["like_source_row"], lines["first"], lines["other"], strict=True
        )
    ]
    return pd.concat([own, like, lines[["differ_in", "correction"]]], axis=1).astype(LIKENESS_DTYPES)


def count_linked(rows: pd.DataFrame, timepoints: Sequence[str]) -> pd.DataFrame:
    """Count participants by the timepoints at which they answered.

    Parameters
    ----------
    rows : DataFrame
        participant_id, source, timepoint and answers_anything of the accepted rows.
    timepoints : sequence of str
        In their order.

    Returns
    -------
    DataFrame
        source (empty for all together), timepoints (such as ``baseline + post``, or ``no answers``), participants; all
        together first, then by source; most timepoints first.
    """
    weight = {timepoint: 1 << place for place, timepoint in enumerate(timepoints)}
    bits = rows["timepoint"].map(weight).where(rows["answers_anything"], 0)
    told = pd.DataFrame({"source": rows["source"], "participant_id": rows["participant_id"], "bits": bits})
    told = pd.concat([told.assign(source=""), told]).drop_duplicates()
    seen = told.groupby(["source", "participant_id"], sort=False)["bits"].sum()
    counts = seen.groupby(level="source", sort=False).value_counts(sort=False).rename("participants").reset_index()
    lines = [
        {
            "source": source,
            "timepoints": " + ".join(one for one in timepoints if weight[one] & bits) or NO_ANSWERS,
            "participants": participants,
            "order": (list(dict.fromkeys(counts["source"])).index(source), -bits.bit_count(), bits),
        }
        for source, bits, participants in counts.itertuples(index=False)
    ]
    lines.sort(key=lambda line: line.pop("order"))
    return pd.DataFrame(lines, columns=list(LINKAGE_DTYPES)).astype(LINKAGE_DTYPES)


def tell_linking(linkage: pd.DataFrame, like_ids: pd.DataFrame) -> pd.DataFrame:
    """Return the linking report in one table, as the contract `linking` has it: counts, then proposals."""
    counts = linkage.assign(kind="linked")
    proposals = like_ids.assign(kind="proposal", told=PROPOSAL)
    return conform(pd.concat([counts, proposals], ignore_index=True), shipped_contract("linking"))


def _list_told(files: Sequence[ExportFile]) -> pd.DataFrame:
    """Return id, source and source_row of every row that tells an id."""
    none = pd.DataFrame({"source_row": [], "id": [], "source": []}).astype(
        {"source_row": "int64", "id": "str", "source": "str"}
    )
    frames = [
        pd.DataFrame({"id": list_ids(file), "source": file.table.source}).rename_axis("source_row").reset_index()
        for file in files
    ]
    told = pd.concat([none, *frames], ignore_index=True)
    return told[(told["id"] != "") & ~told["id"].str.startswith(UNLINKED)].reset_index(drop=True)


def _like_single(texts: Sequence[str], number: NDArray[np.int64], source: pd.Series) -> Iterator[tuple[Pairs, str]]:
    """Yield pairs of ids that are alike as a whole, with what they differ in."""
    near = _repeated([_by_part(_without_zeros, text) for text in texts])  # whoever is alike in less is among them
    for differ_in, strip in _LIKENESS.items():
        yield near[_pairs([_by_part(strip, texts[place]) for place in near])], differ_in
    pairs = _pairs(["" if CODE_SEPARATOR in text else _number(text) for text in texts])
    yield pairs[:, ~_stand_together(pairs, number, source)], "letters around the number"


def _like_codes(
    texts: Sequence[str], number: NDArray[np.int64], told: pd.DataFrame, rows: pd.DataFrame
) -> Iterator[tuple[Pairs, str]]:
    """Yield pairs of self-generated codes that differ in one part."""
    codes = np.array(
        [place for place, text in enumerate(texts) if text.count(CODE_SEPARATOR) + 1 >= FEWEST_PARTS], dtype="int64"
    )
    if not len(codes):
        return
    at = told.assign(number=number).merge(rows[["source", "source_row", "timepoint"]], on=["source", "source_row"])
    parts = [texts[place].split(CODE_SEPARATOR) for place in codes]
    found = []
    for part in range(max(map(len, parts))):
        keys = [CODE_SEPARATOR.join([*one[:part], "", *one[part + 1 :]]) if part < len(one) else "" for one in parts]
        pairs = codes[_pairs(keys)]
        found.append(pairs[:, ~_stand_together(pairs, at["number"].to_numpy(), at["timepoint"])])
    matches = np.bincount(np.concatenate(found, axis=None), minlength=len(texts))
    for part, pairs in enumerate(found, 1):
        yield pairs[:, (matches[pairs] <= MOST_NEAR).all(axis=0)], f"part {part} of the code"


def _by_part(strip: Callable[[str], str], text: str) -> str:
    if CODE_SEPARATOR not in text:
        return strip(text)
    return CODE_SEPARATOR.join(strip(part) for part in text.split(CODE_SEPARATOR))


def _repeated(keys: Sequence[str]) -> NDArray[np.int64]:
    """Return the positions of the keys that stand more than once; blank ones are none."""
    told = pd.Series(keys, dtype="object")
    return np.flatnonzero((told.duplicated(keep=False) & (told != "")).to_numpy())


def _pairs(keys: Sequence[str]) -> Pairs:
    """Return the pairs of positions with the same key, of each key the first `MOST_ALIKE`, in ascending order."""
    place = _repeated(keys)
    code = pd.factorize(pd.Series(keys, dtype="object").iloc[place])[0]
    order = np.argsort(code, kind="stable")
    place, code = place[order], code[order]
    rank = np.arange(len(code)) - np.searchsorted(code, code)
    pairs = [np.empty((2, 0), dtype="int64")]
    for step in range(1, MOST_ALIKE):
        same = (code[step:] == code[:-step]) & (rank[step:] < MOST_ALIKE)
        pairs.append(np.stack([place[:-step][same], place[step:][same]]))
    found = np.concatenate(pairs, axis=1)
    return found[:, np.lexsort(found[::-1])]


def _stand_together(pairs: Pairs, number: NDArray[np.int64], where: pd.Series) -> NDArray[np.bool_]:
    """Tell of each pair of ids whether both stand in one place (`number`: the id of each row)."""
    from scipy.sparse import csr_array

    places, names = pd.factorize(where)
    n_ids = max(int(number.max(initial=-1)), int(pairs.max(initial=-1))) + 1
    seen = csr_array((np.ones(len(places), dtype="int64"), (number, places)), shape=(n_ids, len(names)))
    both = seen[pairs[0]].multiply(seen[pairs[1]]).sum(axis=1)
    return np.asarray(both).ravel() > 0


def _correction(source: str, row: int, columns: Sequence[str], text: str, like: str) -> str:
    """Return the line of corrections.csv for the second of two ids; who, when, old and new are left to a person."""
    parts = zip(columns, text.split(CODE_SEPARATOR), like.split(CODE_SEPARATOR), strict=False)
    column = next((column for column, one, other in parts if one != other), columns[0])
    told = {"source": source, "row": str(row), "column": column, "why": WHY}
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow([told.get(name, "") for name in COLUMNS])
    return line.getvalue()
