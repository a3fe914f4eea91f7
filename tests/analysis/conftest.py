"""What the tests of the analysis share: designs, plans and invented trials with a known truth."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis import Arm, Covariate, Measure, Plan, StudyDesign, Timepoint
from analysis.evaluation import Evaluation
from analysis.fingerprint import FrozenPlan, FrozenVersion, canonical_content
from analysis.frames import outcome_frame
from instruments import Instrument, load_instrument

MEASURE = "mood.total"
ARMS = (Arm("peer", "Peer support"), Arm("usual", "Usual care", is_reference=True))
COVARIATES = (Covariate("age", "Age", "number"), Covariate("gender", "Gender", "category", ("w", "m", "x")))

MOOD = """\
id: mood
version: 1.0.0
changes: {1.0.0: First version.}
name: Mood
short_name: MOOD
construct_name: mood
domain: mental_health
citation: {text: Invented}
licence: {status: free, terms: Free., source: Test}
response_sets:
  steps: {options: [{value: 0}, {value: 1}, {value: 2}, {value: 3}]}
items:
  - {id: 1, concept: joy, response_set: steps}
  - {id: 2, concept: gloom, response_set: steps, reverse: true}
  - {id: 3, concept: calm, response_set: steps}
measures:
  - {id: total, label: Mood, concept: mood, items: all, method: sum, missing: {max_missing: 0, treat: none},
     range: [0, 9], higher_is: better}
  - {id: joy, label: Joy, concept: joy, items: [1], method: sum, missing: {max_missing: 0, treat: none},
     range: [0, 3], higher_is: better}
facts:
  items: {status: confirmed, source: Test}
  response_options: {status: confirmed, source: Test}
  reverse: {status: confirmed, source: Test}
  scoring: {status: SCORING, source: Test}
  missing_rule: {status: confirmed, source: Test}
  range: {status: confirmed, source: Test}
  direction: {status: confirmed, source: Test}
  licence: {status: confirmed, source: Test}
  citation: {status: confirmed, source: Test}
"""


@pytest.fixture
def make_library(tmp_path) -> Callable[..., Mapping[str, Instrument]]:
    """A function that gives a library of one instrument, confirmed or draft."""

    def make(scoring: str = "confirmed") -> Mapping[str, Instrument]:
        path = tmp_path / "mood.yaml"
        path.write_text(MOOD.replace("SCORING", scoring))
        return {"mood": load_instrument(path)}

    return make


@pytest.fixture
def make_design() -> Callable[..., StudyDesign]:
    """A function that gives a design with the measure mood.total, in weeks 0, 12, 26."""

    def make(
        kind: str = "randomised",
        timepoints: Sequence[str] = ("baseline", "post"),
        *,
        group_arms: tuple[str, ...] = (),
        more_measures: Sequence[str] = (),
        arms: Sequence[Arm] | None = None,
    ) -> StudyDesign:
        measures = {
            name: Measure(name, name, name.split(".")[0], 0, 100, "worse", "mood") for name in (MEASURE, *more_measures)
        }
        weeks = zip(timepoints, (0, 12, 26), strict=False)
        return StudyDesign(
            kind=kind,
            timepoints=tuple(Timepoint(name, name.capitalize(), week) for name, week in weeks),
            arms=tuple(arms or (ARMS if kind != "single_group" else (Arm("peer", "Peer support"),))),
            group_arms=group_arms,
            covariates=COVARIATES,
            measures=measures,
            recruitment={"eligible": 412, "invited": 350},
        )

    return make


@pytest.fixture
def make_plan() -> Callable[..., Plan]:
    """A function that gives a plan about the outcome mood with one estimand at post, unless told otherwise."""

    def make(*estimands: Mapping[str, Any], **document: Any) -> Plan:
        usual = {"id": "mood_post", "outcome": "mood", "contrast": "peer - usual", "timepoint": "post"}
        return Plan.model_validate(
            {
                "sap": 1,
                "outcomes": [{"id": "mood", "measure": MEASURE, "role": "primary"}],
                "estimands": [usual | dict(estimand) for estimand in estimands or ({},)],
            }
            | document
        )

    return make


@pytest.fixture
def freeze(make_library) -> Callable[..., FrozenPlan]:
    """A function that freezes a plan, before outcomes are read unless told otherwise."""

    def frozen(plan: Plan, design: StudyDesign, *, read: str = "") -> FrozenPlan:
        content = canonical_content(plan, design, make_library())
        return FrozenPlan((FrozenVersion(frozen_on="2025-01-06", outcomes_read_on=read, content=content),))

    return frozen


@pytest.fixture
def make_trial() -> Callable[..., tuple[pd.DataFrame, pd.DataFrame]]:
    """A function that gives scores and participants: shifts per arm and later timepoint, known variances."""

    def make(
        rng: np.random.Generator,
        per_arm: int = 40,
        *,
        arms: Sequence[str] = ("peer", "usual"),
        timepoints: Sequence[str] = ("baseline", "post"),
        shifts: Mapping[tuple[str, str], float] | None = None,
        group_size: int = 0,
        group_sd: float = 0.0,
        missing: float = 0.0,
        measure: str = MEASURE,
    ) -> tuple[pd.DataFrame, pd.DataFrame]:
        people, scores = [], []
        for arm in arms:
            for person in range(per_arm):
                group = f"g{person // group_size}" if group_size and arm == "peer" else ""
                people.append(
                    {
                        "participant_id": f"p{len(people):04}",
                        "arm": arm,
                        "group": group,
                        "site": "",
                        "age": float(rng.integers(20, 80)),
                        "gender": str(rng.choice(["w", "m"])),
                    }
                )
        levels = {group: rng.normal(0, group_sd) for group in dict.fromkeys(each["group"] for each in people) if group}
        for each in people:
            level = 50 + rng.normal(0, 6) + levels.get(each["group"], 0.0)
            for timepoint in timepoints:
                shift = (shifts or {}).get((each["arm"], timepoint), 0.0)
                score = level + shift + rng.normal(0, 4)
                gone = timepoint != timepoints[0] and rng.random() < missing
                scores.append(
                    {
                        "participant_id": each["participant_id"],
                        "timepoint": timepoint,
                        "measure": measure,
                        "score": np.nan if gone else score,
                        "n_items": 3,
                        "n_answered": 0 if gone else 3,
                        "method": "too_few_answered" if gone else "complete",
                    }
                )
        return pd.DataFrame(scores), pd.DataFrame(people)

    return make


@pytest.fixture
def make_waves() -> Callable[..., tuple[pd.DataFrame, pd.DataFrame]]:
    """A function that gives scores and participants of samples drawn anew: sizes per arm and timepoint, known truth."""

    def make(
        rng: np.random.Generator,
        sizes: Mapping[tuple[str, str], int],
        *,
        linked: int = 0,
        shifts: Mapping[tuple[str, str], float] | None = None,
        older: float = 0.0,
        group_sd: float = 0.0,
        groups: int = 0,
    ) -> tuple[pd.DataFrame, pd.DataFrame]:
        """`linked` people of an arm's first sample are in its later ones; `older` years are those surveyed later."""
        first = next(timepoint for _, timepoint in sizes)
        people: dict[str, dict[str, Any]] = {}
        scores = []
        shared = rng.normal(0, group_sd, max(groups, 1))
        for (arm, timepoint), size in sizes.items():
            for place in range(size):
                name = f"{arm}{place}" if place < linked or timepoint == first else f"{arm}{timepoint}{place}"
                if name not in people:
                    people[name] = {
                        "participant_id": name,
                        "arm": arm,
                        "group": f"g{place % groups}" if groups else "",
                        "site": "",
                        "age": rng.normal(40, 10) + (older if timepoint != first else 0.0),
                        "gender": str(rng.choice(["w", "m"])),
                        "level": rng.normal(0, 5),
                    }
                own = people[name]
                mean = 50 + 0.3 * (own["age"] - 40) + (shifts or {}).get((arm, timepoint), 0.0) + own["level"]
                in_group = shared[place % groups] if groups and timepoint != first else 0.0
                score = {"score": mean + in_group + rng.normal(0, 4), "n_items": 3, "n_answered": 3}
                key = {"participant_id": name, "timepoint": timepoint, "measure": MEASURE}
                scores.append(key | score | {"method": "complete"})
        return pd.DataFrame(scores), pd.DataFrame(people.values()).drop(columns="level")

    return make


