"""Drift of the answers: questions that nobody answers at a timepoint, codes that are shifted, items that run backwards.

What is looked at are counts of codes and correlations; no finding tells an answer of a participant.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from instruments import Instrument
from pipelines.deliveries import Delivery
from pipelines.drift.findings import Drift, instrument_of, name_columns, name_items
from pipelines.readings import Readings

FEWEST_ROWS: Final = 10
"""Rows from which on a column without any answer, or answers without the lowest code, mean something."""
FEWEST_PEOPLE: Final = 30
"""Rows with answers from which on correlations and numbers without options mean something."""
FEWEST_ANSWERS: Final = 30
"""Answers, of all items of a response set together, from which on codes mean something."""
_MANY_ANSWERS: Final = 100
"""Answers from which on a lowest code that nobody has is remarkable by itself."""
_SLIP: Final = 0.005
"""Share of answers up to which a code may be a typing error."""
_BEYOND: Final = 0.03
_BEYOND_CELLS: Final = 3
"""Share and number of answers beyond one end that are no typing error."""
_UNFIT: Final = 0.05
"""Share of answers that fit no shift up to which codes are shifted."""
_MANY: Final = 0.2
"""Share of answers, at the low end elsewhere or next to an empty end, that makes an empty end remarkable."""
_FILLED: Final = 0.1
"""Share of answers from which on a code is well filled."""
_STRONG: Final = 0.3
_SAMPLING_ERRORS: Final = 3.0
"""A correlation is strong from 0.3 on, and from three sampling errors (1 / sqrt n) on."""
_MOST_ROWS: Final = 5000
"""Rows of a table that correlations are computed from."""
_UNIT: Final = 0.1
"""Share of a range; numbers that stay within it where others go beyond may have another unit."""
View = tuple[str, str]
"""Table, or all tables of a declaration, and timepoint."""


@dataclass(frozen=True, slots=True)
class _Shift:
    """What the counts of codes say: how surely they are shifted, and by how much (0: as far as the lowest tells)."""

    severity: Literal["error", "warning"]
    step: int


def find_answer_drift(
    files: Sequence[Delivery], library: Mapping[str, Instrument], cells: Readings, tallies: pd.DataFrame
) -> list[Drift]:
    """Return what is to be told of answers; `tallies` are those of `tally_items`."""
    return [
        *_find_blank(files, tallies),
        *_find_shifted(files, tallies, library),
        *_find_units(tallies, library),
        *_find_reversed(files, library, cells),
        *_find_date_formats(files, cells),
    ]


def tally_items(cells: Readings) -> pd.DataFrame:
    """Return the different texts of item columns with how many cells have each (`n`)."""
    counted = cells.different.assign(n=np.bincount(cells.reading, minlength=len(cells.different)))
    items = counted[counted["kind"] == "item"]
    return items.assign(
        instrument=items["name"].str.replace(" .*", "", regex=True),
        blank=items["n"].where(items["missing_reason"] == "blank", 0),
    )


def find_silent(tallies: pd.DataFrame) -> frozenset[tuple[str, str, str]]:
    """Return table, timepoint and instrument where rows enough tell nothing in any of its columns."""
    whole = tallies.groupby(["source", "timepoint", "instrument"])[["n", "blank"]].sum()
    rows = tallies.groupby(["source", "timepoint", "instrument", "column"])["n"].sum()
    enough = rows.groupby(level=[0, 1, 2]).max() >= FEWEST_ROWS
    return frozenset(whole.index[(whole["n"] == whole["blank"]) & enough])


def _find_blank(files: Sequence[Delivery], tallies: pd.DataFrame) -> Iterator[Drift]:
    """Tell of items without an answer at one timepoint that have answers at others.

    A wide file has the columns of a timepoint that nobody has come to yet: where it has no answer at all, this is no
    dropped question.
    """
    wide = [file.table.source for file in files if file.declared.timepoint.wide is not None]
    told = tallies.groupby(["source", "timepoint", "instrument", "name"], sort=False)[["n", "blank"]].sum()
    told = told.assign(answers=told["n"] - told["blank"]).reset_index()
    told["elsewhere"] = told.groupby("name")["answers"].transform("sum")
    told["here"] = told.groupby(["source", "timepoint", "instrument"])["answers"].transform("sum")
    told["any"] = told.groupby(["source", "timepoint"])["answers"].transform("sum")
    told["then"] = told.groupby(["timepoint", "name"])["answers"].transform("sum")
    is_odd = (told["answers"] == 0) & (told["n"] >= FEWEST_ROWS) & (told["elsewhere"] > 0)
    odd = told[is_odd & ((told["here"] > 0) | (told["then"] == 0))]
    place = ["source", "timepoint", "name"]
    columns = tallies.drop_duplicates(place).set_index(place)["column"]
    for (source, timepoint, instrument), group in odd.groupby(["source", "timepoint", "instrument"], sort=False):
        names = group["name"].tolist()
        whole, is_ahead = not group["here"].iloc[0], source in wide and not group["any"].iloc[0]
        what = f"{instrument} has" if whole else f"{len(names)} items of {instrument} have"
        advice = f"{instrument}: {{items: {{OTHER_TIMEPOINT: ...}}}}" if whole else "null in its place of the list"
        yield Drift(
            "info" if is_ahead else "warning",
            "item_not_asked",
            f"{what} no answer at {timepoint} in {group['n'].iloc[0]} rows, and answers elsewhere: a dropped question?",
            f"If it was not asked then, say so in study.yaml ({advice}); if it was, correct the columns.",
            source,
            timepoint,
            name_columns(columns[source, timepoint, name] for name in names),
            instrument if whole else name_items(names),
            "no answer",
        )


def _find_shifted(
    files: Sequence[Delivery], tallies: pd.DataFrame, library: Mapping[str, Instrument]
) -> Iterator[Drift]:
    """Tell of codes that leave out one end of a response set: of a declaration at once, or of each of its tables."""
    declared = {file.table.source: file.declared.path for file in files}
    is_whole = (tallies["options_of"] != "") & (tallies["reading"] == "number") & (tallies["value"] % 1 == 0)
    numbers = tallies[is_whole].astype({"value": "int64"})
    numbers = numbers.assign(path=numbers["source"].map(declared))
    for limits, group in numbers.groupby("options_of", sort=False):
        instrument, _, answers = str(limits).partition(" ")
        options = [option.value for option in library[instrument].response_sets[answers].options]
        elsewhere = max(_share_at(mine, options[0]) for _, mine in group.groupby(["source", "timepoint"]))
        for (path, timepoint), together in group.groupby(["path", "timepoint"], sort=False):
            whole = _shift(together, options, elsewhere)
            tables = dict(iter(together.groupby(["source", "timepoint"], sort=False)))
            shifts = {view: _shift(mine, options, elsewhere) for view, mine in tables.items()}
            is_worse_alone = any(shift and shift.severity == "error" for shift in shifts.values())
            if len(tables) > 1 and whole and (whole.severity == "error" or not is_worse_alone):
                yield _shifted((path, timepoint), together, instrument, options, whole)
                continue
            for view, shift in shifts.items():
                if shift:
                    yield _shifted(view, tables[view], instrument, options, shift)


def _share_at(mine: pd.DataFrame, code: int) -> float:
    """Return the share of answers with a code; 0 of answers or rows that are too few to mean something."""
    total, rows = mine["n"].sum(), mine.groupby("name")["n"].sum().max()
    is_enough = total >= FEWEST_ANSWERS and rows >= FEWEST_ROWS
    return float(mine.loc[mine["value"] == code, "n"].sum() / total) if is_enough else 0.0


def _shift(mine: pd.DataFrame, options: Sequence[int], elsewhere: float) -> _Shift | None:
    """Tell whether codes are shifted; `elsewhere` is the largest share of the lowest code in any table."""
    counts = mine.groupby("value")["n"].sum()
    total = int(counts.sum())
    if total < FEWEST_ANSWERS:
        return None
    for step, ends in ((1, options), (-1, options[::-1])):
        if _goes_beyond(counts, ends, step):
            return _Shift("error", step)
    by_item = mine.groupby("name")["n"].sum()
    if counts.get(options[0], 0) > _SLIP * total:
        return None
    filled = [counts.get(code, 0) / total for code in options[1:]]
    is_edge = len(options) > 2 and (filled[0] >= _MANY or min(filled) >= _FILLED)
    is_remarkable = total >= _MANY_ANSWERS and len(by_item) > 1 and is_edge
    is_new = by_item.max() >= FEWEST_ROWS and elsewhere >= _MANY
    return _Shift("warning", 0) if is_remarkable or is_new else None


def _goes_beyond(counts: pd.Series, options: Sequence[int], step: int) -> bool:
    """Tell whether nearly nobody has the first option, and answers go one step beyond the last.

    Answers beyond the end may be typing errors, or say that an answer is missing, and an end may be empty as nobody is
    so well or so ill. Two signs of three make a shift: some answers beyond, a share of them, an end that breaks off.
    """
    total, beyond = counts.sum(), counts.get(options[-1] + step, 0)
    fitting = sum(counts.get(option + step, 0) for option in options)
    is_empty = counts.get(options[0], 0) <= max(_SLIP * total, min(1, beyond // _BEYOND_CELLS))
    breaks_off = counts.get(options[0] + step, 0) >= _MANY * total
    signs = (beyond >= _BEYOND_CELLS, beyond >= _BEYOND * total, breaks_off)
    return bool(beyond and is_empty and fitting >= (1 - _UNFIT) * total and sum(signs) > 1)


def _shifted(view: View, own: pd.DataFrame, instrument: str, options: Sequence[int], shift: _Shift) -> Drift:
    source, timepoint = view
    step = shift.step or 1
    codes = ", ".join(f'"{option + step}": {option}' for option in options)
    near, far = (options[-1], options[0]) if step < 0 else (options[0], options[-1])
    told = f"Hardly anybody has code {near} of {instrument} here, and many have the others: codes shifted by +1?"
    missing = ""
    if shift.step:
        told = f"The answers to {instrument} are shifted by {step:+d}: hardly anybody has code {near}, and some have "
        told += f"{far + step}."
        missing = f" If {far + step} says that an answer is missing, write it under missing_codes."
    usual = own.groupby("value")["n"].sum().loc[lambda n: n > min(_SLIP * n.sum(), n.max() - 1)].index
    return Drift(
        shift.severity,
        "range_changed",
        told,
        f"Look at the form. If it is so, write label_sets: {{{instrument}_codes: {{{codes}}}}}, and "
        f"'labels: {instrument}_codes' beside the items of this file.{missing}",
        source,
        timepoint,
        name_columns(own["column"].drop_duplicates()),
        instrument,
        f"{usual.min()} to {usual.max()}",
        f"{options[0]} to {options[-1]}",
    )


def _find_units(tallies: pd.DataFrame, library: Mapping[str, Instrument]) -> Iterator[Drift]:
    """Tell of numbers without options that stay in the lowest tenth of their range where others go far beyond."""
    numbers = tallies[(tallies["range_of"] != "") & (tallies["reading"] == "number")]
    for name, group in numbers.groupby("name", sort=False):
        instrument, _, item = str(name).partition(" ")
        allowed = library[instrument].allowed_values(item)
        few = allowed.minimum + _UNIT * (allowed.maximum - allowed.minimum)
        views = group.groupby(["source", "timepoint"], sort=False)
        enough = views["n"].sum() >= FEWEST_PEOPLE
        medians = {view: float(np.median(np.repeat(mine["value"], mine["n"]))) for view, mine in views}
        highest = views["value"].max()
        for view in medians:
            others = [medians[other] for other in medians if other != view and enough[other]]
            if enough[view] and highest[view] <= few and max(others, default=few) > few:
                column = group.loc[(group["source"] == view[0]) & (group["timepoint"] == view[1]), "column"].iloc[0]
                yield Drift(
                    "warning", "range_changed",
                    f"The numbers of {name} stay below a tenth of its range here, and do not elsewhere: another unit?",
                    "Look at the form; deliver the numbers in the unit of the instrument.",
                    view[0], view[1], column, str(name), "", f"{allowed.minimum:g} to {allowed.maximum:g}",
                )  # fmt: skip


def _find_reversed(files: Sequence[Delivery], library: Mapping[str, Instrument], cells: Readings) -> Iterator[Drift]:
    """Tell of items whose correlation with the rest of their instrument has another sign at another timepoint."""
    declared = {file.table.source: file.declared.path for file in files}
    found: dict[str, dict[View, tuple[float, str]]] = defaultdict(dict)
    for (path, timepoint, instrument), tables in _answers_by_form(cells, declared).items():
        items = {f"{instrument} {item.id}": item.reverse for item in library[instrument].items}
        together = pd.concat(tables, ignore_index=True)
        signed = together * [-1 if items[name] else 1 for name in together.columns]
        for name, correlation in _rest_correlations(signed).items():
            found[name][path, timepoint] = correlation, instrument
    for name, views in found.items():
        with_rest = [view for view, (correlation, _) in views.items() if correlation > 0]
        against = [view for view, (correlation, _) in views.items() if correlation < 0]
        for path, timepoint in against if with_rest else []:
            yield Drift(
                "warning",
                "item_order",
                f"The answers to {name} run against the other items at {timepoint}, and with them at "
                f"{with_rest[0][1]}: is it coded in reverse at one of them?",
                "Compare the forms: the order of the answers, and the order of the columns. Write 'labels' that turn "
                "the codes of this file, or give the columns in the right order.",
                path,
                timepoint,
                name=name,
                expected=with_rest[0][1],
            )


def _answers_by_form(cells: Readings, declared: Mapping[str, str]) -> dict[tuple[str, str, str], list[pd.DataFrame]]:
    """Return path, timepoint and instrument -> a table for each file: a row per row, a column per item."""
    different = cells.different
    is_number = cells.accepted & (different["missing_reason"] == "").to_numpy()
    value = different["value"].where(is_number).to_numpy()
    _, reading = cells.of("item")
    keys = different[["source", "timepoint", "column", "name"]]
    block = keys.ne(keys.shift()).any(axis=1).cumsum().to_numpy()[reading]
    starts = np.flatnonzero(np.diff(block, prepend=0))  # blocks count from 1
    parts = zip(starts, [*starts[1:], len(block)] if len(block) else [], strict=True)
    columns = [
        (*keys.iloc[reading[low]].drop("column"), value[reading[low : min(high, low + _MOST_ROWS)]])
        for low, high in parts
    ]
    tables: dict[tuple[str, str, str], list[pd.DataFrame]] = defaultdict(list)
    for (source, timepoint, instrument), mine in groupby(columns, lambda one: (one[0], one[1], instrument_of(one[2]))):
        answers: dict[str, NDArray[np.float64]] = {name: values for _, _, name, values in mine}
        tables[declared[source], timepoint, instrument].append(pd.DataFrame(answers))
    return tables


def _rest_correlations(answers: pd.DataFrame) -> dict[str, float]:
    """Return the strong correlations of items with the mean of the others, by item."""
    total, count = answers.sum(axis=1), answers.notna().sum(axis=1)
    strong: dict[str, float] = {}
    for name in answers.columns:
        own = answers[name]
        rest = (total - own.fillna(0)) / (count - own.notna()).where(lambda others: others > 0)
        both = own.notna() & rest.notna()
        n = int(both.sum())
        if n < FEWEST_PEOPLE or own[both].nunique() < 2 or rest[both].nunique() < 2:
            continue
        correlation = float(np.corrcoef(own[both], rest[both])[0, 1])
        if abs(correlation) >= max(_STRONG, _SAMPLING_ERRORS / np.sqrt(n)):
            strong[str(name)] = correlation
    return strong


def _find_date_formats(files: Sequence[Delivery], cells: Readings) -> Iterator[Drift]:
    """Tell of tables whose dates mostly cannot be read."""
    counted = cells.different.assign(n=np.bincount(cells.reading, minlength=len(cells.different)))
    dates = counted[(counted["kind"] == "date") & (counted["reading"] != "missing")]
    for file in files:
        mine = dates[dates["source"] == file.table.source]
        unreadable = mine.loc[mine["reading"] == "unreadable", "n"].sum()
        if file.declared.answered_on and mine["n"].sum() >= FEWEST_ROWS and unreadable * 2 >= mine["n"].sum():
            told = f"Most dates of this file ({unreadable} of {mine['n'].sum()}) are not written as declared."
            advice = "Declare the file as a source of its own with its format: answered_on: {column: ..., format: ...}."
            yield Drift("warning", "date_format", told, advice, file.table.source,
                        column=name_columns(mine["column"]), expected=file.declared.answered_on.format)  # fmt: skip
