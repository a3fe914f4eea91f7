"""Errors of the instruments room."""

from __future__ import annotations

from data_contracts.errors import PeerimpactError


class InstrumentError(PeerimpactError):
    """A definition stands under the wrong name, or answers do not fit their instrument."""
