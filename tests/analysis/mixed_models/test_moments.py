"""Moments are made once, stored, added and fitted at will: from frames, from Parquet files and from DuckDB."""

import json
from dataclasses import asdict

import duckdb
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.errors import AnalysisError
from analysis.mixed_models import (
    Moments,
    add_moments,
    fit_mixed_model,
    fit_mmrm,
    moments_from_duckdb,
    moments_from_parquet,
    refit_mixed_model,
    refit_mmrm,
)

# Sums in another order: rounding, relative to the largest of them.
SUMS = 1e-12
# Means that sums are taken about, found by another program.
MEANS = 1e-12
# Fits from sums in another order, on the scale of standard errors.
SAME = 1e-8
SAME_DF = 1e-5

TABLE = {
    "outcome": "score",
    "terms": ("time", "arm", "arm:time", "age", "dose"),
    "participant": "participant",
    "timepoint": "time",
}
NESTED = TABLE | {"groups": ("group", "site"), "partially_nested": True, "stratum": "arm"}


@pytest.fixture(scope="module")
def visits(make_visits):
    """A trial whose timepoints stand in the order of their names, as a file without categories would have them."""
    frame = make_visits(seed=5)
    return frame.assign(time=frame["time"].astype(str).map({"start": "t0", "mid": "t1", "end": "t2", "later": "t3"}))


def _close_designs(found, expected):
    assert (found.terms, found.timepoints, found.times) == (expected.terms, expected.timepoints, expected.times)
    assert found.outcome_centre == pytest.approx(expected.outcome_centre, rel=MEANS)
    assert list(found.variables) == list(expected.variables)
    for name, theirs in expected.variables.items():
        ours = asdict(found.variables[name])
        for key, value in asdict(theirs).items():
            if isinstance(value, float) or (isinstance(value, tuple) and value and isinstance(value[0], float)):
                assert ours[key] == pytest.approx(value, rel=MEANS, abs=MEANS)
            else:
                assert ours[key] == value


def _close(found, expected):
    """The same sums, whatever the order of cells and groups."""
    _close_designs(found.design, expected.design)
    assert found.roles == expected.roles
    assert (found.n_rows, found.n_participants) == (expected.n_rows, expected.n_participants)
    assert sorted(found.strata) == sorted(expected.strata)
    cells = [
        {(each.strata[key[0]], *key[1:]): product for key, product in zip(each.cells, each.products, strict=True)}
        for each in (found, expected)
    ]
    assert set(cells[0]) == set(cells[1])
    scale = np.abs(expected.products).max()
    for key, product in cells[1].items():
        assert np.abs(cells[0][key] - product).max() <= SUMS * scale
    for ours, theirs in zip(found.groups, expected.groups, strict=True):
        assert (ours.name, sorted(ours.labels)) == (theirs.name, sorted(theirs.labels))
        sums = [
            {
                (each.labels[group], whole.strata[whole.cells[cell][0]], *whole.cells[cell][1:]): row
                for group, cell, row in zip(each.group, each.cell, each.sums, strict=True)
            }
            for whole, each in ((found, ours), (expected, theirs))
        ]
        assert set(sums[0]) == set(sums[1])
        for key, row in sums[1].items():
            assert np.abs(sums[0][key] - row).max() <= SUMS * scale


def _same_fit(found, expected):
    ours, theirs = found.tidy().set_index("term"), expected.tidy().set_index("term")
    assert found.converged
    assert list(ours.index) == list(theirs.index)
    assert np.abs((ours["estimate"] - theirs["estimate"]) / theirs["std_error"]).max() < SAME
    assert np.abs(ours["std_error"] / theirs["std_error"] - 1).max() < SAME
    assert np.abs(ours["df"] / theirs["df"] - 1).max() < SAME_DF


# Files


