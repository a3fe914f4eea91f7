"""Missing data: who left, and what the findings would be under other assumptions about those who did."""

from analysis.missing_data.conditional_means import ConditionalMeans, impute_conditional_means, impute_under_strategies
from analysis.missing_data.estimates import ImputedEstimate, estimate_one, tabulate_imputed, tidy_imputed
from analysis.missing_data.events import STRATEGIES, Strategy, find_leavers
from analysis.missing_data.multiple_imputation import MultipleImputations, impute_repeatedly, pool_imputations
from analysis.missing_data.panel import Panel, build_panel
from analysis.missing_data.patterns import compare_leavers, describe_flow, describe_patterns
from analysis.missing_data.sensitivity import estimate_with_leavers, impute_for_estimand, name_statistic
from analysis.missing_data.tipping_point import (
    TippingPoint,
    find_clear_points,
    find_tipping_point,
    tabulate_deltas,
)

__all__ = [
    "STRATEGIES",
    "ConditionalMeans",
    "ImputedEstimate",
    "MultipleImputations",
    "Panel",
    "Strategy",
    "TippingPoint",
    "build_panel",
    "compare_leavers",
    "describe_flow",
    "describe_patterns",
    "estimate_one",
    "estimate_with_leavers",
    "find_clear_points",
    "find_leavers",
    "find_tipping_point",
    "impute_conditional_means",
    "impute_for_estimand",
    "impute_repeatedly",
    "impute_under_strategies",
    "name_statistic",
    "pool_imputations",
    "tabulate_deltas",
    "tabulate_imputed",
    "tidy_imputed",
]
