"""What checking a table of answers against its contract costs: ``python -m benchmarks.check_contracts``.

Each size runs in an interpreter of its own, which tells its time and its largest memory; what the interpreter with its
libraries and the table itself take is told apart. Times are of the processor, which other work on the machine hardly
lengthens. The last column is the time per row over that of the smallest size: at most one where the cost goes with the
number of rows.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from benchmarks.documents import table
from data_contracts import check_table, conform, shipped_contract

SIZES: Final = (100_000, 1_000_000, 3_000_000)
ITEMS: Final = 9
TIMEPOINTS: Final = ("baseline", "post", "followup")
PARAMETERS: Final = {"timepoints": list(TIMEPOINTS)}


def simulate(rows: int) -> pd.DataFrame:
    """Return a table `responses` of people who answer nine items at three timepoints."""
    place = np.arange(rows)
    person, occasion, item = place // (ITEMS * len(TIMEPOINTS)), place // ITEMS % len(TIMEPOINTS), place % ITEMS
    names = np.array([f"p_{number:024x}" for number in range(person[-1] + 1)])
    answer = place * 7 % 4
    known = {
        "participant_id": names[person],
        "timepoint": np.array(TIMEPOINTS)[occasion],
        "instrument": "phq-9",
        "item": np.arange(1, ITEMS + 1).astype("str")[item],
        "raw": answer.astype("str"),
        "value": answer.astype("float64"),
        "source": "wave.csv",
        "source_row": place // ITEMS + 2,
    }
    blank = {"str": "", "int64": 0, "float64": np.nan, "bool": False}
    dtypes = shipped_contract("responses").table.dtypes
    return pd.DataFrame({name: known.get(name, blank[dtype]) for name, dtype in dtypes.items()}).astype(dtypes)


def measure(rows: int) -> dict[str, float]:
    """Return seconds and megabytes of one size; for an interpreter of its own, whose largest memory is asked."""
    contract = shipped_contract("responses")
    check_table(simulate(1000), contract, PARAMETERS)  # imports
    answers = simulate(rows)
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak of the simulation; see proc(5)
    before = _status("VmRSS")
    start = time.process_time()
    answers = conform(answers, contract)
    conformed = time.process_time()
    verdicts = check_table(answers, contract, PARAMETERS)
    done = time.process_time()
    if not all(verdict.passed for verdict in verdicts):
        raise ValueError("the simulated table breaks its contract")
    return {"conform": conformed - start, "check": done - conformed, "before": before, "peak": _status("VmHWM")}


def _status(name: str) -> float:
    """Return megabytes of this process as Linux counts them."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{name}:"))


def _in_child(rows: int) -> dict[str, Any]:
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.check_contracts", "--measure", str(rows)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - our own module
    measured: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return measured


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--measure", type=int)
    arguments = parser.parse_args()
    if arguments.measure:
        print(json.dumps(measure(arguments.measure)))
        return
    found = {rows: _in_child(rows) for rows in arguments.sizes}
    smallest = min(found)
    lines = [
        (f"{rows:,}", f"{one['conform']:.2f}", f"{one['check']:.2f}", f"{one['before']:.0f}", f"{one['peak']:.0f}",
         f"{one['check'] / rows / (found[smallest]['check'] / smallest):.2f}")
        for rows, one in found.items()
    ]  # fmt: skip
    head = ("rows", "conform, CPU s", "check, CPU s", "memory before, MB", "peak, MB", "time per row, ratio")
    print(table(head, lines))


if __name__ == "__main__":
    main()
