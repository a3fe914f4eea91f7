"""Quality flags: answers given too fast, in a straight line, past an attention check, or by no person at all.

What such answers are used for is the plan's to say; here they are only told. Screening of this kind, and why more than
one sign is looked at: Meade and Craig 2012 (doi 10.1037/a0028085), Curran 2016 (doi 10.1016/j.jesp.2015.07.006).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from analysis.plan import Flag
from data_contracts import SetAside, conform
from data_contracts.model import Contract
from instruments import Instrument
from pipelines.declarations import Quality
from pipelines.deliveries import ROW, Delivery
from pipelines.study import Study
from pipelines.texts import plain_label, with_decimal_point

FEWEST_ITEMS: Final = 6
"""Answers to fewer items of an instrument are no line."""
_WHO: Final = ["participant_id", "timepoint"]
_NUMBER = re.compile(r"[-+]?[0-9]+(\.[0-9]+)?")
_UNREADABLE: Final = {
    "duration": "The text cannot be read as a duration: a number that is not below zero.",
    "bots": "The text cannot be read as a score: a number.",
}


@dataclass(frozen=True, slots=True)
class Flagged:
    """The `flags` table, and a line for each cell that should have told a flag and could not be read."""

    flags: pd.DataFrame
    set_aside: tuple[SetAside, ...]


def flag_answers(
    study: Study,
    files: Sequence[Delivery],
    library: Mapping[str, Instrument],
    rows: pd.DataFrame,
    responses: pd.DataFrame,
    contract: Contract,
) -> Flagged:
    """Flag the participants and timepoints whose answers may have been given without care.

    Parameters
    ----------
    study, files, library
        What is declared, what was delivered, and the instruments.
    rows : DataFrame
        Accepted rows as `list_rows` tells them, with pseudonyms. A row without any answer is not flagged.
    responses : DataFrame
        The `responses` table; a missing answer is NaN.
    contract : Contract
        Of `flags`.

    Returns
    -------
    Flagged
        One row per participant, timepoint and flag, with the first source and row that tell it. What is blank or a
        missing code tells no flag; nor does a duration or score that is no number: its cell is set aside.
    """
    found = [find_straight_lines(responses, library)]
    set_aside: list[SetAside] = []
    for file in (one for one in files if one.declared.quality):
        mine = rows[rows["source"] == file.table.source]
        for wide, at in mine.groupby("wide", sort=False):
            for flag, failed in _judge_rows(study, file, str(wide), at, set_aside):
                found.append(at.loc[failed & at["answers_anything"], [*_WHO, *ROW]].assign(flag=flag))
    flags = pd.concat(found, ignore_index=True).sort_values([*ROW, "timepoint", "flag", "participant_id"])
    return Flagged(
        conform(flags.drop_duplicates([*_WHO, "flag"])[list(contract.table.dtypes)], contract).reset_index(drop=True),
        tuple(set_aside),
    )


def find_straight_lines(responses: pd.DataFrame, library: Mapping[str, Instrument]) -> pd.DataFrame:
    """Find who gave one and the same answer to every item of an instrument, where that contradicts itself.

    Parameters
    ----------
    responses : DataFrame
        The `responses` table; missing answers (NaN) do not count.
    library : mapping
        Instrument id -> Instrument.

    Returns
    -------
    DataFrame
        ``participant_id``, ``timepoint``, ``source``, ``source_row``, ``flag``. Only of instruments that turn some
        items round and others not, from six answers on, and where the answer scores differently both ways: the same
        answer throughout an instrument that goes one way, or the one in the middle, may well be meant.
    """
    told = responses[responses["value"].notna()]
    found = [told.iloc[:0][[*_WHO, *ROW]]]
    for name, own in told.groupby("instrument", sort=False):
        instrument = library[str(name)]
        turned = {item.id: item.reverse for item in instrument.items}
        if len(turned) < FEWEST_ITEMS or len(set(turned.values())) == 1:
            continue
        judged = own.assign(is_turned=own["item"].map(turned), scored=_score_items(own, instrument))
        by_person = judged.groupby(_WHO, sort=False)
        different = by_person[["value", "is_turned", "scored"]].nunique()
        is_line = (different["value"] == 1) & (different["is_turned"] == 2) & (different["scored"] > 1)
        is_line &= by_person.size() >= FEWEST_ITEMS
        found.append(by_person[ROW].first()[is_line].reset_index())
    flag: Flag = "straight_lining"
    return pd.concat(found, ignore_index=True).assign(flag=flag)


def _score_items(answers: pd.DataFrame, instrument: Instrument) -> pd.Series:
    """Return what each answer counts for its item, turned round where the item is."""
    scored = pd.Series(np.nan, index=answers.index)
    for item in instrument.items:
        own = answers.loc[answers["item"] == item.id, "value"]
        allowed = instrument.response_sets[item.response_set].allowed
        scored[own.index] = allowed.score(own.to_numpy(dtype="float64"), reverse=item.reverse)
    return scored


def _judge_rows(
    study: Study, file: Delivery, wide: str, rows: pd.DataFrame, set_aside: list[SetAside]
) -> Iterator[tuple[Flag, pd.Series]]:
    """Yield for each check of a source its flag, and which rows have it; unreadable cells are added to `set_aside`."""
    quality = file.declared.quality or Quality()
    cells = file.table.without_missing().loc[rows["source_row"]].set_axis(rows.index)

    def read(column: str) -> tuple[str, pd.Series]:
        name = column.replace("{t}", wide)
        text = cells[name].str.strip()
        missing = {code: any(_is_missing(one, study.missing_codes) for one in spelled(code)) for code in text.unique()}
        return name, text.mask(text.map(missing).astype("bool"), "")

    def spelled(text: str) -> set[str]:
        return {text, with_decimal_point(text)} if file.table.decimal_comma else {text}

    def numbers_of(text: pd.Series) -> pd.Series:
        return _numbers(text.map(with_decimal_point) if file.table.decimal_comma else text)

    if quality.duration:
        name, text = read(quality.duration.column)
        numbers = numbers_of(text)
        numbers = numbers.mask(numbers < 0)
        set_aside += _lines(file, name, "duration", rows[text.ne("") & numbers.isna()])
        yield "too_fast", numbers < quality.duration.at_least
    for column, right in quality.attention.items():
        _, text = read(column)
        known = {told: any(_is_right(said, one) for said in spelled(told) for one in right) for told in text.unique()}
        yield "failed_attention", text.ne("") & ~text.map(known).astype("bool")
    for column, lowest in quality.bots.items():
        name, text = read(column)
        numbers = numbers_of(text)
        set_aside += _lines(file, name, "bots", rows[text.ne("") & numbers.isna()])
        yield "bot", numbers < lowest
    for column in quality.honeypots:
        yield "bot", read(column)[1].ne("")


def _lines(file: Delivery, column: str, kind: str, rows: pd.DataFrame) -> list[SetAside]:
    advice = "Correct the cell; or declare its text in 'missing_codes' in study.yaml."
    return [
        SetAside(file.table.source, int(row), column, "readable", "cell", _UNREADABLE[kind], advice)
        for row in rows["source_row"].unique()
    ]


def _numbers(text: pd.Series) -> pd.Series:
    """Return texts as numbers; NaN where one is none."""
    known = {one: float(one) if _NUMBER.fullmatch(one) else float("nan") for one in text.unique()}
    return text.map(known).astype("float64")


def _is_missing(text: str, missing_codes: Mapping[str, str]) -> bool:
    return not text or any(text == code or _is_same_number(text, code) for code in missing_codes)


def _is_right(text: str, answer: str) -> bool:
    return plain_label(text) == plain_label(answer) or _is_same_number(text, answer)


def _is_same_number(text: str, code: str) -> bool:
    return bool(_NUMBER.fullmatch(text) and _NUMBER.fullmatch(code)) and float(text) == float(code)
