"""What may be inferred? Plan and estimands, mixed models, certainty: one table of results."""

from analysis.design import Arm, Covariate, DesignKind, Direction, Measure, StudyDesign, Timepoint
from analysis.errors import AnalysisError
from analysis.evaluate import evaluate_plan
from analysis.guards import Refusal, find_refusals
from analysis.mixed_models import Estimate, ModelFit, fit_mixed_model, fit_mmrm
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
    "ModelFit",
    "Plan",
    "Refusal",
    "Result",
    "StudyDesign",
    "Timepoint",
    "evaluate_plan",
    "find_refusals",
    "fit_mixed_model",
    "fit_mmrm",
    "load_plan",
    "results_table",
]
