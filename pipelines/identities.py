"""Ids that may be one person written in two ways: listed by where they stand, joined by nobody but a person."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from itertools import combinations
from typing import Final

import pandas as pd

from pipelines.deliveries import UNLINKED, Delivery, list_ids

_LIKENESS: Final[dict[str, Callable[[str], str]]] = {
    "the spelling of letters": lambda text: unicodedata.normalize("NFKC", text),
    "case and punctuation": lambda text: _plain(text),
    "leading zeros": lambda text: re.sub(r"(?<!\d)0+(?=\d)", "", _plain(text)),
    "letters around the number": lambda text: re.sub(r"^0+(?=\d)", "", "".join(re.findall(r"\d+", text))),
}
"""What two ids differ in -> what is left of an id without it, from the slightest difference on."""
LIKENESS_DTYPES: Final = {
    "source": "str", "source_row": "int64", "rows": "int64", "like_source": "str", "like_source_row": "int64",
    "like_rows": "int64", "differ_in": "str",
}  # fmt: skip


MOST_ALIKE: Final = 20
"""Ids of one likeness that are compared with each other."""


def _plain(text: str) -> str:
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text)).casefold()


def find_like_ids(deliveries: Sequence[Delivery]) -> pd.DataFrame:
    """Find ids that are equal once case, punctuation, leading zeros or letters around the number do not count.

    Parameters
    ----------
    deliveries : sequence of Delivery
        Files as read.

    Returns
    -------
    DataFrame
        One row per pair of ids: where each stands first (source, source_row; like_source, like_source_row), how many
        rows have it, and the slightest difference between them in words (differ_in). The ids themselves are not told;
        whoever holds the files can look them up, and join them by corrections.csv. Letters around the number count as a
        difference only between ids that never stand in one file: there they are two people.
    """
    frames = [
        pd.DataFrame({
            "id": list_ids(delivery),
            "source": delivery.table.source,
        }).rename_axis("source_row").reset_index()
        for delivery in deliveries
    ]  # fmt: skip
    rows = pd.concat(frames, ignore_index=True)
    rows = rows[(rows["id"] != "") & ~rows["id"].str.startswith(UNLINKED)]
    ids = rows.groupby("id", sort=False).agg(
        source=("source", "first"), source_row=("source_row", "first"), rows=("source", "size"), files=("source", set)
    )
    found: dict[tuple[str, str], str] = {}
    for difference, strip in _LIKENESS.items():
        kept = pd.Series([strip(text) for text in ids.index], index=ids.index)
        for _, alike in kept[kept != ""].groupby(kept, sort=False):
            for first, other in combinations(alike.index[:MOST_ALIKE], 2):
                together = ids.loc[first, "files"] & ids.loc[other, "files"]
                if (first, other) not in found and not (together and difference.startswith("letters")):
                    found[first, other] = difference
    lines = [
        {
            **{name: ids.loc[first, name] for name in ("source", "source_row", "rows")},
            **{f"like_{name}": ids.loc[other, name] for name in ("source", "source_row", "rows")},
            "differ_in": difference,
        }
        for (first, other), difference in found.items()
    ]
    return pd.DataFrame(lines, columns=list(LIKENESS_DTYPES)).astype(LIKENESS_DTYPES)
