"""A plan is frozen once, before outcomes are read; what came first is never lost, and what was edited is noticed."""

import html
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from analysis.fingerprint import fingerprint
from pipelines.cli import app
from pipelines.errors import PipelineError
from pipelines.folder import StudyFolder, open_folder
from pipelines.freezing import FILE, freeze_plan, load_frozen
from pipelines.ledger import FILE as LEDGER
from pipelines.ledger import first_reading, record_reading

from .folders import rewrite

COVARIATES = ("covariates: [age]", "covariates: []")


def peerimpact(*words: object, code: int = 0) -> str:
    outcome = CliRunner().invoke(app, [str(word) for word in words])
    assert outcome.exit_code == code, outcome.output
    return outcome.output


def machine(*words: object, code: int = 0) -> dict[str, Any]:
    return dict(json.loads(peerimpact(*words, "--json", code=code)))


def read_outcomes(study: Path, output: Path | None = None) -> StudyFolder:
    """Leave the trace of a run."""
    folder = open_folder(study, output=output)
    record_reading(folder, "run", {"answers.csv": "ab" * 32})
    return folder


def words_of(report: Path) -> str:
    text = re.sub(r"<(script|style)\b.*?</\1>", " ", report.read_text(), flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


def test_a_plan_that_is_frozen_first_is_pre_specified_and_what_is_changed_later_is_a_deviation(
    small_study: Path,
) -> None:
    assert "Frozen on" in peerimpact("plan", "freeze", small_study)
    asked = machine("run", small_study)["estimands"]
    assert [row["prespecified"] for row in asked] == [True]
    report = small_study / "output" / "report.html"
    assert "Not pre-specified" not in words_of(report)
    assert "Nothing was done otherwise than in the plan that was frozen." in words_of(report)

    rewrite(small_study, COVARIATES, name="sap.yaml")
    asked = machine("run", small_study)["estimands"]
    assert [row["prespecified"] for row in asked] == [False]
    page = words_of(report)
    assert "estimands.anxiety_post.covariates age nothing anxiety_post" in page
    assert page.count("Not pre-specified: this question, or how it is answered, is not as in the plan") == 2


def test_a_plan_that_is_frozen_after_a_run_is_told_as_such_and_nothing_of_it_is_pre_specified(
    small_study: Path,
) -> None:
    peerimpact("run", small_study)
    report = small_study / "output" / "report.html"
    assert "Not pre-specified: the plan was not frozen before outcomes were read." in words_of(report)
    (line,) = [json.loads(line) for line in (small_study / "output" / LEDGER).read_text().splitlines()]
    assert set(line) == {"on", "command", "plan", "data", "asked"}
    assert f"after outcomes were read on {line['on']}" in peerimpact("plan", "freeze", small_study)
    state = machine("plan", "show", small_study)
    assert state["is_frozen_before_outcomes"] is False
    assert state["versions"][0]["outcomes_read_on"] == state["outcomes_read_on"] == line["on"]
    assert state["versions"][0]["fingerprint"] == line["plan"]
    assert state["estimands"] == {"anxiety_post": False}


def test_a_check_reads_no_outcome_that_it_tells_and_leaves_no_trace(small_study: Path) -> None:
    peerimpact("check", small_study)
    assert first_reading(open_folder(small_study)) == ""


def test_a_run_whose_output_goes_elsewhere_leaves_its_trace_in_the_study_too(small_study: Path, tmp_path: Path) -> None:
    read_outcomes(small_study, tmp_path / "elsewhere")
    assert (tmp_path / "elsewhere" / LEDGER).is_file()
    shutil.rmtree(tmp_path / "elsewhere")
    assert first_reading(open_folder(small_study)) != ""


def test_a_ledger_that_cannot_be_read_is_not_taken_for_an_empty_one(small_study: Path) -> None:
    folder = read_outcomes(small_study)
    (small_study / "output" / LEDGER).write_text("nothing happened\n")
    with pytest.raises(PipelineError, match="whether outcomes were read before is not known"):
        freeze_plan(folder)
    assert not (small_study / FILE).exists()


def test_a_ledger_that_cannot_be_written_keeps_results_from_being_told(small_study: Path) -> None:
    (small_study / "output").write_text("a file where the folder should be")
    with pytest.raises(PipelineError, match="ledger of runs cannot be written"):
        read_outcomes(small_study)


def test_a_study_is_not_frozen_until_somebody_does_so(small_study: Path) -> None:
    assert "not frozen; as far as the ledger tells, outcomes were not read" in peerimpact("plan", "show", small_study)
    read_outcomes(small_study)
    assert "outcomes were read on 2" in peerimpact("plan", "show", small_study)
    assert machine("plan", "show", small_study)["versions"] == []


def test_a_frozen_plan_is_not_overwritten_and_an_amendment_keeps_what_came_before(small_study: Path) -> None:
    freeze_plan(open_folder(small_study), on="2025-01-06")
    before = (small_study / FILE).read_bytes()
    assert "is unchanged" in peerimpact("plan", "freeze", small_study, code=2)
    rewrite(small_study, COVARIATES, name="sap.yaml")
    assert "--again" in peerimpact("plan", "freeze", small_study, code=2)
    assert "--again" in peerimpact("plan", "freeze", small_study, "--again", "  ", code=2)
    assert (small_study / FILE).read_bytes() == before

    peerimpact("plan", "freeze", small_study, "--again", "age was not asked")
    read_outcomes(small_study)
    rewrite(small_study, ("role: primary", "role: primary, smallest_meaningful_change: {value: 4, source: late}"),
            name="sap.yaml")  # fmt: skip
    peerimpact("plan", "freeze", small_study, "--again", "a reviewer asked")
    frozen = load_frozen(small_study)
    assert frozen is not None
    assert [version.reason for version in frozen.versions] == ["", "age was not asked", "a reviewer asked"]
    assert [bool(version.outcomes_read_on) for version in frozen.versions] == [False, False, True]
    assert frozen.versions[0].frozen_on == "2025-01-06"
    assert frozen.versions[0].content["plan"]["estimands"][0]["covariates"] == ["age"]
    state = machine("plan", "show", small_study)
    assert [version["is_held_against"] for version in state["versions"]] == [False, True, False]
    assert [(each["path"], each["kind"]) for each in state["deviations"]] == [
        ("outcomes.anxiety.smallest_meaningful_change", "added")
    ]
    assert "Differs now from what was frozen on" in peerimpact("plan", "show", small_study)


def test_a_reason_without_anything_to_amend_is_refused(small_study: Path) -> None:
    assert "no frozen plan to amend" in peerimpact("plan", "freeze", small_study, "--again", "why not", code=2)
    assert not (small_study / FILE).exists()


def test_the_frozen_file_is_readable_and_says_the_same_whenever_it_is_written(
    small_study: Path, tmp_path: Path
) -> None:
    freeze_plan(open_folder(small_study), on="2025-01-06")
    document = json.loads((small_study / FILE).read_text())
    assert document["format"] == 1
    (version,) = document["versions"]
    assert (version["frozen_on"], version["outcomes_read_on"]) == ("2025-01-06", "")
    assert version["plan"]["estimands"][0]["model"] == "mmrm"
    assert version["design"]["kind"] == "randomised"
    assert version["design"]["instruments"]["gad-7"]["version"]
    assert (small_study / FILE).read_text().count("\n") > 50
    again = tmp_path / "again"
    shutil.copytree(small_study, again)
    (again / FILE).unlink()
    text = (again / "sap.yaml").read_text()
    (again / "sap.yaml").write_text(f"# the same\nengine: 'peerimpact'\n{text}")
    freeze_plan(open_folder(again), on="2025-01-06")
    assert (again / FILE).read_bytes() == (small_study / FILE).read_bytes()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('"frozen_on": "2025-01-06"', '"frozen_on": "2024-01-06"'),
        ('"outcomes_read_on": "2', '"outcomes_read_on": "", "was": "2'),
        ('"age"', '"gender"'),
        ('"role": "primary"', '"role": "exploratory"'),
        ('"kind": "randomised"', '"kind": "single_group"'),
        ('"seal": "', '"seal": "0'),
    ],
)
def test_a_frozen_plan_that_was_edited_by_hand_stops_every_command(small_study: Path, before: str, after: str) -> None:
    freeze_plan(read_outcomes(small_study), on="2025-01-06")
    rewrite(small_study, (before, after), name=FILE)
    for command in (("plan", "show"), ("plan", "freeze"), ("run",)):
        told = peerimpact(*command, small_study, code=2)
        assert "its fingerprint does not fit its contents" in told
        assert FILE in told
    assert machine("plan", "show", small_study, code=2)["problems"][0]["code"] == "frozen_changed"


