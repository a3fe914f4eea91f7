"""A comparison of arms as they came, from files to the report; and declarations that cannot be carried out."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data_contracts import PeerimpactError
from pipelines.folder import open_folder
from pipelines.proposing.initialise import init_study
from pipelines.proposing.source_proposals import InitAnswers
from pipelines.run import run_study
from reports.lint import FORBIDDEN, TECHNICAL, plain_text, readable_text

from .folders import rewrite

DESIGN = ("design: randomised", "design: comparison")
PLACE = (
    "  - {id: age, kind: number, range: [18, 99]}\n",
    "  - {id: age, label: Age, kind: number, range: [18, 99]}\n"
    "  - {id: place, label: Place, kind: category, levels: {1: village, 2: town}}\n",
)


@pytest.fixture
def unlike_study(small_study: Path) -> Path:
    """A folder of 200 people, of whom the older and more anxious sooner joined the programme."""
    rng = np.random.default_rng(6)
    rows = []
    for person in range(200):
        level, age, place = rng.normal(), int(rng.integers(20, 70)), int(rng.integers(1, 3))
        arm = "peer" if rng.random() < 1 / (1 + np.exp(-0.7 * level - 0.03 * (age - 45))) else "usual"
        for wave in (1, 2):
            shift = -0.5 * (wave == 2) * (arm == "peer")
            answers = np.clip(np.round(1.5 + level * 0.6 + shift + rng.normal(0, 0.7, 7)), 0, 3).astype(int)
            rows.append([f"P{person:03}", wave, arm, age, place, *answers])
    columns = ["pid", "wave", "arm", "age", "place", *[f"gad_{n}" for n in range(1, 8)]]
    pd.DataFrame(rows, columns=columns).to_csv(small_study / "answers.csv", index=False)
    rewrite(small_study, DESIGN, PLACE, ("{arm: arm, age: age}", "{arm: arm, age: age, place: place}"))
    rewrite(small_study, ("[age]", "[age, place]"), name="sap.yaml")
    return small_study


def run(folder: Path, *, is_complete: bool = True) -> tuple[pd.DataFrame, str]:
    assert run_study(open_folder(folder)).is_complete == is_complete
    results = pd.read_csv(folder / "output" / "results.csv", keep_default_na=False)
    return results, plain_text(readable_text((folder / "output" / "report.html").read_text()))


def test_arms_as_they_came_become_a_report_of_an_association(unlike_study: Path) -> None:
    results, page = run(unlike_study)
    (answer,) = results[(results["analysis"] == "model") & (results["estimand"] != "")].to_dict("records")
    assert (answer["verdict"], answer["statistic"]) == ("estimated", "difference")
    assert answer["method"].startswith("Difference of mean scores at the timepoint, of people weighted")
    assert (
        "ompared with similar people in the Usual care arm, after adjusting for Age, Place and the score at baseline by "
        "overlap weights, being in the Peer support arm was associated with a score on the"
    ) in page
    assert "How alike the compared people were" in page
    assert "effective sample size" in page
    assert "nobody was matched" in page
    for words in TECHNICAL:
        page = page.replace(words, "")
    assert FORBIDDEN.findall(page) == []
    shown = results[results["analysis"].isin(["balance", "unmeasured"])]
    assert set(shown["statistic"]) == {
        "standardised_difference_before", "standardised_difference_after", "effective_share", "left_out_at_most",
        "e_value", "e_value_of_limit",
    }  # fmt: skip
    assert set(shown["n"]) == {""}
    after = shown.loc[shown["statistic"] == "standardised_difference_after", "value"].astype(float)
    before = shown.loc[shown["statistic"] == "standardised_difference_before", "value"].astype(float)
    assert after.abs().max() < 0.005 < 0.25 < before.abs().max()


def test_weights_may_be_asked_for_in_a_matched_comparison(unlike_study: Path) -> None:
    rewrite(unlike_study, ("design: comparison", "design: matched_comparison"))
    rewrite(unlike_study, ("[age, place]", "[age, place], model: overlap_weights"), name="sap.yaml")
    results, page = run(unlike_study)
    assert "standardised_difference_after" in set(results["statistic"])
    assert "by overlap weights" in page


def test_people_without_a_counterpart_are_refused_with_a_way_out(unlike_study: Path) -> None:
    rows = pd.read_csv(unlike_study / "answers.csv")
    rows["place"] = np.where(rows["arm"] == "peer", 1, 2)
    rows.to_csv(unlike_study / "answers.csv", index=False)
    results, page = run(unlike_study, is_complete=False)
    (answer,) = results[(results["analysis"] == "model") & (results["estimand"] != "")].to_dict("records")
    assert answer["verdict"] == "refused:no_overlap"
    assert "nobody has a counterpart in the other arm" in page
    assert "How alike the compared people were" not in page


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ((", covariates: [age, place]", ""), "covariates: \\[age\\]"),
        (("[age, place]", "[age, place], covariance: us"), "'covariance' is an option of 'mmrm'"),
        (("[age, place]", "[age, place], model: least_squares"), "does not go with the design comparison"),
        (("[age, place]", "[age, hight]"), "hight"),
    ],
)
def test_a_plan_that_cannot_be_carried_out_is_refused_by_line(unlike_study: Path, change, said: str) -> None:
    rewrite(unlike_study, change, name="sap.yaml")
    with pytest.raises(PeerimpactError, match=said):
        open_folder(unlike_study)


def test_a_comparison_needs_a_reference_arm(unlike_study: Path) -> None:
    rewrite(unlike_study, (", reference: true", ""))
    with pytest.raises(PeerimpactError, match="reference: true"):
        open_folder(unlike_study)


def test_a_proposed_comparison_is_adjusted_for_what_was_found_or_not_proposed(
    unlike_study: Path, tmp_path: Path
) -> None:
    told = InitAnswers(design="comparison", timepoint_column="wave")
    init_study([unlike_study / "answers.csv"], tmp_path / "draft", told)
    opened = open_folder(tmp_path / "draft", data_root=unlike_study)
    assert [each.covariates for each in opened.plan.value.estimands] == [["age"]]
    rows = pd.read_csv(unlike_study / "answers.csv").drop(columns="age")
    rows.to_csv(tmp_path / "bare.csv", index=False)
    with pytest.raises(PeerimpactError, match="no column of age or gender was recognised"):
        init_study([tmp_path / "bare.csv"], tmp_path / "other", told)
