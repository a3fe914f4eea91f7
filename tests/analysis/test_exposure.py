"""Exposure: what was offered, what was attended, and what is told of it."""

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
import pytest

from analysis.design import StudyDesign
from analysis.exposure import derive_exposure, describe_exposure
from analysis.results import Result, results_table

Line = tuple[str, str, str]


def people(**groups: str) -> pd.DataFrame:
    """Participants of the peer arm with their groups, and one of usual care."""
    rows = [(name, "peer", group) for name, group in groups.items()] + [("zoe", "usual", "")]
    return pd.DataFrame(rows, columns=["participant_id", "arm", "group"]).astype("str")


def sessions(lines: list[Line], *, groups: Mapping[str, str], **columns: object) -> pd.DataFrame:
    """Sessions as the contract has them, from (participant, session, attended)."""
    table = pd.DataFrame(lines, columns=["participant_id", "session", "attended"], dtype="str")
    days = 7.0 * table["session"].astype("int64")
    return table.assign(
        days_since_baseline=days,
        format="",
        facilitator="",
        group=[groups.get(name, "") for name in table["participant_id"]],
        minutes=np.nan,
        source="log.csv",
        source_row=range(2, len(table) + 2),
    ).assign(**columns)


def one(exposure: pd.DataFrame, name: str) -> pd.Series:
    return exposure.set_index("participant_id").loc[name]


def test_everybody_of_a_group_was_offered_each_session_that_it_held() -> None:
    groups = {"ann": "g1", "bob": "g1", "cem": "g1", "dee": "g2"}
    lines = [("ann", "1", "attended"), ("ann", "2", "attended"), ("ann", "4", "attended"), ("bob", "1", "absent"),
             ("bob", "2", "attended"), ("bob", "3", "cancelled"), ("ann", "3", "cancelled"), ("dee", "1", "excused")]  # fmt: skip
    exposure = derive_exposure(sessions(lines, groups=groups), people(**groups))
    assert exposure["participant_id"].tolist() == ["ann", "bob", "cem", "dee", "zoe"]
    assert exposure["n_offered"].tolist() == [3, 3, 3, 1, 0]
    assert exposure["n_attended"].tolist() == [3, 1, 0, 0, 0]
    assert exposure["share"].tolist()[:4] == [1, 1 / 3, 0, 0]
    assert np.isnan(one(exposure, "zoe")["share"])


def test_a_session_cancelled_for_one_person_alone_was_not_offered_to_them() -> None:
    groups = {"ann": "g1", "bob": "g1"}
    lines = [("ann", "1", "attended"), ("bob", "1", "cancelled")]
    assert derive_exposure(sessions(lines, groups=groups), people(**groups))["n_offered"].tolist() == [1, 0, 0]


def test_days_and_spacing_are_those_of_attended_sessions() -> None:
    lines = [("ann", "1", "attended"), ("ann", "2", "absent"), ("ann", "3", "attended"), ("ann", "4", "attended"),
             ("bob", "4", "attended")]  # fmt: skip
    exposure = derive_exposure(sessions(lines, groups={}), people(ann="", bob=""))
    assert one(exposure, "ann")[["first_day", "last_day", "median_spacing"]].tolist() == [7, 28, 10.5]
    assert one(exposure, "bob")[["first_day", "last_day"]].tolist() == [28, 28]
    assert np.isnan(one(exposure, "bob")["median_spacing"])


def test_formats_are_counted_where_people_came() -> None:
    lines = [("ann", "1", "attended"), ("ann", "2", "attended"), ("ann", "3", "absent")]
    table = sessions(lines, groups={}, format=["online", "in_person", "online"])
    assert one(derive_exposure(table, people(ann="")), "ann")[["n_online", "n_in_person"]].tolist() == [1, 1]


def test_without_groups_a_person_was_offered_what_the_log_has_for_them() -> None:
    lines = [("ann", "1", "attended"), ("ann", "2", "absent"), ("bob", "1", "attended")]
    assert derive_exposure(sessions(lines, groups={}), people(ann="", bob=""))["n_offered"].tolist() == [2, 1, 0]


