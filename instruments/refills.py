"""Adherence from refills: on how many days of a period medication was at hand."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data_contracts.errors import Problem, choose_from
from instruments.errors import InstrumentError

REFILL_COLUMNS: Final = ("participant_id", "filled_on", "days_supply")
PRODUCT: Final = "product"
COVERAGE_DTYPES: Final[dict[str, str]] = {
    "participant_id": "str", "days_covered": "int64", "days_in_period": "int64", "pdc": "float64",
}  # fmt: skip
MOST_DAYS_SUPPLY: Final = 3660  # ten years; what lies above is a code such as 9999, or a slip
MOST_ROWS_NAMED: Final = 5

Days = NDArray[np.int64]


def compute_days_covered(
    refills: pd.DataFrame, *, start: date | str | None, end: date | str, shift_overlaps: bool = True
) -> pd.DataFrame:
    """Compute the proportion of days covered (PDC) of each participant.

    A refill covers `days_supply` days from the day it was filled. If it was filled before the one before it was used
    up, it begins when that one ends (`shift_overlaps`): with s_i the supplies up to and with refill i, in order of
    filling, and f_i the day of filling, refill i lasts until s_i + max over j <= i of (f_j - s_(j-1)). Each day of the
    period that any refill covers counts once, and pdc = days_covered / days_in_period.

    Parameters
    ----------
    refills : DataFrame
        One row per refill, in any order: participant_id; filled_on, a date or its text as YYYY-MM-DD; days_supply, a
        whole number of days from 1 to 3660. None of them may be missing. Where there is a column `product`, refills
        are shifted only behind those of the same product, so that two medicines of one class may run side by side;
        without it, all refills of a participant are of one product.
    start : date or text, optional
        First day of the period. Refills before it count with the days that reach into the period. None begins each
        participant's period on the day of the first refill, as the quality measure does.
    end : date or text
        Last day of the period, which belongs to it. Later refills do not count.
    shift_overlaps : bool
        False lets overlapping days lapse, as where an early refill replaces what is left.

    Returns
    -------
    DataFrame
        One row per participant, sorted by participant_id: participant_id, days_covered and days_in_period (days),
        pdc (0 to 1; NaN where the first refill comes after the end of a period that begins with it).

    Raises
    ------
    InstrumentError
        A column is absent, a cell holds no date, no supply or no participant, or the period ends before it begins.
        Names rows (the first is 1) and column, never a participant.

    Notes
    -----
    The rule is that of the Pharmacy Quality Alliance, as its test cases show it:
    https://www.pqaalliance.org/assets/Measures/pdc-dr.js.txt. Its measure also asks for two refills on different days,
    and for 80 percent or more; both are left to the caller.

    Examples
    --------
    >>> refills = pd.DataFrame({
    ...     "participant_id": ["a", "a", "a"],
    ...     "filled_on": ["2018-01-01", "2018-01-28", "2018-03-01"],
    ...     "days_supply": [30, 30, 30],
    ... })
    >>> compute_days_covered(refills, start=None, end="2018-03-31")
      participant_id  days_covered  days_in_period  pdc
    0              a            90              90  1.0
    """
    first_day = None if start is None else _read_day(start, "start")
    last_day = _read_day(end, "end")
    if first_day is not None and last_day < first_day:
        raise InstrumentError(
            Problem("period_is_empty", "The period ends before it begins.", "Give an 'end' that is not before 'start'.")
        )
    table = _read_refills(refills)
    begins, ends = _coverage(table, shift_overlaps=shift_overlaps)
    codes = table["participant"].to_numpy()
    people = pd.Index(table["participant_id"]).unique()
    if first_day is None:
        opens = table.groupby("participant")["filled"].min().to_numpy(dtype="int64")
    else:
        opens = np.full(len(people), first_day)
    covered = _count_days(codes, np.maximum(begins, opens[codes]), np.minimum(ends, last_day + 1), len(people))
    in_period = np.maximum(last_day + 1 - opens, 0)
    share = np.full(len(people), np.nan)
    np.divide(covered, in_period, out=share, where=in_period > 0)
    found = {"participant_id": people, "days_covered": covered, "days_in_period": in_period, "pdc": share}
    return pd.DataFrame(found).astype(COVERAGE_DTYPES)


def _read_day(value: date | str, name: str) -> int:
    """Return a day as a number."""
    text = str(value)[:10] if isinstance(value, date) else str(value)
    day = pd.to_datetime(text, format="%Y-%m-%d", errors="coerce")
    if pd.isna(day):
        raise InstrumentError(
            Problem("not_a_date", f"'{name}' is no date.", "Give a date, or its text as YYYY-MM-DD.", key=name)
        )
    return int(_as_days(pd.Series([day]))[0])


def _as_days(dates: pd.Series[Any]) -> Days:
    return np.asarray(dates.to_numpy(dtype="datetime64[D]").astype("int64"))


def _read_refills(refills: pd.DataFrame) -> pd.DataFrame:
    """Return checked refills as numbers, in order; a `chain` is what is shifted together, within one participant."""
    names = [str(column) for column in refills.columns]
    absent = [column for column in REFILL_COLUMNS if column not in names]
    if absent:
        raise InstrumentError([
            Problem("column_missing", f"The refills have no column '{column}'.", choose_from(column, names))
            for column in absent
        ])  # fmt: skip
    filled = _read_dates(refills["filled_on"])
    supply = pd.to_numeric(refills["days_supply"], errors="coerce").to_numpy(dtype="float64", na_value=np.nan)
    usable = (supply >= 1) & (supply <= MOST_DAYS_SUPPLY) & (supply == np.floor(supply))
    grouping = ["participant_id", *[name for name in (PRODUCT,) if name in names]]
    problems = [
        *[_problem("cell_missing", "nothing", "Fill it in, or leave the row out.", _is_blank(refills[name]), name)
          for name in grouping],
        _problem("not_a_date", "no date", "Write dates as YYYY-MM-DD.", filled.isna(), "filled_on"),
        _problem("not_a_supply", f"no whole number of days from 1 to {MOST_DAYS_SUPPLY}",
                 "Write the days that the refill lasts.", ~usable, "days_supply"),
    ]  # fmt: skip
    found = [problem for problem in problems if problem is not None]
    if found:
        raise InstrumentError(found)
    table = refills[grouping].astype("str").assign(filled=_as_days(filled), supply=supply.astype("int64"))
    table = table.sort_values([*grouping, "filled", "supply"], ignore_index=True)
    return table.assign(
        participant=table.groupby("participant_id", sort=False).ngroup(),
        chain=table.groupby(grouping, sort=False).ngroup(),
    )


def _read_dates(cells: pd.Series[Any]) -> pd.Series[Any]:
    """Return calendar dates as they stand, without time or zone; NaT where a cell holds none."""
    if isinstance(cells.dtype, pd.DatetimeTZDtype):
        return cells.dt.tz_localize(None)
    if pd.api.types.is_datetime64_dtype(cells):
        return cells
    return pd.to_datetime(cells.astype("str").str.strip(), format="%Y-%m-%d", errors="coerce")


def _is_blank(cells: pd.Series[Any]) -> pd.Series[Any]:
    return cells.isna() | (cells.astype("str").str.strip() == "")


def _problem(code: str, found: str, how_to_fix: str, wrong: Any, column: str) -> Problem | None:
    """Return the problem of the rows that are wrong, if any."""
    rows = np.flatnonzero(np.asarray(wrong)) + 1
    if not len(rows):
        return None
    named = ", ".join(map(str, rows[:MOST_ROWS_NAMED])) + (", ..." if len(rows) > MOST_ROWS_NAMED else "")
    message = f"{len(rows)} {'cell holds' if len(rows) == 1 else 'cells hold'} {found} (row {named})."
    return Problem(code, message, how_to_fix, key=column)


def _coverage(table: pd.DataFrame, *, shift_overlaps: bool) -> tuple[Days, Days]:
    """Return the day on which each refill begins, and the day after it ends."""
    filled, supply = (table[name].to_numpy(dtype="int64") for name in ("filled", "supply"))
    if not shift_overlaps:
        return filled, filled + supply
    chain = table["chain"].to_numpy()
    before = table.groupby(chain)["supply"].cumsum().to_numpy(dtype="int64") - supply
    begins = before + pd.Series(filled - before).groupby(chain).cummax().to_numpy(dtype="int64")
    return begins, begins + supply


def _count_days(codes: NDArray[np.intp], begins: Days, ends: Days, n_people: int) -> Days:
    """Return for each participant the days that lie in any of the spans."""
    order = np.lexsort((begins, codes))
    codes, begins, ends = codes[order], begins[order], ends[order]
    reached = pd.Series(ends).groupby(codes).cummax().groupby(codes).shift(fill_value=np.iinfo("int64").min)
    fresh = np.maximum(ends - np.maximum(begins, reached.to_numpy(dtype="int64")), 0)
    return np.bincount(codes, weights=fresh, minlength=n_people).astype("int64")
