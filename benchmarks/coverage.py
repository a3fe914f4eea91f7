"""How often 95 % intervals hold the truth in small simulated trials: ``python -m benchmarks.coverage``.

Every trial has a seed of its own, so the tables do not depend on the number of processes.
"""

from __future__ import annotations

import argparse
import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from analysis.errors import AnalysisError
from analysis.mixed_models import ModelFit, fit_mixed_model, fit_mmrm
from analysis.mixed_models.inference import DfMethod
from benchmarks.documents import table, wrapped, write_section

SEED: Final = 20_260_117
TRIALS: Final = 2_000
METHODS: Final[dict[DfMethod, str]] = {"kenward_roger": "Kenward-Roger", "satterthwaite": "Satterthwaite", "z": "z"}
LEAVING: Final = 0.20
SOONER: Final = 0.1
"""Log odds of leaving for each point at baseline."""
EFFECT: Final = -2.0
"""True difference of the arms at the last timepoint, for coverage; the type I error has none."""
TERMS: Final = ("timepoint", "arm", "timepoint:arm")


@dataclass(frozen=True)
class Scenario:
    """A trial to be simulated and fitted many times; `key` sets its seeds apart."""

    key: int
    title: str
    what: str
    timepoints: int
    simulate: Callable[[np.random.Generator, float], pd.DataFrame]
    fit: Callable[[pd.DataFrame], ModelFit]


def scores(
    rng: np.random.Generator,
    peer: np.ndarray,
    group: np.ndarray,
    of_group: np.ndarray,
    within: np.ndarray,
    effect: float,
) -> pd.DataFrame:
    """Return rows of a trial, of whom one in five leaves after baseline, those with high scores there sooner.

    Parameters
    ----------
    peer : (n,) array of bool
        Who is in the peer arm.
    group : (n,) array
        Labels of groups; empty for none.
    of_group : (n, T) array
        What the group adds to the score.
    within : (n, T) array
        What the participant adds, residual included.
    effect : float
        True difference of the arms at the last timepoint; it grows from nothing at baseline in a straight line.
    """
    people, timepoints = within.shape
    at = np.arange(timepoints)
    y = 20.0 - at + effect * peer[:, None] * at / (timepoints - 1) + of_group + within
    odds = np.exp(SOONER * (y[:, 0] - 20.0))
    rate = 1.0 - (1.0 - LEAVING) ** (1.0 / (timepoints - 1))  # of those with an average baseline, per interval
    chance = rate * odds / (1.0 - rate + rate * odds)
    stays = rng.random((people, timepoints - 1)) >= chance[:, None]
    seen = np.column_stack([np.ones(people, dtype=bool), np.logical_and.accumulate(stays, axis=1)])
    who, when = np.nonzero(seen)
    names = pd.CategoricalDtype([f"wave {number}" for number in at])
    return pd.DataFrame(
        {
            "participant": who,
            "timepoint": pd.Categorical.from_codes(when, dtype=names),
            "arm": np.where(peer, "peer", "usual")[who],
            "group": group[who],
            "y": y[seen],
        }
    )


def partially_nested(
    rng: np.random.Generator, effect: float, *, variance: float = 1.5, later: bool = False
) -> pd.DataFrame:
    """Simulate 8 groups of 6 to 10 in the peer arm, and as many participants on their own."""
    sizes = rng.integers(6, 11, 8)
    half = int(sizes.sum())
    peer = np.arange(2 * half) < half
    number = np.concatenate([np.repeat(np.arange(8), sizes), np.full(half, -1)])
    label = np.where(peer, np.char.add("group ", number.astype(str)), "")
    working = np.array([0.0, 1.0, 1.0]) if later else np.ones(3)
    of_group = np.where(peer, rng.normal(0, np.sqrt(variance), 8)[number], 0.0)[:, None] * working
    residual = np.where(peer, 3.0, 2.5)[:, None] * rng.normal(size=(2 * half, 3))
    within = rng.normal(0, 3.0, (2 * half, 1)) + residual
    frame = scores(rng, peer, label, of_group, within, effect)
    if later:
        frame.loc[frame["timepoint"] == "wave 0", "group"] = ""
    return frame


def alike_groups(rng: np.random.Generator, effect: float) -> pd.DataFrame:
    """Simulate the same with groups whose members are more alike."""
    return partially_nested(rng, effect, variance=4.5)


def later_groups(rng: np.random.Generator, effect: float) -> pd.DataFrame:
    """Simulate the same, where a group has nothing in common before it met."""
    return partially_nested(rng, effect, later=True)


def fit_partially_nested(frame: pd.DataFrame) -> ModelFit:
    """Fit groups in one arm only."""
    return fit_mixed_model(
        frame,
        outcome="y",
        terms=TERMS,
        participant="participant",
        timepoint="timepoint",
        groups="group",
        partially_nested=True,
        residual_by="arm",
        references={"arm": "usual"},
    )


