"""`peerimpact`: the command line. Every command is one call; messages for people, `--json` for machines."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Any, Literal

import pandas as pd
import typer
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn

from data_contracts.errors import Problem
from pipelines.console import FINE, INCOMPLETE, WRONG_INPUT, Json, err, or_exit, out, print_json
from pipelines.contracts_cli import contracts_app
from pipelines.errors import PipelineError
from pipelines.explain_cli import explain
from pipelines.init_cli import init
from pipelines.instruments_cli import instruments_app
from pipelines.plan_cli import plan_app
from pipelines.power_cli import power
from pipelines.rehearse_cli import rehearse
from pipelines.report_cli import portfolio, report

_SHOWN_LINES = 20
_SHOWN_ROWS = 5
_STEPS = {
    "intake": "Reading and checking files",
    "scores": "Scoring instruments",
    "results": "Fitting models",
    "report": "Writing the report",
}

app = typer.Typer(
    name="peerimpact",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="From raw survey exports of a peer support programme to a sponsor report with defensible numbers.",
)
app.add_typer(instruments_app, name="instruments")
app.add_typer(contracts_app, name="contracts")
app.add_typer(plan_app, name="plan")
app.command()(init)
app.command()(explain)
app.command()(rehearse)
app.command()(power)
app.command()(report)
app.command()(portfolio)

StudyPath = Annotated[Path, typer.Argument(metavar="STUDY", help="Folder with study.yaml and sap.yaml.")]
DataRoot = Annotated[
    Path | None,
    typer.Option(
        "--data-root", metavar="DIR", help="Folder that source paths start from; the study folder without it."
    ),
]
Output = Annotated[
    Path | None, typer.Option("--output", metavar="DIR", help="Where the output goes; STUDY/output without it.")
]


@app.command()
def run(study: StudyPath, data_root: DataRoot = None, output: Output = None, as_json: Json = False) -> None:
    """Run the whole evaluation: files, contracts, scores, models, report."""
    from pipelines.corrections import load_corrections, unused_corrections
    from pipelines.folder import open_folder
    from pipelines.run import run_study

    with Progress(
        TextColumn("{task.description}"), BarColumn(), console=err, disable=as_json, transient=True
    ) as progress:
        task = progress.add_task("Opening the study", total=len(_STEPS))

        def show(step: str) -> None:
            progress.update(task, description=_STEPS.get(step, step), advance=1)

        done = or_exit(lambda: run_study(open_folder(study, data_root=data_root, output=output), show), as_json)
    code = FINE if done.is_complete else INCOMPLETE
    unused = unused_corrections(set(done.reconciliation["source"]), load_corrections(study))
    if as_json:
        print_json(
            {
                "exit_code": code,
                "report": str(done.report),
                "unused_corrections": list(unused),
                "reconciliation": _records(done.reconciliation),
                "quarantine": _records(done.quarantine),
                "estimands": _records(done.estimands),
            }
        )
    else:
        _show_intake(done.reconciliation, done.quarantine)
        _show_unused(unused)
        _show_estimands(done.estimands)
        out.print(f"\n{escape(str(done.report))}")
    raise typer.Exit(code)


@app.command()
def check(study: StudyPath, data_root: DataRoot = None, as_json: Json = False) -> None:
    """Validate everything without fitting, and list the problems."""
    from pipelines.checking import check_study
    from pipelines.folder import open_folder

    checked = or_exit(lambda: check_study(open_folder(study, data_root=data_root)), as_json)
    code = INCOMPLETE if checked.refusals else FINE
    if checked.stops_a_run or checked.intake.drift["severity"].eq("error").any():
        code = WRONG_INPUT
    if as_json:
        print_json(
            {
                "exit_code": code,
                "reconciliation": _records(checked.intake.reconciliation),
                "quarantine": _records(checked.intake.quarantine),
                "drift": _records(checked.intake.drift),
                "linkage": _records(checked.intake.linkage),
                "like_ids": _records(checked.intake.like_ids),
                "unused_corrections": list(checked.intake.unused_corrections),
                "broken_rules": [
                    {"severity": verdict.severity, **problem.as_dict()} for verdict, problem in checked.broken
                ],
                "score_audit": _records(checked.audit.tidy()),
                "refusals": [
                    {"estimand": refusal.estimand, "reason": refusal.reason, "explanation": refusal.explanation}
                    for refusal in checked.refusals
                ],
            }
        )
    else:
        _show_intake(checked.intake.reconciliation, checked.intake.quarantine)
        _show_drift(checked.intake.drift)
        for verdict, problem in checked.broken:
            out.print(escape(f"  {verdict.severity}: {problem}"))
        _show_linkage(checked.intake.linkage)
        _show_identities(checked.intake.like_ids, checked.intake.unused_corrections)
        if not checked.audit.is_clean:
            out.print(escape(f"\n{checked.audit.words()}\n"))
        for refusal in checked.refusals:
            out.print(f"{escape(refusal.estimand)}: would be refused ({refusal.reason}). {escape(refusal.explanation)}")
        out.print(
            f"\n{len(checked.intake.quarantine)} lines for quarantine, "
            f"{len(checked.refusals)} estimands that would be refused."
        )
    raise typer.Exit(code)


@app.command()
def simulate(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="New or empty folder for the synthetic study.")],
    seed: Annotated[int, typer.Option(min=0, help="Seed of the random numbers.")] = 2025,
    participants: Annotated[int, typer.Option(min=120, max=2000, help="People in the study; a multiple of 40.")] = 240,
    delivered: Annotated[
        Literal["files", "three-systems"],
        typer.Option("--as", help="As CSV files and a workbook, or as exports of Qualtrics, REDCap and SPSS."),
    ] = "files",
    unsolved: Annotated[
        bool, typer.Option("--unsolved", help="With '--as three-systems': only the data, for the tutorial.")
    ] = False,
) -> None:
    """Write a synthetic study with known truth and seeded faults."""
    from pipelines.simulation.harbour import write_study
    from pipelines.simulation.three_systems import write_three_systems

    def call() -> None:
        if delivered == "three-systems":
            write_three_systems(folder, seed=seed, participants=participants, solved=not unsolved)
        elif unsolved:
            message, advice = "Only the study of three systems comes unsolved.", "Add '--as three-systems'."
            raise PipelineError(Problem("option_unused", message, advice, key="--unsolved"))
        else:
            write_study(folder, seed=seed, participants=participants)

    or_exit(call, as_json=False)
    told = "" if unsolved else "; its truth is in truth.json"
    out.print(f"A synthetic study of {participants} invented people is in {escape(str(folder))}{told}.")


@app.command()
def fetch(
    url: Annotated[str, typer.Argument(metavar="URL", help="The API of the REDCap server: https://.../api/")],
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="New folder, in the data folder of a study.")],
    token_variable: Annotated[
        str, typer.Option(metavar="NAME", help="Environment variable that holds the API token.")
    ] = "REDCAP_TOKEN",  # noqa: S107 - its name, not the token
) -> None:
    """Download a REDCap project as files: records, dictionary, events, and a manifest with fingerprints."""
    from pipelines.sources.redcap_api import fetch_redcap

    or_exit(lambda: fetch_redcap(url, token_variable, folder), as_json=False)
    out.print(escape(f"A snapshot is in {folder}; declare it with 'format: redcap' and 'dictionary: dictionary.csv'."))


@app.command()
def dev(
    host: Annotated[
        str, typer.Option(help="Address to listen on; there is no login, so keep it on this machine.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 3000,
) -> None:
    """Open the Dagster user interface with the studies below PEERIMPACT_STUDIES (default: examples)."""
    from pipelines.development import serve

    or_exit(lambda: serve(host, port), as_json=False)


def main() -> None:
    """Run the command line."""
    app()


def _show_intake(reconciliation: pd.DataFrame, quarantine: pd.DataFrame) -> None:
    total = reconciliation[["rows_read", "rows_accepted", "rows_quarantined", "rows_excluded"]].sum()
    out.print(
        f"{total['rows_read']} rows read = {total['rows_accepted']} accepted + "
        f"{total['rows_quarantined']} quarantined + "
        f"{total['rows_excluded']} excluded; {reconciliation['cells_quarantined'].sum()} single cells quarantined."
    )
    needs_nobody = quarantine["severity"] == "excluded"
    ordered = quarantine.assign(needs_nobody=needs_nobody).sort_values("needs_nobody", kind="stable")
    alike = ["needs_nobody", "source", "column", "reason", "how_to_fix"]
    groups = [(said, lines["source_row"].tolist()) for said, lines in ordered.groupby(alike, sort=False)]
    for (_, source, column, reason, how_to_fix), rows in groups[:_SHOWN_LINES]:
        place = f"{source} {_rows(rows)}{', ' + column if column else ''}"
        out.print(escape(f"  {place}: {reason} {how_to_fix}"))
    if len(groups) > _SHOWN_LINES:
        out.print(f"  ... and {sum(len(rows) for _, rows in groups[_SHOWN_LINES:])} more lines.")


def _rows(rows: list[int]) -> str:
    """Return ``row 7``, or ``rows 7, 8, ... (12 of them)``."""
    if len(rows) == 1:
        return f"row {rows[0]}"
    if len(rows) <= _SHOWN_ROWS:
        return f"rows {', '.join(map(str, rows))}"
    return f"rows {', '.join(map(str, rows[:_SHOWN_ROWS]))}, ... ({len(rows)} of them)"


def _show_drift(drift: pd.DataFrame) -> None:
    for finding in drift[drift["severity"] != "info"].to_dict("records"):
        place = ", ".join(filter(None, (finding["source"], finding["timepoint"], finding["column"])))
        out.print(escape(f"  {finding['severity']}: {place}: {finding['told']} {finding['how_to_fix']}"))
    remarks = int(drift["severity"].eq("info").sum())
    if remarks:
        out.print(f"  {remarks} remarks on columns and questions: see --json, or drift.csv of a run.")
    if drift["severity"].eq("error").any():
        out.print("  A run would stop: answers would look right and be wrong.")


def _show_linkage(linkage: pd.DataFrame) -> None:
    for line in linkage[linkage["source"] == ""].to_dict("records"):
        out.print(f"  {line['participants']} participants: {line['timepoints']}")


def _show_identities(like_ids: pd.DataFrame, unused: tuple[int, ...]) -> None:
    for pair in like_ids.head(_SHOWN_LINES).to_dict("records"):
        first, other = (f"{pair[f'{side}source']} row {pair[f'{side}source_row']}" for side in ("", "like_"))
        out.print(escape(f"  The ids in {first} and {other} differ in {pair['differ_in']}: two people, or one?"))
    if len(like_ids) > _SHOWN_LINES:
        out.print(f"  ... and {len(like_ids) - _SHOWN_LINES} more pairs of ids.")
    if len(like_ids):
        out.print("  Ids are never joined by guess: where two are one person, correct the id in corrections.csv;")
        out.print("  the lines to fill in are in --json, and in linking.csv of a run.")
    _show_unused(unused)


def _show_unused(unused: tuple[int, ...]) -> None:
    for line in unused:
        out.print(f"  corrections.csv line {line}: no table of this name was read, so the line was not used.")


def _show_estimands(estimands: pd.DataFrame) -> None:
    out.print()
    for row in estimands.to_dict("records"):
        if row["verdict"] == "estimated":
            out.print(
                f"{row['estimand']}: {row['value']:.2f} (95 % interval {row['conf_low']:.2f} to {row['conf_high']:.2f})"
            )
        else:
            out.print(escape(f"{row['estimand']}: {row['verdict']}. {row['method']}"))


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [
        {str(name): None if isinstance(value, float) and math.isnan(value) else value for name, value in record.items()}
        for record in table.to_dict("records")
    ]


if __name__ == "__main__":
    main()
