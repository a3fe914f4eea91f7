"""Study folders of each randomised design, from files to the report, and declarations that contradict themselves."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from data_contracts import PeerimpactError
from pipelines.cli import app
from pipelines.folder import open_folder
from pipelines.run import run_study
from reports.lint import plain_text, readable_text

STUDY = """\
study: drawn
title: A study by lot
design: {design}
timepoints:
{timepoints}
arms:
{arms}
{groups}
missing_codes: {{-9: refused}}
sources:
  - path: answers.csv
    format: csv
    participant_id: pid
    timepoint: {{column: wave, values: {{1: t0, 2: t1, 3: t2, 4: t3}}}}
    participant_columns: {{arm: arm, group: group}}
    instruments:
      gad-7: {{items: "gad_{{n}}"}}
"""
PLAN = """\
sap: 1
outcomes:
  - {{id: anxiety, measure: gad-7.total, role: primary}}
estimands:
  - {{id: asked, outcome: anxiety, contrast: {contrast}, timepoint: {timepoint}}}
"""
TIMEPOINTS = "\n".join(f"  - {{id: t{place}, week: {8 * place}, label: wave {place + 1}}}" for place in range(4))
DRAWN = "groups: {{meets_in: [{}], randomised: true}}"


def write_folder(
    folder: Path,
    design: str,
    arms: Sequence[str],
    begins: Sequence[int],
    *,
    groups: int,
    contrast: str,
    timepoint: str,
    lines: str = "",
    size: int = 12,
) -> Path:
    """Write a study in which arm `i` has the programme from wave `begins[i]` on; `arms` are lines of study.yaml."""
    ids = [line.partition(":")[2].partition(",")[0].strip() for line in arms]
    text = STUDY.format(
        design=design, timepoints=TIMEPOINTS, arms="\n".join(f"  - {line}" for line in arms), groups=lines
    )
    folder.mkdir()
    (folder / "study.yaml").write_text(text)
    (folder / "sap.yaml").write_text(PLAN.format(contrast=contrast, timepoint=timepoint))
    rng, rows = np.random.default_rng(3), []
    for group in range(groups):
        place, of_group = group % len(ids), rng.normal(0, 0.1)
        for person in range(size):
            level = rng.normal(0, 0.5) + of_group
            for wave in range(4):
                shift = -0.6 * (wave >= begins[place])
                answers = np.clip(np.round(1.6 + level + shift + rng.normal(0, 0.6, 7)), 0, 3).astype(int)
                rows.append([f"P{group:02}{person:02}", wave + 1, ids[place], f"G{group}", *answers])
    columns = ["pid", "wave", "arm", "group", *(f"gad_{item}" for item in range(1, 8))]
    pd.DataFrame(rows, columns=columns).to_csv(folder / "answers.csv", index=False)
    return folder


def waitlist(folder: Path, **changes) -> Path:
    arms = (
        "{id: peer, label: Peer support}",
        "{id: waiting, label: Waiting list, reference: true, starts: t1}",
    )
    asked = {"contrast": "peer - waiting", "timepoint": "t1"} | changes
    return write_folder(folder, "waitlist", arms, (1, 2), groups=8, **asked)


def clusters(folder: Path, groups: int = 12, size: int = 12) -> Path:
    arms = ("{id: peer, label: Peer support}", "{id: usual, label: Usual care, reference: true}")
    drawn = DRAWN.format("peer, usual")
    asked = {"contrast": "peer - usual", "timepoint": "t3", "lines": drawn, "size": size}
    return write_folder(folder, "randomised", arms, (1, 9), groups=groups, **asked)


def wedge(folder: Path, size: int = 12) -> Path:
    arms = tuple(f"{{id: from_{at}, label: From {at}, starts: {at}}}" for at in ("t1", "t2", "t3"))
    drawn = DRAWN.format("from_t1, from_t2, from_t3")
    asked = {"contrast": "programme - before", "timepoint": "t3", "lines": drawn, "size": size}
    return write_folder(folder, "stepped_wedge", arms, (1, 2, 3), groups=6, **asked)


def told(folder: Path) -> tuple[pd.DataFrame, str]:
    """Run a study and return its results and what its report says, which passed the lint."""
    run_study(open_folder(folder))
    results = pd.read_csv(folder / "output" / "results.csv", keep_default_na=False)
    return results, plain_text(readable_text((folder / "output" / "report.html").read_text()))


def answer(results: pd.DataFrame) -> dict[str, str]:
    (row,) = results[(results["estimand"] == "asked") & (results["analysis"] == "model")].to_dict("records")
    return row


def test_a_waiting_list_is_told_as_randomised_and_its_limit_is_said(tmp_path: Path) -> None:
    results, page = told(waitlist(tmp_path / "study"))
    assert answer(results)["verdict"] == "estimated"
    assert "Peer support reduces symptoms of anxiety: at wave 2, people in the Peer support arm scored" in page or (
        "Peer support probably reduces" in page
    )
    assert "comparisons with a waiting list tend to show larger differences" in page
    assert "Chance decided who began at once and who waited" in page


def test_nobody_is_compared_with_people_who_have_begun(tmp_path: Path) -> None:
    results, page = told(waitlist(tmp_path / "study", timepoint="t2"))
    assert answer(results)["verdict"] == "refused:nobody_waits"
    assert "had begun the programme too, so nobody remained to compare with" in page


def test_groups_drawn_by_lot_are_told_with_the_permutation_test(tmp_path: Path) -> None:
    results, page = told(clusters(tmp_path / "study"))
    row = answer(results)
    assert "per group" in row["method"]
    test = results[results["analysis"] == "permutation"].set_index("statistic")["value"].astype(float)
    assert test["fewest_units"] == 6
    assert test["p_value"] < 0.05
    assert "The same question without a model" in page
    assert "of all ways to draw the groups (about 920)" in page
    assert "Drawing them anew shows what differences luck alone makes" in page


def test_three_groups_in_each_arm_are_never_clear(tmp_path: Path) -> None:
    results, page = told(clusters(tmp_path / "study", groups=6, size=20))
    assert float(answer(results)["conf_high"]) < 0
    assert "No clear difference in" in page
    assert "chance remains a possible explanation" in page
    assert "Peer support reduces" not in page
    assert "this share cannot be smaller than 10.0 %" in page
    assert "of all ways to draw them would alone give a difference this large" in page


def test_a_stepped_wedge_is_told_by_time_with_the_programme_and_before(tmp_path: Path) -> None:
    results, page = told(wedge(tmp_path / "study"))
    row = answer(results)
    assert (row["verdict"], row["contrast"]) == ("estimated", "programme - before")
    assert "up to wave 4, people measured while their group had the programme scored" in page
    assert "while it had not, allowing for time (95 % interval" in page
    assert "in an order that was drawn by lot" in page
    assert "with the programme \u2212 before it" in page
    assert "From t2" in page


def test_small_sequences_hide_their_means_and_not_the_difference(tmp_path: Path) -> None:
    folder = wedge(tmp_path / "study", size=4)  # eight people in a sequence
    _, page = told(folder)
    assert "up to wave 4, people measured while their group had the programme scored" in page
    assert page.count("not shown") > 10


@pytest.mark.parametrize(
    ("make", "before", "after", "words"),
    [
        (waitlist, ", starts: t1", "", "Nothing says when the people of 'waiting' stop waiting"),
        (waitlist, "starts: t1", "starts: t7", "Found 't7', which is not declared"),
        (waitlist, "starts: t1", "starts: t0", "'t0' is the baseline"),
        (waitlist, "label: Peer support}", "label: Peer support, starts: t1}", "'peer' is not the reference arm"),
        (waitlist, "design: waitlist", "design: randomised", "'starts' belongs to a waitlist"),
        (clusters, "meets_in: [peer, usual]", "meets_in: [peer]", "the people of every arm belong to a group"),
        (clusters, "design: randomised", "design: matched_comparison", "do not go with the design matched_comparison"),
        (wedge, "starts: t3}", "starts: t3, reference: true}", "none is a reference"),
        (wedge, ", randomised: true", "", "the order of the groups was drawn by lot"),
        (wedge, "groups: {meets_in: [from_t1, from_t2, from_t3], randomised: true}", "", "everybody belongs to one"),
        (wedge, "meets_in: [from_t1, from_t2, from_t3]", "meets_in: [from_t1]", "everybody belongs to one"),
        (wedge, "{id: from_t1,", "{id: programme,", "Give the sequence another id"),
        (wedge, "arm: arm, ", "", "No source tells the arm"),
    ],
)
def test_a_design_that_contradicts_itself_is_an_error_with_a_way_out(tmp_path, make, before, after, words) -> None:
    folder = make(tmp_path / "study")
    text = (folder / "study.yaml").read_text()
    assert before in text
    (folder / "study.yaml").write_text(text.replace(before, after))
    with pytest.raises(PeerimpactError, match=words):
        open_folder(folder)


def test_groups_of_a_wedge_begin_one_after_the_other(tmp_path: Path) -> None:
    folder = wedge(tmp_path / "study")
    text = (folder / "study.yaml").read_text()
    (folder / "study.yaml").write_text(text.replace("starts: t2", "starts: t1").replace("starts: t3", "starts: t1"))
    with pytest.raises(PeerimpactError, match="groups begin at different timepoints"):
        open_folder(folder)


def test_a_wedge_asks_for_its_own_contrast(tmp_path: Path) -> None:
    folder = wedge(tmp_path / "study")
    text = (folder / "sap.yaml").read_text()
    (folder / "sap.yaml").write_text(text.replace("programme - before", "from_t1 - from_t2"))
    with pytest.raises(PeerimpactError, match="Write 'programme - before'"):
        open_folder(folder)


@pytest.mark.parametrize(
    ("design", "lines"),
    [
        ("waitlist", ["reference: true, starts: time_2}  # DECIDE: when it begins"]),
        (
            "stepped_wedge",
            [
                "{id: peer, label: peer, starts: time_2}",
                "groups: {meets_in: [peer, usual], randomised: true}  # DECIDE",
            ],
        ),
    ],
)
def test_init_proposes_a_design_that_a_person_can_complete(design: str, lines: Sequence[str], tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(rng.integers(0, 4, (80, 9)), columns=[f"phq_{n}" for n in range(1, 10)])
    frame.insert(0, "pid", [f"K{n % 40:03}" for n in range(80)])
    frame.insert(1, "arm", [("peer", "usual")[n % 2] for n in range(80)])
    frame.insert(2, "group", [f"g{n % 8}" for n in range(80)])
    frame["wave"] = ["T1"] * 40 + ["T2"] * 40
    frame.to_csv(tmp_path / "answers.csv", index=False)
    told = CliRunner().invoke(
        app, ["init", str(tmp_path / "answers.csv"), "--into", str(tmp_path / "study"), "--design", design]
    )
    assert told.exit_code == 0, told.output
    text = (tmp_path / "study" / "study.yaml").read_text()
    for line in lines:
        assert line in text
    assert open_folder(tmp_path / "study", data_root=tmp_path).design.kind == design
