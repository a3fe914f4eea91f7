"""People of two arms and the clusters they came in: what comparisons of unlike or few groups share."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.errors import AnalysisError
from analysis.mixed_models.jets import Codes
from data_contracts.errors import Problem, did_you_mean

Flags = NDArray[np.bool_]


def require_columns(frame: pd.DataFrame, columns: Sequence[str]) -> None:
    """Refuse a frame that lacks a column.

    Raises
    ------
    AnalysisError
        ``columns_missing``, with the nearest column that there is.
    """
    problems = [
        Problem(
            "columns_missing",
            f"The frame has no column '{column}'.",
            f"{did_you_mean(column, [str(known) for known in frame.columns])}Add the column.",
        )
        for column in columns
        if column not in frame.columns
    ]
    if problems:
        raise AnalysisError(problems)


def code_units(groups: pd.Series, is_first: Flags) -> Codes:
    """Return a number for each group, and for each person without one (empty or missing).

    Raises
    ------
    AnalysisError
        ``group_in_both_arms``.
    """
    names = groups.astype("str").where(groups.notna(), "").to_numpy()
    codes = np.where(names == "", np.arange(len(names)), len(names) + pd.factorize(names)[0]).astype(np.int64)
    if np.intersect1d(codes[is_first], codes[~is_first]).size:
        message = "A group has people of both arms, so it does not belong to one of them."
        raise problem("group_in_both_arms", message, "Check the columns of arm and group.")
    return codes


def problem(code: str, message: str, how_to_fix: str) -> AnalysisError:
    """Return the error of one problem."""
    return AnalysisError(Problem(code, message, how_to_fix))
