"""Random small studies with the few people in some cells that a report must not tell of, evaluated for real."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
import pandas as pd

from analysis.design import Arm, Measure, StudyDesign, Timepoint
from analysis.evaluate import evaluate_plan
from analysis.plan import Plan
from reports import ReportContent

ARMS: Final = (Arm("peer", "Peer support"), Arm("usual", "Usual care", is_reference=True))
TIMEPOINTS: Final = (Timepoint("start", "Start", 0), Timepoint("end", "End", 12), Timepoint("later", "Later", 26))
MEASURES: Final = {
    name: Measure(f"{name}.total", name.capitalize(), f"felt {name}", 0, 30, "worse")
    for name in ("loneliness", "worry")
}
"""Name -> measure of whole scores; of no known instrument, so that nothing is told of items."""
_TEXT: Final = {"participant_id": "str", "timepoint": "str"}


@dataclass(frozen=True)
class SmallStudy:
    """People and their scores, as they are delivered.

    Attributes
    ----------
    arm : array of str
        Of each person.
    scores : dict
        Name of a measure -> (people, timepoints); NaN without a score.
    harmed : array of bool
        Who had the event that the plan counts as harm.
    invited : int
        People who were asked to take part.
    """

    arm: np.ndarray
    scores: dict[str, np.ndarray]
    harmed: np.ndarray
    invited: int
    people: np.ndarray = field(default_factory=lambda: np.empty(0))

    def choose(self, rows: np.ndarray) -> SmallStudy:
        """Return the study of some of its people; as many were asked."""
        scores = {name: values[rows] for name, values in self.scores.items()}
        return replace(self, arm=self.arm[rows], scores=scores, harmed=self.harmed[rows])

    @property
    def arms(self) -> tuple[Arm, ...]:
        """The arms that have people, in order."""
        return tuple(arm for arm in ARMS if (self.arm == arm.id).any())


def draw_study(rng: np.random.Generator) -> SmallStudy:
    """Return a study of one or two arms of 4 to 70 people, of whom few or many leave at each timepoint."""
    n_arms, n_times = int(rng.integers(1, 3)), int(rng.integers(2, 4))
    sizes = [int(rng.integers(4, rng.choice([15, 30, 70]))) for _ in range(n_arms)]
    arm = np.repeat([each.id for each in ARMS[:n_arms]], sizes)
    level = rng.normal(15, 4, len(arm))
    stayed = np.ones((len(arm), n_times), dtype=bool)
    for time in range(n_times):
        chance = rng.choice([0.0, 0.03, 0.1, 0.4])
        stayed[:, time] = (stayed[:, time - 1] if time and rng.random() < 0.7 else True) & (
            rng.random(len(arm)) >= chance
        )
    scores = {}
    for name in list(MEASURES)[: int(rng.integers(1, 3))]:
        drawn = np.clip(np.round(level[:, None] + rng.normal(0, 3, stayed.shape)), 0, 30)
        answered = stayed & (rng.random(stayed.shape) >= rng.choice([0.0, 0.02, 0.1]))
        scores[name] = np.where(answered, drawn, np.nan)
    harmed = rng.random(len(arm)) < rng.choice([0.0, 0.05, 0.3])
    return SmallStudy(arm, scores, harmed, len(arm) + int(rng.integers(0, 30)))


def add_and_remove(study: SmallStudy, rng: np.random.Generator) -> SmallStudy:
    """Return the study with one to nine people more or fewer: some had withdrawn, or their answers came late."""
    number = min(int(rng.integers(1, 10)), len(study.arm) - 4)
    if number < 1:
        number = 1
    rows = np.arange(len(study.arm))
    chosen = rng.choice(rows, size=number, replace=False)
    if rng.random() < 0.5:
        return study.choose(np.setdiff1d(rows, chosen))
    again = study.choose(np.concatenate([rows, chosen]))
    for values in again.scores.values():
        extra = values[len(rows) :]
        values[len(rows) :] = np.where(np.isnan(extra), np.nan, rng.integers(0, 31, extra.shape))
    return again


def evaluate_study(study: SmallStudy, profile: str) -> tuple[Plan, StudyDesign, pd.DataFrame]:
    """Return plan, design and results of a study, by the evaluation that every study passes."""
    n_times = next(iter(study.scores.values())).shape[1]
    arms, times = study.arms, TIMEPOINTS[:n_times]
    kind = "randomised" if len(arms) > 1 else "single_group"
    design = StudyDesign(
        kind=kind, timepoints=times, arms=arms, measures={m.id: m for m in MEASURES.values()},
        recruitment={"invited": study.invited},
    )  # fmt: skip
    plan = Plan.model_validate(_plan(study, design, profile))
    ids = [f"p{place:03}" for place in range(len(study.arm))]
    participants = pd.DataFrame({"participant_id": ids, "arm": study.arm, "group": ""})
    scores = pd.concat([_scores(ids, times, f"{name}.total", values) for name, values in study.scores.items()])
    responses = pd.DataFrame(columns=[*_TEXT, "instrument", "item", "value"]).astype(_TEXT | {"value": "float64"})
    delivered = pd.DataFrame(columns=[*_TEXT, "measure", "score"]).astype(_TEXT | {"score": "float64"})
    events = pd.DataFrame(
        {"participant_id": np.array(ids)[study.harmed], "event": "fall", "timepoint": times[-1].id,
         "days_since_baseline": np.nan}
    )  # fmt: skip
    results = evaluate_plan(
        plan, design, scores=scores.reset_index(drop=True), participants=participants, responses=responses,
        delivered=delivered, library={}, events=events,
    )  # fmt: skip
    return plan, design, results


def content_of(study: SmallStudy, profile: str) -> ReportContent:
    """Return what a report of the study is made from."""
    plan, design, results = evaluate_study(study, profile)
    verdicts = ["contract", "rule", "column", "severity", "passed", "n_checked", "n_failed", "description", "is_own"]
    sources = ["source", "rows_read", "rows_accepted", "rows_quarantined", "rows_excluded", "reasons"]
    return ReportContent(
        title="A small study", question="Do people feel less alone?", programme="Weekly groups.", sponsor="",
        evaluator="", synthetic=True, design=design, plan=plan, results=results, instruments={}, wording={},
        verdicts=pd.DataFrame([("responses", "in_range", "value", "error", True, 4210, 0, "In range.", False)],
                              columns=verdicts),
        reconciliation=pd.DataFrame([("wave.csv", 453, 451, 1, 1, "not_missing: 1")], columns=sources),
        cells_quarantined=0, provenance={"versions": {}, "fingerprints": {}},
    )  # fmt: skip


def _plan(study: SmallStudy, design: StudyDesign, profile: str) -> dict[str, Any]:
    names = list(study.scores)
    first, second = (arm.id for arm in design.arms) if len(design.arms) > 1 else (design.timepoints[-1].id, "start")
    asked = {"contrast": f"{first} - {second}", "timepoint": design.timepoints[-1].id, "covariance": "cs"}
    return {
        "sap": 1,
        "outcomes": [
            {"id": name, "measure": f"{name}.total", "role": "secondary" if place else "primary",
             "smallest_meaningful_change": {"value": 3, "source": "declared"}}
            for place, name in enumerate(names)
        ],
        "estimands": [{"id": f"{name}_last", "outcome": name, **asked} for name in names],
        "harms": [{"id": "fall", "label": "a fall", "event": "fall"}],
        "small_numbers": {"profile": profile},
    }  # fmt: skip


def _scores(ids: list[str], times: tuple[Timepoint, ...], measure: str, values: np.ndarray) -> pd.DataFrame:
    at = [time.id for time in times]
    return pd.DataFrame(
        {"participant_id": np.repeat(ids, len(at)), "timepoint": at * len(ids), "measure": measure,
         "score": values.ravel(), "n_items": 3, "n_answered": 3, "method": "complete"}
    )  # fmt: skip


def count_people(study: SmallStudy) -> Iterator[tuple[str, str, str, str, int]]:
    """Yield the true numbers of people: what, arm, timepoint, measure, number."""
    answered = np.logical_or.reduce([~np.isnan(values) for values in study.scores.values()])
    for arm in study.arms:
        own = study.arm == arm.id
        yield "allocated", arm.id, "", "", int(own.sum())
        for place, time in enumerate(TIMEPOINTS[: answered.shape[1]]):
            yield "answered", arm.id, time.id, "", int(answered[own, place].sum())
            for name, values in study.scores.items():
                scored = ~np.isnan(values)
                yield "observed", arm.id, time.id, name, int(scored[own, place].sum())
                if place:
                    yield "both", arm.id, time.id, name, int((scored[own, 0] & scored[own, place]).sum())
        yield "harmed", arm.id, "", "", int((own & study.harmed).sum())
