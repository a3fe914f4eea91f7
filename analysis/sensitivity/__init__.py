"""The same questions under other assumptions, as far as the plan names them."""

from analysis.sensitivity.judgement import plan_of_leavers, reasons_of_leavers
from analysis.sensitivity.part import estimate_sensitivity

__all__ = ["estimate_sensitivity", "plan_of_leavers", "reasons_of_leavers"]
