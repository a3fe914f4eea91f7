"""What the statistics of the table of all estimates are called, and what became of them."""

from __future__ import annotations

import re
from typing import Final

from analysis.design import StudyDesign
from reports.language import mark, say, say_many
from reports.reading import Row

STATISTICS: Final = {
    "observed": mark("observed"),
    "mean": mark("mean"),
    "sd": mark("standard deviation"),
    "mean_change": mark("mean change"),
    "standardised_change": mark("standardised change"),
    "marginal_mean": mark("marginal mean"),
    "difference": mark("difference"),
    "change": mark("change"),
    "icc_group": mark("intraclass correlation of groups"),
    "log_likelihood": mark("log likelihood"),
    "working_correlation": mark("working correlation"),
}
COMPONENTS: Final = {
    "participant intercept": mark("participant intercept"),
    "participant slope": mark("participant slope"),
    "participant covariance": mark("participant covariance"),
    "group intercept": mark("group intercept"),
    "group slope": mark("group slope"),
    "group covariance": mark("group covariance"),
    "residual": mark("residual"),
    "variance": mark("variance"),
    "covariance": mark("covariance"),
    "correlation": mark("correlation"),
}
"""Parameters of a covariance, by how the models name them."""
VERDICTS: Final = {
    "estimated": mark("estimated"),
    "observed": mark("observed"),
    "declared": mark("declared"),
    "refused": mark("refused"),
    "failed": mark("failed"),
}
_COVARIANCE: Final = "covariance: "
_PARAMETER: Final = re.compile(r"(?P<name>[^\[]+?)(\[(?P<of>[^\]]*)\])?( (?P<arm>[a-z][a-z0-9_.-]*))?")


def say_statistic(row: Row, design: StudyDesign) -> str:
    """Return the name of a statistic; what is not known keeps its own name."""
    if row.statistic.startswith(_COVARIANCE):
        component = _say_component(row.statistic.removeprefix(_COVARIANCE), design)
        return say("covariance: {component}", component=component)
    return say(STATISTICS[row.statistic]) if row.statistic in STATISTICS else row.statistic.replace("_", " ")


def say_verdict(row: Row) -> str:
    """Return what became of a statistic; the reason of a refusal stands with the outcome."""
    kind = row.verdict.partition(":")[0]
    return say(VERDICTS[kind]) if kind in VERDICTS else kind


def _say_component(component: str, design: StudyDesign) -> str:
    """Say a parameter: ``variance[post]``, ``correlation[lag 2] peer``, ``residual[peer]``, ``group intercept``."""
    if component in COMPONENTS:
        return say(COMPONENTS[component])
    labels = {at.id: at.label for at in design.timepoints}
    arms = {arm.id: arm.label for arm in design.arms}
    found = _PARAMETER.fullmatch(component)
    if found is None or found["name"] not in COMPONENTS:
        return component
    name, of, arm = say(COMPONENTS[found["name"]]), found["of"] or "", found["arm"] or ""
    if of in arms:
        of, arm = "", of
    if of.startswith("lag "):
        lag = of.removeprefix("lag ")
        name = say_many(
            "{component}, {count} timepoint apart", "{component}, {count} timepoints apart", int(lag),
            component=name, count=lag,
        )  # fmt: skip
    elif "," in of:
        first, second = (labels.get(each, each) for each in of.split(",", 1))
        name = say("{component} of {first} and {second}", component=name, first=first, second=second)
    elif of:
        name = say("{component} at {timepoint}", component=name, timepoint=labels.get(of, of))
    return say("{component}, {arm}", component=name, arm=arms.get(arm, arm)) if arm else name
