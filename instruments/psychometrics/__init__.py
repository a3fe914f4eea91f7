"""How well an instrument measures in this sample: reliability, items, ends of the range, sameness over time."""

from instruments.psychometrics.factor_analysis import FactorFit, fit_one_factor
from instruments.psychometrics.invariance import Invariance, assess_invariance
from instruments.psychometrics.item_statistics import summarise_items
from instruments.psychometrics.reliability import (
    Estimate,
    MeasurementError,
    derive_measurement_error,
    estimate_alpha,
    estimate_omega,
    estimate_retest_agreement,
)
from instruments.psychometrics.sample import MeasureSample, assess_sample

__all__ = [
    "Estimate",
    "FactorFit",
    "Invariance",
    "MeasureSample",
    "MeasurementError",
    "assess_invariance",
    "assess_sample",
    "derive_measurement_error",
    "estimate_alpha",
    "estimate_omega",
    "estimate_retest_agreement",
    "fit_one_factor",
    "summarise_items",
]
