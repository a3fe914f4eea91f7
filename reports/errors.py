"""Errors of the reports room."""

from __future__ import annotations

from data_contracts.errors import PeerimpactError


class ReportError(PeerimpactError):
    """A report would say or show what it must not, or was asked for what is not known."""
