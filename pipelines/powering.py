"""Power of the next round of a study: what is assumed, from the stored run or as told, and the curve."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, Final

from analysis import AnalysisError
from analysis.frames import outcome_frame
from analysis.plan import Estimand
from analysis.power import Assumptions, PowerPoint, assume_as_observed, draw_curve
from data_contracts.errors import Problem, choose_from
from pipelines.errors import PipelineError
from pipelines.folder import StudyFolder
from pipelines.store import Store

OPTIONS: Final = ("sd", "correlation", "icc", "group_size", "drop_out")


@dataclass(frozen=True, slots=True)
class Power:
    """What was assumed, the true difference in points, and a point for each size."""

    assumed: Assumptions
    difference: float
    points: tuple[PowerPoint, ...]


def find_power(
    folder: StudyFolder,
    estimand_id: str,
    *,
    sizes: tuple[int, ...],
    difference: float | None,
    told: dict[str, float],
    runs: int,
    seed: int,
) -> Power:
    """Simulate the next round of a study at several sizes.

    Parameters
    ----------
    folder : StudyFolder
        The study; what is not told comes from its stored run.
    estimand_id : str
        Id in the plan.
    sizes : tuple of int
        People who start in each arm.
    difference : float, optional
        True difference in points; the smallest meaningful change of the outcome without it.
    told : mapping
        Any of `OPTIONS`.
    runs, seed : int
        Simulated studies at each size, and the seed of the random numbers.

    Raises
    ------
    PeerimpactError
        The plan has no such estimand, nothing tells the difference, or something is assumed by nobody.
    """
    plan = folder.plan.value
    estimand = next((each for each in plan.estimands if each.id == estimand_id), None)
    if estimand is None:
        known = [each.id for each in plan.estimands]
        message = f"The plan has no estimand '{estimand_id}'."
        raise PipelineError(Problem("estimand_unknown", message, choose_from(estimand_id, known)))
    if difference is None:
        smallest = plan.outcome(estimand.outcome).smallest_meaningful_change
        if smallest is None:
            message = "Nothing tells which difference the study should be able to show."
            advice = "Give --difference, or 'smallest_meaningful_change' of the outcome in sap.yaml."
            raise PipelineError(Problem("difference_missing", message, advice))
        higher_is = folder.design.measures[plan.outcome(estimand.outcome).measure].higher_is
        difference = smallest.value if higher_is == "better" else -smallest.value
    assumed = _assume(folder, estimand, told)
    points = draw_curve(
        plan, folder.design, estimand, assumed, difference=difference, sizes=sizes, runs=runs, seed=seed
    )
    return Power(assumed, difference, tuple(points))


def _assume(folder: StudyFolder, estimand: Estimand, told: dict[str, float]) -> Assumptions:
    """Return what was told, and the rest as the stored run has it."""
    known: dict[str, Any] = dict(told) if folder.design.group_arms else {"icc": 0.0, "group_size": 1} | told
    if "group_size" in known:
        known["group_size"] = int(known["group_size"])
    missing = [name for name in OPTIONS if name not in known]
    if not missing:
        return _check(Assumptions(**known, source="as told"))
    if not folder.store.exists():
        message = "The study was not run, so what the next round is like is not known."
        options = ", ".join(f"--{name}" for name in missing).replace("_", "-")
        advice = f"Give {options}, or run the study first."
        raise PipelineError(Problem("nothing_to_assume", message, advice))
    store = Store(folder.store)
    outcome = folder.plan.value.outcome(estimand.outcome)
    frame = outcome_frame(store.load("scores"), store.load("participants"), folder.design, outcome)
    results = store.load("results")
    icc = results[(results["statistic"] == "icc_group") & (results["outcome"] == outcome.id)]["value"]
    seen = assume_as_observed(frame, estimand, folder.design, icc=float(icc.iloc[0]) if len(icc) else 0.0)
    source = f"the stored run{''.join(f', {name} as told' for name in told)}"
    return _check(replace(seen, **known, source=source))


def _check(assumed: Assumptions) -> Assumptions:
    """Refuse what cannot be."""
    limits = {"sd": (0.0, float("inf")), "correlation": (0.0, 1.0), "icc": (0.0, 1.0), "drop_out": (0.0, 1.0)}
    for name, (low, high) in limits.items():
        value = getattr(assumed, name)
        if not (low <= value < high) or (name == "sd" and value == 0):
            message = f"{name} is {value:g}, which cannot be."
            raise AnalysisError(
                Problem("assumption_not_possible", message, f"Give a number from {low:g} to below {high:g}.")
            )
    if assumed.correlation + assumed.icc >= 1:
        message = "Correlation and icc add up to 1 or more, so nothing is left to an occasion."
        raise AnalysisError(Problem("assumption_not_possible", message, "Give smaller ones."))
    return assumed


def as_dict(assumed: Assumptions) -> dict[str, float | str]:
    """Return what was assumed, by name."""
    return {field.name: getattr(assumed, field.name) for field in fields(assumed)}
