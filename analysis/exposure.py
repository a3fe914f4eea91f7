"""What people received: sessions held, who came to how many, and who led them. Described only: no model uses it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.design import StudyDesign
from analysis.results import Result
from analysis.telling import Told, tell

FORMATS: Final = ("online", "in_person")
_CANCELLED: Final = "cancelled"
_MEETING: Final = ["unit", "session"]


def derive_exposure(sessions: pd.DataFrame, participants: pd.DataFrame) -> pd.DataFrame:
    """Return what each participant was offered, and came to.

    Parameters
    ----------
    sessions, participants : DataFrame
        See the table contracts. A session of a group was held when anybody's row says anything but ``cancelled``.

    Returns
    -------
    DataFrame
        One row per participant, in the order of `participants`: ``participant_id``, ``arm``; ``n_offered``: sessions
        held in the participant's own group, whether the log names the participant there or not, sessions of other
        groups that they came to, and sessions without a group that the log has for them, all without those that were
        cancelled for them; ``n_attended``, of these ``n_online`` and ``n_in_person``; ``share``: attended of offered,
        NaN where none was offered; ``first_day``, ``last_day``, ``median_spacing``: days since baseline of the first
        and last attended session and the median of the days between one and the next (NaN where days are not told, or
        with fewer than two sessions).
    """
    told = _with_units(sessions, participants)
    came = told[told["attended"] == "attended"]
    people = participants["participant_id"]
    offered = _offered(told, participants)
    exposure = pd.DataFrame({"participant_id": people, "arm": participants["arm"]}).reset_index(drop=True)
    counts = {
        "n_offered": offered,
        "n_attended": came,
        **{f"n_{name}": came[came["format"] == name] for name in FORMATS},
    }
    for column, rows in counts.items():
        exposure[column] = _count(rows, people)
    exposure["share"] = exposure["n_attended"] / exposure["n_offered"].where(exposure["n_offered"] > 0)
    days = came.dropna(subset=["days_since_baseline"]).sort_values(["participant_id", "days_since_baseline"])
    by_person = days.groupby("participant_id")["days_since_baseline"]
    spacing = by_person.diff().groupby(days["participant_id"]).median()
    for column, values in {
        "first_day": by_person.min(),
        "last_day": by_person.max(),
        "median_spacing": spacing,
    }.items():
        exposure[column] = values.reindex(people).to_numpy(dtype="float64")
    return exposure


def describe_exposure(sessions: pd.DataFrame, participants: pd.DataFrame, design: StudyDesign) -> Iterator[Result]:
    """Yield the programme as delivered, by arm (analysis ``delivery``).

    Parameters
    ----------
    sessions, participants : DataFrame
        See the table contracts; neither row order nor ids have any bearing.
    design : StudyDesign
        The declared arms.

    Yields
    ------
    Result
        Of every arm with a session: ``sessions_held``, ``sessions_cancelled``; ``attended_any``: people who came to one
        session at least; ``mean_attended``, ``median_attended``, ``lower_quartile_attended`` and
        ``upper_quartile_attended`` (whole numbers: the inverse of the distribution) among all people of the arm;
        ``share_attended`` in percent of what was offered; ``people_per_session``; ``median_spacing`` in days among
        those who came twice; ``sessions_held`` and ``share_attended`` by format (in `item`). Of the whole study
        ``facilitators`` and ``sessions_per_facilitator``, where they are told. `n` are the people behind a value, for
        facilitators these. `fewest` is the smaller number of two kinds of people: who came to any of the sessions, and
        who missed any; of numbers of sessions without a group the fewest people of any of these.
    """
    if sessions.empty:
        return
    told = _with_units(sessions, participants)
    exposure = derive_exposure(sessions, participants)
    offered = _offered(told, participants)
    for arm in design.arms:
        people = exposure[exposure["arm"] == arm.id]
        mine = told[told["participant_id"].isin(people["participant_id"])]
        if len(mine):
            own = offered[offered["participant_id"].isin(people["participant_id"])]
            for row in _of_arm(people, mine, own):
                yield replace(row, arm=arm.id)
    yield from _of_facilitators(told)


def _with_units(sessions: pd.DataFrame, participants: pd.DataFrame) -> pd.DataFrame:
    """Return the sessions with who met together: the group, or else the arm, and the arm of the participant."""
    arms = participants.set_index("participant_id")["arm"]
    arm = sessions["participant_id"].map(arms)
    is_grouped = sessions["group"] != ""
    unit = ("group " + sessions["group"]).where(is_grouped, "arm " + arm)
    return sessions.assign(arm=arm, unit=unit, is_grouped=is_grouped)


def _offered(told: pd.DataFrame, participants: pd.DataFrame) -> pd.DataFrame:
    """Return one row per participant and session that was held for them, with its format and whether they came."""
    held = _held(told)
    home = _own_groups(told, participants)
    rows = told[["participant_id", *_MEETING, "attended", "format", "is_grouped"]]
    at_home = home.merge(held[_MEETING], on="unit").merge(rows, on=["participant_id", *_MEETING], how="left")
    elsewhere = rows.merge(home, on=["participant_id", "unit"], how="left", indicator=True)
    elsewhere = elsewhere[elsewhere["_merge"] == "left_only"]
    beside = elsewhere[(elsewhere["attended"] == "attended") | ~elsewhere["is_grouped"]]
    whole = pd.concat([at_home, beside], ignore_index=True)[["participant_id", *_MEETING, "attended", "format"]]
    whole = whole[whole["attended"] != _CANCELLED].reset_index(drop=True)
    usual = whole[_MEETING].merge(held, on=_MEETING, how="left")["format"].fillna("")
    known = whole["format"].fillna("")
    return whole.assign(format=known.where(known != "", usual), came=whole["attended"] == "attended")


def _held(told: pd.DataFrame) -> pd.DataFrame:
    """Return the meetings that took place, with the format that most people had there (by name where equal)."""
    held = told[told["attended"] != _CANCELLED]
    counts = held[held["format"] != ""].groupby([*_MEETING, "format"]).size().rename("people").reset_index()
    ranked = counts.sort_values(["people", "format"], ascending=[False, True], kind="stable")
    usual = ranked.drop_duplicates(_MEETING)[[*_MEETING, "format"]]
    meetings = held[_MEETING].drop_duplicates().sort_values(_MEETING, ignore_index=True)
    return meetings.merge(usual, on=_MEETING, how="left").fillna({"format": ""})


def _own_groups(told: pd.DataFrame, participants: pd.DataFrame) -> pd.DataFrame:
    """Return the group of each participant: their own, or that of most of their rows."""
    rows = told[told["is_grouped"]]
    by_unit = rows.groupby(["participant_id", "unit"])["session"].agg(["size", "min"]).reset_index()
    ranked = by_unit.sort_values(["size", "min"], ascending=[False, True], kind="stable")  # never by a pseudonym
    usual = ranked.drop_duplicates("participant_id").set_index("participant_id")["unit"]
    group = participants.set_index("participant_id")["group"]
    own = ("group " + group).where(group != "", usual.reindex(group.index))
    return own.dropna().rename("unit").reset_index()


def _count(rows: pd.DataFrame, people: pd.Series) -> NDArray[np.int64]:
    counts: NDArray[np.int64] = rows.groupby("participant_id").size().reindex(people, fill_value=0).to_numpy("int64")
    return counts


def _of_arm(people: pd.DataFrame, told: pd.DataFrame, offered: pd.DataFrame) -> Iterator[Result]:
    """Yield what is told of an arm; `people` are the exposure of everybody in it."""
    n, attended = len(people), people["n_attended"]
    cancelled = told.groupby(_MEETING)["attended"].agg(lambda kinds: (kinds == _CANCELLED).all())
    held = _held(told)
    alone = _fewest_together(told)
    yield _row("sessions_held", len(held), n, alone, method=tell("sessions that took place, of every group"))
    yield _row("sessions_cancelled", int(cancelled.sum()), n, alone, method=tell("sessions cancelled for everybody"))
    any_ = int((attended > 0).sum())
    yield _row("attended_any", any_, any_, method=tell("people who came to one session at least"))
    fewest = _fewest(offered)
    words = tell("sessions attended, all people of the arm, also those who never came")
    quartiles = np.quantile(attended, [0.25, 0.5, 0.75], method="inverted_cdf")
    for statistic, value in {
        "mean_attended": attended.mean(),
        "median_attended": quartiles[1],
        "lower_quartile_attended": quartiles[0],
        "upper_quartile_attended": quartiles[2],
    }.items():
        yield _row(statistic, float(value), n, fewest, method=words)
    if len(held):
        came = int(offered["came"].sum())
        words = tell("people at a session that took place")
        yield _row("people_per_session", came / len(held), n, float(np.fmin(fewest, alone)), method=words)
    twice = people["median_spacing"].dropna()
    if len(twice):
        words = tell("median of each person's median days from one attended session to the next")
        yield _row("median_spacing", float(twice.median()), len(twice), method=words)
    yield from _shares(held, offered, alone)


def _shares(held: pd.DataFrame, offered: pd.DataFrame, alone: float) -> Iterator[Result]:
    """Yield sessions and the share attended of those offered: of all, and online and in person apart.

    Shares by format need the format of every session: from them and the whole the rest could be subtracted.
    """
    all_known = bool(offered["format"].isin(FORMATS).all())
    for name in ("", *FORMATS):
        own = offered if not name else offered[offered["format"] == name]
        n = own["participant_id"].nunique()
        if not n:
            continue
        if name:
            number = int((held["format"] == name).sum())
            yield replace(_row("sessions_held", number, n, alone, method=tell("sessions that took place")), item=name)
        if all_known or not name:
            words = tell("percent of the sessions that people were offered")
            share = 100 * float(own["came"].mean())
            yield replace(_row("share_attended", share, n, _fewest(own), method=words), item=name)


def _fewest(offered: pd.DataFrame) -> int:
    """Return the smaller number of people: who came to any of these sessions, or who missed any."""
    came = offered.groupby("participant_id")["came"]
    return int(min(came.any().sum(), (~came.all()).sum()))


def _fewest_together(told: pd.DataFrame) -> float:
    """Return the fewest people of any session without a group: how far one of them got must not show; else NaN."""
    counts = told[~told["is_grouped"]].groupby("session")["participant_id"].nunique()
    return float(counts.min()) if len(counts) else float("nan")


def _of_facilitators(told: pd.DataFrame) -> Iterator[Result]:
    """Yield how many facilitators there were, and how many sessions each led on average; nothing of a single one."""
    led = told[(told["facilitator"] != "") & (told["attended"] != _CANCELLED)]
    number = led["facilitator"].nunique()
    if number:
        meetings = len(led[["facilitator", *_MEETING]].drop_duplicates())
        yield _row("facilitators", number, number, method=tell("people who led a session that took place"))
        words = tell("sessions that took place, by facilitator; one led by two counts for each")
        yield _row("sessions_per_facilitator", meetings / number, number, method=words)


def _row(statistic: str, value: float, n: int, fewest: float = float("nan"), *, method: Told) -> Result:
    return Result(analysis="delivery", statistic=statistic, value=value, n=n, fewest=fewest, method=method)
