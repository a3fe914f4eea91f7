"""Parquet: every value as the text that a person would type, by row group, and nothing that is no answer."""

import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.sources import columnar
from pipelines.sources.columnar import cell_text, read_parquet
from pipelines.sources.model import RawTable, SourceError

DAY, NOON = datetime.date(2025, 3, 4), datetime.datetime(2025, 3, 4, 12, 30)  # noqa: DTZ001
UTC_NIGHT = datetime.datetime(2025, 3, 3, 23, 30, tzinfo=datetime.UTC)


def read(tmp_path: Path, columns: dict[str, Any] | pa.Table, **options: Any) -> RawTable:
    path = tmp_path / "a.parquet"
    pq.write_table(columns if isinstance(columns, pa.Table) else pa.table(columns), path, **options)
    table = read_parquet(path, "a.parquet")
    assert table.rows_read == len(table.cells) + len(table.set_aside)
    return table


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""), (float("nan"), ""), (3.0, "3"), (2.5, "2.5"), (-0.0, "0"), (1e-5, "0.00001"), (1e17, "100000000000000000"),
        (0.1, "0.1"), (-9.0, "-9"), (np.float32(2.1), "2.1"), (np.float16(0.1), "0.1"), (7, "7"), (True, "TRUE"),
        (np.False_, "FALSE"), (Decimal("2.50"), "2.5"), (Decimal("100.00"), "100"), (Decimal("1E+3"), "1000"),
        (Decimal("NaN"), ""), (DAY, "2025-03-04"), (NOON, "2025-03-04T12:30:00"),
        (datetime.datetime(2025, 3, 4), "2025-03-04"), (datetime.time(9, 5), "09:05:00"),  # noqa: DTZ001
        (datetime.timedelta(hours=36, seconds=5), "36:00:05"), (-datetime.timedelta(minutes=1), "-0:01:00"),
        (datetime.timedelta(milliseconds=1500), "0:00:01.500000"), ("007", "007"), (" a ", " a "), (float("inf"), "inf"),
    ],
)  # fmt: skip
def test_a_value_becomes_the_text_that_a_person_would_type(value: object, text: str) -> None:
    assert cell_text(value) == text


@pytest.mark.parametrize(
    ("column", "texts"),
    [
        (pa.array(["007", None, "NA"]), ["007", "", "NA"]),
        (pa.array(["a", None, " b"], pa.large_string()), ["a", "", " b"]),
        (pa.array(["a", None, "b"], pa.string_view()), ["a", "", "b"]),
        (pa.array([1, None, -9], pa.int8()), ["1", "", "-9"]),
        (pa.array([2**63, 0, None], pa.uint64()), ["9223372036854775808", "0", ""]),
        (pa.array([3.0, 2.5, float("nan")]), ["3", "2.5", ""]),
        (pa.array([2.1, None, 3], pa.float32()), ["2.1", "", "3"]),
        (pa.array([True, None, False]), ["TRUE", "", "FALSE"]),
        (pa.array([Decimal("2.50"), None, Decimal("3.00")]), ["2.5", "", "3"]),
        (pa.array([DAY, None, DAY]), ["2025-03-04", "", "2025-03-04"]),
        (pa.array([NOON, None, datetime.datetime(2025, 3, 4)], pa.timestamp("ns")), ["2025-03-04T12:30:00", "", "2025-03-04"]),  # noqa: DTZ001
        (pa.array([UTC_NIGHT, None, None], pa.timestamp("us", "Europe/Paris")), ["2025-03-04T00:30:00", "", ""]),
        (pa.array([datetime.time(9, 5), None, None]), ["09:05:00", "", ""]),
        (pa.array(["never", None, "often"]).dictionary_encode(), ["never", "", "often"]),
        (pa.array([1.0, None, 2.0]).dictionary_encode(), ["1", "", "2"]),
        (pa.nulls(3), ["", "", ""]),
    ],
    ids=lambda value: str(value.type) if isinstance(value, pa.Array) else None,
)  # fmt: skip
def test_every_kind_of_column_is_read_as_text(tmp_path: Path, column: pa.Array, texts: list[str]) -> None:
    table = read(tmp_path, {"pid": ["1", "2", "3"], "a": column})
    assert table.cells["a"].tolist() == texts
    assert str(table.cells["a"].dtype) == "str"
    assert table.cells.index.tolist() == [2, 3, 4]


