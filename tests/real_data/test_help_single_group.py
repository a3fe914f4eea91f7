"""The clinic arm of the HELP trial as if nobody else had been asked: change is described, and claims nothing.

Both arms of the trial fall by about ten points of the CES-D in six months, so an honest report of one arm alone must say
that such a fall comes without the programme too.
"""

import html
import re
from pathlib import Path

import pandas as pd
import pytest
import yaml

from pipelines.folder import open_folder
from pipelines.run import Run, run_study
from reports import lint_claims
from reports.lint import FORBIDDEN

pytestmark = pytest.mark.real_data

ENTRY = 33
"""CES-D points, near the median of the trial at baseline; nobody entered the trial by it: it is the cut of this test."""
EXPECTED_BY_TRUNCATED_NORMAL = -6.411
"""Points, by R 4.2.2 from the mean and deviation of both arms, and the correlation of the usual arm:
``z <- (32.5 - 32.86) / 12.46; -(1 - 0.34) * 12.46 * dnorm(z) / pnorm(z, lower.tail = FALSE)``."""
AS_PRINTED = 0.01
EACH_ARM_IN_SIX_MONTHS = -10.0
NEAR = 3.0
"""Points; the half width of the interval of the clinic arm's change."""
OPEN = "How much of that is due to the programme cannot be told."
SOURCE = "Usual care in the same trial, where nobody's stay was improved by a clinic"


@pytest.fixture(scope="module")
def waves(shared: Path) -> pd.DataFrame:
    return pd.read_csv(shared / "data" / "help_trial" / "help_waves.csv", dtype="str", keep_default_na=False)


@pytest.fixture(scope="module")
def run_clinic(project: Path, tmp_path_factory: pytest.TempPathFactory):
    """A function that runs the study of some people of the clinic arm, with what the plan declares of depression."""

    def run(waves: pd.DataFrame, declared: dict[str, object]) -> Run:
        folder = tmp_path_factory.mktemp("clinic")
        waves.to_csv(folder / "help_waves.csv", index=False)
        study = yaml.safe_load((project / "tests" / "real_data" / "help" / "study.yaml").read_text())
        study |= {"design": "single_group", "arms": [{"id": "clinic", "label": "Linkage clinic"}]}
        study["sources"][0]["participant_columns"]["arm"]["values"] = {1: "clinic"}
        (folder / "study.yaml").write_text(yaml.safe_dump(study))
        plan = {
            "sap": 1,
            "outcomes": [
                {"id": "depression", "measure": "ces-d.total", "role": "primary", **declared},
                {"id": "mental_health", "measure": "sf36.mental", "role": "secondary"},
            ],
            "estimands": [
                {"id": f"{outcome}_{at}", "outcome": outcome, "contrast": f"{at} - baseline", "timepoint": at}
                for outcome, at in (("depression", "month_6"), ("depression", "month_24"), ("mental_health", "month_6"))
            ],
        }
        (folder / "sap.yaml").write_text(yaml.safe_dump(plan))
        return run_study(open_folder(folder, data_root=folder, output=folder / "output"))

    return run


@pytest.fixture(scope="module")
def clinic(run_clinic, waves: pd.DataFrame) -> Run:
    """All of the clinic arm; the plan knows how people changed in usual care."""
    usual = waves[waves["GROUP"] == "0"].assign(score=lambda rows: pd.to_numeric(rows["CES_D"]))
    scores = usual.pivot_table(index="ID", columns="TIME", values="score")
    change = (scores["6"] - scores["0"]).dropna()
    natural = {"mean": float(change.mean()), "sd": float(change.std()), "n": len(change), "source": SOURCE}
    return run_clinic(waves[waves["GROUP"] == "1"], {"natural_change": natural})


@pytest.fixture(scope="module")
def severe(run_clinic, waves: pd.DataFrame) -> Run:
    """Those of the clinic arm who scored at least 33 at baseline; the plan knows the people they came from."""
    reference = {"mean": 32.86, "sd": 12.46, "retest_correlation": 0.34, "n": 470, "n_retest": 119, "source": SOURCE}
    first = waves[(waves["TIME"] == "0") & (pd.to_numeric(waves["CES_D"]) >= ENTRY)]
    chosen = waves[(waves["GROUP"] == "1") & waves["ID"].isin(first["ID"])]
    return run_clinic(chosen, {"entry": {"at_least": ENTRY, "step": 1, "reference": reference}})


