"""Mixed models with small-sample inference, exact at any size: from moments, on numpy and scipy alone."""

from analysis.mixed_models.fit import fit_mixed_model, fit_mmrm, refit_mixed_model, refit_mmrm
from analysis.mixed_models.inference import Estimate, WaldTest
from analysis.mixed_models.marginal_means import Contrasts, MarginalMeans
from analysis.mixed_models.model_fit import ModelFit
from analysis.mixed_models.moments import Moments, add_moments
from analysis.mixed_models.optimise import Optimisation
from analysis.mixed_models.reshape import baseline_as_covariate, lengthen
from analysis.mixed_models.tables import moments_from_duckdb, moments_from_parquet
from analysis.mixed_models.terms import ancova_terms, constrained_terms

__all__ = [
    "Contrasts",
    "Estimate",
    "MarginalMeans",
    "ModelFit",
    "Moments",
    "Optimisation",
    "WaldTest",
    "add_moments",
    "ancova_terms",
    "baseline_as_covariate",
    "constrained_terms",
    "fit_mixed_model",
    "fit_mmrm",
    "lengthen",
    "moments_from_duckdb",
    "moments_from_parquet",
    "refit_mixed_model",
    "refit_mmrm",
]
