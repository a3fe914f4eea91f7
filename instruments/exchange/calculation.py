"""The scoring of a measure as a formula, in the dialect of another system."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from instruments.model import Instrument
from instruments.parts import AllowedValues, Item, Measure, Step


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a calculation is written; each is a template for `str.format`.

    Attributes
    ----------
    blank : str
        Whether an answer is missing.
    equals : str
        Whether an answer has a code.
    choose : str
        One of two values, by a condition.
    either, divide, nothing : str
        The words for "or", for division, and for a missing score.
    """

    blank: str
    equals: str
    choose: str
    either: str
    divide: str
    nothing: str


def write_number(value: float) -> str:
    """Return a number in as few digits as keep it, without an exponent."""
    return np.format_float_positional(value, trim="-")


def write_calculation(instrument: Instrument, measure: Measure, references: Mapping[str, str], dialect: Dialect) -> str:
    """Return the calculation of one score, as an expression that stands on its own.

    It gives what `instruments.score_responses` gives: each answer first becomes what it counts, missing answers follow
    the measure's rule and the instrument's `max_missing`, and a score that the rule does not give is `dialect.nothing`.
    Nothing in it rests on how a tool adds up blanks: every blank is asked for.

    Parameters
    ----------
    instrument : Instrument
        As the form has it.
    measure : Measure
        A measure that is computed.
    references : mapping
        Item id -> how the expression refers to its answer.
    dialect : Dialect
        How to write it.

    Returns
    -------
    str
        The expression; within the measure's range.
    """
    own = [references[item.id] for item in instrument.items_of(measure)]
    counts = [_write_count(instrument, item, references[item.id], dialect) for item in instrument.items_of(measure)]
    spared = measure.missing.max_missing
    guards = [f"({_write_gaps(own, dialect)}) > {spared}"] if spared else [dialect.blank.format(one) for one in own]
    if instrument.max_missing is not None:
        guards.append(f"({_write_gaps(list(references.values()), dialect)}) > {instrument.max_missing}")
    if spared:
        counts = [
            dialect.choose.format(dialect.blank.format(one), "0", count) for one, count in zip(own, counts, strict=True)
        ]
    return dialect.choose.format(
        dialect.either.join(guards), dialect.nothing, _write_score(measure, own, counts, dialect)
    )


def option_counts(allowed: AllowedValues, item: Item) -> list[float]:
    """Return what each option of an item counts, after reversal; empty for an item answered on a range."""
    if not allowed.options:
        return []
    counts: list[float] = allowed.score(np.asarray(allowed.options, dtype="float64"), reverse=item.reverse).tolist()
    return counts


def _write_count(instrument: Instrument, item: Item, reference: str, dialect: Dialect) -> str:
    """Return what an answer that is given counts; a code of no option stays what it is."""
    options = instrument.allowed_values(item.id).options
    counts = option_counts(instrument.allowed_values(item.id), item)
    shifts = {count - option for option, count in zip(options, counts, strict=True)}
    sums = {count + option for option, count in zip(options, counts, strict=True)}
    if len(shifts) <= 1:
        shift = next(iter(shifts), 0.0)
        return f"({reference}{_write_added(shift)})" if shift else reference
    if len(sums) == 1:
        return f"({write_number(sums.pop())} - {reference})"
    written = reference
    for option, count in reversed(list(zip(options, counts, strict=True))):
        written = dialect.choose.format(dialect.equals.format(reference, option), write_number(count), written)
    return written


def _write_gaps(references: Sequence[str], dialect: Dialect) -> str:
    return " + ".join(dialect.choose.format(dialect.blank.format(one), "1", "0") for one in references)


def _write_score(measure: Measure, own: Sequence[str], counts: Sequence[str], dialect: Dialect) -> str:
    total = " + ".join(counts)
    if measure.lookup:
        return _write_lookup(measure.lookup, f"({total})", dialect)
    answered = str(len(own))
    if measure.missing.treat == "prorate":
        answered = f"({len(own)} - ({_write_gaps(own, dialect)}))"
        if measure.method == "sum":
            total = f"({total}) * {len(own)} {dialect.divide} {answered}"
    if measure.method == "mean":
        total = f"({total}) {dialect.divide} {answered}"
    if measure.multiply != 1:
        total = f"({total}) * {write_number(measure.multiply)}"
    return f"{total}{_write_added(measure.add)}"


def _write_lookup(steps: Sequence[Step], total: str, dialect: Dialect) -> str:
    """Return the search of a sum in the table by halves, so that no choice is nested deeply."""
    if len({step.score for step in steps}) == 1:
        return write_number(steps[0].score)
    middle = len(steps) // 2
    lower, upper = (_write_lookup(half, total, dialect) for half in (steps[:middle], steps[middle:]))
    return dialect.choose.format(f"{total} < {steps[middle].raw}", lower, upper)


def _write_added(value: float) -> str:
    return "" if value == 0 else f" {'+' if value > 0 else '-'} {write_number(abs(value))}"
