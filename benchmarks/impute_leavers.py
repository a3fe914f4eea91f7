"""How long leavers take to impute, and how often the intervals hold the truth: ``python -m benchmarks.impute_leavers``.

The trial of the first part is as large as the example of R's rbmi: 172 people, four timepoints, a quarter leaving. The
trials of the second have a known truth under both assumptions: people leave by chance alone, those of the peer arm lose
what they had gained (jump to reference) or not (missing at random).
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from analysis.errors import AnalysisError
from analysis.missing_data import (
    Panel,
    Strategy,
    build_panel,
    estimate_one,
    find_tipping_point,
    impute_conditional_means,
    impute_repeatedly,
    impute_under_strategies,
)
from analysis.mixed_models import Estimate
from benchmarks.documents import table, wrapped

SEED: Final = 20_261_121
STRATEGIES: Final[tuple[Strategy, ...]] = (
    "missing_at_random",
    "jump_to_reference",
    "copy_reference",
    "copy_increments",
)
CONTRAST: Final = "peer - usual"
STAYING: Final = 0.87
"""Share of those still there that comes to the next timepoint as well."""
GAIN: Final = -2.0
"""True difference of the arms that every timepoint adds."""


@dataclass(frozen=True)
class Size:
    """A trial to be simulated: people per arm, groups in the peer arm, timepoints after baseline."""

    per_arm: int
    groups: int = 0
    timepoints: int = 2

    @property
    def last(self) -> str:
        """The last timepoint."""
        return f"t{self.timepoints}"

    def truth(self, strategy: Strategy) -> float:
        """Return the difference at the last timepoint that an assumption implies."""
        effect = GAIN * self.timepoints
        return effect * STAYING**self.timepoints if strategy == "jump_to_reference" else effect


def simulate(rng: np.random.Generator, size: Size) -> Panel:
    """Return a trial in which people leave by chance alone."""
    n = 2 * size.per_arm
    arm = np.repeat(["peer", "usual"], size.per_arm)
    number = np.arange(n) % max(size.groups, 1)
    meets = (arm == "peer") & (size.groups > 0)
    baseline = rng.normal(50, 6, n)
    level = rng.normal(0, 4, n) + np.where(meets, rng.normal(0, 2, max(size.groups, 1))[number], 0.0)
    frame = pd.DataFrame(
        {"arm": arm, "baseline": baseline, "group": np.where(meets, np.char.add("g", number.astype(str)), "")}
    )
    there = np.ones(n, dtype=bool)
    names = [f"t{place + 1}" for place in range(size.timepoints)]
    for place, name in enumerate(names):
        there &= rng.random(n) < STAYING
        score = 20 + 0.6 * baseline + level + GAIN * (place + 1) * (arm == "peer") + rng.normal(0, 4, n)
        frame[name] = np.where(there, score, np.nan)
    return build_panel(
        frame,
        outcomes={name: name for name in names},
        baseline="baseline",
        arm="arm",
        reference="usual",
        groups="group" if size.groups else None,
    )


def seconds(call: Callable[[], object]) -> float:
    """Return the wall time of the faster of two calls."""
    turns = []
    for _ in range(2):
        start = time.perf_counter()
        call()
        turns.append(time.perf_counter() - start)
    return min(turns)


def measure(per_arm: int, rbmi: float | None) -> str:
    """Return a table of wall times, beside those of rbmi where they are given."""
    size = Size(per_arm, timepoints=4)
    panel = simulate(np.random.default_rng(SEED), size)
    kept = impute_conditional_means(panel)
    calls: list[tuple[str, int, Callable[[], object]]] = [
        ("conditional means, jackknife, one strategy", 1, lambda: impute_conditional_means(panel)),
        ("the same, four strategies", 4, lambda: impute_under_strategies(panel, STRATEGIES)),
        ("200 imputations, one strategy", 0, lambda: impute_repeatedly(panel, np.random.default_rng(SEED))),
        ("a tipping point afterwards", 0, lambda: find_tipping_point(kept, CONTRAST, size.last, most=50.0)),
    ]
    rows = []
    for name, peer, call in calls:
        took = seconds(call)
        ratio = f"{peer * rbmi / took:.0f} x" if rbmi and peer else ""
        rows.append([name, f"{took:.2f} s", ratio])
    return table(["", f"{2 * per_arm} people", "rbmi / ours"], rows)


def cover(size: Size, strategy: Strategy, trials: int) -> list[str]:
    """Return how often the intervals of both routes held the truth."""
    inside: dict[str, list[bool]] = {"jackknife": [], "rubin": []}
    refused = 0
    for trial in range(trials):
        rng = np.random.default_rng([SEED, size.per_arm, size.groups, trial])
        try:
            panel = simulate(rng, size).with_strategy(strategy)
            found = [("jackknife", impute_conditional_means(panel))]
            drawn = None if size.groups else impute_repeatedly(panel, rng, imputations=50)
        except AnalysisError:
            refused += 1
            continue
        estimates: list[tuple[str, Estimate]] = [
            (name, estimate_one(imputed, CONTRAST, size.last).estimate) for name, imputed in found
        ]
        if drawn is not None:
            estimates.append(("rubin", estimate_one(drawn, CONTRAST, size.last).estimate))
        for name, estimate in estimates:
            inside[name].append(estimate.conf_low <= size.truth(strategy) <= estimate.conf_high)
    groups = f", {size.groups} groups in one arm" if size.groups else ""
    return [f"{size.per_arm} per arm{groups}", strategy, *(_share(each) for each in inside.values()), str(refused)]


def _share(inside: list[bool]) -> str:
    """Return a share with its Monte Carlo error, both in percent."""
    if not inside:
        return "no groups"
    share = float(np.mean(inside))
    return f"{100 * share:.1f} ± {100 * np.sqrt(share * (1 - share) / len(inside)):.1f} %"


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--per-arm", type=int, default=86)
    parser.add_argument("--rbmi-seconds", type=float, help="what rbmi took for one strategy on the same machine")
    parser.add_argument("--trials", type=int, default=200, help="simulated trials for each row of coverage; 0 for none")
    options = parser.parse_args()
    print(measure(options.per_arm, options.rbmi_seconds))
    if options.trials:
        print()
        print(wrapped(f"Coverage of 95 % intervals in {options.trials} trials each, seed {SEED}."))
        sizes = [Size(10), Size(20), Size(50), Size(48, groups=8), Size(96, groups=12)]
        rows = [cover(size, strategy, options.trials) for size in sizes for strategy in STRATEGIES[:2]]
        print(table(["trial", "strategy and truth", "jackknife", "Rubin, 50 imputations", "refused"], rows))


if __name__ == "__main__":
    main()