@pytest.mark.parametrize("suffix", ["json", "parquet"])
@pytest.mark.parametrize(
    "arguments",
    [
        TABLE,
        NESTED,
        TABLE | {"time": "week", "center": ("age",), "references": {"arm": "usual"}},
        TABLE | {"terms": ()},
    ],
)
def test_what_is_saved_is_loaded_to_the_last_bit(suffix, arguments, visits, tmp_path):
    moments = Moments.from_frame(visits, **arguments)
    moments.save(tmp_path / f"sums.{suffix}")
    found = Moments.load(str(tmp_path / f"sums.{suffix}"))
    assert found.design == moments.design
    assert found.roles == moments.roles
    assert found.strata == moments.strata
    assert found.cells.tolist() == moments.cells.tolist()
    assert found.products.tobytes() == moments.products.tobytes()
    for ours, theirs in zip(found.groups, moments.groups, strict=True):
        assert (ours.name, ours.labels) == (theirs.name, theirs.labels)
        assert [codes.tolist() for codes in ours.parents] == [codes.tolist() for codes in theirs.parents]
        assert (ours.group.tolist(), ours.cell.tolist()) == (theirs.group.tolist(), theirs.cell.tolist())
        assert ours.sums.tobytes() == theirs.sums.tobytes()


@pytest.mark.parametrize("suffix", ["json", "parquet"])
def test_moments_from_a_file_add_up_with_others(suffix, visits, tmp_path):
    whole = Moments.from_frame(visits, **NESTED)
    early = visits["participant"] < "p017"
    for name, rows in (("one", visits[early]), ("two", visits[~early])):
        Moments.from_frame(rows, design=whole.design, **NESTED).save(tmp_path / f"{name}.{suffix}")
    found = add_moments(Moments.load(tmp_path / f"{name}.{suffix}") for name in ("one", "two"))
    _close(found, whole)
    mixed = Moments.load(tmp_path / f"one.{suffix}") + Moments.from_frame(visits[~early], design=whole.design, **NESTED)
    _close(mixed, whole)


@pytest.mark.parametrize("suffix", ["json", "parquet"])
def test_a_site_where_nobody_meets_in_a_group_can_be_saved_and_added(suffix, visits, tmp_path):
    arguments = NESTED | {"groups": ("group",)}
    whole = Moments.from_frame(visits, **arguments)
    controls = Moments.from_frame(visits[visits["group"] == ""], design=whole.design, **arguments)
    others = Moments.from_frame(visits[visits["group"] != ""], design=whole.design, **arguments)
    controls.save(tmp_path / f"controls.{suffix}")
    found = Moments.load(tmp_path / f"controls.{suffix}")
    assert found.n_participants == controls.n_participants
    _close(others + found, whole)
    _close(found + others, whole)


@pytest.mark.parametrize("suffix", ["json", "parquet"])
def test_no_id_of_a_participant_is_in_the_file(suffix, visits, tmp_path):
    ids = {name: f"secret-{place:03}" for place, name in enumerate(visits["participant"].unique())}
    frame = visits.assign(participant=visits["participant"].map(ids))
    Moments.from_frame(frame, **NESTED).save(tmp_path / f"sums.{suffix}")
    content = (tmp_path / f"sums.{suffix}").read_bytes()
    table = pq.read_table(tmp_path / f"sums.{suffix}").to_pydict() if suffix == "parquet" else {}
    assert b"participant" in content  # the name of the column is there to be found
    assert b"secret" not in content
    assert "secret" not in str(table)


def _change(*keys, value):
    def change(document):
        for key in keys[:-1]:
            document = document[key]
        if value is None:
            del document[keys[-1]]
        else:
            document[keys[-1]] = value

    return change