@pytest.fixture
def no_responses() -> pd.DataFrame:
    """An empty responses table."""
    return pd.DataFrame(
        {
            "participant_id": pd.Series(dtype="str"),
            "timepoint": pd.Series(dtype="str"),
            "instrument": pd.Series(dtype="str"),
            "item": pd.Series(dtype="str"),
            "value": pd.Series(dtype="float64"),
        }
    )


@pytest.fixture
def no_delivered() -> pd.DataFrame:
    """An empty table of delivered totals."""
    return pd.DataFrame(
        {
            "participant_id": pd.Series(dtype="str"),
            "timepoint": pd.Series(dtype="str"),
            "measure": pd.Series(dtype="str"),
            "score": pd.Series(dtype="float64"),
        }
    )


@pytest.fixture
def make_evaluation() -> Callable[..., Evaluation]:
    """A function that gives an evaluation of scores and participants whose models have not been asked."""

    def make(
        plan: Plan,
        design: StudyDesign,
        scores: pd.DataFrame,
        participants: pd.DataFrame,
        **given: Any,
    ) -> Evaluation:
        outcomes = {one.id: outcome_frame(scores, participants, design, one) for one in plan.outcomes}
        no_events = pd.DataFrame(columns=["participant_id", "event", "timepoint", "days_since_baseline"], dtype="str")
        usual: dict[str, Any] = {"library": {}, "responses": pd.DataFrame({"participant_id": [], "timepoint": []}),
                                 "sessions": None, "events": no_events, "frames": outcomes, "answers": (),
                                 "measurement": ()}  # fmt: skip
        return Evaluation(plan=plan, design=design, scores=scores, participants=participants, **(usual | given))

    return make


@pytest.fixture
def make_sessions() -> Callable[..., pd.DataFrame]:
    """A function that gives weekly sessions of the participants of an arm; `came` (people, weeks) says who attended."""

    def make(
        participants: pd.DataFrame, came: np.ndarray, *, arm: str = "peer", online: np.ndarray | None = None
    ) -> pd.DataFrame:
        people = participants[participants["arm"] == arm]
        weeks = came.shape[1]
        online = np.zeros(came.shape, dtype=bool) if online is None else online
        return pd.DataFrame({
            "participant_id": np.repeat(people["participant_id"].to_numpy(), weeks),
            "session": np.tile([str(week + 1) for week in range(weeks)], len(people)),
            "days_since_baseline": np.tile(7.0 * np.arange(1, weeks + 1), len(people)),
            "format": np.where(online, "online", "in_person").ravel(),
            "facilitator": "",
            "attended": np.where(came, "attended", "absent").ravel(),
            "group": np.repeat(people["group"].to_numpy(), weeks),
        })  # fmt: skip

    return make
