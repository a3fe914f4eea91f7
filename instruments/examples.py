"""Worked examples of a definition, held against the engine."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from instruments.model import Instrument
from instruments.parts import Example
from instruments.scoring import score_matrix
from instruments.variants import apply_variants

ROUNDING: Final = 0.0051
"""Points: worked examples are given to two decimals."""


def failed_examples(instrument: Instrument) -> tuple[str, ...]:
    """Return a line for each worked example that does not come out: its place, the measure, expected and found.

    Raises
    ------
    InstrumentError
        An example has an answer outside its response set.
    """
    return tuple(
        f"Example {place}, {measure}: expected {_told(expected)}, found {_told(found)}."
        for place, example in enumerate(instrument.examples, 1)
        for measure, expected, found in _compare(instrument, example)
        if not _agree(expected, found)
    )


def _compare(instrument: Instrument, example: Example) -> list[tuple[str, float | None, float]]:
    answers = np.array([[np.nan if answer is None else answer for answer in example.answers]])
    scored = score_matrix(answers, apply_variants(instrument, example.variants))
    return [(measure, expected, float(scored[measure].score[0])) for measure, expected in example.scores.items()]


def _agree(expected: float | None, found: float) -> bool:
    return math.isnan(found) if expected is None else abs(found - expected) < ROUNDING


def _told(score: float | None) -> str:
    return "no score" if score is None or math.isnan(score) else f"{score:.6g}"
