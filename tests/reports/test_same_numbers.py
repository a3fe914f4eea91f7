"""One number, one value, in every language: prose, tables, figures, spreadsheet and results of the example say the same."""

import html
import io
import json
import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import plotly.graph_objects as go
import pytest
from markupsafe import escape

from pipelines.folder import open_folder
from pipelines.reporting import FORMATS, load_content
from reports import Report, prepare_report, render_page
from reports.cells import Table, value_cell
from reports.language import LANGUAGES, language_spoken, say, speaking
from reports.numbers import (
    MINUS,
    NOTHING,
    decimals_of,
    decimals_to_print,
    format_interval,
    format_number,
    say_amount,
    say_range,
)
from reports.reading import Row, Rows, pick, pick_one, read_rows
from reports.sections import Illustration
from reports.workbook import render_workbook, tables_of

TURNS = re.compile("[\u2066-\u2069]")
"""Marks around a text that keeps its own direction; a spreadsheet needs them less often than a page."""
DOI = re.compile(r"\b10\.[0-9]{4,}/\S+")
AS_THEY_ARE = ("terms", "citation", "doi")
"""Parts of a view that are quoted in the words of their source, whatever the language."""


@pytest.fixture(scope="module")
def english(ran_example: Path) -> Report:
    """The report of the example."""
    return prepare_report(load_content(open_folder(ran_example)))


@pytest.fixture(scope="module")
def english_book(english: Report) -> openpyxl.Workbook:
    return _open_book(english)


def _open_book(report: Report) -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(render_workbook(report)))


@pytest.fixture(scope="module", params=LANGUAGES)
def report(request: pytest.FixtureRequest, english: Report, ran_example: Path) -> Report:
    """The same in each language; what is gated knows none, so it is gated once."""
    if request.param == "en":
        return english
    content = load_content(open_folder(ran_example), language=request.param)
    pd.testing.assert_frame_equal(content.results, english.content.results)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("reports.render.gate_results", lambda *_: english.gated.copy())
        return prepare_report(content)


@pytest.fixture(autouse=True)
def _spoken(report: Report) -> Iterator[None]:
    with speaking(report.content.language):
        yield


@pytest.fixture(scope="module")
def rows(report: Report) -> Rows:
    return read_rows(report.gated)


@pytest.fixture(scope="module")
def page(report: Report) -> str:
    return render_page(report)


def as_numbers(text: str) -> list[float]:
    """Return the numbers that a text prints in the language in force."""
    point, thousands = re.escape(language_spoken().decimal_point), re.escape(language_spoken().thousands)
    found = re.findall(rf"({MINUS}?)([0-9]+(?:{thousands}[0-9]{{3}})*)(?:{point}([0-9]+))?", DOI.sub("", text))
    return [float(f"{sign and '-'}{re.sub(thousands, '', whole)}.{decimals or 0}") for sign, whole, decimals in found]


