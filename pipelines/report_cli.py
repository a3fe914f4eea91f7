"""`peerimpact report` and `portfolio`: reports of studies that have run, for an audience, in a language, as files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from pipelines.console import FINE, Json, or_exit, out, print_json


def report(
    study: Annotated[Path, typer.Argument(metavar="STUDY", help="Folder of a study that has run.")],
    audience: Annotated[
        str,
        typer.Option("--audience", metavar="WHO", help="sponsor (protected) or internal (not for release)."),
    ] = "sponsor",
    language: Annotated[
        str, typer.Option("--language", metavar="TAG", help="Language of the report; that of the study without it.")
    ] = "",
    formats: Annotated[
        list[str] | None,
        typer.Option(
            "--format",
            metavar="NAME",
            help="html, pdf, summary, summary-pdf, xlsx, csv, parquet or codebook; may be given several times.",
        ),
    ] = None,
    release: Annotated[
        bool,
        typer.Option("--release", help="The files will be given away: later reports are held against what they tell."),
    ] = False,
    data_root: Annotated[
        Path | None, typer.Option("--data-root", metavar="DIR", help="Folder that source paths start from.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", metavar="DIR", help="Where the output is; STUDY/output without it."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Write the report again: for another audience, in another language, in another format."""
    from pipelines.folder import open_folder
    from pipelines.reporting import find_missing_words, write_reports

    folder = or_exit(lambda: open_folder(study, data_root=data_root, output=output), as_json)
    written = or_exit(
        lambda: write_reports(
            folder,
            audience=audience,
            language=language,
            formats=formats or ("html",),
            is_release=release,
        ),
        as_json,
    )
    missing = or_exit(lambda: find_missing_words(folder, language), as_json)
    if as_json:
        print_json({"exit_code": FINE, "files": [str(path) for path in written], "without_wording": list(missing)})
        return
    for path in written:
        out.print(escape(str(path)))
    if missing:
        out.print(f"{len(missing)} texts of the study stand as they are; say them in languages/{language}.yaml:")
        for text in missing:
            out.print(escape(f"  {json.dumps(text, ensure_ascii=False)}: "))


def portfolio(
    studies: Annotated[list[Path], typer.Argument(metavar="STUDY...", help="Folders of studies that have run.")],
    into: Annotated[Path, typer.Option("--into", metavar="DIR", help="Folder of the index and of the reports.")],
    language: Annotated[str, typer.Option("--language", metavar="TAG", help="Language of index and reports.")] = "en",
    as_json: Json = False,
) -> None:
    """Write an index over the reports of several studies, with the reports beside it."""
    from pipelines.folder import open_folder
    from pipelines.reporting import write_portfolio

    index = or_exit(
        lambda: write_portfolio([open_folder(study) for study in studies], into, language=language), as_json
    )
    if as_json:
        print_json({"exit_code": FINE, "files": [str(index)]})
    else:
        out.print(escape(str(index)))
