"""Errors and refusals of the analysis room."""

from __future__ import annotations

from data_contracts.errors import PeerimpactError


class AnalysisError(PeerimpactError):
    """An analysis was asked for that the plan or the design does not allow."""
