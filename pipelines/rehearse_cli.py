"""`peerimpact rehearse`: try the whole plan on invented people."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from pipelines.console import FINE, INCOMPLETE, Json, or_exit, out, print_json


def rehearse(
    study: Annotated[Path, typer.Argument(metavar="STUDY", help="Folder with study.yaml and sap.yaml.")],
    people: Annotated[int, typer.Option(min=10, max=2000, help="Invented people in each arm.")] = 60,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the random numbers.")] = 1,
    output: Annotated[
        Path | None, typer.Option("--output", metavar="DIR", help="Where the output goes; STUDY/output without it.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Run the whole plan on invented people that obey the study's declarations, before data are opened."""
    from pipelines.folder import open_folder
    from pipelines.rehearsing import rehearse as rehearse_plan

    done = or_exit(lambda: rehearse_plan(open_folder(study, output=output), people=people, seed=seed), as_json)
    refused = done.estimands[done.estimands["verdict"] != "estimated"]
    code = INCOMPLETE if len(refused) else FINE
    if as_json:
        told = done.estimands[["estimand", "verdict", "method"]].to_dict("records")
        parts = done.refused[["analysis", "item", "verdict", "method"]].to_dict("records")
        print_json({"exit_code": code, "report": str(done.report), "estimands": told, "refused": parts})
    else:
        out.print(f"{len(done.estimands) - len(refused)} of {len(done.estimands)} estimands could be estimated.")
        for row in refused.to_dict("records"):
            out.print(escape(f"  {row['estimand']}: {row['verdict']}. {row['method']}"))
        for row in done.refused.to_dict("records"):
            name = ", ".join(filter(None, (row["analysis"], row["item"], row["timepoint"])))
            out.print(escape(f"  {name}: {row['verdict']}. {row['method']}"))
        out.print(f"No data were read. The people in this report are invented: {escape(str(done.report))}")
        out.print("When the plan is as it should be: peerimpact plan freeze, and only then peerimpact run.")
    raise typer.Exit(code)
