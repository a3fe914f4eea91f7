"""Rules by which a delivered total may have come about, and the total that each of them predicts."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from data_contracts.telling import Number, Told, join_told, list_told, tell, tell_many
from instruments.audit.forms import Reading
from instruments.model import Instrument
from instruments.parts import Measure, Missing, Variant
from instruments.scoring import Answers

NOT_APPLICABLE: Final = np.inf
"""Predicted where a rule cannot be followed; equals no total. NaN is the prediction that there is no total."""
SHIFTS: Final = (1, -1, 2, -2, 3, -3)
_PLAIN, _ITEM, _SHIFT, _LIMIT, _PAIR = 10, 20, 30, 25, 5  # ranks: the higher, the more complicated


@dataclass(frozen=True, slots=True)
class Counting:
    """Which answers are counted otherwise: `turned` and `left_out` hold places of items, `shift` is added to each."""

    name: str = ""
    words: str = ""
    rank: int = 0
    turned: tuple[int, ...] = ()
    left_out: tuple[int, ...] = ()
    shift: float = 0.0


@dataclass(frozen=True, slots=True)
class Totalling:
    """How a total is made of what the answers count: (sum or mean) x multiply + add, or looked up."""

    name: str
    words: str
    rank: int
    method: str
    multiply: float = 1.0
    add: float = 0.0
    looked_up: bool = False


@dataclass(frozen=True, slots=True)
class MissingRule:
    """What stands for a missing answer (`others`, `zero`, `lowest`, `lowest_first`), in up to `limit` answers."""

    name: str
    words: str
    rank: int
    fill: str
    limit: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """One way to a total; `missing` is None where the rule of the reading's own measure holds."""

    reading: Reading
    counting: Counting
    totalling: Totalling
    missing: MissingRule | None = None

    @property
    def name(self) -> str:
        """Stable name for machines; `declared` for the definition's own rule."""
        return "+".join(part.name for part in self._parts if part.name) or "declared"

    @property
    def words(self) -> Told:
        """The rule in words, to be read after a colon."""
        return join_told((part.words for part in self._parts), "; ")

    @property
    def rank(self) -> int:
        """The higher, the more complicated."""
        return sum(part.rank for part in self._parts) + _PAIR * max(0, self.deviations - 1)

    @property
    def deviations(self) -> int:
        """In how many respects it differs from the definition."""
        return sum(part.rank > 0 for part in self._parts)

    @property
    def form(self) -> Rule:
        """The rule without what it says about missing answers."""
        return replace(self, missing=None)

    @property
    def is_plain(self) -> bool:
        """Whether it is the reading's own rule."""
        return not (self.counting.name or self.totalling.name or self.missing or self.reading.is_raw)

    @property
    def turned_items(self) -> tuple[str, ...]:
        """Ids of the items that count the other way round."""
        return tuple(self.reading.items[place].id for place in self.counting.turned)

    @property
    def _parts(self) -> list[Reading | Counting | Totalling | MissingRule]:
        return [self.reading, self.counting, self.totalling, *([self.missing] if self.missing else [])]


AS_DECLARED: Final = Counting()
_COMPLETE_ONLY: Final = ("complete_only", tell("no total unless every item was answered"))
_FILLS: Final = {
    "zero": ("missing_as_zero", tell("a missing answer was counted as zero")),
    "others": ("prorated", tell("the mean of the other answers stood for a missing one")),
    "lowest": ("missing_as_lowest", tell("a missing answer was counted as the lowest")),
    "lowest_first": (
        "missing_as_lowest_before_reversal",
        tell("a missing answer was taken for the lowest, then reversed where the item is"),
    ),
}


def list_forms(readings: Sequence[Reading]) -> Iterator[Rule]:
    """Yield the rules that show on complete answers: those of each reading, and one way to differ from each."""
    for reading in readings:
        countings = list(_countings(reading)) if reading.is_base else [AS_DECLARED]
        if reading.shift and not reading.is_base:
            countings.append(_shifted(reading, reading.shift))
        ways = list_totallings(reading)
        for counting in countings:
            yield from (Rule(reading, counting, way) for way in (ways if reading.is_base else ways[:1]))


