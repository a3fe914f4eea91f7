"""The plan as it is carried out, held against the plan that was frozen: what differs, and which answers it concerns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from analysis.certainty_reasons import Reason
from analysis.design import StudyDesign
from analysis.fingerprint import Content, FrozenPlan, canonical_content, name_of
from analysis.plan import Estimand, Outcome, Plan
from analysis.results import Result
from analysis.telling import tell

if TYPE_CHECKING:
    from analysis.evaluation import Evaluation
    from instruments import Instrument

ORDER: Final = "order of estimands"
PARTS: Final[Mapping[str, tuple[str, ...]]] = {
    "sensitivity": ("sensitivity", "intercurrent_events"),
    "subgroups": ("subgroups",),
    "mediation": ("mediation",),
    "dose": ("exposure_response", "compliers"),
    "formats": ("formats",),
    "harms": ("harms",),
}
"""`analysis` of the rows of a part -> the keys of the plan that ask for it."""
OF_OUTCOMES: Final[Mapping[str, tuple[str, ...]]] = {
    "expected_change": ("natural_change", "entry"),
    "change_counts": ("reliable_change",),
}
"""`analysis` of the rows of a part -> what an outcome declares for it, which no estimand needs."""
_BESIDE: Final = {key for keys in OF_OUTCOMES.values() for key in keys}
_OF_PARTS: Final = {key for keys in PARTS.values() for key in keys} - {"intercurrent_events"}
_OF_ESTIMANDS: Final = {"estimands", "outcomes", "families", "populations"}
_OWN: Final = {"covariates", "measures", "instruments"}
"""What of the design one estimand may need and another not."""
NEVER_FROZEN: Final = tell(
    "The plan was not frozen before outcomes were read, so what was asked may have been chosen for its answer."
)
CHANGED: Final = tell(
    "What was asked, or how, is not as in the plan that was frozen before outcomes were read, so it may have been "
    "chosen for its answer."
)


@dataclass(frozen=True, slots=True)
class Deviation:
    """One difference from the frozen plan.

    Attributes
    ----------
    path : tuple of str
        Keys down to what differs; a thing in a list goes by its id. What study.yaml decides begins with ``design``.
    planned, done : str
        In words; empty where there is nothing.
    """

    path: tuple[str, ...]
    planned: str
    done: str

    def __str__(self) -> str:
        """Return ``estimands.stigma_post.covariates``."""
        return ".".join(self.path)

    @property
    def kind(self) -> str:
        """Return ``added``, ``removed`` or ``changed``."""
        return "added" if not self.planned else "removed" if not self.done else "changed"


@dataclass(frozen=True, slots=True)
class Comparison:
    """What became of a frozen plan.

    Attributes
    ----------
    frozen : FrozenPlan or None
        None where no plan was frozen.
    plan, design : Plan, StudyDesign
        As they are carried out.
    deviations : tuple of Deviation
        From `FrozenPlan.planned`, in its order.
    families : mapping
        Estimand -> families that its p-value depends on, now or as planned.
    """

    frozen: FrozenPlan | None
    plan: Plan
    design: StudyDesign
    deviations: tuple[Deviation, ...]
    families: Mapping[str, frozenset[str]]

    def keeps(self, estimand: Estimand) -> bool:
        """Tell whether an estimand was frozen before outcomes were read, and is now as it was then."""
        return self._is_before() and not any(self.concerns(each, estimand) for each in self.deviations)

    def concerns(self, deviation: Deviation, estimand: Estimand) -> bool:
        """Tell whether a difference bears on the answer of an estimand."""
        key, *rest = deviation.path
        if is_shared(deviation):
            return True
        if key == "estimands":
            return rest[0] == estimand.id
        if key == "outcomes":
            return rest[0] == estimand.outcome and self._concerns_outcome(rest[1:], estimand)
        if key == "families":
            return rest[0] in self.families.get(estimand.id, ())
        if key == "populations":
            return rest[0] == estimand.population
        return key == "design" and self._concerns_design(rest, estimand)

    def mark(self, rows: Iterable[Result]) -> list[Result]:
        """Return rows of which only those stay pre-specified whose question is as it was frozen."""
        asked = {estimand.id: self.keeps(estimand) for estimand in self.plan.estimands}
        others = self._is_before() and not any(is_shared(each) for each in self.deviations)
        return [
            replace(row, prespecified=asked.get(row.estimand, others) and self._keeps_part(row))
            if row.prespecified
            else row
            for row in rows
        ]

    def tell(self) -> Iterator[Result]:
        """Yield what was ``planned``, what was ``done`` and which estimands it ``concerns``; empty ones not."""
        for each in self.deviations:
            concerned = [estimand.id for estimand in self.plan.estimands if self.concerns(each, estimand)]
            words = {"planned": each.planned, "done": each.done, "concerns": ", ".join(concerned)}
            for statistic, method in words.items():
                if method:
                    yield Result(
                        analysis="deviations",
                        statistic=statistic,
                        item=str(each),
                        method=method,
                        verdict="declared",
                    )

    def _is_before(self) -> bool:
        return self.frozen is not None and self.frozen.is_before_outcomes

    def _keeps_part(self, row: Result) -> bool:
        keys, declared = PARTS.get(row.analysis, ()), OF_OUTCOMES.get(row.analysis, ())
        return not any(
            each.path[0] in keys
            or (each.path[:2] == ("outcomes", row.outcome) and any(key in declared for key in each.path[2:3]))
            for each in self.deviations
        )

    def _concerns_outcome(self, rest: Sequence[str], estimand: Estimand) -> bool:
        if rest and rest[0] == ORDER:  # the first estimand of an outcome is its headline
            return estimand == next(each for each in self.plan.estimands if each.outcome == estimand.outcome)
        return not rest or rest[0] not in _BESIDE

    def _concerns_design(self, rest: Sequence[str], estimand: Estimand) -> bool:
        measure = self.design.measures[self.plan.outcome(estimand.outcome).measure]
        own: dict[str, Sequence[str | None]] = {
            "covariates": estimand.covariates,
            "measures": [measure.id],
            "instruments": [measure.instrument],
        }
        return rest[1] in own[rest[0]]


def is_shared(deviation: Deviation) -> bool:
    """Tell whether a difference is about what all answers share; so is one of a key that is not known here."""
    key, *rest = deviation.path
    if key == "design":
        return rest[0] not in _OWN
    if key == "small_numbers":
        return rest[0] != "profile"
    return key not in _OF_PARTS and key not in _OF_ESTIMANDS


def compare_with_frozen(
    plan: Plan, design: StudyDesign, library: Mapping[str, Instrument], frozen: FrozenPlan | None
) -> Comparison:
    """Hold a plan against what was frozen of it; without anything frozen there are no deviations to tell."""
    if frozen is None:
        return Comparison(None, plan, design, (), {})
    planned, done = frozen.planned.upgraded(design), canonical_content(plan, design, library)
    families: dict[str, frozenset[str]] = {}
    for content in (planned, done):
        for estimand, names in _families(content["plan"]).items():
            families[estimand] = families.get(estimand, frozenset()) | names
    return Comparison(frozen, plan, design, find_deviations(planned, done), families)


def find_deviations(planned: Content, done: Content) -> tuple[Deviation, ...]:
    """Return every difference between two contents of `canonical_content`, in the order of the keys of the plan."""
    return (
        *_differences((), planned["plan"], done["plan"]),
        *_reordered(planned["plan"], done["plan"]),
        *_differences(("design",), planned["design"], done["design"]),
    )


def reasons_of_plan(outcome: Outcome, evaluation: Evaluation, own: Sequence[Result]) -> Iterator[Reason]:
    """Yield a reason where an estimate of an outcome is not pre-specified.

    It takes a level of every outcome, whatever its role: to add an outcome as exploratory must not make it surer.
    """
    estimated = [row for row in evaluation.answers if row.outcome == outcome.id and row.verdict == "estimated"]
    if any(row.estimand and not row.prespecified for row in estimated):
        frozen = evaluation.frozen
        is_changed = frozen is not None and frozen.is_before_outcomes
        yield Reason("not_prespecified", CHANGED if is_changed else NEVER_FROZEN)


def _differences(path: tuple[str, ...], planned: Any, done: Any) -> Iterator[Deviation]:
    planned, done = _by_name(planned), _by_name(done)
    if isinstance(planned, Mapping) and isinstance(done, Mapping):
        for key in dict.fromkeys((*planned, *done)):
            yield from _differences((*path, key), planned.get(key), done.get(key))
    elif planned != done and not (_is_empty(planned) and _is_empty(done)):
        yield Deviation(path, say_value(planned), say_value(done))


def _by_name(value: Any) -> Any:
    """Return a list of things that have names, an empty one too, as a mapping, and anything else as it is."""
    if isinstance(value, list) and all(name_of(each) for each in value):
        return {name_of(each): each for each in value}
    return value


def _is_empty(value: Any) -> bool:
    return value is None or value is False or (isinstance(value, str | list | Mapping) and not value)


def _reordered(planned: Mapping[str, Any], done: Mapping[str, Any]) -> Iterator[Deviation]:
    """Yield the outcomes whose first estimand is another one, or whose estimands stand in another order."""
    for outcome in dict.fromkeys(each["outcome"] for each in planned["estimands"]):
        then, now = (
            [each["id"] for each in plan["estimands"] if each["outcome"] == outcome] for plan in (planned, done)
        )
        kept = [name for name in then if name in now]
        if now and (then[0] != now[0] or kept != [name for name in now if name in then]):
            yield Deviation(("outcomes", outcome, ORDER), ", ".join(then), ", ".join(now))


def _families(plan: Mapping[str, Any]) -> dict[str, frozenset[str]]:
    """Return the families of each estimand: its own and those that come before it."""
    after = {family["id"]: family["after"] for family in plan["families"]}
    found: dict[str, frozenset[str]] = {}
    for family in plan["families"]:
        chain, name = [], family["id"]
        while name is not None and name not in chain:
            chain.append(name)
            name = after.get(name)
        found |= {member: frozenset(chain) for member in family["members"]}
    return found


def say_value(value: Any) -> str:
    """Return a value of a plan in words: ``age, gender``, or ``value: 2, source: a paper``; empty for nothing."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {_nested(each)}" for key, each in value.items() if not _is_empty(each))
    if isinstance(value, list):
        return ", ".join(_nested(each) for each in value)
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def _nested(value: Any) -> str:
    said = say_value(value)
    return f"({said})" if isinstance(value, Mapping | list) and len(value) > 1 else said
