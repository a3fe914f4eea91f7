"""Events: what happened to participants between the timepoints, as lists and registers tell it."""
