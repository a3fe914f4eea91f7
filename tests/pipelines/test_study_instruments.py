"""The instruments of a study: variants, definitions of its own, and scores that were only delivered."""

from pathlib import Path

import pandas as pd
import pytest

from data_contracts import PeerimpactError
from pipelines.checking import check_study
from pipelines.folder import open_folder
from pipelines.intake import take_in
from pipelines.linking import load_key
from pipelines.run import run_study
from pipelines.scores import derive_scores
from pipelines.settings import key_file

from .folders import rewrite

OWN = """\
id: worry
version: 1.0.0
changes: {1.0.0: First version.}
name: Worry in seven questions
short_name: Worry
construct_name: worry
domain: mental_health
citation: {text: None}
licence: {status: free, terms: Free., source: Us}
response_sets: {how: {options: [{value: 0}, {value: 1}, {value: 2}, {value: 3}]}}
items:
  - {id: 1, concept: first, response_set: how, reverse: true}
  - {id: 2, concept: second, response_set: how}
  - {id: 3, concept: third, response_set: how}
  - {id: 4, concept: fourth, response_set: how}
  - {id: 5, concept: fifth, response_set: how}
  - {id: 6, concept: sixth, response_set: how}
  - {id: 7, concept: seventh, response_set: how}
measures:
  - {id: total, label: Worry, concept: worry, method: sum, missing: {max_missing: 0, treat: none}, range: [0, 21],
     higher_is: worse}
variants:
  - {id: from-one, kind: coding, label: From 1, response_sets: {how: {options: [{value: 1}, {value: 2}, {value: 3},
     {value: 4}]}}, measures: {total: {range: [7, 28]}}, status: confirmed, source: Us}
  - {id: turned, kind: item_order, label: Backwards, order: [7, 6, 5, 4, 3, 2, 1], status: confirmed, source: Us}
facts:
  items: {status: confirmed, source: Us}
  response_options: {status: confirmed, source: Us}
  reverse: {status: confirmed, source: Us}
  scoring: {status: confirmed, source: Us}
  missing_rule: {status: confirmed, source: Us}
  range: {status: confirmed, source: Us}
  direction: {status: confirmed, source: Us}
  licence: {status: confirmed, source: Us}
  citation: {status: confirmed, source: Us}
"""


@pytest.fixture
def own_study(small_study: Path) -> Path:
    """The small study with a definition of its own instead of the GAD-7."""
    (small_study / "instruments").mkdir()
    (small_study / "instruments" / "worry.yaml").write_text(OWN)
    rewrite(small_study, ("gad-7: {items", "worry: {items"))
    rewrite(small_study, ("gad-7.total", "worry.total"), name="sap.yaml")
    return small_study


def scores_of(path: Path) -> pd.DataFrame:
    folder = open_folder(path)
    study = folder.study.value
    intake = take_in(study, folder.data_root, folder.library, load_key(key_file()))
    scores = derive_scores(intake.responses, intake.delivered_scores, study, folder.library)
    return scores.sort_values(["participant_id", "timepoint", "measure"], ignore_index=True)


def raw(path: Path) -> pd.DataFrame:
    return pd.read_csv(path / "answers.csv")


def test_a_study_scores_by_a_definition_of_its_own(own_study: Path) -> None:
    answers = raw(own_study)
    expected = 3 - answers["gad_1"] + answers[[f"gad_{n}" for n in range(2, 8)]].sum(axis=1)
    assert sorted(scores_of(own_study)["score"]) == sorted(expected.astype(float))


def test_a_definition_may_not_stand_in_for_a_shipped_one(own_study: Path) -> None:
    (own_study / "instruments" / "phq-9.yaml").write_text(OWN.replace("id: worry", "id: phq-9"))
    with pytest.raises(PeerimpactError, match="The library has a 'phq-9' already"):
        open_folder(own_study)


def test_a_study_names_the_codes_and_the_order_that_its_data_have(own_study: Path) -> None:
    plain = scores_of(own_study)
    answers = raw(own_study)
    columns = [f"gad_{n}" for n in range(1, 8)]
    answers[columns] = answers[columns[::-1]].to_numpy() + 1
    answers.to_csv(own_study / "answers.csv", index=False)
    rewrite(own_study, ("missing_codes:", "variants: {worry: [from-one, turned]}\nmissing_codes:"))
    found = scores_of(own_study)
    pd.testing.assert_series_equal(found["score"], plain["score"] + 7)
    assert open_folder(own_study).design.measures["worry.total"].maximum == 28


@pytest.mark.parametrize(
    ("declared", "told"),
    [
        ("{worry: [from-two]}", "line 12, variants.worry.0.*'from-two'"),
        ("{phq-9: [order-b]}", "No source delivers 'phq-9'"),
        ("{worry: []}", "variants.worry"),
    ],
)
def test_a_variant_that_is_not_there_is_told_with_its_line(own_study: Path, declared: str, told: str) -> None:
    rewrite(own_study, ("missing_codes:", f"variants: {declared}\nmissing_codes:"))
    with pytest.raises(PeerimpactError, match=told.replace(".0", r"\[0\]")):
        open_folder(own_study)


