"""Random small studies with the few people in some cells that a report must not tell of, evaluated for real."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
import pandas as pd

from analysis.design import Arm, Covariate, EventKind, Measure, StudyDesign, Theme, Timepoint
from analysis.evaluate import evaluate_plan
from analysis.plan import Plan
from reports import ReportContent

ARMS: Final = (
    Arm("peer", "Peer support"),
    Arm("usual", "Usual care", is_reference=True),
    Arm("phone", "Telephone calls"),
)
TIMEPOINTS: Final = (Timepoint("start", "Start", 0), Timepoint("end", "End", 12), Timepoint("later", "Later", 26))
MEASURES: Final = {
    name: Measure(f"{name}.total", name.capitalize(), f"felt {name}", 0, 30, "worse")
    for name in ("loneliness", "worry")
}
"""Name -> measure of whole scores; of no known instrument, so that nothing is told of items."""
LIVING: Final = Covariate("living", "Living", "category", ("together", "alone"))
THEMES: Final = (Theme("trust", "Trust", "Spoke of trust."), Theme("time", "Time", "Spoke of time."))
EVENTS: Final = (EventKind("fall", "a fall"), EventKind("hospital", "a stay in hospital"))
SESSIONS: Final = 6
LOWEST, HIGHEST, MEANINGFUL = 0, 30, 3
_TEXT: Final = {"participant_id": "str", "timepoint": "str"}


@dataclass(frozen=True)
class Beside:
    """What a study may know of its people beside scores and falls; None where it does not.

    Attributes
    ----------
    site, living : array of str
        Of each person.
    attended : array of bool
        (people, sessions); only people of the first arm were invited.
    in_hospital : array of bool
        A second harm.
    flagged : array of bool
        (people, timepoints): answers given too fast.
    interviewed : array of bool
        Whose interview was coded.
    spoke : array of bool
        (people, themes)
    """

    site: np.ndarray | None = None
    living: np.ndarray | None = None
    attended: np.ndarray | None = None
    in_hospital: np.ndarray | None = None
    flagged: np.ndarray | None = None
    interviewed: np.ndarray | None = None
    spoke: np.ndarray | None = None
    reliable: bool = False


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
    beside: Beside = field(default_factory=Beside)

    def choose(self, rows: np.ndarray) -> SmallStudy:
        """Return the study of some of its people; as many were asked."""
        scores = {name: values[rows] for name, values in self.scores.items()}
        return replace(self, arm=self.arm[rows], scores=scores, harmed=self.harmed[rows])

    @property
    def arms(self) -> tuple[Arm, ...]:
        """The arms that have people, in order."""
        return tuple(arm for arm in ARMS if (self.arm == arm.id).any())


def draw_richer_study(rng: np.random.Generator) -> SmallStudy:
    """Return a study of one to three arms that may know of sites, sessions, harms, flags and interviews."""
    study = draw_study(rng, most_arms=3)
    people, n_times = len(study.arm), next(iter(study.scores.values())).shape[1]

    def perhaps(values: np.ndarray) -> np.ndarray | None:
        return values if rng.random() < 0.35 else None

    invited = (study.arm == ARMS[0].id)[:, None]
    interviewed = rng.random(people) < rng.choice([0.1, 0.4])
    beside = Beside(
        site=perhaps(rng.choice([f"Site {letter}" for letter in "ABCD"[: rng.integers(2, 5)]], people)),
        living=perhaps(rng.choice(LIVING.levels, people)),
        attended=perhaps(invited & (rng.random((people, SESSIONS)) < rng.beta(2, 1, people)[:, None])),
        in_hospital=perhaps(rng.random(people) < rng.choice([0.02, 0.15, 0.5])),
        flagged=perhaps(rng.random((people, n_times)) < rng.choice([0.03, 0.2])),
        interviewed=perhaps(interviewed),
        spoke=interviewed[:, None] & (rng.random((people, len(THEMES))) < 0.5),
        reliable=bool(rng.random() < 0.5),
    )
    return replace(study, beside=beside)


def draw_study(rng: np.random.Generator, most_arms: int = 2) -> SmallStudy:
    """Return a study of one or more arms of 4 to 70 people, of whom few or many leave at each timepoint."""
    n_arms, n_times = int(rng.integers(1, most_arms + 1)), int(rng.integers(2, 4))
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
        recruitment={"invited": study.invited}, event_kinds=EVENTS,
        covariates=() if study.beside.living is None else (LIVING,),
        themes=() if study.beside.interviewed is None else THEMES,
    )  # fmt: skip
    plan = Plan.model_validate(_plan(study, design, profile))
    ids = [f"p{place:03}" for place in range(len(study.arm))]
    known = {name: values for name in ("site", "living") if (values := getattr(study.beside, name)) is not None}
    participants = pd.DataFrame({"participant_id": ids, "arm": study.arm, "group": ""} | known)
    scores = pd.concat([_scores(ids, times, f"{name}.total", values) for name, values in study.scores.items()])
    responses = pd.DataFrame(columns=[*_TEXT, "instrument", "item", "value"]).astype(_TEXT | {"value": "float64"})
    delivered = pd.DataFrame(columns=[*_TEXT, "measure", "score"]).astype(_TEXT | {"score": "float64"})
    results = evaluate_plan(
        plan, design, scores=scores.reset_index(drop=True), participants=participants, responses=responses,
        delivered=delivered, library={}, events=_events(study, ids, times[-1].id), **_tables_beside(study, ids, times),
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
    first, second = (arm.id for arm in design.arms[:2]) if len(design.arms) > 1 else (design.timepoints[-1].id, "start")
    beside = study.beside
    asked = {"contrast": f"{first} - {second}", "timepoint": design.timepoints[-1].id, "covariance": "cs"}
    return {
        "sap": 1,
        "outcomes": [
            {"id": name, "measure": f"{name}.total", "role": "secondary" if place else "primary",
             "smallest_meaningful_change": {"value": 3, "source": "declared"}}
            | ({"reliable_change": {"retest_correlation": 0.8, "source": "declared"}} if beside.reliable else {})
            for place, name in enumerate(names)
        ],
        "estimands": [{"id": f"{name}_last", "outcome": name, **asked} for name in names],
        "harms": [
            {"id": event.id, "label": event.label, "event": event.id}
            for event in EVENTS[: 1 if beside.in_hospital is None else 2]
        ],
        "subgroups": [] if beside.living is None or len(design.arms) < 2 else [
            {"id": "by_living", "estimand": f"{names[0]}_last", "covariate": "living", "reason": "declared"}
        ],
        "small_numbers": {"profile": profile},
    }  # fmt: skip


def _events(study: SmallStudy, ids: list[str], last: str) -> pd.DataFrame:
    happened = {"fall": study.harmed, "hospital": study.beside.in_hospital}
    rows = [
        (ids[place], event, last, np.nan)
        for event, people in happened.items() if people is not None for place in np.flatnonzero(people)
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["participant_id", "event", "timepoint", "days_since_baseline"]).astype(
        {"participant_id": "str", "event": "str", "timepoint": "str", "days_since_baseline": "float64"}
    )


def _tables_beside(study: SmallStudy, ids: list[str], times: tuple[Timepoint, ...]) -> dict[str, pd.DataFrame]:
    """Return the tables of sessions, flags and codings, where the study has them."""
    beside, tables = study.beside, {}
    if beside.attended is not None:
        rows = [
            (ids[place], f"{number + 1}", 7.0 * number, "", "attended" if came else "absent", "", "")
            for place in np.flatnonzero(study.arm == ARMS[0].id) for number, came in enumerate(beside.attended[place])
        ]  # fmt: skip
        columns = ["participant_id", "session", "days_since_baseline", "format", "attended", "group", "facilitator"]
        tables["sessions"] = pd.DataFrame(rows, columns=columns)
    if beside.flagged is not None:
        rows = [(ids[place], times[at].id, "too_fast") for place, at in zip(*np.nonzero(beside.flagged), strict=True)]
        tables["flags"] = pd.DataFrame(rows, columns=["participant_id", "timepoint", "flag"], dtype="str")
    if beside.interviewed is not None and beside.interviewed.any():
        rows = [
            (ids[place], ids[place], "coder", name)
            for place in np.flatnonzero(beside.interviewed)
            for name in ["", *(theme.id for theme, said in zip(THEMES, beside.spoke[place], strict=True) if said)]
        ]
        tables["codings"] = pd.DataFrame(rows, columns=["participant_id", "excerpt", "coder", "theme"], dtype="str")
    return tables


def _scores(ids: list[str], times: tuple[Timepoint, ...], measure: str, values: np.ndarray) -> pd.DataFrame:
    at = [time.id for time in times]
    return pd.DataFrame(
        {"participant_id": np.repeat(ids, len(at)), "timepoint": at * len(ids), "measure": measure,
         "score": values.ravel(), "n_items": 3, "n_answered": 3, "method": "complete"}
    )  # fmt: skip
