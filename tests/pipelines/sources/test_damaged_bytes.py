"""Files of every binary format with bytes changed, cut, repeated and left out: told in words or read whole, never a crash."""

import json
import os
import random
import time
import zipfile
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyreadstat
import pytest

from pipelines.sources.columnar import read_parquet
from pipelines.sources.excel import read_excel
from pipelines.sources.fhir import read_fhir
from pipelines.sources.model import RawTable, SourceError
from pipelines.sources.statistical import read_spss, read_stata

from .settled import settle

MUTANTS = int(os.environ.get("PEERIMPACT_MUTANTS", "300"))
LONGEST_SECONDS = 60.0
"""A whole read takes less than a second; anything near this is a hang on the slowest machine."""
SECRET = "zq81-secret"
FRAME = pd.DataFrame({
    "pid": ["007", "7", "café €", SECRET] * 3, "q": [1.0, 2.0, np.nan, -9.0] * 3, "x": [2.5, 0.1, 1e17, 3.0] * 3,
    "said": ["ab" * 200, "", "x", "y"] * 3,
})  # fmt: skip


def mutate(content: bytes, rng: random.Random) -> bytes:
    """Change a few bytes, cut the end off, repeat a piece, or leave one out."""
    damaged = bytearray(content)
    at, size = rng.randrange(len(content)), rng.randint(1, 64)
    match rng.randrange(4):
        case 0:
            for _ in range(rng.randint(1, 8)):
                damaged[rng.randrange(len(content))] = rng.randrange(256)
        case 1:
            del damaged[at:]
        case 2:
            damaged[at:at] = damaged[at : at + size]
        case 3:
            del damaged[at : at + size]
    return bytes(damaged)


def write_spss(path: Path) -> list[Path]:
    kinds = [{}, {"row_compress": True}, {"compress": True}]
    paths = [path / f"{number}.sav" for number in range(len(kinds))]
    for each, options in zip(paths, kinds, strict=True):
        labels = {"q": {1: "never", -9: "refused"}}
        pyreadstat.write_sav(FRAME, each, variable_value_labels=labels, missing_ranges={"q": [-9]}, **options)
    return paths


def write_stata(path: Path) -> list[Path]:
    paths = [path / f"{version}.dta" for version in (12, 15)]
    for each, version in zip(paths, (12, 15), strict=True):
        pyreadstat.write_dta(FRAME.assign(said=FRAME["said"].str[:200]), each, version=version)
    return paths


def write_parquet(path: Path) -> list[Path]:
    for number, options in enumerate(({}, {"compression": "none", "write_page_checksum": True, "row_group_size": 5})):
        pq.write_table(pa.Table.from_pandas(FRAME), path / f"{number}.parquet", **options)
    return [path / "0.parquet", path / "1.parquet"]


def write_excel(path: Path) -> list[Path]:
    book = openpyxl.Workbook()
    for row in [list(FRAME.columns), *FRAME.astype(object).where(FRAME.notna(), None).to_numpy().tolist()]:
        book.active.append(row)
    book.save(path / "0.xlsx")
    return [path / "0.xlsx"]


def write_fhir(path: Path) -> list[Path]:
    responses = [
        {
            "resourceType": "QuestionnaireResponse", "questionnaire": "http://loinc.org/q/44249-1", "status": status,
            "subject": {"reference": f"Patient/{SECRET}-{who}"}, "authored": "2025-03-31",
            "item": [{"linkId": str(n), "answer": [{"valueInteger": who}]} for n in range(1, 10)],
        }
        for who in range(4) for status in ("completed", "in-progress")
    ]  # fmt: skip
    bundle = {"resourceType": "Bundle", "entry": [{"resource": one} for one in responses]}
    (path / "0.json").write_text(json.dumps(bundle, indent=1))
    (path / "1.json").write_text("\n".join(json.dumps(one) for one in responses))
    return [path / "0.json", path / "1.json"]


def mutate_inside(content: bytes, path: Path, rng: random.Random) -> None:
    """Write a workbook with one damaged part in a sound archive."""
    path.write_bytes(content)
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    chosen = rng.choice(["xl/worksheets/sheet1.xml"] * 6 + list(parts))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            archive.writestr(name, mutate(part, rng) if name == chosen else part)


@pytest.mark.parametrize(
    ("write", "read"),
    [(write_spss, read_spss), (write_stata, read_stata), (write_parquet, read_parquet), (write_excel, read_excel), (write_fhir, read_fhir)],
    ids=["spss", "stata", "parquet", "excel", "fhir"],
)  # fmt: skip
def test_a_damaged_file_is_read_whole_or_refused_in_words(
    tmp_path: Path, write: Callable[[Path], list[Path]], read: Callable[[Path, str], RawTable]
) -> None:
    sound = write(tmp_path)
    contents = [settle(path.read_bytes()) for path in sound]
    for path, content in zip(sound, contents, strict=True):
        path.write_bytes(content)
        assert read(path, path.name).rows_read >= len(FRAME) - 4

    def judge(number: int) -> str:
        rng = random.Random(number)
        content, path = contents[number % len(contents)], tmp_path / f"damaged_{number}{sound[0].suffix}"
        if path.suffix == ".xlsx" and number % 3:
            mutate_inside(content, path, rng)
        else:
            path.write_bytes(mutate(content, rng))
        table, problems = None, ()
        began = time.monotonic()
        try:
            table = read(path, path.name)
        except SourceError as error:
            problems = error.problems
        assert time.monotonic() - began < LONGEST_SECONDS, number
        path.unlink()
        lines = table.set_aside if table else ()
        assert SECRET not in str((problems, lines)), number
        assert all(one.how_to_fix for one in (*problems, *lines)), number
        if table is None:
            assert problems, number
            assert all(problem.file.startswith(path.name) for problem in problems), number
            return "refused"
        assert table.rows_read == len(table.cells) + len({line.source_row for line in lines}), number
        return "read"

    with ThreadPoolExecutor(2 if read in (read_spss, read_stata) else 1) as pool:
        verdicts = Counter(pool.map(judge, range(MUTANTS)))
    assert verdicts.total() == MUTANTS
    assert min(verdicts["read"], verdicts["refused"]) > 0, verdicts
