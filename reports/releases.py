"""What earlier releases told of people, and what a new one must not tell because of it.

Whoever holds two reports can subtract one from the other: a count that grew by three tells of three people, and two
means over n and n + 1 people tell the score of one. So a new number is hidden where it differs from one of the same
people told earlier by so few of them, and a release is refused where whole arms differ by so few (differencing:
Hundepool et al. 2012, doi 10.1002/9781118348239, section 5.4).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import pandas as pd

from analysis.profiles import PROFILES, Profile
from data_contracts.errors import Problem
from reports.disclosure_audit import is_safe
from reports.disclosure_knowledge import Count, Knowledge, count_of
from reports.errors import ReportError

KEY: Final = ("analysis", "statistic", "estimand", "outcome", "population", "arm", "timepoint", "contrast", "item")
"""What makes two rows of two releases be about the same."""
TOLD: Final = ("value", "std_error", "df", "conf_low", "conf_high", "p_value")
NAMES: Final = ("arm", "timepoint", "outcome")
"""Of a key, what the study and its plan name: under another name the same people would not be compared."""
_ROUNDED_COUNTS: Final = ("harms",)
"""Values of `analysis` that count people without telling of how many: of two roundings few may be the difference."""
_DIGITS: Final = 10
_WHOLE_ARMS: Final = "allocated"


@dataclass(frozen=True, slots=True)
class Release:
    """What one report told of people.

    Attributes
    ----------
    time : str
        When it was released, ISO 8601.
    report : str
        SHA-256 of the report.
    profile : str
        The profile that it was gated by.
    facts : tuple of dict
        As of `describe_release`.
    """

    time: str
    report: str
    profile: str
    facts: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Released:
    """As which release of its study a report is given away: its number from 1 on, and when, ISO 8601."""

    number: int
    time: str

    @property
    def date(self) -> str:
        """Day of the release."""
        return self.time[:10]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a new release must not do.

    Attributes
    ----------
    hidden : tuple
        Indices of rows that must be hidden.
    problems : tuple of Problem
        Why it must not be released at all; empty where hiding is enough.
    """

    hidden: tuple[Any, ...]
    problems: tuple[Problem, ...]


def describe_release(gated: pd.DataFrame) -> list[dict[str, Any]]:
    """Return what gated results tell of people.

    Parameters
    ----------
    gated : DataFrame
        What `gate_results` let through.

    Returns
    -------
    list of dict
        One for each row that is shown and says how many people are behind it, or counts some: its key, its numbers, and
        `n`, all exact or rounded as told; missing numbers are left out.
    """
    counts = gated["n"].notna() | gated["analysis"].isin(_ROUNDED_COUNTS)
    told = gated[~gated["hidden"] & counts & (gated["analysis"] != "certainty")]
    return [
        {name: row[name] for name in KEY if row[name]}
        | {name: round(float(row[name]), _DIGITS) for name in ("n", *TOLD) if row[name] == row[name]}
        for row in told.to_dict("records")
    ]


def compare_releases(earlier: Iterable[Release], gated: pd.DataFrame, profile: Profile) -> Comparison:
    """Find what of a new release tells of few people beside any earlier one.

    Parameters
    ----------
    earlier : iterable of Release
        In any order.
    gated : DataFrame
        Gated results of the new release.
    profile : Profile
        The rule for the new release.

    Returns
    -------
    Comparison
        Rows whose people differ by so few, but some, that the rule protects them, and rows of as many people as earlier
        with another number: somebody may have come for somebody who left. Where that is so of everybody in an arm, the
        release is refused; and so is any whose profile protects fewer people than that of an earlier one, or that lacks
        an arm, a timepoint or an outcome that an earlier one told of.
    """
    hidden: dict[Any, None] = {}
    problems: list[Problem] = []
    rows = {_key(row): (index, row) for index, row in zip(gated.index, gated.to_dict("records"), strict=True)}
    for release in earlier if profile.protects else ():
        if profile.threshold < PROFILES[release.profile].threshold:
            problems.append(_refuse_weaker(release, profile))
        problems += [_refuse_renamed(release, name, gone) for name in NAMES if (gone := _gone(release, name, gated))]
        reach = PROFILES[release.profile].reach
        for fact in release.facts:
            index, row = rows.get(_key(fact), (None, None))
            if row is None or row["hidden"]:
                continue
            if "n" not in fact or row["n"] != row["n"]:
                # how many there are now is withheld, so that few may have gone: two means would tell their scores
                if _differ(fact, row):
                    hidden[index] = None
                continue
            if _tells_of_few(fact, row, reach, profile):
                hidden[index] = None
                if row["statistic"] == _WHOLE_ARMS:
                    problems.append(_refuse(release, profile))
    return Comparison(tuple(hidden), tuple(dict.fromkeys(problems)))


