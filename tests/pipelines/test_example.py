"""The example from end to end: known truth, seeded faults, the same bytes every time."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner

from pipelines.cli import app
from pipelines.folder import open_folder
from pipelines.run import Run, run_study
from pipelines.simulation.harbour import write_study
from pipelines.store import Store

PUBLISHED = [
    "codebook.csv", "drift.csv", "linking.csv", "provenance.json", "quarantine.csv", "reconciliation.csv",
    "report.html", "results.csv", "results.parquet", "summary.html", "tables.xlsx",
]  # fmt: skip
STEPS = ["intake", "scores", "results", "report"]


@pytest.fixture(scope="module")
def harbour(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("studies") / "harbour"
    shutil.copytree(project / "examples" / "harbour", folder, ignore=shutil.ignore_patterns("output"))
    return folder


@pytest.fixture(scope="module")
def steps() -> list[str]:
    return []


@pytest.fixture(scope="module")
def run(harbour: Path, steps: list[str]) -> Run:
    return run_study(open_folder(harbour), steps.append)


@pytest.fixture(scope="module")
def truth(harbour: Path) -> dict[str, Any]:
    return dict(json.loads((harbour / "truth.json").read_text()))


def test_the_example_in_the_repository_is_what_simulate_writes(project: Path, tmp_path: Path) -> None:
    write_study(tmp_path / "again")
    written = {
        path.relative_to(tmp_path / "again"): path.read_bytes()
        for path in (tmp_path / "again").rglob("*")
        if path.is_file()
    }
    kept = project / "examples" / "harbour"
    assert len(written) == 13
    assert written == {name: (kept / name).read_bytes() for name in written}


def test_every_estimand_is_estimated_and_its_interval_holds_the_truth(run: Run, truth: dict[str, Any]) -> None:
    assert run.is_complete
    estimates = run.estimands.set_index("estimand")
    assert set(estimates.index) == set(truth["estimands"])
    for name, value in truth["estimands"].items():
        assert estimates.loc[name, "conf_low"] < value < estimates.loc[name, "conf_high"], name


def test_every_seeded_fault_is_in_quarantine_with_file_row_column_rule_and_advice(
    run: Run, harbour: Path, truth: dict[str, Any]
) -> None:
    published = pd.read_csv(harbour / "output" / "quarantine.csv", keep_default_na=False, encoding="utf-8-sig")
    where = ["source", "source_row", "column", "rule", "severity"]
    assert published[where].to_dict("records") == pd.DataFrame(truth["faults"])[where].sort_values(where[:4]).to_dict(
        "records"
    )
    assert published["how_to_fix"].str.len().gt(10).all()
    assert published["reason"].str.len().gt(10).all()


def test_the_reconciliation_adds_up_to_the_rows_in_the_files(run: Run, harbour: Path) -> None:
    table = run.reconciliation.set_index("source")
    assert (table["rows_read"] == table["rows_accepted"] + table["rows_quarantined"] + table["rows_excluded"]).all()
    for path in (harbour / "data").glob("*.csv"):
        assert table.loc[f"data/{path.name}", "rows_read"] == len(path.read_text().splitlines()) - 1


def test_a_delivered_total_that_differs_from_ours_is_counted(run: Run) -> None:
    agreement = run.results[run.results["analysis"] == "score_agreement"].set_index("statistic")["value"]
    assert agreement["different"] == 3
    assert agreement["compared"] == agreement["equal"] + 3


def test_the_report_tells_what_was_held_and_how_often_people_came_as_the_log_has_it(run: Run, harbour: Path) -> None:
    lines = pd.read_csv(harbour / "data" / "attendance.csv", dtype="str")
    aside = run.quarantine[run.quarantine["source"].eq("data/attendance.csv") & run.quarantine["severity"].ne("cell")]
    used = lines.drop(index=aside["source_row"] - 2)
    held = used.loc[used["attended"] != "c", ["group", "week"]].drop_duplicates()
    delivery = run.results[(run.results["analysis"] == "delivery") & (run.results["item"] == "")].set_index("statistic")
    assert delivery.loc["sessions_held", "value"] == len(held)
    people = delivery.loc["mean_attended", "n"]
    assert delivery.loc["mean_attended", "value"] == pytest.approx(used["attended"].eq("1").sum() / people)
    assert delivery.loc["facilitators", "value"] == used["facilitator"].nunique()
    page = (harbour / "output" / "report.html").read_text()
    assert f"Peer support: {len(held)} sessions were held" in page
    assert not any(name in page for name in ("F1<", ">F2", "X900"))


def test_a_second_run_publishes_the_same_bytes_under_another_key(
    run: Run, harbour: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = {name: (harbour / "output" / name).read_bytes() for name in PUBLISHED}
    monkeypatch.setenv("PEERIMPACT_KEY_FILE", str(tmp_path / "other.key"))
    run_study(open_folder(harbour, output=tmp_path / "again"))
    assert {name: (tmp_path / "again" / name).read_bytes() for name in PUBLISHED} == first
    written = {path.name for path in (tmp_path / "again").iterdir() if not path.name.startswith(".")}
    assert written == {*PUBLISHED, "runs.jsonl", "store.duckdb"}


def test_nothing_that_is_published_holds_a_pseudonym_or_an_id(run: Run, harbour: Path) -> None:
    people = Store(open_folder(harbour).store).load("participants")["participant_id"]
    for name in PUBLISHED:
        content = (harbour / "output" / name).read_bytes()
        assert not any(person.encode() in content for person in people), name
        told = re.sub(rb"<svg.*?</svg>", b"", content, flags=re.DOTALL)  # a path goes on with H and a number
        assert not any(f"H{number:03}".encode() in told for number in range(1, 241)) or name == "report.html"


def test_the_steps_are_told_in_their_order(run: Run, steps: list[str]) -> None:
    assert steps == STEPS


def test_the_command_line_ends_with_the_path_of_the_report(harbour: Path, tmp_path: Path) -> None:
    outcome = CliRunner().invoke(app, ["run", str(harbour), "--output", str(tmp_path / "out")])
    assert outcome.exit_code == 0
    assert outcome.stdout.strip().splitlines()[-1] == str(tmp_path / "out" / "report.html")
    assert "rows read" in outcome.stdout
    assert "stigma_post: -" in outcome.stdout


def test_a_machine_reads_the_run_as_one_document(small_study: Path) -> None:
    outcome = CliRunner().invoke(app, ["run", str(small_study), "--json"])
    document = json.loads(outcome.stdout)
    assert document["exit_code"] == outcome.exit_code == 0
    assert Path(document["report"]).is_file()
    assert document["estimands"][0]["verdict"] == "estimated"


def test_a_refused_estimand_ends_with_one_and_leaves_the_rest_of_the_report(small_study: Path) -> None:
    text = (small_study / "answers.csv").read_text().splitlines()
    kept = [line for number, line in enumerate(text) if number == 0 or line.split(",")[1] == "1"]
    (small_study / "answers.csv").write_text("\n".join(kept) + "\n")
    outcome = CliRunner().invoke(app, ["run", str(small_study)])
    assert outcome.exit_code == 1, outcome.output
    assert "refused:one_timepoint" in outcome.stdout
    assert (small_study / "output" / "report.html").is_file()


def test_a_second_run_of_the_same_study_at_the_same_time_is_told_to_wait(small_study: Path) -> None:
    import fcntl

    (small_study / "output").mkdir()
    with (small_study / "output" / ".lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        outcome = CliRunner().invoke(app, ["run", str(small_study)])
    assert outcome.exit_code == 2
    assert "under way" in outcome.output + outcome.stderr


def test_a_failed_run_leaves_the_published_report_in_place(small_study: Path) -> None:
    assert CliRunner().invoke(app, ["run", str(small_study)]).exit_code == 0
    before = (small_study / "output" / "report.html").read_bytes()
    (small_study / "answers.csv").write_text("pid\n")
    assert CliRunner().invoke(app, ["run", str(small_study)]).exit_code == 2
    assert (small_study / "output" / "report.html").read_bytes() == before


def test_simulate_refuses_to_write_over_a_study_and_numbers_that_do_not_fit(tmp_path: Path) -> None:
    assert CliRunner().invoke(app, ["simulate", str(tmp_path / "s"), "--participants", "120"]).exit_code == 0
    for arguments, words in (
        (["simulate", str(tmp_path / "s")], "nothing is overwritten"),
        (["simulate", str(tmp_path / "t"), "--participants", "150"], "multiple of 40"),
    ):
        outcome = CliRunner().invoke(app, arguments)
        assert outcome.exit_code == 2
        assert words in outcome.output + outcome.stderr
