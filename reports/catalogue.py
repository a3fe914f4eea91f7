"""The instrument library as static pages: an index to search in, and a page for each instrument."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from jinja2 import Environment

from data_contracts.errors import Problem
from instruments import Instrument, Measure, explain_scoring
from instruments.exchange.formats import FORMATS, export_instrument
from reports.cells import Table
from reports.errors import ReportError
from reports.templating import open_templates

STATUS: Final[dict[str, str]] = {
    "confirmed": "Every fact that a score depends on was seen in a source.",
    "draft": "A fact that a score depends on is not confirmed by a source yet.",
    "not scored here": "Its scoring may not be published; delivered scores can be used.",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """What the index says of an instrument; `words` is what a search looks in, in lower case."""

    instrument: Instrument
    status: str
    licence: str
    domain: str
    words: str


def write_catalogue(library: Mapping[str, Instrument], folder: Path) -> tuple[Path, ...]:
    """Write the catalogue: ``index.html``, a page per instrument, and its exports below ``files/<id>/``.

    Parameters
    ----------
    library : mapping
        Instrument id -> Instrument.
    folder : Path
        Made where it does not exist; pages of the same name are replaced.

    Returns
    -------
    tuple of Path
        The pages, the index first. They ask for nothing from outside; the same library gives the same bytes.

    Raises
    ------
    ReportError
        There is a file where the folder should be.
    """
    environment = open_templates()
    entries = [_entry(one) for one in library.values()]
    if folder.exists() and not folder.is_dir():
        raise ReportError(Problem("no_folder", "This is a file.", "Name a folder for the pages.", str(folder)))
    folder.mkdir(parents=True, exist_ok=True)
    pages = {"index.html": _render_index(environment, entries)}
    for entry in entries:
        exports = _write_exports(entry.instrument, folder)
        pages[f"{entry.instrument.id}.html"] = _render_page(environment, entry, exports)
    for name, page in pages.items():
        (folder / name).write_text(page, encoding="utf-8")
    return tuple(folder / name for name in pages)


def _entry(one: Instrument) -> Entry:
    status = "not scored here" if not one.items else "draft" if one.is_draft else "confirmed"
    domain = one.domain.replace("_", " ")
    measured = [measure.label for measure in one.measures]
    words = [one.id, one.name, one.short_name, *one.aliases, one.construct_name, domain, *measured, one.population]
    return Entry(one, status, one.licence.in_words, domain, " ".join(words).lower())


def _render_index(environment: Environment, entries: Sequence[Entry]) -> str:
    script = environment.get_template("catalogue.js").render()
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
    return environment.get_template("catalogue.html").render(
        entries=entries,
        domains=sorted({entry.domain for entry in entries}),
        licences=sorted({entry.licence for entry in entries}),
        languages=sorted({tag for entry in entries for tag in entry.instrument.languages}),
        statuses=STATUS,
        script=script,
        policy=f"{_policy()}; script-src 'sha256-{digest}'",
    )


def _render_page(environment: Environment, entry: Entry, exports: Sequence[tuple[str, str]]) -> str:
    one = entry.instrument
    return environment.get_template("instrument.html").render(
        entry=entry,
        one=one,
        status=STATUS[entry.status],
        scoring=explain_scoring(one).split("\n\n"),
        tables=[table for table in _tables(one) if table.rows],
        exports=exports,
        policy=_policy(),
    )


def _policy() -> str:
    return "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def _write_exports(one: Instrument, folder: Path) -> list[tuple[str, str]]:
    """Write every export of an instrument; return title and path of what a page links to."""
    linked = []
    for name, title in FORMATS.items():
        if not one.items and name != "json":
            continue
        exported = export_instrument(one, name)
        for path, content in exported.items():
            target = folder / "files" / one.id / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        linked.append((title, f"files/{one.id}/{next(iter(exported))}"))
    return linked


def _tables(one: Instrument) -> list[Table]:
    return [
        Table("Measures", ("Score", "Items", "Range", "Higher is"), tuple(_measure_row(each) for each in one.measures)),
        Table(
            "Items, by our own short concepts",
            ("Item", "Concept", "Answers", "Reversed"),
            tuple((item.id, item.concept, item.response_set, "yes" if item.reverse else "no") for item in one.items),
        ),
        Table("Answers", ("Value", "Answers", "Label", "Counts"), _answer_rows(one)),
        Table(
            "Bands",
            ("Score", "Band", "From", "To", "Source"),
            tuple(
                (measure.label, band.label, f"{band.low:g}", f"{band.high:g}", band.source)
                for measure in one.measures
                for band in measure.bands
            ),
        ),
        Table("Tables", ("Score", "Sum of answers", "Counts"), _lookup_rows(one)),
        Table(
            "Variants in use",
            ("Id", "Variant", "Status", "Source"),
            tuple((each.id, each.label, each.status, each.source) for each in one.variants),
        ),
        *_evidence_tables(one),
        Table("Worked examples", ("Example", "Answers", "Scores", "Source"), _example_rows(one)),
        Table(
            "Facts and where they were seen",
            ("Fact", "Status", "Source"),
            tuple((name.replace("_", " "), fact.status, fact.source) for name, fact in one.facts.items()),
        ),
        Table("Versions", ("Version", "What changed"), tuple(one.changes.items())),
    ]


def _evidence_tables(one: Instrument) -> list[Table]:
    labels = {measure.id: measure.label for measure in one.measures}
    return [
        Table(
            "Reliability as published",
            ("Statistic", "Value", "Sample", "Source"),
            tuple(
                (
                    each.statistic.replace("_", " "),
                    f"{each.lowest:g}" + (f" to {each.highest:g}" if each.highest > each.lowest else ""),
                    each.sample,
                    each.source,
                )
                for each in one.reliability
            ),
        ),
        Table(
            "Smallest change that means something",
            ("Score", "Points", "Kind", "Population", "Source"),
            tuple(
                (
                    labels[each.measure],
                    f"{each.value:g}",
                    each.kind.replace("_", " "),
                    each.population or "-",
                    each.source,
                )
                for each in one.smallest_change
            ),
        ),
        Table("LOINC codes", ("Of", "Code"), _loinc_rows(one)),
    ]


def _measure_row(measure: Measure) -> tuple[str, ...]:
    items = (
        "none here" if measure.method == "delivered" else "all" if measure.items == "all" else ", ".join(measure.items)
    )
    low, high = measure.range
    return (measure.label, items, f"{low:g} to {high:g}", measure.higher_is)


def _answer_rows(one: Instrument) -> tuple[tuple[str, ...], ...]:
    rows = []
    for name, each in one.response_sets.items():
        if not each.options:
            rows.append((f"{each.minimum:g} to {each.maximum:g}", name, "any number", "its value"))
        for option in each.options:
            counts = option.value if option.score is None else option.score
            rows.append((str(option.value), name, option.label or "-", f"{counts:g}"))
    return tuple(rows)


def _lookup_rows(one: Instrument) -> tuple[tuple[str, ...], ...]:
    return tuple(
        (measure.label, str(step.raw), f"{step.score:g}") for measure in one.measures for step in measure.lookup
    )


def _example_rows(one: Instrument) -> tuple[tuple[str, ...], ...]:
    rows = []
    for place, example in enumerate(one.examples, 1):
        answers = ", ".join("missing" if answer is None else f"{answer:g}" for answer in example.answers)
        scores = "; ".join(
            f"{name} {'no score' if score is None else format(score, 'g')}" for name, score in example.scores.items()
        )
        variants = f" ({', '.join(example.variants)})" if example.variants else ""
        rows.append((f"{place}{variants}", answers, scores, example.source))
    return tuple(rows)


def _loinc_rows(one: Instrument) -> tuple[tuple[str, ...], ...]:
    if one.loinc is None:
        return ()
    panel = [("panel", one.loinc.panel)] if one.loinc.panel else []
    measures = [(f"score {name}", code) for name, code in one.loinc.measures.items()]
    return (*panel, *measures, *((f"item {name}", code) for name, code in one.loinc.items.items()))