BROKEN = {
    "another format": _change("format", value="moments of another program"),
    "no format": _change("format", value=None),
    "the next version": _change("version", value=2),
    "the version before": _change("version", value=0),
    "no design": _change("design", value=None),
    "no table": _change("table", value=None),
    "an empty table": _change("table", value={name: [] for name in ("level", "group", "cell", "key", "sums")}),
    "sums that are too short": lambda document: document["table"]["sums"][0].pop(),
    "too few sums": lambda document: document["table"]["sums"].pop(),
    "too few keys": lambda document: document["table"]["key"].pop(0),
    "text for sums": lambda document: document["table"]["sums"][0].__setitem__(0, "many"),
    "text for cells": lambda document: document["table"]["cell"].__setitem__(-1, "first"),
    "a cell that is not there": lambda document: document["table"]["cell"].__setitem__(-1, 999),
    "a group that is not there": lambda document: document["table"]["group"].__setitem__(-1, 999),
    "a level that is not there": lambda document: document["table"]["level"].__setitem__(-1, 7),
    "a timepoint that is not there": lambda document: document["table"]["key"][0].__setitem__(1, 1 << 9),
    "a stratum that is not there": lambda document: document["table"]["key"][0].__setitem__(0, 5),
    "a term without a variable": lambda document: document["design"]["terms"].append("height"),
    "variables that are none": _change("design", "variables", value=["age"]),
    "fewer timepoints than sums": lambda document: document["design"]["timepoints"].pop(),
    "fewer variables than sums": lambda document: document["design"]["terms"].remove("dose"),
    "no groups where there are sums of groups": _change("groups", value=[]),
    "roles that are none": _change("roles", value={"outcome": "score"}),
    "groups that are none": _change("groups", value=[1]),
    "a list": None,
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_file_that_holds_no_moments_is_refused(name, visits, tmp_path, refused):
    path = tmp_path / "sums.json"
    Moments.from_frame(visits, **NESTED).save(path)
    document = json.loads(path.read_text())
    Moments.load(path)
    if BROKEN[name]:
        BROKEN[name](document)
    path.write_text(json.dumps(document if BROKEN[name] else [document]))
    with refused("moments_unreadable") as caught:
        Moments.load(path)
    assert caught[0].problems[0].file == "sums.json"
    assert "version" in str(caught[0])


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("none.json", None),
        ("none.parquet", None),
        ("empty.json", b""),
        ("empty.parquet", b""),
        ("text.parquet", b"a,b\n1,2\n"),
        ("bytes.json", b"\xff\xfe\x00"),
        ("text.json", b'"moments"'),
        ("cut.json", b'{"format": "peerimpact moments", "ver'),
    ],
)
def test_a_file_of_another_kind_is_refused(name, content, tmp_path, refused):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with refused("moments_unreadable"):
        Moments.load(tmp_path / name)


def test_a_parquet_file_of_rows_and_a_folder_are_refused(visits, tmp_path, refused):
    visits.to_parquet(tmp_path / "rows.parquet")
    for path in (tmp_path / "rows.parquet", tmp_path):
        with refused("moments_unreadable"):
            Moments.load(path)


# Sums


@pytest.mark.parametrize(
    "changes",
    [
        {"terms": ("time", "arm", "arm:time", "age")},
        {"terms": ("arm", "time", "arm:time", "age", "dose")},
        {"outcome": "age", "terms": ("time", "arm")},
        {"references": {"arm": "usual"}},
        {"center": ("age",)},
        {"stratum": "arm"},
        {"groups": ("site",)},
        {"time": "week"},
        {"timepoint": "week"},
        {"partially_nested": True},
    ],
)
def test_moments_of_another_design_are_not_added(changes, visits, refused):
    one, other = Moments.from_frame(visits, **TABLE), Moments.from_frame(visits, **TABLE | changes)
    for first, second in ((one, other), (other, one)):
        with refused("moments_differ"):
            first + second


def test_moments_about_other_constants_are_not_added(visits, refused):
    early = visits["participant"] < "p017"
    with refused("moments_differ") as caught:
        Moments.from_frame(visits[early], **TABLE) + Moments.from_frame(visits[~early], **TABLE)
    assert "design=" in str(caught[0])


def test_a_sum_of_no_moments_is_refused(refused):
    with refused():
        add_moments([])


def test_groups_may_be_split_over_parts_and_strata_may_be_missing_from_them(visits):
    whole = Moments.from_frame(visits, **NESTED)
    for column in ("arm", "time"):
        people = visits["participant"]
        own = people.isin(people[visits[column] == visits[column].iloc[-1]])
        parts = [visits[own], visits[~own]]
        _close(
            add_moments(Moments.from_frame(part, design=whole.design, **NESTED) for part in parts if len(part)), whole
        )
    by_parity = visits["participant"].str[-1].astype(int) % 4 < 2  # half of every group
    parts = [visits[by_parity], visits[~by_parity]]
    groups = [set(part["group"]) - {""} for part in parts]
    assert len(groups[0] & groups[1]) > 3
    found = add_moments(Moments.from_frame(part, design=whole.design, **NESTED) for part in parts)
    _close(found, whole)
    _same_fit(refit_mixed_model(found), refit_mixed_model(whole))


