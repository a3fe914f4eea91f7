"""Interviews: from the tables of coders to judgements and quotations, with every row accounted for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from data_contracts import SetAside, Verdict, conform, enforce
from data_contracts.model import Contract
from pipelines.deliveries import ExportFile, list_identical_files
from pipelines.interviews.lines import NO_THEME, InterviewFile, list_judgements
from pipelines.interviews.quotations import choose_quotations
from pipelines.linking import pseudonymise
from pipelines.lists import drop_set_aside
from pipelines.rows import list_ids
from pipelines.study import Study

_JUDGEMENT: Final = ["participant_id", "excerpt", "coder", "theme"]
_SEPARATOR: Final = "\x1f"


@dataclass(frozen=True, slots=True)
class Interviews:
    """What came of the coded interviews.

    Attributes
    ----------
    codings : DataFrame
        One row per judgement, as the contract `codings` has it.
    quotations : DataFrame
        What may be quoted, as the contract `quotations` has it: consented, and nothing in it that looks personal.
    rows_accepted : mapping
        Table -> number of source rows that were not set aside.
    set_aside : tuple of SetAside
        Lines of the quarantine; a quotation that is set aside leaves its judgement.
    verdicts : tuple of Verdict
        Of the contract of judgements on arrival; none without interviews.
    """

    codings: pd.DataFrame
    quotations: pd.DataFrame
    rows_accepted: Mapping[str, int]
    set_aside: tuple[SetAside, ...]
    verdicts: tuple[Verdict, ...]


def take_in_interviews(
    study: Study,
    files: Sequence[InterviewFile],
    answers: Sequence[ExportFile],
    rows: pd.DataFrame,
    key: bytes,
    contracts: Mapping[str, Contract],
    parameters: Mapping[str, Any],
) -> Interviews:
    """Link and check what coders found in interviews.

    Parameters
    ----------
    study, files
        What is declared, and what was delivered.
    answers : sequence of ExportFile
        The files with answers: an id that stands in them must not stand in a quotation.
    rows : DataFrame
        The accepted rows of answers: participant_id.
    key : bytes
        Secret of the pseudonyms.
    contracts : mapping
        With ``coding_rows``, ``codings`` and ``quotations``.
    parameters : mapping
        What the study allows.

    Returns
    -------
    Interviews
        Rows of people who are no participants, without an excerpt or a coder, or of a theme that is not declared are in
        its `set_aside`; so are rows that repeat another. An excerpt is known by its participant and its id, so that
        every interview may count its excerpts from 1.
    """
    if not files:
        return Interviews(*_tables(pd.DataFrame(), pd.DataFrame(), contracts), {}, (), ())
    aside = [*[line for file in files for line in file.table.set_aside], *list_identical_files(files)]
    told = pd.concat([_list_rows(study, file) for file in files], ignore_index=True)
    ids = {one for file in (*answers, *files) for one in list_ids(file) if one}
    told = _under_pseudonyms(study, told, key)
    lines = drop_set_aside(told, aside)
    judged, repeated = _judged_once(lines)
    checked, broken = _enforce(judged, files, rows, contracts["coding_rows"], parameters)
    kept = drop_set_aside(judged, broken)
    quotations, withheld = choose_quotations(kept, told, ids)
    numbers = {coder: number for number, coder in enumerate(sorted(kept["coder"].unique()), start=1)}
    codings = kept.assign(coder=kept["coder"].map(numbers), theme=kept["theme"].where(kept["theme"] != NO_THEME, ""))
    used = drop_set_aside(lines, [*repeated, *broken])
    return Interviews(
        *_tables(codings, quotations, contracts),
        used.groupby("source", sort=False).size().to_dict(),
        (*aside, *repeated, *broken, *withheld),
        checked,
    )


def _tables(
    codings: pd.DataFrame, quotations: pd.DataFrame, contracts: Mapping[str, Contract]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return both tables with the columns of their contracts and no other."""
    found = []
    for name, table in (("codings", codings), ("quotations", quotations)):
        columns = list(contracts[name].table.dtypes)
        found.append(conform(table.reindex(columns=columns), contracts[name]))
    return found[0], found[1]