@pytest.mark.parametrize("text", ["", "not json", "[]", "{}", '{"format": 1}'])
def test_a_file_that_is_no_frozen_plan_is_told(small_study: Path, text: str) -> None:
    (small_study / FILE).write_text(text)
    assert "The frozen plan" in peerimpact("plan", "show", small_study, code=2)


def test_a_file_of_another_format_is_not_guessed_at(small_study: Path) -> None:
    freeze_plan(open_folder(small_study))
    document = json.loads((small_study / FILE).read_text())
    del document["seal"]
    document["format"] = 2
    (small_study / FILE).write_text(json.dumps(document | {"seal": fingerprint(document)}))
    assert "written by another version" in peerimpact("plan", "show", small_study, code=2)


def test_another_layout_of_the_same_file_is_no_edit(small_study: Path) -> None:
    freeze_plan(open_folder(small_study), on="2025-01-06")
    document = json.loads((small_study / FILE).read_text())
    (small_study / FILE).write_text(json.dumps(dict(reversed(document.items()))))
    assert "Nothing differs" in peerimpact("plan", "show", small_study)


def test_the_synthetic_example_comes_with_a_plan_that_was_frozen_before_its_data(tmp_path: Path) -> None:
    peerimpact("simulate", tmp_path / "harbour", "--participants", "120")
    state = machine("plan", "show", tmp_path / "harbour")
    assert state["is_frozen_before_outcomes"] is True
    assert state["deviations"] == []
    assert all(state["estimands"].values())
