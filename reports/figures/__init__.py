"""Charts of a report, each with what stands for it where it cannot be seen."""

from reports.figures.drawing import CONFIG, figure_json
from reports.figures.trajectories import LEAST_SHARE, axis_range, describe_axis, plot_outcome

__all__ = ["CONFIG", "LEAST_SHARE", "axis_range", "describe_axis", "figure_json", "plot_outcome"]
