"""Broken inputs, one by one: the right message, the right exit code, never a traceback."""

import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import openpyxl
import pytest
from typer.testing import CliRunner

from pipelines.cli import app

Break = Callable[[Path], None]


@dataclass(frozen=True)
class Case:
    """How a study is broken, and what a person is told."""

    name: str
    damage: Break
    exit_code: int
    words: tuple[str, ...]


def rows(change: Callable[[list[list[str]]], object]) -> Break:
    def damage(folder: Path) -> None:
        path = folder / "answers.csv"
        with path.open(newline="") as handle:
            table = list(csv.reader(handle))
        change(table)
        with path.open("w", newline="") as handle:
            csv.writer(handle, lineterminator="\n").writerows(table)

    return damage


def text(name: str, before: str, after: str) -> Break:
    def damage(folder: Path) -> None:
        path = folder / name
        content = path.read_text()
        assert before in content
        path.write_text(content.replace(before, after))

    return damage


def content(name: str, data: bytes) -> Break:
    return lambda folder: (folder / name).write_bytes(data) and None


def column(name: str, value: Callable[[list[str]], str]) -> Break:
    def change(table: list[list[str]]) -> None:
        place = table[0].index(name)
        for row in table[1:]:
            row[place] = value(row)

    return rows(change)


def all_answers(value: str) -> Break:
    return rows(lambda table: [row.__setitem__(slice(4, None), [value] * 7) for row in table[1:]])


def keep(wanted: Callable[[list[str]], bool]) -> Break:
    return rows(lambda table: table.__setitem__(slice(1, None), [row for row in table[1:] if wanted(row)]))


def as_workbook(folder: Path) -> None:
    with (folder / "answers.csv").open(newline="") as handle:
        table = list(csv.reader(handle))
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("Answers")
    for row in table:
        sheet.append(row)
    book.create_sheet("Notes")
    book.save(folder / "answers.xlsx")
    text("study.yaml", "path: answers.csv\n    format: csv", "path: answers.xlsx\n    format: excel")(folder)