def recall_counts(earlier: Iterable[Release], known: Knowledge) -> None:
    """Add to what is known of counts what earlier releases told of the same ones: their difference is protected too."""
    for place, release in enumerate(earlier):
        reach = PROFILES[release.profile].reach
        for fact in release.facts:
            now = count_of({name: fact.get(name, "") for name in (*KEY, "verdict")})
            if "n" not in fact or now is None or not known.has(now):
                continue
            then = Count("earlier", now.arm, now.timepoint, now.outcome, f"{place} {now.kind} {now.item}")
            if not known.has(then):
                known.publish(then, max(float(fact["n"]) - reach, 0.0), float(fact["n"]) + reach)
                known.derived[f"{now} since release {place}"] = ((now, 1.0), (then, -1.0))
                known.derived[f"{now} before release {place}"] = ((then, 1.0), (now, -1.0))


def write_release(release: Release) -> str:
    """Return a release as one line of JSON."""
    return json.dumps(asdict(release), ensure_ascii=False, sort_keys=True, allow_nan=False) + "\n"


def read_releases(text: str) -> tuple[Release, ...]:
    """Return the releases of a file of JSON lines.

    Raises
    ------
    ReportError
        A line is no release: without it a new release cannot be held against it, so none is made.
    """
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            told = json.loads(line)
            release = Release(str(told["time"]), str(told["report"]), str(told["profile"]), tuple(told["facts"]))
            is_known = release.profile in PROFILES and all(float(fact.get("n", 0)) >= 0 for fact in release.facts)
        except (ValueError, KeyError, TypeError):
            is_known = False
        if not is_known:
            message = "This line does not tell what an earlier release told."
            advice = "Restore the file from a backup; it must not be edited."
            raise ReportError(Problem("release_not_readable", message, advice, line=number))
        found.append(release)
    return tuple(found)


def _key(row: Mapping[Any, Any]) -> tuple[str, ...]:
    return tuple(str(row.get(name, "")) for name in KEY)


def _tells_of_few(fact: Mapping[str, Any], row: Mapping[Any, Any], reach_then: int, profile: Profile) -> bool:
    """Tell whether few people stand between two numbers of the same."""
    difference, reach = row["n"] - fact["n"], reach_then + profile.reach
    if reach == 0 and difference == 0:
        return row["analysis"] != "flow" and _differ(fact, row)
    ends = (difference - reach, difference + reach)
    return not (is_safe(*ends, profile) and is_safe(-ends[1], -ends[0], profile))


def _differ(fact: Mapping[str, Any], row: Mapping[Any, Any]) -> bool:
    """Tell whether any number that was told then is another one now."""
    both = [(float(fact[name]), float(row[name])) for name in TOLD if name in fact and row[name] == row[name]]
    return any(abs(then - now) > 10.0**-8 * max(1.0, abs(then)) for then, now in both)


def _gone(release: Release, name: str, gated: pd.DataFrame) -> list[str]:
    """Return the ids of a kind that an earlier release told of and the new results do not have."""
    return sorted({str(fact[name]) for fact in release.facts if fact.get(name)} - set(gated[name]))


def _refuse_renamed(release: Release, name: str, gone: Sequence[str]) -> Problem:
    return Problem(
        "renamed_since_release",
        f"The report released on {release.time[:10]} told of the {name} '{gone[0]}', which study and plan do not name "
        "any more. Under another name the same people could not be held against it.",
        f"Keep the id of every {name}; its label may change.",
        "sap.yaml" if name == "outcome" else "study.yaml",
        key=f"{name}s",
    )


def _refuse(release: Release, profile: Profile) -> Problem:
    return Problem(
        "too_few_since_release",
        f"Since the report released on {release.time[:10]} an arm has changed by fewer than {profile.threshold} "
        "people. Whoever holds both reports could tell them by subtracting.",
        f"Release again when no arm has changed, or each that changed by {profile.threshold} people or more.",
    )


def _refuse_weaker(release: Release, profile: Profile) -> Problem:
    then = PROFILES[release.profile]
    return Problem(
        "weaker_profile",
        f"The report released on {release.time[:10]} told of no fewer than {then.threshold} people ('{then.name}'); "
        f"'{profile.name}' would tell of {profile.threshold}. Whoever holds both reports could see what was hidden.",
        f"Take the profile '{then.name}', or one that protects more people, and run the study again.",
        "sap.yaml",
        key="small_numbers.profile",
    )


def fail_on(problems: Sequence[Problem]) -> None:
    """Refuse the release where anything speaks against it.

    Raises
    ------
    ReportError
        With all problems.
    """
    if problems:
        raise ReportError(problems)
