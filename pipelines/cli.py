"""`peerimpact`: the command line. Every command is one call; messages for people, `--json` for machines."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar

import pandas as pd
import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table

from data_contracts.errors import PeerimpactError, Problem
from pipelines.errors import defect

FINE, INCOMPLETE, WRONG_INPUT = 0, 1, 2
_SHOWN_LINES = 20
T = TypeVar("T")
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
instruments_app = typer.Typer(no_args_is_help=True, help="The instrument library.")
app.add_typer(instruments_app, name="instruments")
out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)

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
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of messages.")]


@app.command()
def run(study: StudyPath, data_root: DataRoot = None, output: Output = None, as_json: Json = False) -> None:
    """Run the whole evaluation: files, contracts, scores, models, report."""
    from pipelines.folder import open_folder
    from pipelines.run import run_study

    with Progress(
        TextColumn("{task.description}"), BarColumn(), console=err, disable=as_json, transient=True
    ) as progress:
        task = progress.add_task("Opening the study", total=len(_STEPS))

        def show(step: str) -> None:
            progress.update(task, description=_STEPS.get(step, step), advance=1)

        done = _or_exit(lambda: run_study(open_folder(study, data_root=data_root, output=output), show), as_json)
    code = FINE if done.is_complete else INCOMPLETE
    if as_json:
        _print_json(
            {
                "exit_code": code,
                "report": str(done.report),
                "reconciliation": _records(done.reconciliation),
                "quarantine": _records(done.quarantine),
                "estimands": _records(done.estimands),
            }
        )
    else:
        _show_intake(done.reconciliation, done.quarantine)
        _show_estimands(done.estimands)
        out.print(f"\n{escape(str(done.report))}")
    raise typer.Exit(code)


@app.command()
def check(study: StudyPath, data_root: DataRoot = None, as_json: Json = False) -> None:
    """Validate everything without fitting, and list the problems."""
    from pipelines.checking import check_study
    from pipelines.folder import open_folder

    checked = _or_exit(lambda: check_study(open_folder(study, data_root=data_root)), as_json)
    code = INCOMPLETE if checked.refusals else FINE
    if as_json:
        _print_json(
            {
                "exit_code": code,
                "reconciliation": _records(checked.intake.reconciliation),
                "quarantine": _records(checked.intake.quarantine),
                "refusals": [
                    {"estimand": refusal.estimand, "reason": refusal.reason, "explanation": refusal.explanation}
                    for refusal in checked.refusals
                ],
            }
        )
    else:
        _show_intake(checked.intake.reconciliation, checked.intake.quarantine)
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
) -> None:
    """Write a synthetic study with known truth and seeded faults."""
    from pipelines.simulate import write_study

    _or_exit(lambda: write_study(folder, seed=seed, participants=participants), as_json=False)
    out.print(
        f"A synthetic study of {participants} invented people is in {escape(str(folder))}; its truth is in truth.json."
    )


@app.command()
def dev(
    host: Annotated[
        str, typer.Option(help="Address to listen on; there is no login, so keep it on this machine.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 3000,
) -> None:
    """Open the Dagster user interface with the studies below PEERIMPACT_STUDIES (default: examples)."""
    from pipelines.development import serve

    _or_exit(lambda: serve(host, port), as_json=False)


@instruments_app.command("list")
def list_instruments(
    domain: Annotated[str | None, typer.Option(help="Only this domain.")] = None, as_json: Json = False
) -> None:
    """List the instruments of the library."""
    from instruments import load_library

    library = _or_exit(load_library, as_json)
    chosen = [instrument for instrument in library.values() if domain in (None, instrument.domain)]
    if not chosen:
        _fail(
            [
                Problem(
                    "no_such_domain",
                    f"No instrument is of domain '{domain}'.",
                    f"Domains: {', '.join(sorted({instrument.domain for instrument in library.values()}))}.",
                    key="--domain",
                )
            ],
            as_json,
        )
    if as_json:
        _print_json(
            [
                {
                    "id": one.id,
                    "name": one.name,
                    "domain": one.domain,
                    "items": len(one.items),
                    "licence": one.licence.status,
                    "draft": one.is_draft,
                }
                for one in chosen
            ]
        )
        return
    table = Table("Id", "Name", "Domain", "Items", "Licence", "Scoring facts", box=None)
    for one in chosen:
        table.add_row(
            one.id,
            escape(one.name),
            one.domain,
            str(len(one.items)),
            one.licence.status,
            "draft" if one.is_draft else "confirmed",
        )
    out.print(table)


@instruments_app.command("show")
def show_instrument(instrument: Annotated[str, typer.Argument(metavar="ID")], as_json: Json = False) -> None:
    """Show what an instrument measures, how it is scored, and where each fact comes from."""
    from data_contracts.errors import choose_from
    from instruments import explain_scoring, load_library

    library = _or_exit(load_library, as_json)
    if instrument not in library:
        _fail(
            [
                Problem(
                    "unknown_instrument",
                    f"The library has no '{instrument}'.",
                    choose_from(instrument, library),
                    key="ID",
                )
            ],
            as_json,
        )
    found = library[instrument]
    if as_json:
        _print_json(found.model_dump(mode="json"))
        return
    out.print(
        f"{escape(found.name)} ({found.short_name}), version {found.version}\n"
        f"{escape(found.citation.text)} {found.citation.doi}"
    )
    out.print(f"Licence: {found.licence.status}. {escape(found.licence.terms)}\n")
    out.print(escape(explain_scoring(found)))
    out.print("\nItems (concepts in our own words; the wording is its owner's):")
    for item in found.items:
        out.print(f"  {item.id:>3}  {escape(item.concept)}{' (reversed)' if item.reverse else ''}")
    out.print("\nFacts:")
    for name, fact in found.facts.items():
        out.print(f"  {name}: {fact.status}. {escape(fact.source)}")


def main() -> None:
    """Run the command line."""
    app()


def _or_exit(call: Callable[[], T], as_json: bool) -> T:
    try:
        return call()
    except PeerimpactError as error:
        _fail(error.problems, as_json)
    except Exception as error:
        _fail(defect(error).problems, as_json)


def _fail(problems: list[Problem] | tuple[Problem, ...], as_json: bool) -> NoReturn:
    if as_json:
        _print_json({"exit_code": WRONG_INPUT, "problems": [problem.as_dict() for problem in problems]})
    else:
        for problem in problems:
            err.print(f"[bold]error[/bold] {escape(str(problem))}")
        err.print(f"{len(problems)} {'problem' if len(problems) == 1 else 'problems'}; nothing was run.")
    raise typer.Exit(WRONG_INPUT)


def _show_intake(reconciliation: pd.DataFrame, quarantine: pd.DataFrame) -> None:
    total = reconciliation[["rows_read", "rows_accepted", "rows_quarantined", "rows_excluded"]].sum()
    out.print(
        f"{total['rows_read']} rows read = {total['rows_accepted']} accepted + "
        f"{total['rows_quarantined']} quarantined + "
        f"{total['rows_excluded']} excluded; {reconciliation['cells_quarantined'].sum()} single cells quarantined."
    )
    for line in quarantine.head(_SHOWN_LINES).to_dict("records"):
        place = f"{line['source']} row {line['source_row']}{', ' + line['column'] if line['column'] else ''}"
        out.print(escape(f"  {place}: {line['reason']} {line['how_to_fix']}"))
    if len(quarantine) > _SHOWN_LINES:
        out.print(f"  ... and {len(quarantine) - _SHOWN_LINES} more lines.")


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


def _print_json(document: Mapping[str, Any] | list[Any]) -> None:
    sys.stdout.write(json.dumps(document, indent=2) + "\n")


if __name__ == "__main__":
    main()
