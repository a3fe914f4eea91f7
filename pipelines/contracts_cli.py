"""`peerimpact contracts`: what tables must be, on the command line."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from data_contracts import Contract, Verdict
from data_contracts.describing import WHEN_BROKEN, describe_rules
from data_contracts.errors import Problem, choose_from
from pipelines.console import FINE, INCOMPLETE, Json, fail, or_exit, out, print_json

contracts_app = typer.Typer(no_args_is_help=True, help="The data contracts: what each table must be.")

_SHOWN_ROWS = 5
_FIRST_ROW = 2
"""Of a table in a file; the header is row 1."""
_FORMATS = ("odcs", "json-schema")

TableName = Annotated[str | None, typer.Argument(metavar="[TABLE]", help="A table; all of them without it.")]
StudyFolderOption = Annotated[
    Path | None,
    typer.Option("--study", metavar="DIR", help="A study folder: its own rules, and the values that it allows."),
]


@contracts_app.command("show")
def show_contracts(table: TableName = None, study: StudyFolderOption = None, as_json: Json = False) -> None:
    """Show the columns of a table, its rules, and what happens when one is broken."""
    contracts, parameters = or_exit(lambda: _open(study), as_json)
    chosen = _choose(contracts, table, as_json)
    if as_json:
        print_json([_as_json(contract, parameters) for contract in chosen])
        return
    for contract in chosen:
        _show(contract, parameters)
    out.print("\n".join(f"{severity}: {words}" for severity, words in WHEN_BROKEN.items()))


@contracts_app.command("test")
def check_table_file(
    table: Annotated[str, typer.Argument(metavar="TABLE", help="Whose contract.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The table: CSV or Parquet.")],
    study: StudyFolderOption = None,
    as_json: Json = False,
) -> None:
    """Hold a table in a file against its contract; exit code 1 where a rule of severity error is broken."""
    from pipelines.contract_files import check_file

    contracts, parameters = or_exit(lambda: _open(study), as_json)
    (contract,) = _choose(contracts, table, as_json)
    tested = or_exit(lambda: check_file(file, contract, parameters), as_json)
    code = FINE if tested.is_kept else INCOMPLETE
    if as_json:
        verdicts = [
            {name: getattr(one, name) for name in ("rule", "column", "severity", "passed", "n_checked", "n_failed")}
            | {"rows": [row + _FIRST_ROW for row in one.rows]}
            for one in tested.verdicts
        ]
        print_json({"exit_code": code, "table": table, "verdicts": verdicts, "not_checked": list(tested.not_checked)})
        raise typer.Exit(code)
    for verdict in sorted(tested.verdicts, key=lambda one: one.passed):
        out.print(escape(_verdict_line(verdict)))
    for rule in tested.not_checked:
        out.print(escape(f"not checked   {rule}: it needs what a study declares (--study DIR)."))
    broken = sum(not verdict.passed for verdict in tested.verdicts)
    out.print(f"\n{broken} of {len(tested.verdicts)} rules broken.")
    raise typer.Exit(code)


@contracts_app.command("export")
def export_contracts(
    table: TableName = None,
    study: StudyFolderOption = None,
    format_: Annotated[str, typer.Option("--format", metavar="FORMAT", help=f"One of {', '.join(_FORMATS)}.")] = "odcs",
) -> None:
    """Print contracts for other tools: ODCS 3.1 (YAML), or JSON Schema of the rows (a list of them for all tables)."""
    from data_contracts.exporting import fill_contract, json_schema, odcs_yaml

    if format_ not in _FORMATS:
        advice = choose_from(format_, _FORMATS)
        fail([Problem("format_unknown", f"There is no format '{format_}'.", advice, key="--format")], as_json=False)
    contracts, parameters = or_exit(lambda: _open(study), as_json=False)
    filled = [fill_contract(contract, parameters) for contract in _choose(contracts, table, as_json=False)]
    if format_ == "odcs":
        sys.stdout.write("---\n".join(odcs_yaml(contract) for contract in filled))
        return
    schemas = [json_schema(contract) for contract in filled]
    sys.stdout.write(json.dumps(schemas if table is None else schemas[0], indent=2, ensure_ascii=False) + "\n")


def _open(study: Path | None) -> tuple[Mapping[str, Contract], dict[str, Any]]:
    """Return the contracts, and the values that a study allows: none without a study."""
    from data_contracts import shipped_contract, shipped_contract_names

    if study is None:
        return {name: shipped_contract(name) for name in shipped_contract_names()}, {}
    from pipelines.folder import open_folder
    from pipelines.intake import contract_parameters

    folder = open_folder(study)
    return folder.contracts, contract_parameters(folder.study.value, folder.library)


def _choose(contracts: Mapping[str, Contract], table: str | None, as_json: bool) -> list[Contract]:
    if table is None:
        return list(contracts.values())
    if table not in contracts:
        advice = choose_from(table, contracts)
        fail([Problem("table_unknown", f"There is no table '{table}'.", advice, key="TABLE")], as_json)
    return [contracts[table]]


def _show(contract: Contract, parameters: Mapping[str, Any]) -> None:
    lines = describe_rules(contract, parameters)
    width = max((len(line.rule) for line in lines), default=0)
    out.print(escape(f"{contract.id} {contract.version}: {contract.table.description}"))
    for column, heading in [("", "the whole table"), *_headings(contract)]:
        mine = [line for line in lines if line.column == column]
        if column or mine:
            out.print(escape(f"  {heading}"))
        for line in mine:
            against = f" [{line.against}]" if line.against else ""
            own = " (of the study)" if line.is_own else ""
            out.print(escape(f"    {line.severity:<8}{line.rule:<{width}}  {line.asks}{against}{own}"))
    out.print()


def _headings(contract: Contract) -> list[tuple[str, str]]:
    return [(one.name, f"{one.name} ({one.logicalType}): {one.description}") for one in contract.table.properties]


def _as_json(contract: Contract, parameters: Mapping[str, Any]) -> dict[str, Any]:
    columns = [
        {"name": one.name, "type": one.logicalType, "required": one.required, "description": one.description}
        for one in contract.table.properties
    ]
    rules = [
        {name: getattr(line, name) for name in ("rule", "column", "asks", "against", "severity", "is_own")}
        | {"when_broken": WHEN_BROKEN[line.severity]}
        for line in describe_rules(contract, parameters)
    ]
    return {"table": contract.id, "version": contract.version, "columns": columns, "rules": rules}


def _verdict_line(verdict: Verdict) -> str:
    about = f"{verdict.rule} ({verdict.column})" if verdict.column else verdict.rule
    if verdict.passed:
        return f"passed        {about}: {verdict.description}"
    rows = ", ".join(str(row + _FIRST_ROW) for row in verdict.rows[:_SHOWN_ROWS])
    more = ", ..." if len(verdict.rows) > _SHOWN_ROWS else ""
    where = f" Rows: {rows}{more}." if rows else ""
    counts = f"{verdict.n_failed} of {verdict.n_checked}"
    return f"{verdict.severity:<8}broken {about}: {verdict.description} {counts}.{where}"