def list_missing_rules(reading: Reading, instrument: Instrument, most_missing: int) -> list[MissingRule]:
    """Return rules other than the declared, where at most `most_missing` answers of a row are missing."""
    named = [
        _variant_rule(variant, changed)
        for variant in instrument.variants if variant.kind == "missing_rule" and reading.measure.id in variant.measures
        for changed in [variant.measures[reading.measure.id].missing] if changed is not None
    ]  # fmt: skip
    fills = ["zero", "others"]
    fills += ["lowest"] if reading.low.any() else []
    fills += ["lowest_first"] if reading.reverse.any() else []
    anyhow = [MissingRule(*_FILLS[fill], _PLAIN + 2 + 2 * (fill == "lowest_first"), fill) for fill in fills]
    limited = [
        replace(rule, name=f"{rule.name}:up_to_{most}", words=_limited(rule.words, most), rank=_LIMIT, limit=most)
        for rule in anyhow for most in range(1, most_missing)
    ]  # fmt: skip
    rules = [*named, MissingRule(*_COMPLETE_ONLY, _PLAIN + 2, "others", 0), *anyhow, *limited]
    own = reading.measure.missing
    if instrument.max_missing is not None:  # then none of them is the declared rule
        return rules
    return [rule for rule in rules if (rule.limit, rule.fill if rule.limit else "") != (own.max_missing, _fill(own))]


def list_totallings(reading: Reading) -> list[Totalling]:
    """Return the measure's own way to make a total, then other ways that differ from it."""
    measure, n_items = reading.measure, len(reading.items)
    own = Totalling("", "", 0, measure.method, measure.multiply, measure.add, bool(measure.lookup))
    declared = _say_transformation(measure)
    low, high = float(reading.low.sum()), float(reading.high.sum())
    found = [
        own,
        Totalling("sum", join_told([tell("the plain sum of the items"), *declared], ", "), _PLAIN, "sum"),
        Totalling("mean", join_told([tell("the plain mean of the items"), *declared], ", "), _PLAIN, "mean"),
        Totalling("not_added", tell("{constant} was not added", constant=Number.exactly(measure.add)), _PLAIN,
                  measure.method, measure.multiply),
        Totalling("not_multiplied", tell("it was not multiplied by {factor}", factor=Number.exactly(measure.multiply)),
                  _PLAIN, measure.method, 1.0, measure.add),
        Totalling("percent_of_range", tell("the total was expressed as a share of its range, 0 to 100"), _PLAIN + 1,
                  "sum", 100 / (high - low), -100 * low / (high - low)),
    ]  # fmt: skip
    unlike: dict[tuple[object, ...], Totalling] = {}
    for way in found:
        per_item = n_items if way.method == "mean" else 1
        unlike.setdefault((way.looked_up, round(way.multiply / per_item, 9), round(way.add, 9)), way)
    return list(unlike.values())


def predict_complete(rule: Rule) -> Answers:
    """Return the total that a rule gives each row of complete answers."""
    reading, counting = rule.reading, rule.counting
    if rule.is_plain:
        return np.where(reading.fits, reading.own, NOT_APPLICABLE)
    raw = reading.counted_sum + counting.shift * len(reading.items)
    for place in counting.turned:
        raw = raw + reading.low[place] + reading.high[place] - 2 * reading.counted[:, place]
    for place in counting.left_out:
        raw = raw - reading.counted[:, place]
    total = _make_total(raw, len(reading.items) - len(counting.left_out), rule)
    return np.where(reading.fits, total, NOT_APPLICABLE)


def predict_incomplete(rule: Rule) -> Answers:
    """Return the total that a rule gives each row with missing answers; NaN where it gives none."""
    reading, missing = rule.reading, rule.missing
    if rule.is_plain:
        return np.where(reading.fits, reading.own, NOT_APPLICABLE)
    kept = [place for place in range(len(reading.items)) if place not in rule.counting.left_out]
    counted = reading.counted[:, kept] + rule.counting.shift
    for place in rule.counting.turned:
        counted[:, kept.index(place)] = reading.low[place] + reading.high[place] - counted[:, kept.index(place)]
    absent = np.isnan(counted)
    n_answered = len(kept) - absent.sum(axis=1)
    raw = np.nansum(counted, axis=1)
    fill = _fill(reading.measure.missing) if missing is None else missing.fill
    if fill in ("others", ""):
        raw = np.divide(raw * len(kept), n_answered, out=np.full(len(raw), np.nan), where=n_answered > 0)
    else:
        raw = raw + absent @ _stand_ins(reading, fill)[kept]
    total = _make_total(raw, len(kept), rule)
    if missing is None:
        total = np.where(np.isnan(reading.own), np.nan, total)
    elif missing.limit is not None:
        total = np.where(len(kept) - n_answered > missing.limit, np.nan, total)
    return np.where(reading.fits, total, NOT_APPLICABLE)


def say_missing(missing: Missing) -> str:
    """Return a rule for missing answers in words."""
    if missing.max_missing == 0:
        return "no total unless every item was answered"
    stands = "as zero" if missing.treat == "zero" else "as the mean of the other answers"
    answers = "1 missing answer counts" if missing.max_missing == 1 else f"{missing.max_missing} missing answers count"
    return f"up to {answers} {stands}; with more missing there is no total"


