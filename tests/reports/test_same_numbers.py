"""One number, one value: prose, tables, figures, spreadsheet and results of the example say the same."""

import html
import io
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest

from pipelines.folder import open_folder
from pipelines.reporting import load_content, write_csv
from reports import Report, prepare_report, render_page
from reports.cells import Table, value_cell
from reports.codebook import published_results
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

PRINTED = re.compile(rf"{MINUS}?[0-9][0-9,]*(?:\.[0-9]+)?")


@pytest.fixture(scope="module")
def report(ran_example: Path) -> Report:
    """The report of the example."""
    return prepare_report(load_content(open_folder(ran_example)))


@pytest.fixture(scope="module")
def rows(report: Report) -> Rows:
    return read_rows(report.gated)


@pytest.fixture(scope="module")
def page(report: Report) -> str:
    return render_page(report)


def as_numbers(text: str) -> list[float]:
    """Return the numbers that a text prints."""
    return [float(found.replace(MINUS, "-").replace(",", "")) for found in PRINTED.findall(text)]


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


def test_every_table_of_the_page_is_a_sheet_with_the_same_cells(report: Report, page: str) -> None:
    reader = _Tables()
    reader.feed(page)
    book = openpyxl.load_workbook(io.BytesIO(render_workbook(report)))
    sheets: dict[str, list[Any]] = {}
    for sheet in book.worksheets[1:]:
        sheets.setdefault(sheet["A1"].value, []).append(list(sheet.iter_rows()))
    assert len(reader.tables) == len(book.worksheets) - 1
    for caption, lines in reader.tables:
        kept = sheets[caption].pop(0)
        header, *body = kept[len(kept) - len(lines) :]
        widths = _widths(lines[0], [cell.value for cell in header if cell.value])
        for printed, cells in zip(lines[1:], body, strict=True):
            left = list(cells)
            for text, width in zip(printed, widths, strict=True):
                own, left = left[:width], left[width:]
                if not isinstance(own[0].value, int | float):
                    assert [cell.value for cell in own] == [text or None] + [NOTHING] * (width - 1)
                else:
                    numbers = [number / 100 if "%" in own[0].number_format else number for number in as_numbers(text)]
                    assert len(numbers) in (1, width)
                    assert [cell.value for cell in own[: len(numbers)]] == pytest.approx(numbers, abs=1e-12)
                    assert [cell.value for cell in own[len(numbers) :]] == [NOTHING] * (width - len(numbers))


def _widths(columns: list[str], header: list[str]) -> list[int]:
    """Return how many columns of a sheet each column of the page has: one more for each end of an interval."""
    widths, place = [], 0
    for name in columns:
        start, place = place, place + 1
        while place < len(header) and re.match(rf"{re.escape(name)}: (from|to)", header[place]) and place - start < 3:
            is_last, place = ": to" in header[place], place + 1
            if is_last:
                break
        widths.append(place - start)
    assert place == len(header)
    return widths


def test_the_published_results_are_the_gated_ones(report: Report) -> None:
    read = pd.read_csv(io.BytesIO(write_csv(published_results(report))), encoding="utf-8-sig", keep_default_na=False)
    for column in ("value", "conf_low", "conf_high", "p_value", "n"):
        published = pd.to_numeric(read[column].replace("", None)).to_numpy(dtype="float64")
        assert published == pytest.approx(report.gated[column].to_numpy(), rel=1e-9, nan_ok=True)


def test_every_answer_is_the_same_in_prose_table_and_results(report: Report, rows: Rows) -> None:
    content, answered = report.content, 0
    for card in report.view.cards:
        measure = content.plan.measure_of(card.id, content.design)
        contrasts = next(table for table in card.tables if table.caption.startswith("Differences"))
        for claim in card.claims:
            row = pick_one(rows, analysis="model", estimand=claim.estimand)
            assert row is not None
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


def test_every_drawn_mean_is_that_of_the_results_and_of_the_table(report: Report, rows: Rows) -> None:
    for card in report.view.cards:
        drawn = next(each for each in card.illustrations if each.id.startswith("trajectories"))
        table = next(table for table in card.tables if table.caption.startswith("Model means"))
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
