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
from analysis.telling import Number, Told, join_told, list_told, tell
from analysis.weighted_model import describe_weights, tell_adjusted
from analysis.weighting import WeightedComparison

_KINDS: Final = {
    "mmrm": tell("Mixed model for repeated measures of all scores by restricted maximum likelihood."),
    "mixed_model": tell("Linear mixed model of all scores by restricted maximum likelihood."),
    "gee": tell("Generalised estimating equations of all scores, averaged over the people there are."),
    "least_squares": tell("Linear model of all scores by least squares, each timepoint a sample of its own."),
}
COMMON_BASELINE: Final = tell(
    "Fixed terms: timepoint and arm by timepoint, baseline means constrained equal between arms."
)
_CHANGES: Final = tell("Fixed terms: timepoint, arm and arm by timepoint, compared by change from baseline.")
_FIXED: Final = {
    "randomised": COMMON_BASELINE,
    "waitlist": COMMON_BASELINE,
    "stepped_wedge": tell("Fixed terms: timepoint, and whether the group had the programme."),
    "matched_comparison": _CHANGES,
    "comparison": _CHANGES,
    "repeated_cross_section": tell(
        "Fixed terms: timepoint, arm and arm by timepoint, compared by differences from baseline."
    ),
}
_STRUCTURES: Final = {
    "us": tell("Covariance of a person's scores: unstructured."),
    "toeph": tell("Covariance of a person's scores: heterogeneous Toeplitz."),
    "toep": tell("Covariance of a person's scores: Toeplitz."),
    "ar1h": tell("Covariance of a person's scores: heterogeneous autoregressive."),
    "ar1": tell("Covariance of a person's scores: autoregressive."),
    "csh": tell("Covariance of a person's scores: heterogeneous compound symmetry."),
    "cs": tell("Covariance of a person's scores: compound symmetry."),
    "adh": tell("Covariance of a person's scores: heterogeneous ante-dependence."),
    "ad": tell("Covariance of a person's scores: ante-dependence."),
}
_RANDOM: Final = {
    "intercept": tell("Random intercept per participant."),
    "slope": tell("Random intercept and slope per participant."),
    "slope_uncorrelated": tell("Random intercept and uncorrelated slope per participant."),
}
_PRECISION: Final = {
    "kenward_roger": tell("t intervals after Kenward and Roger."),
    "kenward_roger_linear": tell("t intervals after Kenward and Roger (linear)."),
    "satterthwaite": tell("t intervals after Satterthwaite."),
    "z": tell("Normal intervals, too narrow in small samples."),
}
_LINKS: Final = {"binary": tell("Logit link."), "ordinal": tell("Cumulative logit link."), "count": tell("Log link.")}


def describe_model(
    fit: ModelFit | GeeFit | LeastSquaresFit | WeightedComparison | InterruptedSeries,
    estimand: Estimand,
    plan: Plan,
    design: StudyDesign,
) -> Told:
    """Return a model in short sentences: terms, covariance, how precision was judged, and what was left out.

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
    return join_told(_sentences(fit, estimand, plan, design))


def _sentences(
    fit: ModelFit | GeeFit | LeastSquaresFit, estimand: Estimand, plan: Plan, design: StudyDesign
) -> Iterator[Told]:
    yield _KINDS[plan.model_of(estimand, design)]
    yield tell("Fixed terms: timepoint.") if design.compares_timepoints else _FIXED[design.kind]
    columns = {name.partition("[")[0] for name in fit.terms}
    kept = [known.label for known in design.covariates if covariate_term(known.id) in columns]
    if kept:
        yield tell_adjusted(kept)
    yield from _covariance_words(fit, estimand, design) if isinstance(fit, ModelFit) else _cluster_words(fit)
    if isinstance(fit, ModelFit) and plan.engine != "peerimpact":
        yield tell("The variances were found by statsmodels MixedLM.")
    if fit.dropped_terms:
        yield tell("Terms left out because they add nothing: {terms}.", terms=", ".join(fit.dropped_terms))
    if isinstance(fit, ModelFit) and fit.optimisation.is_singular:
        yield tell("A variance was estimated as zero.")


def _cluster_words(fit: GeeFit | LeastSquaresFit) -> Iterator[Told]:
    """Yield link, clusters and standard errors; no number, for those of clusters are about people."""
    if isinstance(fit, GeeFit):
        yield _LINKS[fit.family]
    in_groups = tell("Clusters: scores of people of a group, and of one person.")
    yield in_groups if fit.clusters == "group" else tell("Clusters: scores of one person.")
    if isinstance(fit, LeastSquaresFit):
        yield tell("t intervals with standard errors and degrees of freedom after Bell and McCaffrey (CR2).")
        return
    if fit.working == "exchangeable":
        yield tell("Exchangeable working correlation of scores within a cluster.")
    yield tell("t intervals with standard errors after Mancl and DeRouen.")


def _covariance_words(fit: ModelFit, estimand: Estimand, design: StudyDesign) -> Iterator[Told]:
    """Yield how scores of one person hang together, and how precision was judged."""
    if fit.kind == "mmrm":
        ladder, taken = estimand.covariance, fit.optimisation.covariance
        yield _STRUCTURES[taken]
        if taken != ladder[0]:
            yield tell("It is the first that converged of those that the plan names: {covariances}.",
                       covariances=list_told(ladder))  # fmt: skip
        if estimand.variance_by_arm:
            yield tell("Each arm has a covariance of its own.")
    else:
        yield _RANDOM[estimand.random]
        if fit.n_groups:
            always = tell("Random intercept per group.")
            yield always if design.is_stepped_wedge else tell("Random intercept per group, after baseline.")
        if estimand.variance_by_arm:
            yield tell("Each arm has a residual variance of its own.")
    yield _PRECISION[fit.df_method]


def describe_series(fit: InterruptedSeries, design: StudyDesign) -> Told:
    """Return an interrupted time series in short sentences."""
    start = next(timepoint.label for timepoint in design.timepoints if timepoint.id == design.arms[0].starts)
    errors = tell("Errors of neighbouring timepoints are correlated by {correlation}.",
                  correlation=Number(fit.autocorrelation, 2))  # fmt: skip
    at_end = tell("Errors of neighbouring timepoints are correlated by {correlation}, the end of what is searched.",
                  correlation=Number(fit.autocorrelation, 2))  # fmt: skip
    return join_told([
        tell("Interrupted time series: one mean per timepoint, a straight line before {start} and another from then "
             "on, by generalised least squares with restricted maximum likelihood.", start=start),
        at_end if fit.is_at_end else errors,
        tell("t intervals after Satterthwaite, of two degrees of freedom at least."),
    ])  # fmt: skip
