"""A study's own rules: they ask for more, never for less, and what they find is shown."""

import json
from importlib import resources
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import jsonschema
import pandas as pd
import pytest
import yaml
from open_data_contract_standard.model import OpenDataContractStandard
from typer.testing import CliRunner

from data_contracts import DataContractError, conform, require, shipped_contract, shipped_contract_names
from pipelines.assets.common import check_and_store
from pipelines.checking import check_study
from pipelines.cli import app
from pipelines.folder import open_folder
from pipelines.run import run_study
from pipelines.store import Store
from pipelines.study_contracts import load_study_contracts

PARTICIPANTS = """\
apiVersion: v3.1.0
kind: DataContract
id: participants
version: 1.0.0
status: active
schema:
  - name: participants
    quality:
      - {name: enough_people, description: At least fifty people., metric: rowCount, mustBeGreaterOrEqualTo: 50, severity: warning}
    properties:
      - name: site
        logicalType: string
        quality:
          - {name: site_told, description: Most people have a site., metric: nullValues, mustBeLessThan: 20, unit: percent, severity: info}
      - name: age
        logicalType: number
        quality:
          - {name: adults, description: Everybody is of age., metric: invalidValues, arguments: {validRange: [18, 120]}, mustBe: 0}
"""


def write(study: Path, text: str = PARTICIPANTS, name: str = "participants.yaml") -> Path:
    (study / "contracts").mkdir(exist_ok=True)
    (study / "contracts" / name).write_text(text)
    return study


def people(n: int = 60, **columns: Any) -> pd.DataFrame:
    base = {
        "participant_id": [f"p_{number:024x}" for number in range(n)],
        "arm": "peer",
        "group": "",
        "site": "north",
        "age": 44.0,
    }
    return pd.DataFrame(base | columns)


def test_a_study_without_contracts_has_the_shipped_ones(tmp_path: Path) -> None:
    assert dict(load_study_contracts(tmp_path)) == {name: shipped_contract(name) for name in shipped_contract_names()}


def test_a_study_adds_rules_and_covariates_and_every_shipped_rule_stays_as_it_was(small_study: Path) -> None:
    merged = open_folder(write(small_study)).contracts
    table, shipped = merged["participants"].table, shipped_contract("participants").table
    own = [(column, rule.name) for column, rule in table.rules if rule.is_own]
    assert own == [("", "enough_people"), ("site", "site_told"), ("age", "adults")]
    assert [rule for _, rule in table.rules if not rule.is_own] == [rule for _, rule in shipped.rules]
    assert table.dtypes == shipped.dtypes | {"age": "float64"}
    assert all(merged[name] == shipped_contract(name) for name in merged if name != "participants")
    assert not any(rule.is_own for _, rule in shipped_contract("participants").table.rules)


def test_what_a_study_writes_is_of_the_standard(small_study: Path) -> None:
    text = (write(small_study) / "contracts" / "participants.yaml").read_text()
    schema = resources.files("open_data_contract_standard") / "schema.json"
    validator = jsonschema.Draft201909Validator(json.loads(schema.read_text()))
    assert [error.message for error in validator.iter_errors(yaml.safe_load(text))] == []
    assert OpenDataContractStandard.from_string(text).id == "participants"


def test_errors_stop_and_what_is_less_is_only_shown(small_study: Path) -> None:
    contract = open_folder(write(small_study)).contracts["participants"]
    parameters = {"arms": ["peer"]}
    few = require(conform(people(20, site=""), contract), contract, parameters)
    assert {one.rule for one in few if not one.passed} == {"enough_people", "site_told"}
    with pytest.raises(DataContractError, match="rule adults is broken by 60 of 60 rows"):
        require(conform(people(age=12.0), contract), contract, parameters)
    with pytest.raises(DataContractError, match="rule columns is broken"):
        require(people().drop(columns="age"), contract, parameters)


@pytest.mark.parametrize(
    ("columns", "n", "passed", "severity", "told"),
    [
        ({}, 60, True, dg.AssetCheckSeverity.ERROR, "rules obeyed."),
        ({"site": ""}, 60, True, dg.AssetCheckSeverity.ERROR, "Broken: site_told (info)."),
        ({}, 20, False, dg.AssetCheckSeverity.WARN, "Broken: enough_people (warning)."),
    ],
)
def test_the_check_of_a_table_warns_of_warnings_and_tells_remarks(
    small_study: Path, columns: dict[str, Any], n: int, passed: bool, severity: dg.AssetCheckSeverity, told: str
) -> None:
    contract = open_folder(write(small_study)).contracts["participants"]
    result = check_and_store(contract, conform(people(n, **columns), contract), {"arms": ["peer"]})
    (check,) = result.check_results or ()
    assert (check.passed, check.severity) == (passed, severity)
    assert (check.description or "").endswith(told)
    records = check.metadata["verdicts"].records  # type: ignore[union-attr]
    assert [one.data["rule"] for one in records if one.data["of the study"]] == ["enough_people", "site_told", "adults"]