def test_answers_in_other_codes_than_declared_are_quarantined_and_not_scored(own_study: Path) -> None:
    answers = raw(own_study)
    columns = [f"gad_{n}" for n in range(1, 8)]
    answers[columns] += 1
    answers.to_csv(own_study / "answers.csv", index=False)
    checked = check_study(open_folder(own_study))
    outside = checked.intake.quarantine
    assert len(outside) == (answers[columns] == 4).to_numpy().sum()
    assert outside["severity"].eq("cell").all()


def test_a_score_of_an_instrument_that_is_not_scored_here_is_taken_as_delivered(small_study: Path) -> None:
    answers = raw(small_study)
    answers["adherent"] = range(len(answers))
    answers["adherent"] %= 8
    answers.to_csv(small_study / "answers.csv", index=False)
    rewrite(small_study, ('{items: "gad_{n}"}', '{items: "gad_{n}"}\n      mmas-8: {delivered: {total: adherent}}'))
    scores = scores_of(small_study)
    taken = scores[scores["measure"] == "mmas-8.total"]
    assert sorted(taken["score"]) == sorted(answers["adherent"].astype(float))
    assert taken["method"].eq("delivered").all()


def test_a_delivered_total_is_taken_where_no_source_has_the_items(small_study: Path) -> None:
    answers = raw(small_study)
    answers["phq"] = 5
    answers.to_csv(small_study / "answers.csv", index=False)
    rewrite(
        small_study,
        ('{items: "gad_{n}"}', '{items: "gad_{n}", delivered: {total: phq}}\n      phq-9: {delivered: {total: phq}}'),
    )
    with pytest.raises(PeerimpactError):
        scores_of(small_study)  # one column cannot be two scores
    answers["gad"] = 7
    answers.to_csv(small_study / "answers.csv", index=False)
    rewrite(small_study, ('"gad_{n}", delivered: {total: phq}', '"gad_{n}", delivered: {total: gad}'))
    scores = scores_of(small_study)
    assert scores.loc[scores["measure"] == "phq-9.total", "score"].eq(5).all()
    own = scores[scores["measure"] == "gad-7.total"]
    assert own["method"].eq("complete").all()
    assert sorted(own["score"]) == sorted(answers[[f"gad_{n}" for n in range(1, 8)]].sum(axis=1).astype(float))


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ('mmas-8: {items: "m_{n}"}', "is not scored here"),
        ("phq-9: {}", "Neither items nor delivered scores are named"),
    ],
)
def test_what_cannot_be_scored_is_refused_with_the_way_out(small_study: Path, written: str, told: str) -> None:
    rewrite(small_study, ('gad-7: {items: "gad_{n}"}', f'gad-7: {{items: "gad_{{n}}"}}\n      {written}'))
    with pytest.raises(PeerimpactError, match=told):
        open_folder(small_study)


def test_the_report_calls_items_by_the_wording_that_the_study_brings(small_study: Path) -> None:
    (small_study / "wording").mkdir()
    items = "\n".join(f"  {n}: Invented question {n}" for n in range(1, 8))
    words = f"instrument: gad-7\nlanguage: en\nholder: Test press\nitems:\n{items}\n"
    plain = run_study(open_folder(small_study)).report.read_text()
    assert "wording is its owner" in plain
    assert "Invented question" not in plain
    (small_study / "wording" / "gad-7.en.yaml").write_text(words)
    page = run_study(open_folder(small_study)).report.read_text()
    assert "7 Invented question 7" in page
    assert "Test press" in page
    (small_study / "wording" / "gad-7.en.yaml").write_text(words.replace("language: en", "language: de"))
    with pytest.raises(PeerimpactError, match=r"gad-7\.de\.yaml"):
        open_folder(small_study)


def test_totals_that_obey_another_rule_are_named_in_check_and_results(small_study: Path) -> None:
    answers = raw(small_study)
    columns = [f"gad_{n}" for n in range(1, 8)]
    answers["total"] = answers[columns].mean(axis=1).round(2)
    answers.to_csv(small_study / "answers.csv", index=False)
    rewrite(small_study, ('{items: "gad_{n}"}', '{items: "gad_{n}", delivered: {total: total}}'))
    folder = open_folder(small_study)
    checked = check_study(folder)
    assert not checked.audit.is_clean
    assert "mean" in checked.audit.words()
    results = run_study(folder).results
    (found,) = results[results["analysis"] == "score_audit"].to_dict("records")
    assert found["statistic"].startswith("complete: ")
    assert "mean" in found["method"]
    assert found["value"] == len(answers)