class _Tables(HTMLParser):
    """Collect caption and cells of every table of a page."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tables: list[tuple[str, list[list[str]]]] = []
        self.place = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            self.tables.append(("", []))
        elif tag == "tr":
            self.tables[-1][1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][1][-1].append("")
        if tag in ("caption", "td", "th"):
            self.place = tag

    def handle_endtag(self, tag: str) -> None:
        if tag == self.place:
            self.place = ""

    def handle_data(self, data: str) -> None:
        if self.place == "caption":
            caption, lines = self.tables[-1]
            self.tables[-1] = (caption + data, lines)
        elif self.place:
            self.tables[-1][1][-1][-1] += data


def test_every_table_of_the_page_is_a_sheet_with_the_same_cells(
    report: Report, english_book: openpyxl.Workbook, page: str
) -> None:
    reader = _Tables()
    reader.feed(page)
    book = _open_book(report)
    sheets: dict[str, list[Any]] = {}
    for sheet in book.worksheets[1:]:
        sheets.setdefault(_plain(sheet["A1"].value), []).append(list(sheet.iter_rows()))
    assert len(reader.tables) == len(book.worksheets) - 1
    for caption, lines in reader.tables:
        kept = sheets[_plain(caption)].pop(0)
        header, *body = kept[len(kept) - len(lines) :]
        widths = _widths(lines[0], [cell.value for cell in header if cell.value])
        for printed, cells in zip(lines[1:], body, strict=True):
            left = list(cells)
            for text, width in zip(printed, widths, strict=True):
                own, left = left[:width], left[width:]
                if not isinstance(own[0].value, int | float):
                    assert [_plain(cell.value or "") for cell in own] == [_plain(text)] + [NOTHING] * (width - 1)
                else:
                    numbers = [number / 100 if "%" in own[0].number_format else number for number in as_numbers(text)]
                    assert len(numbers) in (1, width)
                    assert [cell.value for cell in own[: len(numbers)]] == pytest.approx(numbers, abs=1e-12)
                    assert [cell.value for cell in own[len(numbers) :]] == [NOTHING] * (width - len(numbers))
    assert _numeric_cells(book) == _numeric_cells(english_book)


def _plain(text: str) -> str:
    return TURNS.sub("", text)


def _numeric_cells(book: openpyxl.Workbook) -> list[int]:
    """Return how many cells of each sheet are numbers."""
    cells = ([cell.data_type for row in sheet.iter_rows() for cell in row] for sheet in book.worksheets)
    return [kinds.count("n") for kinds in cells]


def _widths(columns: list[str], header: list[str]) -> list[int]:
    """Return how many columns of a sheet each column of the page has: one more for each end of an interval."""
    widths, place = [], 0
    for name in columns:
        ends = [_plain(said) for said in (say("{column}: from", column=name), say("{column}: to", column=name))]
        width = next((width for width in (2, 3) if _are(header[place + width - 2 : place + width], ends)), 1)
        widths.append(width)
        place += width
    assert place == len(header)
    return widths


def _are(headers: list[str], ends: list[str]) -> bool:
    """Tell whether headers are those of the ends of an interval; what is there twice bears a number."""
    return len(headers) == 2 and all(
        re.fullmatch(rf"{re.escape(end)}( \([0-9]+\))?", _plain(header))
        for header, end in zip(headers, ends, strict=True)
    )


@pytest.mark.parametrize("name", ["csv", "parquet"])
def test_the_published_results_are_the_gated_ones(report: Report, name: str) -> None:
    published = io.BytesIO(FORMATS[name][1](report))
    read = pd.read_csv(published, encoding="utf-8-sig") if name == "csv" else pd.read_parquet(published)
    for column in ("value", "conf_low", "conf_high", "p_value", "n"):
        numbers = read[column].to_numpy(dtype="float64")
        assert numbers == pytest.approx(report.gated[column].to_numpy(), rel=1e-9, nan_ok=True)


def test_every_text_tells_the_numbers_of_the_english_one(report: Report, english: Report) -> None:
    # "last 2 weeks" has no digit in Arabic
    spoken = [own.recall_period for own in english.content.instruments.values() if own.recall_period]
    told = dict(_texts_of(report.view))
    with speaking(english.content.language):
        expected = {place: (text, _sizes(text)) for place, text in _texts_of(english.view)}
    assert told.keys() == expected.keys()
    differ = [(place, text, told[place]) for place, (text, numbers) in expected.items()
              if _sizes(told[place]) != numbers and not any(words in text for words in spoken)]  # fmt: skip
    assert differ == []


def _sizes(text: str) -> set[float]:
    """Return the numbers of a text without their signs: "2.4 lower" in one language is "-2.4" in none."""
    return {abs(number) for number in as_numbers(text)}


def test_every_figure_has_the_data_of_the_english_one_and_the_page_holds_them(
    report: Report, english: Report, page: str
) -> None:
    held = dict(re.findall(r'<script type="application/json" id="figure-(.*?)">(.*?)</script>', page, re.DOTALL))
    drawn, known = ({item.id: item for item in _illustrations(each.view)} for each in (report, english))
    assert held.keys() == drawn.keys() == known.keys()
    for own, same in ((drawn[name], known[name]) for name in drawn):
        data = json.loads(json.dumps(own.figure.to_plotly_json()["data"]))
        assert json.loads(held[own.id])["data"] == data
        assert [_values(trace) for trace in own.figure.data] == [_values(trace) for trace in same.figure.data]


def _values(trace: Any) -> list[Any]:
    """Return what a trace shows: along the height only where it has intervals, elsewhere it may be a place for a label."""
    given = trace.to_plotly_json()
    names = ("x", "base", "error_x") if "error_y" not in given else ("y", "error_y")
    return [each if not any(isinstance(value, str) for value in _list(each)) else None
            for each in (given.get(name) for name in names)]  # fmt: skip


def test_every_answer_is_the_same_in_prose_table_and_results(
    report: Report, english: Report, rows: Rows, page: str
) -> None:
    content, answered = report.content, 0
    for card, known in zip(report.view.cards, english.view.cards, strict=True):
        measure = content.plan.measure_of(card.id, content.design)
        contrasts = _table_of(card.tables, known.tables, "Differences")
        for claim in card.claims:
            row = pick_one(rows, analysis="model", estimand=claim.estimand)
            assert row is not None
            assert escape(claim.sentence) in page
            if not claim.is_answered:
                continue
            answered += 1
            decimals = decimals_to_print(row.conf_low, row.conf_high, decimals_of(measure), row.value)
            assert say_amount(abs(row.value), measure, decimals) in claim.sentence
            assert say_range(row.conf_low, row.conf_high, measure, decimals) in claim.sentence
            cells = {cell for line in contrasts.rows for cell in line}
            assert format_number(row.value, decimals) in cells
            assert format_interval(row.conf_low, row.conf_high, decimals) in cells
    assert answered >= 6


def _table_of(own: tuple[Table, ...], english: tuple[Table, ...], caption: str) -> Table:
    return next(table for table, known in zip(own, english, strict=True) if known.caption.startswith(caption))


def test_every_drawn_mean_is_that_of_the_results_and_of_the_table(report: Report, english: Report, rows: Rows) -> None:
    for card, known in zip(report.view.cards, english.view.cards, strict=True):
        drawn = next(each for each in card.illustrations if each.id.startswith("trajectories"))
        table = _table_of(card.tables, known.tables, "Model means")
        decimals = decimals_of(report.content.plan.measure_of(card.id, report.content.design))
        for trace, arm in zip(drawn.figure.data, report.content.design.arms, strict=True):
            means = pick(rows, analysis="model", statistic="marginal_mean", outcome=card.id, arm=arm.id)
            assert [row.value for row in means] == list(trace.y)
            assert [row.conf_high - row.value for row in means] == pytest.approx(list(trace.error_y.array))
            assert [row.value - row.conf_low for row in means] == pytest.approx(list(trace.error_y.arrayminus))
            for row in means:
                assert any(value_cell(row, decimals) in cell for line in table.rows for cell in line)


def test_whatever_a_figure_prints_stands_in_a_table_or_a_row(report: Report, rows: Rows) -> None:
    told = _told(report, rows)
    for drawn in _illustrations(report.view):
        texts = [str(each.text) for each in drawn.figure.layout.annotations]
        for trace in drawn.figure.data:
            texts += [str(text) for name in ("text", "hovertext") for text in _list(getattr(trace, name, None))]
        for text in texts:
            plain = html.unescape(text.replace("<br>", " "))
            missing = [number for number in as_numbers(plain) if number not in told and -number not in told]
            assert missing == [], (drawn.id, plain)


def test_whatever_a_caption_tells_stands_in_a_table_or_a_row(report: Report, rows: Rows) -> None:
    told = _told(report, rows)
    declared = {float(number) for number in (0, 1, 95, 100)} | set(_declared(report))
    for drawn in _illustrations(report.view):
        for text in (drawn.caption, drawn.alternative):
            missing = [n for n in as_numbers(text) if abs(n) not in {abs(known) for known in told | declared}]
            assert missing == [], (drawn.id, text)


def _told(report: Report, rows: Rows) -> set[float]:
    """Return every number that a table prints, and those of the gated rows as they may be rounded."""
    told = {number for _, table in tables_of(report.view) for text in _texts(table) for number in as_numbers(text)}
    return told | {round(number, decimals) for row in rows for number in _numbers_of(row) for decimals in range(4)}


def _illustrations(part: object) -> Iterator[Illustration]:
    if isinstance(part, Illustration):
        yield part
    elif isinstance(part, tuple):
        for each in part:
            yield from _illustrations(each)
    elif hasattr(part, "__dataclass_fields__"):
        for name in part.__dataclass_fields__:
            yield from _illustrations(getattr(part, name))


def _texts_of(part: object, place: str = "") -> Iterator[tuple[str, str]]:
    """Yield every text of a part of a report, those of figures and tables too, each with its place."""
    if isinstance(part, str):
        yield place, part
    elif isinstance(part, tuple | list):
        for number, each in enumerate(part):
            yield from _texts_of(each, f"{place}/{number}")
    elif isinstance(part, go.Figure):
        for name in ("text", "hovertext", "name"):
            for number, trace in enumerate(part.data):
                yield from _texts_of(getattr(trace, name, None), f"{place}/{name} {number}")
        yield from _texts_of([str(each.text or "") for each in part.layout.annotations], f"{place}/annotation")
    elif is_dataclass(part) and not (isinstance(part, Table) and part.is_text):
        for field in fields(part):
            if field.name not in AS_THEY_ARE:
                yield from _texts_of(getattr(part, field.name), f"{place}/{field.name}")


def _texts(table: Table) -> Iterator[str]:
    yield from (table.caption, *table.columns, *table.notes)
    for line in table.rows:
        yield from line


def _list(value: object) -> list[object]:
    return [] if value is None else [value] if isinstance(value, str) else list(value)  # type: ignore[call-overload]


def _numbers_of(row: Row) -> Iterator[float]:
    yield from (number for number in (row.value, row.conf_low, row.conf_high, row.n, row.at_least) if number == number)


def _declared(report: Report) -> Iterator[float]:
    """Yield numbers of the study definition and the plan that a caption may name: ranges, thresholds, labels."""
    content = report.content
    for measure in content.design.measures.values():
        yield from (measure.minimum, measure.maximum, *as_numbers(measure.label))
    for outcome in content.plan.outcomes:
        yield from as_numbers(content.plan.measure_of(outcome.id, content.design).label)
        yield from (part.value for part in (outcome.smallest_meaningful_change,) if part)
    for label in (*content.design.timepoints, *content.design.arms):
        yield from as_numbers(label.label)


def test_the_page_that_teaches_to_read_a_report_quotes_the_example(english: Report, project: Path) -> None:
    page = (project / "docs" / "reading-a-report.md").read_text()
    quoted = " ".join(re.findall(r"^> (.*)$", page, re.MULTILINE)).replace("\u00a0", " ")
    told = english.view.headline.claims[0].sentence.replace("\u00a0", " ")
    assert quoted == told
    for numbers in re.findall(r"^\| \*(?:95 % interval )?([\d. to]+)", page, re.MULTILINE):
        assert numbers.strip() in told
