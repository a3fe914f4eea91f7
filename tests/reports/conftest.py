"""A builder of report content from hand-made results, for every design."""

from collections.abc import Callable, Iterator
from typing import Any

import pandas as pd
import pytest

from analysis.design import Arm, Covariate, Measure, StudyDesign, Timepoint
from analysis.plan import Plan
from analysis.results import Result, results_table
from instruments import load_library
from reports import ReportContent

TIMEPOINTS = (
    Timepoint("baseline", "Baseline", 0),
    Timepoint("post", "12 weeks", 12),
    Timepoint("late", "26 weeks", 26),
)
PEER, USUAL = Arm("peer", "Peer support"), Arm("usual", "Usual care", is_reference=True)
MEASURES = {
    "ssci-8.total": Measure("ssci-8.total", "SSCI-8 total", "felt stigma", 8, 40, "worse", "ssci-8"),
    "who-5.total": Measure("who-5.total", "WHO-5 index", "mental well-being", 0, 100, "better", "who-5"),
}
COUNTS = {"peer": (220, 190, 150), "usual": (231, 200, 160)}
"""People of each arm who answered at each timepoint; all far enough from each other to be printed."""


@pytest.fixture(scope="session")
def build() -> Callable[..., ReportContent]:
    """A function that returns report content; keywords change one thing at a time."""
    return build_content


@pytest.fixture(scope="session")
def recount() -> Callable[..., ReportContent]:
    """A function that returns content whose arms have the counts given for each timepoint."""

    def with_counts(kind: str = "randomised", **counts: tuple[int, ...]) -> ReportContent:
        return build_content(kind, counts=COUNTS | counts)

    return with_counts


def build_content(
    kind: str = "randomised",
    *,
    estimate: tuple[float, float, float] = (-2.4, -4.2, -0.6),
    p_value: float = 0.009,
    p_adjusted: float = float("nan"),
    level: int = 3,
    verdict: str = "estimated",
    counts: dict[str, tuple[int, ...]] | None = None,
    recruitment: dict[str, int] | None = None,
    profile: str = "threshold-10",
    smallest: float | None = 2.0,
    arms: tuple[Arm, ...] = (PEER, USUAL),
    timepoints: tuple[Timepoint, ...] = TIMEPOINTS,
    measures: dict[str, Measure] | None = None,
    **study: Any,
) -> ReportContent:
    """Return content with a primary outcome (felt stigma, three timepoints) and a secondary one (well-being)."""
    single = kind == "single_group"
    design = StudyDesign(
        kind=kind,  # type: ignore[arg-type]
        timepoints=timepoints,
        arms=(Arm(arms[0].id, arms[0].label),) if single else arms,
        covariates=(Covariate("age", "Age", "number"),),
        measures=measures or MEASURES,
        recruitment={"eligible": 900, "invited": 700} if recruitment is None else recruitment,
    )
    plan = _plan(design, profile, smallest)
    counts = COUNTS if counts is None else counts
    rows = [*_flow(design, counts)]
    for outcome in plan.outcomes:
        rows += _observations(outcome.id, design, counts)
    rows += _measurement(design, counts)
    for outcome in plan.outcomes:
        rows += _model(outcome.id, design, counts)
    value, low, high = estimate
    for estimand in plan.estimands:
        at = [timepoint.id for timepoint in design.timepoints].index(estimand.timepoint)
        answered = verdict == "estimated"
        rows.append(
            Result(
                analysis="model",
                statistic="change" if single else "difference",
                estimand=estimand.id,
                outcome=estimand.outcome,
                timepoint=estimand.timepoint,
                contrast=estimand.contrast,
                prespecified=True,
                verdict=verdict,
                n=min(counts[arm.id][at] for arm in design.arms) if answered else float("nan"),
                method="A model in words." if answered else "Nobody answered. Deliver another wave.",
                **(
                    {
                        "value": value,
                        "std_error": (high - low) / 3.92,
                        "df": 300,
                        "conf_low": low,
                        "conf_high": high,
                        "p_value": p_value,
                        "p_adjusted": p_adjusted,
                    }
                    if answered
                    else {}
                ),
            )
        )
    for estimand in plan.estimands if verdict == "estimated" else ():
        of = {"analysis": "certainty", "estimand": estimand.id, "outcome": estimand.outcome}
        rows.append(Result(**of, statistic="level", value=level))
        rows.append(Result(**of, statistic="reason", value=1, method=f"A reason about {estimand.outcome}."))
    library = load_library()
    texts: dict[str, Any] = {
        "title": "Harbour",
        "question": "Do people feel less stigma?",
        "programme": "Weekly groups.",
        "sponsor": "A foundation",
        "evaluator": "",
        "synthetic": False,
        "wording": {},
    }
    return ReportContent(
        **(texts | study), design=design, plan=plan, results=results_table(rows),
        instruments={name: library[name] for name in ("ssci-8", "who-5")},
        verdicts=pd.DataFrame([("responses", "in_range", "value", "error", True, 4210, 0, "Answers are in range.", False),
                               ("responses", "known_item", "item", "warning", False, 4211, 3, "Items are known.", True)],
                              columns=["contract", "rule", "column", "severity", "passed", "n_checked", "n_failed", "description", "is_own"]),
        reconciliation=pd.DataFrame([("wave_1.csv", 453, 451, 1, 1, "identical_duplicate: 1; not_missing: 1"),
                                     ("wave_2.csv", 390, 390, 0, 0, "")],
                                    columns=["source", "rows_read", "rows_accepted", "rows_quarantined",
                                             "rows_excluded", "reasons"]),
        cells_quarantined=4, provenance={"versions": {"pandas": "3.1.1"}, "fingerprints": {"wave_1.csv": "ab" * 32}},
    )  # fmt: skip