def test_row_groups_are_read_as_one_table_and_blank_records_are_excluded(tmp_path: Path) -> None:
    ids = [None if n == 7 else " " if n == 8 else f"P{n:03}" for n in range(20)]
    table = read(tmp_path, {"pid": ids, "q": [None if n in (7, 8) else n % 4 for n in range(20)]}, row_group_size=3)
    assert table.rows_read == 20
    assert [(line.source_row, line.rule, line.severity) for line in table.set_aside] == [
        (9, "blank_row", "excluded"), (10, "blank_row", "excluded")]  # fmt: skip
    assert table.cells.loc[11].tolist() == ["P009", "1"]
    whole = read(tmp_path, {"pid": ids, "q": [None if n in (7, 8) else n % 4 for n in range(20)]})
    pd.testing.assert_frame_equal(table.cells, whole.cells)


def test_names_of_columns_lose_the_spaces_around_them(tmp_path: Path) -> None:
    assert read(tmp_path, {" pid ": ["1"], "q": [1]}).cells.columns.tolist() == ["pid", "q"]


def unreadable(tmp_path: Path, content: bytes | pa.Table) -> Path:
    path = tmp_path / "a.parquet"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        pq.write_table(content, path)
    return path


def twice(name: str) -> pa.Table:
    return pa.Table.from_arrays([pa.array(["1"]), pa.array(["2"])], names=["pid", name])


@pytest.mark.parametrize(
    ("content", "expected", "row", "column"),
    [
        (b"", "file_empty", None, ""),
        (b"pid,a\n1,2\n", "not_parquet", None, ""),
        (b"PAR1", "not_parquet", None, ""),
        (b"PAR1" + b"x" * 500 + b"PAR1", "not_parquet", None, ""),
        (b"PARE" + b"x" * 50, "encrypted", None, ""),
        (twice("pid"), "column_twice", None, "pid"),
        (twice(" pid"), "column_twice", None, "pid"),
        (twice(" "), "column_without_name", None, ""),
        (pa.table({"pid": pa.array([], pa.string())}), "no_rows", None, ""),
        (pa.table({"pid": ["", " "], "q": pa.nulls(2)}), "no_rows", None, ""),
        (pa.table({"pid": ["1"], "q": [[1, 2]]}), "column_kind", None, "q"),
        (pa.table({"pid": ["1"], "q": [{"a": 1}]}), "column_kind", None, "q"),
        (pa.table({"pid": ["1"], "q": [b"1"]}), "column_kind", None, "q"),
        (pa.table({"pid": ["1"], "q": pa.array([b"1"]).dictionary_encode()}), "column_kind", None, "q"),
        (pa.table({"pid": ["1"], "q": [datetime.timedelta(1)]}), "column_kind", None, "q"),
        (pa.table({"pid": ["1", "2"], "q": ["a", "b\x00"]}), "nul_byte", 3, "q"),
        (pa.table({"pid": ["1"], "q": pa.array([2**50], pa.timestamp("s"))}), "not_parquet", None, ""),
        (pa.table({"pid": ["1"], "q": pa.StringArray.from_buffers(1, pa.py_buffer(b"\0\0\0\0\1\0\0\0"), pa.py_buffer(b"\xff"))}), "not_parquet", None, ""),
    ],
)  # fmt: skip
def test_what_is_no_table_of_answers_is_refused_in_words(
    tmp_path: Path, content: bytes | pa.Table, expected: str, row: int | None, column: str
) -> None:
    with pytest.raises(SourceError) as error:
        read_parquet(unreadable(tmp_path, content), "a.parquet")
    (problem, *_) = error.value.problems
    assert (problem.code, problem.file, problem.line, problem.key) == (expected, "a.parquet", row, column)
    assert problem.how_to_fix


def test_a_damaged_page_with_a_checksum_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(
        pa.table({"pid": [f"P{n:04}" for n in range(500)]}), path, write_page_checksum=True, compression="none"
    )
    content = bytearray(path.read_bytes())
    content[content.index(b"P0100") + 4] ^= 1
    path.write_bytes(content)
    with pytest.raises(SourceError) as error:
        read_parquet(path, "a.parquet")
    assert error.value.problems[0].code == "not_parquet"


def test_a_cut_off_file_is_refused(tmp_path: Path) -> None:
    path = unreadable(tmp_path, pa.table({"pid": [str(n) for n in range(1000)]}))
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(SourceError) as error:
        read_parquet(path, "a.parquet")
    assert error.value.problems[0].code == "not_parquet"


def test_a_small_file_that_unpacks_to_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = pa.DictionaryArray.from_arrays(pa.array([0] * 50_000, pa.int32()), pa.array(["x" * 100_000]))
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"pid": texts}), path, store_schema=False)
    assert pq.read_schema(path).field("pid").type == pa.string()
    assert path.stat().st_size < 1_000_000
    with pytest.raises(SourceError) as error:
        read_parquet(path, "a.parquet")
    assert error.value.problems[0].code == "file_too_large"
    monkeypatch.setattr(columnar, "MAX_CELLS", 49_999)
    with pytest.raises(SourceError, match="million cells"):
        read_parquet(path, "a.parquet")
