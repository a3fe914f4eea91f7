"""Damaged text and exports of survey platforms: refused or accounted for row by row, never a crash and never a cell told."""

import io
import os
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import openpyxl
import pytest

from pipelines.sources.delimited import read_delimited
from pipelines.sources.limesurvey import read_limesurvey
from pipelines.sources.model import RawTable, SourceError
from pipelines.sources.qualtrics import read_qualtrics
from pipelines.sources.survey_rows import TextRows, drop_unnamed_end, name_questions
from pipelines.sources.web_forms import read_google_forms, read_microsoft_forms

from .settled import settle

MUTANTS = int(os.environ.get("PEERIMPACT_MUTANTS", "300"))
LONGEST_SECONDS = 10.0
"""A whole read takes milliseconds; anything near this is a hang on the slowest machine."""
SECRET = "zq7canary"
ROWS = [[SECRET, "0", "1", "3", f"a, b; {SECRET}"] for _ in range(12)]

QUALTRICS = "\n".join([
    "ResponseId,Status,Finished,Q1,Q2", 'Response ID,Response Type,Finished,"One, two?",More',
    '"{""ImportId"":""_recordId""}","{""ImportId"":""status""}","{""ImportId"":""finished""}","{""ImportId"":""QID1""}","{""ImportId"":""QID2""}"',
    *[f'{row[0]},{row[1]},{row[2]},{row[3]},"{row[4]}"' for row in ROWS], ""]).encode()  # fmt: skip
LEGACY = "\n".join([
    "V1,V7,V10,Q1,Q2,", 'ResponseID,Status,Finished,"One, two?",More,',
    *[f'{row[0]},{row[1]},{row[2]},{row[3]},"{row[4]}",' for row in ROWS], ""]).encode("utf-8-sig")  # fmt: skip
LIMESURVEY = "\r\n".join([
    '"id";"submitdate";"Q1[SQ001]";"Q1[SQ002]";"Q2"',
    *[f'"{row[0]}";"2025-01-01";"{row[2]}";"{row[3]}";"{row[4]}"' for row in ROWS], "", ""]).encode("utf-8-sig")  # fmt: skip
PLAIN = "\n".join(
    ["pid,wave,arm,gad_1,note", *[f'{row[0]},{row[1]},{row[2]},{row[3]},"{row[4]}"' for row in ROWS], ""]
).encode()
FORM = LIMESURVEY.replace(b";", b",")


def write_book(path: Path) -> bytes:
    book = openpyxl.Workbook()
    for row in [["ID", "Start time", "Age", "Which?", "Comments"], *ROWS]:
        book.active.append(row)
    book.save(path)
    return settle(path.read_bytes())


FORMATS: dict[str, tuple[Callable[..., RawTable], bytes | None]] = {
    "csv": (read_delimited, PLAIN),
    "csv_utf_16": (read_delimited, PLAIN.decode().replace(",", ";").encode("utf-16")),
    "qualtrics": (read_qualtrics, QUALTRICS),
    "qualtrics_legacy": (read_qualtrics, LEGACY),
    "qualtrics_tsv": (read_qualtrics, QUALTRICS.decode().replace(",", "\t").encode("utf-16")),
    "limesurvey": (read_limesurvey, LIMESURVEY),
    "google_forms": (read_google_forms, FORM),
    "microsoft_forms": (read_microsoft_forms, None),
}


def mutate(content: bytes, rng: np.random.Generator) -> bytes:
    """Change a file as accidents do: bytes flipped, a part cut or repeated, the end lost, delimiters swapped."""
    start, end = sorted(int(place) for place in rng.integers(0, len(content), 2))
    kind = rng.integers(5)
    if kind == 0:
        damaged = bytearray(content)
        for place in rng.integers(0, len(content), rng.integers(1, 8)):
            damaged[place] = int(rng.integers(256))
        return bytes(damaged)
    if kind == 1:
        return content[:start] + content[end:]
    if kind == 2:
        return content[:end] + content[start:end] + content[end:]
    if kind == 3:
        return content[:end]
    old, new = rng.choice([b",", b";", b"\t", b'"', b"\n", b"1"], 2, replace=False)
    return content[:start] + content[start:end].replace(bytes(old), bytes(new)) + content[end:]


def mutate_sheet(content: bytes, rng: np.random.Generator) -> bytes:
    """Change the sheet inside a workbook and pack it again, so that the damage is not met by the archive."""
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as book, zipfile.ZipFile(packed, "w") as damaged:
        for part in book.namelist():
            inside = book.read(part)
            damaged.writestr(part, mutate(inside, rng) if part.endswith("sheet1.xml") else inside)
    return packed.getvalue()


def try_to_read(reader: Callable[..., RawTable], path: Path) -> RawTable | SourceError:
    try:
        return reader(path, path.name)
    except SourceError as error:
        return error


@pytest.mark.parametrize("name", FORMATS)
def test_damaged_files_are_refused_or_accounted_for_row_by_row(tmp_path: Path, name: str) -> None:
    reader, content = FORMATS[name]
    path = tmp_path / ("damaged.csv" if content else "damaged.xlsx")
    content = content or write_book(tmp_path / "whole.xlsx")
    path.write_bytes(content)
    assert len(reader(path, path.name).cells) == len(ROWS)
    rng = np.random.default_rng(20)
    n_refused = 0
    for number in range(MUTANTS):
        change = mutate_sheet if path.suffix == ".xlsx" and number % 2 else mutate
        path.write_bytes(change(content, rng))
        began = time.monotonic()
        found = try_to_read(reader, path)
        assert time.monotonic() - began < LONGEST_SECONDS
        if isinstance(found, SourceError):
            n_refused += 1
            assert all(problem.file.startswith("damaged") and problem.how_to_fix for problem in found.problems)
            assert SECRET not in str(found)
        else:
            aside = {line.source_row for line in found.set_aside}
            assert found.rows_read == len(found.cells) + len(aside) == len({*found.cells.index, *aside})
            assert SECRET not in repr(found.set_aside)
    assert 0 < n_refused < MUTANTS


def test_a_repeated_text_is_numbered_everywhere_and_a_single_one_nowhere() -> None:
    assert name_questions(["A", " A\n", "B\u00a0 c", "", ""]) == ["A (1)", "A (2)", "B c", "", ""]


def test_columns_at_the_end_that_have_no_name_go_and_rows_with_text_there_do_not_fit() -> None:
    rows = TextRows([(1, ["a", "", ""]), (2, ["1", "", " "]), (3, ["1", "", "x"]), (4, ["1"])], is_cut=False)
    assert drop_unnamed_end(rows).rows == [(1, ["a"]), (2, ["1"]), (3, ["1", "", "x"]), (4, ["1"])]
    nameless = TextRows([(1, ["", ""]), (2, ["1", "2"])], is_cut=False)
    assert drop_unnamed_end(nameless) == nameless
