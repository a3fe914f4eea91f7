"""One whole number for what several columns of a row hold together: equal numbers, equal values."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

_LARGEST = 2**62


def find_missing(values: pd.Series) -> pd.Series:
    """Tell which values are missing; an empty text is."""
    missing = values.isna()
    return missing | (values == "") if values.dtype == "str" or values.dtype == "object" else missing


def number_keys(table: pd.DataFrame, columns: Sequence[str]) -> np.ndarray:
    """Return one number per row, the same for rows that hold the same in all `columns`.

    Parameters
    ----------
    table : DataFrame
        Any table; not changed.
    columns : sequence of str
        At least one of its columns.

    Returns
    -------
    ndarray of int64
        0 or more; -1 where any of the columns is missing. Time and memory go with the number of rows: no hashing that
        could take two values for one, and no text is joined.
    """
    keys = np.zeros(len(table), dtype="int64")
    missing = np.zeros(len(table), dtype="bool")
    size = 1
    for column in columns:
        codes, distinct = pd.factorize(table[column])
        missing |= find_missing(table[column]).to_numpy(dtype="bool")
        if size * len(distinct) >= _LARGEST:
            keys, known = pd.factorize(keys)
            size = len(known)
        size *= max(len(distinct), 1)
        keys = keys * max(len(distinct), 1) + np.maximum(codes, 0)
    return np.where(missing, -1, keys)
