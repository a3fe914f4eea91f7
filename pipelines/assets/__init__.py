"""Dagster assets, in the order of the flow: raw, core, findings."""
