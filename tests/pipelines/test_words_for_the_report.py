"""The words of a study for its report: read strictly from study.yaml, and handed on as they are."""

from pathlib import Path

import pandas as pd
import pytest

from data_contracts import PeerimpactError
from pipelines.folder import open_folder
from pipelines.freezing import freeze_plan
from pipelines.own_words import open_study_language
from pipelines.reporting import make_content
from pipelines.study import ProgrammeDescription
from reports import ReportContent
from reports.description import PARTS
from reports.who import STATEMENTS

RECONCILIATION = pd.DataFrame({"source": ["answers.csv"], "cells_quarantined": [0], "sha256": ["ab" * 32]})


def content_of(folder: Path) -> ReportContent:
    nothing = pd.DataFrame()
    return make_content(open_folder(folder), results=nothing, reconciliation=RECONCILIATION, verdicts=nothing)


def add(folder: Path, text: str) -> None:
    with (folder / "study.yaml").open("a") as file:
        file.write(text)


def test_what_a_study_tells_reaches_the_report_and_what_it_leaves_out_or_blank_does_not(small_study: Path) -> None:
    add(small_study, 'delivery:\n  why: An idea.\n  place: "  "\n  fidelity_assessed: As planned.\nfunding: A fund.\n')
    content = content_of(small_study)
    assert content.delivered_as == {"why": "An idea.", "fidelity_assessed": "As planned."}
    assert content.statements == {"funding": "A fund."}


def test_a_study_that_tells_nothing_needs_no_key(small_study: Path) -> None:
    content = content_of(small_study)
    assert content.delivered_as == content.statements == {}


def test_every_key_reaches_the_report(small_study: Path) -> None:
    keys = list(ProgrammeDescription.model_fields)
    add(small_study, "delivery:\n" + "".join(f"  {key}: On {key}.\n" for key in keys))
    add(small_study, "".join(f"{key}: On {key}.\n" for key in STATEMENTS))
    content = content_of(small_study)
    assert content.delivered_as == {key: f"On {key}." for key in PARTS}
    assert content.statements == {key: f"On {key}." for key in STATEMENTS}


def test_an_unknown_part_of_the_programme_is_an_error_with_its_line(small_study: Path) -> None:
    line = len((small_study / "study.yaml").read_text().splitlines()) + 2
    add(small_study, "delivery:\n  provder: Peers.\n")
    with pytest.raises(PeerimpactError) as caught:
        open_folder(small_study)
    (problem,) = caught.value.problems
    assert (problem.key, problem.line) == ("delivery.provder", line)
    assert "'provider'" in problem.how_to_fix


@pytest.mark.parametrize("blank", ["", '""', '"  "', '"\\u200b"'])
def test_a_translation_that_is_blank_is_refused_with_its_line(small_study: Path, blank: str) -> None:
    (small_study / "languages").mkdir()
    (small_study / "languages" / "es.yaml").write_text(f"Peer support: Apoyo\nUsual care: {blank}\n")
    with pytest.raises(PeerimpactError) as caught:
        open_study_language(open_folder(small_study), "es")
    (problem,) = caught.value.problems
    assert (problem.file, problem.line, problem.key) == ("es.yaml", 2, "Usual care")
    assert "remove the line" in problem.how_to_fix


def test_words_of_a_study_do_not_change_the_fingerprint_of_its_plan(small_study: Path) -> None:
    freeze_plan(open_folder(small_study), on="2025-01-06")
    add(small_study, "delivery: {why: An idea.}\nfunding: A fund.\n")
    with pytest.raises(PeerimpactError, match="is unchanged"):
        freeze_plan(open_folder(small_study), on="2025-01-07")
