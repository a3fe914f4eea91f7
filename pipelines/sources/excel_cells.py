"""The cells of one sheet of a workbook, read once and in order, and what the sheet says of merged cells."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from openpyxl.worksheet._reader import FORMULA_TAG, VALUE_TAG, WorkSheetParser

from data_contracts.errors import Problem
from pipelines.sources.columnar import cell_text
from pipelines.sources.excel import FORMULA_WITHOUT_VALUE, MAX_CELLS, MAX_CHARACTERS, MAX_ROWS, refuse_size
from pipelines.sources.model import SourceError


class _Parser(WorkSheetParser):
    """The parser of the library, which also tells a formula without a stored value from an empty cell."""

    def parse_cell(self, element: Any) -> dict[str, Any]:
        """Return place and value of one cell."""
        cell: dict[str, Any] = super().parse_cell(element)
        stored = element.find(VALUE_TAG)
        is_empty_text = element.get("t") == "str" and stored is not None
        if cell["value"] is None and not is_empty_text and element.find(FORMULA_TAG) is not None:
            cell["value"] = FORMULA_WITHOUT_VALUE
        return cell


class SheetCells:
    """The rows of a sheet as text, and its merged cells.

    The read-only sheets of the library drop rows that stand out of order, fill gaps row by row up to any number, and
    do not tell which cells are merged; so its parser is used directly.

    Parameters
    ----------
    sheet : ReadOnlyWorksheet
        Of a workbook that was opened with ``read_only`` and ``data_only``.
    source : str
        Name for errors.

    Attributes
    ----------
    merged : list of (int, int, int, int)
        First row, first column, last row, last column of every range of merged cells; known after the rows were read.
    """

    def __init__(self, sheet: Any, source: str) -> None:
        self._sheet, self._source = sheet, source
        self.merged: list[tuple[int, int, int, int]] = []

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Yield the row in the sheet and its cells up to the last that has text; rows without cells are left out.

        Raises
        ------
        SourceError
            Rows or cells stand twice or out of order, or the sheet is larger than any survey.
        """
        book = self._sheet.parent
        last = n_cells = n_characters = 0
        with self._sheet._get_source() as xml:
            parser = _Parser(
                xml,
                self._sheet._shared_strings,
                data_only=True,
                epoch=book.epoch,
                date_formats=book._date_formats,
                timedelta_formats=book._timedelta_formats,
            )
            for row, cells in parser.parse():
                fields = self._fields(cells)
                n_cells += len(fields)
                n_characters += sum(map(len, fields))
                if row <= last or any(cell["row"] != row for cell in cells):
                    raise self._refuse("Rows of the sheet are out of order.", row)
                if row > MAX_ROWS or n_cells > MAX_CELLS or n_characters > MAX_CHARACTERS:
                    raise refuse_size(self._source)
                last = row
                yield row, fields
        ranges = parser.merged_cells.mergeCell if parser.merged_cells else []
        self.merged = [(each.min_row, each.min_col, each.max_row, each.max_col) for each in ranges]

    def _fields(self, cells: Sequence[Mapping[str, Any]]) -> list[str]:
        texts = {cell["column"]: cell_text(cell["value"]) for cell in cells}
        if len(texts) < len(cells):
            raise self._refuse("A cell stands twice in the sheet.", cells[0]["row"])
        filled = [column for column, text in texts.items() if text]
        return [texts.get(column, "") for column in range(1, max(filled, default=0) + 1)]

    def _refuse(self, message: str, row: int) -> SourceError:
        return SourceError(Problem("not_excel", message, "Save it again as .xlsx.", self._source, row))
