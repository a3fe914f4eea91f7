"""Delimited text whose end or letters may be lost: what can be known is used, and nothing else."""

from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.sources.delimited import read_delimited
from pipelines.sources.model import RawTable, SourceError
from pipelines.sources.web_forms import read_microsoft_forms


def write(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    return path


def fate(table: RawTable) -> list[tuple[int, str, str]]:
    return [(line.source_row, line.rule, line.severity) for line in table.set_aside]


@pytest.mark.parametrize("read", [read_delimited, read_microsoft_forms])
def test_a_last_row_without_a_line_break_may_be_cut_off_and_is_quarantined(
    tmp_path: Path, read: Callable[[Path, str], RawTable]
) -> None:
    path = write(tmp_path, b"pid,age\n1,125\n2,12")
    table = read(path, "a.csv")
    assert table.cells["age"].tolist() == ["125"]
    assert fate(table) == [(3, "cut_off", "row")]
    assert table.rows_read == 2


def test_a_last_field_that_a_quotation_mark_closes_is_whole_without_a_line_break(tmp_path: Path) -> None:
    table = read_delimited(write(tmp_path, b'pid,age\n1,125\n"2","12"'), "a.csv")
    assert table.cells["age"].tolist() == ["125", "12"]
    assert table.set_aside == ()


def test_blank_rows_at_the_end_show_that_the_last_answer_was_whole(tmp_path: Path) -> None:
    table = read_delimited(write(tmp_path, b"pid,age\n1,125\n2,12\n  "), "a.csv")
    assert table.cells["age"].tolist() == ["125", "12"]
    assert fate(table) == [(4, "blank_row", "excluded")]


def test_a_file_that_ends_within_its_only_row_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as error:
        read_delimited(write(tmp_path, b"pid,age\n1,12"), "a.csv")
    assert [(one.code, one.line) for one in error.value.problems] == [("no_rows", 2)]


@pytest.mark.parametrize("encoding", ["latin-1", "iso-8859-15"])
def test_letters_of_windows_are_not_read_as_controls_of_iso_8859(tmp_path: Path, encoding: str) -> None:
    path = write(tmp_path, "pid,note\n1,caf\u00e9\n2,5 \u20ac\n".encode("cp1252"))
    with pytest.raises(SourceError) as error:
        read_delimited(path, "a.csv", encoding=encoding)
    assert [(one.code, one.line) for one in error.value.problems] == [("wrong_encoding", 3)]
    assert read_delimited(path, "a.csv", encoding="cp1252").cells["note"].tolist() == ["caf\u00e9", "5 \u20ac"]


def test_letters_of_iso_8859_are_read_as_declared(tmp_path: Path) -> None:
    path = write(tmp_path, "pid,note\n1,caf\u00e9\n2,x\n".encode("latin-1"))
    assert read_delimited(path, "a.csv", encoding="latin-1").cells["note"].tolist() == ["caf\u00e9", "x"]
