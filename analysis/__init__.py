"""What may be inferred? Plan and estimands, mixed models, certainty: one table of results."""

from analysis.design import Arm, Covariate, DesignKind, Direction, Measure, StudyDesign, Timepoint
from analysis.errors import AnalysisError
from analysis.evaluate import evaluate_plan
from analysis.guards import Refusal, find_refusals
from analysis.mixed_model import Estimate, MixedModelFit, ModelSpecification, fit_mixed_model
from analysis.plan import Plan, load_plan
from analysis.results import RESULT_DTYPES, Result, results_table

__all__ = [
    "RESULT_DTYPES",
    "AnalysisError",
    "Arm",
    "Covariate",
    "DesignKind",
    "Direction",
    "Estimate",
    "Measure",
    "MixedModelFit",
    "ModelSpecification",
    "Plan",
    "Refusal",
    "Result",
    "StudyDesign",
    "Timepoint",
    "evaluate_plan",
    "find_refusals",
    "fit_mixed_model",
    "load_plan",
    "results_table",
]
