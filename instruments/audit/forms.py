"""Ways to read delivered answers: as declared, as a variant has them, in raw codes, or with codes that lie apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from data_contracts.errors import Problem
from data_contracts.telling import Number, tell
from instruments.errors import InstrumentError
from instruments.model import Instrument
from instruments.parts import AllowedValues, Item, Measure
from instruments.scoring import Answers, count_answers, score_matrix
from instruments.variants import apply_variants

_VARIANT, _RAW, _SHIFT = 8, 20, 30  # ranks: the higher, the more complicated
_STEPS = (1, -1)


@dataclass(frozen=True, slots=True, eq=False)
class Form:
    """An instrument as one form has it, and the answers read as that form's.

    Attributes
    ----------
    answers : array of float, (n, k)
        In the form's codes; NaN where missing or unfit.
    unfit : array of bool, (n, k)
        Answers that are none of the form's codes.
    is_base : bool
        Whether further deviations are looked for from here.
    raw : str
        ``plain`` where codes count as they are, ``reversed`` where they are reversed but not recoded; else empty.
    shift : int
        How far the delivered codes lie above the form's.
    """

    name: str
    words: str
    rank: int
    instrument: Instrument
    answers: Answers
    unfit: NDArray[np.bool_]
    is_base: bool = False
    raw: Literal["", "plain", "reversed"] = ""
    shift: int = 0

    def read(self) -> list[Reading]:
        """Return a reading per measure that is computed."""
        counted = self.count()
        scores = score_matrix(self.answers, self.instrument)
        places = {item.id: place for place, item in enumerate(self.instrument.items)}
        readings = []
        for measure in self.instrument.scored_measures:
            items = self.instrument.items_of(measure)
            own = [places[item.id] for item in items]
            allowed = [self.instrument.allowed_values(item.id) for item in items]
            ends = [
                (one.minimum, one.maximum) if self.raw else (one.lowest_score, one.highest_score) for one in allowed
            ]
            readings.append(
                Reading(
                    name=self.name,
                    words=self.words,
                    rank=self.rank,
                    measure=measure,
                    items=items,
                    counted=np.asfortranarray(counted[:, own]),
                    counted_sum=counted[:, own].sum(axis=1),
                    fits=np.asarray(~self.unfit[:, own].any(axis=1)),
                    own=scores[measure.id].score,
                    low=np.array([low for low, _ in ends]),
                    high=np.array([high for _, high in ends]),
                    reverse=np.array([item.reverse for item in items]),
                    layout=_layout(measure, own, items, allowed),
                    is_base=self.is_base,
                    is_raw=bool(self.raw),
                    shift=self.shift,
                )
            )
        return readings

    def count(self) -> Answers:
        """Return what each answer counts under this form."""
        if not self.raw:
            return count_answers(self.answers, self.instrument)
        counted = self.answers.copy()
        for place, item in enumerate(self.instrument.items):
            if item.reverse and self.raw == "reversed":
                allowed = self.instrument.allowed_values(item.id)
                counted[:, place] = allowed.minimum + allowed.maximum - counted[:, place]
        return counted


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """What the answers to one measure count under one form.

    Attributes
    ----------
    counted : array of float, (n, k)
        What each answer to the measure's items counts; NaN where missing.
    counted_sum : array of float, (n,)
        What all answers of a row count together; NaN where one is missing.
    fits : array of bool, (n,)
        Rows whose answers are all codes of the form.
    own : array of float, (n,)
        The form's own score; NaN without one. Of raw codes, only whether there is one.
    low, high : array of float, (k,)
        The least and the most that an answer counts.
    reverse : array of bool, (k,)
        Which items the form reverses.
    layout : tuple
        All that the score depends on: readings of equal answers and equal layout cannot differ.
    """

    name: str
    words: str
    rank: int
    measure: Measure
    items: tuple[Item, ...]
    counted: Answers
    counted_sum: Answers
    fits: NDArray[np.bool_]
    own: Answers
    low: Answers
    high: Answers
    reverse: NDArray[np.bool_]
    layout: tuple[object, ...]
    is_base: bool
    is_raw: bool
    shift: int

    def take(self, rows: NDArray[np.bool_]) -> Reading:
        """Return the reading of some of the rows."""
        return replace(self, counted=np.asfortranarray(self.counted[rows]), counted_sum=self.counted_sum[rows],
                       fits=self.fits[rows], own=self.own[rows])  # fmt: skip


def list_forms_read(answers: Answers, instrument: Instrument) -> list[Form]:
    """Return the forms as which answers can be read, the base first.

    The base is the definition itself; where answers lie outside its codes, every variant or constant shift of codes
    that fits all answers.

    Raises
    ------
    InstrumentError
        No form fits the answers.
    """
    declared = _form("", "", 0, instrument, answers)
    variants = list(_variant_forms(answers, instrument))
    shifted = list(_shifted_forms(answers, instrument))
    if not declared.unfit.any():
        apart = shifted if any(item.reverse for item in instrument.items) else []
        recoded = _recoded_forms(answers, instrument)
        return [replace(declared, is_base=True), *variants, *recoded, *_raw_forms(declared), *apart]
    fitting = [
        replace(form, is_base=True, words=tell("{rule}, for no other codes fit the answers", rule=form.words))
        for form in (*variants, *shifted) if not form.unfit.any()
    ]  # fmt: skip
    if not fitting:
        count_answers(answers, instrument)  # says which items, and what they may be answered with
        raise InstrumentError(Problem("value_not_allowed", "Answers fit no form.", "Quarantine them."))
    return fitting


def _form(name: str, words: str, rank: int, instrument: Instrument, answers: Answers) -> Form:
    unfit = np.empty(answers.shape, dtype=bool)
    for place, item in enumerate(instrument.items):
        column = answers[:, place]
        unfit[:, place] = ~np.isnan(column) & ~instrument.allowed_values(item.id).allows(column)
    return Form(name, words, rank, instrument, np.where(unfit, np.nan, answers), unfit)


def _layout(
    measure: Measure, places: Sequence[int], items: Sequence[Item], allowed: Sequence[AllowedValues]
) -> tuple[object, ...]:
    table = tuple((step.raw, step.score) for step in measure.lookup)
    missing = (measure.missing.treat, measure.missing.max_missing)
    answers = tuple((place, item.reverse, each) for place, item, each in zip(places, items, allowed, strict=True))
    return (measure.method, measure.multiply, measure.add, table, missing, answers)


def _variant_forms(answers: Answers, instrument: Instrument) -> Iterator[Form]:
    """Yield the answers read as each declared coding and order, and as pairs of both."""
    labels = {variant.id: variant.label for variant in instrument.variants}
    codings, orders = (
        [variant.id for variant in instrument.variants if variant.kind == kind] for kind in ("coding", "item_order")
    )
    for names in [*[(one,) for one in (*codings, *orders)], *[(one, other) for one in codings for other in orders]]:
        named = [labels[name] for name in names]
        words = (
            tell("scored as the variant '{variant}'", variant=named[0])
            if len(named) == 1
            else tell("scored as the variant '{variant}' in the order of '{order}'", variant=named[0], order=named[1])
        )
        form = apply_variants(instrument, names)
        yield _form(f"variant:{','.join(names)}", words, _VARIANT * len(names), form, answers)


def _recoded_forms(answers: Answers, instrument: Instrument) -> Iterator[Form]:
    """Yield the answers in the codes of each declared coding, as a total may have been made of them."""
    declared = score_matrix(answers, instrument)
    for variant in instrument.variants:
        if variant.kind != "coding":
            continue
        form = apply_variants(instrument, [variant.id])
        moved = _move_codes(answers, instrument, form)
        if moved is None:
            continue
        scores = score_matrix(moved, form)
        if any(not np.allclose(scores[name].score, one.score, equal_nan=True) for name, one in declared.items()):
            words = tell(
                "scored as the variant '{variant}', after the answers were recoded to that", variant=variant.label
            )
            yield _form(f"variant:{variant.id}(recoded)", words, _VARIANT + 1, form, moved)


def _move_codes(answers: Answers, declared: Instrument, form: Instrument) -> Answers | None:
    """Return answers with each code replaced by the form's in the same place; None where codes stay or do not match."""
    moved = answers.copy()
    changed = False
    for place, (old_item, new_item) in enumerate(zip(declared.items, form.items, strict=True)):
        old, new = declared.allowed_values(old_item.id), form.allowed_values(new_item.id)
        if old.options == new.options:
            continue
        if len(old.options) != len(new.options):
            return None
        changed = True
        for code, other in zip(old.options, new.options, strict=True):
            moved[answers[:, place] == code, place] = other
    return moved if changed else None


