"""What an audit of delivered totals found, as a table and in words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import pandas as pd

from data_contracts.telling import Number, tell, tell_many

Part = Literal["complete", "incomplete"]

ALL: Final = "all"
UNEXPLAINED: Final = "none"
CANNOT_BE_TOLD: Final = "cannot_be_told"
FEWEST_FOR_MEAN: Final = 10
"""Differences of fewer rows are not averaged."""
AUDIT_DTYPES: Final[dict[str, str]] = {
    "measure": "str", "timepoint": "str", "part": "str", "rule": "str", "meaning": "str", "rows": "int64",
    "explained": "int64", "unexplained": "int64", "is_declared_rule": "bool", "same_as_declared": "int64",
    "mean_difference": "float64", "could_be": "str",
}  # fmt: skip
GAP_DTYPES: Final[dict[str, str]] = {
    "measure": "str", "timepoint": "str", "delivered": "int64", "delivered_without_answers": "int64",
    "delivered_where_we_give_none": "int64", "not_delivered_where_we_give_one": "int64",
}  # fmt: skip
_TOLD_ALTERNATIVES = 3


@dataclass(frozen=True, slots=True)
class RuleFinding:
    """One rule that rows obey; the next finding of the same cell is about the rows that this one leaves unexplained.

    Attributes
    ----------
    rule : str
        ``declared``, another rule's name (see `list_forms`, `list_missing_rules`), ``cannot_be_told`` where several
        rules fit alike, or ``none``; ``+rounded:2`` where totals are the rule's up to rounding.
    meaning : str
        The rule in words.
    rows, explained : int
        Rows looked at, and how many of them have the rule's total.
    same_as_declared : int
        Explained rows on which the declared rule gives the same total, so that they cannot tell.
    mean_difference : float
        Delivered minus declared in points over explained rows; NaN where fewer than 10 have both.
    could_be : tuple of str
        Rules that fit all explained rows as well.
    turned_items : tuple of str
        Items that count the other way round under the rule.
    answers_say : str
        About those: ``turned`` where in these rows, scored as declared, they go against the other items, so that the
        answers arrived turned; ``as_declared`` where they agree with the others; else empty.
    """

    measure: str
    timepoint: str
    part: Part
    rule: str
    meaning: str
    rows: int
    explained: int
    is_declared_rule: bool
    same_as_declared: int
    mean_difference: float
    could_be: tuple[str, ...] = ()
    turned_items: tuple[str, ...] = ()
    answers_say: Literal["", "turned", "as_declared"] = ""

    @property
    def unexplained(self) -> int:
        """Rows that have another total than the rule's."""
        return self.rows - self.explained


@dataclass(frozen=True, slots=True)
class DeliveryGap:
    """Rows of one measure where delivered and own totals are not both there."""

    measure: str
    timepoint: str
    delivered: int
    delivered_without_answers: int
    delivered_where_we_give_none: int
    not_delivered_where_we_give_one: int


@dataclass(frozen=True, slots=True)
class ScoreAudit:
    """Which rules delivered totals obey. It is a report: nothing is repaired, and the owner decides.

    Attributes
    ----------
    labels, declared_missing : dict
        Measure id -> its label; measure id -> its rule for missing answers in words.
    findings : tuple of RuleFinding
        By measure, timepoint (``all`` first) and part.
    gaps : tuple of DeliveryGap
        By measure and timepoint.
    items : DataFrame
        See `find_turned_items`.
    """

    labels: dict[str, str]
    declared_missing: dict[str, str]
    findings: tuple[RuleFinding, ...]
    gaps: tuple[DeliveryGap, ...]
    items: pd.DataFrame

    @property
    def is_clean(self) -> bool:
        """Whether every total follows the declared rule and no item goes against the others."""
        as_declared = all(one.is_declared_rule and not one.unexplained for one in self.findings)
        gaps = any(
            one.delivered_without_answers or one.delivered_where_we_give_none or one.not_delivered_where_we_give_one
            for one in self.gaps
        )
        return as_declared and not gaps and not self.items["verdict"].isin(["turned", "cannot_be_told"]).any()

    def tidy(self) -> pd.DataFrame:
        """Return one row per finding: measure, timepoint, part, rule, meaning, rows, explained, unexplained, ...

        Columns as the attributes of `RuleFinding`; `could_be` is joined by " | ".
        """
        columns = [name for name in AUDIT_DTYPES if name != "could_be"]
        records = [
            {name: getattr(one, name) for name in columns} | {"could_be": " | ".join(one.could_be)}
            for one in self.findings
        ]
        return pd.DataFrame(records, columns=list(AUDIT_DTYPES)).astype(AUDIT_DTYPES)

    def gap_table(self) -> pd.DataFrame:
        """Return one row per measure and timepoint; columns as the attributes of `DeliveryGap`, in rows."""
        records = [{name: getattr(one, name) for name in GAP_DTYPES} for one in self.gaps]
        return pd.DataFrame(records, columns=list(GAP_DTYPES)).astype(GAP_DTYPES)

    def words(self) -> str:
        """Return a paragraph per measure in plain words: counts, rules and means of ten rows or more."""
        return "\n\n".join(self._say_measure(measure) for measure in self.labels)

    def _say_measure(self, measure: str) -> str:
        own = [one for one in self.findings if one.measure == measure]
        sentences = [f"{self.labels[measure]} ({measure})."]
        for part in ("complete", "incomplete"):
            here = [one for one in own if one.part == part]
            for timepoint in _timepoints_to_tell(here):
                sentences += self._say_cell([one for one in here if one.timepoint == timepoint])
        items = self.items[self.items["measure"] == measure]
        sentences += _say_items(items)
        sentences += [sentence for gap in self.gaps if gap.measure == measure and gap.timepoint == ALL
                      for sentence in _say_gap(gap)]  # fmt: skip
        if any(not one.is_declared_rule or one.unexplained for one in own):
            sentences.append("Nothing was changed: which totals are right is for the owner of the data to decide.")
        return " ".join(sentences)

    def _say_cell(self, cell: Sequence[RuleFinding]) -> list[str]:
        """Return the sentences on one timepoint and part."""
        first = cell[0]
        where = "" if first.timepoint == ALL else f" at {first.timepoint}"
        rows = f"{first.part} row{'' if first.rows == 1 else 's'}{where}"
        if first.rule == UNEXPLAINED:
            return [f"For {first.rows:,} {rows} no common rule was found."]
        only = "Only " if first.is_declared_rule and first.explained < first.unexplained else ""
        sentences = [f"{only}{first.explained:,} of {first.rows:,} {rows}{_say_rule(first)}."]
        if first.part == "incomplete" and not first.is_declared_rule:
            sentences.append(f"The declared rule: {self.declared_missing[first.measure]}.")
        sentences += [f"Of the other {other.rows:,}, {other.explained:,}{_say_rule(other)}." for other in cell[1:]]
        for one in cell:
            sentences += _say_difference(one)
        left = cell[-1].unexplained
        if left:
            sentences.append(f"For {left:,} no common rule was found.")
        return sentences