def _list_rows(study: Study, file: InterviewFile) -> pd.DataFrame:
    return list_judgements(study, file).assign(quotation_column=file.declared.quotation or "")


def _under_pseudonyms(study: Study, lines: pd.DataFrame, key: bytes) -> pd.DataFrame:
    """Return lines with pseudonyms of participants, excerpts and coders: ids of excerpts and coders may be names."""
    known = (lines["participant_id"] != "") & (lines["excerpt"] != "")
    whole = lines["participant_id"].str.cat(lines["excerpt"], sep=_SEPARATOR).where(known, "")
    excerpts = pseudonymise(whole, f"{study.study} excerpt", key, prefix="x_")
    return lines.assign(
        participant_id=pseudonymise(lines["participant_id"], study.study, key),
        excerpt=excerpts.where(known | (lines["excerpt"] == ""), "x_"),  # a row without a participant has its own rule
        coder=pseudonymise(lines["coder"], f"{study.study} coder", key, prefix="c_"),
    )


def _judged_once(lines: pd.DataFrame) -> tuple[pd.DataFrame, list[SetAside]]:
    """Return the lines without those that repeat a judgement; what they quote must not be lost unseen."""
    is_whole = (lines[["participant_id", "excerpt", "coder"]] != "").all(axis=1)
    repeated = is_whole & lines.duplicated(_JUDGEMENT)
    same = is_whole & lines.duplicated([*_JUDGEMENT, "quotation", "consented"])
    aside = [
        _tell_repeated(row, is_same)
        for row, is_same in zip(lines[repeated].to_dict("records"), same[repeated], strict=True)
    ]
    return lines[~repeated].reset_index(drop=True), aside


def _tell_repeated(row: Mapping[Any, Any], is_same: bool) -> SetAside:
    source, number = str(row["source"]), int(row["source_row"])
    if is_same:
        told, advice = "The row tells the same as an earlier row.", "Nothing to do: the earlier row is used."
        return SetAside(source, number, "", "identical_duplicate", "excluded", told, advice)
    told = "An earlier row has this judgement already, with another quotation or consent."
    advice = "Keep one row for each coder, excerpt and theme; a second quotation is an excerpt of its own."
    return SetAside(source, number, "", "duplicate_judgement", "row", told, advice)


def _enforce(
    judged: pd.DataFrame,
    files: Sequence[InterviewFile],
    rows: pd.DataFrame,
    contract: Contract,
    parameters: Mapping[str, Any],
) -> tuple[tuple[Verdict, ...], tuple[SetAside, ...]]:
    """Hold judgements against the contract of rows."""
    if judged.empty:
        return (), ()
    is_known = judged["participant_id"].isin(["", *rows["participant_id"]])  # a row without an id has its own rule
    table = judged.assign(is_participant=is_known.map({True: "yes", False: "no"}))
    declared = {file.table.source: file.declared for file in files}

    def column_of(row: Mapping[str, object], ruled: str) -> str:
        source = declared[str(row["source"])]
        if ruled in ("participant_id", "is_participant"):
            return ", ".join(source.participant_id.columns)
        return {"excerpt": source.excerpt, "coder": source.coder, "theme": source.theme.column}[ruled]

    def codes_of(row: Mapping[str, object], ruled: str) -> Sequence[str]:
        return list(declared[str(row["source"])].theme.values) if ruled == "theme" else []

    checked = enforce(
        conform(table[list(contract.table.dtypes)], contract),
        contract,
        parameters,
        severity="row",
        column_of=column_of,
        codes_of=codes_of,
    )
    return checked.verdicts, checked.set_aside
