"""`peerimpact explain`: every piece that a number came from, and an alarm where it would not come out again."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipelines.cli import app
from pipelines.folder import open_folder
from pipelines.run import run_study
from pipelines.store import Store


def explain(study: Path, estimand: str, *more: str):
    return CliRunner().invoke(app, ["explain", str(study), estimand, *more])


def passages(study: Path, estimand: str) -> dict[str, dict[str, str]]:
    done = explain(study, estimand, "--json")
    assert done.exit_code == 0, done.output
    return {title: dict(lines) for title, lines in json.loads(done.stdout)["explanation"].items()}


def run_row(study: Path, estimand: str):
    results = Store(open_folder(study).store).load("results")
    return results[(results["estimand"] == estimand) & (results["analysis"] == "model")].iloc[0]


def test_a_number_is_told_with_all_that_it_came_from_and_raises_an_alarm_where_it_would_not_come_out_again(
    small_study: Path,
) -> None:
    ran = small_study
    run_study(open_folder(ran))
    (estimand,) = open_folder(ran).plan.value.estimands
    stored = run_row(ran, estimand.id)
    told = passages(ran, estimand.id)
    assert float(told["Answer"]["difference"]) == pytest.approx(stored["value"], rel=1e-5)
    assert float(told["Answer"]["standard error"]) == pytest.approx(stored["std_error"], rel=1e-5)
    assert told["People"]["allocated (peer)"] == "30"
    assert told["Model"]["guards"] == "no objection"
    assert told["Model"]["fitted again"].endswith("the same estimate and standard error")
    assert told["Model"]["converged"] == "True"
    assert told["Rows"]["answers.csv"] == "120 read = 120 accepted + 0 quarantined + 0 excluded"
    assert {"study.yaml", "sap.yaml", "answers.csv", "statsmodels"} <= set(told["Files"])
    assert told["Certainty of the outcome"]["level"]

    read = explain(ran, estimand.id)
    assert read.exit_code == 0
    assert "not for release" in read.stdout
    for title in ("Question", "Answer", "People", "Model", "Certainty of the outcome", "Rows", "Files"):
        assert f"\n{title}\n" in read.stdout

    done = explain(ran, "anxiety_pots", "--json")
    assert done.exit_code == 2
    (problem,) = json.loads(done.stdout)["problems"]
    assert problem["code"] == "estimand_unknown"
    assert estimand.id in problem["how_to_fix"]

    sap = ran / "sap.yaml"
    sap.write_text(sap.read_text().replace(", covariates: [age]", ""))
    assert "NOT the same" in passages(ran, estimand.id)["Model"]["fitted again"]


def test_an_estimand_that_was_refused_says_why(small_study: Path) -> None:
    sap = small_study / "sap.yaml"
    sap.write_text(f"{sap.read_text()}small_numbers: {{fewest_per_arm: 50}}\n")
    run_study(open_folder(small_study))
    told = passages(small_study, open_folder(small_study).plan.value.estimands[0].id)
    assert told["Answer"]["verdict"] == "refused:too_few_participants"
    assert "participants in each arm" in told["Answer"]["why"]
    assert "at least 50 participants" in told["Answer"]["why"]
    assert "fitted again" not in told["Model"]


def test_a_study_that_was_not_run_says_so(small_study: Path) -> None:
    done = explain(small_study, "whatever")
    assert done.exit_code == 2
    assert "was not run" in done.stderr
