"""Errors of the pipelines room."""

from __future__ import annotations

from data_contracts.errors import PeerimpactError


class PipelineError(PeerimpactError):
    """A study folder, a source or a run is not as it must be."""