def _shifted_forms(answers: Answers, instrument: Instrument) -> Iterator[Form]:
    """Yield readings of answers whose codes lie above or below the declared ones."""
    for step in _STEPS:
        by = Number(abs(step))
        words = (
            tell("the answers are coded {step} higher than declared, which the total allows for", step=by)
            if step > 0
            else tell("the answers are coded {step} lower than declared, which the total allows for", step=by)
        )
        form = _form(f"codes_shifted:{step:+d}", words, _SHIFT, instrument, answers - step)
        yield replace(form, shift=step)


def _raw_forms(declared: Form) -> Sequence[Form]:
    """Return the reading by raw codes, where some answers count something else."""
    instrument = declared.instrument
    allowed = [instrument.allowed_values(item.id) for item in instrument.items]
    if not any(_is_recoded(each) for each in allowed):
        return []
    words = tell("the codes themselves were counted, not what they stand for")
    plain = replace(declared, name="raw_codes", words=words, rank=_RAW, raw="plain")
    if not any(item.reverse for item in instrument.items):
        return [plain]
    after = tell("the codes themselves were counted, not what they stand for, after reversal")
    none = tell("the codes themselves were counted, not what they stand for, and nothing was reversed")
    turned = replace(plain, name="raw_codes_reversed", words=after, rank=_RAW + 1, raw="reversed")
    return [replace(plain, words=none), turned]


def _is_recoded(allowed: AllowedValues) -> bool:
    return allowed.scores != tuple(map(float, allowed.options))