def test_a_visit_to_another_group_counts_beside_the_sessions_of_the_own() -> None:
    lines = [("ann", "1", "attended"), ("bob", "1", "attended"), ("bob", "2", "attended"), ("ann", "5", "attended"),
             ("bob", "5", "attended"), ("bob", "6", "attended")]  # fmt: skip
    table = sessions(lines, groups={}, group=["g1", "g2", "g2", "g2", "g2", "g2"])
    exposure = derive_exposure(table, people(ann="g1", bob="g2"))
    assert one(exposure, "ann")[["n_offered", "n_attended"]].tolist() == [2, 2]


def big(rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Forty people in four groups with six sessions each, one of them cancelled; three facilitators."""
    groups = {f"p{number:02}": f"g{number % 4}" for number in range(40)}
    lines = [(name, str(week), "cancelled" if (groups[name], week) == ("g1", 6) else rng.choice(["attended", "absent"]))
             for name in groups for week in range(1, 7)]  # fmt: skip
    table = sessions(lines, groups=groups)
    leads = table["group"].map({"g0": "f0", "g1": "f1", "g2": "f2", "g3": "f0"})
    meets = table["session"].map(lambda week: "online" if int(week) > 4 else "in_person")
    return table.assign(facilitator=leads, format=meets), people(**groups)


@pytest.fixture
def described(make_design: Callable[..., StudyDesign]) -> dict[tuple[str, str, str], Result]:
    table, participants = big(np.random.default_rng(5))
    rows = describe_exposure(table, participants, make_design())
    return {(row.arm, row.statistic, row.item): row for row in rows}


def test_what_is_described_is_what_the_rows_say(described: dict[tuple[str, str, str], Result]) -> None:
    table, participants = big(np.random.default_rng(5))
    came = table[table["attended"] == "attended"]
    counts = came.groupby("participant_id").size().reindex(participants["participant_id"][:40], fill_value=0)
    held = {name: row.value for (_, name, item), row in described.items() if not item}
    assert (held["sessions_held"], held["sessions_cancelled"]) == (23, 1)
    assert held["attended_any"] == (counts > 0).sum()
    assert held["mean_attended"] == pytest.approx(counts.mean())
    assert held["median_attended"] == np.sort(counts)[19]
    assert held["share_attended"] == pytest.approx(100 * len(came) / 230)
    assert held["people_per_session"] == pytest.approx(len(came) / 23)
    assert (held["facilitators"], held["sessions_per_facilitator"]) == (3, pytest.approx(23 / 3))
    assert described["peer", "sessions_held", "online"].value == 7
    online = came[came["format"] == "online"]
    assert described["peer", "share_attended", "online"].value == pytest.approx(100 * len(online) / 70)


def test_only_arms_with_sessions_are_described(described: dict[tuple[str, str, str], Result]) -> None:
    assert {arm for arm, _, _ in described} == {"peer", ""}


def test_the_order_of_rows_and_the_ids_have_no_bearing(make_design: Callable[..., StudyDesign]) -> None:
    table, participants = big(np.random.default_rng(5))
    rng = np.random.default_rng(6)
    new = {old: f"{number:04x}" for number, old in enumerate(rng.permutation(participants["participant_id"]))}
    swap = {"g0": "z", "g1": "y", "g2": "x", "g3": "w", "": "", "f0": "c", "f1": "b", "f2": "a"}
    other = [
        frame.assign(
            participant_id=frame["participant_id"].map(new),
            **{name: frame[name].map(swap) for name in ("group", "facilitator") if name in frame},
        ).sample(frac=1, random_state=3)
        for frame in (table, participants)
    ]
    first, again = (results_table(describe_exposure(*pair, make_design())) for pair in ((table, participants), other))
    pd.testing.assert_frame_equal(first, again)


def test_shares_by_format_need_the_format_of_every_session(make_design: Callable[..., StudyDesign]) -> None:
    table, participants = big(np.random.default_rng(5))
    table = table.assign(format=table["format"].mask((table["group"] == "g2") & (table["session"] == "3"), ""))
    items = {
        row.item for row in describe_exposure(table, participants, make_design()) if row.statistic == "share_attended"
    }
    assert items == {""}


def test_without_sessions_nothing_is_described(make_design: Callable[..., StudyDesign]) -> None:
    table, participants = big(np.random.default_rng(5))
    assert list(describe_exposure(table[:0], participants, make_design())) == []
