"""`peerimpact power`: what is assumed is said, and what nobody told is asked for."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipelines.cli import app

TOLD = ["--sd", "4", "--correlation", "0.5", "--drop-out", "0.1"]
QUICK = ["--runs", "50", "--people", "40", "--people", "20"]


def power(study: Path, *more: str, estimand: str = "anxiety_post"):
    return CliRunner().invoke(app, ["power", str(study), estimand, *QUICK, *more])


def test_what_is_told_is_enough_before_anything_was_run(small_study: Path) -> None:
    done = power(small_study, *TOLD, "--difference", "-3", "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert [point["people"] for point in told["power"]] == [20, 40]
    assert told["power"][0]["power"] < told["power"][1]["power"]
    assert told["assumed"]["source"] == "as told"
    assert "40   " in power(small_study, *TOLD, "--difference", "-3").stdout


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--difference", "-3"], "--sd, --correlation, --drop-out"),
        (TOLD, "smallest_meaningful_change"),
        ([*TOLD, "--difference", "-3", "--correlation", "1.2"], "correlation is 1.2"),
        ([*TOLD, "--difference", "-3", "--sd", "0"], "sd is 0"),
    ],
)
def test_what_is_missing_or_cannot_be_is_told(small_study: Path, options: list[str], words: str) -> None:
    done = power(small_study, *options)
    assert done.exit_code == 2
    assert words in done.stderr


def test_an_unknown_estimand_is_told(small_study: Path) -> None:
    done = power(small_study, *TOLD, estimand="anxiety_pots")
    assert done.exit_code == 2
    assert "anxiety_post" in done.stderr
