"""An interrupted time series from its folder to its report, and declarations that do not hold together."""

from pathlib import Path

import numpy as np
import pytest

from data_contracts.errors import PeerimpactError
from pipelines.folder import open_folder
from pipelines.run import run_study

WEEKS = range(0, 48, 4)
STUDY = """\
study: town
title: What people of a town think
design: interrupted_time_series
timepoints:
{timepoints}
arms:
  - {{id: town, label: The town, starts: w24}}
measures:
  - {{id: stigma.total, label: Stigma score, concept: stigma of others, range: [0, 40], higher_is: worse}}
sources:
  - path: answers.csv
    format: csv
    participant_id: {{anonymous: true}}
    timepoint: {{column: wave, values: {{{values}}}}}
    scores: {{stigma.total: stigma}}
"""
PLAN = """\
sap: 1
outcomes:
  - {id: stigma, measure: stigma.total, role: primary}
estimands:
  - {id: stigma_end, outcome: stigma, contrast: observed - expected, timepoint: w44}
"""


@pytest.fixture
def town(tmp_path: Path) -> Path:
    """A folder with twelve monthly samples of 40 people; scores fall by five when the programme begins."""
    rng = np.random.default_rng(3)
    timepoints = "\n".join(f"  - {{id: w{week:02}, label: Week {week}, week: {week}}}" for week in WEEKS)
    values = ", ".join(f"{week}: w{week:02}" for week in WEEKS)
    (tmp_path / "study.yaml").write_text(STUDY.format(timepoints=timepoints, values=values))
    (tmp_path / "sap.yaml").write_text(PLAN)
    lines = ["wave,stigma"]
    for week in WEEKS:
        level = 22 - 5 * (week >= 24) + rng.normal(0, 0.3)
        lines += [f"{week},{min(max(rng.normal(level, 5), 0), 40):.1f}" for _ in range(40)]
    (tmp_path / "answers.csv").write_text("\n".join(lines) + "\n")
    return tmp_path


def test_a_series_is_told_as_a_departure_from_its_trend_and_never_as_the_work_of_the_programme(town: Path) -> None:
    done = run_study(open_folder(town))
    assert done.estimands["verdict"].to_list() == ["estimated"]
    page = done.report.read_text()
    assert "the trend before Week 24 would have led one to expect" in page
    assert "Whatever else happened at that time would look the same." in page
    assert "the later ones were held against the trend of the earlier ones" in page


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (", starts: w24", "", "Nothing says when the programme began"),
        ("starts: w24", "starts: w00", "is the baseline"),
        ("starts: w24", "starts: march", "Found 'march'"),
        ("starts: w24", "starts: w24, reference: true", "no reference"),
    ],
)
def test_a_series_that_is_not_declared_whole_is_told(town: Path, old: str, new: str, words: str) -> None:
    study = town / "study.yaml"
    assert old in study.read_text()
    study.write_text(study.read_text().replace(old, new))
    with pytest.raises(PeerimpactError, match=words):
        open_folder(town)
