"""The verdict of an audit: which rule explains most of the delivered totals, and which the rest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from data_contracts.telling import Number, Told, tell, tell_many
from instruments.audit.forms import Reading
from instruments.audit.results import (
    ALL,
    CANNOT_BE_TOLD,
    FEWEST_FOR_MEAN,
    UNEXPLAINED,
    Part,
    RuleFinding,
    join_alternatives,
)
from instruments.audit.rules import (
    AS_DECLARED,
    Rule,
    list_forms,
    list_missing_rules,
    list_totallings,
    predict_complete,
    predict_incomplete,
)
from instruments.audit.turned_items import judge_turned
from instruments.model import Instrument
from instruments.scoring import Answers

EXACT: Final = 1e-5
"""Points; totals stored in single precision differ from ours by less."""
DECIMALS: Final = (2, 1, 0)
FEWEST_ROWS: Final = 5
"""Fewer rows do not name a rule other than the declared, unless it is named for all timepoints together."""
MOST: Final = 0.5
"""Share of rows that the first rule, where it is not the declared, explains at least."""
MOST_OF_REST: Final = 0.8
"""Share of the unexplained rows that a further rule explains at least; random totals do not come near."""
MOST_RULES: Final = 3

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class _Candidate:
    """A rule, the decimals it is rounded to, and the rows of its part whose total it gives."""

    rule: Rule
    decimals: int | None
    obeyed: Mask

    @property
    def base(self) -> str:
        return self.rule.name

    @property
    def name(self) -> str:
        return self.base if self.decimals is None else f"{self.base}+rounded:{self.decimals}"

    @property
    def is_declared(self) -> bool:
        return self.base == "declared"

    @property
    def words(self) -> Told:
        told = self.rule.words or tell("the declared rule")
        if self.decimals is None:
            return told
        if self.decimals == 0:
            return tell("{rule}, rounded to a whole number", rule=told)
        return tell_many(
            "{rule}, rounded to {count} decimal", "{rule}, rounded to {count} decimals", self.decimals, rule=told,
            count=Number(self.decimals),
        )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class _PartRows:
    """Rows with, or without, all answers: which they are, what was delivered, and which rules give that."""

    part: Part
    rows: Mask
    delivered: Answers
    declared: Answers
    candidates: list[_Candidate]
    free: frozenset[str] = frozenset()

    def rank(self, candidate: _Candidate) -> int:
        """Return how complicated a rule is; forms that complete rows are known to obey come for nothing."""
        rule = candidate.rule
        form = 0 if rule.form.name in self.free else rule.form.rank
        return form + (rule.missing.rank if rule.missing else 0) + (candidate.decimals is not None)

    def competes(self, other: _Candidate, chosen: _Candidate) -> bool:
        """Return whether a rule that fits the same rows is worth naming: as simple, or one step from the declared."""
        if other.base == chosen.base or other.decimals != chosen.decimals:
            return False
        if not chosen.is_declared:
            return self.rank(other) == self.rank(chosen)
        return other.rule.deviations == 1 and (self.part == "complete" or other.rule.missing is not None)


def judge_measure(
    readings: Sequence[Reading], total: Answers, instrument: Instrument, cells: Mapping[str, Mask]
) -> list[RuleFinding]:
    """Return the rules that the delivered totals of a measure obey.

    Parameters
    ----------
    readings : sequence of Reading
        Ways to read its answers, the base first.
    total : array of float, (n,)
        Delivered totals; NaN where missing.
    instrument : Instrument
        The definition, for its rules about missing answers.
    cells : mapping
        ``all`` and each timepoint -> its rows.

    Returns
    -------
    list of RuleFinding
        Of complete rows, then of rows with missing answers.
    """
    base = readings[0]
    known = ~np.isnan(total)
    absent = np.isnan(base.counted)
    complete = ~absent.any(axis=1) & ~np.isnan(base.own)
    incomplete = ~absent.all(axis=1) & ~complete
    part = _complete_part(readings, total, complete & known)
    steps = _judge(part, cells)
    known_forms = [one.rule for _, step in steps for one in (step.fitting[:1] if step.is_told else step.fitting)]
    forms = {rule.form.name: rule for rule in known_forms}
    expected = known.copy()  # without a total, a row tells something only where totals were delivered at all
    for label, rows in cells.items():
        if len(cells) == 1 or label != ALL:
            expected |= rows & bool((rows & known).any())
    rest = _incomplete_part(readings, total, incomplete & expected, instrument, forms)
    measure = f"{instrument.id}.{base.measure.id}"
    return [
        _finding(one, measure, timepoint, step)
        for one, judged in ((part, steps), (rest, _judge(rest, cells))) for timepoint, step in judged
    ]  # fmt: skip


def _complete_part(readings: Sequence[Reading], total: Answers, rows: Mask) -> _PartRows:
    own, delivered = [reading.take(rows) for reading in readings], total[rows]
    obeying = _Obeying(delivered)
    candidates = [one for rule in list_forms(own) for one in obeying.find(rule, predict_complete(rule))]
    return _PartRows("complete", rows, delivered, _declared_scores(own[0]), candidates)


def _declared_scores(base: Reading) -> Answers:
    """Return the declared scores; none where answers are not in declared codes."""
    return base.own if not base.name else np.full(len(base.own), np.nan)


def _incomplete_part(
    readings: Sequence[Reading], total: Answers, rows: Mask, instrument: Instrument, forms: Mapping[str, Rule]
) -> _PartRows:
    """Try the rules for missing answers on the forms that complete rows obey, on each reading, and on other totals."""
    own, delivered = [reading.take(rows) for reading in readings], total[rows]
    most = int(np.isnan(own[0].counted).sum(axis=1).max(initial=0))
    plain = [Rule(one, AS_DECLARED, way) for one in own for way in list_totallings(one) if one.is_base or not way.name]
    taken = {(one.name, one.measure.id): one for one in own}
    found = [replace(rule.form, reading=taken[rule.reading.name, rule.reading.measure.id]) for rule in forms.values()]
    obeying = _Obeying(delivered)
    candidates = [
        one for form in {rule.name: rule for rule in (*plain, *found)}.values()
        for missing in (None, *list_missing_rules(form.reading, instrument, most))
        for rule in [replace(form, missing=missing)] for one in obeying.find(rule, predict_incomplete(rule))
    ]  # fmt: skip
    return _PartRows("incomplete", rows, delivered, _declared_scores(own[0]), candidates, frozenset(forms))


class _Obeying:
    """Finds the rows whose delivered total a rule gives, exactly or up to rounding."""

    def __init__(self, delivered: Answers) -> None:
        self.delivered = delivered
        self.none = np.isnan(delivered)
        scaled = {places: delivered * 10.0**places for places in DECIMALS}
        self.rounded = {places: np.abs(each - np.rint(each)) <= EXACT for places, each in scaled.items()}

    def find(self, rule: Rule, predicted: Answers) -> Iterator[_Candidate]:
        """Yield the rule, and its roundings where they explain a row that it does not explain exactly."""
        apart = np.abs(self.delivered - predicted)
        exact = (apart <= EXACT) | (self.none & np.isnan(predicted))
        if exact.any() or rule.name == "declared":
            yield _Candidate(rule, None, exact)
        for places in DECIMALS:
            near = (self.rounded[places] & (apart <= 0.5 * 10.0**-places + EXACT)) | (self.none & np.isnan(predicted))
            if (near & ~exact).any():
                yield _Candidate(rule, places, near)


@dataclass(frozen=True, slots=True, eq=False)
class _Step:
    """Rules that fit the rows which were `left`: the first explains the others, where one `is_told`."""

    left: Mask
    fitting: list[_Candidate]
    is_told: bool
    explained: Mask


def _judge(part: _PartRows, cells: Mapping[str, Mask]) -> list[tuple[str, _Step]]:
    """Return the rules that the rows of a part obey, over all and by timepoint."""
    masks = np.array([one.obeyed for one in part.candidates]).reshape(len(part.candidates), len(part.delivered))
    named: frozenset[str] = frozenset()
    judged: list[tuple[str, _Step]] = []
    for timepoint, taken in cells.items():
        steps = _explain(part, masks, taken[part.rows], named)
        judged += [(timepoint, step) for step in steps]
        if timepoint == ALL:
            named = frozenset(step.fitting[0].name for step in steps if step.is_told)
    return judged


def _explain(part: _PartRows, masks: NDArray[np.bool_], left: Mask, named: frozenset[str]) -> list[_Step]:
    """Return rule after rule, each for the rows that those before it leave."""
    steps: list[_Step] = []
    while left.any() and len(steps) < MOST_RULES:
        step = _next_rule(part, masks, left, named, steps)
        if step is None:
            break
        steps.append(step)
        left = left & ~step.explained
        if not step.explained.any():
            break
    return steps


def _next_rule(
    part: _PartRows, masks: NDArray[np.bool_], left: Mask, named: frozenset[str], before: Sequence[_Step]
) -> _Step | None:
    """Return the rule for rows that the steps before leave; None where none explains enough of them."""
    n_left, here = int(left.sum()), masks[:, left]
    counts = np.count_nonzero(here, axis=1)
    order = sorted(
        range(len(counts)),
        key=lambda one: (
            -counts[one],
            not part.candidates[one].is_declared,
            part.candidates[one].name not in named,
            part.rank(part.candidates[one]),
        ),
    )
    declared = [one for one in order if part.candidates[one].is_declared]
    fitting = [part.candidates[one] for one in order if counts[one] == n_left and n_left < FEWEST_ROWS]
    for best in (*order[:1], *([] if fitting else declared[:1])):
        candidate, count = part.candidates[best], int(counts[best])
        is_named = candidate.name in named
        if _is_enough(candidate, count, n_left, before, is_named=is_named):
            alike = [one for one in order if counts[one] == count and (here[one] == here[best]).all()]
            rivals = [part.candidates[one] for one in alike if part.competes(part.candidates[one], candidate)]
            is_told = candidate.is_declared or is_named or not rivals
            return _Step(left, [candidate, *rivals], is_told, left & candidate.obeyed)
    if before:
        return None
    return _Step(left, fitting, is_told=False, explained=left & bool(fitting))


def _is_enough(candidate: _Candidate, count: int, n_left: int, before: Sequence[_Step], *, is_named: bool) -> bool:
    """Return whether the rows that a rule explains suffice to name it; less is asked of the declared rule."""
    if candidate.is_declared and not any(step.fitting[0].is_declared for step in before):
        return count > 0 and (not before or count >= FEWEST_ROWS or count == n_left)
    rows_suffice = count >= FEWEST_ROWS or (is_named and count > 0)
    return rows_suffice and count >= (MOST_OF_REST if before else MOST) * n_left


def _finding(part: _PartRows, measure: str, timepoint: str, step: _Step) -> RuleFinding:
    rows, explained = int(step.left.sum()), int(step.explained.sum())
    if not step.is_told:
        return RuleFinding(
            measure=measure, timepoint=timepoint, part=part.part, rule=CANNOT_BE_TOLD if step.fitting else UNEXPLAINED,
            meaning=_say_open(step.fitting, rows), rows=rows, explained=explained, is_declared_rule=False,
            same_as_declared=0, mean_difference=np.nan, could_be=tuple(one.words for one in step.fitting),
        )  # fmt: skip
    chosen = step.fitting[0]
    same = [one.obeyed for one in part.candidates if one.is_declared and one.decimals in (None, chosen.decimals)]
    apart = (part.delivered - part.declared)[step.explained]
    apart = apart[~np.isnan(apart)]
    return RuleFinding(
        measure=measure,
        timepoint=timepoint,
        part=part.part,
        rule=chosen.name,
        meaning=chosen.words,
        rows=rows,
        explained=explained,
        is_declared_rule=chosen.is_declared,
        same_as_declared=int((step.explained & np.any(same, axis=0)).sum()),
        mean_difference=float(apart.mean()) if len(apart) >= FEWEST_FOR_MEAN else np.nan,
        could_be=tuple(one.words for one in step.fitting[1:]),
        turned_items=chosen.rule.turned_items,
        answers_say=_ask_answers(chosen.rule, step.explained),
    )


def _ask_answers(rule: Rule, rows: Mask) -> Literal["", "turned", "as_declared"]:
    """Return what the answers of some rows say about the items that a rule turns."""
    if not rule.turned_items:
        return ""
    return judge_turned(rule.reading.counted[rows], [item.id for item in rule.reading.items], rule.turned_items)


def _say_open(fitting: Sequence[_Candidate], rows: int) -> Told:
    if not fitting:
        return tell("no common rule was found")
    told = join_alternatives([one.words for one in fitting])
    if rows < FEWEST_ROWS:
        return tell("too few rows to name a rule, which fit: {rules}", rules=told)
    return tell("several rules fit alike, so that none is told: {rules}", rules=told)
