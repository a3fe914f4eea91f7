"""Simulate each design, and print bias, coverage, type I error and refusals."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from pathlib import Path

import numpy as np

from benchmarks.designs import DESIGNS, EFFECT, SEED, Answer, load_design, run_once
from benchmarks.documents import table, wrapped, write_section

RUNS = 1_000


def summarise(name: str, runs: Sequence[tuple[Answer, Answer]]) -> str:
    """Return heading, description and table of a design."""
    module = load_design(name)
    rows = []
    for place, (words, effect) in enumerate((("none", 0.0), (f"{EFFECT:g} points", EFFECT))):
        truth = module.truth(effect)
        asked = [run[place] for run in runs]
        found = [answer for answer in asked if answer.verdict == "estimated"]
        errors = np.array([answer.value - truth for answer in found])
        holds = np.array([answer.conf_low <= truth <= answer.conf_high for answer in found])
        clear = np.array([answer.is_clear for answer in found])
        spread = float(np.std(errors, ddof=1)) if len(errors) > 1 else np.nan
        rows.append(
            [
                words,
                f"{errors.mean():+.3f} ± {spread / np.sqrt(len(errors)):.3f}",
                share(holds),
                share(clear),
                f"{np.sqrt(np.mean([answer.std_error**2 for answer in found])) / spread:.3f}",
                refusals(asked),
            ]
        )
    head = ["true difference", "bias", "coverage", "called clear", "standard error / true", "without an answer"]
    what = f"{module.WHAT}." + (f" {len(runs):,} studies of each." if len(runs) != RUNS else "")
    return "\n\n".join([f"### {module.TITLE}", wrapped(what), table(head, rows)])


def share(hits: np.ndarray) -> str:
    """Return a share in percent with its Monte Carlo error."""
    rate = float(hits.mean())
    return f"{100 * rate:.1f} ± {100 * np.sqrt(rate * (1 - rate) / len(hits)):.1f} %"


def refusals(asked: Sequence[Answer]) -> str:
    """Return how many runs gave no estimate, and why."""
    counts = Counter(answer.verdict for answer in asked if answer.verdict != "estimated")
    return ", ".join(f"{verdict} {count}" for verdict, count in counts.items()) or "0"


def main() -> None:
    """Run the simulations."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.designs", description=__doc__)
    parser.add_argument("--runs", type=int, default=RUNS, help="of each design, without and with an effect")
    parser.add_argument("--design", action="append", choices=DESIGNS, help="one of them; may be repeated")
    parser.add_argument("--workers", type=int, default=2, help="processes")
    parser.add_argument("--output", type=Path, help="markdown file to write to, each table between its markers")
    options = parser.parse_args()
    chosen = tuple(options.design or DESIGNS)
    start = (
        f"{options.runs:,} simulated studies of each design without a difference (called clear: type I error) and as"
        f" many with one of {EFFECT:g} points (called clear: power), seed {SEED}; ± one Monte Carlo standard error."
        " Where people are followed, about one in ten leaves after each timepoint if nothing else is said, those with a"
        " high score there sooner."
    )
    tables = {"designs": wrapped(start)}
    print(tables["designs"], end="\n\n", flush=True)
    with ProcessPoolExecutor(options.workers) as pool:
        for name in chosen:
            runs = list(pool.map(run_once, repeat(name, options.runs), range(options.runs), chunksize=20))
            tables[f"design {name}"] = summarise(name, runs)
            print(tables[f"design {name}"], end="\n\n", flush=True)
    for section, text in tables.items() if options.output else ():
        write_section(options.output, section, text)


if __name__ == "__main__":
    main()