def _plan(design: StudyDesign, profile: str, smallest: float | None) -> Plan:
    first, second = ("post", "baseline") if design.kind == "single_group" else ("peer", "usual")
    noticed = {"smallest_meaningful_change": {"value": smallest, "source": "declared"}} if smallest else {}
    return Plan.model_validate({
        "sap": 1,
        "outcomes": [{"id": "stigma", "measure": "ssci-8.total", "role": "primary", **noticed},
                     {"id": "wellbeing", "measure": "who-5.total", "role": "secondary"}],
        "estimands": [{"id": "stigma_post", "outcome": "stigma", "contrast": f"{first} - {second}", "timepoint": "post",
                       "covariates": ["age"]},
                      {"id": "wellbeing_post", "outcome": "wellbeing", "contrast": f"{first} - {second}",
                       "timepoint": "post"}],
        "small_numbers": {"profile": profile},
    })  # fmt: skip


def _flow(design: StudyDesign, counts: dict[str, tuple[int, ...]]) -> Iterator[Result]:
    for statistic, number in design.recruitment.items():
        yield Result(analysis="flow", statistic=statistic, value=number, n=number, verdict="declared")
    for arm in design.arms:
        yield Result(analysis="flow", statistic="allocated", arm=arm.id, value=counts[arm.id][0], n=counts[arm.id][0])
    for arm in design.arms:
        for timepoint, n in zip(design.timepoints, counts[arm.id], strict=True):
            yield Result(analysis="flow", statistic="answered", arm=arm.id, timepoint=timepoint.id, value=n, n=n)
    for outcome in ("stigma", "wellbeing"):
        for arm in design.arms:
            n = max(counts[arm.id])
            yield Result(analysis="flow", statistic="analysed", outcome=outcome, arm=arm.id, value=n, n=n)


def _observations(outcome: str, design: StudyDesign, counts: dict[str, tuple[int, ...]]) -> Iterator[Result]:
    for arm in design.arms:
        for timepoint, n in zip(design.timepoints, counts[arm.id], strict=True):
            at = {"analysis": "descriptive", "outcome": outcome, "arm": arm.id, "timepoint": timepoint.id, "n": n}
            yield Result(**at, statistic="observed", value=n)
            if n:
                yield Result(**at, statistic="mean", value=20 + n / 7, std_error=0.61234, df=n - 1,
                             conf_low=19 + n / 7, conf_high=21 + n / 7)  # fmt: skip
                yield Result(**at, statistic="sd", value=8.1234)
    for arm in design.arms:
        for timepoint, n in list(zip(design.timepoints, counts[arm.id], strict=True))[1:]:
            if n:
                at = {"analysis": "change_within_arm", "outcome": outcome, "arm": arm.id, "timepoint": timepoint.id,
                      "n": n, "contrast": f"{timepoint.id} - baseline"}  # fmt: skip
                yield Result(**at, statistic="mean_change", value=-9.8765, std_error=0.7, df=n - 1, conf_low=-11.2,
                             conf_high=-8.5, p_value=0.0001)  # fmt: skip
                yield Result(**at, statistic="standardised_change", value=-0.9876, conf_low=-1.1, conf_high=-0.8)


def _measurement(design: StudyDesign, counts: dict[str, tuple[int, ...]]) -> Iterator[Result]:
    everybody = sum(counts[arm.id][0] for arm in design.arms)
    yield Result(analysis="reliability", statistic="cronbach_alpha", outcome="ssci-8.total", timepoint="baseline",
                 value=0.88, conf_low=0.86, conf_high=0.9, n=everybody)  # fmt: skip
    scores = sum(sum(counts[arm.id]) for arm in design.arms)
    for statistic, value in {"compared": scores, "equal": scores - 3, "different": 3}.items():
        n = 2 if statistic == "different" else everybody
        yield Result(analysis="score_agreement", statistic=statistic, outcome="ssci-8.total", value=value, n=n)


def _model(outcome: str, design: StudyDesign, counts: dict[str, tuple[int, ...]]) -> Iterator[Result]:
    for arm in design.arms:
        for timepoint, n in zip(design.timepoints, counts[arm.id], strict=True):
            if n:
                yield Result(analysis="model", statistic="marginal_mean", outcome=outcome, arm=arm.id,
                             timepoint=timepoint.id, value=21.4567 - timepoint.week / 10, std_error=0.5, df=300,
                             conf_low=20.4567 - timepoint.week / 10, conf_high=22.4567 - timepoint.week / 10, n=n,
                             verdict="estimated", method="A model in words.")  # fmt: skip
    everybody = sum(max(counts[arm.id]) for arm in design.arms)
    for statistic, value in {
        "covariance: participant intercept": 30.1,
        "covariance: residual": 20.2,
        "log_likelihood": -3000.5,
    }.items():
        yield Result(analysis="model", statistic=statistic, outcome=outcome, value=value, n=everybody,
                     verdict="estimated", method="A model in words.")  # fmt: skip
