"""`peerimpact instruments` as people type it."""

import csv
import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from instruments import apply_variants, load_library
from pipelines.cli import app

GAD = [f"GAD7_{n}" for n in range(1, 8)]


def run(*words: object, code: int = 0) -> str:
    outcome = CliRunner().invoke(app, ["instruments", *map(str, words)])
    assert outcome.exit_code == code, outcome.output
    return outcome.stdout if code == 0 else outcome.output


@pytest.fixture
def answers(tmp_path: Path) -> Path:
    """Forty people, one of whom left an item out, with totals that count it as zero."""
    rng = np.random.default_rng(3)
    trait = rng.normal(size=(40, 1))
    values = np.clip(np.round(1.5 + trait + rng.normal(0, 0.7, (40, 7))), 0, 3)
    frame = pd.DataFrame(values, columns=GAD).astype("Int64").astype("str")
    frame.insert(0, "pid", [f"p{n}" for n in range(40)])
    frame["total"] = values.sum(axis=1).astype(int).astype(str)
    path = tmp_path / "answers.csv"
    frame.to_csv(path, index=False)
    return path


def rewrite(path: Path, **columns: object) -> None:
    pd.read_csv(path, dtype="str").assign(**columns).to_csv(path, index=False)


def test_the_list_tells_domain_licence_and_status_of_every_instrument() -> None:
    listed = json.loads(run("list", "--json"))
    assert [one["id"] for one in listed] == list(load_library())
    assert all(one["domain"] and one["licence"] and one["status"] and one["measures"] for one in listed)
    assert {one["status"] for one in listed} == {"confirmed", "draft", "not scored here"}
    stigma = json.loads(run("list", "--domain", "stigma", "--json"))
    assert {one["domain"] for one in stigma} == {"stigma"}
    german = json.loads(run("list", "--language", "fr", "--licence", "public_domain", "--json"))
    assert german
    assert all("fr" in one["languages"] and one["licence"] == "public_domain" for one in german)
    assert "phq-9" in run("list")


@pytest.mark.parametrize("option", ["--domain", "--language", "--licence"])
def test_a_filter_that_finds_nothing_says_what_there_is(option: str) -> None:
    assert "Allowed:" in run("list", option, "xx", code=2)


def test_an_instrument_is_shown_in_words_and_in_its_variants() -> None:
    words = run("show", "epds")
    assert "epds.total" in words
    assert "Variants:" in words
    assert "(reversed)" not in words  # what answers count is told one by one
    assert "Not scored here." in run("show", "mmas-8")
    k10 = load_library()["k10"]
    coded = json.loads(run("show", "k10", "--variant", k10.variants[0].id, "--json"))
    assert coded == apply_variants(k10, [k10.variants[0].id]).model_dump(mode="json")
    assert "Did you mean 'phq-9'?" in run("show", "phq9", code=2)
    assert "has no variant" in run("show", "k10", "--variant", "nought", code=2)


def test_answers_are_scored_by_columns_that_are_found_or_told(answers: Path) -> None:
    scored = pd.read_csv(io.StringIO(run("score", "gad-7", answers)))
    assert scored["gad-7.total"].tolist() == scored["total"].tolist()
    assert scored["pid"].iloc[0] == "p0"
    told = pd.read_csv(io.StringIO(run("score", "gad-7", answers, "--items", "GAD7_{n}")))
    pd.testing.assert_frame_equal(told, scored)
    path = answers.with_name("scores.csv")
    run("score", "gad-7", answers, "--output", path)
    pd.testing.assert_frame_equal(pd.read_csv(path), scored)


def test_an_excel_file_and_missing_codes_are_read(answers: Path) -> None:
    rewrite(answers, GAD7_3="-9")
    frame = pd.read_csv(answers)
    book = answers.with_suffix(".xlsx")
    frame.to_excel(book, index=False)
    for path in (answers, book):
        assert "GAD7_3" in run("score", "gad-7", path, code=2)
        scored = pd.read_csv(io.StringIO(run("score", "gad-7", path, "--missing-code", "-9")))
        assert scored["gad-7.total"].isna().all()
        assert scored["gad-7.total.n_answered"].eq(6).all()


def test_the_arithmetic_of_a_row_is_told(answers: Path) -> None:
    row = pd.read_csv(answers).iloc[0]
    told = run("score", "gad-7", answers, "--explain", 2)
    assert "All 7 answers are needed." in told
    assert f"gad-7.total: {' + '.join(str(row[name]) for name in GAD)} = {row['total']}" in told
    assert "no answers in row 99" in run("score", "gad-7", answers, "--explain", 99, code=2)


@pytest.mark.parametrize(
    ("column", "value", "told"),
    [
        ("GAD7_2", "often", "line 2, GAD7_2: Found text that is no answer to item 2"),
        ("GAD7_2", "4", "line 2, GAD7_2: Found a number that is no answer to item 2 (answers: 0, 1, 2, 3)"),
        ("GAD7_2", "1.5", "line 2, GAD7_2: Found a number"),
        ("GAD7_2", "inf", "line 2, GAD7_2: Found text"),
        ("GAD7_2", "1e0", "line 2, GAD7_2: Found text"),
        ("GAD7_2", "1,0", "line 2, GAD7_2: Found text"),
    ],
)
def test_a_cell_that_is_no_answer_is_told_by_row_and_column_and_never_printed(
    answers: Path, column: str, value: str, told: str
) -> None:
    rewrite(answers, **{column: value})
    output = run("score", "gad-7", answers, code=2)
    assert told in output.replace("\n", " ")
    assert "20 more cells" in output
    assert "often" not in output


