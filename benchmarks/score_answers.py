"""How long the PHQ-9 takes to score, with pandas by hand as the peer: ``python -m benchmarks.score_answers``.

Both read the same table, refuse answers outside 0 to 3, and give no score where an answer is missing. Both run in turns
in one process; shown are the fastest turns and their ratio.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Final

import numpy as np
import pandas as pd

from instruments import Instrument, load_library, score_responses, score_wide

TURNS: Final = 5
COLUMNS: Final = [str(number) for number in range(1, 10)]


def simulate(people: int) -> pd.DataFrame:
    """Return answers from 0 to 3, one in fifty missing."""
    rng = np.random.default_rng(20_261_121)
    answers = rng.integers(0, 4, (people, 9)).astype("float64")
    answers[rng.random(answers.shape) < 0.02] = np.nan
    return pd.DataFrame(answers, columns=COLUMNS)


def by_hand(frame: pd.DataFrame) -> pd.Series:
    """Score as a careful analyst would in pandas."""
    items = frame[COLUMNS]
    if not (items.isna() | items.isin([0, 1, 2, 3])).all(axis=None):
        raise ValueError("An answer is outside 0 to 3.")
    return items.sum(axis=1).where(items.notna().all(axis=1))


def seconds(call: Callable[[], object]) -> float:
    """Return the wall time of one call."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def lengthen(frame: pd.DataFrame, instrument: Instrument) -> pd.DataFrame:
    """Return the answers as the `responses` table has them."""
    people, items = frame.shape
    return pd.DataFrame({
        "participant_id": np.repeat(frame.index.astype("str"), items), "timepoint": "baseline",
        "instrument": instrument.id, "item": np.tile(COLUMNS, people), "value": frame.to_numpy().ravel(),
    })  # fmt: skip


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=1_000_000)
    people = parser.parse_args().people
    frame, phq = simulate(people), load_library()["phq-9"]
    ours, theirs = score_wide(frame, phq)["phq-9.total"], by_hand(frame)
    pd.testing.assert_series_equal(ours, theirs, check_names=False)
    turns = [(seconds(lambda: score_wide(frame, phq)), seconds(lambda: by_hand(frame))) for _ in range(TURNS)]
    wide, hand = (min(each) for each in zip(*turns, strict=True))
    rows = lengthen(frame, phq)
    long = min(seconds(lambda: score_responses(rows, {"phq-9": phq})) for _ in range(2))
    print(f"PHQ-9, {people:,} participants, same scores from both")
    print(f"score_wide                 {wide:6.2f} s")
    print(f"pandas by hand             {hand:6.2f} s   (score_wide takes {wide / hand:.2f} of it)")
    print(f"score_responses, long rows {long:6.2f} s   ({9 * people:,} rows)")


if __name__ == "__main__":
    main()