FINE, INCOMPLETE, WRONG = 0, 1, 2
CASES = [
    Case(
        "missing column",
        rows(lambda table: [row.pop(5) for row in table]),
        WRONG,
        ("answers.csv, line 1, gad_2", "is not in the file"),
    ),
    Case(
        "renamed column",
        rows(lambda table: table[0].__setitem__(3, "agee")),
        WRONG,
        ("answers.csv, line 1, age", "Did you mean 'agee'"),
    ),
    Case(
        "wrong encoding",
        lambda folder: (
            (folder / "answers.csv").write_bytes((folder / "answers.csv").read_bytes().replace(b"P07", b"P\xe9"))
            and None
        ),
        WRONG,
        ("answers.csv, line 16", "not utf-8", "encoding"),
    ),
    Case(
        "shifted row",
        rows(lambda table: table[9].insert(4, "")),
        FINE,
        ("answers.csv row 10", "12 fields where the header has 11", "1 quarantined"),
    ),
    Case(
        "contradicting duplicate",
        rows(lambda table: table.append([*table[1][:10], "0" if table[1][10] != "0" else "1"])),
        FINE,
        ("answers.csv rows 2, 122, pid", "2 quarantined"),
    ),
    Case(
        "unknown wave code",
        rows(lambda table: table[5].__setitem__(1, "3")),
        FINE,
        ("answers.csv row 6, wave", "Allowed: 1, 2"),
    ),
    Case(
        "unknown arm code",
        rows(lambda table: table[5].__setitem__(2, "control")),
        FINE,
        ("answers.csv row 6, arm", "Allowed: peer, usual"),
    ),
    Case(
        "participant without id",
        rows(lambda table: table[5].__setitem__(0, " ")),
        FINE,
        ("answers.csv row 6, pid", "missing"),
    ),
    Case(
        "code outside the options",
        rows(lambda table: table[5].__setitem__(6, "4")),
        FINE,
        ("answers.csv row 6, gad_3", "Allowed: 0, 1, 2, 3", "1 single cells"),
    ),
    Case(
        "word where a number is",
        rows(lambda table: table[5].__setitem__(6, "often")),
        FINE,
        ("answers.csv row 6, gad_3", "missing_codes"),
    ),
    Case(
        "age out of range",
        rows(lambda table: table[1].__setitem__(3, "430")),
        FINE,
        ("answers.csv row 2, age", "Allowed: 18 to 99"),
    ),
    Case("empty file", content("answers.csv", b""), WRONG, ("answers.csv", "empty")),
    Case("header only", content("answers.csv", b"pid,wave,arm,age\n"), WRONG, ("answers.csv", "no answers")),
    Case(
        "no file",
        lambda folder: (folder / "answers.csv").unlink(),
        WRONG,
        ("answers.csv", "No file has this name", "--data-root"),
    ),
    Case(
        "wrong delimiter",
        text("study.yaml", "format: csv", "format: csv\n    delimiter: ';'"),
        WRONG,
        ("answers.csv, line 1", "'pid'", "delimiter"),
    ),
    Case("damaged text", content("answers.csv", b"pid,wave\n1,\x00\n"), WRONG, ("NUL",)),
    Case("unclosed quote", content("answers.csv", b'pid,wave\n"1,1\n2,1\n'), WRONG, ("quotation mark",)),
    Case("sheet not named", as_workbook, WRONG, ("2 sheets", "sheet")),
    Case("one arm only", keep(lambda row: row[2] == "usual"), INCOMPLETE, ("anxiety_post", "one_arm")),
    Case("one timepoint only", keep(lambda row: row[1] == "1"), INCOMPLETE, ("anxiety_post", "one_timepoint")),
    Case(
        "too few participants",
        keep(lambda row: int(row[0][1:]) < 12),
        INCOMPLETE,
        ("anxiety_post", "too_few_participants"),
    ),
    Case("constant outcome", all_answers("1"), INCOMPLETE, ("anxiety_post", "constant_outcome")),
    Case("all answers missing", all_answers(""), INCOMPLETE, ("anxiety_post", "refused")),
    Case(
        "misspelt key in the study",
        text("study.yaml", "title:", "titel:"),
        WRONG,
        ("study.yaml, line 2, titel", "Did you mean 'title'"),
    ),
    Case(
        "misspelt value in the plan",
        text("sap.yaml", "role: primary", "role: primry"),
        WRONG,
        ("sap.yaml, line 3, outcomes[0].role", "Did you mean 'primary'"),
    ),
    Case(
        "unknown timepoint in the plan",
        text("sap.yaml", "timepoint: post", "timepoint: pots"),
        WRONG,
        ("sap.yaml, line 5", "Did you mean 'post'"),
    ),
    Case(
        "unknown instrument",
        text("study.yaml", "gad-7:", "gad-8:"),
        WRONG,
        ("study.yaml, line 20", "Did you mean 'gad-7'"),
    ),
    Case(
        "contrast the wrong way round",
        text("sap.yaml", "peer - usual", "usual - peer"),
        WRONG,
        ("sap.yaml, line 5", "reference"),
    ),
    Case(
        "a gee of a score",
        text("sap.yaml", "timepoint: post", "timepoint: post, model: gee"),
        WRONG,
        ("sap.yaml, line 5, estimands[0].model", "Scores need mmrm or mixed_model"),
    ),
    Case(
        "an option of another model",
        text("sap.yaml", "timepoint: post", "timepoint: post, random: slope"),
        WRONG,
        ("sap.yaml, line 5, estimands[0].random", "an option of 'mixed_model'", "'mmrm'"),
    ),
    Case(
        "a covariance that does not exist",
        text("sap.yaml", "timepoint: post", "timepoint: post, covariance: un"),
        WRONG,
        ("sap.yaml, line 5", "us"),
    ),
    Case(
        "a model that the other engine cannot fit",
        text(
            "sap.yaml",
            "peer - usual, timepoint: post, covariates: [age]}",
            "peer - usual, timepoint: post, covariates: [age]}\nengine: statsmodels",
        ),
        WRONG,
        ("sap.yaml, line 5, estimands[0].model", "statsmodels", "mixed_model"),
    ),
    Case(
        "a binary outcome without its event",
        text("sap.yaml", "role: primary", "role: primary, kind: binary"),
        WRONG,
        ("sap.yaml, line 3", "event: {at_least: 10}"),
    ),
    Case(
        "an event with two borders",
        text("sap.yaml", "role: primary", "role: primary, kind: binary, event: {at_least: 3, at_most: 9}"),
        WRONG,
        ("sap.yaml, line 3", "one border"),
    ),
    Case(
        "duplicate key",
        text("study.yaml", "design: randomised", "design: randomised\ndesign: randomised"),
        WRONG,
        ("study.yaml, line 4", "stands twice"),
    ),
    Case("broken YAML", text("study.yaml", "arms:", "arms: ["), WRONG, ("study.yaml, line",)),
    Case(
        "path outside the folder",
        text("study.yaml", "path: answers.csv", "path: ../answers.csv"),
        WRONG,
        ("../answers.csv", "inside the data folder"),
    ),
    Case(
        "no row that can be used",
        column("wave", lambda row: "w" + row[1]),
        WRONG,
        ("answers.csv, line 2, wave", "Every row broke a rule"),
    ),
    Case(
        "no source tells the arm",
        text("study.yaml", "{arm: arm, age: age}", "{age: age}"),
        WRONG,
        ("study.yaml, line 13", "No source tells the arm"),
    ),
    Case("no plan", lambda folder: (folder / "sap.yaml").unlink(), WRONG, ("sap.yaml", "does not exist")),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_broken_input_is_told_in_words_with_its_exit_code(small_study: Path, case: Case) -> None:
    case.damage(small_study)
    outcome = CliRunner().invoke(app, ["check", str(small_study)])
    told = outcome.output + outcome.stderr
    assert outcome.exit_code == case.exit_code, told
    for words in case.words:
        assert words in told, told
    assert "Traceback" not in told
    assert outcome.exception is None or isinstance(outcome.exception, SystemExit)


def test_there_is_no_study_in_a_folder_without_one(tmp_path: Path) -> None:
    for folder in (tmp_path / "none", tmp_path):
        outcome = CliRunner().invoke(app, ["check", str(folder)])
        assert outcome.exit_code == WRONG
        assert "study.yaml" in outcome.output + outcome.stderr


def test_a_machine_reads_the_same_problems(small_study: Path) -> None:
    text("study.yaml", "title:", "titel:")(small_study)
    outcome = CliRunner().invoke(app, ["check", str(small_study), "--json"])
    assert outcome.exit_code == WRONG
    assert '"file": "study.yaml"' in outcome.stdout
    assert '"line": 2' in outcome.stdout
