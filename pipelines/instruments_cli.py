"""`peerimpact instruments`: the library on the command line."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from data_contracts.errors import Problem, choose_from
from instruments import Instrument
from instruments.exchange.formats import FORMATS, export_instrument
from pipelines.console import FINE, INCOMPLETE, Json, err, fail, or_exit, out, print_json

instruments_app = typer.Typer(no_args_is_help=True, help="The instrument library: find, score, audit, export.")

WIDE_ENOUGH = 132
"""Characters that the list needs where nothing tells how wide the page is."""

InstrumentId = Annotated[
    str, typer.Argument(metavar="ID", help="Id in the library, or a definition of your own: FILE.yaml.")
]
Variants = Annotated[list[str] | None, typer.Option("--variant", metavar="ID", help="A variant; may be repeated.")]
Items = Annotated[str | None, typer.Option("--items", metavar="PATTERN", help='Item columns, such as "phq_{n}".')]
MissingCodes = Annotated[
    list[str] | None, typer.Option("--missing-code", metavar="CODE", help="A code for no answer; may be repeated.")
]
AnswersPath = Annotated[Path, typer.Argument(metavar="FILE", help="Answers: CSV, Excel, or a FHIR bundle (.json).")]
OutputFile = Annotated[Path | None, typer.Option("--output", metavar="PATH", help="Where it goes; printed without it.")]


@instruments_app.command("list")
def list_instruments(
    domain: Annotated[str | None, typer.Option(help="Only this domain.")] = None,
    language: Annotated[str | None, typer.Option(help="Only with a translation, such as de or pt-BR.")] = None,
    licence: Annotated[str | None, typer.Option(help="Only this licence status.")] = None,
    as_json: Json = False,
) -> None:
    """List the instruments of the library."""
    from instruments import load_library

    library = or_exit(load_library, as_json)
    asked = {"--domain": domain, "--language": language, "--licence": licence}
    known: dict[str, set[str]] = {
        "--domain": {one.domain for one in library.values()},
        "--language": {tag for one in library.values() for tag in one.languages},
        "--licence": {one.licence.status for one in library.values()},
    }
    for option, value in asked.items():
        if value is not None and value not in known[option]:
            advice = choose_from(value, sorted(known[option]))
            fail([Problem("nothing_found", f"No instrument has '{value}'.", advice, key=option)], as_json)
    chosen = [
        one
        for one in library.values()
        if domain in (None, one.domain) and licence in (None, one.licence.status)
        and (language is None or language in one.languages)
    ]  # fmt: skip
    if as_json:
        print_json([_summary(one) for one in chosen])
        return
    table = Table("Id", "Construct", "Domain", "Items", "Licence", "Scoring", box=None)
    for one in chosen:
        items = str(len(one.items)) if one.items else "-"
        table.add_row(one.id, escape(one.construct_name), one.domain, items, one.licence.status, _status(one))
    out.print(table, width=max(out.width, WIDE_ENOUGH))
    out.print(f"\n{len(chosen)} instruments. 'draft': a fact that scores depend on is not confirmed by a source yet.")


@instruments_app.command("show")
def show_instrument(instrument: InstrumentId, variant: Variants = None, as_json: Json = False) -> None:
    """Show what an instrument measures, how it is scored, and where each fact comes from."""
    from instruments import explain_scoring

    found = or_exit(lambda: open_instrument(instrument, variant), as_json)
    if as_json:
        print_json(found.model_dump(mode="json"))
        return
    out.print(escape(f"{found.name} ({found.short_name}), version {found.version}"))
    out.print(escape(f"{found.citation.text} {found.citation.doi}".strip()))
    out.print(escape(f"Licence: {found.licence.status}. {found.licence.terms} {found.licence.contact}".strip()) + "\n")
    out.print(escape(explain_scoring(found)))
    if found.items:
        out.print("\nItems (concepts in our own words; the wording is its owner's):")
    for item in found.items:
        out.print(f"  {item.id:>3}  {escape(item.concept)}{' (reversed)' if item.reverse else ''}")
    if found.variants:
        out.print("\nVariants:")
    for one in found.variants:
        out.print(escape(f"  {one.id}: {one.label} ({one.status}: {one.source})"))
    out.print("\nFacts:")
    for name, fact in found.facts.items():
        out.print(escape(f"  {name}: {fact.status}. {fact.source}"))


@instruments_app.command("score")
def score_answers(
    instrument: InstrumentId,
    file: AnswersPath,
    items: Items = None,
    variant: Variants = None,
    missing_code: MissingCodes = None,
    explain: Annotated[
        int | None,
        typer.Option(metavar="ROW", min=2, help="Print the rule, and the arithmetic of this row."),
    ] = None,
    output: OutputFile = None,
) -> None:
    """Score a file of answers: one row per person and occasion, as CSV or Excel, or a FHIR bundle."""
    from instruments import explain_scoring
    from instruments.describing import explain_row
    from pipelines.instrument_files import read_answer_file, score_bundle, score_file

    found = or_exit(lambda: open_instrument(instrument, variant), as_json=False)
    if output is not None and (output.suffix.lower() == ".xlsx" or (output.exists() and output.samefile(file))):
        advice = "Name another file, such as scores.csv."
        fail([Problem("output_refused", "Scores are written as CSV, and never over the answers.", advice,
                      str(output), key="--output")], as_json=False)  # fmt: skip
    if file.suffix.lower() == ".json":
        bundle = or_exit(lambda: score_bundle(file, found), as_json=False)
        err.print(escape(bundle.account))
        _write(bundle.scores.to_csv(index=False), output)
        return
    answers = or_exit(
        lambda: read_answer_file(file, found, items=items, missing_codes=missing_code or ()), as_json=False
    )
    if explain is None:
        _write(or_exit(lambda: score_file(answers, found), as_json=False).to_csv(index=False), output)
        return
    if explain not in answers.answers.index:
        fail([Problem("row_missing", f"The file has no answers in row {explain}.", "Name a row below the header.",
                      file.name, key="--explain")], as_json=False)  # fmt: skip
    row = answers.answers.loc[explain].to_numpy()
    out.print(escape(f"{explain_scoring(found)}\n\nRow {explain}:\n{explain_row(row, found)}"))


@instruments_app.command("export")
def export_definition(
    instrument: InstrumentId,
    format_: Annotated[str, typer.Option("--format", metavar="FORMAT", help=f"One of {', '.join(FORMATS)}.")],
    wording: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The questions, from whoever holds the licence."),
    ] = None,
    variant: Variants = None,
    output: Annotated[
        Path | None, typer.Option("--output", metavar="PATH", help="File, or folder for formats of several files.")
    ] = None,
) -> None:
    """Export an instrument for another system; a single text file is printed without --output."""
    from instruments.wording import load_wording

    found = or_exit(lambda: open_instrument(instrument, variant), as_json=False)
    words = or_exit(lambda: load_wording(wording, found) if wording else None, as_json=False)
    files = or_exit(lambda: export_instrument(found, format_, wording=words), as_json=False)
    if words is None and found.items:
        err.print("Without --wording the short concepts of the library stand where the questions belong.")
    _write_files(files, output)


@instruments_app.command("audit")
def audit_totals(
    instrument: InstrumentId,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Answers and totals: CSV or Excel.")],
    total: Annotated[
        list[str], typer.Option(metavar="COLUMN", help="A column of totals, or SCORE=COLUMN; may be repeated.")
    ],
    items: Items = None,
    variant: Variants = None,
    missing_code: MissingCodes = None,
    as_json: Json = False,
) -> None:
    """Name the rule that totals obey: what became of missing answers, reversed items and codes."""
    from pipelines.instrument_files import audit_file, read_answer_file

    found = or_exit(lambda: open_instrument(instrument, variant), as_json)
    answers = or_exit(
        lambda: read_answer_file(file, found, items=items, missing_codes=missing_code or (), any_codes=True), as_json
    )
    first = found.scored_measures[0].id
    totals = {(name if equals else first): (column if equals else name)
              for name, equals, column in (each.partition("=") for each in total)}  # fmt: skip
    audit = or_exit(lambda: audit_file(answers, found, totals, missing_codes=missing_code or ()), as_json)
    if as_json:
        findings = audit.tidy().astype({"mean_difference": "object"})
        print_json(findings.where(findings.notna(), None).to_dict("records"))
    else:
        out.print(escape(audit.words()))
    raise typer.Exit(FINE if audit.is_clean else INCOMPLETE)


@instruments_app.command("validate")
def validate_definitions(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Definitions of instruments (.yaml).")],
    as_json: Json = False,
) -> None:
    """Check definitions, and that their worked examples come out."""
    from instruments.examples import failed_examples

    found = or_exit(lambda: {path: open_instrument(str(path), None) for path in files}, as_json)
    failed = {path: failed_examples(one) for path, one in found.items()}
    if as_json:
        print_json([
            {"file": str(path), "id": one.id, "status": _status(one), "examples": len(one.examples),
             "failed_examples": list(failed[path])}
            for path, one in found.items()
        ])  # fmt: skip
    else:
        for path, one in found.items():
            facts = ", ".join(one.unconfirmed_scoring_facts)
            draft = f"; a draft, not confirmed: {facts}" if facts else ""
            out.print(escape(f"{path.name}: {one.id} {one.version} is valid{draft}."))
            for line in failed[path]:
                out.print(escape(f"  {line}"))
            if one.items and not one.examples:
                out.print("  It has no worked examples; add some, with a missing answer and both ends of each range.")
    raise typer.Exit(INCOMPLETE if any(failed.values()) else FINE)


@instruments_app.command("new")
def new_definition(
    instrument: Annotated[str, typer.Argument(metavar="ID", help="Id of the instrument: lower case, digits, hyphens.")],
    folder: Annotated[Path, typer.Option("--folder", metavar="DIR", help="Where the file goes.")] = Path(),
) -> None:
    """Write a definition to start from: a valid draft with every section explained."""
    from instruments.template import write_template

    out.print(escape(str(or_exit(lambda: write_template(instrument, folder), as_json=False))))


@instruments_app.command("recognise")
def recognise_form(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A REDCap data dictionary (.csv) or an XLSForm (.xlsx).")
    ],
    as_json: Json = False,
) -> None:
    """Say which known instruments a form holds, and which fields stay unknown."""
    from instruments import load_library
    from instruments.exchange.recognise import recognise_dictionary

    found = or_exit(lambda: recognise_dictionary(file, load_library()), as_json)
    tables = {"matches": found.matches, "ambiguous": found.ambiguous, "unknown": found.unknown, "notes": found.notes}
    if as_json:
        print_json({name: table.to_dict("records") for name, table in tables.items()})
        return
    for (name, variant, evidence), fields in found.matches.groupby(["instrument", "variant", "evidence"], sort=False):
        form = f" in the variant '{variant}'" if variant else ""
        columns = ", ".join(fields["field"])
        out.print(escape(f"{name}{form}: {len(fields)} fields ({columns}); {evidence}."))
    for row in found.notes.to_dict("records"):
        out.print(escape(f"  {row['instrument']}: {row['note']}"))
    for row in found.ambiguous.to_dict("records"):
        out.print(
            escape(f"Not settled: {row['field']} (row {row['row']}): {row['why']} Candidates: {row['candidates']}.")
        )
    for row in found.unknown.to_dict("records"):
        nearest = f"; nearest: {row['nearest']}" if row["nearest"] else ""
        out.print(escape(f"Unknown: {row['field']} (row {row['row']}, {row['kind']}){nearest}"))


@instruments_app.command("docs")
def write_docs(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where the pages go.")],
) -> None:
    """Write the library as static pages: an index to search in, and a page for each instrument."""
    from instruments import load_library
    from reports.catalogue import write_catalogue

    pages = or_exit(lambda: write_catalogue(load_library(), folder), as_json=False)
    out.print(escape(str(pages[0])))


def open_instrument(name: str, variants: list[str] | None) -> Instrument:
    """Return an instrument of the library, or of a file, in the variants that are asked for."""
    from instruments import InstrumentError, apply_variants, load_instrument, load_library

    if name.endswith((".yaml", ".yml")):
        return apply_variants(load_instrument(Path(name)), variants or [])
    library = load_library()
    if name not in library:
        raise InstrumentError(
            Problem("unknown_instrument", f"The library has no '{name}'.", choose_from(name, library), key="ID")
        )
    return apply_variants(library[name], variants or [])


def _summary(one: Instrument) -> dict[str, Any]:
    return {
        "id": one.id,
        "name": one.name,
        "version": one.version,
        "domain": one.domain,
        "construct": one.construct_name,
        "items": len(one.items),
        "measures": list(one.measure_ids),
        "variants": [variant.id for variant in one.variants],
        "languages": list(one.languages),
        "licence": one.licence.status,
        "status": _status(one),
        "unconfirmed": list(one.unconfirmed_scoring_facts),
    }


def _status(one: Instrument) -> str:
    if not one.items:
        return "not scored here"
    return "draft" if one.is_draft else "confirmed"


def _write(text: str, output: Path | None) -> None:
    if output is None:
        sys.stdout.write(text)
    else:
        _write_files({output.name: text.encode()}, output)


def _write_files(files: Mapping[str, bytes], output: Path | None) -> None:
    """Write one file to the path, several below it; print a single text where there is no path."""
    names = list(files)
    if output is None and len(names) == 1 and not names[0].endswith(".xlsx"):
        sys.stdout.write(files[names[0]].decode())
        return
    if output is None:
        fail([Problem("output_needed", "The format is no single text.", "Say where it goes: --output PATH.",
                      key="--output")], as_json=False)  # fmt: skip
    into_folder = len(names) > 1 or output.is_dir()
    try:
        for name, content in files.items():
            path = output / name if into_folder else output
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    except OSError as error:
        fail([Problem("not_written", f"{error.strerror}.", "Name another place: --output PATH.", str(output))], False)
    out.print(escape(str(output)))
