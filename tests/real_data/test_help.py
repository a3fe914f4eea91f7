"""The HELP trial, from its delivered file to a report that claims nothing it may not."""

import html
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest

from pipelines.folder import open_folder
from pipelines.run import Run, run_study

pytestmark = pytest.mark.real_data

NEAR_ZERO = 3.0
"""Points of the CES-D; the standard deviation at baseline is 12.5 and no contrast of the trial comes near a third of it."""


@pytest.fixture(scope="module")
def run(project: Path, shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("studies") / "help"
    shutil.copytree(project / "tests" / "real_data" / "help", folder, ignore=shutil.ignore_patterns("output"))
    return run_study(open_folder(folder, data_root=shared / "data" / "help_trial"))


@pytest.fixture(scope="module")
def depression(run: Run) -> pd.DataFrame:
    return run.results[run.results["outcome"] == "depression"]


def test_every_row_of_the_trial_is_accepted(run: Run) -> None:
    assert run.reconciliation[["rows_read", "rows_accepted"]].to_numpy().tolist() == [[1472, 1472]]


def test_our_scores_agree_with_the_delivered_total_where_all_items_were_answered(run: Run) -> None:
    agreement = run.results[run.results["analysis"] == "score_agreement"]
    assert agreement["outcome"].eq("ces-d.total").all()
    assert agreement.set_index("statistic")["value"].to_dict() == {"compared": 1463, "equal": 1439, "different": 24}


def test_the_audit_names_the_rule_of_the_totals_that_differ(run: Run) -> None:
    (found,) = run.results[run.results["analysis"] == "score_audit"].to_dict("records")
    assert (found["outcome"], found["value"]) == ("ces-d.total", 24)
    assert "a missing answer was counted as zero" in found["method"]
    assert "a missing answer was counted as zero" in run.report.read_text()


def test_both_arms_fall_by_about_ten_points_in_six_months(depression: pd.DataFrame) -> None:
    change = depression[(depression["statistic"] == "mean_change") & (depression["timepoint"] == "month_6")].set_index(
        "arm"
    )["value"]
    assert change["clinic"] == pytest.approx(-10, abs=2)
    assert change["usual"] == pytest.approx(-10, abs=2)


def test_the_contrast_is_near_zero_at_every_timepoint(depression: pd.DataFrame) -> None:
    asked = (depression["statistic"] == "difference") & (depression["analysis"] == "model")
    contrasts = depression[asked].set_index("timepoint")
    assert contrasts.index.tolist() == ["month_6", "month_12", "month_18", "month_24"]
    assert contrasts["value"].abs().max() < NEAR_ZERO
    assert ((contrasts["conf_low"] < 0) & (contrasts["conf_high"] > 0)).all()


def test_who_left_decides_nothing_and_the_tipping_point_is_given(run: Run, depression: pd.DataFrame) -> None:
    other = depression[depression["analysis"] == "sensitivity"]
    imputed = other[other["statistic"] == "difference"]
    assert imputed.groupby("item").size().to_dict() == {"jump_to_reference": 4, "missing_at_random": 4}
    assert ((imputed["conf_low"] < 0) & (imputed["conf_high"] > 0)).all()
    assert imputed["value"].abs().max() < NEAR_ZERO
    tipping = other[other["item"] == "tipping_point"].pivot_table(
        index="timepoint", columns="statistic", values="value"
    )
    assert len(tipping) == 4
    assert (tipping["clear_if_lower"] < 0).all()
    assert (tipping["clear_if_higher"] > 0).all()
    text = html.unescape(run.report.read_text())
    assert "At 6 months, the interval holds zero; it would leave zero out only if people of the" in text
    assert "What can be said hangs on what is assumed about those who left" not in text


def test_the_report_never_says_that_the_programme_changed_what_it_did_not(run: Run) -> None:
    page = run.report.read_text()
    body = re.sub(r"<(script|style)\b.*?</\1>", " ", page, flags=re.DOTALL)
    text = html.unescape(re.sub(r"<[^>]+>", " ", body)).lower()
    assert "no clear difference" in text
    for claim in (
        r"clinic[^.]{0,60}\breduc",
        r"\breduce[sd]? (depress|the)",
        r"\bimproved by\b",
        r"\bled to\b",
        r"\bcaused\b",
        r"\bthanks to\b",
        r"\bworks\b",
    ):
        assert not re.search(claim, text), re.search(claim, text)
