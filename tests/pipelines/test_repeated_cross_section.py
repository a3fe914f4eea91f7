"""A study of samples drawn anew, from files to the report: anonymous waves, and people who can be linked in part."""

import csv
from pathlib import Path

import pandas as pd
import pytest

from data_contracts import PeerimpactError
from pipelines.folder import open_folder
from pipelines.run import run_study

DESIGN = ("design: randomised", "design: repeated_cross_section")
ALONE = (
    ("  - {id: usual, label: Usual care, reference: true}\n", ""),
    ("{arm: arm, age: age}", "{age: age}"),
)
ANONYMOUS = ("participant_id: pid", "participant_id: {anonymous: true}")


def rewrite(path: Path, *changes: tuple[str, str]) -> None:
    text = path.read_text()
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    path.write_text(text)


def test_anonymous_waves_of_one_arm_become_a_report_of_people_surveyed(small_study: Path) -> None:
    rewrite(small_study / "study.yaml", DESIGN, ANONYMOUS, *ALONE)
    rewrite(small_study / "sap.yaml", ("peer - usual", "post - baseline"))
    run = run_study(open_folder(small_study))
    assert run.is_complete
    results = pd.read_csv(small_study / "output" / "results.csv", keep_default_na=False)
    counts = results[results["statistic"].isin(["answered", "linked"])]
    assert counts["value"].astype(float).to_list() == [60.0, 60.0, 0.0]
    with (small_study / "answers.csv").open(newline="") as handle:
        rows = list(csv.DictReader(handle))
    totals = pd.DataFrame(
        {
            "wave": [row["wave"] for row in rows],
            "total": [sum(int(row[f"gad_{n}"]) for n in range(1, 8)) for row in rows],
        }
    )
    means = totals.groupby("wave")["total"].mean()
    observed = results[(results["statistic"] == "mean") & (results["analysis"] == "descriptive")]
    assert observed["value"].astype(float).to_list() == pytest.approx(means.to_list())
    page = (small_study / "output" / "report.html").read_text()
    assert "eople surveyed at post scored" in page
    assert "cannot be told" in page


def test_people_who_can_be_linked_are_counted_and_arms_compared(small_study: Path) -> None:
    rewrite(small_study / "study.yaml", DESIGN)
    run_study(open_folder(small_study))
    results = pd.read_csv(small_study / "output" / "results.csv", keep_default_na=False)
    assert results.loc[results["statistic"] == "linked", "value"].astype(float).to_list() == [30.0, 30.0]
    (answer,) = results[(results["estimand"] != "") & (results["analysis"] == "model")].to_dict("records")
    assert (answer["statistic"], answer["verdict"]) == ("difference", "estimated")
    assert "compared by differences from baseline" in answer["method"]


def test_one_arm_alone_is_no_reference(small_study: Path) -> None:
    rewrite(
        small_study / "study.yaml",
        DESIGN,
        ("  - {id: peer, label: Peer support}\n", ""),
        ("{arm: arm, age: age}", "{age: age}"),
    )
    with pytest.raises(PeerimpactError, match="one arm alone is no reference"):
        open_folder(small_study)