REFUSED = {
    "another id": ("id: participants", "id: people", r"participants.yaml, line 3, id: Found 'people'"),
    "another table": ("  - name: participants", "  - name: people", r"line 7.*Found 'people' in the file for 'participants'"),
    "a changed type": ("- name: site", "- {name: arm, logicalType: number}\n      - name: site", r"line 11.*'arm' is of type string; a study cannot change it"),
    "a column that may be missing": ("- name: site", "- {name: arm, required: false}\n      - name: site", r"'arm' is required; a study cannot change it"),
    "a column that may not be missing": ("- name: site", "- name: site\n        required: true", r"'site' is not required.*metric nullValues"),
    "a shipped rule again": ("name: adults", "name: pseudonym", r"line 18.*rule 'pseudonym', which a study cannot replace"),
    "a rule twice": ("name: adults", "name: site_told", r"rule 'site_told' stands twice"),
    "a column twice": ("- name: age", "- name: site", r"property 'site' stands twice"),
    "a parameter": ("[18, 120]", "{parameter: ranges}", r"A parameter \('ranges'\) is for shipped contracts"),
    "a column that is no covariate": ("- name: age", "- name: agee", r"'agee' is no covariate of the study.*Did you mean 'age'"),
    "another type of a covariate": ("logicalType: number", "logicalType: string", r"declares 'age' as what is of type number"),
    "a covariate without type": ("        logicalType: number\n", "", r"line 15.*The type of 'age' is missing. Add 'logicalType: number'"),
    "a rule that does not fit": ("validRange: [18, 120]", "validValues: [young]", r"Found 'young' for a column of type number"),
    "a rule of the table that names no column": ("metric: rowCount, mustBeGreaterOrEqualTo: 50", "metric: duplicateValues, mustBe: 0, arguments: {properties: [arm, sit]}", r"'sit', which is not a property.*'site'"),
    "another version of the standard": ("v3.1.0", "v3.0.2", r"'v3.0.2', which is not allowed here"),
    "an open table": ("    quality:\n      - {name: enough", "    customProperties: []\n    quality:\n      - {name: enough", r"Unknown key 'customProperties'"),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_what_would_weaken_or_contradict_a_contract_is_refused_with_its_line(small_study: Path, what: str) -> None:
    before, after, message = REFUSED[what]
    assert before in PARTICIPANTS
    with pytest.raises(DataContractError, match=message):
        open_folder(write(small_study, PARTICIPANTS.replace(before, after, 1)))


def test_a_closed_table_gets_no_columns(small_study: Path) -> None:
    text = PARTICIPANTS.replace("participants", "scores").replace("- name: site", "- name: measure")
    with pytest.raises(DataContractError, match="The table has no column 'age'"):
        open_folder(write(small_study, text, "scores.yaml"))


@pytest.mark.parametrize("name", ["participant.yaml", "participants.yml"])
def test_a_file_that_is_named_after_no_table_is_refused(small_study: Path, name: str) -> None:
    with pytest.raises(
        DataContractError, match=r"contracts/participant.*named after no table.*Did you mean 'participants'"
    ):
        open_folder(write(small_study, name=name))


def test_the_problems_of_all_files_are_told_at_once(small_study: Path) -> None:
    write(small_study, PARTICIPANTS.replace("name: adults", "name: pseudonym"))
    write(small_study, "id: [", "scores.yaml")
    with pytest.raises(DataContractError) as caught:
        open_folder(small_study)
    assert {problem.file for problem in caught.value.problems} == {"participants.yaml", "scores.yaml"}


def test_the_example_of_the_documentation_is_one_that_a_study_can_take(project: Path, small_study: Path) -> None:
    text = (project / "docs" / "contracts.md").read_text().split("```yaml\n")[1].split("```")[0]
    table = open_folder(write(small_study, text)).contracts["participants"].table
    assert [rule.name for _, rule in table.rules if rule.is_own] == ["enough_people", "site_told", "adults"]
    assert [rule.severity for _, rule in table.rules if rule.is_own] == ["warning", "info", "error"]


def test_a_run_sets_aside_what_breaks_a_rule_of_the_study_and_shows_its_warnings(small_study: Path) -> None:
    rule = {"name": "no_severe_item", "description": "An answer of three.", "metric": "invalidValues", "mustBe": 0,
            "arguments": {"validRange": [0, 2]},
            "customProperties": [{"property": "appliesWhere", "value": {"property": "name", "validValues": ["gad-7 1"]}}]}  # fmt: skip
    document = {"apiVersion": "v3.1.0", "kind": "DataContract", "id": "cells", "version": "1.0.0", "status": "active",
                "schema": [{"name": "cells", "properties": [{"name": "value", "quality": [rule]}]}]}  # fmt: skip
    write(small_study, yaml.safe_dump(document), "cells.yaml")
    write(small_study, PARTICIPANTS.replace("mustBeGreaterOrEqualTo: 50", "mustBeGreaterOrEqualTo: 99"))
    answers = pd.read_csv(small_study / "answers.csv", dtype="str", keep_default_na=False)
    done = run_study(open_folder(small_study))
    assert (done.quarantine["rule"] == "no_severe_item").sum() == (answers["gad_1"] == "3").sum() > 0
    verdicts = Store(small_study / "output" / "store.duckdb").load_verdicts()
    own = verdicts[verdicts["is_own"]].set_index("rule")["passed"]
    assert own.to_dict() == {"no_severe_item": False, "enough_people": False, "site_told": False, "adults": True}
    assert "rule of this study" in done.report.read_text()


def test_a_store_of_before_studies_had_rules_of_their_own_takes_verdicts(small_study: Path) -> None:
    run_study(open_folder(small_study))
    path = small_study / "output" / "store.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("ALTER TABLE verdicts DROP COLUMN is_own")
    run_study(open_folder(write(small_study)))
    assert Store(path).load_verdicts()["is_own"].sum() == 3


BROKEN = """\
apiVersion: v3.1.0
kind: DataContract
id: scores
version: 1.0.0
status: active
schema:
  - name: scores
    quality:
      - name: many_scores
        description: There are ten thousand scores.
        metric: rowCount
        mustBeGreaterOrEqualTo: 10000
        severity: error
        customProperties: [{property: howToFix, value: Wait for the last wave.}]
"""


@pytest.mark.parametrize(("severity", "code"), [("error", 2), ("warning", 0)])
def test_check_tells_the_rules_of_the_study_that_its_tables_break(small_study: Path, severity: str, code: int) -> None:
    write(small_study, BROKEN.replace("severity: error", f"severity: {severity}"), "scores.yaml")
    outcome = CliRunner().invoke(app, ["check", str(small_study)])
    assert outcome.exit_code == code
    told = "contracts/scores.yaml: Table scores: rule many_scores is broken. There are ten thousand scores. Wait for the last wave."
    assert f"{severity}: {told}" in outcome.output.replace("\n", "")
    told_by_json = json.loads(CliRunner().invoke(app, ["check", str(small_study), "--json"]).output)["broken_rules"]
    assert [(one["severity"], one["file"]) for one in told_by_json] == [(severity, "contracts/scores.yaml")]


def test_a_run_that_a_rule_stops_tells_the_advice_of_its_author(small_study: Path) -> None:
    write(small_study, BROKEN, "scores.yaml")
    outcome = CliRunner().invoke(app, ["run", str(small_study)])
    assert outcome.exit_code == 2
    assert (
        "rule many_scores is broken. There are ten thousand scores. Wait for the last wave."
        in outcome.output.replace("\n", " ")
    )


CELLS = """\
apiVersion: v3.1.0
kind: DataContract
id: cells
version: 1.0.0
status: active
schema:
  - name: cells
    quality: [{table}]
    properties:
      - {{name: {name}, logicalType: string, quality: [{column}]}}
"""


@pytest.mark.parametrize(
    ("table", "name", "column"),
    [
        (
            "",
            "raw",
            "{name: few_blank, description: Few are blank., metric: nullValues, mustBeLessThan: 5, unit: percent}",
        ),
        (
            "",
            "participant_id",
            "{name: own, description: Own ids., metric: invalidValues, arguments: {pattern: ^p_}, mustBe: 0}",
        ),
        ("{name: many, description: Many cells., metric: rowCount, mustBeGreaterThan: 9}", "raw", ""),
    ],
)
def test_a_rule_that_cells_cannot_keep_is_refused_with_its_line(
    small_study: Path, table: str, name: str, column: str
) -> None:
    write(small_study, CELLS.format(table=table, name=name, column=column), "cells.yaml")
    with pytest.raises(DataContractError, match=r"checked once per different text.*responses\.yaml") as refused:
        load_study_contracts(small_study)
    assert refused.value.problems[0].line is not None


def test_a_rule_about_one_cell_counts_cells(small_study: Path) -> None:
    rule = "{name: short, description: Short., metric: invalidValues, arguments: {pattern: ^1$}, mustBe: 0, severity: info}"
    write(small_study, CELLS.format(table="", name="raw", column=rule), "cells.yaml")
    intake = check_study(open_folder(small_study)).intake
    (verdict,) = [one for one in intake.verdicts if one.rule == "short"]
    answers = pd.read_csv(small_study / "answers.csv", dtype="str")
    cells = answers[["age", *[f"gad_{n}" for n in range(1, 8)]]]
    assert (verdict.n_failed, verdict.n_checked) == (int((cells != "1").sum().sum()), cells.size)
