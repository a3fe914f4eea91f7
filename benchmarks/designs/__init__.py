"""Simulated studies of each design with a known truth: bias, coverage and type I error of what the plan answers.

A design is a module of this folder, named in `DESIGNS`, that has

* ``TITLE`` and ``WHAT``: a heading, and in a sentence what is simulated;
* ``simulate(rng, effect) -> (scores, participants)``: tables as `outcome_frame` takes them;
* ``design() -> StudyDesign`` and ``plan() -> Plan``: the first estimand of the plan is the one asked for;
* ``truth(effect) -> float``: its true value, 0 without an effect;
* if need be ``answer(plan, design, scores, participants) -> Answer``, where more than `ask_models` is to be done.

``python -m benchmarks.designs --runs 1000 --design NAME`` prints the table of each.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Final, Protocol, cast
from zlib import crc32

import numpy as np
import pandas as pd

from analysis.design import StudyDesign
from analysis.frames import outcome_frame
from analysis.outcome_model import estimate_outcome
from analysis.plan import Plan
from analysis.results import Result

DESIGNS: Final = (
    "individually_randomised",
    "cluster_randomised",
    "cluster_randomised_few",
    "waitlist",
    "stepped_wedge",
    "stepped_wedge_uneven",
    "comparison",
    "comparison_in_groups",
    "single_group",
    "single_group_missing",
    "repeated_cross_section",
    "repeated_cross_section_two_arms",
    "interrupted_series_12",
    "interrupted_series_24",
    "interrupted_series_sampled",
)
"""Modules of this folder, in the order of the tables."""
EFFECT: Final = -3.0
"""Points that the programme adds in the runs with an effect."""
SEED: Final = 20_262


@dataclass(frozen=True, slots=True)
class Answer:
    """What one run gave: the estimate with its interval, whether it is called clear, or why there is none."""

    verdict: str
    value: float = np.nan
    std_error: float = np.nan
    conf_low: float = np.nan
    conf_high: float = np.nan
    is_clear: bool = False


class SimulatedDesign(Protocol):
    """What a module of a design has; see above."""

    TITLE: str
    WHAT: str

    def simulate(self, rng: np.random.Generator, effect: float) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return scores and participants."""
        ...

    def design(self) -> StudyDesign:
        """Return the declared design."""
        ...

    def plan(self) -> Plan:
        """Return the plan."""
        ...

    def truth(self, effect: float) -> float:
        """Return the true value of the first estimand."""
        ...


def load_design(name: str) -> SimulatedDesign:
    """Return the module of a design."""
    return cast("SimulatedDesign", import_module(f"benchmarks.designs.{name}"))


def ask_models(plan: Plan, design: StudyDesign, scores: pd.DataFrame, participants: pd.DataFrame) -> Answer:
    """Return what the models answer to the first estimand of a plan."""
    outcome = plan.outcome(plan.estimands[0].outcome)
    frame = outcome_frame(scores, participants, design, outcome)
    rows = estimate_outcome(outcome, frame, plan, design)
    return as_answer(next(row for row in rows if row.estimand == plan.estimands[0].id))


def as_answer(row: Result) -> Answer:
    """Return an estimate as the answer of a run; clear where its interval leaves out zero."""
    is_clear = row.conf_low > 0 or row.conf_high < 0
    return Answer(row.verdict, row.value, row.std_error, row.conf_low, row.conf_high, is_clear)


def run_once(name: str, number: int) -> tuple[Answer, Answer]:
    """Simulate and answer one study without and one with an effect."""
    module = load_design(name)
    found = []
    for place, effect in enumerate((0.0, EFFECT)):
        key = (crc32(name.encode()), number, place)
        rng = np.random.default_rng(np.random.SeedSequence(SEED, spawn_key=key))
        scores, participants = module.simulate(rng, effect)
        answer = getattr(module, "answer", ask_models)
        found.append(answer(module.plan(), module.design(), scores, participants))
    return found[0], found[1]