def cluster_randomised(rng: np.random.Generator, effect: float) -> pd.DataFrame:
    """Simulate 8 groups of 6 to 10, of which 4 by lot are in the peer arm."""
    sizes = rng.integers(6, 11, 8)
    number = np.repeat(np.arange(8), sizes)
    peer = (rng.permutation(8) < 4)[number]
    of_group = rng.normal(0, np.sqrt(1.5), 8)[number][:, None] * np.ones(3)
    within = rng.normal(0, 3.0, (len(number), 1)) + rng.normal(0, 3.0, (len(number), 3))
    return scores(rng, peer, np.char.add("group ", number.astype(str)), of_group, within, effect)


def fit_cluster_randomised(frame: pd.DataFrame) -> ModelFit:
    """Fit groups in both arms."""
    return fit_mixed_model(
        frame,
        outcome="y",
        terms=TERMS,
        participant="participant",
        timepoint="timepoint",
        groups="group",
        references={"arm": "usual"},
    )


def individually_randomised(rng: np.random.Generator, effect: float) -> pd.DataFrame:
    """Simulate 30 participants whose variance grows, and who resemble themselves less over time."""
    peer = rng.permutation(30) < 15
    deviation = np.array([3.0, 3.5, 4.0, 4.5])
    lag = np.abs(np.subtract.outer(np.arange(4), np.arange(4)))
    covariance = np.outer(deviation, deviation) * 0.7**lag
    within = rng.multivariate_normal(np.zeros(4), covariance, 30)
    return scores(rng, peer, np.full(30, ""), np.zeros((30, 4)), within, effect)


def fit_individually_randomised(frame: pd.DataFrame) -> ModelFit:
    """Fit an unstructured covariance."""
    return fit_mmrm(
        frame,
        outcome="y",
        terms=TERMS,
        participant="participant",
        references={"arm": "usual"},
    )


SCENARIOS: Final = (
    Scenario(
        0,
        "8 groups in one arm (partially nested)",
        "8 groups of 6 to 10 participants in the peer arm, as many on their own in the other; three timepoints; group "
        "variance 1.5, participants 9, residual 9 (peer) and 6.25 (usual). `fit_mixed_model(groups=..., "
        "partially_nested=True, residual_by='arm')`",
        3,
        partially_nested,
        fit_partially_nested,
    ),
    Scenario(
        4,
        "8 groups in one arm, members more alike",
        "The first scenario with a group variance of 4.5: a fifth of the variance in the peer arm, where the first has "
        "a thirteenth",
        3,
        alike_groups,
        fit_partially_nested,
    ),
    Scenario(
        1,
        "8 groups in one arm, from the first meeting on",
        "The first scenario, but a group has nothing in common before it met: rows of baseline have an empty group, in "
        "the data as in the model",
        3,
        later_groups,
        fit_partially_nested,
    ),
    Scenario(
        2,
        "8 groups in all (cluster randomised)",
        "8 groups of 6 to 10 participants, 4 by lot in each arm; three timepoints; group variance 1.5, participants 9, "
        "residual 9. `fit_mixed_model(groups=...)`",
        3,
        cluster_randomised,
        fit_cluster_randomised,
    ),
    Scenario(
        3,
        "30 participants (individually randomised)",
        "15 participants in each arm; four timepoints with deviations 3, 3.5, 4, 4.5 and correlation 0.7 to the power "
        "of the distance. `fit_mmrm(covariance='us')`",
        4,
        individually_randomised,
        fit_individually_randomised,
    ),
)


def run_trial(job: tuple[int, int]) -> dict[str, Any]:
    """Simulate and fit one trial of a scenario, without and with an effect."""
    place, number = job
    scenario = SCENARIOS[place]
    found: dict[str, Any] = {}
    for name, effect in (("none", 0.0), ("some", EFFECT)):
        seed = np.random.SeedSequence(SEED, spawn_key=(scenario.key, number, int(name == "some")))
        frame = scenario.simulate(np.random.default_rng(seed), effect)
        found[name] = _ask(scenario, frame, effect)
    return found


def _ask(scenario: Scenario, frame: pd.DataFrame, truth: float) -> dict[str, Any]:
    try:
        fit = scenario.fit(frame)
    except AnalysisError as error:
        return {"refused": error.problems[0].code}
    found: dict[str, Any] = {
        "converged": fit.optimisation.converged,
        "singular": fit.optimisation.is_singular,
        "left": 1.0 - frame["timepoint"].eq(f"wave {scenario.timepoints - 1}").sum() / frame["participant"].nunique(),
    }
    if not fit.optimisation.converged:
        return found
    weights = {"arm[peer]": 1.0, f"timepoint[wave {scenario.timepoints - 1}]:arm[peer]": 1.0}
    for method in METHODS:
        estimate = (fit if method == fit.df_method else fit.with_df_method(method)).estimate(weights)
        found[method] = {
            "value": estimate.value - truth,
            "std_error": estimate.std_error,
            "df": estimate.df,
            "width": estimate.conf_high - estimate.conf_low,
            "holds": estimate.conf_low <= truth <= estimate.conf_high,
            "usable": bool(np.isfinite(estimate.conf_low)),
        }
    return found