def words_of(run: Run) -> str:
    body = re.sub(r"<(script|style)\b.*?</\1>", " ", run.report.read_text(), flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())


def expected(run: Run, **where: str) -> dict[str, float]:
    rows = run.results[run.results["analysis"] == "expected_change"]
    for column, value in where.items():
        rows = rows[rows[column] == value]
    (row,) = rows.to_dict("records")
    return row


@pytest.mark.parametrize("name", ["clinic", "severe"])
def test_no_causal_word_is_said(name: str, request: pytest.FixtureRequest) -> None:
    run = request.getfixturevalue(name)
    lint_claims(run.report.read_text(), "single_group", quoted=[SOURCE])
    words = words_of(run)
    assert words.count(OPEN) >= 3
    assert not FORBIDDEN.search(words.replace(SOURCE, "").replace(OPEN, ""))


@pytest.mark.parametrize("name", ["clinic", "severe"])
def test_certainty_is_very_low(name: str, request: pytest.FixtureRequest) -> None:
    results = request.getfixturevalue(name).results
    levels = results[(results["analysis"] == "certainty") & (results["statistic"] == "level")]
    assert levels["value"].tolist() == [1, 1, 1]  # a level for each question


def test_a_fall_of_ten_points_is_what_usual_care_shows_too(clinic: Run) -> None:
    results = clinic.results
    (change,) = results[(results["estimand"] == "depression_month_6") & (results["analysis"] == "model")]["value"]
    assert change == pytest.approx(EACH_ARM_IN_SIX_MONTHS, abs=NEAR)
    left_over = expected(clinic, estimand="depression_month_6", statistic="left_over")
    assert left_over["conf_low"] < 0 < left_over["conf_high"]
    text = words_of(clinic)
    assert "Elsewhere, people like these who had no programme had scores that were 10.2 points lower" in text
    assert text.count("The change seen is about what one would expect without any programme.") >= 2  # page one, card
    assert (
        "At 6 months the change is about what one would expect without any programme. The 95 % interval of what" in text
    )


def test_without_an_entry_rule_the_report_says_what_cannot_be_told_and_whom_to_ask(clinic: Run) -> None:
    assert expected(clinic, estimand="depression_month_6", verdict="refused:no_entry_rule")["statistic"]
    text = words_of(clinic)
    page_one = text[: text.index("How sure we are")]
    assert "How much of this change is regression to the mean cannot be told" in page_one
    assert "Ask who decided on entry" in text


def test_regression_to_the_mean_stands_beside_the_change_of_those_above_a_cut(severe: Run) -> None:
    row = expected(severe, estimand="depression_month_6", statistic="regression_to_mean", item="entry_rule")
    assert row["value"] == pytest.approx(EXPECTED_BY_TRUNCATED_NORMAL, abs=AS_PRINTED)
    text = words_of(severe)
    page_one = text[: text.index("How sure we are")]
    assert "Who enters with a score of at least 33 tends to score closer to the average later" in page_one
    assert "One would expect scores at 6 months that are 6.4 points lower (95 % interval" in page_one


def test_above_the_cut_usual_care_falls_by_as_much_more_as_expected(severe: Run, waves: pd.DataFrame) -> None:
    """Who is above the cut falls more than everybody, in the arm without the clinic, by about the expected amount."""
    usual = waves[waves["GROUP"] == "0"].assign(score=lambda rows: pd.to_numeric(rows["CES_D"]))
    scores = usual.pivot_table(index="ID", columns="TIME", values="score")
    change = (scores["6"] - scores["0"]).dropna()
    above = change[scores["0"].reindex(change.index) >= ENTRY]
    row = expected(severe, estimand="depression_month_6", statistic="regression_to_mean", item="entry_rule")
    reach = 2 * above.std() / len(above) ** 0.5
    assert row["value"] - reach < above.mean() - change.mean() < row["value"] + reach
