"""`peerimpact explain`: where one number came from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from pipelines.console import FINE, Json, or_exit, out, print_json

NOTICE = "Exact numbers of people, for the evaluation team and reviewers: not for release."


def explain(
    study: Annotated[Path, typer.Argument(metavar="STUDY", help="Folder with study.yaml and sap.yaml.")],
    estimand: Annotated[str, typer.Argument(metavar="ESTIMAND", help="Id of an estimand of the plan.")],
    output: Annotated[
        Path | None, typer.Option("--output", metavar="DIR", help="Where the run went; STUDY/output without it.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Explain one number of the last run: people, model, guards, other answers, and every file involved."""
    from pipelines.explaining import explain as explain_number
    from pipelines.folder import open_folder

    passages = or_exit(lambda: explain_number(open_folder(study, output=output), estimand), as_json)
    if as_json:
        told = {passage.title: [list(line) for line in passage.lines] for passage in passages}
        print_json({"exit_code": FINE, "notice": NOTICE, "estimand": estimand, "explanation": told})
        return
    out.print(f"[bold]{escape(estimand)}[/bold]. {NOTICE}")
    for passage in passages:
        out.print(f"\n[bold]{passage.title}[/bold]")
        for name, said in passage.lines or (("", "nothing"),):
            out.print(escape(f"  {name}: {said}" if name else f"  {said}"))