def summarise(scenario: Scenario, trials: Sequence[dict[str, Any]]) -> str:
    """Return the table of a scenario and what it says."""
    every = [trial[name] for trial in trials for name in ("none", "some")]
    fits = [found for found in every if "converged" in found]
    converged = [found for found in fits if found["converged"]]
    refused = Counter(found["refused"] for found in every if "refused" in found)
    singular = np.mean([found["singular"] for found in converged])
    facts = [
        f"{_percent(np.mean([found['left'] for found in fits]))} had left before the last timepoint",
        f"converged {len(converged):,} of {len(every):,}",
        *([f"group variance estimated as zero in {_percent(singular)}"] if singular else []),
        *(f"refused ({code}) {count}" for code, count in refused.items()),
    ]
    rows: list[list[str]] = []
    said: dict[DfMethod, tuple[float, float]] = {}
    for method, name in METHODS.items():
        holds, wrong = (
            np.array([trial[kind][method]["holds"] for trial in trials if method in trial[kind]])
            for kind in ("some", "none")
        )
        asked = [found[method] for found in converged]
        df = np.array([each["df"] for each in asked])
        ratio = np.sqrt(np.mean([each["std_error"] ** 2 for each in asked])) / np.std([each["value"] for each in asked])
        unusable = sum(not each["usable"] for each in asked)
        said[method] = (holds.mean(), 1 - wrong.mean())
        rows.append(
            [
                name,
                _with_error(holds),
                _with_error(~wrong),
                "infinite" if np.isinf(df).all() else f"{df[np.isfinite(df)].mean():.1f} ({np.median(df):.1f})",
                f"{ratio:.3f}",
                f"{np.nanmedian([each['width'] for each in asked]):.2f}",
                str(unusable),
            ]
        )
    head = [
        "inference",
        "coverage",
        "type I error",
        "df, mean (median)",
        "standard error / true",
        "width, median",
        "without interval",
    ]
    return "\n\n".join(
        [
            f"### {scenario.title}",
            wrapped(f"{scenario.what}."),
            wrapped(f"{'; '.join(facts)}."),
            table(head, rows),
            wrapped(_words(said, len(trials)) + _at_zero(converged)),
        ]
    )


def _words(said: Mapping[DfMethod, tuple[float, float]], trials: int) -> str:
    """Return in a sentence how far the intervals are from 95 %, by the Monte Carlo error of both sets of trials."""
    error = np.sqrt(0.95 * 0.05 / (2 * trials))
    parts = []
    for method, name in METHODS.items():
        both = float(np.mean([said[method][0], 1.0 - said[method][1]]))
        verdict = "no difference from 95 % shown" if abs(both - 0.95) <= 2 * error else "too wide"
        parts.append(f"{name} {_percent(both)} ({'too narrow' if both < 0.95 - 2 * error else verdict})")
    return (
        f"Both sets of trials together, the truth was inside the interval in: {', '.join(parts)}. Up to "
        f"{_percent(2 * error)} either way may be chance."
    )


def _at_zero(converged: Sequence[dict[str, Any]]) -> str:
    """Return in a sentence how the intervals fare where a variance was estimated as zero."""
    zero = [found for found in converged if found["singular"]]
    if not zero:
        return ""
    said = ", ".join(
        f"{name} {_with_error(np.array([found[method]['holds'] for found in zero]))}"
        for method, name in METHODS.items()
    )
    return f" Among the {len(zero):,} fits whose group variance was estimated as zero: {said}."


def _with_error(hits: np.ndarray) -> str:
    share = hits.mean()
    return f"{100 * share:.1f} ± {100 * np.sqrt(share * (1 - share) / len(hits)):.1f} %"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def main() -> None:
    """Simulate, print the tables, and write them if asked to."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--trials", type=int, default=TRIALS, help="of each scenario, without and with an effect")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="processes")
    parser.add_argument("--output", type=Path, help="markdown file to write the tables to, between its markers")
    options = parser.parse_args()
    start = (
        f"{options.trials:,} simulated trials with a true difference of {EFFECT:g} at the last timepoint (coverage of"
        f" its 95 % interval) and as many without any (type I error), seed {SEED}; ± one Monte Carlo standard error."
        " About one participant in five leaves before the end, those with a high score at baseline sooner. All models"
        " are y ~ timepoint * arm, by REML. The second scenario was added after the first had been seen, to show what"
        " more alike groups change; no other setting was changed after a result."
    )
    text = [wrapped(start)]
    print(text[0], end="\n\n", flush=True)
    with ProcessPoolExecutor(options.workers) as pool:
        for place, scenario in enumerate(SCENARIOS):
            jobs = [(place, number) for number in range(options.trials)]
            text.append(summarise(scenario, list(pool.map(run_trial, jobs, chunksize=25))))
            print(text[-1], end="\n\n", flush=True)
    if options.output:
        write_section(options.output, "coverage", "\n\n".join(text))


if __name__ == "__main__":
    main()
