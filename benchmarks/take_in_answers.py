"""From Parquet through contracts to scores, step by step: ``python -m benchmarks.take_in_answers``.

Simulated people answer the PHQ-9 at three timepoints; one row of the file per person and timepoint. Each size runs
in an interpreter of its own. Shown are wall seconds and the share of each step, peak memory, and seconds per million
answers: a pass that is linear has the same at every size.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks.documents import table

SIZES: Final = (100_000, 300_000, 1_000_000)
ITEMS: Final = 9
TIMEPOINTS: Final = ("baseline", "post", "later")
STEPS: Final = {
    "reading Parquet": "pipelines.deliveries:read_source",
    "rows and pseudonyms": "pipelines.intake:_list_all_rows",
    "contract of rows": "pipelines.intake:_enforce_rows",
    "reading and checking cells": "pipelines.intake:read_cells",
    "answers table": "pipelines.intake:build_responses",
    "looking for like ids": "pipelines.intake:find_like_ids",
}
"""What is timed inside the intake; what is left of it is 'the rest of the intake'."""
STUDY: Final = """\
study: many
title: Many people
design: single_group
timepoints: [{id: baseline, week: 0}, {id: post, week: 8}, {id: later, week: 26}]
arms: [{id: peer, label: Peer support}]
sources:
  - path: answers.parquet
    format: parquet
    participant_id: pid
    timepoint: {column: wave, values: {1: baseline, 2: post, 3: later}}
    instruments: {phq-9: {items: "phq_{n}"}}
"""
PLAN: Final = """\
sap: 1
outcomes: [{id: depression, measure: phq-9.total, role: primary}]
estimands: [{id: change, outcome: depression, contrast: post - baseline, timepoint: post}]
"""


def write_study(people: int, folder: Path) -> None:
    """Write the study and its file: answers from 0 to 3, one in fifty blank."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rng = np.random.default_rng(20_261_121)
    rows = people * len(TIMEPOINTS)
    known = {
        "pid": np.char.add("P", np.repeat(np.arange(people), len(TIMEPOINTS)).astype("U8")),
        "wave": np.tile(np.arange(1, len(TIMEPOINTS) + 1), people),
    }
    columns: dict[str, Any] = {name: pa.array(values) for name, values in known.items()}
    for item in range(1, ITEMS + 1):
        columns[f"phq_{item}"] = pa.array(rng.integers(0, 4, rows), mask=rng.random(rows) < 0.02)
    pq.write_table(pa.table(columns), folder / "answers.parquet")
    (folder / "study.yaml").write_text(STUDY)
    (folder / "sap.yaml").write_text(PLAN)


def measure(folder: Path) -> dict[str, Any]:
    """Take the study in, hold the answers against their contract, and score them."""
    from data_contracts import require, shipped_contract
    from pipelines.folder import open_folder
    from pipelines.intake import contract_parameters, take_in
    from pipelines.scores import derive_scores

    found: dict[str, float] = {}
    for step, place in STEPS.items():
        _watch(step, place, found)
    opened = open_folder(folder)
    study, library = opened.study.value, opened.library
    start = time.perf_counter()
    intake = take_in(study, folder, library, b"k" * 32)
    found["the rest of the intake"] = time.perf_counter() - start - sum(found.values())
    parameters = contract_parameters(study, library)
    _timed("contract of answers", lambda: require(intake.responses, shipped_contract("responses"), parameters), found)
    scores = _timed("scoring", lambda: derive_scores(intake.responses, intake.delivered_scores, study, library), found)
    answered = int(intake.responses["value"].notna().sum())
    counts = {"answers": len(intake.responses), "answered": answered, "scores": len(scores)}
    return {"steps": found, "gigabytes": _peak(), **counts}


def _watch(step: str, place: str, found: dict[str, float]) -> None:
    """Let a function of the project add its time to `found`."""
    module, name = place.split(":")
    owner = import_module(module)
    plain = getattr(owner, name)

    def watched(*args: Any, **kwargs: Any) -> Any:
        return _timed(step, lambda: plain(*args, **kwargs), found)

    setattr(owner, name, watched)


def _timed(step: str, call: Callable[[], Any], found: dict[str, float]) -> Any:
    start = time.perf_counter()
    result = call()
    found[step] = found.get(step, 0.0) + time.perf_counter() - start
    return result


def _peak() -> float:
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM"):
                return float(line.split()[1]) / 1024**2
    return float("nan")


def main() -> None:
    """Print the table, or measure one size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.folder:
        print(json.dumps(measure(arguments.folder)))
        return
    found = {}
    for people in arguments.sizes:
        with tempfile.TemporaryDirectory() as name:
            write_study(people, Path(name))
            command = [sys.executable, "-m", "benchmarks.take_in_answers", "--folder", name]
            done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - our own program
            found[people] = json.loads(done.stdout.splitlines()[-1])
    print(render(found))


def render(found: dict[int, dict[str, Any]]) -> str:
    """Return the measurements as a table, one column per size."""
    steps = list(next(iter(found.values()))["steps"])
    totals = {people: sum(one["steps"].values()) for people, one in found.items()}
    header = ["", *[f"{people:,} people" for people in found]]
    rows = [["answers", *[f"{one['answers']:,}" for one in found.values()]]]
    for step in steps:
        shares = [(one["steps"][step], totals[people]) for people, one in found.items()]
        rows.append([step, *[f"{seconds:.1f} s ({seconds / total:.0%})" for seconds, total in shares]])
    rows.append(["all", *[f"{total:.1f} s" for total in totals.values()]])
    rows.append(["per million answers", *[f"{totals[p] / one['answers'] * 1e6:.1f} s" for p, one in found.items()]])
    rows.append(["peak memory", *[f"{one['gigabytes']:.1f} GB" for one in found.values()]])
    return table(header, rows)


if __name__ == "__main__":
    main()
