"""What is missing: patterns, the flow of those who leave, and how leavers differ from those who stay."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np
import pandas as pd

from analysis.errors import AnalysisError
from analysis.mixed_models.jets import Mask
from data_contracts.errors import Problem, choose_from

ALL_ARMS: Final = ""
"""Arm of a row that is about everybody."""


def describe_patterns(frame: pd.DataFrame, outcomes: Mapping[str, str], *, arm: str) -> pd.DataFrame:
    """Count participants by which timepoints they have a score at.

    Parameters
    ----------
    frame : DataFrame
        One row per participant.
    outcomes : mapping
        Timepoint -> column of its scores, in time order, with the baseline; NaN is missing.
    arm : str
        Column of the arm.

    Returns
    -------
    DataFrame
        ``arm``, a column per timepoint (True: there is a score), ``course`` (complete; left: none from some timepoint
        to the last; came_back: a gap, then a score at the last; never: no score at all), ``participants``, ``share`` of
        the arm. The most frequent first within an arm.
    """
    _check_columns(frame, [*outcomes.values(), arm])
    observed = frame[list(outcomes.values())].notna().set_axis(list(outcomes), axis=1)
    found = observed.assign(arm=frame[arm], course=_courses(observed.to_numpy()))
    keys = ["arm", *outcomes, "course"]
    counts = found.groupby(keys, observed=True).size().rename("participants").reset_index()
    counts["share"] = counts["participants"] / counts.groupby("arm", observed=True)["participants"].transform("sum")
    order = ["arm", "participants", *outcomes]
    ascending = [True, *[False] * (len(order) - 1)]
    return counts.sort_values(order, ascending=ascending, kind="stable").reset_index(drop=True)


def describe_flow(frame: pd.DataFrame, outcomes: Mapping[str, str], *, arm: str) -> pd.DataFrame:
    """Count, by arm and timepoint, who has a score, who is away for a while and who has left for good.

    Parameters
    ----------
    frame, outcomes, arm
        As in `describe_patterns`.

    Returns
    -------
    DataFrame
        ``arm``, ``timepoint``, ``participants``, ``observed``, ``away`` (a score later), ``left`` (none from here on),
        ``share_missing``.
    """
    _check_columns(frame, [*outcomes.values(), arm])
    observed = frame[list(outcomes.values())].notna().to_numpy()
    gone = _gone(observed)
    rows = []
    for name, inside in _by_arm(frame, arm):
        for place, timepoint in enumerate(outcomes):
            here, left = observed[inside, place], gone[inside, place]
            rows.append(
                {
                    "arm": name,
                    "timepoint": timepoint,
                    "participants": len(here),
                    "observed": int(here.sum()),
                    "away": int((~here & ~left).sum()),
                    "left": int(left.sum()),
                    "share_missing": float(1.0 - here.mean()),
                }
            )
    return pd.DataFrame(rows)


def compare_leavers(
    frame: pd.DataFrame, outcomes: Mapping[str, str], *, arm: str, characteristics: Sequence[str]
) -> pd.DataFrame:
    """Compare those who left with those who stayed in what was known at baseline.

    Standardised difference: of means over the root of the mean variance, of shares over the root of the mean of
    p (1 - p) (Austin 2009, doi 10.1002/sim.3697). No test: with few leavers it would find nothing, with many anything.

    Parameters
    ----------
    frame, arm
        As in `describe_patterns`.
    outcomes : mapping
        Timepoint -> column, without the baseline: who has no score at the last timepoint has left.
    characteristics : sequence of str
        Columns: numbers, or text and categories, of which each level is compared. Missing values are left out.

    Returns
    -------
    DataFrame
        ``arm`` (empty for all arms), ``characteristic``, ``level`` (empty for a number), ``left`` and ``stayed`` (mean,
        or share), ``standardised_difference`` (left less stayed; NaN where neither varies, or a side has fewer than
        two), ``n_left`` and ``n_stayed`` (with a value).
    """
    _check_columns(frame, [*outcomes.values(), arm, *characteristics])
    gone = _gone(frame[list(outcomes.values())].notna().to_numpy())[:, -1]
    rows = []
    for name, inside in [(ALL_ARMS, np.ones(len(frame), dtype=bool)), *_by_arm(frame, arm)]:
        for characteristic in characteristics:
            values = frame.loc[inside, characteristic]
            for level, numbers in _numbers(values):
                rows.append(
                    {"arm": name, "characteristic": characteristic, "level": level}
                    | _compare(numbers, gone[inside], is_share=level != "")
                )
    return pd.DataFrame(rows)


def _compare(numbers: pd.Series, gone: Mask, *, is_share: bool) -> dict[str, float]:
    """Return means of both sides and their standardised difference."""
    left, stayed = (numbers[side].dropna().to_numpy(dtype=float) for side in (gone, ~gone))
    means = [float(side.mean()) if len(side) else float("nan") for side in (left, stayed)]
    spread = float("nan")
    if min(len(left), len(stayed)) > 1:
        spread = float(np.sqrt(np.mean([side.var(ddof=0 if is_share else 1) for side in (left, stayed)])))
    return {
        "left": means[0],
        "stayed": means[1],
        "standardised_difference": (means[0] - means[1]) / spread if spread > 0 else float("nan"),
        "n_left": len(left),
        "n_stayed": len(stayed),
    }


def _numbers(values: pd.Series) -> Iterator[tuple[str, pd.Series]]:
    """Yield a number as it is, and of anything else an indicator of each level; missing stays missing."""
    if pd.api.types.is_numeric_dtype(values.dtype) and not pd.api.types.is_bool_dtype(values.dtype):
        yield "", values
        return
    text = values.astype(object).map(str, na_action="ignore")
    for level in sorted(text.dropna().unique()):
        yield level, (text == level).astype(float).where(text.notna())


def _by_arm(frame: pd.DataFrame, arm: str) -> list[tuple[str, Mask]]:
    labels = frame[arm].astype(object).map(str, na_action="ignore")
    return [(name, (labels == name).to_numpy(dtype=bool)) for name in sorted(labels.dropna().unique())]


def _gone(observed: Mask) -> Mask:
    """Return (n, T) from where on nobody's score comes any more."""
    later: Mask = np.logical_or.accumulate(observed[:, ::-1], axis=1)[:, ::-1]
    return ~later


def _courses(observed: Mask) -> list[str]:
    """Return complete, left, came_back or never of every participant."""
    conditions = [~observed.any(axis=1), observed.all(axis=1), ~observed[:, -1]]
    return list(np.select(conditions, ["never", "complete", "left"], "came_back"))


def _check_columns(frame: pd.DataFrame, needed: Sequence[str]) -> None:
    for name in needed:
        if name not in frame.columns:
            advice = choose_from(name, [str(column) for column in frame.columns])
            raise AnalysisError(Problem("column_unknown", f"The frame has no column '{name}'.", advice))