def test_a_group_in_two_sites_of_different_parts_is_refused(visits, refused):
    design = Moments.from_frame(visits, **NESTED).design
    early = visits["participant"] < "p018"
    moved = visits.assign(
        group=visits["group"].where(visits["group"] == "", "one and the same"), site=np.where(early, "a", "b")
    )
    one, other = (Moments.from_frame(moved[rows], design=design, **NESTED) for rows in (early, ~early))
    with refused("groups_crossed"):
        one + other


def test_a_level_that_was_not_agreed_on_is_refused(visits, refused):
    design = Moments.from_frame(visits, **TABLE).design
    for change in ({"arm": "waiting"}, {"time": "t9"}):
        with refused("level_unknown") as caught:
            Moments.from_frame(visits.assign(**change), design=design, **TABLE)
        assert next(iter(change.values())) in str(caught[0])


def test_parts_with_planned_times_only_may_lack_some_of_them(visits):
    """Without a column of the timepoint, the agreed times say where a row stands, not the times of the part."""
    arguments = {"outcome": "score", "terms": ("week", "arm"), "participant": "participant", "time": "week"}
    early = visits["participant"] < "p010"
    frame = visits[early | (visits["week"] > 0)]
    whole = Moments.from_frame(frame, **arguments)
    parts = [frame[early.loc[frame.index]], frame[~early.loc[frame.index]]]
    _close(add_moments(Moments.from_frame(part, design=whole.design, **arguments) for part in parts), whole)


def test_a_time_that_was_not_agreed_on_is_refused(visits, refused):
    arguments = {"outcome": "score", "terms": ("week", "arm"), "participant": "participant", "time": "week"}
    design = Moments.from_frame(visits, **arguments).design
    with refused():
        Moments.from_frame(visits.assign(week=visits["week"].replace(4.0, 5.0)), design=design, **arguments)
    arguments = TABLE | {"time": "week"}
    design = Moments.from_frame(visits, **arguments).design
    with refused():
        Moments.from_frame(visits.assign(week=visits["week"] + 1), design=design, **arguments)


def test_sums_need_planned_timepoints(visits, refused):
    rows = {"outcome": "score", "terms": ("arm",), "participant": "participant"}
    with refused("no_planned_time"):
        Moments.from_frame(visits, **rows, time="day")
    with refused("no_planned_time"):
        Moments.from_frame(visits, **rows)


def test_more_timepoints_than_bits_of_a_number_are_refused_or_right():
    rng = np.random.default_rng(1)
    rows = [(f"p{person}", f"d{day:03}", day / 10, person) for person in range(25) for day in range(70)]
    frame = pd.DataFrame(rows, columns=["who", "day", "time", "person"])
    frame["score"] = rng.normal(size=25)[frame["person"]] + rng.normal(size=len(frame))
    frame = frame[rng.random(len(frame)) < 0.3]
    arguments = {"outcome": "score", "terms": ("time",), "participant": "who", "df_method": "satterthwaite"}
    as_rows = fit_mixed_model(frame, **arguments)
    try:
        planned = fit_mixed_model(frame, timepoint="day", **arguments)
    except AnalysisError:
        return
    _same_fit(planned, as_rows)


# Fits from sums


@pytest.mark.parametrize("covariance", ["us", "toeph", "ar1", ("us", "cs")])
@pytest.mark.parametrize("extra", [{}, {"stratum": "arm"}])
def test_a_second_fit_from_the_moments_is_that_of_the_frame(covariance, extra, visits):
    fit = fit_mmrm(visits, covariance="cs", by_arm=extra.get("stratum"), **TABLE)
    fresh = fit_mmrm(visits, covariance=covariance, by_arm=extra.get("stratum"), **TABLE)
    for moments in (fit.moments, Moments.from_frame(visits, **TABLE | extra)):
        again = refit_mmrm(moments, covariance=covariance)
        pd.testing.assert_frame_equal(again.tidy(), fresh.tidy(), check_exact=True)
        pd.testing.assert_frame_equal(again.glance(), fresh.glance(), check_exact=True)
        pd.testing.assert_frame_equal(again.joint_tests(), fresh.joint_tests(), check_exact=True)
        pd.testing.assert_frame_equal(
            again.marginal_means(("arm", "time")).tidy(), fresh.marginal_means(("arm", "time")).tidy(), check_exact=True
        )


