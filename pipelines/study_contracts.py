"""The contracts of a study: the shipped ones, with what its folder adds in ``contracts/<table>.yaml``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from data_contracts import Contract, DataContractError, shipped_contract, shipped_contract_names
from data_contracts.documents import Document, KeyPath
from data_contracts.errors import Problem, choose_from
from data_contracts.extending import Extension, extend_contract, load_extension
from data_contracts.rules import LogicalType, Rule
from pipelines.study import Study

FOLDER: Final = "contracts"
CELLS: Final = "cells"
_TYPES: Final[dict[str, LogicalType]] = {"number": "number", "category": "string"}


def load_study_contracts(study: Path, *, declared: Study | None = None) -> Mapping[str, Contract]:
    """Return the contract of every table, with the rules that the study adds.

    Parameters
    ----------
    study : Path
        The study folder; it need not have a folder ``contracts``.
    declared : Study, optional
        The study definition: columns that are added to `participants` must be its covariates.

    Returns
    -------
    mapping
        Table -> contract, for all shipped contracts; read-only.

    Raises
    ------
    DataContractError
        With every problem of every document: file, line, key.
    """
    shipped = {name: shipped_contract(name) for name in shipped_contract_names()}
    covariates = None if declared is None else {one.id: _TYPES[one.kind] for one in declared.covariates}
    problems: list[Problem] = []
    merged: dict[str, Contract] = {}
    for path in sorted((study / FOLDER).glob("*.y*ml")):
        name = path.name.removesuffix(".yaml")
        if name not in shipped:
            problems.append(_unknown(path, tuple(shipped)))
            continue
        try:
            added = load_extension(path)
            problems += _misfits_of_cells(added) if name == CELLS else []
            merged[name] = extend_contract(shipped[name], added, covariates)
        except DataContractError as error:
            problems += error.problems
    if problems:
        raise DataContractError(problems)
    return MappingProxyType(shipped | merged)


def _misfits_of_cells(added: Document[Extension]) -> list[Problem]:
    """Return the rules that cannot be held against `cells`, which are checked once per different text of a column."""
    table = added.value.tables[0]
    rules: list[tuple[str, Rule, KeyPath]] = [
        ("", rule, ("schema", 0, "quality", index)) for index, rule in enumerate(table.quality)
    ]
    rules += [
        (column.name, rule, ("schema", 0, "properties", place, "quality", index))
        for place, column in enumerate(table.properties)
        for index, rule in enumerate(column.quality)
    ]
    return [
        added.problem(
            key,
            "rule_of_another_table",
            f"'{rule.name}' counts cells or tells people apart, and cells are checked once per different text.",
            "Write it in contracts/responses.yaml.",
        )
        for column, rule, key in rules
        if not rule.is_about_rows
        or rule.metric == "duplicateValues"
        or {column, rule.condition.property if rule.condition else ""} & {"participant_id", "source_row"}
    ]


def _unknown(path: Path, names: tuple[str, ...]) -> Problem:
    return Problem(
        "contract_of_nothing",
        "The file is named after no table.",
        f"Name it <table>.yaml. {choose_from(path.stem, names)}",
        f"{FOLDER}/{path.name}",
    )