def _timepoints_to_tell(findings: Sequence[RuleFinding]) -> list[str]:
    """Return `all` where every timepoint has one and the same rule, else each timepoint."""
    timepoints = list(dict.fromkeys(one.timepoint for one in findings))
    single = [name for name in timepoints if name != ALL]
    rules = {name: [one.rule for one in findings if one.timepoint == name] for name in timepoints}
    settled = [rules[name] for name in single if rules[name] not in ([CANNOT_BE_TOLD], [UNEXPLAINED])]
    if len(timepoints) < 3 or all(each == rules[ALL] for each in settled):
        return timepoints[:1]
    return single


def _say_rule(finding: RuleFinding) -> str:
    """Return what follows a count of rows."""
    verb = "follows" if finding.explained == 1 else "follow"
    if finding.rule == CANNOT_BE_TOLD:
        return f": {finding.meaning}"
    if finding.is_declared_rule:
        rounding = f", {finding.meaning.split(', ')[-1]}" if ", rounded" in finding.meaning else ""
        untold = finding.could_be if finding.part == "complete" else ()
        alike = f" (which these totals cannot tell from: {join_alternatives(untold)})" if untold else ""
        return f" {verb} the declared rule{rounding}{alike}"
    return f": {finding.meaning}"


def _say_difference(finding: RuleFinding) -> list[str]:
    if finding.is_declared_rule:
        return []
    sentences = []
    if finding.same_as_declared:
        sentences.append(f"On {finding.same_as_declared:,} of these the declared rule gives the same.")
    mean = round(-finding.mean_difference, 2)
    if not math.isnan(mean):
        words = f"{abs(mean):g} points {'more' if mean > 0 else 'less'}" if mean else "the same"
        sentences.append(f"There the declared rule gives {words} on average.")
    if finding.answers_say == "turned":
        sentences.append("Scored as declared, the answers contradict one another there, so that they probably arrived "
                         "turned and the totals are right.")  # fmt: skip
    if finding.answers_say == "as_declared":
        sentences.append("Scored as declared, the answers agree with one another there: the totals are probably "
                         "wrong.")  # fmt: skip
    return sentences


def _say_items(items: pd.DataFrame) -> list[str]:
    """Return a sentence per timepoint where items go against the others."""
    sentences = []
    for timepoint in items["timepoint"].unique():
        here = items[items["timepoint"] == timepoint]
        where = "" if timepoint == ALL else f" at {timepoint}"
        for _, one in here[here["verdict"] == "turned"].iterrows():
            sentences.append(
                f"Scored as declared, item {one['item']} goes against the other items{where} (item-rest correlation "
                f"{one['correlation']:.2f}, interval {one['conf_low']:.2f} to {one['conf_high']:.2f}, n = {one['n']:,})"
                ": its answers may have arrived already reversed, or reversed by mistake."
            )
        if (here["verdict"] == "cannot_be_told").any():
            sides = [_list(list(here.loc[here["side"] == side, "item"])) for side in (1, 2)]
            n = here["n"].iloc[0]
            sentences.append(
                f"Scored as declared, items {sides[0]} go against items {sides[1]}{where} (n = {n:,}); the answers "
                "alone cannot tell which of them arrived turned."
            )
    return sentences


def _say_gap(gap: DeliveryGap) -> list[str]:
    counted = (
        (gap.delivered_without_answers, "delivered without any answer to the items, and could not be checked"),
        (gap.delivered_where_we_give_none, "delivered where the declared rule gives none"),
        (gap.not_delivered_where_we_give_one, "missing where the declared rule gives one"),
    )
    return [f"{count:,} total{' was' if count == 1 else 's were'} {words}." for count, words in counted if count]


def join_alternatives(words: Sequence[str]) -> str:
    """Return the first three of several rules in words, and how many more there are."""
    told, left = list(words[:_TOLD_ALTERNATIVES]), len(words) - _TOLD_ALTERNATIVES
    if left > 0:
        told.append(tell_many("{count} more", "{count} more", left, count=Number(left)))
    joined = told[0]
    for other in told[1:]:
        joined = tell("{rules}; or {other}", rules=joined, other=other)
    return joined


def _list(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