@pytest.mark.parametrize(
    ("columns", "how"),
    [
        ({}, {}),
        ({"time": "week"}, {"random": "slope"}),
        ({"groups": ("team", "site")}, {}),
        ({"time": "week", "groups": ("team",)}, {"groups": {"team": "slope"}}),
        ({"groups": ("group",), "partially_nested": True}, {"method": "ml", "df_method": "satterthwaite"}),
    ],
)
def test_a_second_mixed_model_from_the_moments_is_that_of_the_frame(columns, how, visits):
    fresh = fit_mixed_model(visits, **{**TABLE, **columns, **how})
    again = refit_mixed_model(Moments.from_frame(visits, **TABLE | columns), **how)
    pd.testing.assert_frame_equal(again.tidy(), fresh.tidy(), check_exact=True)
    pd.testing.assert_frame_equal(again.icc(), fresh.icc(), check_exact=True)
    assert again.n_groups == fresh.n_groups


@pytest.mark.parametrize(
    "ask",
    [lambda fit: fit.robust(), lambda fit: fit.augment(), lambda fit: fit.random_effects()],
    ids=["robust", "augment", "random_effects"],
)
def test_what_needs_rows_says_so(ask, visits, refused):
    with refused("rows_needed"):
        ask(refit_mixed_model(Moments.from_frame(visits, **TABLE)))


def test_a_second_fit_is_refused_what_the_sums_do_not_hold(visits, refused):
    plain, grouped = Moments.from_frame(visits, **TABLE), Moments.from_frame(visits, **NESTED)
    with refused("no_time"):
        refit_mixed_model(plain, random="slope")
    with refused("mmrm_with_groups"):
        refit_mmrm(grouped)
    with refused() as caught:
        refit_mixed_model(grouped, groups={"sites": "intercept"})
    assert "site" in str(caught[0])
    with refused("covariance_unknown"):
        refit_mmrm(plain, covariance="un")
    with refused("random_unknown"):
        refit_mixed_model(plain, random="slopes")


# Tables


VARIANTS = {
    "plain": {},
    "groups in sites, partially nested, stratum": {
        "groups": ("group", "site"),
        "partially_nested": True,
        "stratum": "arm",
    },
    "references": {"references": {"arm": "usual", "time": "t2"}},
    "centred": {"center": ("age", "dose")},
    "time": {"time": "week", "terms": ("week", "arm", "arm:week", "age")},
    "a product without its parts": {"terms": ("time", "arm:age")},
    "covariates that change with time": {"terms": ("time", "dose", "dose:time", "dose:arm")},
    "a number for the timepoint": {"timepoint": "week", "terms": ("week", "arm", "arm:week")},
    "no terms": {"terms": ()},
}


@pytest.mark.parametrize("rows_at_once", [1, 50])
@pytest.mark.parametrize("name", VARIANTS)
def test_moments_of_a_table_are_those_of_the_frame(name, rows_at_once, visits, tmp_path):
    arguments = TABLE | VARIANTS[name]
    frame = visits.sample(frac=1, random_state=2)
    frame = frame.assign(
        score=frame["score"].mask(frame["participant"] == "p003"), age=frame["age"].mask(frame.index % 17 == 2)
    )
    frame = frame.assign(group=frame["group"].replace("", None))
    whole = Moments.from_frame(frame, **arguments)
    frame.to_parquet(tmp_path / "rows.parquet", index=False)
    _close(moments_from_parquet(tmp_path / "rows.parquet", rows_at_once=rows_at_once, **arguments), whole)