def _countings(reading: Reading) -> Iterator[Counting]:
    """Yield the declared counting, then each way to differ from it in one respect."""
    yield AS_DECLARED
    every = tuple(range(len(reading.items)))
    reverse = tuple(place for place in every if reading.reverse[place])
    sets = [reverse, *[(place,) for place in every], every, *itertools.combinations(reverse, 2)]
    for turned in dict.fromkeys(places for places in sets if places):
        yield _turned(reading, turned, reverse)
    if len(every) > 1:
        for place in every:
            name = reading.items[place].id
            yield Counting(f"left_out:{name}", tell("item {item} was left out", item=name), _ITEM, left_out=(place,))
    yield from (_shifted(reading, step) for step in SHIFTS)


def _turned(reading: Reading, turned: tuple[int, ...], reverse: tuple[int, ...]) -> Counting:
    ids = [reading.items[place].id for place in turned]
    if set(turned) <= set(reverse):
        rank = _PLAIN if turned == reverse else _ITEM + _PAIR * (len(turned) - 1)
        words = (
            tell("item {item} was counted without being reversed", item=ids[0])
            if len(ids) == 1
            else tell("items {items} were counted without being reversed", items=list_told(ids))
        )
        return Counting(f"not_reversed:{','.join(ids)}", words, rank, turned)
    if len(turned) == 1:
        words = tell("item {item} was counted reversed, which it is not", item=ids[0])
        return Counting(f"reversed_by_mistake:{ids[0]}", words, _ITEM, turned)
    return Counting("all_turned", tell("every item was counted the other way round"), _ITEM, turned)


def _shifted(reading: Reading, step: int) -> Counting:
    low, high = float(reading.low.min()), float(reading.high.max())
    by = Number(abs(step))
    words = tell("every answer counted {step} more than declared", step=by)
    if step < 0:
        words = tell("every answer counted {step} less than declared", step=by)
    if (reading.low == low).all() and (reading.high == high).all():
        words = tell(
            "{rule} ({lowest} to {highest} where {low} to {high} is declared)",
            rule=words,
            lowest=Number.exactly(low + step),
            highest=Number.exactly(high + step),
            low=Number.exactly(low),
            high=Number.exactly(high),
        )
    return Counting(f"shift:{step:+d}", words, _SHIFT, shift=float(step))


def _make_total(raw: Answers, n_items: int, rule: Rule) -> Answers:
    """Return totals of raw sums; a sum that the table does not hold has none."""
    way = rule.totalling
    if way.looked_up:
        steps = rule.reading.measure.lookup
        table = np.array([step.score for step in steps])
        place = np.rint(np.nan_to_num(raw, nan=-np.inf)) - steps[0].raw
        within = (place >= 0) & (place < len(table))
        found = table[np.where(within, place, 0).astype(np.int64)]
        return np.where(within, found, np.where(np.isnan(raw), np.nan, NOT_APPLICABLE))
    return raw / (n_items if way.method == "mean" else 1) * way.multiply + way.add


def _variant_rule(variant: Variant, missing: Missing) -> MissingRule:
    fill = _fill(missing)
    name, words = _FILLS[fill] if fill else _COMPLETE_ONLY
    words = tell("{rule} (the variant '{variant}')", rule=words, variant=variant.label)
    return MissingRule(f"{name}:variant:{variant.id}", words, _PLAIN, fill or "others", missing.max_missing)


def _fill(missing: Missing) -> str:
    """Return what a declared rule lets stand for a missing answer; empty where none may be missing."""
    return {"none": "", "zero": "zero", "prorate": "others"}[missing.treat]


def _stand_ins(reading: Reading, fill: str) -> Answers:
    """Return what a missing answer to each item counts."""
    if fill == "zero":
        return np.zeros(len(reading.items))
    return np.where(reading.reverse, reading.high, reading.low) if fill == "lowest_first" else reading.low


def _limited(words: str, most: int) -> Told:
    """Return a rule for missing answers that holds for so many of a row only."""
    return tell_many(
        "{rule}, with up to {count} missing", "{rule}, with up to {count} missing", most, rule=words, count=Number(most)
    )


def _say_transformation(measure: Measure) -> list[Told]:
    """Return what a plain sum or mean leaves out of the declared way to a total, nothing or one clause."""
    if measure.lookup:
        return [tell("not looked up in the table")]
    values = {"factor": Number.exactly(measure.multiply), "constant": Number.exactly(measure.add)}
    if measure.multiply != 1 and measure.add:
        return [tell("not multiplied by {factor} nor {constant} added", **values)]
    if measure.multiply != 1:
        return [tell("not multiplied by {factor}", factor=values["factor"])]
    return [tell("not {constant} added", constant=values["constant"])] if measure.add else []
