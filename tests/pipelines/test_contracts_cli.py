"""`peerimpact contracts` as people type it."""

import json
from pathlib import Path

import jsonschema
import pandas as pd
import pytest
import yaml
from typer.testing import CliRunner

from data_contracts import shipped_contract_names
from pipelines.cli import app

OWN = """\
apiVersion: v3.1.0
kind: DataContract
id: scores
version: 1.0.0
status: active
schema:
  - name: scores
    quality:
      - {name: enough, description: At least ten scores., metric: rowCount, mustBeGreaterOrEqualTo: 10, severity: warning}
    properties:
      - name: n_answered
        quality:
          - {name: answered, description: Most items were answered., metric: invalidValues, arguments: {validRange: [4, 7]}, mustBe: 0,
             customProperties: [{property: appliesWhere, value: {property: method, validValues: [complete]}}]}
"""


def run(*words: object, code: int = 0) -> str:
    outcome = CliRunner().invoke(app, ["contracts", *map(str, words)])
    assert outcome.exit_code == code, outcome.output
    return outcome.stdout if code == 0 else outcome.output


@pytest.fixture
def scores(tmp_path: Path) -> Path:
    """A good table of scores as CSV."""
    path = tmp_path / "scores.csv"
    good = {"participant_id": ["a", "b", "c"], "timepoint": "baseline", "measure": "gad-7.total", "score": [3.0, 21.0, None], "n_items": 7, "n_answered": [7, 7, 1], "method": ["complete", "complete", "too_few_answered"]}  # fmt: skip
    pd.DataFrame(good).to_csv(path, index=False)
    return path


@pytest.fixture
def study(small_study: Path) -> Path:
    """The small study with rules of its own about scores."""
    (small_study / "contracts").mkdir()
    (small_study / "contracts" / "scores.yaml").write_text(OWN)
    return small_study


def change(path: Path, **columns: object) -> Path:
    pd.read_csv(path, dtype="str", keep_default_na=False).assign(**columns).to_csv(path, index=False)
    return path


def test_every_table_is_shown_with_columns_rules_and_what_happens_when_one_is_broken() -> None:
    words = run("show")
    assert all(f"{name} 1." in words for name in shipped_contract_names())
    one = run("show", "scores")
    assert "score (number): The score in points" in one
    assert "in_range" in one
    assert "[measure_ranges of the study, for each measure]" in one
    assert "warning: the data are used" in one
    assert "Did you mean 'scores'?" in run("show", "score", code=2)


def test_the_rules_of_a_study_are_marked_and_its_values_are_filled_in(study: Path) -> None:
    words = run("show", "scores", "--study", study)
    assert "warning enough" in words
    assert "[at least 10 rows] (of the study)" in words
    assert "[4 to 7; where method is complete] (of the study)" in words
    assert "[baseline, post]" in words
    (told,) = json.loads(run("show", "scores", "--study", study, "--json"))
    assert [rule["rule"] for rule in told["rules"] if rule["is_own"]] == ["enough", "answered"]
    assert {column["name"]: column["type"] for column in told["columns"]}["score"] == "number"


def test_a_good_file_obeys_and_what_a_study_must_tell_is_not_checked_without_it(scores: Path, study: Path) -> None:
    words = run("test", "scores", scores)
    assert "0 of 10 rules broken." in words
    assert "not checked   in_range: it needs what a study declares (--study DIR)." in words
    told = json.loads(run("test", "scores", scores, "--study", study, "--json"))
    assert told["not_checked"] == []
    assert [one["rule"] for one in told["verdicts"] if not one["passed"]] == ["enough"]
    assert told["exit_code"] == 0  # a warning


def test_rows_that_break_a_rule_are_named_with_the_header_as_row_one(scores: Path, study: Path) -> None:
    broken = change(scores, method=["complete", "guessed", "complete"], score=["3", "22", ""])
    words = run("test", "scores", broken, "--study", study, code=1)
    assert "error   broken known_method (method)" in words
    assert "1 of 3. Rows: 3." in words
    assert words.index("broken known_method") < words.index("passed")
    told = json.loads(run("test", "scores", broken, "--study", study, "--json", code=1))
    rows = {one["rule"]: one["rows"] for one in told["verdicts"] if not one["passed"]}
    assert rows == {"known_method": [3], "in_range.1": [3], "answered": [4], "enough": []}


def test_cells_of_another_type_are_told_by_column_and_row_never_by_value(scores: Path) -> None:
    words = run("test", "scores", change(scores, score=["3", "CANARY", "inf"], n_items=["7", "7.5", ""]), code=1)
    assert "error   broken type (score): score is a number. 2 of 2. Rows: 3, 4." in words
    assert "broken type (n_items): n_items is a whole number. 1 of 1. Rows: 3." in words
    assert "broken not_missing (n_items)" in words
    assert "CANARY" not in words


def test_parquet_is_read_as_it_is(tmp_path: Path, scores: Path) -> None:
    path = tmp_path / "scores.parquet"
    pd.read_csv(scores).to_parquet(path, index=False)
    assert json.loads(run("test", "scores", path, "--json")) == json.loads(run("test", "scores", scores, "--json"))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("missing.csv", None, "cannot be read"),
        ("scores.xlsx", b"", "Allowed: .csv, .parquet"),
        ("scores.parquet", b"not parquet CANARY", "cannot be read"),
        ("scores.csv", b"a,b\n1,\xff\n", "cannot be read"),
        ("scores.csv", b"", "cannot be read"),
        ("scores.csv", b"a,b\nCANARY,2,3\nCANARY,5,6\n", "more cells than the header"),
        ("scores.csv", b"a,b\n1,2\nCANARY,5,6\n", "cannot be read"),
    ],
)
def test_a_file_that_is_no_table_is_told_in_words_without_its_cells(
    tmp_path: Path, name: str, content: bytes | None, message: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    words = run("test", "scores", tmp_path / name, code=2)
    assert message in words
    assert "CANARY" not in words
    assert "Traceback" not in words


def test_a_table_without_a_column_is_broken(scores: Path) -> None:
    pd.read_csv(scores).drop(columns="method").to_csv(scores, index=False)
    assert "broken columns (method)" in run("test", "scores", scores, code=1)


def test_an_exported_contract_takes_the_place_of_the_study(study: Path, scores: Path) -> None:
    document = yaml.safe_load(run("export", "scores", "--study", study))
    rules = {rule["name"]: rule for one in document["schema"][0]["properties"] for rule in one.get("quality", [])}
    assert rules["known_timepoint"]["arguments"] == {"validValues": ["baseline", "post"]}
    assert rules["in_range.1"]["arguments"] == {"validRange": [0, 21]}
    assert rules["answered"]["tags"] == ["study"]
    documents = list(yaml.safe_load_all(run("export")))
    assert [one["id"] for one in documents] == list(shipped_contract_names())


def test_json_schema_is_exported_for_one_table_or_all(study: Path) -> None:
    schema = json.loads(run("export", "scores", "--study", study, "--format", "json-schema"))
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["title"] == "scores"
    listed = json.loads(run("export", "--format", "json-schema"))
    assert [one["title"] for one in listed] == list(shipped_contract_names())
    assert "Allowed: odcs, json-schema" in run("export", "--format", "avro", code=2)


def test_a_study_that_weakens_a_contract_is_told_with_file_line_and_key(study: Path) -> None:
    path = study / "contracts" / "scores.yaml"
    path.write_text(path.read_text().replace("name: enough", "name: has_rows"))
    assert "scores.yaml, line 9, schema[0].quality[0].name" in run("show", "--study", study, code=2)
