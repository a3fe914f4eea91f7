"""Items whose answers go against the other items of their measure: they may have arrived already reversed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from instruments.model import Instrument
from instruments.scoring import Answers, count_answers, read_answers

CONFIDENCE: Final = 0.95
FEWEST_ROWS: Final = 10
"""Fewer complete rows give no verdict."""
TURNED_DTYPES: Final[dict[str, str]] = {
    "measure": "str", "timepoint": "str", "item": "str", "correlation": "float64", "conf_low": "float64",
    "conf_high": "float64", "n": "int64", "side": "int64", "verdict": "str",
}  # fmt: skip


def find_turned_items(
    answers: Answers | pd.DataFrame,
    instrument: Instrument,
    *,
    columns: Sequence[str] | None = None,
    timepoints: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Correlate each item with the sum of the others of its measure, and say which go the wrong way.

    The correlation is of what answers count, after recoding and reversal, over rows with every item of the measure
    answered: r of x and (total - x), with the interval of Fisher's z, r' = tanh(atanh(r) +- z / sqrt(n - 3)). The
    interval holds for all items of a measure together (each at 1 - 0.05 / k, after Bonferroni) and takes rows for
    independent. Sides are the signs of the first principal component: a smaller side is what may be turned, and
    where both sides are equally large the answers cannot tell which is.

    Parameters
    ----------
    answers : array of float, (n, k), or DataFrame
        As answered, in item order; NaN where missing. See `score_wide` for tables.
    instrument : Instrument
        As the data have it.
    columns : sequence of str, optional
        The columns of its items, where `answers` is a table.
    timepoints : sequence of str, (n,), optional
        Looked at one by one too, for an item may be turned in one delivery only.

    Returns
    -------
    DataFrame
        measure, timepoint (``all`` for all rows), item, correlation (-1 to 1; NaN where the item or the sum of the
        others does not vary), conf_low, conf_high, n, side (1 the larger, 2 the smaller; 0 where nothing varies) and
        verdict: ``agrees`` (interval above zero), ``unclear``, ``turned`` (interval below zero, on the smaller side),
        ``cannot_be_told`` (below zero, equal sides), ``constant`` or ``too_few_rows``.

    Raises
    ------
    InstrumentError
        An answer is outside its response set, or columns do not fit.

    References
    ----------
    Fisher 1921, Metron 1, 3-32 (the interval).
    """
    rows = read_answers(answers, instrument, columns) if isinstance(answers, pd.DataFrame) else answers
    return correlate_items(count_answers(np.asarray(rows, dtype="float64"), instrument), instrument, timepoints)


def correlate_items(counted: Answers, instrument: Instrument, timepoints: Sequence[str] | None = None) -> pd.DataFrame:
    """Return the table of `find_turned_items` from what each answer counts."""
    cells: dict[str, NDArray[np.bool_]] = {"all": np.ones(len(counted), dtype=bool)}
    if timepoints is not None:
        labels = np.asarray(timepoints, dtype="object")
        cells |= {str(label): labels == label for label in dict.fromkeys(labels)}
    places = {item.id: place for place, item in enumerate(instrument.items)}
    records = []
    for measure in instrument.scored_measures:
        ids = [item.id for item in instrument.items_of(measure)]
        own = counted[:, [places[name] for name in ids]]
        complete = ~np.isnan(own).any(axis=1)
        if len(ids) > 1:
            for timepoint, rows in cells.items():
                table = _correlate(own[complete & rows], ids)
                records.append(table.assign(measure=f"{instrument.id}.{measure.id}", timepoint=timepoint))
    return pd.concat(records, ignore_index=True)[list(TURNED_DTYPES)].astype(TURNED_DTYPES) if records else no_items()


def judge_turned(counted: Answers, ids: Sequence[str], turned: Sequence[str]) -> Literal["", "turned", "as_declared"]:
    """Return whether some items, scored as declared, go against all the others (``turned``) or agree with them."""
    complete = counted[~np.isnan(counted).any(axis=1)]
    if len(turned) == len(ids):
        return ""
    table = _correlate(complete, ids)
    against = table["verdict"].isin(["turned", "cannot_be_told"]).any()
    if against and any(set(table.loc[table["side"] == side, "item"]) == set(turned) for side in (1, 2)):
        return "turned"
    return "as_declared" if (table.loc[table["item"].isin(turned), "verdict"] == "agrees").all() else ""


def no_items() -> pd.DataFrame:
    """Return the table of `find_turned_items` without rows."""
    return pd.DataFrame(columns=list(TURNED_DTYPES)).astype(TURNED_DTYPES)


def _correlate(rows: Answers, ids: Sequence[str]) -> pd.DataFrame:
    """Return the item-rest correlations of complete rows."""
    from scipy import stats

    n, k = rows.shape
    if n < FEWEST_ROWS:
        return _table(ids, np.full(k, np.nan), np.full((2, k), np.nan), n, np.zeros(k), ["too_few_rows"] * k)
    covariance = np.cov(rows, rowvar=False)
    variance, with_total = np.diag(covariance), covariance.sum(axis=1)
    rest = covariance.sum() - 2 * with_total + variance
    scale = np.sqrt(np.clip(variance, 0, None) * np.clip(rest, 0, None))
    varies = scale > 1e-12 * max(1.0, float(variance.max()))
    correlation = np.divide(with_total - variance, scale, out=np.full(k, np.nan), where=varies)
    reach = stats.norm.isf((1 - CONFIDENCE) / 2 / k) / np.sqrt(n - 3)
    ends = np.tanh(np.arctanh(np.clip(correlation, -1 + 1e-12, 1 - 1e-12)) + np.array([[-reach], [reach]]))
    side = _sides(covariance, variance > 0)
    even = (side == 1).sum() == (side == 2).sum()
    return _table(ids, correlation, ends, n, side, [
        "constant" if not varies[place] else "agrees" if ends[0, place] > 0 else "unclear" if ends[1, place] >= 0
        else "cannot_be_told" if even else "turned" if side[place] == 2 else "unclear" for place in range(k)
    ])  # fmt: skip


def _sides(covariance: Answers, varies: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return 1 for the larger (or the first item's) sign of the first principal component, 2 for the other."""
    side = np.zeros(len(varies), dtype=np.int64)
    if not varies.any():
        return side
    spread = np.sqrt(np.diag(covariance)[varies])
    leading = np.linalg.eigh(covariance[np.ix_(varies, varies)] / np.outer(spread, spread))[1][:, -1]
    above = leading >= 0
    if above.sum() * 2 < len(above) or (above.sum() * 2 == len(above) and not above[0]):
        above = ~above
    side[varies] = np.where(above, 1, 2)
    return side


def _table(
    ids: Sequence[str], correlation: Answers, ends: Answers, n: int, side: NDArray[np.generic], verdict: Sequence[str]
) -> pd.DataFrame:
    return pd.DataFrame({
        "item": list(ids), "correlation": correlation, "conf_low": ends[0], "conf_high": ends[1], "n": n, "side": side,
        "verdict": list(verdict),
    })  # fmt: skip