def test_moments_of_several_files_are_those_of_one(visits, tmp_path):
    for label, rows in visits.groupby("time"):
        rows.to_parquet(tmp_path / f"wave_{label}.parquet")
    found = moments_from_parquet(tmp_path / "wave_*.parquet", **NESTED)
    _close(found, Moments.from_frame(visits, **NESTED))
    _same_fit(refit_mixed_model(found), refit_mixed_model(Moments.from_frame(visits, **NESTED)))


def test_missing_and_not_a_number_are_both_left_out_in_a_query(visits):
    with duckdb.connect() as connection:
        connection.register("visits", visits)
        query = """
            SELECT * REPLACE (
                CASE WHEN rowid % 11 = 0 THEN NULL WHEN rowid % 13 = 0 THEN 'nan'::DOUBLE ELSE score END AS score,
                CASE WHEN rowid % 19 = 0 THEN NULL WHEN rowid % 23 = 0 THEN 'nan'::DOUBLE ELSE dose END AS dose
            ) FROM (SELECT *, row_number() OVER () - 1 AS rowid FROM visits)
        """
        found = moments_from_duckdb(connection, query, **TABLE)
    place = np.arange(len(visits))
    left = visits[(place % 11 > 0) & (place % 13 > 0) & (place % 19 > 0) & (place % 23 > 0)]
    assert len(left) < len(visits) - 20
    _close(found, Moments.from_frame(left, **TABLE))


def test_categories_keep_their_order_in_a_query(make_visits):
    frame = make_visits().assign(arm=lambda rows: pd.Categorical(rows["arm"], categories=["usual", "peer", "nobody"]))
    with duckdb.connect() as connection:
        connection.register("visits", frame)
        found = moments_from_duckdb(connection, "SELECT * FROM visits", rows_at_once=7, **TABLE)
    assert found.design.timepoints == ("start", "mid", "end", "later")
    assert found.design.variables["arm"].levels == ("usual", "peer")
    _close(found, Moments.from_frame(frame, **TABLE))


TYPES = {
    "small numbers": "age::TINYINT AS age, dose::USMALLINT AS dose",
    "big numbers": "age::HUGEINT AS age, dose::UBIGINT AS dose",
    "short floats": "age::FLOAT AS age, score::DOUBLE AS score",
    "decimals": "age::DECIMAL(8, 2) AS age, dose::DECIMAL(20, 4) AS dose",
    "truth values": "(age > 40) AS age",
    "truth values for the outcome": "(score > 21) AS score",
    "whole numbers for the outcome": "round(score)::INTEGER AS score",
    "numbers for participants": "substr(participant, 2)::INTEGER AS participant",
    "numbers for timepoints": "week::INTEGER AS time",
}


@pytest.mark.parametrize("name", TYPES)
def test_types_of_columns_mean_the_same_in_a_query_and_in_a_frame(name, visits):
    with duckdb.connect() as connection:
        connection.register("visits", visits)
        query = f"SELECT * REPLACE ({TYPES[name]}) FROM visits"
        found = moments_from_duckdb(connection, query, rows_at_once=10, **TABLE)
        frame = connection.sql(query).df()
    _close(found, Moments.from_frame(frame, **TABLE))


@pytest.mark.parametrize(
    "time", ["(DATE '2024-01-31' + week::INTEGER)", "(TIMESTAMP '2024-01-31 08:30:00' + to_days(week::INTEGER))"]
)
def test_days_may_stand_for_timepoints(time, visits):
    with duckdb.connect() as connection:
        connection.register("visits", visits)
        query = f"SELECT * REPLACE ({time} AS time) FROM visits"
        found = moments_from_duckdb(connection, query, rows_at_once=10, **TABLE)
    assert [label[:10] for label in found.design.timepoints] == ["2024-01-31", "2024-02-04", "2024-02-10", "2024-02-16"]
    expected = Moments.from_frame(visits, **TABLE)
    assert np.abs(found.products - expected.products).max() <= SUMS * np.abs(expected.products).max()


