"""Files of answers to one instrument, outside a study: read, checked cell by cell, scored."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from data_contracts.errors import Problem
from instruments import Instrument, score_responses, score_wide
from instruments.audit import ScoreAudit, audit_scores
from pipelines.declarations import InstrumentColumns, item_columns
from pipelines.errors import PipelineError
from pipelines.sources.delimited import read_delimited
from pipelines.sources.excel import read_excel
from pipelines.sources.model import RawTable

MOST_PROBLEMS = 20


@dataclass(frozen=True, slots=True)
class AnswerFile:
    """A table whose columns for the items of an instrument are known.

    Attributes
    ----------
    table : RawTable
        The file as text.
    columns : tuple of str
        One for each item, in item order.
    answers : DataFrame
        rows x items as numbers, NaN where missing; index = row in the file.
    """

    table: RawTable
    columns: tuple[str, ...]
    answers: pd.DataFrame


def read_answer_file(
    path: Path,
    instrument: Instrument,
    *,
    items: str | None = None,
    missing_codes: Sequence[str] = (),
    any_codes: bool = False,
) -> AnswerFile:
    """Read the answers to one instrument from a wide table.

    Parameters
    ----------
    path : Path
        A delimited text file, or a workbook (``.xlsx``); the first row is the header.
    instrument : Instrument
        In the variant that the file has.
    items : str, optional
        Pattern of the item columns, such as ``phq_{n}``; without it, columns named after the instrument and the items.
    missing_codes : sequence of str
        Codes that stand for no answer.
    any_codes : bool
        Whether numbers that are no answers of the instrument are kept: an audit may find out what they are.

    Raises
    ------
    PipelineError
        The file cannot be read, has rows that could not be read, has no such columns, or holds a cell that is no
        answer. Names file, row and column, never the cell.
    """
    if not instrument.items:
        reason = f"{instrument.short_name} is not scored here. {instrument.licence.terms}"
        advice = instrument.licence.contact or "Use its owner's scoring."
        raise PipelineError(Problem("not_scored_here", reason, advice))
    table = read_table(path)
    columns = _find_columns(table, instrument, items)
    answers = table.cells[list(columns)].map(lambda cell: cell.strip())
    answers = answers.mask(answers.isin([*missing_codes, ""]))
    numbers = _read_numbers(answers)
    _require_answers(table, instrument, columns, answers, numbers, any_codes=any_codes)
    return AnswerFile(table, columns, numbers)


def read_table(path: Path) -> RawTable:
    """Read a delimited text file or a workbook, whole or not at all."""
    if not path.is_file():
        raise PipelineError(Problem("file_missing", "The file does not exist.", "Correct the path.", path.name))
    reader = read_excel if path.suffix.lower() == ".xlsx" else read_delimited
    table = reader(path, path.name)
    lost = [line for line in table.set_aside if line.rule != "blank_row"]
    if lost:
        raise PipelineError(
            [
                Problem(line.rule, line.reason, line.how_to_fix, path.name, line.source_row)
                for line in lost[:MOST_PROBLEMS]
            ]
        )
    return table


def audit_file(
    file: AnswerFile, instrument: Instrument, totals: Mapping[str, str], *, missing_codes: Sequence[str] = ()
) -> ScoreAudit:
    """Audit the totals that stand beside the answers.

    Parameters
    ----------
    totals : mapping
        Measure, such as ``total`` -> column of the file.
    missing_codes : sequence of str
        Codes that stand for no total.

    Raises
    ------
    PipelineError
        A column is not in the file, or holds something that is no number.
    InstrumentError
        A measure is unknown, or the answers fit no form of the instrument.
    """
    known = [str(name) for name in file.table.cells.columns]
    problems = [
        Problem("column_missing", f"The file has no column '{column}'.", "Correct --total.", file.table.source, 1)
        for column in totals.values()
        if column not in known
    ]
    if problems:
        raise PipelineError(problems)
    text = file.table.cells[list(totals.values())].map(lambda cell: cell.strip())
    text = text.mask(text.isin(missing_codes), "")
    delivered = _read_numbers(text)
    for column in text:
        lost = text.index[delivered[column].isna() & (text[column] != "")]
        problems += [
            Problem("not_a_number", "The total is no number.", "Correct it, or leave it blank.", file.table.source,
                    int(row), str(column))
            for row in lost[:MOST_PROBLEMS]
        ]  # fmt: skip
    if problems:
        raise PipelineError(problems)
    named = {f"{instrument.id}.{measure}": delivered[column].to_numpy() for measure, column in totals.items()}
    return audit_scores(file.answers.to_numpy(), named, instrument)


def score_file(file: AnswerFile, instrument: Instrument) -> pd.DataFrame:
    """Return the table as it was read, with the score and the number of answers of every measure behind it."""
    scores = score_wide(file.answers, instrument, file.columns)
    return pd.concat([file.table.cells, scores], axis=1)


def _find_columns(table: RawTable, instrument: Instrument, items: str | None) -> tuple[str, ...]:
    known = [str(name) for name in table.cells.columns]
    n_items = len(instrument.items)
    if items is not None:
        if not items or (n_items > 1 and not re.search(r"\{(n|nn|A|a)\}", items)):
            advice = "Write {n}, {nn}, {A} or {a} where the item's number or letter stands."
            told = f"The pattern names one column for {n_items} items."
            raise PipelineError(Problem("pattern_without_number", told, advice, key="--items"))
        columns = [column for column in item_columns(InstrumentColumns(items=items).items_at(""), n_items) if column]
        absent = [column for column in columns if column not in known]
        if absent:
            told = f"Columns that are not in the file: {', '.join(absent[:5])}{', ...' if len(absent) > 5 else ''}."
            advice = "Correct --items; {n}, {nn}, {A} or {a} stands for the item's number or letter."
            raise PipelineError(Problem("column_missing", told, advice, table.source))
        return tuple(columns)
    folded = {_fold(name): name for name in known}
    for name in (instrument.id, instrument.short_name, *instrument.aliases, ""):
        wanted = [_fold(f"{name}{item.id}") for item in instrument.items]
        if len(folded) == len(known) and all(column in folded for column in wanted):
            return tuple(folded[column] for column in wanted)
    raise PipelineError(
        Problem(
            "columns_not_found",
            f"No columns are named after {instrument.short_name} and the numbers of its items.",
            'Tell them: --items "phq_{n}" for columns phq_1, phq_2 and so on.',
            table.source,
            1,
        )
    )


def _read_numbers(text: pd.DataFrame) -> pd.DataFrame:
    """Return plain decimal numbers; NaN for anything else, such as 1e3, which nobody answers."""
    plain = text.apply(lambda column: column.where(column.str.fullmatch(r"[-+]?[0-9]+(\.[0-9]+)?").fillna(False)))
    return plain.apply(pd.to_numeric, errors="coerce").astype("float64")


def _fold(name: str) -> str:
    return "".join(character for character in name.lower() if character.isalnum())


def _require_answers(
    table: RawTable,
    instrument: Instrument,
    columns: Sequence[str],
    text: pd.DataFrame,
    numbers: pd.DataFrame,
    *,
    any_codes: bool,
) -> None:
    problems: list[Problem] = []
    for item, column in zip(instrument.items, columns, strict=True):
        allowed = instrument.allowed_values(item.id)
        expected = ", ".join(map(str, allowed.options)) or f"a number from {allowed.minimum:g} to {allowed.maximum:g}"
        values = numbers[column].to_numpy()
        fine = (np.isfinite(values) if any_codes else allowed.allows(values)) | text[column].isna().to_numpy()
        for row in numbers.index[~fine]:
            kind = "text" if np.isnan(numbers.loc[row, column]) else "a number"
            told = f"Found {kind} that is no answer to item {item.id} (answers: {expected})."
            advice = "Correct it, name its code with --missing-code, or the form with --variant."
            problems.append(Problem("not_an_answer", told, advice, table.source, int(row), column))
    if problems:
        more = len(problems) - MOST_PROBLEMS
        rest = [Problem("more", f"{more} more cells are no answers.", "Correct these first.", table.source)]
        raise PipelineError(problems[:MOST_PROBLEMS] + (rest if more > 0 else []))


@dataclass(frozen=True, slots=True)
class ScoredBundle:
    """Scores of a FHIR bundle: the `scores` table (timepoint: the day), and what became of its responses in words."""

    scores: pd.DataFrame
    account: str


def score_bundle(path: Path, instrument: Instrument) -> ScoredBundle:
    """Score a FHIR bundle of QuestionnaireResponses.

    Raises
    ------
    InstrumentError
        The document is no bundle that can be read, or holds answers that the instrument does not have.
    """
    from instruments.exchange.fhir_responses import load_questionnaire_responses

    read = load_questionnaire_responses(path, {instrument.id: instrument})
    left = {
        "not finished": read.n_in_progress,
        "entered in error": read.n_entered_in_error,
        "replaced by an amended one": read.n_superseded,
        "sent twice": read.n_repeated,
    }
    told = [f"{read.n_found} responses found", f"{read.n_read} read"]
    told += [f"{count} {why}" for why, count in left.items() if count]
    if read.more_pages:
        told.append("the bundle has further pages, which are not in this file")
    return ScoredBundle(score_responses(read.responses, {instrument.id: instrument}), f"{', '.join(told)}.")
