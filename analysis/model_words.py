"""Models in words, for the annex; never a number of people or of levels: they may be few."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from analysis.design import StudyDesign
from analysis.gee_fit import GeeFit
from analysis.interrupted_series import InterruptedSeries
from analysis.least_squares import LeastSquaresFit
from analysis.mixed_models import ModelFit
from analysis.model_frame import covariate_term
from analysis.plan import Estimand, Plan
from analysis.weighted_model import describe_weights
from analysis.weighting import WeightedComparison

STRUCTURES: Final[dict[str, str]] = {
    "us": "unstructured",
    "toeph": "heterogeneous Toeplitz",
    "toep": "Toeplitz",
    "ar1h": "heterogeneous autoregressive",
    "ar1": "autoregressive",
    "csh": "heterogeneous compound symmetry",
    "cs": "compound symmetry",
    "adh": "heterogeneous ante-dependence",
    "ad": "ante-dependence",
}


AFTER_BASELINE: Final = " and, after baseline, per group"
COMMON_BASELINE: Final = "timepoint and arm by timepoint, baseline means constrained equal between arms"


def describe_model(
    fit: ModelFit | GeeFit | LeastSquaresFit | WeightedComparison | InterruptedSeries,
    estimand: Estimand,
    plan: Plan,
    design: StudyDesign,
) -> str:
    """Return a model in one sentence: terms, covariance, how precision was judged, and what was left out.

    Parameters
    ----------
    fit : ModelFit, GeeFit, LeastSquaresFit, WeightedComparison or InterruptedSeries
        The model.
    estimand, plan, design : Estimand, Plan, StudyDesign
        What it was fitted for.
    """
    if isinstance(fit, WeightedComparison):
        return describe_weights(fit, design)
    if isinstance(fit, InterruptedSeries):
        return describe_series(fit, design)
    fixed = "timepoint"
    if not design.compares_timepoints:
        fixed = {
            "randomised": COMMON_BASELINE,
            "waitlist": COMMON_BASELINE,
            "stepped_wedge": "timepoint, and whether the group had the programme",
            "matched_comparison": "timepoint, arm and arm by timepoint, compared by change from baseline",
            "comparison": "timepoint, arm and arm by timepoint, compared by change from baseline",
            "repeated_cross_section": "timepoint, arm and arm by timepoint, compared by differences from baseline",
        }[design.kind]
    columns = {name.partition("[")[0] for name in fit.terms}
    kept = [known.label for known in design.covariates if covariate_term(known.id) in columns]
    sentences = [
        {
            "mmrm": "Mixed model for repeated measures of all scores by restricted maximum likelihood",
            "mixed_model": "Linear mixed model of all scores by restricted maximum likelihood",
            "gee": "Generalised estimating equations of all scores, averaged over the people there are",
            "least_squares": "Linear model of all scores by least squares, each timepoint a sample of its own",
        }[plan.model_of(estimand, design)],
        f"fixed: {fixed}" + (f"; adjusted for {', '.join(kept)}" if kept else ""),
        *(_covariance_words(fit, estimand, design) if isinstance(fit, ModelFit) else _cluster_words(fit)),
    ]
    if isinstance(fit, ModelFit) and plan.engine != "peerimpact":
        sentences.append("variances found by statsmodels MixedLM")
    if fit.dropped_terms:
        sentences.append(f"left out because they add nothing: {', '.join(fit.dropped_terms)}")
    if isinstance(fit, ModelFit) and fit.optimisation.is_singular:
        sentences.append("a variance was estimated as zero")
    return "; ".join(sentences) + "."


def _cluster_words(fit: GeeFit | LeastSquaresFit) -> Iterator[str]:
    """Yield link, clusters and standard errors; no number, for those of clusters are about people."""
    unit = "people of a group, and of one person" if fit.clusters == "group" else "one person"
    if isinstance(fit, LeastSquaresFit):
        yield f"clusters: scores of {unit}"
        yield "t intervals with standard errors and degrees of freedom after Bell and McCaffrey (CR2)"
        return
    link = {"binary": "logit link", "ordinal": "cumulative logit link", "count": "log link"}[fit.family]
    within = f", {fit.working} working correlation of scores of {unit}" if fit.working == "exchangeable" else ""
    yield f"{link}{within}; clusters: {unit}"
    yield "t intervals with standard errors after Mancl and DeRouen"


def _covariance_words(fit: ModelFit, estimand: Estimand, design: StudyDesign) -> Iterator[str]:
    """Yield how scores of one person hang together, and how precision was judged."""
    by_arm = ", for each arm its own" if estimand.variance_by_arm else ""
    if fit.kind == "mmrm":
        ladder = estimand.covariance
        taken = fit.optimisation.covariance
        step = f" (the first of {', '.join(ladder)} that converged)" if taken != ladder[0] else ""
        yield f"{STRUCTURES[taken]} covariance of a person's scores{step}{by_arm}"
    else:
        slope = {"intercept": "", "slope": " and slope", "slope_uncorrelated": " and uncorrelated slope"}
        grouped = (" and per group" if design.is_stepped_wedge else AFTER_BASELINE) if fit.n_groups else ""
        residual = "; residual variance for each arm its own" if by_arm else ""
        yield f"random intercept{slope[estimand.random]} per participant{grouped}{residual}"
    yield {
        "kenward_roger": "t intervals after Kenward and Roger",
        "kenward_roger_linear": "t intervals after Kenward and Roger (linear)",
        "satterthwaite": "t intervals after Satterthwaite",
        "z": "normal intervals, too narrow in small samples",
    }[fit.df_method]


def describe_series(fit: InterruptedSeries, design: StudyDesign) -> str:
    """Return an interrupted time series in one sentence."""
    start = next(timepoint.label for timepoint in design.timepoints if timepoint.id == design.arms[0].starts)
    end = ", the end of what is searched" if fit.is_at_end else ""
    return (
        f"Interrupted time series: one mean per timepoint, a straight line before {start} and another from then on, by "
        "generalised least squares with restricted maximum likelihood; errors of neighbouring timepoints correlated by "
        f"{fit.autocorrelation:.2f}{end}; t intervals after Satterthwaite, of two degrees of freedom at least."
    )