@pytest.mark.parametrize("rows_at_once", [1, 40, 1000])
def test_numbers_for_groups_that_some_do_not_have_are_the_same_group_in_every_batch(rows_at_once, visits, tmp_path):
    numbers = pd.factorize(visits["group"].where(visits["group"] != ""))[0]
    frame = visits.assign(
        group=pd.array(numbers, dtype="Int64"), participant=visits["arm"] + visits["participant"]
    )  # by participant, all with a group stand before all without
    frame = frame.assign(group=frame["group"].mask(frame["group"] < 0))
    frame.to_parquet(tmp_path / "rows.parquet")
    arguments = NESTED | {"groups": ("group",)}
    found = moments_from_parquet(tmp_path / "rows.parquet", rows_at_once=rows_at_once, **arguments)
    assert len(found.groups[0].labels) == numbers.max() + 1
    _same_fit(
        refit_mixed_model(found),
        fit_mixed_model(frame, groups="group", partially_nested=True, residual_by="arm", **TABLE),
    )


def test_names_that_need_quotes_are_quoted(visits, tmp_path):
    names = {"score": 'the "score"', "arm": "select", "participant": "who's", "time": "time; drop table"}
    frame = visits.rename(columns=names)
    frame.to_parquet(tmp_path / "it's.parquet")
    arguments = {
        "outcome": names["score"],
        "terms": (names["time"], names["arm"], "age"),
        "participant": names["participant"],
        "timepoint": names["time"],
    }
    _close(moments_from_parquet(tmp_path / "it's.parquet", **arguments), Moments.from_frame(frame, **arguments))


@pytest.mark.parametrize(
    ("changes", "code", "named"),
    [
        ({"outcome": "scores"}, "column_unknown", "'score'"),
        ({"terms": ("tim",)}, "column_unknown", "'time'"),
        ({"participant": "participants"}, "column_unknown", "'participant'"),
        ({"groups": ("teams",)}, "column_unknown", "'team'"),
        ({"references": {"arm": "usually"}}, "level_unknown", "'usual'"),
        ({"terms": ("arm", "arm")}, "term_twice", "arm"),
        ({"time": "day"}, "time_differs", "day"),
        ({"outcome": "arm", "terms": ("time",)}, None, "arm"),
    ],
)
def test_a_table_is_refused_with_the_reason(changes, code, named, visits, refused):
    with duckdb.connect() as connection:
        connection.register("visits", visits)
        with refused(*([code] if code else [])) as caught:
            moments_from_duckdb(connection, "SELECT * FROM visits", **TABLE | changes)
    assert named in str(caught[0])


def test_a_table_without_a_complete_row_is_refused(visits, refused):
    with duckdb.connect() as connection:
        connection.register("visits", visits)
        for query in ("SELECT * FROM visits WHERE false", "SELECT * REPLACE (NULL::DOUBLE AS age) FROM visits"):
            with refused("no_rows"):
                moments_from_duckdb(connection, query, **TABLE)


def test_infinite_outcomes_two_rows_and_changing_groups_of_a_table_are_refused(visits, refused):
    with duckdb.connect() as connection:
        connection.register("visits", visits)
        for query, code in (
            (
                "SELECT * REPLACE (CASE WHEN participant = 'p004' THEN 'inf'::DOUBLE ELSE score END AS score) FROM visits",
                "infinite",
            ),
            ("SELECT * FROM visits UNION ALL (SELECT * FROM visits WHERE participant = 'p004')", "row_twice"),
            ("SELECT * REPLACE (time AS team) FROM visits", "two_groups"),
        ):
            with refused(code):
                moments_from_duckdb(connection, query, rows_at_once=5, **TABLE | {"groups": ("team",)})


def test_files_that_are_not_there_are_refused(tmp_path, refused):
    with refused():
        moments_from_parquet(tmp_path / "none.parquet", **TABLE)


@settings(derandomize=True, database=None, deadline=None, max_examples=15)
@given(data=st.data())
def test_moments_of_any_split_of_participants_add_up(data, make_visits):
    frame = make_visits(seed=7, n=24)
    arguments = NESTED | {"timepoint": "time"}
    whole = Moments.from_frame(frame, **arguments)
    people = frame["participant"].unique()
    part = dict(zip(people, data.draw(st.lists(st.integers(0, 5), min_size=24, max_size=24)), strict=True))
    parts = [rows for _, rows in frame.groupby(frame["participant"].map(part))]
    _close(add_moments(Moments.from_frame(rows, design=whole.design, **arguments) for rows in parts), whole)
