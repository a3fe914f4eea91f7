"""Fixtures for every room: a key of their own, a small study folder, and the shared real data where they are."""

import csv
import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

PROJECT = Path(__file__).resolve().parents[1]

STUDY = """\
study: small
title: A small study
design: randomised
timepoints:
  - {id: baseline, week: 0}
  - {id: post, week: 8}
arms:
  - {id: peer, label: Peer support}
  - {id: usual, label: Usual care, reference: true}
covariates:
  - {id: age, kind: number, range: [18, 99]}
missing_codes: {-9: refused}
sources:
  - path: answers.csv
    format: csv
    participant_id: pid
    timepoint: {column: wave, values: {1: baseline, 2: post}}
    participant_columns: {arm: arm, age: age}
    instruments:
      gad-7: {items: "gad_{n}"}
"""

PLAN = """\
sap: 1
outcomes:
  - {id: anxiety, measure: gad-7.total, role: primary}
estimands:
  - {id: anxiety_post, outcome: anxiety, contrast: peer - usual, timepoint: post, covariates: [age]}
"""

HEADER = ["pid", "wave", "arm", "age", *[f"gad_{n}" for n in range(1, 8)]]


@pytest.fixture(scope="session", autouse=True)
def _own_key(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the tests away from the user's key."""
    before = os.environ.get("PEERIMPACT_KEY_FILE")
    os.environ["PEERIMPACT_KEY_FILE"] = str(tmp_path_factory.mktemp("keys") / "pseudonym.key")
    yield
    if before is None:
        del os.environ["PEERIMPACT_KEY_FILE"]
    else:
        os.environ["PEERIMPACT_KEY_FILE"] = before


@pytest.fixture(scope="session")
def project() -> Path:
    """The root of the project."""
    return PROJECT


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of shared real data, or a skip that says where it was looked for."""
    folder = Path(os.environ.get("PEERIMPACT_SHARED", PROJECT.parent / "shared"))
    if not folder.is_dir():
        pytest.skip(f"no shared data at {folder}; set PEERIMPACT_SHARED")
    return folder


@pytest.fixture(scope="session")
def run_once(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """A function that runs a study once for all workers: its name, what writes its folder, and options of the run.

    Copy the folder, never write to it. It runs in a process of its own, for Dagster does not bear the event loop of a
    browser that is open.
    """
    base = tmp_path_factory.getbasetemp()
    root = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def run(name: str, write: Callable[[Path], object], *options: str) -> Path:
        folder = root / "ran" / name
        folder.parent.mkdir(exist_ok=True)
        with (root / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not folder.exists():
                write(folder)
                command = [sys.executable, "-m", "pipelines.cli", "run", str(folder), *options]
                ended = subprocess.run(command, check=False, capture_output=True, text=True)
                assert (folder / "output" / "report.html").exists(), ended.stdout + ended.stderr
        return folder

    return run


@pytest.fixture(scope="session")
def ran_example(project: Path, run_once: Callable[..., Path]) -> Path:
    """The example study after a run."""
    example = project / "examples" / "harbour"
    return run_once("harbour", lambda to: shutil.copytree(example, to, ignore=shutil.ignore_patterns("output")))


@pytest.fixture
def small_study(tmp_path: Path) -> Path:
    """A folder with a valid study of 60 people, two arms and two timepoints."""
    rng = np.random.default_rng(11)
    rows = []
    for person in range(60):
        arm, level, age = ("peer", "usual")[person % 2], rng.normal(), rng.integers(20, 70)
        for wave in (1, 2):
            shift = -0.5 * (wave == 2) * (arm == "peer")
            answers = np.clip(np.round(1.5 + level * 0.6 + shift + rng.normal(0, 0.7, 7)), 0, 3).astype(int)
            rows.append([f"P{person:02}", wave, arm, age, *answers])
    folder = tmp_path / "small"
    folder.mkdir()
    (folder / "study.yaml").write_text(STUDY)
    (folder / "sap.yaml").write_text(PLAN)
    write_rows(folder / "answers.csv", [HEADER, *rows])
    return folder


def write_rows(path: Path, rows: list[list[object]]) -> None:
    """Write rows as CSV."""
    with path.open("w", newline="") as handle:
        csv.writer(handle, lineterminator="\n").writerows(rows)


@pytest.fixture
def edit_rows() -> Callable[[Path, Callable[[list[list[str]]], object]], None]:
    """A function that changes the rows of a CSV file in place; row 0 is the header."""

    def edit(path: Path, change: Callable[[list[list[str]]], object]) -> None:
        with path.open(newline="") as handle:
            rows = list(csv.reader(handle))
        change(rows)
        write_rows(path, rows)

    return edit
