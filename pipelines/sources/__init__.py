"""Readers of exports, one module each, behind one registry: all give text, row by row, with provenance."""

from pipelines.sources.excel import ERRORS
from pipelines.sources.model import RawTable, SourceError, check_columns
from pipelines.sources.registry import read_source

__all__ = ["ERRORS", "RawTable", "SourceError", "check_columns", "read_source"]