def test_files_and_columns_that_are_not_there_are_told(answers: Path, tmp_path: Path) -> None:
    assert "does not exist" in run("score", "gad-7", tmp_path / "nowhere.csv", code=2)
    assert "--items" in run("score", "phq-9", answers, code=2)
    assert "phq_1" in run("score", "phq-9", answers, "--items", "phq_{n}", code=2)
    assert "is not scored here" in run("score", "mmas-8", answers, code=2)
    (tmp_path / "ragged.csv").write_text("a,b\n1,2\n1,2\n1,2,3\n")
    assert "line 4" in run("score", "gad-7", tmp_path / "ragged.csv", code=2)


def test_an_audit_names_the_rule_and_ends_with_one_where_it_is_not_ours(answers: Path) -> None:
    assert "40 of 40 complete rows follow the declared rule" in run("audit", "gad-7", answers, "--total", "total")
    frame = pd.read_csv(answers, dtype="str")
    frame.loc[:11, "GAD7_4"] = ""
    frame.loc[:11, "total"] = frame.loc[:11, GAD].replace("", "0").astype(int).sum(axis=1).astype(str)
    frame.to_csv(answers, index=False)
    output = run("audit", "gad-7", answers, "--total", "total=total", code=1)
    assert "12 of 12 incomplete rows: a missing answer was counted as zero" in output
    findings = json.loads(run("audit", "gad-7", answers, "--total", "total", "--json", code=1))
    assert {one["rule"] for one in findings if one["part"] == "incomplete"} == {"missing_as_zero"}
    assert "no column 'totals'" in run("audit", "gad-7", answers, "--total", "totals", code=2)
    assert "computes no" in run("audit", "gad-7", answers, "--total", "sum=total", code=2)


def test_definitions_are_validated_with_their_examples(tmp_path: Path) -> None:
    path = Path(run("new", "my-own", "--folder", tmp_path).strip().replace("\n", ""))
    assert "is valid; a draft" in run("validate", path)
    assert "exists already" in run("new", "my-own", "--folder", tmp_path, code=2)
    assert "is no id" in run("new", "My Own", "--folder", tmp_path, code=2)
    text = path.read_text()
    path.write_text(text.replace("scores: {total: 7}", "scores: {total: 8}"))
    assert "Example 3, total: expected 8, found 7." in run("validate", path, code=1)
    assert json.loads(run("validate", path, "--json", code=1))[0]["failed_examples"]
    path.write_text(text.replace("range: [3, 9]", "range: [3, 10]"))
    assert "Write [3, 9]" in run("validate", path, code=2).replace("\n", " ")
    shipped = [Path("instruments/definitions") / f"{name}.yaml" for name in ("phq-9", "ces-d")]
    root = Path(__file__).resolve().parents[2]
    assert "phq-9 1.0.0 is valid." in run("validate", *[root / one for one in shipped])


def test_exports_are_printed_or_written(tmp_path: Path) -> None:
    dictionary = list(csv.reader(io.StringIO(run("export", "phq-9", "--format", "redcap").lstrip("\ufeff"))))
    assert len(dictionary[0]) == 18
    assert "--output PATH" in run("export", "phq-9", "--format", "xlsform", code=2)
    run("export", "phq-9", "--format", "xlsform", "--output", tmp_path / "form.xlsx")
    assert (tmp_path / "form.xlsx").read_bytes()[:2] == b"PK"
    run("export", "phq-9", "--format", "reproschema", "--output", tmp_path / "activity")
    assert len(list((tmp_path / "activity").rglob("*"))) > 9
    assert json.loads(run("export", "mmas-8", "--format", "json"))["id"] == "mmas-8"
    assert "holds no items" in run("export", "mmas-8", "--format", "fhir", code=2)
    assert "There is no format 'spss'" in run("export", "phq-9", "--format", "spss", code=2)


def test_wording_goes_into_an_export(tmp_path: Path) -> None:
    items = "\n".join(f"  {n}: Invented question {n}" for n in range(1, 6))
    words = tmp_path / "who-5.en.yaml"
    words.write_text(f"instrument: who-5\nlanguage: en\nholder: Test press\nitems:\n{items}\n")
    for name in ("redcap", "fhir", "csv"):
        assert "Invented question 5" in run("export", "who-5", "--format", name, "--wording", words)
        assert "Invented question" not in run("export", "who-5", "--format", name)
    words.write_text(words.read_text().replace("  5: Invented question 5", ""))
    assert "No question is given for 5" in run("export", "who-5", "--format", "csv", "--wording", words, code=2)


def test_known_instruments_are_found_in_a_form_and_the_rest_is_told(tmp_path: Path) -> None:
    dictionary = tmp_path / "dictionary.csv"
    coded = load_library()["k10"].variants[0].id
    run("export", "k10", "--format", "redcap", "--variant", coded, "--output", dictionary)
    rows = list(csv.reader(io.StringIO(dictionary.read_text(encoding="utf-8-sig"))))
    rows.append(["postcode", "about", "", "text", "Postcode", *[""] * 13])
    with dictionary.open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    told = run("recognise", dictionary).replace("\n", " ")
    assert f"k10 in the variant '{coded}': 10 fields (k10_1, k10_2," in told
    assert "Unknown: postcode" in told
    found = json.loads(run("recognise", dictionary, "--json"))
    assert {row["item"] for row in found["matches"]} == {str(n) for n in range(1, 11)} | {"total"}
    assert [row["field"] for row in found["unknown"]] == ["postcode"]
    form = tmp_path / "form.xlsx"
    run("export", "who-5", "--format", "xlsform", "--output", form)
    assert "who-5: 5 fields" in run("recognise", form)
    (tmp_path / "no.csv").write_text("a,b\n1,2\n")
    assert "error no.csv" in run("recognise", tmp_path / "no.csv", code=2)
