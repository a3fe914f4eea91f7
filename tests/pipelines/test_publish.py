"""What leaves: whole files, nothing that a spreadsheet would run."""

import hashlib
import unicodedata
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from pipelines import whole_files
from pipelines.folder import open_folder
from pipelines.reporting import write_csv
from pipelines.run import run_study


def test_text_that_a_spreadsheet_would_run_is_defused_and_numbers_are_left_alone(small_study: Path) -> None:
    text = (small_study / "answers.csv").read_text().replace("gad_1", "=1+cmd()", 1)
    (small_study / "=evil.csv").write_text(text.replace("\nP00,1,", "\n,1,"))
    (small_study / "answers.csv").unlink()
    definition = (small_study / "study.yaml").read_text().replace("path: answers.csv", 'path: "=evil.csv"')
    columns = ", ".join(['"=1+cmd()"', *[f"gad_{n}" for n in range(2, 8)]])
    (small_study / "study.yaml").write_text(definition.replace('"gad_{n}"', f"[{columns}]"))
    run_study(open_folder(small_study))
    lines = (small_study / "output" / "quarantine.csv").read_text(encoding="utf-8-sig").splitlines()
    assert lines[1].startswith("'=evil.csv,2,pid,not_missing,row,")
    results = pd.read_csv(small_study / "output" / "results.csv", encoding="utf-8-sig")
    asked = (results["estimand"] == "anxiety_post") & (results["analysis"] == "model")
    assert results.loc[asked, "value"].item() < 0


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "results.csv"
    target.write_bytes(b"before")

    def full_disk(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(whole_files.os, "fsync", full_disk)
    with pytest.raises(OSError, match="No space"):
        whole_files.write_whole(target, b"after")
    assert [path.name for path in tmp_path.iterdir()] == ["results.csv"]
    assert target.read_bytes() == b"before"


def test_the_workbook_of_the_example_holds_no_time_of_writing(project: Path) -> None:
    book = openpyxl.load_workbook(project / "examples" / "harbour" / "data" / "late_returns.xlsx")
    assert book.properties.modified.year == book.properties.created.year == 2025


def test_names_of_files_that_a_pattern_found_are_not_published(small_study: Path) -> None:
    lines = (small_study / "answers.csv").read_text().splitlines()
    for person, rows in {"P00": lines[1:3], "P01": lines[3:5], "others": lines[5:]}.items():
        (small_study / f"file_{person}.csv").write_text("\n".join([lines[0], *rows]) + "\n")
    definition = (small_study / "study.yaml").read_text().replace("path: answers.csv", "path: file_*.csv")
    (small_study / "study.yaml").write_text(definition)
    run_study(open_folder(small_study))
    for name in ("report.html", "provenance.json", "results.csv"):
        content = (small_study / "output" / name).read_text(encoding="utf-8-sig")
        assert "file_P01" not in content
        assert "file_*.csv (" not in content
    inside = (small_study / "output" / "reconciliation.csv").read_text(encoding="utf-8-sig")
    assert inside.count("file_*.csv (") >= 3
    assert "file_P01" not in inside


def test_what_leaves_holds_no_fingerprint_of_a_file_that_could_be_guessed(small_study: Path) -> None:
    run_study(open_folder(small_study))
    output = small_study / "output"
    told = "".join((output / name).read_text() for name in ("report.html", "provenance.json"))
    kept_inside = ("quarantine.csv", "reconciliation.csv", "drift.csv", "linking.csv")
    for path in (small_study / "answers.csv", *(output / name for name in kept_inside)):
        assert hashlib.sha256(path.read_bytes()).hexdigest() not in told
    assert hashlib.sha256((small_study / "study.yaml").read_bytes()).hexdigest() in told
    assert '"data/*"' in told


@pytest.mark.parametrize(
    "text", ["=1", " =1", "\u200b=1", "\uff1d1", "+1", "-1", "@x", "\tx", "\r=1", "q;=1;z", "q; =1", "a\n=1", "a|@x"]
)
def test_no_part_of_a_text_is_a_formula_in_csv_whatever_separates_lists(text: str) -> None:
    written = write_csv(pd.DataFrame({"a": [text, "a - b; c", None], "b": [1.5, -2.0, 3.0]})).decode("utf-8-sig")
    for separator in (",", ";", "\t", "|"):
        for line in written.splitlines()[1:]:
            for cell in line.split(separator):
                bare = unicodedata.normalize("NFKC", cell).strip('\u200b" ')
                assert not bare.startswith(("=", "+", "@", "-1")), (separator, cell)
    assert "a - b; c" in written
    assert "-2" in written
